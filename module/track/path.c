// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/ptrace.h>
#include <linux/string.h>
#include <compat/regs.h>
#include <leakwatch/frame.h>
#include <leakwatch/path.h>
#include <leakwatch/stats.h>
#include <leakwatch/walk.h>

unsigned int lw_stacks __read_mostly = LW_STACKS_DEFAULT;
unsigned int lw_depth __read_mostly = 16;

/* How far from a function's first byte a probe at its entry stops, at most: endbr64, call, int3 */
#define ENTRY_BYTES	10

static const char * const stacks_names[] = {
	[LW_STACKS_OFF]		= "off",
	[LW_STACKS_ZOOM]	= "zoom",
	[LW_STACKS_ALL]		= "all",
};

const char *lw_stacks_name(unsigned int stacks)
{
	return stacks < ARRAY_SIZE(stacks_names) ? stacks_names[stacks] : NULL;
}

int lw_stacks_of_name(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(stacks_names); i++)
		if (!strcmp(name, stacks_names[i]))
			return i;
	return -EINVAL;
}

struct stack {
	unsigned int nr;
	unsigned long frame[LW_DEPTH_MAX + LW_INNER_MAX];
};

/* That a path can need: where each costs hundreds of instructions, no more are taken. */
static __always_inline unsigned int most_frames(void)
{
	return READ_ONCE(lw_depth) + LW_INNER_MAX;
}

static __always_inline void capture(struct stack *stack)
{
	stack->nr = lw_walk_slow(stack->frame, most_frames());
}

/* The place of @ip among the frames that can be inside of a call site; stack->nr if not there. */
static unsigned int place_of(const struct stack *stack, unsigned long ip)
{
	unsigned int i;

	for (i = 0; i < stack->nr && i < LW_INNER_MAX; i++)
		if (stack->frame[i] == ip)
			return i;
	return stack->nr;
}

/*
 * Skip what only passed the request on; if that is all there is, nothing. Glue is what comes before
 * the allocator: behind it, this module's own functions are callers like any other.
 */
static unsigned int skip(const struct stack *stack, unsigned int from, bool glue, bool *backing)
{
	unsigned int i;

	for (i = from; i < stack->nr; i++) {
		switch (lw_frame_kind(stack->frame[i])) {
		case LW_FRAME_BACKING:
			*backing = true;
			fallthrough;
		case LW_FRAME_ALLOC:
			glue = false;
			break;
		case LW_FRAME_GLUE:
		case LW_FRAME_TRAMPOLINE:
			if (glue)
				break;
			fallthrough;
		default:
			return i;
		}
	}
	return from;
}

static void append(struct lw_path *path, const struct stack *stack, unsigned int from)
{
	unsigned int i, depth = READ_ONCE(lw_depth);

	for (i = from; i < stack->nr && path->nr < depth; i++) {
		path->frame[path->nr++] = stack->frame[i];
		if (lw_frame_kind(stack->frame[i]) == LW_FRAME_END)
			break;
	}
}

/* The stack does not show who called. */
static void cut(struct lw_path *path)
{
	path->cut = true;
	lw_stat_inc(LW_WALK_SHORT);
}

static void only(struct lw_path *path, unsigned long ip)
{
	path->frame[0] = ip;
	path->nr = 1;
	cut(path);
}

static void clear(struct lw_path *path)
{
	path->nr = 0;
	path->backing = false;
	path->cut = false;
	path->place = LW_PLACE_NONE;
}

/* The place of the function that was stopped, within the few bytes in which a probe stops it. */
static unsigned int place_near(const struct stack *stack, unsigned long function)
{
	unsigned int i;

	for (i = 0; i < stack->nr && i < LW_INNER_MAX; i++)
		if (stack->frame[i] - (function - ENTRY_BYTES) <= 2 * ENTRY_BYTES)
			return i;
	return stack->nr;
}

/*
 * The place of the caller of the function that was stopped. The stack shows that function and then,
 * if the walker could tell, its caller; if not, the frame after that. Older walkers begin with the
 * frame after that. Return: stack->nr if none of it is there.
 */
static unsigned int place_of_caller(struct stack *stack, struct pt_regs *regs)
{
	unsigned long caller = lw_regs_caller(regs);
	unsigned int at = place_near(stack, instruction_pointer(regs));

	if (unlikely(at == stack->nr)) {
		at = place_of(stack, lw_regs_callers_caller(regs));
		if (!at || at == stack->nr)
			return stack->nr;
		at--;
	} else if (at + 1 < stack->nr && stack->frame[at + 1] == caller) {
		return at + 1;
	}
	stack->frame[at] = caller;
	return at;
}

/*
 * Where somebody else's probe has put a trampoline in the place of the caller, nobody can tell who
 * called: the path then begins with that, and is counted as short.
 */
static void slow_entry(struct lw_path *path, struct stack *stack, struct pt_regs *regs)
{
	unsigned long caller = lw_regs_caller(regs);
	unsigned int at = 0;

	stack->nr = lw_stack_trace_entry(stack->frame, most_frames(), regs);
	if (!stack->nr) {
		capture(stack);
		at = place_of_caller(stack, regs);
	}
	if (unlikely(at == stack->nr)) {
		only(path, caller);
		return;
	}
	if (unlikely(lw_frame_kind(caller) == LW_FRAME_TRAMPOLINE))
		cut(path);
	append(path, stack, skip(stack, at, false, &path->backing));
}

/*
 * From a call site, or, with 0, from the frame that is none of the allocator's; or, with @regs,
 * from the caller of the function that is entered.
 */
static noinline void slow(struct lw_path *path, struct stack *stack, unsigned long call_site,
			  struct pt_regs *regs)
{
	unsigned int at = 0;

	clear(path);
	if (regs)
		return slow_entry(path, stack, regs);
	capture(stack);
	if (call_site)
		at = place_of(stack, call_site);
	if (unlikely(at == stack->nr))
		at = 0;
	else
		append(path, stack, skip(stack, at, !call_site, &path->backing));
	if (likely(path->nr))
		return;
	if (call_site)
		only(path, call_site);
	else
		cut(path);
}

void lw_depth_set(unsigned int depth)
{
	WRITE_ONCE(lw_depth, depth);
	lw_walk_doubt();	/* a path may go on now where it ended */
}

static noinline void by_kernel(struct lw_path *path, unsigned long call_site, struct pt_regs *regs)
{
	struct stack stack;

	lw_stat_inc(LW_WALK_SLOW);
	slow(path, &stack, call_site, regs);
}

/**
 * struct capture - what a path is found by
 * @call_site: the caller, as the event names it, or 0
 * @regs: the registers at the entry of the function that was called, or NULL
 * @depth: how long a path can be
 * @era: lw_walk_now() before that was read
 * @first: the walk when it was at the call site
 */
struct capture {
	unsigned long call_site;
	struct pt_regs *regs;
	unsigned int depth;
	u32 era;
	struct lw_walk first;
};

static u32 settling;

/*
 * The next time it is recognised by where its frames lie.
 *
 * One at a time, else somebody who is late could write steps of an old era over those of the
 * present one, which are gone by. Who finds another at it will be asked again.
 */
static void settle(struct lw_site *site, const struct capture *by)
{
	if (cmpxchg(&settling, 0, 1))
		return;
	if (lw_walk_now() == by->era && READ_ONCE(site->era) != by->era) {
		WRITE_ONCE(site->tried, by->era);
		if (lw_walk_steps(&by->first, lw_site_frames(site), lw_site_steps_of(site),
				  site->nr_frames, by->depth))
			/* whoever sees it sees the steps */
			smp_store_release(&site->era, by->era);
	}
	smp_store_release(&settling, 0);	/* pairs with the cmpxchg above */
}

/* Who was met again but never looked at: who comes often is to be recognised soon. */
static __always_inline bool is_new(const struct lw_site *site, u32 era)
{
	return READ_ONCE(site->era) != era && READ_ONCE(site->tried) != (u16)era;
}

/*
 * The same path by the kernel's walker. If that is another, the kernel is right, and what is wrong
 * is remembered of one of the addresses that both agree on: of all, as nobody knows which.
 */
static noinline u32 check(struct lw_path *path, struct lw_site *like, const struct capture *by)
{
	const unsigned long *frame = like ? lw_site_frames(like) : path->frame;
	unsigned int i, nr = like ? like->nr_frames : path->nr;
	bool backing = path->backing;
	struct lw_path right;
	struct stack stack;

	lw_stat_inc(LW_WALK_CHECKED);
	slow(&right, &stack, by->call_site, by->regs);
	for (i = 0; i < nr && i < right.nr && frame[i] == right.frame[i]; i++)
		;
	if (unlikely(i != nr || i != right.nr || backing != right.backing)) {
		if (READ_ONCE(lw_depth) == by->depth) {	/* else it was just set */
			lw_stat_inc(LW_WALK_WRONG);
			if (right.nr)
				lw_walk_bar(stack.frame, min(place_of(&stack, right.frame[0]) + i,
							     stack.nr));
			*path = right;
			return LW_SITE_NOBODY;
		}
	} else if (like) {
		settle(like, by);
	}
	return like ? like - lw_sites : LW_SITE_NOBODY;
}

/* Beyond what only passes the request on, as skip() does. */
static __always_inline bool go_beyond(struct lw_walk *walk, bool glue, bool *backing)
{
	unsigned int inner = 0;
	enum lw_frame kind;
	u64 seen;

	do {
		seen = lw_walk_see(walk);
		kind = lw_walk_kind(walk, seen);
		if (likely(kind == LW_FRAME_CALLER) || kind == LW_FRAME_END)
			return true;
		if (kind == LW_FRAME_TRAMPOLINE)
			return false;
		if (kind == LW_FRAME_GLUE && !glue)
			return true;
		glue = kind == LW_FRAME_GLUE;
		*backing |= kind == LW_FRAME_BACKING;
	} while (lw_walk_next(walk, seen) && ++inner != LW_INNER_FAST);
	return false;
}

/* Or would be, had no probe put a trampoline there? Then it is, after this. */
static __always_inline bool is_at(struct lw_walk *walk, unsigned long ip)
{
	return walk->ip == ip || (lw_walk_through(walk) && walk->ip == ip);
}

/* Is it the path @like, of @nr frames, as far as the walk can tell? */
static __always_inline bool go_along(struct lw_walk *walk, const unsigned long *like,
				     unsigned int nr, unsigned int depth)
{
	unsigned int i = 0;
	u64 seen;

	/* frames change when a module goes: then they are no addresses, and like none here */
	while (is_at(walk, data_race(like[i]))) {
		seen = lw_walk_see(walk);
		if (++i == nr)
			return nr == depth || lw_walk_kind(walk, seen) == LW_FRAME_END;
		if (unlikely(!lw_walk_next(walk, seen)))
			return false;
	}
	return false;
}

/* Which of those that were met there it is; one that is not recognised at once may yet be. */
static struct lw_site *find_met(const struct capture *by, lw_what_t what)
{
	struct lw_site *site;
	struct lw_walk walk;
	unsigned int way;

	if (lw_path_is_met(&by->first, what, by->first.ip, &site))
		return site;
	for (way = 0; way < LW_MET_WAYS; way++) {
		site = lw_site_met_path(what, by->first.ip, lw_walk_place(&by->first), way);
		/* one may be longer, from when that was allowed */
		if (site->what != what || !site->nr_frames || site->nr_frames > by->depth)
			continue;
		walk = by->first;
		if (go_along(&walk, lw_site_frames(site), site->nr_frames, by->depth))
			return site;
	}
	return NULL;
}

/* From there outward. */
static __always_inline bool go_out(struct lw_walk *walk, struct lw_path *path, unsigned int depth)
{
	enum lw_frame kind;
	u64 seen;

	while (path->nr < depth) {
		seen = lw_walk_see(walk);
		kind = lw_walk_kind(walk, seen);
		if (unlikely(kind == LW_FRAME_TRAMPOLINE)) {
			if (!lw_walk_through(walk))
				return false;
			seen = lw_walk_see(walk);
			kind = lw_walk_kind(walk, seen);
			if (kind == LW_FRAME_TRAMPOLINE)
				return false;
		}
		path->frame[path->nr++] = walk->ip;
		if (kind == LW_FRAME_END || path->nr == depth)
			break;
		if (unlikely(!lw_walk_next(walk, seen)))
			return false;
	}
	return true;
}

static __always_inline u32 get(struct lw_path *path, unsigned long call_site, struct pt_regs *regs,
			       lw_what_t what, unsigned long from)
{
	struct capture by = {
		.call_site = call_site,
		.regs = regs,
		.era = lw_walk_now(),		/* before the depth */
		.depth = READ_ONCE(lw_depth),
	};
	struct lw_site *like = NULL;
	struct lw_walk walk;

	clear(path);
	if (unlikely(lw_walk_off()))
		goto by_kernel;
	if (unlikely(regs ? !lw_walk_begin_at(&walk, regs) : !lw_walk_begin(&walk, from)))
		goto by_kernel;
	if (call_site && unlikely(!lw_path_go_to(&walk, call_site)))
		goto by_kernel;
	if (unlikely(!go_beyond(&walk, !call_site && !regs, &path->backing)))
		goto by_kernel;
	by.first = walk;
	if (what)
		like = find_met(&by, what);
	if (!like) {
		path->place = lw_walk_place(&walk);
		if (unlikely(!go_out(&walk, path, by.depth)))
			goto by_kernel;
	}
	if (unlikely(lw_walk_due()) || (like && unlikely(is_new(like, by.era))))
		return check(path, like, &by);
	return like ? like - lw_sites : LW_SITE_NOBODY;
by_kernel:
	by_kernel(path, call_site, regs);
	return LW_SITE_NOBODY;
}

u32 lw_path_from_call(struct lw_path *path, unsigned long call_site, lw_what_t what,
		      unsigned long from)
{
	return get(path, call_site, NULL, what, from);
}

u32 lw_path_from_pages(struct lw_path *path, lw_what_t what, unsigned long from)
{
	return get(path, 0, NULL, what, from);
}

u32 lw_path_like_entry(struct lw_path *path, lw_what_t what, struct pt_regs *regs)
{
	return get(path, 0, regs, what, 0);
}

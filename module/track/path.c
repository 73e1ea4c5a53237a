// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <leakwatch/frame.h>
#include <leakwatch/path.h>
#include <leakwatch/stats.h>
#include <leakwatch/walk.h>

bool lw_stacks __read_mostly = true;
unsigned int lw_depth __read_mostly = 16;

/* How far from a function's first byte a probe at its entry stops, at most: endbr64, call, int3 */
#define ENTRY_BYTES	10

struct stack {
	unsigned int nr;
	unsigned long frame[LW_DEPTH_MAX + LW_INNER_MAX];
};

static __always_inline void capture(struct stack *stack)
{
	stack->nr = lw_walk_slow(stack->frame, READ_ONCE(lw_depth) + LW_INNER_MAX);
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
}

/* From a call site, or, with 0, from the frame that is none of the allocator's. */
static noinline void slow(struct lw_path *path, struct stack *stack, unsigned long call_site)
{
	unsigned int at = 0;

	clear(path);
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

static noinline void by_kernel(struct lw_path *path, unsigned long call_site)
{
	struct stack stack;

	lw_stat_inc(LW_WALK_SLOW);
	slow(path, &stack, call_site);
}

/*
 * The same path by the kernel's walker. If that is another, the kernel is right, and what is wrong
 * is remembered of one of the addresses that both agree on.
 */
static noinline u32 check(struct lw_path *path, unsigned long call_site, u32 like)
{
	const unsigned long *frame = path->frame;
	unsigned int i, nr = path->nr;
	bool backing = path->backing;
	struct lw_path right;
	struct stack stack;

	if (like != LW_SITE_NOBODY) {
		frame = lw_site_frames(&lw_sites[like]);
		nr = lw_sites[like].nr_frames;
	}
	lw_stat_inc(LW_WALK_CHECKED);
	slow(&right, &stack, call_site);
	for (i = 0; i < nr && i < right.nr && frame[i] == right.frame[i]; i++)
		;
	if (likely(i == nr && i == right.nr && backing == right.backing))
		return like;
	lw_stat_inc(LW_WALK_WRONG);
	if (right.nr)
		lw_walk_bar(stack.frame, min(place_of(&stack, right.frame[0]) + i, stack.nr));
	*path = right;
	return LW_SITE_NOBODY;
}

/* Go to the call site: to where the event says it is, and then beyond what only passes it on. */
static __always_inline bool go_to_call(struct lw_walk *walk, unsigned long call_site, bool *backing)
{
	unsigned int inner = LW_INNER_MAX - 4;	/* the slow walk has frames of its own there */
	enum lw_frame kind;

	while (call_site && walk->ip != call_site)
		if (!inner-- || !lw_walk_next(walk))
			return false;
	for (;;) {
		kind = lw_walk_kind(walk->ip);
		if (likely(kind == LW_FRAME_CALLER) || kind == LW_FRAME_END)
			return true;
		if (kind == LW_FRAME_TRAMPOLINE)
			return false;
		if (kind == LW_FRAME_GLUE && call_site)
			return true;
		if (kind != LW_FRAME_GLUE)
			call_site = walk->ip;	/* glue is what comes before */
		*backing |= kind == LW_FRAME_BACKING;
		if (!inner-- || !lw_walk_next(walk))
			return false;
	}
}

/* From the call site outward. How far it is like @like is known without writing anything down. */
static __always_inline bool go_out(struct lw_path *path, struct lw_walk *walk,
				   const struct lw_site *like, bool *is_like)
{
	const unsigned long *frame = lw_site_frames(like);
	unsigned int i, depth = READ_ONCE(lw_depth), nr = min_t(unsigned int, like->nr_frames, depth);
	enum lw_frame kind;

	for (i = 0; i < nr && walk->ip == READ_ONCE(frame[i]); ) {
		if (++i == like->nr_frames &&
		    (i == depth || lw_walk_kind(walk->ip) == LW_FRAME_END)) {
			*is_like = true;
			return true;
		}
		if (i == depth || unlikely(!lw_walk_next(walk)))
			return false;
	}
	memcpy(path->frame, frame, i * sizeof(*frame));
	for (;;) {
		kind = lw_walk_kind(walk->ip);
		if (unlikely(kind == LW_FRAME_TRAMPOLINE))
			return false;
		path->frame[i++] = walk->ip;
		if (kind == LW_FRAME_END || i == depth)
			break;
		if (unlikely(!lw_walk_next(walk)))
			return false;
	}
	path->nr = i;
	return true;
}

static __always_inline u32 get(struct lw_path *path, unsigned long call_site, lw_what_t what,
			       unsigned long from)
{
	static const struct lw_site none;
	const struct lw_site *like_site = &none;
	u32 like = LW_SITE_NOBODY;
	bool is_like = false;
	struct lw_walk walk;

	clear(path);
	if (unlikely(!lw_walk_begin(&walk, from)) ||
	    unlikely(!go_to_call(&walk, call_site, &path->backing)))
		goto by_kernel;
	if (what) {
		like = lw_site_met(what, walk.ip);
		like_site = &lw_sites[like];
	}
	if (unlikely(!go_out(path, &walk, like_site, &is_like)))
		goto by_kernel;
	if (!is_like)
		like = LW_SITE_NOBODY;
	if (unlikely(lw_walk_due()))
		return check(path, call_site, like);
	return like;
by_kernel:
	by_kernel(path, call_site);
	return LW_SITE_NOBODY;
}

u32 lw_path_from_call(struct lw_path *path, unsigned long call_site, lw_what_t what,
		      unsigned long from)
{
	return get(path, call_site, what, from);
}

u32 lw_path_from_pages(struct lw_path *path, lw_what_t what, unsigned long from)
{
	return get(path, 0, what, from);
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
 * The stack shows the function that was stopped and then, if the walker could tell, its caller; if
 * not, the frame after that. Where somebody else's probe has put a trampoline in the place of the
 * caller, nobody can tell: the path then begins with that, and is counted as short.
 */
void lw_path_of_entry(struct lw_path *path, unsigned long function, unsigned long caller)
{
	struct stack stack;
	unsigned int at;

	clear(path);
	lw_stat_inc(LW_WALK_SLOW);
	capture(&stack);
	at = place_near(&stack, function);
	if (unlikely(at == stack.nr)) {
		only(path, caller);
		return;
	}
	if (at + 1 < stack.nr && stack.frame[at + 1] == caller)
		at++;
	else
		stack.frame[at] = caller;
	if (unlikely(lw_frame_kind(caller) == LW_FRAME_TRAMPOLINE))
		cut(path);
	append(path, &stack, skip(&stack, at, false, &path->backing));
}

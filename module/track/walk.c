// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/stacktrace.h>
#include <compat/atomic.h>
#include <leakwatch/stats.h>
#include <leakwatch/walk.h>

#define CHECKS_YOUNG	256	/* on each CPU */

DEFINE_PER_CPU(int, lw_walk_left);
static DEFINE_PER_CPU(int, checks);

void lw_walk_check_next(void)
{
	bool old = this_cpu_read(checks) >= CHECKS_YOUNG;

	if (!old)
		this_cpu_inc(checks);
	this_cpu_write(lw_walk_left, old ? LW_CHECK_OLD : LW_CHECK_YOUNG);
}

#if defined(LW_STACK_ORC) || defined(LW_STACK_RECORDS)
u32 lw_walk_era __read_mostly = 1;

void lw_walk_doubt(void)
{
	u32 era, seen = READ_ONCE(lw_walk_era);

	/* Each its own, and never one that was: else what was settled in that would count again. */
	do {
		era = seen;
		/* after the shape; pairs with lw_walk_now() */
		seen = cmpxchg(&lw_walk_era, era, era + 1 ?: 1);
	} while (unlikely(seen != era));
}
#endif

#ifdef LW_STACK_ORC

#include <asm/unwind.h>

#define PROBES		8
#define SLOT_MASK	(ARRAY_SIZE(lw_shapes) - 1)

/* What an address is like that no fast walk goes by. */
#define NOT_KNOWN	(LW_SHAPE_BARRED | LW_SHAPE_VARIES | LW_FRAME_TRAMPOLINE << LW_SHAPE_KIND)

/* A step that goes by rbp: the guess, and where rbp is, in words from where steps then count. */
#define STEP_BY_BP	BIT(15)
#define STEP_GUESS	12
#define STEP_WORDS	((1 << STEP_GUESS) - 1)
#define STEP_ZERO	(1 << (STEP_GUESS - 1))

/* No address has its lower half 0; a bad one that does is known, and barred. */
u64 lw_shapes[1 << LW_SHAPE_BITS] = { [0] = NOT_KNOWN };

DEFINE_PER_CPU(struct lw_stack, lw_irq_stack);

/* Incremented before anything is forgotten. */
static atomic_t forgotten = ATOMIC_INIT(0);

/*
 * The guesses. Of a caller's frame by rbp: BY_BP is what code with a frame pointer does, BY_SAVED
 * and the following what code does that aligns its stack: it keeps the address in one of the first
 * words below. Of the caller's rbp: it is unchanged; saved where rbp points to; or saved by one of
 * the first pushes, SLOT and the following.
 */
enum { BY_BP, BY_SAVED, NR_BY_BP = BY_SAVED + 6 };
enum { BP_SAME, BP_AT, BP_SLOT, NR_BP = BP_SLOT + 6 };

#define ALL_BY_BP	(((1U << NR_BY_BP) - 1) << LW_SHAPE_BY_BP)
#define ALL_BP		(((1U << NR_BP) - 1) << LW_SHAPE_BP)

static_assert(LW_SHAPE_BP + NR_BP == LW_SHAPE_KIND);
static_assert(LW_SHAPE_BY_BP + NR_BY_BP < 31);
static_assert(NR_BY_BP <= 1 << (15 - STEP_GUESS));
static_assert(LW_FRAME_END < 8);

/*
 * A frame on its way: from @at, which is where its part of the stack begins, to @end. Its rbp is
 * kept at @bp_at, where that is asked for.
 */
struct frame {
	unsigned long at;
	unsigned long bp;
	unsigned long bp_at;
	unsigned long end;
};

/* The word at @at of the stack from @low, or 0 */
static unsigned long word_at(const struct frame *frame, unsigned long at)
{
	if (at < frame->at || at >= frame->end || at % sizeof(long))
		return 0;
	return lw_stack_read(at);
}

static __always_inline unsigned long caller_by_bp(const struct frame *frame, int guess)
{
	if (guess == BY_BP)
		return frame->bp + 2 * sizeof(long);
	return word_at(frame, frame->bp - (guess - BY_SAVED + 1) * sizeof(long));
}

static bool caller_is(const struct frame *frame, unsigned long caller)
{
	return caller > frame->at && caller <= frame->end && !(caller % sizeof(long));
}

static unsigned long callers_bp_at(const struct frame *frame, unsigned long caller, int guess)
{
	if (guess == BP_SAME)
		return frame->bp_at;
	if (guess == BP_AT)
		return frame->bp;
	return caller - (guess - BP_SLOT + 2) * sizeof(long);
}

/* 0 is what cannot be told from a word that is not there. */
static unsigned long callers_bp(const struct frame *frame, unsigned long caller, int guess)
{
	if (guess == BP_SAME)
		return frame->bp;
	return word_at(frame, callers_bp_at(frame, caller, guess));
}

static u64 *place_of(unsigned long ip)
{
	u64 *at, *room = NULL;
	unsigned int i;
	u64 seen;

	for (i = 0; i < PROBES; i++) {
		at = &lw_shapes[(lw_shape_slot(ip) + i) & SLOT_MASK];
		seen = READ_ONCE(*at);
		if (seen >> 32 == (u32)ip)
			return at;
		if (!seen && !room)
			room = at;
	}
	return room;
}

u32 lw_walk_shape(unsigned long ip)
{
	u64 *at = place_of(ip);
	u64 seen = at ? READ_ONCE(*at) : 0;

	if (seen >> 32 != (u32)ip || !seen)
		return NOT_KNOWN;
	return seen;
}

/* Where the caller's frame begins, if all guesses agree, else 0. */
static unsigned long caller_of(const struct frame *frame, u32 shape)
{
	unsigned long caller = 0, other;
	int guess;

	if (shape & LW_SHAPE_BARRED)
		return 0;
	if (!(shape & LW_SHAPE_VARIES))
		caller = frame->at + (shape & LW_SHAPE_WORDS) * sizeof(long);
	for (guess = 0; guess < NR_BY_BP; guess++) {
		if (!(shape & BIT(LW_SHAPE_BY_BP + guess)))
			continue;
		other = caller_by_bp(frame, guess);
		if (caller && caller != other)
			return 0;
		caller = other;
	}
	return caller_is(frame, caller) ? caller : 0;
}

/* The same for its rbp: false if they do not. */
static bool bp_of(struct frame *frame, unsigned long caller, u32 shape)
{
	unsigned long bp = 0, at = 0, other;
	int guess;

	for (guess = 0; guess < NR_BP; guess++) {
		if (!(shape & BIT(LW_SHAPE_BP + guess)))
			continue;
		other = callers_bp(frame, caller, guess);
		if (at && other != bp)
			return false;
		bp = other;
		at = at ?: callers_bp_at(frame, caller, guess);
	}
	frame->bp = bp;
	frame->bp_at = at;
	return at;
}

/* The return address below @at, wherever a probe has put it. */
static unsigned long address_below(unsigned long at)
{
	return lw_stack_replaced(at - sizeof(long)) ?: lw_stack_read(at - sizeof(long));
}

/* Steps are to go by what is guessed of @ip: false if that is not @shape any more. */
static bool rely(unsigned long ip, u32 shape)
{
	u64 *at = place_of(ip), word = (u64)ip << 32 | shape;

	if (shape & LW_SHAPE_RELIED)
		return true;
	return at && lw_try_cmpxchg64(at, word, word | LW_SHAPE_RELIED);
}

/* Go from where @frame is, and its rbp is known, to @at. */
static bool go_to(struct frame *frame, unsigned long at, bool relied)
{
	unsigned long ip, caller;
	u32 shape;

	while (frame->at < at) {
		ip = address_below(frame->at);
		shape = lw_walk_shape(ip);
		caller = caller_of(frame, shape);
		if (!caller || !bp_of(frame, caller, shape) || (relied && !rely(ip, shape)))
			return false;
		frame->at = caller;
	}
	return frame->at == at;
}

/*
 * rbp is nearly never needed, and then it is found by going once more from the beginning of the
 * walk to here.
 */
unsigned long lw_walk_find(unsigned long ip, unsigned long at, unsigned long end,
			   unsigned long first, unsigned long bp)
{
	struct frame frame = { .at = first, .end = end, .bp = lw_stack_read(bp), .bp_at = bp };
	u32 shape = lw_walk_shape(ip);

	if (!(shape & ALL_BY_BP))
		frame.at = at;
	return go_to(&frame, at, false) ? caller_of(&frame, shape) : 0;
}

/* The word as it is when an address is met first: everything may be. */
static u64 first_word(unsigned long ip, const struct frame *frame, unsigned long caller)
{
	enum lw_frame kind = lw_frame_kind(ip);
	unsigned long words = (caller - frame->at) / sizeof(long);
	u32 shape = kind << LW_SHAPE_KIND;

	if (kind == LW_FRAME_END || !caller)
		shape = LW_FRAME_END << LW_SHAPE_KIND | LW_SHAPE_VARIES;
	else if (words > LW_SHAPE_WORDS)
		shape |= LW_SHAPE_VARIES | ALL_BY_BP | ALL_BP;
	else
		shape |= words | ALL_BY_BP | ALL_BP;
	return (u64)ip << 32 | shape;
}

/* Take away what is proven wrong by a frame whose caller, and its rbp, are known. */
static u64 corrected(u64 word, const struct frame *frame, unsigned long caller, unsigned long bp)
{
	u32 shape = word;
	unsigned long first = frame->at + (shape & LW_SHAPE_WORDS) * sizeof(long);
	int guess;

	if (shape & LW_SHAPE_BARRED || (shape >> LW_SHAPE_KIND & 7) == LW_FRAME_END)
		return word;
	if (first != caller)
		shape |= LW_SHAPE_VARIES;
	for (guess = 0; guess < NR_BY_BP; guess++)
		if (shape & BIT(LW_SHAPE_BY_BP + guess) && caller_by_bp(frame, guess) != caller)
			shape &= ~BIT(LW_SHAPE_BY_BP + guess);
	for (guess = 0; guess < NR_BP; guess++)
		if (shape & BIT(LW_SHAPE_BP + guess) && callers_bp(frame, caller, guess) != bp)
			shape &= ~BIT(LW_SHAPE_BP + guess);
	if (shape != (u32)word)
		shape &= ~LW_SHAPE_RELIED;
	return (word >> 32) << 32 | shape;
}

/*
 * What a slow walk has seen of an address: its frame, its caller's, or that there is none (0).
 * @epoch is what forgotten was before: if it has changed, the address may be gone.
 */
static void teach(unsigned long ip, const struct frame *frame, unsigned long caller,
		  unsigned long bp, int epoch)
{
	u64 *at = place_of(ip);
	u64 seen, word;

	if (unlikely(!at))
		return;
	seen = READ_ONCE(*at);
	word = seen;
	if (!seen) {
		if (!lw_frame_stays(ip))
			return;
		word = first_word(ip, frame, caller);
	} else if (unlikely(seen >> 32 != (u32)ip)) {
		return;
	}
	word = corrected(word, frame, caller, bp);
	if (word == seen || !lw_try_cmpxchg64(at, seen, word))
		return;		/* if another CPU was first: there will be a next time */
	if (seen && (word ^ seen) & (LW_SHAPE_VARIES | LW_SHAPE_RELIED))
		lw_walk_doubt();
	/* the cmpxchg pairs with the barrier in lw_walk_forget(): one sees the other's */
	if (unlikely(atomic_read(&forgotten) != epoch))
		lw_try_cmpxchg64(at, word, 0);
}

/* The bounds of this CPU's interrupt stack stay the same from boot on. */
static void see_stack(const struct stack_info *info)
{
	if (info->type != STACK_TYPE_IRQ || this_cpu_read(lw_irq_stack.end))
		return;
	this_cpu_write(lw_irq_stack.low, (unsigned long)info->begin);
	barrier();	/* who comes between, on this CPU, sees an end of 0 */
	this_cpu_write(lw_irq_stack.end, (unsigned long)info->end);
}

noinline unsigned int lw_walk_slow(unsigned long *frames, unsigned int max)
{
	int epoch = atomic_read(&forgotten);
	struct unwind_state state;
	unsigned long ip, before = 0;
	unsigned int nr = 0;
	struct frame frame;
	bool learn = true;

	smp_rmb();	/* what is seen below is seen after the epoch */
	unwind_start(&state, current, NULL, NULL);
	see_stack(&state.stack_info);
	for (; !unwind_done(&state) && nr < max; unwind_next_frame(&state)) {
		ip = unwind_get_return_address(&state);
		if (!ip)
			return nr;
		frames[nr++] = ip;
		learn = learn && !state.regs && !state.error;
		if (learn && before) {
			if (caller_is(&frame, state.sp))
				teach(before, &frame, state.sp, state.bp, epoch);
			else
				learn = false;
		}
		if (!learn)
			continue;
		frame.at = state.sp;
		frame.bp = state.bp;
		frame.end = (unsigned long)state.stack_info.end;
		before = ip;
		/* what may be behind these is nobody's frame */
		switch (lw_frame_kind(ip)) {
		case LW_FRAME_END:
			teach(ip, &frame, 0, 0, epoch);
			fallthrough;
		case LW_FRAME_TRAMPOLINE:
			learn = false;
			break;
		default:
			break;
		}
	}
	if (unwind_done(&state) && learn && before && !state.error)
		teach(before, &frame, 0, 0, epoch);	/* the outermost */
	return nr;
}

void lw_walk_bar(const unsigned long *frames, unsigned int nr)
{
	u64 *at, seen;

	for (; nr; nr--, frames++) {
		at = place_of(*frames);
		if (!at)
			continue;
		do {
			seen = READ_ONCE(*at);
			if (seen >> 32 != (u32)*frames)
				break;
		} while (!lw_try_cmpxchg64(at, seen, (u64)*frames << 32 | NOT_KNOWN));
	}
	lw_walk_doubt();
}

/* Is there something of the stack at @at, from where the walk began, which includes its rbp? */
static bool is_within(unsigned long at, unsigned long first, unsigned long end)
{
	return at >= first - 2 * sizeof(long) && at < end && !(at % sizeof(long));
}

bool lw_walk_by_any(unsigned long at, unsigned long end, unsigned long first,
		    const unsigned long *frame, const u16 *step, unsigned int nr)
{
	struct frame from = { .at = at, .end = end };
	unsigned long caller, words, ip;
	unsigned int i;

	for (i = 1; i < nr; i++) {
		/* it may be of another era, */
		words = data_race(step[i]);
		caller = from.at + words * sizeof(long);
		if (words & STEP_BY_BP) {
			from.bp_at = from.at + ((words & STEP_WORDS) - STEP_ZERO) * sizeof(long);
			if (!is_within(from.bp_at, first, end))
				return false;
			from.bp = lw_stack_read(from.bp_at);
			caller = caller_by_bp(&from, words >> STEP_GUESS & 7);
		}
		if (!caller_is(&from, caller))
			return false;
		/* and this changes when its module goes: then it is none here */
		ip = data_race(frame[i]);
		if (lw_stack_read(caller - sizeof(long)) != ip &&
		    (!ip || lw_stack_replaced(caller - sizeof(long)) != ip))
			return false;
		if (words & STEP_BY_BP)
			from.at = caller;
	}
	return true;
}

/*
 * The step to the caller of the frame where the walk is, @shape, which goes by rbp; from @base. By
 * the first of the guesses, if there are several: when one of them is wrong a new era begins.
 */
static u16 step_by_bp(const struct lw_walk *walk, u32 shape, unsigned long base)
{
	struct frame frame = {
		.at = walk->first,
		.bp = lw_stack_read(walk->bp),
		.bp_at = walk->bp,
		.end = walk->end,
	};
	long words;

	if (!(shape & ALL_BY_BP) || !go_to(&frame, walk->at, true) || !rely(walk->ip, shape) ||
	    !is_within(frame.bp_at, walk->first, walk->end))
		return 0;
	words = (long)(frame.bp_at - base) / (long)sizeof(long) + STEP_ZERO;
	if (words < 0 || words > STEP_WORDS)
		return 0;
	return STEP_BY_BP | (__ffs(shape & ALL_BY_BP) - LW_SHAPE_BY_BP) << STEP_GUESS | words;
}

bool lw_walk_steps(const struct lw_walk *first, const unsigned long *frame, u16 *step,
		   unsigned int nr, unsigned int depth)
{
	struct lw_walk walk = *first;
	unsigned long base = walk.at;
	bool plain = true;
	unsigned int i;
	u32 shape;
	u16 next;

	if (!nr || walk.ip != frame[0])
		return false;
	for (i = 1; i < nr; i++) {
		shape = lw_walk_shape(walk.ip);
		if (shape & LW_SHAPE_BARRED)
			return false;
		next = shape & LW_SHAPE_VARIES ? step_by_bp(&walk, shape, base) : STEP_BY_BP - 1;
		if (!next || !lw_walk_next(&walk, lw_walk_see(&walk)))
			return false;
		if (next & STEP_BY_BP) {
			plain = false;
			base = walk.at;
		} else {
			next = min((walk.at - base) / sizeof(long), STEP_BY_BP - 1);
		}
		WRITE_ONCE(step[i], next);
		if (walk.ip == frame[i])
			continue;
		plain = false;
		if (!lw_walk_through(&walk) || walk.ip != frame[i])
			return false;
	}
	WRITE_ONCE(step[0], !plain);
	return true;
}

void lw_walk_forget(struct module *mod, bool init_only)
{
	unsigned long ip;
	unsigned int i;
	u64 seen;

	atomic_inc(&forgotten);
	smp_mb__after_atomic();		/* pairs with the cmpxchg in teach() */
	for (i = 0; i < ARRAY_SIZE(lw_shapes); i++) {
		seen = READ_ONCE(lw_shapes[i]);
		ip = (long)(int)(seen >> 32);
		if (!ip || !(within_module_init(ip, mod) ||
			     (!init_only && within_module_core(ip, mod))))
			continue;
		lw_xchg64(&lw_shapes[i], 0);
	}
}

unsigned long lw_walk_bytes(void)
{
	return sizeof(lw_shapes);
}

#else

noinline unsigned int lw_walk_slow(unsigned long *frames, unsigned int max)
{
	return stack_trace_save(frames, max, 0);
}

void lw_walk_forget(struct module *mod, bool init_only)
{
}

unsigned long lw_walk_bytes(void)
{
	return 0;
}

#ifdef LW_STACK_RECORDS
bool lw_walk_wrong __read_mostly;

void lw_walk_bar(const unsigned long *frames, unsigned int nr)
{
	WRITE_ONCE(lw_walk_wrong, true);
	lw_walk_doubt();
}

bool lw_walk_steps(const struct lw_walk *walk, const unsigned long *frame, u16 *step,
		   unsigned int nr, unsigned int depth)
{
	return nr == depth || lw_frame_kind(READ_ONCE(frame[nr - 1])) == LW_FRAME_END;
}
#else
void lw_walk_bar(const unsigned long *frames, unsigned int nr)
{
}
#endif

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * walk: return addresses from the stack of an event, from one caller to the next.
 *
 * The kernel's own walker is right and dear: on x86 with ORC it takes hundreds of instructions
 * a frame, nearly all to look up what belongs to an address. But the shape of the frame behind a
 * return address never changes. So here it is remembered: a table, one word an address, says where
 * its caller's frame begins. What the table does not know, or doubts, is for the slow walk: that is
 * the kernel's and teaches the table. On arm64 there are frame records, and nothing to remember.
 * Elsewhere every walk is the slow one.
 *
 * One capture in some is taken both ways. Where they differ the slow one is right, that is counted
 * (LW_WALK_WRONG), and what is behind the addresses up to where the two part is not walked fast
 * any more: until then nothing was wrong, so that is dear, and safe.
 *
 * A word of the table, on x86:
 *
 *	 63-32	the lower half of the address: that of any kernel text is in the uppermost 2 GiB
 *	    31	barred: it has been wrong
 *	 23-29	guesses where the caller's frame begins, of those that go by rbp: a bit each
 *	    22	it does not begin at a constant distance
 *	 19-21	what the address is, enum lw_frame
 *	 11-18	guesses where the caller's rbp is, a bit each
 *	    10	steps of a path go by these
 *	   0-9	the distance from this frame to the caller's, in words
 *
 * All guesses that fit are made when an address is met first. A slow walk that proves one wrong
 * takes it away, and nothing ever comes back; so the true one, if it is among them, stays. While
 * there are several, a fast walk needs them to agree. Nearly always the constant distance alone is
 * left soon, and then the word is not written any more.
 *
 * Invariant: a fast walk reads nothing outside of the stack on which it began, whatever the table
 * says: it stays between where it began and an end that is known, and takes a bounded number of
 * steps.
 *
 * Invariant: addresses whose memory may get another use without notice are never in the table:
 * what has no name, and what has one but is in no module (BPF, trampolines of ftrace and kprobes).
 * When a module goes, or its init section, lw_walk_forget() removes those in it; a slow walk that
 * was on its way meanwhile removes what it has taught.
 *
 * Locking: none; a word is published by one cmpxchg. Any context.
 */
#ifndef LEAKWATCH_WALK_H
#define LEAKWATCH_WALK_H

#include <linux/compiler.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/types.h>
#include <compat/stack.h>
#include <leakwatch/frame.h>

/**
 * struct lw_walk - where a fast walk is
 * @ip: the return address
 * @at: x86: where the frame begins to which it returns; arm64: that function's frame record
 * @low: arm64: no record can be below
 * @end: nor, as any frame, beyond
 * @first: x86: where it was when the walk began
 * @bp: x86: the address of what rbp was then
 */
struct lw_walk {
	unsigned long ip;
	unsigned long at;
	unsigned long low;
	unsigned long end;
	unsigned long first;
	unsigned long bp;
};

/**
 * lw_walk_slow() - the return addresses on the current stack, innermost first, by the kernel's
 * walker
 * @frames: where to put them
 * @max: how many there is room for
 *
 * Includes this module's own frames. Teaches the fast walk. Any context; allocates nothing.
 *
 * Return: how many there are.
 */
unsigned int lw_walk_slow(unsigned long *frames, unsigned int max);

/** lw_walk_bar() - the fast walk is wrong behind one of the @nr addresses @frames: bar them */
void lw_walk_bar(const unsigned long *frames, unsigned int nr);

/**
 * lw_walk_forget() - forget the addresses of code that goes
 * @mod: the module
 * @init_only: of its init section alone
 *
 * Process context, while its memory is still its own.
 */
void lw_walk_forget(struct module *mod, bool init_only);

/** lw_walk_bytes() - Return: the memory that the table of shapes takes */
unsigned long lw_walk_bytes(void);

/*
 * One capture in that many is checked, on each CPU: at first, and after CHECKS_YOUNG checks.
 * Primes: work that repeats itself takes the same few paths in the same order, and all of them
 * shall come up. Built with LW_CHECK_ALL, as scripts/truth -w does, every one is.
 */
#ifdef LW_CHECK_ALL
#define LW_CHECK_YOUNG	1
#define LW_CHECK_OLD	1
#else
#define LW_CHECK_YOUNG	61
#define LW_CHECK_OLD	1021
#endif

DECLARE_PER_CPU(int, lw_walk_left);

/* The rest of lw_walk_due(). */
void lw_walk_check_next(void);

/** lw_walk_soon() - Return: whether lw_walk_due() has to decide on this capture */
static __always_inline bool lw_walk_soon(void)
{
	int left = raw_cpu_read(lw_walk_left) - 1;	/* it need not be exact */

	raw_cpu_write(lw_walk_left, left);
	return left <= 0;
}

/** lw_walk_due() - Return: whether this capture is to be checked against the slow walk */
static __always_inline bool lw_walk_due(void)
{
	int left = raw_cpu_read(lw_walk_left) - 1;	/* it need not be exact */

	raw_cpu_write(lw_walk_left, left);
	if (likely(left > 0))
		return false;
	lw_walk_check_next();
	return true;
}

/*
 * Begin at the caller of the function in which this is written: @walk->ip is where it will return
 * to. False if the bounds of this stack are not known.
 */
#define lw_walk_here()	((unsigned long)__builtin_frame_address(0))

/*
 * A whole path is recognised at once where it was checked before, and
 *
 * x86: every frame on it is known to be at a constant distance from the one before: steps, in words
 * from the first. They stay what they are as long as the addresses are somebody's; but that a
 * distance is constant may turn out to be wrong. Or some are not, as those frames are aligned, or
 * make room as they need it: but then their function goes by rbp, and who has saved that is known.
 * Such a frame's step says where, and the steps behind it count from its caller's. Or a kretprobe
 * has put its trampoline in a frame's place, and the kernel's list of these tells the frame. The
 * first step, which else is 0, tells that there is one or the other;
 * arm64: it ends where all do that go that way: at an entry, or at the greatest depth.
 *
 * When that is in doubt, or a path may be longer, a new era begins, and what was found out in the
 * old one is not gone by. Who began in the old one may meanwhile read steps of the new: whatever a
 * step says, nothing outside of the stack is read.
 */
#if defined(LW_STACK_ORC) || defined(LW_STACK_RECORDS)
extern u32 lw_walk_era;

/** lw_walk_now() - Return: the era, read before what is looked at later; 0 if there are none */
static __always_inline u32 lw_walk_now(void)
{
	return smp_load_acquire(&lw_walk_era);	/* pairs with lw_walk_doubt() */
}

/** lw_walk_doubt() - begin a new era. Any context. */
void lw_walk_doubt(void);

/**
 * lw_walk_steps() - find the steps of a path
 * @walk: at the first frame of it
 * @frame: its frames
 * @step: set to their steps, on x86
 * @nr: how many
 * @depth: how many there can be
 *
 * Return: whether such a path can be recognised at once.
 */
bool lw_walk_steps(const struct lw_walk *walk, const unsigned long *frame, u16 *step,
		   unsigned int nr, unsigned int depth);
#endif

#ifdef LW_STACK_ORC

#define LW_SHAPE_BITS	15

extern u64 lw_shapes[1 << LW_SHAPE_BITS];

/* The rest of lw_walk_by(), where some steps go by rbp, or behind the trampoline of a kretprobe. */
bool lw_walk_by_any(unsigned long at, unsigned long end, unsigned long first,
		    const unsigned long *frame, const u16 *step, unsigned int nr);

/**
 * lw_walk_by() - is this stack that of a path?
 * @walk: at the first frame of it
 * @frame: the frames
 * @step: their steps, of this era
 * @nr: how many, at least 1
 *
 * Return: whether it is. If not, it may still be, and lw_walk_next() can tell.
 */
static __always_inline bool lw_walk_by(const struct lw_walk *walk, const unsigned long *frame,
				       const u16 *step, unsigned int nr)
{
	unsigned long room = (walk->end - walk->at) / sizeof(long);
	unsigned int i;

	/* a step may be of another era, and a frame changes when its module goes */
	if (unlikely(data_race(step[0])))
		return lw_walk_by_any(walk->at, walk->end, walk->first, frame, step, nr);
	for (i = 1; i < nr; i++)
		/* as above */
		if (unlikely(data_race(step[i]) > room) ||
		    /* as above: plain reads are operands */
		    lw_stack_read(walk->at - sizeof(long) + data_race(step[i]) * sizeof(long)) !=
		    /* as above */
		    data_race(frame[i]))
			return false;
	return true;
}

#define LW_SHAPE_WORDS	0x3ffU		/* bits 0-9 */
#define LW_SHAPE_RELIED	BIT(10)
#define LW_SHAPE_BP	11
#define LW_SHAPE_KIND	19
#define LW_SHAPE_VARIES	BIT(22)
#define LW_SHAPE_BY_BP	23
#define LW_SHAPE_BARRED	BIT(31)

struct lw_stack {
	unsigned long low;
	unsigned long end;
};

DECLARE_PER_CPU(struct lw_stack, lw_irq_stack);

/* The halves of lw_walk_next() and lw_walk_kind() that are rarely needed. */
u32 lw_walk_shape(unsigned long ip);
unsigned long lw_walk_find(unsigned long ip, unsigned long at, unsigned long end,
			   unsigned long first, unsigned long bp);

/* Find the bounds of the stack that @from is on. */
static __always_inline bool lw_walk_bounds(struct lw_walk *walk, unsigned long from)
{
	unsigned long low = (unsigned long)task_stack_page(current), size = THREAD_SIZE;

	if (unlikely(from - low >= size)) {
		low = this_cpu_read(lw_irq_stack.low);
		size = this_cpu_read(lw_irq_stack.end) - low;
		if (from - low >= size)
			return false;
	}
	walk->end = low + size;
	return true;
}

static __always_inline u32 lw_shape_slot(unsigned long ip)
{
	return ((u32)ip * GOLDEN_RATIO_32) >> (32 - LW_SHAPE_BITS);
}

/**
 * lw_walk_see() - look at the address where the walk is
 * @walk: where that is
 *
 * Return: what lw_walk_next() and lw_walk_kind() then want to know: its shape, or on x86 more than
 * 32 bits if it is not in its first place in the table.
 */
static __always_inline u64 lw_walk_see(const struct lw_walk *walk)
{
	return READ_ONCE(lw_shapes[lw_shape_slot(walk->ip)]) ^ (u64)walk->ip << 32;
}

/**
 * lw_walk_begin() - begin a fast walk
 * @walk: set to where the function in whose frame @from is will return to
 * @from: lw_walk_here()
 *
 * Return: false if there is no fast walk here, or the bounds of this stack are not known.
 */
static __always_inline bool lw_walk_begin(struct lw_walk *walk, unsigned long from)
{
	if (unlikely(!lw_walk_bounds(walk, from)))
		return false;
	walk->bp = from;
	walk->first = from + 2 * sizeof(long);
	walk->at = walk->first;
	walk->ip = lw_stack_read(from + sizeof(long));
	return true;
}

/**
 * lw_walk_begin_at() - begin a fast walk at the entry of a function
 * @walk: set to where it will return to
 * @regs: the registers, when it is entered
 *
 * Return: as lw_walk_begin().
 */
static __always_inline bool lw_walk_begin_at(struct lw_walk *walk, struct pt_regs *regs)
{
	unsigned long from = kernel_stack_pointer(regs);

	if (unlikely(!lw_walk_bounds(walk, from)))
		return false;
	walk->bp = (unsigned long)&regs->bp;
	walk->first = from + sizeof(long);
	walk->at = walk->first;
	walk->ip = lw_stack_read(from);
	return true;
}

/**
 * lw_walk_next() - go on to the caller
 * @walk: where the walk is; its caller's ip, if there is one
 * @seen: what lw_walk_see() has seen there
 *
 * Return: false if that is not known, or there is none.
 */
static __always_inline bool lw_walk_next(struct lw_walk *walk, u64 seen)
{
	if (likely(seen < LW_SHAPE_VARIES)) {
		walk->at += (seen & LW_SHAPE_WORDS) * sizeof(long);
		if (unlikely(walk->at > walk->end))
			return false;
	} else {
		walk->at = lw_walk_find(walk->ip, walk->at, walk->end, walk->first, walk->bp);
		if (!walk->at)
			return false;
	}
	walk->ip = lw_stack_read(walk->at - sizeof(long));
	return true;
}

/** lw_walk_kind() - Return: what the address is; LW_FRAME_TRAMPOLINE also if it is not known */
static __always_inline enum lw_frame lw_walk_kind(const struct lw_walk *walk, u64 seen)
{
	if (unlikely(seen >> 32))
		seen = lw_walk_shape(walk->ip);
	return (u32)seen >> LW_SHAPE_KIND & 7;
}

/**
 * lw_walk_through() - look behind the trampoline that a probe has put where the walk is
 * @walk: there; then at the address that was in its place
 *
 * Return: whether that is known.
 */
static __always_inline bool lw_walk_through(struct lw_walk *walk)
{
	unsigned long ip = lw_stack_replaced(walk->at - sizeof(long));

	if (!ip)
		return false;
	walk->ip = ip;
	return true;
}

/** lw_walk_is_near() - Return: whether lw_walk_next() need not search */
static __always_inline bool lw_walk_is_near(u64 seen)
{
	return seen < LW_SHAPE_VARIES;
}

#else

static inline bool lw_walk_through(struct lw_walk *walk)
{
	return false;
}

static inline bool lw_walk_is_near(u64 unused)
{
	return true;
}

#endif

#ifndef LW_STACK_RECORDS
static inline bool lw_walk_off(void)
{
	return false;
}
#endif

#ifdef LW_STACK_RECORDS

extern bool lw_walk_wrong;

/** lw_walk_off() - Return: whether no fast walk is to be believed any more */
static __always_inline bool lw_walk_off(void)
{
	return READ_ONCE(lw_walk_wrong);
}

static __always_inline u64 lw_walk_see(const struct lw_walk *walk)
{
	return 0;
}

static __always_inline bool lw_walk_next(struct lw_walk *walk, u64 unused)
{
	unsigned long at = walk->at;

	/* who walks bounds his steps: records in a ring do no harm */
	if (unlikely(at - walk->low > walk->end - walk->low))
		return false;
	walk->at = lw_stack_read(at);
	walk->ip = lw_stack_strip(lw_stack_read(at + sizeof(long)));
	return true;
}

static __always_inline bool lw_walk_begin(struct lw_walk *walk, unsigned long from)
{
	walk->at = from;
	walk->low = from;
	return lw_stack_end(from, &walk->end) && lw_walk_next(walk, 0);
}

/* There is no record of it yet: the caller's is still the last. */
static __always_inline bool lw_walk_begin_at(struct lw_walk *walk, struct pt_regs *regs)
{
	walk->at = regs->regs[29];
	walk->low = kernel_stack_pointer(regs);
	walk->ip = lw_stack_strip(regs->regs[30]);
	return lw_stack_end(walk->low, &walk->end);
}

static __always_inline enum lw_frame lw_walk_kind(const struct lw_walk *walk, u64 unused)
{
	return lw_frame_kind(walk->ip);
}

static __always_inline bool lw_walk_by(const struct lw_walk *from, const unsigned long *frame,
				       const u16 *unused, unsigned int nr)
{
	struct lw_walk walk = *from;
	unsigned int i;

	for (i = 1; i < nr; i++)
		/* a frame changes when its module goes: then it is none here */
		if (unlikely(!lw_walk_next(&walk, 0)) || walk.ip != data_race(frame[i]))
			return false;
	return true;
}

#elif !defined(LW_STACK_ORC)

static inline u32 lw_walk_now(void)
{
	return 0;
}

static inline void lw_walk_doubt(void)
{
}

static inline bool lw_walk_steps(const struct lw_walk *walk, const unsigned long *frame, u16 *step,
				 unsigned int nr, unsigned int depth)
{
	return false;
}

static inline bool lw_walk_by(const struct lw_walk *walk, const unsigned long *frame,
			      const u16 *step, unsigned int nr)
{
	return false;
}

static inline bool lw_walk_begin(struct lw_walk *walk, unsigned long from)
{
	return false;
}

static inline bool lw_walk_begin_at(struct lw_walk *walk, struct pt_regs *regs)
{
	return false;
}

static inline u64 lw_walk_see(const struct lw_walk *walk)
{
	return 0;
}

static inline bool lw_walk_next(struct lw_walk *walk, u64 unused)
{
	return false;
}

static inline enum lw_frame lw_walk_kind(const struct lw_walk *walk, u64 unused)
{
	return LW_FRAME_TRAMPOLINE;
}

#endif

/**
 * lw_walk_place() - what tells one path to an address from another, at a glance
 * @walk: there
 *
 * By one path it is the same each time, but for the few that vary (alloca, an interrupted one): how
 * far from the end of the stack that is; or the next two callers, where the stack of each system
 * call begins at random.
 */
static __always_inline unsigned long lw_walk_place(const struct lw_walk *walk)
{
	struct lw_walk next = *walk;
	unsigned long place = 0;
	unsigned int i;
	u64 seen;

	if (!IS_ENABLED(CONFIG_RANDOMIZE_KSTACK_OFFSET_DEFAULT))
		return walk->end - walk->at;
	for (i = 0; i < 2; i++) {
		seen = lw_walk_see(&next);
		if (!lw_walk_is_near(seen) || !lw_walk_next(&next, seen))
			break;
		place += next.ip;
	}
	return place;
}

#endif

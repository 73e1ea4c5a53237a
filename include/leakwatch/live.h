/* SPDX-License-Identifier: GPL-2.0 */
/*
 * live: which object belongs to which site, and since when.
 *
 * One table of 64-bit words (entry.h), in buckets of eight: a cache line. An address has two
 * buckets; it is looked for in the first, and in the second only if something ever spilled over
 * from there. So an operation touches one cache line, two at most; making room in a table that is
 * nearly full, a few more.
 *
 * Locking: none. add, take and give may run in any context, NMI included, for any addresses at
 * once. For one address the kernel itself orders them: it is freed before it is handed out again.
 * Only the making of room, when both buckets of a new object are full, is serialised, by a
 * raw spinlock that is taken with interrupts off and nests inside everything.
 *
 * Memory is taken by lw_live_init() and never grows: 8 bytes a slot, usable to 90 % and more, so
 * less than 10 bytes an object at 80 % load.
 */
#ifndef LEAKWATCH_LIVE_H
#define LEAKWATCH_LIVE_H

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/types.h>
#include <compat/atomic.h>
#include <leakwatch/clock.h>
#include <leakwatch/entry.h>

#define LW_LIVE_MIN	512UL
#define LW_LIVE_MAX	(1UL << 28)
#define LW_LIVE_SLOTS	8	/* a bucket */
#define LW_LIVE_BUCKET	6	/* its size, as a power of two */
#define LW_LIVE_FOLD	15	/* by how much a scattered address is folded into itself */

/**
 * struct lw_live - the table; read-only after lw_live_init() but for the slots
 * @base: the lowest address that an object can have
 * @span: how many bytes from there
 * @mul: the odd multiplier that scatters addresses
 * @key_mask: how many bits tell addresses apart, as a mask
 * @slot: the entries
 * @mask: number of buckets, less one
 * @shift: how many low bits of the scattered address do not name the bucket
 * @at_mask: as @mask, for the bucket's place in bytes, and
 * @at_shift: as @shift
 */
struct lw_live {
	unsigned long base;
	unsigned long span;
	u64 mul;
	u64 key_mask;
	u64 *slot;
	unsigned long mask;
	unsigned int shift;
	unsigned int at_shift;
	unsigned long at_mask;
};

extern struct lw_live lw_live;

/**
 * struct lw_place - where an address stands
 * @first: its first bucket
 * @tag: its tag, as a number
 */
struct lw_place {
	u64 *first;
	u16 tag;
};

/** lw_place_left() - Return: the word that an entry of the address leaves */
static __always_inline u64 lw_place_left(const struct lw_place *at)
{
	return (u64)at->tag << LW_TAG_SHIFT;
}

/** lw_place_entry() - Return: state and tag that an entry of it has in its first bucket */
static __always_inline u64 lw_place_entry(const struct lw_place *at)
{
	return (u64)(at->tag | LW_KEY_FIRST) << LW_TAG_SHIFT;
}

/**
 * lw_live_init() - take the memory of the table
 * @slots: how many entries, at least; rounded up to a power of two
 * @base: the lowest address that an object can have
 * @span: how many bytes from there
 *
 * Process context.
 *
 * Return: 0, -ENOMEM, or -ERANGE if @slots are too few for @span: what of an address the bucket's
 * number does not say must fit the tag.
 */
int lw_live_init(unsigned long slots, unsigned long base, unsigned long span);

/** lw_live_least() - Return: the fewest slots that lw_live_init() takes for @span bytes */
unsigned long lw_live_least(unsigned long span);

/** lw_live_exit() - give the memory back; nobody is inside any more. Process context. */
void lw_live_exit(void);

/** lw_live_clear() - forget everything; the hooks are detached. Process context. */
void lw_live_clear(void);

/** lw_live_slots() - Return: how many entries the table can hold */
unsigned long lw_live_slots(void);

/** lw_live_place() - find the place of @addr. Return: false if the address is not covered. */
static __always_inline bool lw_live_place(unsigned long addr, struct lw_place *at)
{
	unsigned long off = addr - lw_live.base;
	u64 key;

	if (unlikely(off >= lw_live.span))
		return false;
	key = (u64)(off >> 3) * lw_live.mul & lw_live.key_mask;
	key = (key ^ key >> LW_LIVE_FOLD) * lw_live.mul;
	at->first = (void *)lw_live.slot +
		    (unsigned long)(key >> lw_live.at_shift & lw_live.at_mask);
	at->tag = key & LW_KEY_TAG;
	return true;
}

/** lw_live_find() - Return: which slot of bucket @slot has that @key, or -1 */
static __always_inline int lw_live_find(const u64 *slot, u16 key)
{
	int i;

#pragma GCC unroll 8
	for (i = 0; i < LW_LIVE_SLOTS; i++)
		if (lw_entry_peek(&slot[i]) == key)
			return i;
	return -1;
}

/** lw_live_room() - Return: a slot of bucket @slot that may be claimed, or -1 */
static __always_inline int lw_live_room(const u64 *slot)
{
	int i;

#pragma GCC unroll 8
	for (i = 0; i < LW_LIVE_SLOTS; i++)
		if (lw_entry_peek(&slot[i]) <= LW_KEY_TAG)
			return i;
	return -1;
}

/**
 * lw_live_spilled() - may entries of a first bucket be in their second?
 * @first: the first bucket
 *
 * Return: whether any ever went there.
 */
static __always_inline bool lw_live_spilled(const u64 *first)
{
	/* one bit, set once; who must see it set has a barrier before (live.c, "Spilling") */
	return data_race(first[0]) & LW_SPILL;
}

/**
 * lw_live_swap() - replace a word, the spill bit stays
 * @slot: where it is
 * @seen: what it was seen to be
 * @entry: what it shall be
 *
 * Return: false if it has changed meanwhile.
 */
static __always_inline bool lw_live_swap(u64 *slot, u64 seen, u64 entry)
{
	return lw_try_cmpxchg64(slot, seen, entry | (seen & LW_SPILL));
}

/**
 * lw_live_add() - remember that the object at @addr was allocated by @site
 * @addr: the object's address
 * @site: the site's number
 * @old: set to the entry that stood there, when the return value is -EEXIST
 *
 * Any context.
 *
 * Return: 0; -EEXIST if an entry for @addr was there and has been replaced (its free was missed);
 * -ENOSPC if there was no room; -ERANGE if the address is not covered.
 */
int lw_live_add(unsigned long addr, u32 site, u64 *old);

/**
 * lw_live_try_again() - lw_live_add() of an address that was in the table before, as most were
 * @at: the object's place
 * @entry: the site's number and the age, as lw_entry() packs them
 *
 * Any context.
 *
 * Return: whether it was done: what the address has left was still there. If not, nothing has
 * changed.
 */
static __always_inline bool lw_live_try_again(const struct lw_place *at, u64 entry)
{
	int slot = lw_live_find(at->first, at->tag);

	return likely(slot >= 0) && likely(at->tag) &&	/* one of 0 leaves nothing */
	       likely(lw_try_cmpxchg64(&at->first[slot], lw_place_left(at),
				       lw_place_entry(at) | entry));
}

/**
 * lw_live_try_add() - the same, where lw_live_try_again() has just failed: of an address that left
 * nothing
 * @at: the object's place
 * @entry: the site's number and the age, as lw_entry() packs them
 *
 * Return: whether it was done: nothing of that address in the first bucket, which never spilled,
 * and room there. If not, nothing has changed.
 */
static __always_inline bool lw_live_try_add(const struct lw_place *at, u64 entry)
{
	u64 seen;
	int slot;

	if (unlikely(lw_live_find(at->first, at->tag | LW_KEY_FIRST) >= 0))
		return false;
	smp_rmb();	/* live.c, "Spilling": an entry whose free was missed may just have moved */
	if (unlikely(lw_live_spilled(at->first)))
		return false;
	slot = lw_live_room(at->first);
	if (unlikely(slot < 0))
		return false;
	seen = READ_ONCE(at->first[slot]);
	return lw_entry_free(seen) &&
	       likely(lw_live_swap(&at->first[slot], seen, lw_place_entry(at) | entry));
}

/**
 * lw_live_take() - remove the entry of @addr
 * @addr: the object's address
 * @old: set to the entry
 *
 * Any context.
 *
 * Return: 0; -ENOENT if there is none; -ERANGE if the address is not covered; -EBUSY if the
 * bucket was too contended (the entry stays; callers count LW_LOST_FREE).
 */
int lw_live_take(unsigned long addr, u64 *old);

/**
 * lw_live_try_take() - lw_live_take(), where it is where it should be, as nearly always
 * @addr: the object's address
 *
 * Any context.
 *
 * Return: the entry, or 0 if it was not found in the first bucket or another CPU was in the way.
 */
static __always_inline u64 lw_live_try_take(unsigned long addr)
{
	struct lw_place at;
	u64 seen;
	int here;

	if (unlikely(!lw_live_place(addr, &at)))
		return 0;
	here = lw_live_find(at.first, at.tag | LW_KEY_FIRST);
	if (unlikely(here < 0))
		return 0;
	seen = READ_ONCE(at.first[here]);
	if (unlikely(lw_entry_key(seen) != (at.tag | LW_KEY_FIRST)))
		return 0;
	return likely(lw_try_cmpxchg64(&at.first[here], seen, lw_entry_left(seen))) ? seen : 0;
}

/**
 * lw_live_give() - mark the entry of @addr as given up: the free that follows is expected
 * @addr: the object's address
 * @old: set to the entry as it was
 *
 * From then on it belongs to LW_SITE_NOBODY. If there is no entry one is made, for the same reason.
 * Any context.
 *
 * Return: 0; -ENOENT if there was no entry; -ENOSPC if there was none, and no room for one;
 * -EALREADY if it was given up before; -ERANGE, -EBUSY as lw_live_take().
 */
int lw_live_give(unsigned long addr, u64 *old);

/** lw_live_entry() - Return: the entry in slot @nr; 0 if there is none, or it is nobody's object */
static __always_inline u64 lw_live_entry(unsigned long nr)
{
	u64 entry = lw_read64(&lw_live.slot[nr]);

	return lw_entry_state(entry) >= LW_FIRST && !(entry & LW_GIVEN) ? entry : 0;
}

/**
 * lw_live_next() - find the next entry of a live object
 * @at: the number of the slot to begin at; set to that of the entry found
 * @addr: set to the object's address
 * @entry: set to the entry
 *
 * Runs beside the hooks: what comes or goes meanwhile may be met or not, what is being moved may be
 * met twice, or not. Process context, reschedules now and then.
 *
 * Return: false if there is none in any slot from *@at on.
 */
bool lw_live_next(unsigned long *at, unsigned long *addr, u64 *entry);

/**
 * lw_live_drop() - remove the entry of @addr if it is still the one that was seen
 * @addr: the object's address
 * @seen: the entry, as lw_live_next() gave it
 *
 * Any context. Return: whether it was.
 */
bool lw_live_drop(unsigned long addr, u64 seen);

/**
 * lw_live_walk() - show every entry of a live object to @see
 * @see: is given the object's address and its entry; must not sleep
 * @arg: passed on
 *
 * As one goes from one lw_live_next() to the next.
 */
void lw_live_walk(void (*see)(unsigned long addr, u64 entry, void *arg), void *arg);

#endif

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
 * Memory is taken by lw_live_init(): 8 bytes a slot, usable to 90 % and more, so less than 10 bytes
 * an object at 80 % load. lw_live_grow() adds an annex, as large as all before, for what finds no
 * room in either bucket. It is looked into only for what is not in its two buckets, of which the
 * first has spilled: the straight way knows nothing of it.
 */
#ifndef LEAKWATCH_LIVE_H
#define LEAKWATCH_LIVE_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/hash.h>
#include <linux/types.h>
#include <compat/atomic.h>
#include <leakwatch/clock.h>
#include <leakwatch/entry.h>

#define LW_LIVE_MIN	512UL
#define LW_LIVE_MAX	(1UL << 28)
#define LW_LIVE_SLOTS	8	/* a bucket */
#define LW_LIVE_BUCKET	6	/* its size in bytes, as a power of two */
#define LW_LIVE_OBJECT	3	/* that of the smallest object */

#define LW_GIVEN_TICKS	60U	/* for so long the free of what was given up is waited for */

#define LW_LIVE_ANNEXES	3	/* at most: so it can become eight times as large */

#define LW_LIVE_FOLD	7	/* by how much a tag is folded into itself */

/* What of an address, from there on up, the tag does not have. */
#define LW_LIVE_ROW	(LW_LIVE_OBJECT + LW_TAG_BITS)

/**
 * struct lw_live - the table; read-only after lw_live_init() but for the slots and the annexes
 * @base: the lowest address that an object can have
 * @span: how many bytes from there
 * @at_mask: the slots, as a mask of their places in bytes
 * @slot: the entries
 * @spilled: of each bucket, whether any of those whose first it is may be elsewhere
 * @mask: number of buckets, less one
 * @may_grow: how many annexes there may be
 * @annexes: how many there are
 * @annex: their slots, of each as many as all before it has
 */
struct lw_live {
	unsigned long base;
	unsigned long span;
	unsigned long at_mask;
	u64 *slot;
	unsigned long *spilled;
	unsigned long mask;
	unsigned int may_grow;
	unsigned int annexes;
	u64 *annex[LW_LIVE_ANNEXES];
};

extern struct lw_live lw_live;

/**
 * struct lw_place - where an address stands
 * @base: the lowest that there is
 * @off: how far it is from that; the others are set if it is covered
 * @slot: the slot of its first bucket that it is put into if it can be chosen
 * @tag: its tag, as a number
 */
struct lw_place {
	unsigned long base;
	unsigned long off;
	u64 *slot;
	unsigned long tag;
};

/** lw_place_bucket() - Return: its first bucket */
static __always_inline u64 *lw_place_bucket(const struct lw_place *at)
{
	return (u64 *)((unsigned long)at->slot & ~((1UL << LW_LIVE_BUCKET) - 1));
}

/** lw_place_left() - Return: the word that an entry of the address leaves */
static __always_inline u64 lw_place_left(const struct lw_place *at)
{
	return (u64)at->tag << LW_TAG_SHIFT | LW_USED;
}

/** lw_place_entry() - Return: state and tag that an entry of it has in its first bucket */
static __always_inline u64 lw_place_entry(const struct lw_place *at)
{
	return (u64)at->tag << LW_TAG_SHIFT | lw_entry(0, 0, 0);
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

/** lw_live_clear() - forget everything, annexes too; the hooks are detached. Process context. */
void lw_live_clear(void);

/**
 * lw_live_may_grow() - let the table grow
 * @times: to how many times its first size, at most; it is that size after lw_live_init()
 */
void lw_live_may_grow(unsigned int times);

/**
 * lw_live_grow() - make the table twice as large
 *
 * Hooks go on meanwhile. Process context, one at a time; gives up rather than make the kernel look
 * for memory by force.
 *
 * Return: 0; -ENOSPC if it is as large as it may be; -ENOMEM.
 */
int lw_live_grow(void);

/**
 * lw_live_load() - how many of 100 slots hold an entry, what was given up included
 *
 * Told by 1024 buckets, if there are more: exact to two of 100. Any context.
 */
unsigned int lw_live_load(void);

/** lw_live_slots() - Return: how many entries the table can hold now */
unsigned long lw_live_slots(void);

/** lw_live_limit() - Return: how many it can hold when it has grown as far as it may */
unsigned long lw_live_limit(void);

/** lw_live_bytes() - Return: the memory that it takes */
unsigned long lw_live_bytes(void);

/** lw_live_scatter() - Return: what is added to the offset of an address with that tag */
static __always_inline u64 lw_live_scatter(u64 tag)
{
	return (tag ^ tag >> LW_LIVE_FOLD) * GOLDEN_RATIO_32;
}

/** lw_live_slot() - Return: the slot of a place in the @slots that there are, masked by @at_mask */
static __always_inline u64 *lw_live_slot(const struct lw_place *at, u64 *slots,
					 unsigned long at_mask)
{
	return (void *)slots + ((at->off + lw_live_scatter(at->tag)) >>
				(LW_LIVE_ROW - LW_LIVE_BUCKET) & at_mask);
}

/** lw_live_place() - find the place of @addr. Return: false if the address is not covered. */
static __always_inline bool lw_live_place(unsigned long addr, struct lw_place *at)
{
	at->base = lw_live.base;	/* which else is read again behind each barrier */
	at->off = addr - at->base;
	OPTIMIZER_HIDE_VAR(at->off);	/* addr is not kept beside it: there is lw_place_addr() */
	if (unlikely(at->off >= lw_live.span))
		return false;
	at->tag = at->off >> LW_LIVE_OBJECT & LW_KEY_TAG;
	at->slot = lw_live_slot(at, lw_live.slot, lw_live.at_mask);
	return true;
}

/** lw_place_addr() - Return: the address, covered or not */
static __always_inline unsigned long lw_place_addr(const struct lw_place *at)
{
	return at->base + at->off;
}

/**
 * lw_live_search() - find that @key in @bucket
 * @bucket: any
 * @key: the key
 * @here: set to the slot that has it, if there is one
 *
 * Return: whether there is: a pointer that is NULL if not would be tested once more.
 */
static __always_inline bool lw_live_search(u64 *bucket, u16 key, u64 **here)
{
	int i;

#pragma GCC unroll 8
	for (i = 0; i < LW_LIVE_SLOTS; i++) {
		if (lw_entry_peek(&bucket[i]) == key) {
			*here = &bucket[i];
			return true;
		}
	}
	return false;
}

/**
 * lw_live_find() - find that @key in the first bucket of an address
 * @at: the place of the address
 * @key: the key
 * @here: set to the slot that has it, if there is one
 *
 * Return: whether there is.
 */
static __always_inline bool lw_live_find(const struct lw_place *at, u16 key, u64 **here)
{
	*here = at->slot;
	return likely(lw_entry_peek(*here) == key) ||
	       lw_live_search(lw_place_bucket(at), key, here);
}

/** lw_live_room() - Return: a slot of @bucket that may be claimed, or NULL; @slot if that may be */
static __always_inline u64 *lw_live_room(u64 *bucket, u64 *slot)
{
	int i;

	if (lw_entry_peek(slot) <= LW_KEY_TAG)
		return slot;
#pragma GCC unroll 8
	for (i = 0; i < LW_LIVE_SLOTS; i++)
		if (lw_entry_peek(&bucket[i]) <= LW_KEY_TAG)
			return &bucket[i];
	return NULL;
}

/**
 * lw_live_spilled() - may entries of a first bucket be elsewhere?
 * @bucket: the first bucket
 *
 * Return: whether any ever went to its second one, or to an annex.
 */
static __always_inline bool lw_live_spilled(const u64 *bucket)
{
	/* set once; who must see it set has a barrier before (live.c, "Spilling") */
	return test_bit((bucket - lw_live.slot) / LW_LIVE_SLOTS, lw_live.spilled);
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
 * @entry: the site's number and the age, as lw_entry() packs them without a tag
 *
 * Any context.
 *
 * Return: whether it was done: what the address has left was still there. If not, nothing has
 * changed.
 */
static __always_inline bool lw_live_try_again(const struct lw_place *at, u64 entry)
{
	u64 *here;

	return likely(lw_live_find(at, at->tag, &here)) &&
	       likely(lw_try_cmpxchg64(here, lw_place_left(at),
				       (u64)at->tag << LW_TAG_SHIFT | entry));
}

/**
 * lw_live_try_add() - the same, where lw_live_try_again() has just failed: of an address that left
 * nothing
 * @at: the object's place
 * @entry: as there
 *
 * Return: whether it was done: nothing of that address in the first bucket, which never spilled,
 * and room there. Not of an address whose tag is 0: what that left is told from an empty slot by
 * its whole word alone, so it may be there all the same (live.c, "Leaving"). If not, nothing has
 * changed.
 */
static __always_inline bool lw_live_try_add(const struct lw_place *at, u64 entry)
{
	u64 *bucket = lw_place_bucket(at), *room, seen;

	if (unlikely(!at->tag) || unlikely(lw_live_find(at, at->tag | LW_KEY_FIRST, &room)))
		return false;
	smp_rmb();	/* live.c, "Spilling": an entry whose free was missed may just have moved */
	if (unlikely(lw_live_spilled(bucket)))
		return false;
	room = lw_live_room(bucket, at->slot);
	if (unlikely(!room))
		return false;
	seen = READ_ONCE(*room);
	return lw_entry_free(seen) &&
	       likely(lw_try_cmpxchg64(room, seen, (u64)at->tag << LW_TAG_SHIFT | entry));
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
 * @at: set to its place
 *
 * Any context.
 *
 * Return: the entry, or 0 if it was not found in the first bucket or another CPU was in the way.
 */
static __always_inline u64 lw_live_try_take(unsigned long addr, struct lw_place *at)
{
	u64 *here, seen;
	u16 key;

	if (unlikely(!lw_live_place(addr, at)))
		return 0;
	key = at->tag | LW_KEY_FIRST;
	here = at->slot;
	seen = READ_ONCE(*here);
	if (unlikely(lw_entry_key(seen) != key)) {
		if (unlikely(!lw_live_search(lw_place_bucket(at), key, &here)))
			return 0;
		seen = READ_ONCE(*here);
		if (unlikely(lw_entry_key(seen) != key))
			return 0;
	}
	return likely(lw_try_cmpxchg64(here, seen, lw_place_left(at))) ? seen : 0;
}

/**
 * lw_live_give() - mark the entry of @addr as given up: the free that follows is expected
 * @addr: the object's address
 * @old: set to the entry as it was
 *
 * From then on it belongs to LW_SITE_NOBODY, for a while (lw_live_forget()). If there is no entry
 * one is made, for the same reason. Any context.
 *
 * Return: 0; -ENOENT if there was no entry; -ENOSPC if there was none, and no room for one;
 * -EALREADY if it was given up before; -ERANGE, -EBUSY as lw_live_take().
 */
int lw_live_give(unsigned long addr, u64 *old);

/**
 * lw_live_part() - the slots, part by part: the first table, and then each annex
 * @nr: which part
 * @slots: set to how many slots it has, a multiple of LW_LIVE_SLOTS
 *
 * Return: them, or NULL if there is no such part.
 */
u64 *lw_live_part(unsigned int nr, unsigned long *slots);

/**
 * lw_live_next() - find the next entry of a live object
 * @at: the number of the slot to begin at, over all parts; set to that of the entry found
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
 * It need not be the owner of the address who does so (live.c, "Forgetting").
 * Any context. Return: whether it was.
 */
bool lw_live_drop(unsigned long addr, u64 seen);

/**
 * lw_live_forget() - remove what was given up more than LW_GIVEN_TICKS ago
 * @at: the number of the slot to begin at, over all parts; set to where to go on, 0 after the last
 * @nr: how many slots to look at, at most
 *
 * Its free, if that is still to come, is then unmatched. Runs beside the hooks. Process context,
 * reschedules now and then.
 *
 * Return: how many were removed.
 */
unsigned long lw_live_forget(unsigned long *at, unsigned long nr);

/**
 * lw_live_count() - how many entries there are
 * @given: set to how many of them were given up
 *
 * Runs beside the hooks, as lw_live_next() does, and counts what that does not show, too.
 */
unsigned long lw_live_count(unsigned long *given);

/**
 * lw_live_walk() - show every entry of a live object to @see
 * @see: is given the object's address and its entry; must not sleep
 * @arg: passed on
 *
 * As one goes from one lw_live_next() to the next.
 */
void lw_live_walk(void (*see)(unsigned long addr, u64 entry, void *arg), void *arg);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * filter: which objects may be in the table, in sampled mode, when nearly none is.
 *
 * A counter for each of 65536 hashes of an address: how many entries of the table have it. Where it
 * is 0 a free has nothing to look for: it has cost a look at 64 KiB, which stay in a second cache.
 * Tombstones of what was given up (entry.h) are not counted, nobody waits for them.
 *
 * A counter is a byte, and changed as a part of its word. At LW_FILTER_MOST it stays: nobody knows
 * any more how many there are.
 *
 * Invariant: in sampled mode a counter is never below the number of entries of its hash, or it is
 * LW_FILTER_MOST. An entry is counted before it is added, and removed before it is discounted. Too
 * high is only slow.
 *
 * In exact mode nothing is counted. When the mode becomes sampled, or is at another rate
 *
 *	1. nobody adds entries any more: no hook of allocations is attached;
 *	2. lw_filter_open(): every counter is LW_FILTER_MOST, all frees go to the table;
 *	3. all frees come this way, and whoever came another, or still counted, is done: no entry
 *	   is moved any more, and none is added for an object that was given up;
 *	4. lw_filter_fill(): the entries that there are, are counted, from 1 on, so that no
 *	   counter is ever 0; then frees count, too; then the 1 goes;
 *	5. allocations are listened for again.
 *
 * A free that takes an entry in 4 may leave it counted: that counter is then too high for good.
 *
 * Locking: none; 2 and 4 under lw_lock (lock.h), the rest in any context. The kernel passes an
 * object from who allocates to who frees it, and the table's cmpxchg between the count and that is
 * a full barrier: so who frees an object of the table finds it counted.
 */
#ifndef LEAKWATCH_FILTER_H
#define LEAKWATCH_FILTER_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/hash.h>
#include <linux/types.h>

#define LW_FILTER_BITS	16
#define LW_FILTER_MOST	255U		/* so many, or more, for good */
#define LW_FILTER_WORDS	((1 << LW_FILTER_BITS) / sizeof(int))

extern atomic_t lw_filter[LW_FILTER_WORDS];

/* Frees are discounted; false while it is filled. */
extern bool lw_filter_counts;

/* The number of the counter of an address. */
static __always_inline unsigned int lw_filter_nr(unsigned long addr)
{
	return hash_long(addr, LW_FILTER_BITS);
}

/** lw_filter_has() - Return: whether the object at @addr may be in the table. Any context. */
static __always_inline bool lw_filter_has(unsigned long addr)
{
	/* whoever frees an object knows of its allocation, and so sees its count */
	return data_race(((const u8 *)lw_filter)[lw_filter_nr(addr)]);
}

/** lw_filter_add() - an entry for @addr is about to be added. Any context. */
void lw_filter_add(unsigned long addr);

/** lw_filter_sub() - an entry for @addr was removed, or not added. Any context. */
void lw_filter_sub(unsigned long addr);

/** lw_filter_counting() - Return: whether what is removed from here on is to be discounted */
static inline bool lw_filter_counting(void)
{
	/* pairs with the release in filter.c: who sees it sees what was counted before */
	return smp_load_acquire(&lw_filter_counts);
}

/** lw_filter_clear() - the table was cleared; the hooks are detached */
void lw_filter_clear(void);

/** lw_filter_open() - let all frees through; no allocations are heard */
void lw_filter_open(void);

/**
 * lw_filter_fill() - count what is in the table
 *
 * No allocations are heard, and nobody who came before lw_filter_open() is inside of a hook.
 * Process context.
 */
void lw_filter_fill(void);

/** lw_filter_load() - Return: how many of 100 frees of what is not in the table look there */
unsigned int lw_filter_load(void);

/** lw_filter_bytes() - Return: the memory that it takes */
unsigned long lw_filter_bytes(void);

#endif

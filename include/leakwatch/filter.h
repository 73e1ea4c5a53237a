/* SPDX-License-Identifier: GPL-2.0 */
/*
 * filter: which objects may be in the table, in sampled mode, when nearly none is.
 *
 * A counter for each of a few thousand hashes of an address: how many entries of the table have
 * it. Where it is 0 a free has nothing to look for: it has cost a look at 16 KiB that stay in the
 * cache. Tombstones of what was given up (entry.h) are not counted, nobody waits for them.
 *
 * Invariant: in sampled mode a counter is never below the number of entries of its hash. An entry
 * is counted before it is added, and removed before it is discounted. Too high is only slow.
 *
 * In exact mode nothing is counted. When the mode becomes sampled, or is at another rate
 *
 *	1. nobody adds entries any more: no hook of allocations is attached;
 *	2. lw_filter_open(): every counter is above 0, all frees go to the table, and count nothing;
 *	3. all frees come this way, and whoever came another, or still counted, is done: no entry
 *	   is moved any more, and none is added for an object that was given up;
 *	4. lw_filter_fill(): the entries that there are, are counted; then frees count, too;
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
#include <linux/hash.h>
#include <linux/types.h>

#define LW_FILTER_BITS	12

extern atomic_t lw_filter[1 << LW_FILTER_BITS];

/* Frees are discounted; false while it is filled. */
extern bool lw_filter_counts;

static __always_inline atomic_t *lw_filter_at(unsigned long addr)
{
	return &lw_filter[hash_long(addr, LW_FILTER_BITS)];
}

/** lw_filter_has() - Return: whether the object at @addr may be in the table. Any context. */
static __always_inline bool lw_filter_has(unsigned long addr)
{
	return atomic_read(lw_filter_at(addr));
}

/** lw_filter_add() - an entry for @addr is about to be added. Any context. */
static inline void lw_filter_add(unsigned long addr)
{
	atomic_inc(lw_filter_at(addr));
}

/** lw_filter_sub() - an entry for @addr was removed, or not added. Any context. */
static inline void lw_filter_sub(unsigned long addr)
{
	atomic_dec(lw_filter_at(addr));
}

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

#endif

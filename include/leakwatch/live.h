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

#include <linux/types.h>

#define LW_LIVE_MIN	512UL
#define LW_LIVE_MAX	(1UL << 28)

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

/** lw_live_exit() - give the memory back; nobody is inside any more. Process context. */
void lw_live_exit(void);

/** lw_live_clear() - forget everything; the hooks are detached. Process context. */
void lw_live_clear(void);

/** lw_live_slots() - Return: how many entries the table can hold */
unsigned long lw_live_slots(void);

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
 * lw_live_give() - mark the entry of @addr as given up: the free that follows is expected
 * @addr: the object's address
 * @old: set to the entry as it was
 *
 * If there is no entry one is made, for the same reason; it belongs to site 0, which is nobody.
 * Any context.
 *
 * Return: 0; -ENOENT if there was no entry; -EALREADY if it was given up before; -ERANGE, -EBUSY
 * as lw_live_take().
 */
int lw_live_give(unsigned long addr, u64 *old);

/**
 * lw_live_walk() - show every entry of a live object to @see
 * @see: is given the object's address and its entry; must not sleep
 * @arg: passed on
 *
 * Runs beside the hooks: what comes or goes meanwhile may be seen or not, what is being moved
 * may be seen twice. Process context, reschedules between buckets.
 */
void lw_live_walk(void (*see)(unsigned long addr, u64 entry, void *arg), void *arg);

#endif

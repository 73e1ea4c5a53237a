/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stats: what could not be paired, stored or attributed, each cause a counter of its own, per CPU.
 *
 * Every way in which an event gets lost is one of these and is shown in status. Any context, NMI
 * included; counters only grow until lw_stats_clear().
 */
#ifndef LEAKWATCH_STATS_H
#define LEAKWATCH_STATS_H

#include <linux/percpu.h>
#include <compat/percpu.h>

/**
 * enum lw_stat - a cause
 * @LW_LOST_LIVE_FULL: an object was not stored, its buckets were full, in annexes too
 * @LW_LOST_NMI: an object was not stored in NMI, or what x86 runs as such (handlers of kprobes),
 *	where making room is tried but not waited for
 * @LW_LOST_SITES_FULL: an object or page was not stored, no site could be made for it
 * @LW_LOST_OUTSIDE: an address or frame outside of what the tables cover (memory added after load)
 * @LW_LOST_FREE: a free gave up on a contended bucket; a phantom, must stay 0
 * @LW_LOST_MOVE: a free met an entry that was being moved and took it twice; must stay 0
 * @LW_UNMATCHED_OBJECTS: frees of objects that the table does not hold: older than the module
 * @LW_UNMATCHED_PAGES: freed page frames that the table does not hold: older than the module
 * @LW_LOST_BUFFERS: a buffer got no record, the table was full
 * @LW_LOST_ION: a buffer of old ION's got no record, its structure being another than is known
 * @LW_UNMATCHED_BUFFERS: releases of buffers that have no record
 * @LW_MISSED_BUFFERS: a buffer's dentry, or address (ION), was handed out again without a release
 * @LW_MISSED_OBJECTS: an object's address was handed out again without a free in between
 * @LW_MISSED_PAGES: a page frame was handed out again without a free in between
 * @LW_GONE_OBJECTS: objects that an audit found to be free: their frees were missed
 * @LW_GONE_PAGES: page frames that an audit found to be free
 * @LW_LOST_GIVEN: objects older than the module that were given up when the table was full: their
 *	free is counted as unmatched twice, or not at all
 * @LW_FOLDED: events charged to the call site, the table of paths being full
 * @LW_WALK_SHORT: stacks in which the caller could not be found; the call site alone was kept
 * @LW_WALK_WRONG: paths of a fast walk that were found to be wrong; must stay 0
 * @LW_WALK_CHECKED: paths of a fast walk that were compared with the kernel's: no loss
 * @LW_WALK_SLOW: paths that were left to the kernel's walker: no loss
 * @LW_CACHES_FULL: events of slab caches that got no name, the table of caches being full
 * @LW_MOVED: entries moved to their second bucket to make room: no loss, a sign of a full table
 * @LW_SITES_SPOILT: site numbers lost to two CPUs making the same site at once: no loss
 * @LW_ZOOMED: paths that were taken of call sites that are zoomed at: no loss
 * @LW_ZOOM_OVER: objects of such that got none, as there were too many: no loss
 * @LW_FORGOTTEN: objects that were given up, and of which no free was heard for a while: no loss
 * @LW_NR_STATS: how many there are
 */
enum lw_stat {
	LW_LOST_LIVE_FULL,
	LW_LOST_NMI,
	LW_LOST_SITES_FULL,
	LW_LOST_OUTSIDE,
	LW_LOST_FREE,
	LW_LOST_MOVE,
	LW_UNMATCHED_OBJECTS,
	LW_UNMATCHED_PAGES,
	LW_LOST_BUFFERS,
	LW_LOST_ION,
	LW_UNMATCHED_BUFFERS,
	LW_MISSED_BUFFERS,
	LW_MISSED_OBJECTS,
	LW_MISSED_PAGES,
	LW_GONE_OBJECTS,
	LW_GONE_PAGES,
	LW_LOST_GIVEN,
	LW_FOLDED,
	LW_WALK_SHORT,
	LW_WALK_WRONG,
	LW_WALK_CHECKED,
	LW_WALK_SLOW,
	LW_CACHES_FULL,
	LW_MOVED,
	LW_SITES_SPOILT,
	LW_ZOOMED,
	LW_ZOOM_OVER,
	LW_FORGOTTEN,
	LW_NR_STATS
};

struct lw_stats {
	unsigned long count[LW_NR_STATS];
};

DECLARE_PER_CPU(struct lw_stats, lw_stats);

/** lw_stat_add() - count @n more of @stat. Any context. */
static inline void lw_stat_add(enum lw_stat stat, unsigned long n)
{
	lw_count_add(lw_stats.count[stat], n);
}

/** lw_stat_inc() - count one more of @stat. Any context. */
static inline void lw_stat_inc(enum lw_stat stat)
{
	lw_stat_add(stat, 1);
}

/** lw_stat_name() - Return: the name that status shows for @stat */
const char *lw_stat_name(enum lw_stat stat);

/** lw_stat_read() - Return: the sum of @stat over all CPUs */
unsigned long lw_stat_read(enum lw_stat stat);

/** lw_stats_lost() - Return: how many events were lost or proven missed, over all causes */
unsigned long lw_stats_lost(void);

/** lw_stats_clear() - set all to 0; the hooks are detached */
void lw_stats_clear(void);

#endif

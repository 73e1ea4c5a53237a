// SPDX-License-Identifier: GPL-2.0
#include <linux/build_bug.h>
#include <linux/string.h>
#include <leakwatch/stats.h>

DEFINE_PER_CPU(struct lw_stats, lw_stats);

static const char * const names[] = {
	[LW_LOST_LIVE_FULL]	= "lost_live_full",
	[LW_LOST_NMI]		= "lost_nmi",
	[LW_LOST_SITES_FULL]	= "lost_sites_full",
	[LW_LOST_OUTSIDE]	= "lost_outside",
	[LW_LOST_FREE]		= "lost_free",
	[LW_LOST_MOVE]		= "lost_move",
	[LW_UNMATCHED_OBJECTS]	= "unmatched_objects",
	[LW_UNMATCHED_PAGES]	= "unmatched_pages",
	[LW_LOST_BUFFERS]	= "lost_buffers_full",
	[LW_LOST_ION]		= "lost_buffers_unread",
	[LW_UNMATCHED_BUFFERS]	= "unmatched_buffers",
	[LW_MISSED_BUFFERS]	= "missed_frees_buffers",
	[LW_MISSED_OBJECTS]	= "missed_frees_objects",
	[LW_MISSED_PAGES]	= "missed_frees_pages",
	[LW_GONE_OBJECTS]	= "audit_dropped_objects",
	[LW_GONE_PAGES]		= "audit_dropped_pages",
	[LW_LOST_GIVEN]		= "lost_given",
	[LW_FOLDED]		= "folded_paths",
	[LW_WALK_SHORT]		= "short_walks",
	[LW_WALK_WRONG]		= "wrong_walks",
	[LW_WALK_CHECKED]	= "checked_walks",
	[LW_WALK_SLOW]		= "slow_walks",
	[LW_CACHES_FULL]	= "unnamed_caches",
	[LW_MOVED]		= "moved_entries",
	[LW_SITES_SPOILT]	= "spoilt_site_ids",
	[LW_ZOOMED]		= "zoomed_paths",
	[LW_ZOOM_OVER]		= "zoomed_without_path",
	[LW_FORGOTTEN]		= "forgotten_given",
};

static_assert(ARRAY_SIZE(names) == LW_NR_STATS);

const char *lw_stat_name(enum lw_stat stat)
{
	return names[stat];
}

unsigned long lw_stat_read(enum lw_stat stat)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(lw_stats, cpu).count[stat]);
	return sum;
}

unsigned long lw_stats_lost(void)
{
	static const enum lw_stat losses[] = {
		LW_LOST_LIVE_FULL, LW_LOST_NMI, LW_LOST_SITES_FULL, LW_LOST_OUTSIDE, LW_LOST_FREE,
		LW_LOST_MOVE, LW_LOST_GIVEN, LW_MISSED_OBJECTS, LW_MISSED_PAGES, LW_GONE_OBJECTS,
		LW_GONE_PAGES, LW_WALK_WRONG, LW_LOST_BUFFERS, LW_LOST_ION, LW_MISSED_BUFFERS,
	};
	unsigned long sum = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(losses); i++)
		sum += lw_stat_read(losses[i]);
	return sum;
}

void lw_stats_clear(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&lw_stats, cpu), 0, sizeof(struct lw_stats));
}

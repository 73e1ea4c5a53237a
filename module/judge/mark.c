// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>
#include <leakwatch/clock.h>
#include <leakwatch/mark.h>
#include <leakwatch/site.h>

static u64 marked, started, stopped;	/* seconds since boot; stopped is 0 while watching */
static u32 stopped_tick;

void lw_mark_set(void)
{
	struct lw_count count;
	struct lw_site *site;
	u32 id;

	for (id = 1; id < lw_sites_end(); id++) {
		site = &lw_sites[id];
		lw_site_counts(id, &count);
		site->mark_allocs = count.allocs - atomic_long_read(&site->lost);
		site->mark_frees = count.frees;
	}
	marked = ktime_get_boottime_seconds();
}

u64 lw_mark_seconds(void)
{
	return ktime_get_boottime_seconds() - marked;
}

bool lw_mark_is_start(void)
{
	return marked == started;
}

void lw_watch_start(void)
{
	lw_mark_set();
	started = marked;
	stopped = 0;
}

void lw_watch_stop(void)
{
	stopped = ktime_get_boottime_seconds();
	stopped_tick = lw_clock_now();
}

bool lw_watch_on(void)
{
	return !stopped;
}

u64 lw_watch_seconds(void)
{
	return (stopped ?: ktime_get_boottime_seconds()) - started;
}

u32 lw_watch_now(void)
{
	return stopped ? stopped_tick : lw_clock_now();
}

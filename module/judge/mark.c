// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <leakwatch/clock.h>
#include <leakwatch/door.h>
#include <leakwatch/mark.h>
#include <leakwatch/site.h>

static struct lw_mark *marks;
static bool on, at_start;
static u64 marked, started, turned, stopped;	/* seconds since boot; turned: 0 if never */
static u32 stopped_tick;

int lw_mark_init(void)
{
	marks = vzalloc(lw_sites_max() * sizeof(*marks));
	return marks ? 0 : -ENOMEM;
}

void lw_mark_exit(void)
{
	vfree(marks);
	marks = NULL;
}

unsigned long lw_marks_bytes(void)
{
	return lw_sites_max() * sizeof(*marks);
}

const struct lw_mark *lw_mark_of(u32 site)
{
	return &marks[site];
}

void lw_mark_set(void)
{
	struct lw_count count;
	u32 id;

	if (on)
		lw_pages_settle();
	for (id = 1; id < lw_sites_end(); id++) {
		lw_site_counts(id, &count);
		marks[id].allocs = count.allocs - atomic_read(&lw_flaws[id].lost);
		marks[id].frees = count.frees;
	}
	marked = ktime_get_boottime_seconds();
	at_start = false;
}

u64 lw_mark_seconds(void)
{
	return (on ? ktime_get_boottime_seconds() : stopped) - marked;
}

bool lw_mark_is_start(void)
{
	return at_start;
}

void lw_mark_clear(void)
{
	memset(marks, 0, lw_sites_max() * sizeof(*marks));
	marked = ktime_get_boottime_seconds();
	started = marked;
	turned = 0;
	stopped = marked;
	at_start = true;
}

void lw_watch_start(void)
{
	lw_mark_clear();
	on = true;
}

void lw_watch_turn(void)
{
	turned = ktime_get_boottime_seconds();
}

bool lw_watch_turned(void)
{
	return turned;
}

u64 lw_watch_mode_seconds(void)
{
	return (on ? ktime_get_boottime_seconds() : stopped) - (turned ?: started);
}

void lw_watch_stop(void)
{
	lw_pages_settle();
	on = false;
	stopped = ktime_get_boottime_seconds();
	stopped_tick = lw_clock_now();
}

bool lw_watch_on(void)
{
	return on;
}

u64 lw_watch_seconds(void)
{
	return (on ? ktime_get_boottime_seconds() : stopped) - started;
}

u32 lw_watch_now(void)
{
	return on ? lw_clock_now() : stopped_tick;
}

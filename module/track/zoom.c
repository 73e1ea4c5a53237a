// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/kernel.h>
#include <leakwatch/clock.h>
#include <leakwatch/stats.h>
#include <leakwatch/zoom.h>

unsigned int lw_zoom_rate __read_mostly = LW_ZOOM_RATE_DEFAULT;

static u32 zoomed[LW_ZOOM_SITES];
static unsigned int nr_zoomed;

/* Of this tick. Two CPUs may both begin a tick: then some more are taken. */
static atomic_t left = ATOMIC_INIT(0);
static u32 tick;

static bool is_among(u32 site, const u32 *sites, unsigned int nr)
{
	while (nr)
		if (sites[--nr] == site)
			return true;
	return false;
}

void lw_zoom_set(const u32 *site, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr_zoomed; i++)
		if (!is_among(zoomed[i], site, nr))
			WRITE_ONCE(lw_sites[zoomed[i]].zoomed, 0);
	nr_zoomed = min(nr, LW_ZOOM_SITES);
	for (i = 0; i < nr_zoomed; i++) {
		zoomed[i] = site[i];
		WRITE_ONCE(lw_sites[site[i]].zoomed, 1);
		lw_site_unmeet(&lw_sites[site[i]]);
	}
}

unsigned int lw_zoom_sites(void)
{
	return nr_zoomed;
}

bool lw_zoom_take(void)
{
	u32 now = lw_clock_now();

	if (READ_ONCE(tick) != now) {
		WRITE_ONCE(tick, now);
		atomic_set(&left, READ_ONCE(lw_zoom_rate));
	}
	if (atomic_read(&left) > 0 && atomic_dec_return(&left) >= 0) {
		lw_stat_inc(LW_ZOOMED);
		return true;
	}
	lw_stat_inc(LW_ZOOM_OVER);
	return false;
}

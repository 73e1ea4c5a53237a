/* SPDX-License-Identifier: GPL-2.0 */
/*
 * zoom: whole paths for the call sites that grow, and for no others.
 *
 * Where only the kernel's walker can tell a path it takes thousands of instructions. So with
 * "stacks zoom" slab objects are kept by call site alone, which comes free with the event, but for
 * a few call sites: their objects get paths, so many a second. What is beyond that, and what was
 * there before, stays with the call site itself.
 *
 * A call site that is zoomed at is not met (site.h): it is looked for each time, and then asked
 * here. So the straight way of all others is not a single instruction longer.
 *
 * Locking: set and clear under lw_lock (lock.h); take in any context, without a lock.
 */
#ifndef LEAKWATCH_ZOOM_H
#define LEAKWATCH_ZOOM_H

#include <leakwatch/site.h>

#define LW_ZOOM_SITES		16U
#define LW_ZOOM_RATE_MAX	100000U
#define LW_ZOOM_RATE_DEFAULT	1000U

/* How many paths are taken in a tick (clock.h), which is about a second, on all CPUs together. */
extern unsigned int lw_zoom_rate;

/**
 * lw_zoom_set() - zoom at these call sites, and at no others
 * @site: their numbers
 * @nr: how many, at most LW_ZOOM_SITES
 *
 * May be told the same again: then what was met meanwhile, in a race, is not met any more.
 */
void lw_zoom_set(const u32 *site, unsigned int nr);

/** lw_zoom_sites() - Return: how many call sites are zoomed at */
unsigned int lw_zoom_sites(void);

/** lw_zoom_at() - Return: whether @site is zoomed at. Any context. */
static inline bool lw_zoom_at(u32 site)
{
	/* a setting; either value is right while it changes */
	return data_race(lw_sites[site].zoomed);
}

/** lw_zoom_take() - Return: whether one more path may be taken now. Any context. */
bool lw_zoom_take(void);

#endif

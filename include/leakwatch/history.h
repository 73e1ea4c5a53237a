/* SPDX-License-Identifier: GPL-2.0 */
/*
 * history: how much was live when, for sites, slab caches and whole figures.
 *
 * A sampler in process context sums the counts of all sites every interval seconds. Hooks pay
 * nothing. What has a history gets a point: at first at each pass; when it has LW_POINTS of them
 * every second one is dropped, and from then on it gets one at every second pass, then at every
 * fourth... So a history spans its whole time, from minutes to months, in 64 points.
 *
 * What can have a history has a key: a call site, whose figures are the sum of all its paths; a
 * path; a slab cache; a whole. Histories are a pool that is taken at load. As long as there is
 * room whatever is live gets one. When there is none, what is new and has grown takes the place of
 * what has nothing live and had nothing at its last point, or else of something that has not grown
 * and is less than half as large. What found no place is counted.
 *
 * Time is what passes while the system is awake, as for ages: a suspend is no time, and no jump of
 * any clock shows. It is read in one place, and handed to lw_history_sample(), so tests have their
 * own.
 *
 * Locking: all under lw_lock; the sampler takes it for one pass.
 */
#ifndef LEAKWATCH_HISTORY_H
#define LEAKWATCH_HISTORY_H

#include <leakwatch/verdict.h>

#define LW_INTERVAL_MIN	1U
#define LW_INTERVAL_MAX	3600U
/* Whole figures: places (triage.h), of which the first are the classes; figures; processes. */
#define LW_PLACES	8U
#define LW_WHOLES	896U

/* The sampler's interval in seconds. */
extern unsigned int lw_interval;

/**
 * lw_history_init() - take the memory
 * @nr: how many histories there can be, at most 65535
 *
 * Process context, after lw_sites_init(). Return: 0 or -ENOMEM.
 */
int lw_history_init(unsigned int nr);

/** lw_history_exit() - give it back; the sampler is stopped */
void lw_history_exit(void);

/** lw_history_run() - start the sampler. Process context. */
void lw_history_run(void);

/** lw_history_halt() - stop it, and wait until it has. Process context, without lw_lock. */
void lw_history_halt(void);

/** lw_history_pace() - set the interval; what was sampled is forgotten. Under lw_lock. */
void lw_history_pace(unsigned int seconds);

/** lw_history_clear() - forget all points; all places are free, and nothing is zoomed at */
void lw_history_clear(void);

/**
 * lw_history_watch() - have whole figures sampled
 * @say: called at each pass, in process context under lw_lock, says what they are; NULL: no more
 *
 * Under lw_lock. Nothing is called after lw_history_watch(NULL) has returned.
 */
void lw_history_watch(void (*say)(void));

/**
 * lw_history_say() - what a whole figure is at this pass
 * @whole: its number, below LW_WHOLES, from LW_NR_CLASSES on
 * @kb: how many KB
 *
 * One of which nothing is said at a pass has gone, and its history with it.
 */
void lw_history_say(unsigned int whole, u64 kb);

/**
 * lw_history_say_again() - the same as at the pass before, as it cannot be known at this one
 * @whole: as for lw_history_say(); one of which nothing was said then stays unsaid
 */
void lw_history_say_again(unsigned int whole);

/**
 * lw_history_sample() - one pass
 * @now: what time it is, in 1/LW_CLOCK_HZ of a second; not before the last
 *
 * Under lw_lock; reschedules. Some nanoseconds for each site and CPU.
 */
void lw_history_sample(u32 now);

/** lw_history_site() - Return: the key of a call site, or of a path */
u32 lw_history_site(u32 site);

/** lw_history_cache() - Return: the key of a slab cache, by its number */
u32 lw_history_cache(u32 cache);

/** lw_history_whole() - Return: the key of a whole figure; its unit is a KB */
u32 lw_history_whole(unsigned int whole);

/**
 * lw_history_half() - when the middle point was taken
 * @key: of what
 * @tick: the tick of that time (clock.h), as entries have it
 *
 * Return: whether there is a history.
 */
bool lw_history_half(u32 key, u32 *tick);

/**
 * lw_history_back() - does the kernel give it back by itself?
 * @key: of what
 *
 * So it is with page cache, user memory, reclaimable caches, and what hangs on any of them. It is
 * also said of slab caches and of places, so that a leak is said of sites and processes alone.
 *
 * Return: whether it does.
 */
bool lw_history_back(u32 key);

/**
 * lw_history_judge() - judge a history
 * @key: of what
 * @size: bytes of one
 * @old: how many of the live were allocated by lw_history_half(); LW_OLD_UNKNOWN
 * @judgement: what was decided; unknown if there is no history
 */
void lw_history_judge(u32 key, u32 size, u32 old, struct lw_judgement *judgement);

/** lw_history_last() - Return: what it was at the last pass, in its unit; 0 if there was none */
u32 lw_history_last(u32 key);

/** lw_history_points() - Return: the points of @key, @nr of them; NULL if it has none */
const struct lw_point *lw_history_points(u32 key, unsigned int *nr);

/** lw_history_used() - Return: how many histories there are */
unsigned int lw_history_used(void);

/** lw_history_max() - Return: how many there can be */
unsigned int lw_history_max(void);

/** lw_history_refused() - Return: how many keys found no place at the last pass */
unsigned int lw_history_refused(void);

/** lw_history_passes() - Return: how often the sampler has run since watching began */
unsigned int lw_history_passes(void);

/** lw_history_took() - Return: how many microseconds the last pass of the sampler took */
unsigned int lw_history_took(void);

/** lw_history_bytes() - Return: the memory that @nr histories take where there are @sites sites */
unsigned long lw_history_bytes(unsigned int nr, unsigned int sites);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sample: in sampled mode, which allocations are drawn, and how much each of them stands for.
 *
 * Points lie on the stream of allocated bytes, each CPU's its own, at random distances: exponential
 * ones, with a mean of sample_bytes. Pages count as LW_PAGES_SHARE of their bytes: they are large,
 * and a draw of one costs as much as that of an object. An allocation on which a point falls is
 * drawn, once. So one of s bytes is drawn with the probability p = 1 - exp(-s / sample_bytes),
 * whatever came before it, and stands for 1 / p of its kind. Sums over what was drawn and is live
 * are unbiased estimates (Horvitz and Thompson), whose variance is estimated by the sum of
 * w * (w - 1), w = 1 / p. So do the heap profilers of tcmalloc and of Go; the latter's
 * scaleHeapSample() has the same formula.
 *
 * A rate is what sample_bytes is, a power of two, less LW_RATE_SHIFT powers; 0 is exact mode. It is
 * part of what a site is asked for (site.h): counts of what was drawn are whole numbers on sites of
 * their own, and made into estimates when they are read.
 *
 * Locking: distances are per CPU, and drawn with interrupts off. Whoever comes between an
 * allocation that meets a point and the draw may be drawn in its place: one for one.
 */
#ifndef LEAKWATCH_SAMPLE_H
#define LEAKWATCH_SAMPLE_H

#include <linux/compiler.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/types.h>
#include <compat/percpu.h>
#include <leakwatch/site.h>

#define LW_RATE_SHIFT		11
#define LW_RATE_MIN		1U
/* the longest distance, 23 times the mean, must fit a long */
#define LW_RATE_MAX		(BITS_PER_LONG == 64 ? 19U : 15U)
#define LW_RATE_DEFAULT		3U		/* the least default */
#define LW_RATE_MEMORY		17		/* the default: memory / 2^that */

/* Of the bytes of pages, as a shift: one in 32. */
#define LW_PAGES_SHARE		5

/** lw_page_bytes() - Return: as how many bytes @nr pages count */
static __always_inline unsigned long lw_page_bytes(unsigned long nr)
{
	return nr << (PAGE_SHIFT - LW_PAGES_SHARE);
}

/** lw_rate_bytes() - Return: the mean distance in bytes at @rate, not 0 */
static __always_inline unsigned long lw_rate_bytes(u32 rate)
{
	return 1UL << (rate + LW_RATE_SHIFT);
}

/** lw_rate_of_bytes() - Return: the rate of that mean distance, 0 if there is none such */
u32 lw_rate_of_bytes(unsigned long bytes);

/**
 * lw_rate_of_memory() - the rate by default
 * @pages: how much memory there is
 *
 * So that what is drawn and live, were an eighth of it slab objects, is an entry for four counters
 * of the filter (filter.h).
 *
 * Return: the rate, LW_RATE_DEFAULT or above.
 */
u32 lw_rate_of_memory(unsigned long pages);

/* The rate that is drawn at now, 0 in exact mode. Changes only while no allocations are heard. */
extern u32 lw_sample_rate;

/* How far each CPU is from its next point: below 0 before, 0 and above at or behind. */
DECLARE_PER_CPU(long, lw_sample_at);

/* The random numbers of each CPU; never 0. */
DECLARE_PER_CPU(u64, lw_sample_state);

/** lw_sample_init() - seed the random numbers of all CPUs */
void lw_sample_init(u64 seed);

/** lw_sample_set() - draw at @rate from now on, 0 for exact mode; no allocations are heard */
void lw_sample_set(u32 rate);

/** lw_sampled() - Return: whether the mode is sampled */
static __always_inline bool lw_sampled(void)
{
	return READ_ONCE(lw_sample_rate);
}

/**
 * lw_sample_due() - @bytes were allocated
 * @bytes: how many
 *
 * Any context. Return: whether a point may have been met: then lw_sample_take() tells.
 */
static __always_inline bool lw_sample_due(unsigned long bytes)
{
	lw_count_add(lw_sample_at, bytes);
	/* who is moved to another CPU meets that one's points: it is as good a stream */
	return unlikely(raw_cpu_read(lw_sample_at) >= 0);
}

/** lw_sample_take() - Return: whether this allocation is drawn. Any context. */
bool lw_sample_take(void);

/**
 * struct lw_draw - the draws for what is allocated together, apart from those of the CPU
 * @rate: at which it began, 0 if all is taken
 * @at: as lw_sample_at
 *
 * A stream of points has no memory, so a new one may begin anywhere.
 */
struct lw_draw {
	u32 rate;
	long at;
};

/**
 * lw_draw_begin() - begin draws
 * @draw: the draws
 * @bytes: how many bytes will be allocated, at most
 *
 * Any context. Return: whether any of it will be drawn.
 */
bool lw_draw_begin(struct lw_draw *draw, unsigned long bytes);

/** lw_draw_next() - Return: whether the next, of @bytes, is drawn. Any context. */
bool lw_draw_next(struct lw_draw *draw, unsigned long bytes);

#define LW_WEIGHT_SHIFT	16
#define LW_WEIGHT_ONE	(1ULL << LW_WEIGHT_SHIFT)

/**
 * lw_sample_weight() - how many of its kind one that was drawn stands for
 * @bytes: how many it has
 * @rate: at which it was drawn, 0 for exact
 *
 * Return: that many, times LW_WEIGHT_ONE.
 */
u64 lw_sample_weight(unsigned long bytes, u32 rate);

/** lw_site_weight() - Return: the weight of what was allocated by @site */
u64 lw_site_weight(const struct lw_site *site);

/** lw_weigh() - Return: how many @nr with that @weight stand for */
s64 lw_weigh(s64 nr, u64 weight);

#endif

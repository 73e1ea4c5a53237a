/* SPDX-License-Identifier: GPL-2.0 */
/*
 * verdict: how a series behaves, in one word. The one place where that is decided.
 *
 * A leak grows all the time and never gives back. So a series is a leak if all of these hold:
 *
 *  - it grows, by the test of Mann and Kendall at 99 percent, over 16 points or more;
 *  - its floor rises: of eight equal parts of its time the least figures rise from part to part,
 *    all but two times, and fall at most once. What comes in bursts has a floor that stays;
 *  - it has not reached a plateau: its floor grew in the last quarter by at least half as much as
 *    in the second. (In the first much grows that only fills up.)
 *  - frees do not keep up: of what was there in the middle of its time beyond its beginning, at
 *    least half is still there, by the ages of what is live. A queue that grows is younger;
 *  - it has been seen to grow twelve times, or for two minutes: what lives for a minute by design
 *    (TIME_WAIT), of which some come now and then, grows for a minute;
 *  - the kernel does not give it back by itself, when memory is needed (page cache, reclaimable
 *    caches), and it does not hang on something else that is judged or given back
 *    (lw_hangs_on_others()).
 *
 * What grows at 95 percent, and whose floor rose more than once, also in the last half and
 * quarter, but is no leak, is growing. What goes up and down by half of its height is bursty, the
 * rest is steady. With fewer than eight points nothing is said: unknown.
 *
 * Pure functions. Process context, under lw_lock (trend.h).
 */
#ifndef LEAKWATCH_VERDICT_H
#define LEAKWATCH_VERDICT_H

#include <linux/kernel.h>
#include <leakwatch/trend.h>

#define LW_POINTS_MIN	8U	/* to say anything: from here on S is nearly normal (Kendall) */
#define LW_POINTS_LEAK	16U	/* to say leak */
#define LW_LEAK_RISES	12U	/* from point to point, to say it within LW_LEAK_SECONDS */
#define LW_LEAK_SECONDS	120U

/**
 * enum lw_verdict - how a series behaves, most like a leak last
 * @LW_UNKNOWN: there are too few points
 * @LW_STEADY: it does not grow, or no more
 * @LW_BURSTY: it goes up and down
 * @LW_GROWING: it grows; it may be filling up, or be given back when memory is needed
 * @LW_LEAK: it behaves as a leak does
 * @LW_NR_VERDICTS: how many there are
 */
enum lw_verdict {
	LW_UNKNOWN,
	LW_STEADY,
	LW_BURSTY,
	LW_GROWING,
	LW_LEAK,
	LW_NR_VERDICTS
};

#define LW_OLD_UNKNOWN	U32_MAX

/**
 * struct lw_series - what is judged
 * @point: the points, oldest first
 * @nr: how many, at most LW_POINTS
 * @old: how many of what is live now were there when the middle point was taken; LW_OLD_UNKNOWN if
 *	that is not known
 * @back: the kernel gives it back by itself
 */
struct lw_series {
	const struct lw_point *point;
	unsigned int nr;
	u32 old;
	bool back;
};

/**
 * struct lw_judgement - what was decided
 * @verdict: the word
 * @confidence: how sure it is that it grows, in percent: 50 to 99; 0 if nothing rises
 * @growth: how fast it grows, in bytes an hour
 * @since: how many seconds its points span
 */
struct lw_judgement {
	enum lw_verdict verdict;
	u32 confidence;
	s64 growth;
	u32 since;
};

/**
 * lw_hangs_on_others() - does it come and go with something else?
 * @function: the name of who asks for it, with what is behind it
 *
 * That are page tables of processes and what compressed swap is kept in: it is the process that
 * grows. And what a security module keeps of an inode, which is given back with the inode.
 *
 * Return: whether it does.
 */
bool lw_hangs_on_others(const char *function);

/** lw_verdict_name() - Return: the word */
const char *lw_verdict_name(enum lw_verdict verdict);

/**
 * lw_judge() - judge a series
 * @series: the series
 * @trend: its trend (trend.h)
 * @size: bytes that one of its units has; times the largest rise at most 1 TB
 * @judgement: what was decided
 */
void lw_judge(const struct lw_series *series, const struct lw_trend *trend, u32 size,
	      struct lw_judgement *judgement);

/**
 * lw_judgement_order() - which of two is more like a leak?
 * @one: one judgement
 * @two: another
 *
 * Leaks come before what grows, and that before all else; then the faster and surer one.
 *
 * Return: below 0 if it is @one, above if @two, 0 if that does not say.
 */
int lw_judgement_order(const struct lw_judgement *one, const struct lw_judgement *two);

#endif

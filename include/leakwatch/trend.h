/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trend: does a series grow, how fast, and how sure is that? Pure functions, integers only.
 *
 * Does it grow: the test of Mann and Kendall. S is how many pairs of points rise less how many
 * fall. Without a trend S is 0 on average, and nearly normal from some eight points on, whatever
 * the distribution of the figures. (H. B. Mann, Nonparametric tests against trend, Econometrica
 * 13, 1945; M. G. Kendall, Rank correlation methods, 1975: the variance where figures are equal,
 * and the correction by 1.)
 *
 * How fast: the slope of Theil and Sen, the median of the slopes of all pairs. A third of the
 * points may be anything. (H. Theil, A rank-invariant method of linear and polynomial regression
 * analysis, 1950; P. K. Sen, Estimates of the regression coefficient based on Kendall's tau, J.
 * Amer. Statist. Assoc. 63, 1968.)
 */
#ifndef LEAKWATCH_TREND_H
#define LEAKWATCH_TREND_H

#include <linux/types.h>

#define LW_POINTS	64U
#define LW_PAIRS	(LW_POINTS * (LW_POINTS - 1) / 2)

#define LW_CLOCK_HZ	10U	/* the unit of a point's time: a tenth of a second */
#define LW_SLOPE_SHIFT	8	/* slopes are in 1/256 of a unit an hour */

/**
 * struct lw_point - a point of a series
 * @at: when, in 1/LW_CLOCK_HZ of a second; never less than the point's before
 * @live: how many objects, pages or KB were there
 */
struct lw_point {
	u32 at;
	u32 live;
};

/**
 * struct lw_trend - what a series shows
 * @s: pairs that rise less pairs that fall: of Mann and Kendall
 * @z: @s in thousandths of its standard deviation: 1645 and more are met by chance once in 20
 * @confidence: how sure it is that it grows, or falls if @s is below 0: 50 to 99 percent; 0 if
 *	nothing changes
 * @slope: of Theil and Sen, in 1/256 of a unit an hour
 */
struct lw_trend {
	s32 s;
	s32 z;
	u32 confidence;
	s64 slope;
};

/**
 * lw_trend_of() - the trend of @nr points
 * @point: the points, at most LW_POINTS
 * @nr: how many
 * @trend: what they show; all 0 if @nr is below 2
 *
 * Some 10,000 operations for 64 points. Uses a buffer of its own: process context, under lw_lock.
 */
void lw_trend_of(const struct lw_point *point, unsigned int nr, struct lw_trend *trend);

#endif

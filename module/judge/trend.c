// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/math64.h>
#include <leakwatch/trend.h>

/* Thousandths, by 64 times the root of an eighteenth: 1000 * 64 * sqrt(18). */
#define Z_SCALE	271529U

static s64 slopes[LW_PAIRS];

/*
 * The normal distribution: below these many thousandths of a standard deviation are 50, 51, ... 99
 * percent of it.
 */
static const u16 quantile[] = {
	0, 25, 50, 75, 100, 126, 151, 176, 202, 228, 253, 279, 305, 332, 358, 385, 412, 440, 468,
	496, 524, 553, 583, 613, 643, 674, 706, 739, 772, 806, 842, 878, 915, 954, 994, 1036, 1080,
	1126, 1175, 1227, 1282, 1341, 1405, 1476, 1555, 1645, 1751, 1881, 2054, 2326,
};

static u32 percent(s32 z)
{
	u32 i = ARRAY_SIZE(quantile);

	z = z < 0 ? -z : z;
	while (--i && z < quantile[i])
		;
	return 50 + i;
}

/*
 * Kendall's variance of S: n(n-1)(2n+5) less the sum of t(t-1)(2t+5) over each group of t equal
 * figures, by 18. Here each member of a group adds its (t-1)(2t+5). In eighteenths.
 */
static u32 variance18(const struct lw_point *point, unsigned int nr)
{
	u32 var = nr * (nr - 1) * (2 * nr + 5);
	unsigned int i, j, t;

	for (i = 0; i < nr; i++) {
		for (t = 0, j = 0; j < nr; j++)
			t += point[j].live == point[i].live;
		var -= (t - 1) * (2 * t + 5);
	}
	return var;
}

/* The nth smallest of what is there from first to last: C. A. R. Hoare's FIND, 1961. */
static s64 nth(s64 *value, int first, int last, int n)
{
	int i, j;
	s64 pivot;

	while (first < last) {
		pivot = value[n];
		i = first;
		j = last;
		do {
			while (value[i] < pivot)
				i++;
			while (pivot < value[j])
				j--;
			if (i <= j) {
				swap(value[i], value[j]);
				i++;
				j--;
			}
		} while (i <= j);
		if (j < n)
			first = i;
		if (n < i)
			last = j;
	}
	return value[n];
}

static s64 slope_of(const struct lw_point *from, const struct lw_point *to)
{
	s64 rise = (s64)to->live - from->live;

	return div_s64(rise * (3600 * LW_CLOCK_HZ << LW_SLOPE_SHIFT), to->at - from->at);
}

void lw_trend_of(const struct lw_point *point, unsigned int nr, struct lw_trend *trend)
{
	unsigned int i, j, pairs = 0;
	u32 sigma;

	*trend = (struct lw_trend){};
	for (i = 0; i < nr; i++)
		for (j = i + 1; j < nr; j++) {
			trend->s += (point[j].live > point[i].live) -
				    (point[j].live < point[i].live);
			if (point[j].at > point[i].at)
				slopes[pairs++] = slope_of(&point[i], &point[j]);
		}
	if (pairs) {
		trend->slope = nth(slopes, 0, pairs - 1, pairs / 2);
		if (!(pairs & 1)) {
			s64 below = nth(slopes, 0, pairs / 2 - 1, pairs / 2 - 1);

			trend->slope = (trend->slope >> 1) + (below >> 1) +
				       (trend->slope & below & 1);
		}
	}
	if (!trend->s)
		return;
	/* 64 points have 536256 eighteenths at most: there is room for 12 bits, so 6 of the root */
	sigma = int_sqrt((unsigned long)variance18(point, nr) << 12);
	if (!sigma)
		return;
	trend->z = (trend->s > 0 ? trend->s - 1 : -trend->s - 1) * Z_SCALE / sigma;
	if (trend->s < 0)
		trend->z = -trend->z;
	trend->confidence = percent(trend->z);
}

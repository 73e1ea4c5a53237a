// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <leakwatch/verdict.h>

#define PARTS		8	/* of the time of a series */
#define Z_LEAK		2326	/* 99 percent */
#define Z_GROWING	1645	/* 95 percent */

/* The least figure in each part of the time, and what it did from part to part. */
struct floor {
	s64 at[PARTS];
	unsigned int rises;
	unsigned int falls;
};

static unsigned int part_of(const struct lw_series *series, unsigned int i)
{
	u32 first = series->point[0].at, span = series->point[series->nr - 1].at - first + 1;

	return div_u64((u64)(series->point[i].at - first) * PARTS, span);
}

static void floor_of(const struct lw_series *series, struct floor *floor)
{
	unsigned int i, part = 0, at;

	*floor = (struct floor){ .at = { series->point[0].live } };
	for (i = 1; i < series->nr; i++) {
		at = part_of(series, i);
		if (at == part) {
			floor->at[part] = min_t(s64, floor->at[part], series->point[i].live);
			continue;
		}
		while (part + 1 < at) {		/* asleep meanwhile: no change */
			floor->at[part + 1] = floor->at[part];
			part++;
		}
		floor->at[++part] = series->point[i].live;
	}
	for (i = 1; i < PARTS; i++) {
		floor->rises += floor->at[i] > floor->at[i - 1];
		floor->falls += floor->at[i] < floor->at[i - 1];
	}
}

/* Growth that goes on: in the last half, and in the last quarter as it did in the second. */
static bool goes_on(const struct floor *floor)
{
	s64 early = floor->at[3] - floor->at[1], late = floor->at[7] - floor->at[5];

	return floor->at[7] > floor->at[3] && late > 0 && 2 * late >= early;
}

static bool keeps(const struct lw_series *series)
{
	s64 grown = (s64)series->point[series->nr / 2].live - series->point[0].live;

	return series->old == LW_OLD_UNKNOWN || 2 * (s64)series->old >= grown;
}

/* Up and down, by half of what it is at its highest, and more than once. */
static bool is_bursty(const struct lw_series *series)
{
	u32 high = series->point[0].live, down = 0, drop;
	unsigned int i;

	for (i = 1; i < series->nr; i++) {
		high = max(high, series->point[i].live);
		if (series->point[i].live < series->point[i - 1].live) {
			drop = series->point[i - 1].live - series->point[i].live;
			down = down + drop < down ? U32_MAX : down + drop;
		}
	}
	return down >= high / 2 && down > 0;
}

/* Often enough, or for long enough. */
static bool is_much(const struct lw_series *series)
{
	unsigned int i, rises = 0;

	for (i = 1; i < series->nr; i++)
		rises += series->point[i].live > series->point[i - 1].live;
	return rises >= LW_LEAK_RISES || series->point[series->nr - 1].at - series->point[0].at >=
					 LW_LEAK_SECONDS * LW_CLOCK_HZ;
}

static enum lw_verdict verdict_of(const struct lw_series *series, const struct lw_trend *trend)
{
	struct floor floor;

	if (series->nr < LW_POINTS_MIN ||
	    series->point[series->nr - 1].at - series->point[0].at < PARTS)
		return LW_UNKNOWN;
	floor_of(series, &floor);
	if (trend->z >= Z_GROWING && floor.rises > 1 && goes_on(&floor)) {
		if (trend->z >= Z_LEAK && series->nr >= LW_POINTS_LEAK && !series->back &&
		    floor.rises >= PARTS - 3 && floor.falls <= 1 && keeps(series) &&
		    is_much(series))
			return LW_LEAK;
		return LW_GROWING;
	}
	return is_bursty(series) ? LW_BURSTY : LW_STEADY;
}

bool lw_hangs_on_others(const char *function)
{
	static const char * const names[] = {
		"pte_alloc_one+", "__pte_alloc+", "zs_malloc+", "security_inode_alloc+",
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(function, names[i], strlen(names[i])))
			return true;
	return false;
}

const char *lw_verdict_name(enum lw_verdict verdict)
{
	static const char * const names[LW_NR_VERDICTS] = {
		[LW_UNKNOWN] = "unknown", [LW_STEADY] = "steady", [LW_BURSTY] = "bursty",
		[LW_GROWING] = "growing", [LW_LEAK] = "leak",
	};

	return names[verdict];
}

void lw_judge(const struct lw_series *series, const struct lw_trend *trend, u32 size,
	      struct lw_judgement *judgement)
{
	*judgement = (struct lw_judgement){
		.verdict = verdict_of(series, trend),
		.confidence = trend->z > 0 ? trend->confidence : 0,
		.growth = (trend->slope * size) >> LW_SLOPE_SHIFT,
	};
	if (series->nr)
		judgement->since = (series->point[series->nr - 1].at - series->point[0].at) /
				   LW_CLOCK_HZ;
}

static int rating(const struct lw_judgement *judged)
{
	return judged->verdict == LW_LEAK ? 0 : judged->verdict == LW_GROWING ? 1 : 2;
}

int lw_judgement_order(const struct lw_judgement *one, const struct lw_judgement *two)
{
	s64 weight_one = one->growth * one->confidence, weight_two = two->growth * two->confidence;

	if (rating(one) != rating(two))
		return rating(one) - rating(two);
	return rating(one) == 2 || weight_one == weight_two ? 0 : weight_one > weight_two ? -1 : 1;
}

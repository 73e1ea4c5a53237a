// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of trend and verdict: figures worked out by hand, and what a person would say. */
#include <kunit/test.h>
#include <linux/module.h>
#include "../module/judge/trend.c"
#include "../module/judge/verdict.c"

#define SECONDS(n)	((n) * LW_CLOCK_HZ)

static struct lw_point points[LW_POINTS];

static struct lw_trend trend_of(const u32 *live, unsigned int nr, u32 spacing)
{
	struct lw_trend trend;
	unsigned int i;

	for (i = 0; i < nr; i++)
		points[i] = (struct lw_point){ SECONDS(spacing) * i, live[i] };
	lw_trend_of(points, nr, &trend);
	return trend;
}

static void by_hand(struct kunit *test)
{
	static const u32 line[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	static const u32 ties[] = { 1, 1, 2, 2 };
	static const u32 flat[] = { 7, 7, 7, 7, 7, 7, 7, 7 };
	static const u32 wild[] = { 1, 2, 3, 4, 1000000, 6, 7, 8, 9, 10 };
	static const u32 down[] = { 9, 8, 7, 6 };
	struct lw_trend trend;

	/* S 45 of 45; variance 10 * 9 * 25 / 18 = 125; 44 / 11.180 */
	trend = trend_of(line, ARRAY_SIZE(line), 10);
	KUNIT_EXPECT_EQ(test, trend.s, 45);
	KUNIT_EXPECT_GE(test, trend.z, 3930);
	KUNIT_EXPECT_LE(test, trend.z, 3940);
	KUNIT_EXPECT_EQ(test, trend.confidence, 99);
	KUNIT_EXPECT_EQ(test, trend.slope, 360 << LW_SLOPE_SHIFT);

	/* S 4; (4 * 3 * 13 - 2 * (2 * 1 * 9)) / 18 = 6.667; 3 / 2.582 */
	trend = trend_of(ties, ARRAY_SIZE(ties), 10);
	KUNIT_EXPECT_EQ(test, trend.s, 4);
	KUNIT_EXPECT_GE(test, trend.z, 1155);
	KUNIT_EXPECT_LE(test, trend.z, 1165);
	KUNIT_EXPECT_EQ(test, trend.confidence, 87);

	trend = trend_of(flat, ARRAY_SIZE(flat), 10);
	KUNIT_EXPECT_EQ(test, trend.s, 0);
	KUNIT_EXPECT_EQ(test, trend.z, 0);
	KUNIT_EXPECT_EQ(test, trend.confidence, 0);
	KUNIT_EXPECT_EQ(test, trend.slope, 0);

	/* one point that is far off does not change the slope */
	trend = trend_of(wild, ARRAY_SIZE(wild), 10);
	KUNIT_EXPECT_EQ(test, trend.slope, 360 << LW_SLOPE_SHIFT);

	trend = trend_of(down, ARRAY_SIZE(down), 10);
	KUNIT_EXPECT_EQ(test, trend.s, -6);
	KUNIT_EXPECT_LT(test, trend.z, 0);
	KUNIT_EXPECT_EQ(test, trend.slope, -(360 << LW_SLOPE_SHIFT));
}

/* Times that do not advance are no division by 0; the largest figures do not overflow. */
static void extremes(struct kunit *test)
{
	struct lw_trend trend;
	unsigned int i;

	for (i = 0; i < LW_POINTS; i++)
		points[i] = (struct lw_point){ 5, i };
	lw_trend_of(points, LW_POINTS, &trend);
	KUNIT_EXPECT_EQ(test, trend.slope, 0);
	KUNIT_EXPECT_EQ(test, trend.s, (s32)LW_PAIRS);
	for (i = 0; i < LW_POINTS; i++)
		points[i] = (struct lw_point){ i, i & 1 ? U32_MAX : 0 };
	lw_trend_of(points, 2, &trend);
	KUNIT_EXPECT_EQ(test, trend.slope, (s64)U32_MAX * (36000 << LW_SLOPE_SHIFT));
	for (i = 0; i < LW_POINTS; i++)
		points[i] = (struct lw_point){ U32_MAX - LW_POINTS + i, i << 25 };
	lw_trend_of(points, LW_POINTS, &trend);
	KUNIT_EXPECT_EQ(test, trend.slope, (1LL << 25) * (36000 << LW_SLOPE_SHIFT));
	lw_trend_of(points, 1, &trend);
	KUNIT_EXPECT_EQ(test, trend.s, 0);
	lw_trend_of(points, 0, &trend);
	KUNIT_EXPECT_EQ(test, trend.s, 0);
}

/* The median of Hoare's FIND is that of sorting, in any order. */
static void median(struct kunit *test)
{
	static s64 value[101];
	unsigned int n, i, at;

	for (n = 1; n <= ARRAY_SIZE(value); n++)
		for (at = 0; at < n; at++) {
			for (i = 0; i < n; i++)
				value[i] = (s64)((i * 37) % n) - 50;
			if (n % 37)	/* each of them once */
				KUNIT_EXPECT_EQ(test, nth(value, 0, n - 1, at), (s64)at - 50);
		}
}

struct shape {
	const char *name;
	u32 (*live)(unsigned int i);
	enum lw_verdict verdict;
};

static u32 line(unsigned int i) { return 100 + 3 * i; }
static u32 slow(unsigned int i) { return 5 + i / 5; }
static u32 under_bursts(unsigned int i) { return 10 * i + 200 * (i % 4); }
static u32 flat(unsigned int i) { return 4000; }
static u32 step(unsigned int i) { return i < 24 ? 100 : 900; }
static u32 one_step(unsigned int i) { return i >= 40; }
static u32 filled(unsigned int i) { return i < 12 ? 100 * i : 1200 + (i & 1); }
static u32 bursts(unsigned int i) { return i % 8 == 3 ? 1000 : 10; }
static u32 falls(unsigned int i) { return 1000 - i; }

static const struct shape shapes[] = {
	{ "a line", line, LW_LEAK },
	{ "a slow one", slow, LW_LEAK },
	{ "one under bursts", under_bursts, LW_LEAK },
	{ "flat", flat, LW_STEADY },
	{ "a step", step, LW_STEADY },
	{ "one object", one_step, LW_STEADY },
	{ "filled up", filled, LW_STEADY },
	{ "bursts", bursts, LW_BURSTY },
	{ "falls", falls, LW_STEADY },
};

static void verdicts(struct kunit *test)
{
	struct lw_judgement judged;
	struct lw_trend trend;
	unsigned int n, i;

	for (n = 0; n < ARRAY_SIZE(shapes); n++) {
		struct lw_series series = { .point = points, .nr = 48, .old = LW_OLD_UNKNOWN };

		for (i = 0; i < series.nr; i++)
			points[i] = (struct lw_point){ SECONDS(10) * i, shapes[n].live(i) };
		lw_trend_of(points, series.nr, &trend);
		lw_judge(&series, &trend, 64, &judged);
		KUNIT_EXPECT_STREQ_MSG(test, lw_verdict_name(judged.verdict),
				       lw_verdict_name(shapes[n].verdict), "%s", shapes[n].name);
		KUNIT_EXPECT_EQ(test, judged.since, 470);
		series.back = true;
		lw_judge(&series, &trend, 64, &judged);
		KUNIT_EXPECT_NE_MSG(test, judged.verdict, LW_LEAK, "%s, given back",
				    shapes[n].name);
		series.back = false;
		series.old = 0;
		lw_judge(&series, &trend, 64, &judged);
		KUNIT_EXPECT_NE_MSG(test, judged.verdict, LW_LEAK, "%s, all young", shapes[n].name);
		series.old = LW_OLD_UNKNOWN;
		series.nr = LW_POINTS_MIN - 1;
		lw_judge(&series, &trend, 64, &judged);
		KUNIT_EXPECT_EQ(test, judged.verdict, LW_UNKNOWN);
	}
}

/* A suspend, or a sampler that was held up, is a gap: no growth is made of it. */
static void gaps(struct kunit *test)
{
	struct lw_series series = { .point = points, .nr = 40, .old = LW_OLD_UNKNOWN };
	struct lw_judgement judged;
	struct lw_trend trend;
	unsigned int i;

	for (i = 0; i < series.nr; i++)
		points[i] = (struct lw_point){ SECONDS(10) * (i < 20 ? i : i + 5000), 300 };
	lw_trend_of(points, series.nr, &trend);
	lw_judge(&series, &trend, 64, &judged);
	KUNIT_EXPECT_EQ(test, judged.verdict, LW_STEADY);
	KUNIT_EXPECT_EQ(test, judged.growth, 0);
	for (i = 0; i < series.nr; i++)
		points[i].live = i;
	lw_trend_of(points, series.nr, &trend);
	lw_judge(&series, &trend, 64, &judged);
	KUNIT_EXPECT_LE(test, judged.growth, 360 * 64);
	KUNIT_EXPECT_GT(test, judged.growth, 0);
}

static struct kunit_case trend_cases[] = {
	KUNIT_CASE(by_hand),
	KUNIT_CASE(extremes),
	KUNIT_CASE(median),
	KUNIT_CASE(verdicts),
	KUNIT_CASE(gaps),
	{}
};

static struct kunit_suite trend_suite = {
	.name = "leakwatch_trend",
	.test_cases = trend_cases,
};

kunit_test_suite(trend_suite);

MODULE_LICENSE("GPL");

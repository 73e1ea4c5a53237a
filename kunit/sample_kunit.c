// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of sample: distances, draws, and what they stand for. All random numbers begin at a
 * fixed seed and are of one CPU, so every run is the same; limits are four standard errors.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/sched.h>
#include "../module/track/sample.c"

#define DRAWS	100000UL

static int sample_test_init(struct kunit *test)
{
	int err = set_cpus_allowed_ptr(current, cpumask_of(cpumask_first(cpu_online_mask)));

	lw_sample_init(20);
	return err;
}

static void sample_test_exit(struct kunit *test)
{
	lw_sample_set(0);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
}

static void rates(struct kunit *test)
{
	u32 rate;

	for (rate = LW_RATE_MIN; rate <= LW_RATE_MAX; rate++)
		KUNIT_EXPECT_EQ(test, lw_rate_of_bytes(lw_rate_bytes(rate)), rate);
	KUNIT_EXPECT_EQ(test, lw_rate_bytes(LW_RATE_MIN), 4096);
	KUNIT_EXPECT_EQ(test, lw_rate_bytes(LW_RATE_DEFAULT), 16 << 10);
	KUNIT_EXPECT_EQ(test, lw_rate_of_bytes(0), 0);
	KUNIT_EXPECT_EQ(test, lw_rate_of_bytes(2048), 0);
	KUNIT_EXPECT_EQ(test, lw_rate_of_bytes(4095), 0);
	KUNIT_EXPECT_EQ(test, lw_rate_of_bytes(4097), 0);
	KUNIT_EXPECT_EQ(test, lw_rate_of_bytes(lw_rate_bytes(LW_RATE_MAX) * 2), 0);
}

/* The extremes, a half, and a quarter, of which the logarithm is known. */
static void logarithms(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, minus_log2(0) >> LOG_BITS, 33);
	KUNIT_EXPECT_LT(test, minus_log2(~0U), 2);
	KUNIT_EXPECT_LE(test, minus_log2(1U << 31) - ((1 << LOG_BITS) - 2), 2);
	KUNIT_EXPECT_LE(test, minus_log2(1U << 30) - ((2 << LOG_BITS) - 2), 2);
	/* log2 3 is 1.5849625 */
	KUNIT_EXPECT_LE(test, minus_log2(3U << 29) - ((3 << LOG_BITS) - 1661953 - 2), 4);
}

/* Mean, mean square, median, and how far they reach. */
static void distances(struct kunit *test)
{
	static const u32 some[] = { LW_RATE_MIN, LW_RATE_DEFAULT, LW_RATE_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(some); i++) {
		u64 mean = lw_rate_bytes(some[i]), sum = 0, squares = 0, far = 0, error;
		unsigned long draw, below = 0;

		for (draw = 0; draw < DRAWS; draw++) {
			u64 one = distance_now(some[i]), part = div64_u64(one << 10, mean);

			KUNIT_ASSERT_GT(test, one, 0);
			sum += one;
			squares += part * part;
			far = max(far, one);
			below += one <= (mean * LN_2 >> 31);
		}
		sum = div64_u64(sum, DRAWS);
		squares = div64_u64(squares, DRAWS);
		error = div64_u64(4 * mean, int_sqrt(DRAWS));
		KUNIT_EXPECT_LE(test, sum, mean + error);
		KUNIT_EXPECT_GE(test, sum, mean - error);
		/* the mean of the squares is 2, its standard error sqrt(20 / DRAWS) */
		KUNIT_EXPECT_LE(test, squares, (2 << 20) + (18 << 20) / int_sqrt(DRAWS));
		KUNIT_EXPECT_GE(test, squares, (2 << 20) - (18 << 20) / int_sqrt(DRAWS));
		KUNIT_EXPECT_LE(test, below, DRAWS / 2 + 2 * int_sqrt(DRAWS));
		KUNIT_EXPECT_GE(test, below, DRAWS / 2 - 2 * int_sqrt(DRAWS));
		KUNIT_EXPECT_LE(test, far, 24 * mean);
		KUNIT_EXPECT_GT(test, far, 8 * mean);
	}
}

static void weights(struct kunit *test)
{
	/* 65536 / (1 - exp(-bytes / sample_bytes)), by a calculator */
	static const struct {
		unsigned long bytes;
		u32 rate;
		u64 weight;
	} right[] = {
		{ 8, 1, 33587211 },		{ 96, 1, 2829099 },
		{ 2048, 1, 166559 },		{ 2049, 1, 166497 },
		{ 4096, 1, 103676 },		{ 6144, 1, 84359 },
		{ 65535, 1, 65536 },		{ 65536, 1, 65536 },
		{ 1UL << 30, 1, 65536 },	{ 128, 8, 268468225 },
		{ 4096, 8, 8421419 },		{ 4194304, 8, 65558 },
		{ 4194304, 10, 75794 },		{ 4096, 0, 65536 },
		{ 0, 1, 65536 },
#ifdef CONFIG_64BIT
		{ 8, 19, 8796093022208ULL },
#endif
	};
	const struct lw_site pages = { .what = lw_what_drawn(lw_what_pages(3, 0), 3) };
	const struct lw_site objects = {
		.what = lw_what_drawn(lw_what_kmalloc(4096, 0), 3),
		.size = 4096,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(right); i++) {
		u64 weight = lw_sample_weight(right[i].bytes, right[i].rate);
		u64 error = (right[i].weight >> 20) + 1;

		KUNIT_EXPECT_LE_MSG(test, weight, right[i].weight + error, "%lu", right[i].bytes);
		KUNIT_EXPECT_GE_MSG(test, weight, right[i].weight - error, "%lu", right[i].bytes);
	}
	/* of pages a 32nd of their bytes counts, of objects all */
	KUNIT_EXPECT_EQ(test, lw_site_weight(&pages), lw_sample_weight(PAGE_SIZE / 4, 3));
	KUNIT_EXPECT_EQ(test, lw_site_weight(&objects), lw_sample_weight(4096, 3));
	KUNIT_EXPECT_EQ(test, lw_weigh(-3, LW_WEIGHT_ONE), -3);
	KUNIT_EXPECT_EQ(test, lw_weigh(-3, 5 * LW_WEIGHT_ONE / 2), -7);
	KUNIT_EXPECT_EQ(test, lw_weigh(1 << 30, 1ULL << 42), 1ULL << 56);
}

static const unsigned long sizes[] = { 8, 64, 200, 4096, 10000, 65536 };

/* @drawn of @nr objects of @bytes: what they stand for is @nr, by four standard errors. */
static void is_near(struct kunit *test, unsigned long bytes, u32 rate, unsigned long nr,
		    unsigned long drawn)
{
	u64 weight = lw_sample_weight(bytes, rate);
	s64 guess = lw_weigh(drawn, weight);
	/* the variance is nr * (w - 1) */
	u64 error = 4 * int_sqrt64(nr * (weight - LW_WEIGHT_ONE) >> LW_WEIGHT_SHIFT) + 4;

	KUNIT_EXPECT_LE_MSG(test, guess, (s64)(nr + error), "%lu drawn of %lu", drawn, bytes);
	KUNIT_EXPECT_GE_MSG(test, guess, (s64)(nr - error), "%lu drawn of %lu", drawn, bytes);
}

/* A stream of objects of all sizes in turn: each size is told without bias. */
static void draws(struct kunit *test)
{
	unsigned long drawn[ARRAY_SIZE(sizes)] = {}, i;
	unsigned int at;

	lw_sample_set(2);
	for (i = 0; i < DRAWS; i++)
		for (at = 0; at < ARRAY_SIZE(sizes); at++)
			drawn[at] += lw_sample_due(sizes[at]) && lw_sample_take();
	for (at = 0; at < ARRAY_SIZE(sizes); at++)
		is_near(test, sizes[at], 2, DRAWS, drawn[at]);
	KUNIT_EXPECT_LT(test, drawn[5], DRAWS);		/* the largest is not always drawn */
	KUNIT_EXPECT_GT(test, drawn[0], 0);
}

/* One draw for one point: who comes second gets nothing. */
static void taken(struct kunit *test)
{
	lw_sample_set(LW_RATE_MIN);
	KUNIT_EXPECT_FALSE(test, lw_sample_take());
	while (!lw_sample_due(64))
		;
	KUNIT_EXPECT_TRUE(test, lw_sample_take());
	KUNIT_EXPECT_FALSE(test, lw_sample_take());
	KUNIT_EXPECT_LT(test, this_cpu_read(lw_sample_at), 0);
}

/* Many at once, some calls of which need not look at each: as unbiased. */
static void bulks(struct kunit *test)
{
	unsigned long drawn = 0, begun = 0, before, i;
	struct lw_draw draw;
	int one;

	KUNIT_EXPECT_TRUE(test, lw_draw_begin(&draw, 1));
	KUNIT_EXPECT_TRUE(test, lw_draw_next(&draw, 1));	/* exact: all of it */
	lw_sample_set(2);
	for (i = 0; i < DRAWS / 16; i++) {
		if (!lw_draw_begin(&draw, 16 * 200))
			continue;
		begun++;
		before = drawn;
		for (one = 0; one < 16; one++)
			drawn += lw_draw_next(&draw, 200);
		KUNIT_ASSERT_GT(test, drawn, before);
	}
	is_near(test, 200, 2, DRAWS / 16 * 16, drawn);
	is_near(test, 16 * 200, 2, DRAWS / 16, begun);
}

/* Each CPU has numbers of its own; the same seed gives the same. */
static void seeds(struct kunit *test)
{
	long first[8], i;
	int same = 0;

	for (i = 0; i < ARRAY_SIZE(first); i++)
		first[i] = distance_now(LW_RATE_DEFAULT);
	lw_sample_init(20);
	for (i = 0; i < ARRAY_SIZE(first); i++)
		KUNIT_EXPECT_EQ(test, first[i], distance_now(LW_RATE_DEFAULT));
	lw_sample_init(21);
	for (i = 0; i < ARRAY_SIZE(first); i++)
		same += first[i] == distance_now(LW_RATE_DEFAULT);
	KUNIT_EXPECT_LT(test, same, 2);
}

static struct kunit_case sample_cases[] = {
	KUNIT_CASE(rates),
	KUNIT_CASE(logarithms),
	KUNIT_CASE(distances),
	KUNIT_CASE(weights),
	KUNIT_CASE(draws),
	KUNIT_CASE(taken),
	KUNIT_CASE(bulks),
	KUNIT_CASE(seeds),
	{}
};

static struct kunit_suite sample_suite = {
	.name = "leakwatch_sample",
	.init = sample_test_init,
	.exit = sample_test_exit,
	.test_cases = sample_cases,
};

kunit_test_suite(sample_suite);

MODULE_LICENSE("GPL");

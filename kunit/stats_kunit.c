// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of stats: the counters of what got lost. */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/smp.h>
#include "../module/track/stats.c"

static int stats_test_init(struct kunit *test)
{
	lw_stats_clear();
	return 0;
}

static void names_differ(struct kunit *test)
{
	int i, k;

	for (i = 0; i < LW_NR_STATS; i++) {
		KUNIT_ASSERT_NOT_NULL(test, lw_stat_name(i));
		KUNIT_EXPECT_GT(test, strlen(lw_stat_name(i)), 0);
		KUNIT_EXPECT_NULL(test, strchr(lw_stat_name(i), ' '));
		for (k = 0; k < i; k++)
			KUNIT_EXPECT_STRNEQ(test, lw_stat_name(i), lw_stat_name(k));
	}
}

static void add_all(void *unused)
{
	int i;

	for (i = 0; i < LW_NR_STATS; i++)
		lw_stat_add(i, i + 1);
	lw_stat_inc(LW_LOST_OUTSIDE);
}

static void sums_over_cpus(struct kunit *test)
{
	unsigned int cpus = num_online_cpus(), i;

	on_each_cpu(add_all, NULL, 1);
	for (i = 0; i < LW_NR_STATS; i++)
		KUNIT_EXPECT_EQ(test, lw_stat_read(i), cpus * (i + 1 + (i == LW_LOST_OUTSIDE)));
	lw_stats_clear();
	for (i = 0; i < LW_NR_STATS; i++)
		KUNIT_EXPECT_EQ(test, lw_stat_read(i), 0);
}

static struct kunit_case stats_cases[] = {
	KUNIT_CASE(names_differ),
	KUNIT_CASE(sums_over_cpus),
	{}
};

static struct kunit_suite stats_suite = {
	.name = "leakwatch_stats",
	.init = stats_test_init,
	.test_cases = stats_cases,
};

kunit_test_suite(stats_suite);

MODULE_LICENSE("GPL");

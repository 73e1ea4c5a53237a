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

/* What makes figures wrong is lost; what is older than the module, or no loss, is not. */
static void losses(struct kunit *test)
{
	static const enum lw_stat none[] = {
		LW_UNMATCHED_OBJECTS, LW_UNMATCHED_PAGES, LW_UNMATCHED_BUFFERS, LW_FOLDED,
		LW_WALK_SHORT, LW_CACHES_FULL,
		LW_WALK_CHECKED, LW_WALK_SLOW, LW_MOVED, LW_SITES_SPOILT,
		LW_ZOOMED, LW_ZOOM_OVER, LW_FORGOTTEN,
	};
	int i;

	KUNIT_EXPECT_EQ(test, lw_stats_lost(), 0);
	for (i = 0; i < ARRAY_SIZE(none); i++)
		lw_stat_inc(none[i]);
	KUNIT_EXPECT_EQ(test, lw_stats_lost(), 0);
	for (i = 0; i < LW_NR_STATS; i++)
		lw_stat_inc(i);
	KUNIT_EXPECT_EQ(test, lw_stats_lost(), LW_NR_STATS - ARRAY_SIZE(none));
}

static struct kunit_case stats_cases[] = {
	KUNIT_CASE(names_differ),
	KUNIT_CASE(sums_over_cpus),
	KUNIT_CASE(losses),
	{}
};

static struct kunit_suite stats_suite = {
	.name = "leakwatch_stats",
	.init = stats_test_init,
	.test_cases = stats_cases,
};

kunit_test_suite(stats_suite);

MODULE_LICENSE("GPL");

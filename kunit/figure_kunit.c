// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of figure: the equation on planted figures, and whether it comes out on real ones. */
#include <kunit/test.h>
#include <linux/module.h>
#include "../module/judge/figure.c"

#define SLACK_KB	8192	/* counters drift by some pages a CPU, and the kernel goes on */

static void nothing(struct lw_figures *all)
{
	int i;

	all->by_census = 0;
	for (i = 0; i < LW_NR_FIGURES; i++)
		all->kb[i] = LW_NO_FIGURE;
}

/* What there is sums up; what is a part of something, or is not there, does not count. */
static void equation(struct kunit *test)
{
	static struct lw_figures all;
	struct lw_census census = {};

	nothing(&all);
	all.kb[LW_MEMORY_TOTAL] = 100000;
	all.kb[LW_FREE_SYSTEM] = 30000;
	all.kb[LW_FREE_CMA] = 1000;
	all.kb[LW_ANON] = 20000;
	all.kb[LW_SLAB_ALL] = 500 * PAGE_KB;
	all.kb[LW_SHMEM] = 5000;		/* a part */
	all.kb[LW_PAGES_ALLOCATED] = 777777;	/* a rate */
	census.pages[LW_KIND_PCP] = 10;
	census.pages[LW_KIND_HUGETLB] = 20;
	census.pages[LW_KIND_SLAB] = 400;
	census.pages[LW_KIND_LARGE] = 60;
	census.pages[LW_KIND_KERNEL] = 1000;
	census.pages[LW_KIND_COMPOUND] = 100;
	census.held[LW_KIND_KERNEL] = 7;
	lw_figures_sum(&all, &census);
	KUNIT_EXPECT_EQ(test, all.kb[LW_FREE_CPU_LISTS], 10 * PAGE_KB);
	KUNIT_EXPECT_EQ(test, all.kb[LW_HUGETLB], 20 * PAGE_KB);
	KUNIT_EXPECT_EQ(test, all.by_census, BIT_ULL(LW_FREE_CPU_LISTS) | BIT_ULL(LW_HUGETLB));
	KUNIT_EXPECT_EQ(test, all.kb[LW_TOTAL_FREED], 31000 + 10 * PAGE_KB);
	KUNIT_EXPECT_EQ(test, all.kb[LW_TOTAL_USED], 20000 + 520 * PAGE_KB);
	KUNIT_EXPECT_EQ(test, all.kb[LW_TOTAL_LOST], 49000 - 530 * PAGE_KB);
	/* 40 of the slab's pages are large kmallocs that no page tells */
	KUNIT_EXPECT_EQ(test, all.kb[LW_TOTAL_LOST_CENSUS], 1060 * PAGE_KB);
	KUNIT_EXPECT_EQ(test, all.kb[LW_SWAP_TOTAL], LW_NO_FIGURE);
	KUNIT_EXPECT_EQ(test, all.kb[LW_FIGURE_CENSUS + LW_KIND_SLAB], 400 * PAGE_KB);
	KUNIT_EXPECT_EQ(test, lw_census_lost_held(&census), 7);
}

/* A counter that is there is believed, whatever the census says. */
static void no_stand_in(struct kunit *test)
{
	static struct lw_figures all;
	struct lw_census census = {};

	nothing(&all);
	all.kb[LW_MEMORY_TOTAL] = 1000;
	all.kb[LW_HUGETLB] = 200;
	all.kb[LW_SECOND_TABLES] = 40;
	census.pages[LW_KIND_HUGETLB] = 999;
	census.pages[LW_KIND_KERNEL] = 100;
	lw_figures_sum(&all, &census);
	KUNIT_EXPECT_EQ(test, all.kb[LW_HUGETLB], 200);
	KUNIT_EXPECT_EQ(test, all.by_census, BIT_ULL(LW_FREE_CPU_LISTS));
	KUNIT_EXPECT_EQ(test, all.kb[LW_TOTAL_LOST], 760);
	KUNIT_EXPECT_EQ(test, all.kb[LW_TOTAL_LOST_CENSUS], 100 * PAGE_KB - 40);
}

static void names(struct kunit *test)
{
	int i, j;

	for (i = 0; i < LW_NR_FIGURES; i++) {
		KUNIT_ASSERT_TRUE(test, lw_figure_name(i));
		KUNIT_EXPECT_FALSE(test, strchr(lw_figure_name(i), ' '));
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_STRNEQ(test, lw_figure_name(i), lw_figure_name(j));
	}
	KUNIT_EXPECT_EQ(test, lw_figure_change(5, 7), -2);
	KUNIT_EXPECT_EQ(test, lw_figure_change(5, LW_NO_FIGURE), LW_NO_FIGURE);
	KUNIT_EXPECT_EQ(test, lw_figure_change(LW_NO_FIGURE, 5), LW_NO_FIGURE);
}

/* Lost by counters and lost by census are found by different ways. */
static void real(struct kunit *test)
{
	static struct lw_figures all;
	struct lw_census census;

	KUNIT_ASSERT_EQ(test, lw_census_take(&census, NULL, NULL), 0);
	KUNIT_ASSERT_EQ(test, lw_figures_get(&all, &census), 0);
	KUNIT_EXPECT_GT(test, all.kb[LW_TOTAL_LOST], 0);
	KUNIT_EXPECT_LT(test, abs(all.kb[LW_TOTAL_LOST] - all.kb[LW_TOTAL_LOST_CENSUS]), SLACK_KB);
	KUNIT_EXPECT_LT(test, abs(all.kb[LW_FREE_SYSTEM] + all.kb[LW_FREE_CMA] -
				  all.kb[LW_FIGURE_CENSUS + LW_KIND_FREE]), SLACK_KB);
	KUNIT_EXPECT_GT(test, all.kb[LW_PAGES_ALLOCATED], 0);
}

static struct kunit_case figure_cases[] = {
	KUNIT_CASE(equation),
	KUNIT_CASE(no_stand_in),
	KUNIT_CASE(names),
	KUNIT_CASE(real),
	{}
};

static struct kunit_suite figure_suite = {
	.name = "leakwatch_figure",
	.test_cases = figure_cases,
};

kunit_test_suite(figure_suite);

MODULE_LICENSE("GPL");

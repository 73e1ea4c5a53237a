// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of mark: the baseline, and whether and how long we have been watching. */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/module.h>
#include "../module/judge/mark.c"

static int mark_test_init(struct kunit *test)
{
	int err = lw_sites_init(512) ?: lw_mark_init();

	if (!err)
		lw_watch_start();
	return err;
}

static void mark_test_exit(struct kunit *test)
{
	lw_mark_exit();
	lw_sites_exit();
}

static void baseline(struct kunit *test)
{
	unsigned long call = 16;
	u32 one = lw_site_get(lw_what_kmalloc(64, 0), &call, 1, NULL);

	KUNIT_EXPECT_EQ(test, lw_mark_of(one)->allocs, 0);
	KUNIT_EXPECT_EQ(test, lw_mark_of(one)->frees, 0);
	lw_site_charge(one, 10);
	lw_site_uncharge(one, 4);
	atomic_add(2, &lw_flaws[one].lost);
	KUNIT_EXPECT_EQ(test, lw_mark_of(one)->allocs, 0);
	lw_mark_set();
	KUNIT_EXPECT_EQ(test, lw_mark_of(one)->allocs, 8);
	KUNIT_EXPECT_EQ(test, lw_mark_of(one)->frees, 4);
	lw_site_charge(one, 1);
	KUNIT_EXPECT_EQ(test, lw_mark_of(one)->allocs, 8);
	/* where watching begins, all begins at 0 */
	lw_sites_clear();
	lw_watch_start();
	KUNIT_EXPECT_EQ(test, lw_mark_of(one)->allocs, 0);
	KUNIT_EXPECT_EQ(test, lw_mark_of(one)->frees, 0);
}

/* A mark by hand is one, also within the first second. */
static void by_hand(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, lw_mark_is_start());
	lw_mark_set();
	KUNIT_EXPECT_FALSE(test, lw_mark_is_start());
	lw_watch_start();
	KUNIT_EXPECT_TRUE(test, lw_mark_is_start());
}

static void seconds(struct kunit *test)
{
	KUNIT_EXPECT_LE(test, lw_mark_seconds(), 1);
	KUNIT_EXPECT_LE(test, lw_watch_seconds(), 1);
	msleep(2100);
	KUNIT_EXPECT_GE(test, lw_mark_seconds(), 2);
	KUNIT_EXPECT_GE(test, lw_watch_seconds(), 2);
	lw_mark_set();
	KUNIT_EXPECT_LE(test, lw_mark_seconds(), 1);
	KUNIT_EXPECT_GE(test, lw_watch_seconds(), 2);
	KUNIT_EXPECT_FALSE(test, lw_mark_is_start());
}

/* What has ended stays as it was. */
static void stopping(struct kunit *test)
{
	u64 was, marked_ago;
	u32 tick;

	KUNIT_EXPECT_TRUE(test, lw_watch_on());
	KUNIT_EXPECT_LE(test, (lw_clock_now() - lw_watch_now()) & LW_AGE_MASK, 1);
	lw_watch_stop();
	KUNIT_EXPECT_FALSE(test, lw_watch_on());
	was = lw_watch_seconds();
	marked_ago = lw_mark_seconds();
	tick = lw_watch_now();
	msleep(2100);
	KUNIT_EXPECT_EQ(test, lw_mark_seconds(), marked_ago);
	KUNIT_EXPECT_EQ(test, lw_watch_seconds(), was);
	KUNIT_EXPECT_EQ(test, lw_watch_now(), tick);
	KUNIT_EXPECT_GE(test, (lw_clock_now() - tick) & LW_AGE_MASK, 1);
	lw_watch_start();
	KUNIT_EXPECT_TRUE(test, lw_watch_on());
	KUNIT_EXPECT_LE(test, lw_watch_seconds(), 1);
}

static struct kunit_case mark_cases[] = {
	KUNIT_CASE(baseline),
	KUNIT_CASE(by_hand),
	KUNIT_CASE(seconds),
	KUNIT_CASE(stopping),
	{}
};

static struct kunit_suite mark_suite = {
	.name = "leakwatch_mark",
	.init = mark_test_init,
	.exit = mark_test_exit,
	.test_cases = mark_cases,
};

kunit_test_suite(mark_suite);

MODULE_LICENSE("GPL");

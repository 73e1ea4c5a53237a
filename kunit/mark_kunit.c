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
	KUNIT_EXPECT_LE(test, (lw_clock_now() - lw_watch_now()) & LW_TICK_MASK, 1);
	lw_watch_stop();
	KUNIT_EXPECT_FALSE(test, lw_watch_on());
	was = lw_watch_seconds();
	marked_ago = lw_mark_seconds();
	tick = lw_watch_now();
	msleep(2100);
	KUNIT_EXPECT_EQ(test, lw_mark_seconds(), marked_ago);
	KUNIT_EXPECT_EQ(test, lw_watch_seconds(), was);
	KUNIT_EXPECT_EQ(test, lw_watch_now(), tick);
	KUNIT_EXPECT_GE(test, (lw_clock_now() - tick) & LW_TICK_MASK, 1);
	lw_watch_start();
	KUNIT_EXPECT_TRUE(test, lw_watch_on());
	KUNIT_EXPECT_LE(test, lw_watch_seconds(), 1);
}

static int nr_marks;

static void count_mark(const char *name, u64 seconds, bool at_start, bool chosen, void *arg)
{
	nr_marks++;
	if (chosen)
		*(const char **)arg = name;
}

/* Each mark has its own baseline; the last set is chosen, until another is. */
static void names(struct kunit *test)
{
	unsigned long call = 16;
	u32 one = lw_site_get(lw_what_kmalloc(64, 0), &call, 1, NULL);
	const char *chosen_name = NULL;

	lw_site_charge(one, 10);
	KUNIT_EXPECT_EQ(test, lw_mark_set_named("boot"), 0);
	KUNIT_EXPECT_STREQ(test, lw_mark_chosen(), "boot");
	KUNIT_EXPECT_FALSE(test, lw_mark_is_start());
	lw_site_charge(one, 5);
	KUNIT_EXPECT_EQ(test, lw_mark_set_named("camera.1"), 0);
	KUNIT_EXPECT_EQ(test, lw_mark_of(one)->allocs, 15);
	KUNIT_EXPECT_EQ(test, lw_mark_choose("boot"), 0);
	KUNIT_EXPECT_EQ(test, lw_mark_of(one)->allocs, 10);
	KUNIT_EXPECT_EQ(test, lw_mark_choose(LW_MARK_DEFAULT), 0);
	KUNIT_EXPECT_EQ(test, lw_mark_of(one)->allocs, 0);
	KUNIT_EXPECT_TRUE(test, lw_mark_is_start());
	KUNIT_EXPECT_EQ(test, lw_mark_choose(NULL), 0);
	KUNIT_EXPECT_STREQ(test, lw_mark_chosen(), "camera.1");
	KUNIT_EXPECT_EQ(test, lw_mark_choose("none"), -ENOENT);
	KUNIT_EXPECT_EQ(test, lw_mark_choose(""), -ENOENT);
	KUNIT_EXPECT_STREQ(test, lw_mark_chosen(), "camera.1");
	/* the same name again moves it */
	lw_site_charge(one, 1);
	KUNIT_EXPECT_EQ(test, lw_mark_set_named("boot"), 0);
	KUNIT_EXPECT_EQ(test, lw_mark_of(one)->allocs, 16);
	nr_marks = 0;
	lw_marks_each(count_mark, &chosen_name);
	KUNIT_EXPECT_EQ(test, nr_marks, 3);
	KUNIT_EXPECT_STREQ(test, chosen_name, "boot");
	/* a mark without a name is the default's, and chosen */
	lw_mark_set();
	KUNIT_EXPECT_STREQ(test, lw_mark_chosen(), LW_MARK_DEFAULT);
}

static void bad_names(struct kunit *test)
{
	static const char * const bad[] = {
		"", "1", "-", "two words", "tab\t", "latest", "drop", "abcdefghijklmnop", "a/b",
	};
	static const char * const good[] = { "a", "A_b.c-9", "abcdefghijklmno" };
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_FALSE_MSG(test, lw_mark_is_name(bad[i]), "%s", bad[i]);
		KUNIT_EXPECT_EQ(test, lw_mark_set_named(bad[i]), -EINVAL);
	}
	for (i = 0; i < ARRAY_SIZE(good); i++)
		KUNIT_EXPECT_TRUE_MSG(test, lw_mark_is_name(good[i]), "%s", good[i]);
	KUNIT_EXPECT_STREQ(test, lw_mark_chosen(), LW_MARK_DEFAULT);
	KUNIT_EXPECT_TRUE(test, lw_mark_is_start());
}

/* There is an end to them, and to what they take. */
static void bounded(struct kunit *test)
{
	unsigned long bytes = lw_marks_bytes();
	char name[] = "mark-0";
	int i;

	for (i = 1; i < LW_MARKS; i++) {
		name[5] = '0' + i;
		KUNIT_EXPECT_EQ(test, lw_mark_set_named(name), 0);
	}
	KUNIT_EXPECT_GT(test, lw_marks_bytes(), 7 * bytes);
	KUNIT_EXPECT_EQ(test, lw_mark_set_named("more"), -ENOSPC);
	KUNIT_EXPECT_STREQ(test, lw_mark_chosen(), "mark-7");
	KUNIT_EXPECT_EQ(test, lw_mark_drop("more"), -ENOENT);
	KUNIT_EXPECT_EQ(test, lw_mark_drop(LW_MARK_DEFAULT), -EINVAL);
	KUNIT_EXPECT_EQ(test, lw_mark_drop("mark-7"), 0);
	KUNIT_EXPECT_STREQ(test, lw_mark_chosen(), "mark-6");
	KUNIT_EXPECT_EQ(test, lw_mark_set_named("more"), 0);
}

/* Who clears loses them, but for who asks to keep them; of sites nothing is kept. */
static void clearing(struct kunit *test)
{
	unsigned long call = 16;
	u32 one = lw_site_get(lw_what_kmalloc(64, 0), &call, 1, NULL);
	s64 total;

	lw_site_charge(one, 10);
	KUNIT_EXPECT_EQ(test, lw_mark_set_named("kept"), 0);
	total = lw_mark_figures()->kb[LW_MEMORY_TOTAL];
	KUNIT_EXPECT_GT(test, total, 0);
	lw_marks_keep(true);
	lw_mark_clear();
	lw_watch_start();
	lw_marks_keep(false);
	KUNIT_EXPECT_STREQ(test, lw_mark_chosen(), LW_MARK_DEFAULT);
	KUNIT_EXPECT_TRUE(test, lw_mark_is_start());
	KUNIT_EXPECT_EQ(test, lw_mark_choose("kept"), 0);
	KUNIT_EXPECT_EQ(test, lw_mark_of(one)->allocs, 0);
	KUNIT_EXPECT_EQ(test, lw_mark_figures()->kb[LW_MEMORY_TOTAL], total);
	KUNIT_EXPECT_TRUE(test, lw_mark_processes());
	KUNIT_EXPECT_FALSE(test, lw_mark_is_start());
	lw_watch_start();
	KUNIT_EXPECT_EQ(test, lw_mark_choose("kept"), -ENOENT);
	KUNIT_EXPECT_STREQ(test, lw_mark_chosen(), LW_MARK_DEFAULT);
}

static struct kunit_case mark_cases[] = {
	KUNIT_CASE(baseline),
	KUNIT_CASE(by_hand),
	KUNIT_CASE(seconds),
	KUNIT_CASE(stopping),
	KUNIT_CASE(names),
	KUNIT_CASE(bad_names),
	KUNIT_CASE(bounded),
	KUNIT_CASE(clearing),
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

// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of history: what is sampled, for whom, and what becomes of it. */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include "../module/judge/history.c"
#include "../module/judge/row.c"

#define POOL		(8 + LW_NR_CLASSES)	/* eight sites, and the wholes of the classes */
#define SITES		512
#define FRAME(nr)	((unsigned long)(0xffffffff81000000ULL + 16 * (nr)))
#define BASE		PAGE_OFFSET
#define SMALL		lw_what_kmalloc(64, 0)

static u32 time;	/* what time it is, in tenths of a second */

static int history_test_init(struct kunit *test)
{
	int err;

	time = 1000;
	err = lw_live_init(LW_LIVE_MIN, BASE, 1 << 20) ?: lw_pages_init(0, NULL) ?:
	      lw_sites_init(SITES) ?: lw_mark_init() ?: lw_cache_init() ?: lw_history_init(POOL);
	if (!err)
		lw_watch_start();
	return err;
}

static void history_test_exit(struct kunit *test)
{
	lw_history_watch(NULL);
	lw_history_exit();
	lw_cache_exit();
	lw_mark_exit();
	lw_sites_exit();
	lw_pages_exit();
	lw_live_exit();
}

static void pass(void)
{
	lw_history_sample(time);
	time += 10 * LW_CLOCK_HZ;
}

static u32 site_of(lw_what_t what, unsigned long first, unsigned long second)
{
	unsigned long frames[] = { FRAME(first), FRAME(second) };

	return lw_site_get(what, frames, second ? 2 : 1, NULL);
}

static const struct history *of(u32 key)
{
	return history_of(key);
}

/* Who is live gets one, who is not gets none; a call site has the sum of its paths. */
static void who(struct kunit *test)
{
	u32 one = site_of(SMALL, 1, 2), two = site_of(SMALL, 1, 3), call = lw_sites[one].parent;
	u32 none = site_of(SMALL, 4, 0);

	lw_site_charge(one, 5);
	lw_site_charge(two, 3);
	lw_site_charge(none, 4);
	lw_site_uncharge(none, 4);
	pass();
	KUNIT_ASSERT_NOT_NULL(test, of(one));
	KUNIT_ASSERT_NOT_NULL(test, of(two));
	KUNIT_ASSERT_NOT_NULL(test, of(call));
	KUNIT_EXPECT_NULL(test, of(none));
	KUNIT_EXPECT_EQ(test, of(one)->point[0].live, 5);
	KUNIT_EXPECT_EQ(test, of(two)->point[0].live, 3);
	KUNIT_EXPECT_EQ(test, of(call)->point[0].live, 8);
	KUNIT_EXPECT_EQ(test, of(call)->point[0].at, 1000);
	/* a whole always: 512 bytes are less than a KB of it; and that nobody watches, never */
	KUNIT_ASSERT_NOT_NULL(test, of(lw_history_whole(LW_SLAB)));
	KUNIT_EXPECT_EQ(test, of(lw_history_whole(LW_SLAB))->point[0].live, 0);
	KUNIT_EXPECT_NULL(test, of(lw_history_whole(LW_WHOLES - 1)));
	lw_site_charge(one, 100);
	pass();
	KUNIT_EXPECT_EQ(test, of(lw_history_whole(LW_SLAB))->point[1].live, 6);
	KUNIT_ASSERT_NOT_NULL(test, of(lw_history_whole(LW_PAGE)));
	KUNIT_EXPECT_EQ(test, of(lw_history_whole(LW_PAGE))->point[1].live, 0);
	KUNIT_EXPECT_EQ(test, of(call)->point[1].live, 108);
	KUNIT_EXPECT_EQ(test, lw_history_used(), 3 + LW_NR_CLASSES);
	KUNIT_EXPECT_EQ(test, lw_history_passes(), 2);
	lw_history_clear();
	KUNIT_EXPECT_NULL(test, of(one));
	KUNIT_EXPECT_EQ(test, lw_history_used(), 0);
}

#define SAID	(LW_WHOLES - 1)

static u64 said_kb;
static bool saying, again;

static void say_some(void)
{
	if (again)
		lw_history_say_again(SAID);
	else if (saying)
		lw_history_say(SAID, said_kb);
}

/* A whole has a history for as long as something is said of it; then it is another one. */
static void wholes(struct kunit *test)
{
	u32 key = lw_history_whole(SAID);

	said_kb = 4711;
	saying = false;
	lw_history_watch(say_some);
	pass();
	KUNIT_EXPECT_NULL(test, of(key));
	saying = true;
	pass();
	said_kb = 0;
	pass();
	KUNIT_ASSERT_NOT_NULL(test, of(key));
	KUNIT_EXPECT_EQ(test, of(key)->nr, 2);
	KUNIT_EXPECT_EQ(test, of(key)->point[0].live, 4711);
	KUNIT_EXPECT_EQ(test, of(key)->point[1].live, 0);
	KUNIT_EXPECT_FALSE(test, lw_history_back(key));
	KUNIT_EXPECT_EQ(test, lw_history_used(), LW_NR_CLASSES + 1);
	saying = false;
	pass();
	KUNIT_EXPECT_NULL(test, of(key));
	KUNIT_EXPECT_EQ(test, lw_history_used(), LW_NR_CLASSES);
	again = true;		/* of nothing that is nothing */
	pass();
	KUNIT_EXPECT_NULL(test, of(key));
	again = false;
	saying = true;
	said_kb = 1ULL << 40;		/* more than a point can hold */
	pass();
	KUNIT_ASSERT_NOT_NULL(test, of(key));
	KUNIT_EXPECT_EQ(test, of(key)->nr, 1);
	KUNIT_EXPECT_EQ(test, of(key)->point[0].live, U32_MAX);
	said_kb = 815;
	pass();
	again = true;
	pass();
	KUNIT_EXPECT_EQ(test, of(key)->nr, 3);
	KUNIT_EXPECT_EQ(test, of(key)->point[2].live, 815);
	again = false;
	lw_history_watch(NULL);
	pass();
	KUNIT_EXPECT_NULL(test, of(key));
}

/* Who comes and goes gives back its place each time. */
static void places_again(struct kunit *test)
{
	u32 site = site_of(SMALL, 1, 0), i;

	lw_site_charge(site, 1);
	lw_history_watch(say_some);
	for (i = 0; i < 5 * POOL; i++) {
		saying = i & 1;
		pass();
		KUNIT_ASSERT_EQ(test, !!of(lw_history_whole(SAID)), saying);
		KUNIT_ASSERT_EQ(test, lw_history_used(), 1 + LW_NR_CLASSES + saying);
	}
	KUNIT_EXPECT_EQ(test, of(site)->point[0].live, 1);
	KUNIT_EXPECT_EQ(test, lw_history_refused(), 0);
}

/* Spacing doubles; the first point stays, all points are evenly spaced, and none is made up. */
static void doubling(struct kunit *test)
{
	u32 one = site_of(SMALL, 1, 0), i, spacing, start = time;
	const struct history *history;
	unsigned int n;

	for (n = 0; n < 5000; n++) {
		lw_site_charge(one, 1);
		pass();
		history = of(one);
		KUNIT_ASSERT_NOT_NULL(test, history);
		/* whatever the last point is */
		KUNIT_ASSERT_EQ(test, lw_history_last(history->key), n + 1);
		KUNIT_ASSERT_LE(test, (u32)history->nr, LW_POINTS);
		KUNIT_ASSERT_TRUE(test, n < LW_POINTS ? history->nr == n + 1 :
				  history->nr > LW_POINTS / 2);
		spacing = 10 * LW_CLOCK_HZ << history->shift;
		if (n % 97)
			continue;
		for (i = 0; i < history->nr; i++) {
			KUNIT_ASSERT_EQ(test, history->point[i].at, start + i * spacing);
			KUNIT_ASSERT_EQ(test, history->point[i].live, 1 + (i << history->shift));
		}
		KUNIT_ASSERT_LT(test, time - history->point[history->nr - 1].at,
				spacing + 10 * LW_CLOCK_HZ);
	}
	KUNIT_EXPECT_GE(test, 64U << history->shift, 5000U);
	KUNIT_EXPECT_LT(test, 32U << history->shift, 5000U);
}

/* The hours of a week, or where a kernel checks itself of a day, and what is said at their end. */
static void week(struct kunit *test)
{
	const unsigned int passes_in_all = IS_ENABLED(CONFIG_KASAN) ? 8640 : 60480;
	u32 leak = site_of(SMALL, 1, 0), churn = site_of(SMALL, 2, 0), full = site_of(SMALL, 3, 0);
	struct lw_judgement judged;
	unsigned int n;

	lw_site_charge(full, 900);
	lw_site_charge(churn, 10);
	for (n = 0; n < passes_in_all; n++) {
		if (!(n % 60))
			lw_site_charge(leak, 1);		/* one in ten minutes */
		if (n < 300)
			lw_site_charge(full, 3);
		lw_site_charge(churn, 10000 + n % 7);
		lw_site_uncharge(churn, 10000 + n % 7);
		pass();
	}
	lw_history_judge(leak, 64, LW_OLD_UNKNOWN, &judged);
	KUNIT_EXPECT_STREQ(test, lw_verdict_name(judged.verdict), "leak");
	KUNIT_EXPECT_EQ(test, judged.confidence, 99);
	KUNIT_EXPECT_GE(test, judged.growth, 6 * 64 - 8);
	KUNIT_EXPECT_LE(test, judged.growth, 6 * 64 + 8);
	KUNIT_EXPECT_GT(test, judged.since, passes_in_all * 10 / 100 * 97);
	lw_history_judge(churn, 64, LW_OLD_UNKNOWN, &judged);
	KUNIT_EXPECT_STREQ(test, lw_verdict_name(judged.verdict), "steady");
	lw_history_judge(full, 64, LW_OLD_UNKNOWN, &judged);
	KUNIT_EXPECT_STREQ(test, lw_verdict_name(judged.verdict), "steady");
	/* who has no history is unknown */
	lw_history_judge(site_of(SMALL, 9, 0), 64, LW_OLD_UNKNOWN, &judged);
	KUNIT_EXPECT_STREQ(test, lw_verdict_name(judged.verdict), "unknown");
}

/* A clock that goes back, or leaps, makes no growth. */
static void clock_jumps(struct kunit *test)
{
	u32 flat = site_of(SMALL, 1, 0), leak = site_of(SMALL, 2, 0);
	struct lw_judgement judged;
	unsigned int n, i;

	lw_site_charge(flat, 1000);
	for (n = 0; n < 40; n++) {
		lw_site_charge(leak, 10);
		pass();
		if (n == 12)
			time -= 50 * LW_CLOCK_HZ;
		if (n == 25)
			time += 86400 * LW_CLOCK_HZ;
	}
	for (i = 1; i < of(flat)->nr; i++)
		KUNIT_EXPECT_GE(test, of(flat)->point[i].at, of(flat)->point[i - 1].at);
	lw_history_judge(flat, 64, LW_OLD_UNKNOWN, &judged);
	KUNIT_EXPECT_STREQ(test, lw_verdict_name(judged.verdict), "steady");
	KUNIT_EXPECT_EQ(test, judged.growth, 0);
	lw_history_judge(leak, 64, LW_OLD_UNKNOWN, &judged);
	KUNIT_EXPECT_LE(test, judged.growth, 3600 * 64);
	KUNIT_EXPECT_GE(test, judged.growth, 0);
}

/* When places are gone what is idle, or small and not growing, gives way; the rest is counted. */
static void full_pool(struct kunit *test)
{
	u32 site[10], i;

	for (i = 0; i < ARRAY_SIZE(site); i++)
		site[i] = site_of(SMALL, 1 + i, 0);
	for (i = 0; i < 8; i++)
		lw_site_charge(site[i], 3);
	pass();
	KUNIT_EXPECT_EQ(test, lw_history_used(), POOL);
	KUNIT_EXPECT_EQ(test, lw_history_refused(), 0);
	KUNIT_EXPECT_NOT_NULL(test, of(lw_history_whole(LW_SLAB)));
	lw_site_charge(site[8], 1);	/* smaller than those that have one */
	pass();
	KUNIT_EXPECT_NULL(test, of(site[8]));
	KUNIT_EXPECT_EQ(test, lw_history_refused(), 1);
	/* one of them has nothing any more; the other gets its place when it grows */
	lw_site_uncharge(site[3], 3);
	pass();
	KUNIT_EXPECT_NULL(test, of(site[8]));
	lw_site_charge(site[8], 1);
	pass();
	KUNIT_EXPECT_NOT_NULL(test, of(site[8]));
	KUNIT_EXPECT_NULL(test, of(site[3]));
	/* what is far larger takes the place of what did not grow, not of what did */
	for (i = 0; i < 9; i++)
		if (i != 3 && i != 5)
			lw_site_charge(site[i], 1);
	pass();
	lw_site_charge(site[9], 1000);
	pass();
	KUNIT_EXPECT_NOT_NULL(test, of(site[9]));
	KUNIT_EXPECT_NULL(test, of(site[5]));
	KUNIT_EXPECT_NOT_NULL(test, of(site[4]));
	KUNIT_EXPECT_NOT_NULL(test, of(site[8]));
	KUNIT_EXPECT_NOT_NULL(test, of(lw_history_whole(LW_SLAB)));
	KUNIT_EXPECT_EQ(test, lw_history_used(), POOL);
}

/* Ages tell what was there in the middle: a queue of the same figures is no leak. */
static void ages(struct kunit *test)
{
	u32 one = site_of(SMALL, 1, 0), now, half, n;
	const struct lw_row *row = NULL;
	struct lw_rows *rows;
	u64 old;

	for (n = 0; n < 32; n++) {
		lw_site_charge(one, 10);
		pass();
	}
	now = lw_clock_now();
	KUNIT_ASSERT_TRUE(test, lw_history_half(one, &half));
	/* 15 points of 10 s before the last */
	KUNIT_EXPECT_GE(test, lw_clock_seconds(half, now), 148);
	KUNIT_EXPECT_LE(test, lw_clock_seconds(half, now), 154);
	KUNIT_EXPECT_FALSE(test, lw_history_half(site_of(SMALL, 7, 0), &half));

	/* all of them have just been allocated */
	for (n = 0; n < 320; n++)
		lw_live_add(BASE + 8 * n, one, &old);
	rows = lw_rows_get(BIT(LW_SLAB), LW_BY_CALLER, NULL);
	KUNIT_ASSERT_NOT_NULL(test, rows);
	for (n = 0; n < rows->nr; n++)
		if (rows->row[n].site == one)
			row = &rows->row[n];
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_EQ(test, row->old, 0);
	KUNIT_EXPECT_STREQ(test, lw_verdict_name(row->judged.verdict), "growing");
	lw_rows_put(rows);

	/* as if what is there had been there for long */
	last_tick = (now + 1000) & LW_TICK_MASK;
	rows = lw_rows_get(BIT(LW_SLAB), LW_BY_PATH, NULL);
	KUNIT_ASSERT_NOT_NULL(test, rows);
	row = NULL;
	for (n = 0; n < rows->nr; n++)
		if (rows->row[n].site == one)
			row = &rows->row[n];
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_EQ(test, row->old, 320);
	KUNIT_EXPECT_STREQ(test, lw_verdict_name(row->judged.verdict), "leak");
	lw_rows_put(rows);
}

/* What the kernel gives back by itself is never a leak. */
static void given_back(struct kunit *test)
{
	u32 kind = lw_site_get(lw_what_pages(0, (__force u32)GFP_HIGHUSER_MOVABLE), NULL, 0, NULL);
	u32 page = site_of(lw_what_pages(0, (__force u32)GFP_KERNEL), 1, 2);
	u32 vmap = lw_site_get(SMALL, (unsigned long[]){ FRAME(3) }, 1, NULL);

	lw_site_charge(kind, 1);
	lw_site_charge(page, 1);
	lw_site_charge(vmap, 1);
	pass();
	KUNIT_EXPECT_TRUE(test, lw_history_back(kind));
	KUNIT_EXPECT_FALSE(test, lw_history_back(page));
	KUNIT_EXPECT_FALSE(test, lw_history_back(vmap));
	KUNIT_EXPECT_FALSE(test, lw_history_back(site_of(SMALL, 9, 0)));
}

static struct kunit_case history_cases[] = {
	KUNIT_CASE(who),
	KUNIT_CASE(wholes),
	KUNIT_CASE(places_again),
	KUNIT_CASE(doubling),
	KUNIT_CASE(week),
	KUNIT_CASE(clock_jumps),
	KUNIT_CASE(full_pool),
	KUNIT_CASE(ages),
	KUNIT_CASE(given_back),
	{}
};

static struct kunit_suite history_suite = {
	.name = "leakwatch_history",
	.init = history_test_init,
	.exit = history_test_exit,
	.test_cases = history_cases,
};

kunit_test_suite(history_suite);

MODULE_LICENSE("GPL");

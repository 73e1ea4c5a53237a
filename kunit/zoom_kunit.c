// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of zoom and suspect: who gets paths where not all do, and how many. */
#include <kunit/test.h>
#include <linux/module.h>
#include "../module/track/zoom.c"
#include <leakwatch/cache.h>
#include <leakwatch/history.h>
#include <leakwatch/live.h>
#include <leakwatch/mark.h>
#include <leakwatch/pages.h>
#include <leakwatch/path.h>
#include <leakwatch/suspect.h>

#define SITES		512
#define HISTORIES	64
#define FRAME(nr)	((unsigned long)(0xffffffff81000000ULL + 16 * (nr)))
#define SMALL		lw_what_kmalloc(64, 0)

static u32 time;	/* in tenths of a second */

static int zoom_test_init(struct kunit *test)
{
	int err;

	time = 1000;
	lw_zoom_rate = LW_ZOOM_RATE_DEFAULT;
	lw_stacks = LW_STACKS_ZOOM;
	lw_stats_clear();
	err = lw_live_init(LW_LIVE_MIN, PAGE_OFFSET, 1 << 20) ?: lw_pages_init(0, NULL) ?:
	      lw_sites_init(SITES) ?: lw_mark_init() ?: lw_cache_init() ?:
	      lw_history_init(HISTORIES);
	if (!err)
		lw_watch_start();
	return err;
}

static void zoom_test_exit(struct kunit *test)
{
	lw_zoom_set(NULL, 0);
	lw_history_exit();
	lw_cache_exit();
	lw_mark_exit();
	lw_sites_exit();
	lw_pages_exit();
	lw_live_exit();
}

static u32 call_of(lw_what_t what, unsigned long nr)
{
	unsigned long frame = FRAME(nr);

	return lw_site_get(what, &frame, 1, NULL);
}

static bool is_met(u32 id)
{
	return lw_site_met(lw_sites[id].what, lw_sites[id].call) == &lw_sites[id];
}

/* What is zoomed at is looked for each time, and is the same site; nobody else is touched. */
static void zoomed_is_not_met(struct kunit *test)
{
	u32 one = call_of(SMALL, 1), two = call_of(SMALL, 2), three = call_of(SMALL, 3);
	u32 both[] = { one, two };

	KUNIT_EXPECT_TRUE(test, is_met(one) && is_met(two) && is_met(three));
	lw_zoom_set(both, 2);
	KUNIT_EXPECT_EQ(test, lw_zoom_sites(), 2);
	KUNIT_EXPECT_TRUE(test, lw_zoom_at(one) && lw_zoom_at(two));
	KUNIT_EXPECT_FALSE(test, lw_zoom_at(three));
	KUNIT_EXPECT_FALSE(test, is_met(one) || is_met(two));
	KUNIT_EXPECT_TRUE(test, is_met(three));
	KUNIT_EXPECT_EQ(test, call_of(SMALL, 1), one);
	KUNIT_EXPECT_FALSE(test, is_met(one));

	/* another choice; who was not met then comes back when asked for next */
	lw_zoom_set(&both[1], 1);
	KUNIT_EXPECT_FALSE(test, lw_zoom_at(one));
	KUNIT_EXPECT_TRUE(test, lw_zoom_at(two));
	KUNIT_EXPECT_EQ(test, call_of(SMALL, 1), one);
	KUNIT_EXPECT_TRUE(test, is_met(one));
	lw_zoom_set(NULL, 0);
	KUNIT_EXPECT_EQ(test, lw_zoom_sites(), 0);
	KUNIT_EXPECT_FALSE(test, lw_zoom_at(two));
}

static unsigned int take(unsigned int times)
{
	unsigned int taken = 0;

	while (times--)
		taken += lw_zoom_take();
	return taken;
}

/* So many in a tick; the test may be at the turn of two. */
static void budget(struct kunit *test)
{
	unsigned int taken, rate;

	for (rate = 0; rate <= 5; rate += 5) {
		lw_zoom_rate = rate;
		tick = lw_clock_now() - 1;
		lw_stats_clear();
		taken = take(100);
		KUNIT_EXPECT_GE(test, taken, rate);
		KUNIT_EXPECT_LE(test, taken, 2 * rate);
		KUNIT_EXPECT_EQ(test, lw_stat_read(LW_ZOOMED), taken);
		KUNIT_EXPECT_EQ(test, lw_stat_read(LW_ZOOM_OVER), 100 - taken);
	}
	/* the next tick brings more */
	tick = lw_clock_now() - 1;
	KUNIT_EXPECT_TRUE(test, lw_zoom_take());
	KUNIT_EXPECT_EQ(test, lw_stats_lost(), 0);
}

static void pass(void)
{
	lw_history_sample(time);
	time += 10 * LW_CLOCK_HZ;
}

/* Those that grow, by bytes; not what is steady or shrinks, is no call site, or no slab object. */
static void suspects(struct kunit *test)
{
	unsigned long path[] = { FRAME(9), FRAME(10) };
	u32 slow = call_of(SMALL, 1), fast = call_of(SMALL, 2), steady = call_of(SMALL, 3);
	u32 shrinks = call_of(SMALL, 4), big = call_of(lw_what_kmalloc(4096, 0), 5);
	u32 pages = call_of(lw_what_pages(0, 0xcc0), 6);
	u32 below = lw_site_get(SMALL, path, 2, NULL), got[LW_ZOOM_SITES];
	unsigned int i;

	lw_site_charge(steady, 10000);
	lw_site_charge(shrinks, 10000);
	for (i = 0; i < 8; i++) {
		if (i == 2)
			KUNIT_EXPECT_EQ(test, lw_suspects_get(got, LW_ZOOM_SITES), 0);
		lw_site_charge(slow, 10);
		lw_site_charge(fast, 100);
		lw_site_charge(big, 3);
		lw_site_charge(pages, 50);
		lw_site_charge(below, 1000);
		lw_site_uncharge(shrinks, 100);
		pass();
	}
	KUNIT_ASSERT_EQ(test, lw_suspects_get(got, LW_ZOOM_SITES), 4);
	KUNIT_EXPECT_EQ(test, got[0], lw_sites[below].parent);	/* it has its path's */
	KUNIT_EXPECT_EQ(test, got[1], big);
	KUNIT_EXPECT_EQ(test, got[2], fast);
	KUNIT_EXPECT_EQ(test, got[3], slow);
	KUNIT_ASSERT_EQ(test, lw_suspects_get(got, 2), 2);
	KUNIT_EXPECT_EQ(test, got[0], lw_sites[below].parent);
	KUNIT_EXPECT_EQ(test, got[1], big);
	KUNIT_EXPECT_EQ(test, lw_suspects_get(got, 0), 0);

	lw_suspects_zoom();
	KUNIT_EXPECT_EQ(test, lw_zoom_sites(), 4);
	KUNIT_EXPECT_TRUE(test, lw_zoom_at(slow));
	KUNIT_EXPECT_FALSE(test, lw_zoom_at(steady) || lw_zoom_at(shrinks) || lw_zoom_at(pages) ||
			   lw_zoom_at(below));
	lw_stacks = LW_STACKS_ALL;
	lw_suspects_zoom();
	KUNIT_EXPECT_EQ(test, lw_zoom_sites(), 0);

	/* what is forgotten is no suspect */
	lw_stacks = LW_STACKS_ZOOM;
	lw_suspects_zoom();
	KUNIT_EXPECT_EQ(test, lw_zoom_sites(), 4);
	lw_history_clear();
	KUNIT_EXPECT_EQ(test, lw_zoom_sites(), 0);
}

/* There is an end to it, and those that are left out have grown less. */
static void too_many(struct kunit *test)
{
	u32 id[2 * LW_ZOOM_SITES], got[LW_ZOOM_SITES];
	unsigned int i, k;

	for (k = 0; k < 5; k++) {
		for (i = 0; i < ARRAY_SIZE(id); i++) {
			id[i] = call_of(SMALL, i + 1);
			lw_site_charge(id[i], 1 + i * 7 % ARRAY_SIZE(id));
		}
		pass();
	}
	KUNIT_ASSERT_EQ(test, lw_suspects_get(got, LW_ZOOM_SITES), LW_ZOOM_SITES);
	for (i = 0; i < ARRAY_SIZE(id); i++) {
		unsigned int rank = ARRAY_SIZE(id) - 1 - i * 7 % ARRAY_SIZE(id);

		if (rank < LW_ZOOM_SITES)
			KUNIT_EXPECT_EQ(test, got[rank], id[i]);
	}
}

static struct kunit_case zoom_cases[] = {
	KUNIT_CASE(zoomed_is_not_met),
	KUNIT_CASE(budget),
	KUNIT_CASE(suspects),
	KUNIT_CASE(too_many),
	{}
};

static struct kunit_suite zoom_suite = {
	.name = "leakwatch_zoom",
	.init = zoom_test_init,
	.exit = zoom_test_exit,
	.test_cases = zoom_cases,
};

kunit_test_suite(zoom_suite);
MODULE_LICENSE("GPL");

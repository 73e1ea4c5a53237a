// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of filter: what is in the table passes, at every moment. */
#include <kunit/test.h>
#include <linux/module.h>
#include <leakwatch/door.h>
#include <leakwatch/sample.h>
#include <leakwatch/stats.h>
#include "../module/track/filter.c"
#include "race.h"

#define BASE	0x10000000UL
#define SPAN	(1UL << 24)
#define NR	4096

static int filter_test_init(struct kunit *test)
{
	lw_stats_clear();
	lw_filter_clear();
	return lw_live_init(2 * NR, BASE, SPAN) ?: lw_sites_init(512);
}

static void filter_test_exit(struct kunit *test)
{
	lw_sample_set(0);
	lw_sites_exit();
	lw_live_exit();
}

static unsigned long address(unsigned int nr)
{
	return BASE + nr * 72;
}

static u32 a_site(lw_what_t what)
{
	unsigned long call = 16;

	return lw_site_get(what, &call, 1, NULL);
}

/* The sum of all counters; one below 0 would be LW_FILTER_MOST. */
static long counted(struct kunit *test)
{
	const u8 *counter = (const u8 *)lw_filter;
	unsigned int i, most = 0;
	long sum = 0;

	for (i = 0; i < COUNTERS; i++) {
		most = max_t(unsigned int, most, counter[i]);
		sum += counter[i];
	}
	KUNIT_EXPECT_LT(test, most, LW_FILTER_MOST);
	return sum;
}

static long live(u32 site)
{
	struct lw_count count;

	lw_site_counts(site, &count);
	return count.allocs - count.frees;
}

static void counts(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, lw_filter_has(BASE));
	lw_filter_add(BASE);
	lw_filter_add(BASE);
	KUNIT_EXPECT_TRUE(test, lw_filter_has(BASE));
	lw_filter_sub(BASE);
	KUNIT_EXPECT_TRUE(test, lw_filter_has(BASE));
	lw_filter_sub(BASE);
	KUNIT_EXPECT_FALSE(test, lw_filter_has(BASE));
	KUNIT_EXPECT_EQ(test, lw_filter_load(), 0);
}

/* An entry for each fourth counter: about as many frees look in the table for nothing. */
static void load(struct kunit *test)
{
	unsigned long i;

	for (i = 0; i < COUNTERS / 4; i++)
		lw_filter_add(BASE + i * 264);
	KUNIT_EXPECT_GE(test, lw_filter_load(), 15);
	KUNIT_EXPECT_LE(test, lw_filter_load(), 25);
}

/* What is drawn is counted, what is not stored is not, and what replaces another is one. */
static void drawn(struct kunit *test)
{
	u32 site = a_site(lw_what_drawn(lw_what_kmalloc(64, 0), 8)), i;

	for (i = 0; i < NR; i++)
		lw_object_put(site, (void *)address(i));
	KUNIT_EXPECT_EQ(test, counted(test), NR);
	lw_object_put(site, (void *)address(7));	/* its free was missed */
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_MISSED_OBJECTS), 1);
	lw_object_put(site, (void *)(BASE + SPAN));	/* not covered */
	lw_object_put(site, NULL);
	lw_object_put(LW_SITE_NOBODY, (void *)address(NR));
	KUNIT_EXPECT_EQ(test, counted(test), NR);
	for (i = 0; i < NR; i++) {
		KUNIT_ASSERT_TRUE(test, lw_filter_has(address(i)));
		lw_object_free_drawn((void *)address(i));
		lw_object_free_drawn((void *)address(i));	/* nobody waits for it now */
	}
	lw_object_free_drawn(NULL);
	lw_object_free_drawn(ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, counted(test), 0);
	KUNIT_EXPECT_EQ(test, live(site), 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_UNMATCHED_OBJECTS), 0);
}

/* A full table: what finds no room is not counted. */
static void full(struct kunit *test)
{
	u32 site = a_site(lw_what_drawn(lw_what_kmalloc(64, 0), 8)), i;

	for (i = 0; i < 4 * NR; i++)
		lw_object_put(site, (void *)address(i));
	KUNIT_EXPECT_GT(test, lw_stat_read(LW_LOST_LIVE_FULL), 0);
	KUNIT_EXPECT_EQ(test, counted(test) + lw_stat_read(LW_LOST_LIVE_FULL), 4 * NR);
	for (i = 0; i < 4 * NR; i++)
		lw_object_free_drawn((void *)address(i));
	KUNIT_EXPECT_EQ(test, counted(test), 0);
}

/* What was there before the mode changed is found after, tombstones excepted. */
static void fills(struct kunit *test)
{
	u32 site = a_site(lw_what_kmalloc(64, 0)), i;

	for (i = 0; i < 100; i++)
		lw_object_put(site, (void *)address(i));
	lw_object_give((void *)address(3));
	KUNIT_EXPECT_EQ(test, counted(test), 0);	/* exact: nothing is counted */
	lw_filter_open();
	for (i = 0; i < 200; i++)
		KUNIT_EXPECT_TRUE(test, lw_filter_has(address(i)));
	lw_object_free_drawn((void *)address(5));
	lw_object_free_drawn((void *)address(150));
	lw_filter_fill();
	KUNIT_EXPECT_EQ(test, counted(test), 98);
	for (i = 0; i < 100; i++) {
		if (i != 3 && i != 5)
			KUNIT_EXPECT_TRUE(test, lw_filter_has(address(i)));
		lw_object_free_drawn((void *)address(i));
	}
	KUNIT_EXPECT_EQ(test, counted(test), 0);
	KUNIT_EXPECT_EQ(test, live(site), 0);
}

struct worker {
	unsigned int id;
	unsigned int of;
	u32 site;
};

static atomic_t working;

/* Free what is one's own, then allocate and free it again and again. */
static void work(void *arg)
{
	struct worker *worker = arg;
	unsigned long round, rounds = race_many(400);
	unsigned int i;

	for (i = worker->id; i < NR; i += worker->of)
		lw_object_free_drawn((void *)address(i));
	atomic_dec(&working);
	while (atomic_read(&working))		/* until then nobody may allocate */
		cond_resched();
	for (round = 0; round < rounds; round++)
		for (i = worker->id; i < NR; i += 16 * worker->of) {
			lw_object_put(worker->site, (void *)address(i));
			lw_object_free_drawn((void *)address(i));
		}
}

static void fill_meanwhile(void *unused)
{
	lw_filter_fill();
	atomic_dec(&working);
}

static void do_work(void *arg)
{
	struct worker *worker = arg;

	if (worker->id == worker->of)
		fill_meanwhile(NULL);
	else
		work(worker);
}

/* Frees beside a fill: none is lost, whatever the order. Then frees beside draws. */
static void races(struct kunit *test)
{
	static const unsigned int thread_counts[] = { 1, 2, 3, 7 };
	u32 before = a_site(lw_what_kmalloc(64, 0));
	u32 after = a_site(lw_what_drawn(lw_what_kmalloc(64, 0), 8));
	struct worker worker[RACE_MAX];
	unsigned int i, nr, n;
	long left;

	for (n = 0; n < ARRAY_SIZE(thread_counts); n++) {
		nr = thread_counts[n];
		for (i = 0; i < NR; i++)
			lw_object_put(i % 2 ? before : after, (void *)address(i));
		lw_filter_open();
		atomic_set(&working, nr + 1);
		for (i = 0; i <= nr; i++)
			worker[i] = (struct worker){ .id = i, .of = nr, .site = after };
		race(test, nr + 1, do_work, worker, sizeof(*worker));
		KUNIT_EXPECT_EQ(test, live(before), 0);
		KUNIT_EXPECT_EQ(test, live(after), 0);
		left = counted(test);		/* of what was freed while it was filled */
		kunit_info(test, "%u threads: %ld too high\n", nr, left);
		KUNIT_EXPECT_LE(test, left, NR);
		lw_filter_clear();
	}
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_LOST_FREE), 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_MISSED_OBJECTS), 0);
}

static struct kunit_case filter_cases[] = {
	KUNIT_CASE(counts),
	KUNIT_CASE(load),
	KUNIT_CASE(drawn),
	KUNIT_CASE(full),
	KUNIT_CASE(fills),
	KUNIT_CASE(races),
	{}
};

static struct kunit_suite filter_suite = {
	.name = "leakwatch_filter",
	.init = filter_test_init,
	.exit = filter_test_exit,
	.test_cases = filter_cases,
};

kunit_test_suite(filter_suite);

MODULE_LICENSE("GPL");

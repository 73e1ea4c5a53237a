// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of triage: what is found of each place. */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <leakwatch/cache.h>
#include <leakwatch/mark.h>
#include <leakwatch/pages.h>
#include "../module/judge/triage.c"

#define FRAME(nr)	((unsigned long)(0xffffffff81000000ULL + 16 * (nr)))
#define BOTH		(BIT(LW_SLAB) | BIT(LW_PAGE))
#define PAGE		lw_what_pages(0, (__force u32)GFP_KERNEL)

static struct lw_rows *rows;
static struct lw_growers *growers;
static u32 time;

static int triage_test_init(struct kunit *test)
{
	int err;

	time = 1000;
	rows = kunit_kzalloc(test, struct_size(rows, row, 4), GFP_KERNEL);
	growers = kunit_kzalloc(test, struct_size(growers, grower, 4), GFP_KERNEL);
	if (!rows || !growers)
		return -ENOMEM;
	err = lw_pages_init(0, NULL) ?: lw_sites_init(512) ?: lw_mark_init() ?: lw_cache_init() ?:
	      lw_history_init(64);
	if (!err)
		lw_watch_start();
	return err;
}

static void triage_test_exit(struct kunit *test)
{
	lw_history_watch(NULL);
	lw_history_exit();
	lw_cache_exit();
	lw_mark_exit();
	lw_sites_exit();
	lw_pages_exit();
}

static void pass(unsigned int nr)
{
	while (nr--) {
		lw_history_sample(time);
		time += 10 * LW_CLOCK_HZ;
	}
}

static u32 site_of(lw_what_t what, unsigned long first, unsigned long second)
{
	unsigned long frames[] = { FRAME(first), FRAME(second) };

	return lw_site_get(what, frames, second ? 2 : 1, NULL);
}

static void add_row(u32 site, long live, u32 size, enum lw_verdict verdict, s64 growth, u32 since)
{
	rows->row[rows->nr++] = (struct lw_row){
		.site = site, .live = live, .size = size,
		.judged = {
			.verdict = verdict, .growth = growth, .confidence = 90 + rows->nr,
			.since = since,
		},
	};
}

/* Nobody watches, the class is off, too early: unknown, and why. */
static void unknown(struct kunit *test)
{
	struct lw_finding found;

	lw_place_find(LW_PLACE_USER_JAVA, rows, growers, BOTH, &found);
	KUNIT_EXPECT_EQ(test, found.judged.verdict, LW_UNKNOWN);
	KUNIT_EXPECT_NOT_NULL(test, found.why);
	KUNIT_EXPECT_EQ(test, found.bytes, -1);
	lw_place_find(LW_PLACE_PAGE, rows, growers, BIT(LW_SLAB), &found);
	KUNIT_EXPECT_EQ(test, found.judged.verdict, LW_UNKNOWN);
	KUNIT_EXPECT_NOT_NULL(test, found.why);
	lw_site_charge(site_of(PAGE, 1, 0), 5);
	pass(3);
	lw_place_find(LW_PLACE_PAGE, rows, growers, BOTH, &found);
	KUNIT_EXPECT_EQ(test, found.judged.verdict, LW_UNKNOWN);
	KUNIT_EXPECT_NULL(test, found.why);
	KUNIT_EXPECT_EQ(test, found.samples, 3);
	KUNIT_EXPECT_EQ(test, found.bytes, 5 * PAGE_SIZE);
	pass(20);
	lw_place_find(LW_PLACE_PAGE, rows, growers, BOTH, &found);
	KUNIT_EXPECT_EQ(test, found.judged.verdict, LW_STEADY);
}

/* What leaks is added up, in its own class alone; the whole never is a leak by itself. */
static void leaks(struct kunit *test)
{
	u32 one = site_of(lw_what_kmalloc(64, 0), 1, 0);
	u32 two = site_of(lw_what_kmalloc(96, 0), 2, 0);
	u32 page = site_of(PAGE, 3, 0);
	struct lw_finding found;
	unsigned int i;

	for (i = 0; i < 40; i++) {
		lw_site_charge(page, 3);
		pass(1);
	}
	lw_place_find(LW_PLACE_PAGE, rows, growers, BOTH, &found);
	KUNIT_EXPECT_EQ(test, found.judged.verdict, LW_GROWING);
	add_row(one, 100, 64, LW_LEAK, 1000, 300);
	add_row(two, 10, 96, LW_LEAK, 5000, 200);
	add_row(page, 120, PAGE_SIZE, LW_GROWING, 999999, 390);
	lw_place_find(LW_PLACE_SLAB, rows, growers, BOTH, &found);
	KUNIT_EXPECT_EQ(test, found.judged.verdict, LW_LEAK);
	KUNIT_EXPECT_EQ(test, found.judged.growth, 6000);
	KUNIT_EXPECT_EQ(test, found.judged.since, 200);
	KUNIT_EXPECT_EQ(test, found.bytes, 7360);
	lw_place_find(LW_PLACE_PAGE, rows, growers, BOTH, &found);
	KUNIT_EXPECT_EQ(test, found.judged.verdict, LW_GROWING);
	rows->row[2].judged.verdict = LW_LEAK;
	lw_place_find(LW_PLACE_PAGE, rows, growers, BOTH, &found);
	KUNIT_EXPECT_EQ(test, found.judged.verdict, LW_LEAK);
	KUNIT_EXPECT_EQ(test, found.judged.growth, 999999);
}

static void say_more(void)
{
	static u64 kb;

	lw_history_say(LW_PLACE_USER_SHMEM, kb += 8);
}

/* The whole of a place without sites grows, that it leaks is said by its processes. */
static void by_process(struct kunit *test)
{
	static const struct lw_member mixer = { .kb = { 0, 100, 20 } };
	static const struct lw_member video = { .kb = { 0, 7, 300 } };
	struct lw_finding found;

	lw_history_watch(say_more);
	pass(40);
	lw_place_find(LW_PLACE_USER_SHMEM, rows, growers, 0, &found);
	KUNIT_EXPECT_EQ(test, found.judged.verdict, LW_GROWING);
	KUNIT_EXPECT_EQ(test, found.judged.growth, 8 * 1024 * 360);
	KUNIT_EXPECT_EQ(test, found.bytes, 40 * 8 * 1024);
	growers->nr = 3;
	growers->grower[0] = (struct lw_grower){
		&video, LW_PART_SHARED, { LW_LEAK, 99, 7 * 1024 * 360, 390 }
	};
	growers->grower[1] = (struct lw_grower){ &mixer, LW_PART_OWN, { LW_LEAK, 99, 5000, 390 } };
	growers->grower[2] = (struct lw_grower){
		&mixer, LW_PART_SHARED, { LW_GROWING, 96, 9999, 390 }
	};
	lw_place_find(LW_PLACE_USER_SHMEM, rows, growers, 0, &found);
	KUNIT_EXPECT_EQ(test, found.judged.verdict, LW_LEAK);
	KUNIT_EXPECT_EQ(test, found.judged.growth, 7 * 1024 * 360);
	KUNIT_EXPECT_EQ(test, found.grown, 8 * 1024 * 360);
	KUNIT_EXPECT_EQ(test, found.bytes, 300 * 1024);
	lw_place_find(LW_PLACE_USER_NATIVE, rows, growers, 0, &found);
	KUNIT_EXPECT_EQ(test, found.judged.verdict, LW_LEAK);
	KUNIT_EXPECT_EQ(test, found.bytes, 100 * 1024);
	KUNIT_EXPECT_EQ(test, found.grown, 0);
}

static void heaviest_path(struct kunit *test)
{
	u32 one = site_of(PAGE, 1, 2), two = site_of(PAGE, 1, 3), call = lw_sites[one].parent;
	u32 alone = site_of(PAGE, 4, 0);

	lw_site_charge(one, 5);
	lw_site_charge(two, 500);
	lw_site_uncharge(two, 490);
	KUNIT_EXPECT_EQ(test, lw_suspect_path(call), two);
	lw_site_uncharge(two, 10);
	KUNIT_EXPECT_EQ(test, lw_suspect_path(call), one);
	KUNIT_EXPECT_EQ(test, lw_suspect_path(alone), alone);
}

/* A path that leaks goes before one that has more. */
static void worst_path(struct kunit *test)
{
	u32 leak = site_of(PAGE, 5, 6), much = site_of(PAGE, 5, 7), i;

	lw_site_charge(much, 900);
	for (i = 0; i < 40; i++) {
		lw_site_charge(leak, 2);
		pass(1);
	}
	KUNIT_EXPECT_EQ(test, lw_suspect_path(lw_sites[leak].parent), leak);
}

static struct kunit_case triage_cases[] = {
	KUNIT_CASE(unknown),
	KUNIT_CASE(leaks),
	KUNIT_CASE(by_process),
	KUNIT_CASE(heaviest_path),
	KUNIT_CASE(worst_path),
	{}
};

static struct kunit_suite triage_suite = {
	.name = "leakwatch_triage",
	.init = triage_test_init,
	.exit = triage_test_exit,
	.test_cases = triage_cases,
};

kunit_test_suite(triage_suite);

MODULE_LICENSE("GPL");

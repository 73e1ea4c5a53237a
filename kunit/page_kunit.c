// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of hook/page: which pages of a bulk allocation have had their draw. */
#include <kunit/test.h>
#include <linux/module.h>
#include <leakwatch/stats.h>
#include "../module/hook/page.c"
#include "regs.h"

static bool any(unsigned long pfn)
{
	return true;
}

static int page_test_init(struct kunit *test)
{
	lw_stats_clear();
	lw_sample_init(7);
	return lw_sites_init(512) ?: lw_pages_init(LW_CHUNK_FRAMES, any);
}

static void page_test_exit(struct kunit *test)
{
	lw_sample_set(0);
	lw_pages_exit();
	lw_sites_exit();
}

/* Any frames do: nobody looks at the pages. */
#define FIRST	100UL

/*
 * A bulk allocation of two pages, with a point on each. @fallback: which of them an event tells of
 * meanwhile, on this CPU, or -1. Return: a bit for each that then has an entry.
 */
static unsigned int allocate(int fallback)
{
	unsigned long stack[2] = { _RET_IP_ }, path = 16;
	struct page *array[2] = {};
	unsigned int i, taken = 0;
	struct pt_regs regs;
	struct bulk bulk;

	lw_pages_clear();
	regs_at_entry(&regs, (unsigned long)allocate, stack);
	regs_set_arg(&regs, 0, (__force unsigned long)GFP_KERNEL);
	regs_set_arg(&regs, 3, ARRAY_SIZE(array));
#ifdef LW_BULK_HAS_LIST
	regs_set_arg(&regs, 4, 0);
	regs_set_arg(&regs, 5, (unsigned long)array);
#else
	regs_set_arg(&regs, 4, (unsigned long)array);
#endif
	pages_bulk_enter(&bulk, &regs);
	bulk.site = lw_site_get(lw_what_drawn(lw_what_pages(0, 0), bulk.draw.rate), &path, 1, NULL);
	if (fallback >= 0)
		this_cpu_write(lw_page_last, pfn_to_page(FIRST + fallback));
	for (i = 0; i < ARRAY_SIZE(array); i++) {
		bulk.draw.at = 0;
		bulk_page(&bulk, pfn_to_page(FIRST + i));
		taken |= !!lw_pages_get(FIRST + i) << i;
	}
	return taken;
}

/* The one that had an event has had its draw; one that had it before, and was freed, has not. */
static void fallback(struct kunit *test)
{
	unsigned int taken[4];

	lw_sample_set(LW_RATE_MIN);
	preempt_disable();
	this_cpu_write(lw_page_last, NULL);
	taken[0] = allocate(-1);
	taken[1] = allocate(1);
	this_cpu_write(lw_page_last, pfn_to_page(FIRST));
	taken[2] = allocate(-1);
	this_cpu_write(lw_page_last, pfn_to_page(FIRST));
	taken[3] = allocate(1);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, taken[0], 3);
	KUNIT_EXPECT_EQ(test, taken[1], 1);
	KUNIT_EXPECT_EQ(test, taken[2], 3);
	KUNIT_EXPECT_EQ(test, taken[3], 1);
}

/* A page with a migration of its own is compaction's, unless it may have been left out before. */
static void moves_itself(struct kunit *test)
{
	struct page *page = pfn_to_page(FIRST);

	lw_pages_clear();
	lw_movable = false;
	movable((unsigned long)page, 0, 0);
	KUNIT_EXPECT_EQ(test, lw_pages_get(FIRST), 0);
	lw_movable = true;
	lw_sample_set(LW_RATE_MIN);
	movable((unsigned long)page, 0, 0);
	KUNIT_EXPECT_EQ(test, lw_pages_get(FIRST), 0);
	lw_sample_set(0);
	movable((unsigned long)page, 0, 0);
	KUNIT_EXPECT_EQ(test, lw_entry_site(lw_pages_get(FIRST)), LW_SITE_MIGRATION);
}

static struct kunit_case page_cases[] = {
	KUNIT_CASE(fallback),
	KUNIT_CASE(moves_itself),
	{}
};

static struct kunit_suite page_suite = {
	.name = "leakwatch_page",
	.init = page_test_init,
	.exit = page_test_exit,
	.test_cases = page_cases,
};

kunit_test_suite(page_suite);

MODULE_LICENSE("GPL");

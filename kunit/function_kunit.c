// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of hook/function and hook/probe: allocators that call each other, and which functions
 * there are. Nothing is hooked; calls are made up.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <leakwatch/stats.h>
#include "regs.h"
#include "../module/hook/function.c"

#define BYTES	PAGE_SIZE

static char *buffer;

static int function_test_init(struct kunit *test)
{
	buffer = (char *)__get_free_page(GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	lw_sample_set(0);
	lw_stats_clear();
	return lw_live_init(LW_LIVE_MIN, (unsigned long)buffer, BYTES) ?: lw_sites_init(512) ?:
	       lw_cache_init();
}

static void function_test_exit(struct kunit *test)
{
	lw_sample_set(0);
	lw_cache_exit();
	lw_sites_exit();
	lw_live_exit();
	free_page((unsigned long)buffer);
}

static u32 site_of(unsigned long nr, u32 rate)
{
	unsigned long frame = 0xffffffff81000000UL + 16 * nr;

	return lw_site_get(lw_what_drawn(lw_what_kmalloc(64, 0), rate), &frame, 1, NULL);
}

static void leave(const struct call *call, const void *object)
{
	struct pt_regs regs;

	object_leave((void *)call, regs_at_return(&regs, object));
}

/* What has been allocated and freed by a site. */
static void expect_counts(struct kunit *test, u32 site, unsigned long allocs, unsigned long frees)
{
	struct lw_count count;

	lw_site_counts(site, &count);
	KUNIT_EXPECT_EQ(test, count.allocs, allocs);
	KUNIT_EXPECT_EQ(test, count.frees, frees);
}

/* How many entries frees look for. */
static int waited_for(void)
{
	const u8 *counter = (const u8 *)lw_filter;
	int i, sum = 0;

	for (i = 0; i < 1 << LW_FILTER_BITS; i++)
		sum += counter[i];
	return sum;
}

/* Both return the object, the outer one last: it alone has allocated it. */
static void outer_stands(struct kunit *test)
{
	const struct call inner = { .site = site_of(1, 0) }, outer = { .site = site_of(2, 0) };

	preempt_disable();
	leave(&inner, buffer);
	leave(&outer, buffer);
	preempt_enable();
	expect_counts(test, inner.site, 0, 0);
	expect_counts(test, outer.site, 1, 0);
	lw_object_free_either(buffer);
	expect_counts(test, outer.site, 1, 1);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_MISSED_OBJECTS), 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_UNMATCHED_OBJECTS), 0);
}

/* Drawn are those that the outer one drew, whatever the inner one did. */
static void outer_draws(struct kunit *test)
{
	struct call inner = { .site = site_of(1, 3) }, outer = { .site = site_of(2, 3) };
	int drawn;

	lw_sample_set(3);
	for (drawn = 0; drawn < 4; drawn++) {
		inner.none = !(drawn & 1);
		outer.none = !(drawn & 2);
		preempt_disable();
		leave(&inner, buffer + 64 * drawn);
		leave(&outer, buffer + 64 * drawn);
		preempt_enable();
	}
	KUNIT_EXPECT_EQ(test, waited_for(), 2);
	expect_counts(test, inner.site, 0, 0);
	expect_counts(test, outer.site, 2, 0);
	for (drawn = 0; drawn < 4; drawn++)
		lw_object_free_either(buffer + 64 * drawn);
	expect_counts(test, inner.site, 0, 0);
	expect_counts(test, outer.site, 2, 2);
}

/* Another object, or another call that began in between: neither is inside of the other. */
static void one_by_one(struct kunit *test)
{
	const struct call one = { .site = site_of(1, 0) }, two = { .site = site_of(2, 0) };

	preempt_disable();
	leave(&one, buffer);
	leave(&two, buffer + 64);
	this_cpu_write(put_last, 0);	/* as object_enter() does */
	leave(&two, buffer);		/* its free was missed */
	preempt_enable();
	expect_counts(test, one.site, 1, 1);
	expect_counts(test, two.site, 2, 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_MISSED_OBJECTS), 1);
}

/* What stays in its place is not new; what moves is, whether the inner one was heard or not. */
static void moved_or_not(struct kunit *test)
{
	const struct call inner = { .site = site_of(1, 0) };
	struct call outer = { .site = site_of(2, 0), .old = buffer };
	struct pt_regs regs;

	preempt_disable();
	leave(&inner, buffer);
	realloc_leave(&outer, regs_at_return(&regs, buffer));
	realloc_leave(&outer, regs_at_return(&regs, NULL));
	preempt_enable();
	expect_counts(test, inner.site, 1, 0);
	expect_counts(test, outer.site, 0, 0);
	preempt_disable();
	realloc_leave(&outer, regs_at_return(&regs, buffer + 64));
	leave(&inner, buffer + 128);
	this_cpu_write(put_last, 0);
	realloc_leave(&outer, regs_at_return(&regs, buffer + 128));
	preempt_enable();
	expect_counts(test, inner.site, 1, 0);
	expect_counts(test, outer.site, 2, 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_MISSED_OBJECTS), 0);
}

/* A function that cannot be probed is there all the same. */
static void there_or_not(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_KPROBES))
		kunit_skip(test, "no kprobes");
	KUNIT_EXPECT_TRUE(test, lw_probe_exists("kfree"));
	KUNIT_EXPECT_TRUE(test, lw_probe_exists("get_kprobe"));	/* which no kprobe may be in */
	KUNIT_EXPECT_FALSE(test, lw_probe_exists("kfree_of_nobody"));
}

static struct kunit_case function_cases[] = {
	KUNIT_CASE(outer_stands),
	KUNIT_CASE(outer_draws),
	KUNIT_CASE(one_by_one),
	KUNIT_CASE(moved_or_not),
	KUNIT_CASE(there_or_not),
	{}
};

static struct kunit_suite function_suite = {
	.name = "leakwatch_function",
	.init = function_test_init,
	.exit = function_test_exit,
	.test_cases = function_cases,
};

kunit_test_suite(function_suite);

MODULE_LICENSE("GPL");

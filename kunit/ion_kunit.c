// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of hook/ion: what a board's events of ION come to, which no kernel that tests run on
 * has, and what heaps are given to free later.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <leakwatch/stats.h>
#include "../module/hook/ion.c"

/* What is looked at of ION's structures, at the places where it was from 3.10 to 5.10. */
static const char device;

static const struct {
	unsigned long node[5];
	const char *device;
	unsigned long type, ops, flags, id;
	const char *name;
	unsigned long more[8];
} heap = { .device = &device, .name = "carveout" };

static struct buffer {
	unsigned long node[4];
	const char *device;
	const void *heap;
	unsigned long flags[2];
	unsigned long bytes;
	unsigned long more[8];
} buffer;

static int ion_test_init(struct kunit *test)
{
	buffer = (struct buffer){ .device = &device, .heap = &heap, .bytes = 2 * PAGE_SIZE };
	lw_stats_clear();
	return lw_sites_init(512) ?: lw_buffers_init(LW_BUFFERS_MIN);
}

static void ion_test_exit(struct kunit *test)
{
	lw_buffers_exit();
	lw_sites_exit();
}

/* The only record; id 0 if there is none. */
static struct lw_buffer record(void)
{
	struct lw_buffer of = {};
	unsigned int at = 0;

	return lw_buffers_next(&at, &of) ? of : (struct lw_buffer){};
}

static const struct lw_heap *its_heap(void)
{
	return lw_heap(record().heap);
}

static void vendor_events(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_DMA_SHARED_BUFFER))
		kunit_skip(test, "no DMA-BUF");
	alloc_event(NULL, PAGE_SIZE + 1, 0, 1, 0, 3, &buffer);
	KUNIT_EXPECT_EQ(test, record().is.bytes, 2 * PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, record().is.ion, (const void *)&buffer);
	KUNIT_EXPECT_STREQ(test, its_heap()->name, "carveout");
	KUNIT_EXPECT_EQ(test, record().by.pid, current->pid);
	KUNIT_EXPECT_NE(test, record().site, LW_SITE_NOBODY);
	KUNIT_EXPECT_EQ(test, record().handles, 1);
	import_event(NULL, 3, -1);	/* a descriptor that is none */
	map_event(NULL, 3, -1);
	KUNIT_EXPECT_EQ(test, record().last, LW_EVENT_ALLOC);
	lw_ion_event(&buffer, LW_EVENT_IMPORT, 1);
	KUNIT_EXPECT_EQ(test, record().handles, 2);
	put_event(NULL, 3, 1, &buffer);
	KUNIT_EXPECT_EQ(test, record().handles, 1);
	KUNIT_EXPECT_EQ(test, record().last, LW_EVENT_PUT);
	put_event(NULL, 3, 1, (void *)&heap);	/* of something else */
	KUNIT_EXPECT_EQ(test, record().handles, 1);
	lw_ion_event(&buffer, LW_EVENT_IMPORT, 3);	/* counted too often: see limits.rst */
	put_event(NULL, 3, 0, &buffer);
	KUNIT_EXPECT_EQ(test, record().handles, 0);
	free_event(NULL, &buffer);
	KUNIT_EXPECT_EQ(test, record().id, 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_UNMATCHED_BUFFERS), 0);
	KUNIT_EXPECT_EQ(test, lw_heap(0)->bytes, 0);
}

/* What is not where it is thought to be is not read. */
static void vendor_structure(struct kunit *test)
{
	buffer.device = NULL;
	alloc_event(NULL, PAGE_SIZE, 0, 1, 0, 3, &buffer);
	KUNIT_EXPECT_EQ(test, record().is.bytes, PAGE_SIZE);
	KUNIT_EXPECT_STREQ(test, its_heap()->name, "ion");
	free_event(NULL, &buffer);
	KUNIT_EXPECT_EQ(test, record().id, 0);
}

static void freed_later(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_DMA_SHARED_BUFFER))
		kunit_skip(test, "no DMA-BUF");
	alloc_event(NULL, 2 * PAGE_SIZE, 0, 1, 0, 3, &buffer);
	defer((unsigned long)&heap, (unsigned long)&buffer, 0);
	KUNIT_EXPECT_EQ(test, record().id, 0);
	KUNIT_EXPECT_STREQ(test, lw_heap(0)->name, "carveout");
	KUNIT_EXPECT_EQ(test, lw_heap(0)->bytes, 0);
	KUNIT_EXPECT_EQ(test, lw_heap(0)->deferred, 2 * PAGE_SIZE);
	destroy((unsigned long)&buffer, 0, 0);
	KUNIT_EXPECT_EQ(test, lw_heap(0)->deferred, 0);
	KUNIT_EXPECT_TRUE(test, lw_buffers_defers_known());
	/* given to a heap that is not the one it names, or of a size that no buffer has */
	defer((unsigned long)&device, (unsigned long)&buffer, 0);
	KUNIT_EXPECT_FALSE(test, lw_buffers_defers_known());
	lw_buffers_clear();
	buffer.bytes++;
	defer((unsigned long)&heap, (unsigned long)&buffer, 0);
	KUNIT_EXPECT_FALSE(test, lw_buffers_defers_known());
	KUNIT_EXPECT_EQ(test, lw_heap(0)->deferred, 0);
}

static struct kunit_case ion_cases[] = {
	KUNIT_CASE(vendor_events),
	KUNIT_CASE(vendor_structure),
	KUNIT_CASE(freed_later),
	{}
};

static struct kunit_suite ion_suite = {
	.name = "leakwatch_ion",
	.init = ion_test_init,
	.exit = ion_test_exit,
	.test_cases = ion_cases,
};

kunit_test_suite(ion_suite);

MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of audit: what is there stays, what is gone is dropped. On the kernel's own slabs and
 * pages; no hook is attached, so what is freed here is freed behind the tables' back.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <leakwatch/stats.h>
#include "../module/judge/audit.c"

#define OBJECTS		200
#define BIG_ORDER	9	/* goes to the free blocks at once, not to a CPU's list */

static u32 small, large, one_page, eight, big, movable;

static bool everywhere(unsigned long pfn)
{
	return true;
}

static int audit_test_init(struct kunit *test)
{
	unsigned long base = (unsigned long)__va(PFN_PHYS(node_start_pfn(first_online_node)));
	unsigned long span = (unsigned long)high_memory - base, call = 1 << 20;
	u32 movable_gfp = (__force u32)GFP_HIGHUSER_MOVABLE;

	lw_stats_clear();
	lw_audit_clear();
	if (lw_live_init(lw_live_least(span), base, span) ||
	    lw_pages_init(node_end_pfn(first_online_node), everywhere) ||
	    lw_sites_init(512) || lw_cache_init())
		return -ENOMEM;
	small = lw_site_get(lw_what_kmalloc(64, 0), &call, 1, NULL);
	large = lw_site_get(lw_what_kmalloc(64 << 10, 0), &call, 1, NULL);
	one_page = lw_site_get(lw_what_pages(0, 1), &call, 1, NULL);
	eight = lw_site_get(lw_what_pages(3, 1), &call, 1, NULL);
	big = lw_site_get(lw_what_pages(BIG_ORDER, 1), &call, 1, NULL);
	movable = lw_site_get(lw_what_pages(0, movable_gfp), &call, 0, NULL);
	return 0;
}

static void audit_test_exit(struct kunit *test)
{
	lw_cache_exit();
	lw_sites_exit();
	lw_pages_exit();
	lw_live_exit();
}

static long live_of(u32 site)
{
	struct lw_count count;

	lw_site_counts(site, &count);
	return count.allocs - count.frees;
}

static int missed_of(u32 site)
{
	return atomic_read(&lw_flaws[site].missed);
}

/* What is as young as this tick is not judged. */
static void grow_old(void)
{
	u32 tick = lw_clock_now();

	while (lw_clock_now() == tick)
		msleep(20);
}

static void audit(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, lw_audit_run(), 0);
}

static void put_block(u32 site, struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page), end = pfn + (1UL << order);

	for (; pfn < end; pfn++)
		lw_page_put_if_none(site, pfn);
}

static void *objects[OBJECTS];

/* One of each that is there. */
static void there(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL), *user = alloc_page(GFP_HIGHUSER_MOVABLE);
	struct page *block = alloc_pages(GFP_KERNEL, 3), *split = alloc_pages(GFP_KERNEL, 3);
	struct page *compound = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
	void *giant = kmalloc(64 << 10, GFP_KERNEL);
	int i;

	KUNIT_ASSERT_TRUE(test, page && user && block && split && compound && giant);
	split_page(split, 3);
	put_block(one_page, page, 0);
	put_block(movable, user, 0);
	put_block(eight, block, 3);
	put_block(eight, split, 3);
	put_block(eight, compound, 3);
	lw_object_put(large, giant);
	for (i = 0; i < OBJECTS; i++) {
		objects[i] = kmalloc(64, GFP_KERNEL);
		lw_object_put(small, objects[i]);
	}
	grow_old();
	audit(test);
	audit(test);
	KUNIT_EXPECT_EQ(test, lw_audit_last()->runs, 2);
	KUNIT_EXPECT_EQ(test, lw_audit_last()->objects, OBJECTS + 1);
	KUNIT_EXPECT_EQ(test, lw_audit_last()->pages, 26);
	KUNIT_EXPECT_EQ(test, lw_stats_lost(), 0);
	KUNIT_EXPECT_EQ(test, live_of(small), OBJECTS);
	KUNIT_EXPECT_EQ(test, live_of(large), 1);
	KUNIT_EXPECT_EQ(test, live_of(one_page) + live_of(movable) + live_of(eight), 26);

	for (i = 0; i < OBJECTS; i++)
		kfree(objects[i]);
	kfree(giant);
	__free_pages(compound, 3);
	for (i = 0; i < 8; i++)
		__free_page(split + i);
	__free_pages(block, 3);
	__free_page(user);
	__free_page(page);
}

static void never_merged(void *object)
{
}

/* Slabs that go back to the page allocator when they are empty. */
static void slabs_gone(struct kunit *test)
{
	struct kmem_cache *cache = kmem_cache_create("leakwatch_audit", 500, 0, 0, never_merged);
	unsigned long call = 1 << 20;
	u32 site;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, cache);
	site = lw_site_get(lw_what_cache(lw_cache_get(cache)), &call, 1, NULL);
	for (i = 0; i < OBJECTS; i++) {
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		lw_object_put(site, objects[i]);
	}
	grow_old();
	for (i = 0; i < OBJECTS - 1; i++)
		kmem_cache_free(cache, objects[i]);
	kmem_cache_shrink(cache);
	rcu_barrier();		/* KASAN's quarantine is emptied by the shrinking */
	audit(test);
	/* what is left, and what may be in the same slab as it, and in a CPU's own slabs */
	KUNIT_EXPECT_GE(test, live_of(site), 1);
	KUNIT_EXPECT_LT(test, live_of(site), OBJECTS);
	KUNIT_EXPECT_EQ(test, missed_of(site), OBJECTS - live_of(site));
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_GONE_OBJECTS), OBJECTS - live_of(site));
	KUNIT_EXPECT_EQ(test, lw_stats_lost(), OBJECTS - live_of(site));
	kmem_cache_free(cache, objects[OBJECTS - 1]);
	kmem_cache_destroy(cache);
}

/* An object in a slab, but not one of its cache. */
static void other_cache(struct kunit *test)
{
	struct kmem_cache *cache = kmem_cache_create("leakwatch_audit", 500, 0, 0, never_merged);
	void *object = kmalloc(64, GFP_KERNEL), *own;
	unsigned long call = 1 << 20;
	u32 site;

	KUNIT_ASSERT_NOT_NULL(test, cache);
	site = lw_site_get(lw_what_cache(lw_cache_get(cache)), &call, 1, NULL);
	own = kmem_cache_alloc(cache, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, own && object);
	lw_object_put(site, object);
	lw_object_put(site, own);
	grow_old();
	audit(test);
	KUNIT_EXPECT_EQ(test, live_of(site), 1);
	KUNIT_EXPECT_EQ(test, missed_of(site), 1);
	kmem_cache_free(cache, own);
	kmem_cache_destroy(cache);
	kfree(object);
}

/* On a CPU's list, in a free block, and a large kmalloc: all free. */
static void pages_gone(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL), *kept = alloc_page(GFP_KERNEL);
	struct page *block = alloc_pages(GFP_KERNEL, BIG_ORDER);
	void *giant = (void *)__get_free_pages(GFP_KERNEL, BIG_ORDER);

	KUNIT_ASSERT_TRUE(test, page && kept && block && giant);
	put_block(one_page, page, 0);
	put_block(one_page, kept, 0);
	put_block(big, block, BIG_ORDER);
	lw_object_put(large, giant);
	grow_old();
	__free_page(page);
	__free_pages(block, BIG_ORDER);
	free_pages((unsigned long)giant, BIG_ORDER);
	audit(test);
	/* somebody may have got a few of them meanwhile, also the slab allocator */
	KUNIT_EXPECT_LT(test, live_of(big), 1 << BIG_ORDER);
	KUNIT_EXPECT_GE(test, live_of(one_page), 1);
	KUNIT_EXPECT_EQ(test, live_of(big) + missed_of(big) + live_of(one_page) +
			missed_of(one_page) + live_of(LW_SITE_SLAB_PAGES), (1 << BIG_ORDER) + 2);
	KUNIT_EXPECT_EQ(test, live_of(large) + missed_of(large), 1);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_GONE_PAGES),
			missed_of(big) + missed_of(one_page));
	__free_page(kept);
}

/* What came in this tick may have come after the look: it is left for the next audit. */
static void young(struct kunit *test)
{
	struct page *page = alloc_pages(GFP_KERNEL, BIG_ORDER);

	KUNIT_ASSERT_NOT_NULL(test, page);
	grow_old();
	put_block(big, page, BIG_ORDER);
	__free_pages(page, BIG_ORDER);
	audit(test);
	KUNIT_EXPECT_EQ(test, live_of(big) + live_of(LW_SITE_SLAB_PAGES), 1 << BIG_ORDER);
	KUNIT_EXPECT_EQ(test, lw_stats_lost(), 0);
	grow_old();
	audit(test);
	KUNIT_EXPECT_LT(test, live_of(big), 1 << BIG_ORDER);
}

/* Whoever is not any more what was seen is not touched. */
static void changed_meanwhile(struct kunit *test)
{
	void *object = kmalloc(64, GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL);
	unsigned long slot = 0, addr, pfn = 0;
	u64 seen, frame;

	KUNIT_ASSERT_TRUE(test, object && page);
	lw_object_put(small, object);
	put_block(one_page, page, 0);
	KUNIT_ASSERT_TRUE(test, lw_live_next(&slot, &addr, &seen));
	KUNIT_EXPECT_EQ(test, addr, (unsigned long)kasan_reset_tag(object));
	KUNIT_ASSERT_TRUE(test, lw_pages_next(&pfn, &frame));
	KUNIT_EXPECT_EQ(test, pfn, page_to_pfn(page));

	lw_object_free(object);
	lw_object_put(large, object);
	lw_object_gone(addr, seen);
	lw_pages_free(pfn, 0);
	put_block(eight, page, 0);
	lw_page_gone(pfn, frame);
	KUNIT_EXPECT_EQ(test, live_of(large), 1);
	KUNIT_EXPECT_EQ(test, live_of(eight), 1);
	KUNIT_EXPECT_EQ(test, lw_stats_lost(), 0);

	/* and a second time nothing is there */
	KUNIT_ASSERT_TRUE(test, lw_live_next(&slot, &addr, &seen));
	lw_object_gone(addr, seen);
	lw_object_gone(addr, seen);
	KUNIT_EXPECT_EQ(test, live_of(large), 0);
	KUNIT_EXPECT_EQ(test, lw_stats_lost(), 1);
	__free_page(page);
	kfree(object);
}

/* More than can be suspected at once. */
static void many(struct kunit *test)
{
	struct page *page;
	unsigned long n;

	for (n = 0; n <= SUSPECTS >> BIG_ORDER; n++) {
		page = alloc_pages(GFP_KERNEL | __GFP_NOWARN, BIG_ORDER);
		if (!page)
			break;
		put_block(big, page, BIG_ORDER);
		objects[n] = page;
	}
	grow_old();
	KUNIT_EXPECT_GT(test, live_of(big), SUSPECTS);
	while (n--)
		__free_pages(objects[n], BIG_ORDER);
	audit(test);
	KUNIT_EXPECT_LT(test, live_of(big), SUSPECTS);
	KUNIT_EXPECT_GT(test, missed_of(big), 0);
}

static struct kunit_case audit_cases[] = {
	KUNIT_CASE(there),
	KUNIT_CASE(slabs_gone),
	KUNIT_CASE(other_cache),
	KUNIT_CASE(pages_gone),
	KUNIT_CASE(young),
	KUNIT_CASE(changed_meanwhile),
	KUNIT_CASE(many),
	{}
};

static struct kunit_suite audit_suite = {
	.name = "leakwatch_audit",
	.init = audit_test_init,
	.exit = audit_test_exit,
	.test_cases = audit_cases,
};

kunit_test_suite(audit_suite);

MODULE_LICENSE("GPL");

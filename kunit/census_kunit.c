// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of census: pages of each kind, planted, are found to be what they are. */
#include <kunit/test.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include "../module/judge/census.c"

#define PLANTED	50

static struct page *pages[PLANTED];
static u32 site;
static unsigned long seen;

static bool everywhere(unsigned long pfn)
{
	return true;
}

static int census_test_init(struct kunit *test)
{
	unsigned long call = 1 << 20;

	if (lw_pages_init(node_end_pfn(first_online_node), everywhere) || lw_sites_init(512))
		return -ENOMEM;
	site = lw_site_get(lw_what_pages(0, 1), &call, 1, NULL);
	return 0;
}

static void census_test_exit(struct kunit *test)
{
	lw_sites_exit();
	lw_pages_exit();
}

static void hold(struct page *page, u32 owner)
{
	u64 old;

	lw_pages_put(page_to_pfn(page), lw_entry(0, owner, 0), &old);
}

static void forget(struct page *page)
{
	u64 old;

	lw_pages_put(page_to_pfn(page), 0, &old);
}

/* What one page is, as a walk finds it that begins with it. */
static enum lw_kind kind_now(struct page *page)
{
	static struct lw_census census;
	unsigned long stacks[BITS_TO_LONGS(64)] = {};
	unsigned long pfn = page_to_pfn(page);
	struct walk walk = { .census = &census, .first = pfn, .end = pfn + 1, .stacks = stacks,
			     .before = LW_KIND_HOLE };

	census = (struct lw_census){};
	see_all(&walk);
	return walk.before;
}

static void count_lost(u64 entry, void *arg)
{
	seen += lw_entry_site(entry) == site;
}

static void take(struct kunit *test, struct lw_census *census)
{
	unsigned long sum = 0;
	int i;

	seen = 0;
	KUNIT_ASSERT_EQ(test, lw_census_take(census, count_lost, NULL), 0);
	for (i = 0; i < LW_NR_KINDS; i++) {
		sum += census->pages[i];
		KUNIT_EXPECT_LE(test, census->held[i], census->pages[i]);
	}
	KUNIT_EXPECT_EQ(test, sum, census->total);
}

static void sums(struct kunit *test)
{
	static struct lw_census census;

	take(test, &census);
	KUNIT_EXPECT_EQ(test, census.total, node_end_pfn(first_online_node) -
					    node_start_pfn(first_online_node));
	KUNIT_EXPECT_EQ(test, seen, 0);
	KUNIT_EXPECT_EQ(test, lw_census_lost_held(&census), 0);
	KUNIT_EXPECT_GT(test, census.pages[LW_KIND_FREE], 0);
	KUNIT_EXPECT_GT(test, census.pages[LW_KIND_SLAB], 0);
	KUNIT_EXPECT_GT(test, census.pages[LW_KIND_RESERVED], 0);
	/* each task that there is has a stack; idle ones are not among them */
	KUNIT_EXPECT_GT(test, census.pages[LW_KIND_STACK], 10 * LW_STACK_PAGES);
}

/* Pages that a driver keeps are lost, and the table says whose they are. */
static void lost(struct kunit *test)
{
	static struct lw_census census;
	int i;

	for (i = 0; i < PLANTED; i++) {
		pages[i] = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_TRUE(test, pages[i]);
		if (i % 2)
			hold(pages[i], site);
		KUNIT_EXPECT_EQ(test, kind_now(pages[i]), LW_KIND_KERNEL);
	}
	take(test, &census);
	KUNIT_EXPECT_EQ(test, seen, PLANTED / 2);
	KUNIT_EXPECT_EQ(test, census.held[LW_KIND_KERNEL], PLANTED / 2);
	KUNIT_EXPECT_EQ(test, lw_census_lost_held(&census), PLANTED / 2);
	for (i = 0; i < PLANTED; i++) {
		forget(pages[i]);
		__free_page(pages[i]);
		KUNIT_EXPECT_TRUE(test, lw_kind_is_free(kind_now(pages[i])));
	}
	take(test, &census);
	KUNIT_EXPECT_EQ(test, seen, 0);
}

/* Blocks: compound, not compound and held, not compound and older than the table. */
static void blocks(struct kunit *test)
{
	struct page *compound = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
	struct page *block = alloc_pages(GFP_KERNEL, 3), *older = alloc_pages(GFP_KERNEL, 3);
	static struct lw_census census;
	unsigned long stacks[BITS_TO_LONGS(64)] = {}, call = 1 << 20;
	struct walk walk = { .census = &census, .stacks = stacks, .before = LW_KIND_HOLE };
	u32 eight = lw_site_get(lw_what_pages(3, 1), &call, 1, NULL);
	int i;

	KUNIT_ASSERT_TRUE(test, compound && block && older);
	for (i = 0; i < 8; i++) {
		hold(block + i, eight);
		KUNIT_EXPECT_EQ(test, kind_now(compound + i), LW_KIND_COMPOUND);
		KUNIT_EXPECT_EQ(test, kind_now(block + i), LW_KIND_KERNEL);
	}
	/* only the first frame of the older has a count: the others go with it */
	walk.first = page_to_pfn(older);
	walk.end = walk.first + 8;
	census = (struct lw_census){};
	see_all(&walk);
	KUNIT_EXPECT_EQ(test, census.pages[LW_KIND_KERNEL], 8);
	KUNIT_EXPECT_EQ(test, census.total, 8);
	for (i = 0; i < 8; i++)
		forget(block + i);
	__free_pages(compound, 3);
	__free_pages(block, 3);
	__free_pages(older, 3);
	KUNIT_EXPECT_TRUE(test, lw_kind_is_free(kind_now(older)));
}

/* What the slab allocator has is not lost. */
static void objects(struct kunit *test)
{
	void *small = kmalloc(64, GFP_KERNEL), *large = kmalloc(64 << 10, GFP_KERNEL);
	int i;

	KUNIT_ASSERT_TRUE(test, small && large);
	KUNIT_EXPECT_EQ(test, kind_now(virt_to_page(small)), LW_KIND_SLAB);
	for (i = 0; i < (64 << 10) / PAGE_SIZE; i++)
		hold(virt_to_page(large + i * PAGE_SIZE), LW_SITE_SLAB_PAGES);
	for (i = 0; i < (64 << 10) / PAGE_SIZE; i++) {
		KUNIT_EXPECT_EQ(test, kind_now(virt_to_page(large + i * PAGE_SIZE)), LW_KIND_LARGE);
		forget(virt_to_page(large + i * PAGE_SIZE));
	}
	kfree(small);
	kfree(large);
}

/* A page of a file in memory, and one that is reserved. */
static void marked(struct kunit *test)
{
	struct file *file = shmem_file_setup("leakwatch", PAGE_SIZE, 0);
	struct page *page = alloc_page(GFP_KERNEL), *shared;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_ASSERT_TRUE(test, page);
	shared = shmem_read_mapping_page(file->f_mapping, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(shared));
	KUNIT_EXPECT_EQ(test, kind_now(shared), LW_KIND_SHMEM);
	put_page(shared);
	fput(file);
	SetPageReserved(page);
	KUNIT_EXPECT_EQ(test, kind_now(page), LW_KIND_RESERVED);
	hold(page, site);
	KUNIT_EXPECT_EQ(test, kind_now(page), LW_KIND_KERNEL);
	ClearPageReserved(page);
	forget(page);
	__free_page(page);
}

/* Frames that do not exist are holes, as many as were asked for. */
static void holes(struct kunit *test)
{
	static struct lw_census census;
	unsigned long far = node_end_pfn(first_online_node) + (1UL << 24) + 5;
	struct walk walk = { .census = &census, .first = far, .end = far + 100001,
			     .before = LW_KIND_HOLE };

	census = (struct lw_census){};
	see_all(&walk);
	KUNIT_EXPECT_EQ(test, census.pages[LW_KIND_HOLE], 100001);
	KUNIT_EXPECT_EQ(test, census.total, 100001);
}

static struct kunit_case census_cases[] = {
	KUNIT_CASE(sums),
	KUNIT_CASE(lost),
	KUNIT_CASE(blocks),
	KUNIT_CASE(objects),
	KUNIT_CASE(marked),
	KUNIT_CASE(holes),
	{}
};

static struct kunit_suite census_suite = {
	.name = "leakwatch_census",
	.init = census_test_init,
	.exit = census_test_exit,
	.test_cases = census_cases,
};

kunit_test_suite(census_suite);

MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of door: from an event to the counts, over real tables. No hook is attached; objects
 * and pages are those of a buffer of the test's own.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include <leakwatch/cache.h>
#include "regs.h"
#include "../module/track/door.c"
#include "race.h"

#define ORDER		4
#define NR_PAGES	BIT(ORDER)
#define BYTES		(NR_PAGES << PAGE_SHIFT)

static void *buffer;
static unsigned long pfn;	/* the buffer's first */

static void *slab_object;
static unsigned long slab_pfn;	/* its page, which holds objects of the allocator */

static bool exists(unsigned long start)
{
	return start >> LW_CHUNK_SHIFT == pfn >> LW_CHUNK_SHIFT ||
	       start >> LW_CHUNK_SHIFT == slab_pfn >> LW_CHUNK_SHIFT;
}

/* The first frame that is not covered. */
static unsigned long end_of_all(void)
{
	return (max(pfn, slab_pfn) | (LW_CHUNK_FRAMES - 1)) + 1;
}

static int door_test_init(struct kunit *test)
{
	buffer = (void *)__get_free_pages(GFP_KERNEL, ORDER);
	slab_object = kmalloc(100, GFP_KERNEL);
	if (!buffer || !slab_object)
		return -ENOMEM;
	slab_pfn = page_to_pfn(virt_to_page(slab_object));
	pfn = page_to_pfn(virt_to_page(buffer));
	lw_stacks = LW_STACKS_ALL;
	lw_sample_set(0);
	lw_stats_clear();
	return lw_live_init(LW_LIVE_MIN, (unsigned long)buffer, BYTES) ?:
	       lw_pages_init(max(pfn, slab_pfn) + NR_PAGES, exists) ?: lw_sites_init(512);
}

static void door_test_exit(struct kunit *test)
{
	lw_sites_exit();
	lw_pages_exit();
	lw_live_exit();
	kfree(slab_object);
	free_pages((unsigned long)buffer, ORDER);
}

static int door_suite_init(struct kunit_suite *suite)
{
	return lw_cache_init();
}

static void door_suite_exit(struct kunit_suite *suite)
{
	lw_cache_exit();
}

static void *object(unsigned int nr)
{
	return buffer + 64 * nr;
}

static noinline void alloc(unsigned int nr, lw_what_t what)
{
	lw_object_alloc(_RET_IP_, object(nr), what);
	barrier();
}

/* What all sites of that kind of request have, together with how many they are. */
struct sum {
	long allocs;
	long frees;
	long lost;
	long missed;
	unsigned int nr;
};

static struct sum sum_of(lw_what_t what)
{
	struct sum sum = {};
	struct lw_count count;
	u32 id;

	for (id = 1; id < lw_sites_end(); id++) {
		if (!lw_site_live(&lw_sites[id]) || lw_sites[id].what != what)
			continue;
		lw_site_counts(id, &count);
		sum.allocs += count.allocs;
		sum.frees += count.frees;
		sum.lost += atomic_read(&lw_flaws[id].lost);
		sum.missed += atomic_read(&lw_flaws[id].missed);
		sum.nr += count.allocs || count.frees;
	}
	return sum;
}

static long live_of_site(u32 id)
{
	struct lw_count count;

	lw_site_counts(id, &count);
	return count.allocs - count.frees - atomic_read(&lw_flaws[id].lost);
}

static long live_of(lw_what_t what)
{
	struct sum sum = sum_of(what);

	return sum.allocs - sum.frees - sum.lost;
}

static void see_object(unsigned long addr, u64 entry, void *arg)
{
	((unsigned long *)arg)[lw_entry_site(entry)]++;
}

/* The law: of each site as much is live as its counts say, and of all together. */
static void conserved(struct kunit *test)
{
	unsigned long *seen = kunit_kcalloc(test, lw_sites_max(), sizeof(*seen), GFP_KERNEL);
	u32 id;

	KUNIT_ASSERT_NOT_NULL(test, seen);
	lw_live_walk(see_object, seen);
	lw_pages_walk(see_object, seen);
	for (id = 1; id < lw_sites_end(); id++)
		KUNIT_EXPECT_EQ_MSG(test, (long)seen[id], live_of_site(id), "site %u", id);
	KUNIT_EXPECT_EQ(test, seen[LW_SITE_NOBODY], 0);
}

/* These counters have these values, in pairs; all others are 0. */
static void __expect_stats(struct kunit *test, const unsigned long *pair, unsigned int nr)
{
	unsigned long want[LW_NR_STATS] = {};
	unsigned int i;

	for (i = 0; i < nr; i += 2)
		want[pair[i]] = pair[i + 1];
	for (i = 0; i < LW_NR_STATS; i++) {
		if (i == LW_WALK_SHORT || i == LW_WALK_CHECKED || i == LW_WALK_SLOW ||
		    i == LW_MOVED)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, lw_stat_read(i), want[i], "%s", lw_stat_name(i));
	}
}

#define expect_stats(test, ...)							\
	__expect_stats(test, (unsigned long[]){ 0, 0, ##__VA_ARGS__ },		\
		       sizeof((unsigned long[]){ 0, 0, ##__VA_ARGS__ }) / sizeof(unsigned long))

#define SMALL	lw_what_kmalloc(64, 0)
#define OTHER	lw_what_kmalloc(96, 0)

static void objects(struct kunit *test)
{
	struct sum sum;

	alloc(1, SMALL);
	alloc(2, SMALL);
	alloc(3, OTHER);
	KUNIT_EXPECT_EQ(test, live_of(SMALL), 2);
	KUNIT_EXPECT_EQ(test, live_of(OTHER), 1);
	conserved(test);
	lw_object_free(object(2));
	lw_object_free(object(3));
	sum = sum_of(SMALL);
	KUNIT_EXPECT_EQ(test, sum.allocs, 2);
	KUNIT_EXPECT_EQ(test, sum.frees, 1);
	KUNIT_EXPECT_EQ(test, live_of(OTHER), 0);
	conserved(test);
	expect_stats(test);

	/* of what is not there */
	lw_object_free(object(2));
	lw_object_free(object(9));
	expect_stats(test, LW_UNMATCHED_OBJECTS, 2);
	KUNIT_EXPECT_EQ(test, live_of(SMALL), 1);
	conserved(test);
}

static void no_objects(struct kunit *test)
{
	unsigned int sites = lw_sites_end();

	lw_object_alloc(_RET_IP_, NULL, SMALL);
	lw_object_alloc(_RET_IP_, ZERO_SIZE_PTR, SMALL);
	lw_object_alloc(_RET_IP_, NULL, lw_what_kmalloc(4 * KMALLOC_MAX_CACHE_SIZE, 0));
	lw_object_put(LW_SITE_SLAB_PAGES, NULL);
	lw_object_free(NULL);
	lw_object_free(ZERO_SIZE_PTR);
	lw_object_give(NULL);
	lw_object_give(ZERO_SIZE_PTR);
	expect_stats(test);
	KUNIT_EXPECT_EQ(test, lw_sites_end(), sites);
	conserved(test);
}

/* The same address again without a free between: the first one's free was missed. */
static void missed_free(struct kunit *test)
{
	struct sum sum;

	alloc(1, SMALL);
	alloc(1, OTHER);
	sum = sum_of(SMALL);
	KUNIT_EXPECT_EQ(test, sum.allocs, 1);
	KUNIT_EXPECT_EQ(test, sum.frees, 1);
	KUNIT_EXPECT_EQ(test, sum.missed, 1);
	KUNIT_EXPECT_EQ(test, sum_of(OTHER).missed, 0);
	KUNIT_EXPECT_EQ(test, live_of(OTHER), 1);
	expect_stats(test, LW_MISSED_OBJECTS, 1);
	conserved(test);
	lw_object_free(object(1));
	KUNIT_EXPECT_EQ(test, live_of(OTHER), 0);
	expect_stats(test, LW_MISSED_OBJECTS, 1);
	conserved(test);
}

/* What only the kernel's walker could tell is no hint for those to come; what was walked is. */
static void hints(struct kunit *test)
{
	struct lw_path path = { .nr = 2, .frame = { 16, 32 }, .place = LW_PLACE_NONE };
	struct lw_site **before = kunit_kmalloc(test, sizeof(lw_paths_met), GFP_KERNEL);
	u32 site;

	KUNIT_ASSERT_NOT_NULL(test, before);
	memcpy(before, lw_paths_met, sizeof(lw_paths_met));
	site = site_of(lw_what_kmalloc(64, 0), &path, NULL);
	KUNIT_EXPECT_EQ(test, site_of(lw_what_kmalloc(64, 0), &path, NULL), site);
	KUNIT_EXPECT_EQ(test, memcmp(before, lw_paths_met, sizeof(lw_paths_met)), 0);
	path.place = 64;
	KUNIT_EXPECT_EQ(test, site_of(lw_what_kmalloc(64, 0), &path, NULL), site);
	KUNIT_EXPECT_PTR_EQ(test, lw_site_met_path(lw_what_kmalloc(64, 0), 16, 64, 0),
			    &lw_sites[site]);
}

static void given_up(struct kunit *test)
{
	/* given up, then freed: gone at the first, nothing at the second */
	alloc(1, SMALL);
	lw_object_give(object(1));
	KUNIT_EXPECT_EQ(test, live_of(SMALL), 0);
	conserved(test);
	lw_object_free(object(1));
	KUNIT_EXPECT_EQ(test, sum_of(SMALL).frees, 1);
	expect_stats(test);
	lw_object_free(object(1));
	expect_stats(test, LW_UNMATCHED_OBJECTS, 1);

	/* given up twice */
	alloc(2, SMALL);
	lw_object_give(object(2));
	lw_object_give(object(2));
	KUNIT_EXPECT_EQ(test, sum_of(SMALL).frees, 2);
	/* handed out again, the free never was an event */
	alloc(2, OTHER);
	KUNIT_EXPECT_EQ(test, live_of(OTHER), 1);
	KUNIT_EXPECT_EQ(test, sum_of(SMALL).missed, 0);
	expect_stats(test, LW_UNMATCHED_OBJECTS, 1);
	conserved(test);

	/* of an object that nobody knows: unmatched once, not again when it is freed */
	lw_object_give(object(3));
	expect_stats(test, LW_UNMATCHED_OBJECTS, 2);
	lw_object_free(object(3));
	expect_stats(test, LW_UNMATCHED_OBJECTS, 2);
	conserved(test);
}

static void outside(struct kunit *test)
{
	void *far = vmalloc(PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, far);
	lw_object_alloc(_RET_IP_, buffer + BYTES, SMALL);
	expect_stats(test, LW_LOST_OUTSIDE, 1);
	KUNIT_EXPECT_EQ(test, sum_of(SMALL).allocs, 0);
	lw_object_free(buffer + BYTES);
	lw_object_give(buffer - 8);
	expect_stats(test, LW_LOST_OUTSIDE, 3);
	/* kvfree_rcu() is also used on what is no object */
	lw_object_give(far);
	lw_object_free(far);
	expect_stats(test, LW_LOST_OUTSIDE, 3);
	conserved(test);
	vfree(far);
}

static void full_table(struct kunit *test)
{
	unsigned int i, nr = BYTES / 64;
	unsigned long lost;

	for (i = 0; i < nr; i++)
		alloc(i, i % 2 ? SMALL : OTHER);
	lost = lw_stat_read(LW_LOST_LIVE_FULL);
	KUNIT_EXPECT_GT(test, lost, 0);
	expect_stats(test, LW_LOST_LIVE_FULL, lost);
	KUNIT_EXPECT_EQ(test, sum_of(SMALL).allocs + sum_of(OTHER).allocs, nr);
	KUNIT_EXPECT_EQ(test, sum_of(SMALL).lost + sum_of(OTHER).lost, lost);
	conserved(test);
	for (i = 0; i < nr; i++)
		lw_object_free(object(i));
	expect_stats(test, LW_LOST_LIVE_FULL, lost, LW_UNMATCHED_OBJECTS, lost);
	KUNIT_EXPECT_EQ(test, live_of(SMALL), 0);
	KUNIT_EXPECT_EQ(test, live_of(OTHER), 0);
	conserved(test);
}

static void full_sites(struct kunit *test)
{
	unsigned long lost;
	unsigned int i;

	for (i = 0; i < 1000; i++)
		alloc(i % 100, lw_what_kmalloc(8 * i, 0));
	lost = lw_stat_read(LW_LOST_SITES_FULL);
	KUNIT_EXPECT_GT(test, lost, 1000 - lw_sites_max());
	KUNIT_EXPECT_EQ(test, lw_sites_end(), lw_sites_max());
	conserved(test);
	lw_pages_alloc(pfn, 2, 0x77);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_LOST_SITES_FULL), lost + 4);
	lw_page_put_if_none(LW_SITE_NOBODY, pfn);
	lw_page_claim(LW_SITE_NOBODY, pfn);
	lw_object_put(LW_SITE_NOBODY, object(200));
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_LOST_SITES_FULL), lost + 7);
	conserved(test);
}

static unsigned int nr_paths(void)
{
	unsigned int nr = 0;
	u32 id;

	for (id = LW_SITE_GONE + 1; id < lw_sites_end(); id++)
		nr += lw_site_live(&lw_sites[id]) && lw_sites[id].nr_frames > 1;
	return nr;
}

static noinline __noclone void alloc_ten(unsigned long first)
{
	unsigned long i;

	for (i = first; i < first + 10; i++)
		alloc(i, SMALL);
}

/* Call sites alone, but for one that is zoomed at: of its objects some have paths. */
static void zoomed(struct kunit *test)
{
	u32 id, call = LW_SITE_NOBODY;

	lw_stacks = LW_STACKS_ZOOM;
	lw_zoom_rate = LW_ZOOM_RATE_MAX;
	alloc_ten(1);
	KUNIT_EXPECT_EQ(test, nr_paths(), 0);
	for (id = LW_SITE_GONE + 1; id < lw_sites_end(); id++)
		if (lw_sites[id].what == SMALL)
			call = id;
	KUNIT_ASSERT_NE(test, call, LW_SITE_NOBODY);
	lw_zoom_set(&call, 1);
	alloc_ten(11);
	KUNIT_EXPECT_GE(test, nr_paths(), 1);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_ZOOMED), 10);
	KUNIT_EXPECT_EQ(test, live_of(SMALL), 20);
	for (id = LW_SITE_GONE + 1; id < lw_sites_end(); id++)
		if (lw_site_live(&lw_sites[id]) && lw_sites[id].nr_frames > 1)
			KUNIT_EXPECT_EQ(test, lw_sites[id].call, lw_sites[call].call);

	/* no budget, no path, and nothing lost */
	lw_zoom_rate = 0;
	lw_stats_clear();
	while (lw_zoom_take())
		;
	id = lw_sites_end();
	lw_stats_clear();
	alloc_ten(21);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_ZOOMED), 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_ZOOM_OVER), 10);
	KUNIT_EXPECT_EQ(test, lw_sites_end(), id);
	KUNIT_EXPECT_EQ(test, live_of(SMALL), 30);
	KUNIT_EXPECT_EQ(test, lw_stats_lost(), 0);
	conserved(test);
	lw_zoom_set(NULL, 0);
}

static void call_sites_alone(struct kunit *test)
{
	u32 id;

	lw_stacks = LW_STACKS_OFF;
	alloc(1, SMALL);
	alloc(2, SMALL);
	KUNIT_EXPECT_EQ(test, sum_of(SMALL).nr, 2);	/* there are two calls */
	KUNIT_EXPECT_EQ(test, live_of(SMALL), 2);
	for (id = 1; id < lw_sites_end(); id++)
		KUNIT_EXPECT_LE(test, lw_sites[id].nr_frames, 1);
	lw_stacks = LW_STACKS_ALL;
	alloc(3, SMALL);
	KUNIT_EXPECT_EQ(test, sum_of(SMALL).nr, 3);
	lw_stacks = LW_STACKS_OFF;
	alloc(3, SMALL);
	expect_stats(test, LW_MISSED_OBJECTS, 1);
	lw_object_free(object(1));
	lw_object_free(object(3));
	conserved(test);
	KUNIT_EXPECT_EQ(test, live_of(SMALL), 1);
}

#define GFP_A	((__force u32)GFP_KERNEL)
#define GFP_B	((__force u32)GFP_NOIO)
#define PAGES_A	lw_what_pages(3, GFP_A)
#define PAGES_B	lw_what_pages(3, GFP_B)

static void pages(struct kunit *test)
{
	unsigned int i;

	lw_pages_alloc(pfn, 3, GFP_A);
	KUNIT_EXPECT_EQ(test, live_of(PAGES_A), 8);
	conserved(test);
	/* split, and freed in parts */
	for (i = 0; i < 4; i++)
		lw_pages_free(pfn + i, 0);
	KUNIT_EXPECT_EQ(test, live_of(PAGES_A), 4);
	conserved(test);
	lw_pages_free(pfn + 4, 2);
	KUNIT_EXPECT_EQ(test, live_of(PAGES_A), 0);
	expect_stats(test);
	/* two neighbours, freed as one block, with what nobody knows between */
	lw_pages_alloc(pfn, 2, GFP_A);
	lw_pages_alloc(pfn + 6, 1, GFP_B);
	lw_pages_alloc(pfn + 8, 2, GFP_A);
	lw_pages_free(pfn, 4);
	KUNIT_EXPECT_EQ(test, live_of(lw_what_pages(2, GFP_A)), 0);
	KUNIT_EXPECT_EQ(test, live_of(lw_what_pages(1, GFP_B)), 0);
	expect_stats(test, LW_UNMATCHED_PAGES, 6);
	/* again */
	lw_pages_free(pfn, 3);
	expect_stats(test, LW_UNMATCHED_PAGES, 14);
	conserved(test);
}

static void missed_pages(struct kunit *test)
{
	lw_pages_alloc(pfn, 3, GFP_A);
	lw_pages_alloc(pfn + 4, 3, GFP_B);
	KUNIT_EXPECT_EQ(test, live_of(PAGES_A), 4);
	KUNIT_EXPECT_EQ(test, live_of(PAGES_B), 8);
	KUNIT_EXPECT_EQ(test, sum_of(PAGES_A).missed, 4);
	KUNIT_EXPECT_EQ(test, sum_of(PAGES_B).missed, 0);
	expect_stats(test, LW_MISSED_PAGES, 4);
	conserved(test);
}

/* Past the end of what is covered, with one half of a block inside. */
static void pages_outside(struct kunit *test)
{
	unsigned long end = end_of_all();

	lw_pages_alloc(end - 4, 3, GFP_A);
	KUNIT_EXPECT_EQ(test, live_of(PAGES_A), 4);
	expect_stats(test, LW_LOST_OUTSIDE, 4);
	conserved(test);
	lw_pages_free(end - 4, 3);
	KUNIT_EXPECT_EQ(test, live_of(PAGES_A), 0);
	expect_stats(test, LW_LOST_OUTSIDE, 8);
	lw_page_put_if_none(LW_SITE_MIGRATION, end);
	lw_page_claim(LW_SITE_MIGRATION, end);
	expect_stats(test, LW_LOST_OUTSIDE, 10);
	conserved(test);
}

/* Movable pages are told apart by kind alone. */
static void kinds(struct kunit *test)
{
	u32 gfp = (__force u32)GFP_HIGHUSER_MOVABLE, first = lw_sites_end();

	lw_pages_alloc(pfn, 1, gfp);
	lw_pages_alloc(pfn + 2, 1, gfp);
	KUNIT_EXPECT_EQ(test, lw_sites_end(), first + 1);
	KUNIT_EXPECT_EQ(test, lw_sites[first].nr_frames, 0);
	KUNIT_EXPECT_EQ(test, live_of_site(first), 4);
	KUNIT_EXPECT_EQ(test, lw_site_at(lw_what_pages(1, gfp), NULL), first);
	conserved(test);
}

/* Left out by every way in; what is not movable, and what is freed, as ever. */
static void kinds_left_out(struct kunit *test)
{
	u32 gfp = (__force u32)GFP_HIGHUSER_MOVABLE, first = lw_sites_end(), site;

	lw_movable = false;
	lw_pages_alloc(pfn, 1, gfp);
	KUNIT_EXPECT_EQ(test, lw_sites_end(), first);
	site = lw_site_at(lw_what_pages(0, gfp), NULL);
	lw_pages_put_by(site, pfn + 2, 0);
	lw_page_put_if_none(site, pfn + 3);
	KUNIT_EXPECT_EQ(test, live_of_site(site), 0);
	lw_pages_alloc(pfn + 4, 1, GFP_A);
	lw_page_put_if_none(LW_SITE_MIGRATION, pfn + 6);
	lw_movable = true;
	KUNIT_EXPECT_EQ(test, live_of(lw_what_pages(1, GFP_A)), 2);
	KUNIT_EXPECT_EQ(test, live_of_site(LW_SITE_MIGRATION), 1);
	lw_pages_free(pfn, 2);
	expect_stats(test, LW_UNMATCHED_PAGES, 4);
	conserved(test);
	lw_pages_alloc(pfn, 1, gfp);
	KUNIT_EXPECT_EQ(test, live_of(lw_what_pages(1, gfp)), 2);
	conserved(test);
}

static void put_if_none(struct kunit *test)
{
	unsigned long caller = _RET_IP_;
	struct pt_regs regs;
	u32 site = lw_site_at(lw_what_pages(0, GFP_A), regs_at_entry(&regs, 1, &caller));

	KUNIT_ASSERT_GT(test, site, LW_SITE_MIGRATION);
	lw_page_put_if_none(site, pfn);
	KUNIT_EXPECT_EQ(test, live_of_site(site), 1);
	lw_pages_alloc(pfn + 1, 0, GFP_B);
	lw_page_put_if_none(site, pfn + 1);
	KUNIT_EXPECT_EQ(test, live_of_site(site), 1);
	KUNIT_EXPECT_EQ(test, live_of(lw_what_pages(0, GFP_B)), 1);
	expect_stats(test);
	conserved(test);
}

static void claims(struct kunit *test)
{
	unsigned long caller = _RET_IP_;
	struct pt_regs regs;
	u32 site = lw_site_at(lw_what_pages(0, GFP_A), regs_at_entry(&regs, 1, &caller));

	/* of a page that nobody has, that compaction has, that somebody has */
	lw_page_claim(site, pfn);
	lw_page_put_if_none(LW_SITE_MIGRATION, pfn + 1);
	lw_page_claim(site, pfn + 1);
	KUNIT_EXPECT_EQ(test, live_of_site(LW_SITE_MIGRATION), 0);
	expect_stats(test);
	lw_pages_alloc(pfn + 2, 0, GFP_B);
	lw_page_claim(site, pfn + 2);
	expect_stats(test, LW_MISSED_PAGES, 1);
	KUNIT_EXPECT_EQ(test, live_of(lw_what_pages(0, GFP_B)), 0);
	KUNIT_EXPECT_EQ(test, live_of_site(site), 3);
	conserved(test);
	lw_pages_free(pfn, 2);
	KUNIT_EXPECT_EQ(test, live_of_site(site), 0);
	expect_stats(test, LW_MISSED_PAGES, 1, LW_UNMATCHED_PAGES, 1);
}

/*
 * Migration: what @from holds goes to @to, then @from is freed, and some day @to. In all four
 * combinations of pages that are known and older than the module.
 */
static void moves(struct kunit *test)
{
	unsigned long from = pfn, to = pfn + 8;
	int known;

	for (known = 0; known < 4; known++) {
		lw_stats_clear();
		if (known & 1)
			lw_pages_alloc(from, 1, GFP_A);
		if (known & 2)
			lw_pages_alloc(to, 1, GFP_B);
		lw_pages_move(from, to, 2);
		conserved(test);
		/* the owner has kept what it has */
		KUNIT_EXPECT_EQ(test, live_of(lw_what_pages(1, GFP_A)), known & 1 ? 2 : 0);
		lw_pages_free(from, 1);
		KUNIT_EXPECT_EQ(test, live_of(lw_what_pages(1, GFP_A)), known & 1 ? 2 : 0);
		KUNIT_EXPECT_EQ(test, live_of(lw_what_pages(1, GFP_B)), 0);
		KUNIT_EXPECT_EQ(test, live_of_site(LW_SITE_MIGRATION), 0);
		expect_stats(test);
		conserved(test);
		lw_pages_free(to, 1);
		KUNIT_EXPECT_EQ(test, live_of(lw_what_pages(1, GFP_A)), 0);
		expect_stats(test, LW_UNMATCHED_PAGES, known & 1 ? 0 : 2);
		conserved(test);
	}
}

/* To or from memory that is not covered: counted, and no site is left with what is nowhere. */
static void moves_outside(struct kunit *test)
{
	unsigned long end = end_of_all();

	lw_pages_alloc(pfn, 1, GFP_A);
	lw_pages_move(pfn, end, 2);
	expect_stats(test, LW_LOST_OUTSIDE, 2);
	conserved(test);
	lw_pages_free(pfn, 1);
	conserved(test);

	lw_stats_clear();
	lw_pages_alloc(pfn + 2, 1, GFP_B);
	lw_pages_move(end, pfn + 2, 2);
	expect_stats(test, LW_LOST_OUTSIDE, 2);
	conserved(test);
	lw_pages_free(pfn + 2, 1);
	conserved(test);
}

/* What is met on the way to a slab's pages is theirs; an object's is the object's. */
static void met_below(struct kunit *test)
{
	struct lw_path path = { .backing = true };
	unsigned long frame = 16;
	lw_what_t what = lw_what_kmalloc(64, 0);
	u32 site = lw_site_get(what, &frame, 1, NULL);

	KUNIT_EXPECT_EQ(test, site_met(site, what, &path), site);
	KUNIT_EXPECT_EQ(test, site_met(site, lw_what_pages(0, GFP_A), &path), LW_SITE_SLAB_PAGES);
}

/* A large kmalloc: first its pages, then the object; its pages are the slab allocator's then. */
static void large(struct kunit *test)
{
	static const u8 orders[] = { 1, 2, 3 };
	int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		unsigned int nr = 1U << orders[i];
		lw_what_t what = lw_what_kmalloc(nr << PAGE_SHIFT, 0);

		if (nr << PAGE_SHIFT <= KMALLOC_MAX_CACHE_SIZE)
			continue;
		lw_pages_alloc(pfn, orders[i], GFP_A);
		lw_object_alloc(_RET_IP_, buffer, what);
		KUNIT_EXPECT_EQ(test, live_of(lw_what_pages(orders[i], GFP_A)), 0);
		KUNIT_EXPECT_EQ(test, live_of_site(LW_SITE_SLAB_PAGES), nr);
		KUNIT_EXPECT_EQ(test, live_of(what), 1);
		conserved(test);
		/* from 6.12 on it is announced twice */
		lw_object_alloc(_THIS_IP_, buffer, what);
		KUNIT_EXPECT_EQ(test, live_of(what), 1);
		KUNIT_EXPECT_EQ(test, sum_of(what).missed, 0);
		KUNIT_EXPECT_EQ(test, live_of_site(LW_SITE_SLAB_PAGES), nr);
		conserved(test);
		lw_object_free(buffer);
		lw_pages_free(pfn, orders[i]);
		KUNIT_EXPECT_EQ(test, live_of(what), 0);
		KUNIT_EXPECT_EQ(test, live_of_site(LW_SITE_SLAB_PAGES), 0);
		conserved(test);
	}
	/* when the pages were not announced they are counted nevertheless */
	lw_object_alloc(_RET_IP_, buffer, lw_what_kmalloc(4 << PAGE_SHIFT, 0));
	KUNIT_EXPECT_EQ(test, live_of_site(LW_SITE_SLAB_PAGES), 4);
	conserved(test);
	expect_stats(test);
	/* of another size, or from a cache, it was not announced twice: a free was missed */
	lw_object_alloc(_RET_IP_, buffer, lw_what_kmalloc(8 << PAGE_SHIFT, 0));
	KUNIT_EXPECT_EQ(test, sum_of(lw_what_kmalloc(4 << PAGE_SHIFT, 0)).missed, 1);
	lw_object_alloc(_RET_IP_, buffer, lw_what_kmalloc(64, 0));
	KUNIT_EXPECT_EQ(test, sum_of(lw_what_kmalloc(8 << PAGE_SHIFT, 0)).missed, 1);
	KUNIT_EXPECT_EQ(test, live_of(lw_what_kmalloc(64, 0)), 1);
	expect_stats(test, LW_MISSED_OBJECTS, 2);
}

/* Pages that turn out to hold objects become the slab allocator's, once, as old as they are. */
static void settles(struct kunit *test)
{
	u64 old;

	KUNIT_ASSERT_TRUE(test, PageSlab(pfn_to_page(slab_pfn)));
	lw_pages_alloc(slab_pfn, 0, GFP_A);
	lw_pages_alloc(pfn, 1, GFP_A);
	KUNIT_EXPECT_EQ(test, live_of_site(LW_SITE_SLAB_PAGES), 0);
	lw_pages_settle();
	conserved(test);
	lw_pages_settle();
	KUNIT_EXPECT_EQ(test, live_of_site(LW_SITE_SLAB_PAGES), 1);
	KUNIT_EXPECT_EQ(test, live_of(lw_what_pages(0, GFP_A)), 0);
	KUNIT_EXPECT_EQ(test, live_of(lw_what_pages(1, GFP_A)), 2);
	conserved(test);
	lw_pages_put(slab_pfn, lw_entry(0, LW_SITE_MIGRATION, 1234), &old);
	lw_site_charge(LW_SITE_SLAB_PAGES, -1);
	lw_site_charge(LW_SITE_MIGRATION, 1);
	lw_pages_settle();
	lw_pages_put(slab_pfn, 0, &old);
	KUNIT_EXPECT_EQ(test, lw_entry_age(old), 1234);
	KUNIT_EXPECT_EQ(test, lw_entry_site(old), LW_SITE_SLAB_PAGES);
	expect_stats(test);
}

/* Sampled mode: what is drawn is on sites of its own; nothing is unmatched. */

#define RATE	8

static void drop(unsigned long addr, u64 entry, void *unused)
{
	lw_object_gone(addr, entry);
}

static noinline void alloc_drawn(unsigned int nr, lw_what_t what)
{
	lw_object_alloc_drawn(_RET_IP_, object(nr), what);
	barrier();
}

static void drawn_objects(struct kunit *test)
{
	lw_what_t what = lw_what_drawn(SMALL, RATE);
	const struct lw_site *site;
	u32 id;

	lw_sample_set(RATE);
	lw_filter_clear();
	alloc_drawn(1, SMALL);
	alloc_drawn(2, SMALL);
	lw_stacks = LW_STACKS_OFF;
	alloc_drawn(3, SMALL);
	lw_stacks = LW_STACKS_ALL;
	KUNIT_EXPECT_EQ(test, live_of(what), 3);
	KUNIT_EXPECT_EQ(test, sum_of(SMALL).allocs, 0);
	/* all belong to a call site in exact mode */
	for (id = LW_SITE_GONE + 1; id < lw_sites_end(); id++) {
		site = &lw_sites[lw_sites[id].parent];
		KUNIT_EXPECT_EQ(test, site->what, SMALL);
		KUNIT_EXPECT_EQ(test, site->nr_frames, 1);
		KUNIT_EXPECT_EQ(test, site->call, lw_sites[id].call);
	}
	conserved(test);
	lw_object_free_drawn(object(1));
	lw_object_free_drawn(object(1));
	lw_object_free_drawn(object(9));
	lw_object_alloc_drawn(_RET_IP_, NULL, SMALL);
	KUNIT_EXPECT_EQ(test, live_of(what), 2);
	expect_stats(test);
	conserved(test);
	/* the free of what was drawn is heard in exact mode, too, and the reverse */
	lw_sample_set(0);
	lw_object_free(object(2));
	alloc(4, SMALL);
	KUNIT_EXPECT_EQ(test, live_of(SMALL), 1);
	lw_filter_open();
	lw_sample_set(RATE);
	lw_filter_fill();
	lw_object_free_drawn(object(3));
	lw_object_free_drawn(object(4));
	KUNIT_EXPECT_EQ(test, live_of(what), 0);
	KUNIT_EXPECT_EQ(test, live_of(SMALL), 0);
	KUNIT_EXPECT_EQ(test, lw_filter_load(), 0);
	/* what an audit drops is waited for no more */
	alloc_drawn(5, SMALL);
	lw_live_walk(drop, NULL);
	KUNIT_EXPECT_EQ(test, lw_filter_load(), 0);
	KUNIT_EXPECT_FALSE(test, lw_filter_has((unsigned long)object(5)));
	expect_stats(test, LW_GONE_OBJECTS, 1);
	conserved(test);
}

static void drawn_pages(struct kunit *test)
{
	lw_what_t what = lw_what_drawn(PAGES_A, RATE);
	lw_what_t large = lw_what_kmalloc(8 << PAGE_SHIFT, 0);
	u32 first, movable = (__force u32)GFP_HIGHUSER_MOVABLE;

	lw_sample_set(RATE);
	lw_filter_clear();
	lw_pages_alloc_drawn(pfn, 3, GFP_A);
	KUNIT_EXPECT_EQ(test, live_of(what), 8);
	KUNIT_EXPECT_EQ(test, live_of(PAGES_A), 0);
	lw_pages_free_drawn(pfn, 0);
	lw_pages_free_drawn(pfn, 0);
	lw_pages_free_drawn(pfn + 8, 3);
	KUNIT_EXPECT_EQ(test, live_of(what), 7);
	KUNIT_EXPECT_TRUE(test, lw_pages_any(pfn, 3));
	/* more than a chunk: what is behind its first is no table */
	KUNIT_EXPECT_TRUE(test, lw_pages_any(0, LW_CHUNK_SHIFT + 3));
	/* moved: the owner goes along, and nobody has the rest */
	lw_pages_move(pfn + 4, pfn + 12, 4);
	conserved(test);
	lw_pages_free_drawn(pfn, 3);
	KUNIT_EXPECT_EQ(test, live_of(what), 4);
	KUNIT_EXPECT_FALSE(test, lw_pages_any(pfn, 3));
	lw_pages_free_drawn(pfn, 4);
	KUNIT_EXPECT_EQ(test, live_of(what), 0);
	KUNIT_EXPECT_EQ(test, live_of_site(LW_SITE_MIGRATION), 0);
	lw_pages_free_drawn(end_of_all(), 0);
	expect_stats(test);
	conserved(test);
	/* a kind */
	first = lw_sites_end();
	lw_pages_alloc_drawn(pfn, 1, movable);
	KUNIT_EXPECT_EQ(test, live_of(lw_what_drawn(lw_what_pages(1, movable), RATE)), 2);
	KUNIT_EXPECT_EQ(test, lw_sites_end(), first + 2);
	KUNIT_EXPECT_EQ(test, lw_sites[first].what, lw_what_pages(1, movable));
	KUNIT_EXPECT_EQ(test, lw_sites[first + 1].parent, first);
	lw_pages_free_drawn(pfn, 1);
	/* pages of slabs and of large kmallocs are in no row */
	lw_pages_alloc_drawn(slab_pfn, 0, GFP_A);
	lw_pages_alloc_drawn(pfn, 3, GFP_A);
	lw_pages_settle();
	KUNIT_EXPECT_EQ(test, live_of(lw_what_drawn(lw_what_pages(0, GFP_A), RATE)), 0);
	KUNIT_EXPECT_FALSE(test, lw_pages_any(slab_pfn, 0));
	lw_object_alloc_drawn(_RET_IP_, buffer, large);
	KUNIT_EXPECT_EQ(test, live_of(what), 0);
	KUNIT_EXPECT_EQ(test, live_of(lw_what_drawn(large, RATE)), 1);
	/* from 6.12 on it is announced twice */
	lw_object_alloc_drawn(_THIS_IP_, buffer, large);
	KUNIT_EXPECT_EQ(test, live_of(lw_what_drawn(large, RATE)), 1);
	KUNIT_EXPECT_EQ(test, live_of_site(LW_SITE_SLAB_PAGES), 0);
	lw_object_free_drawn(buffer);
	KUNIT_EXPECT_EQ(test, lw_filter_load(), 0);
	expect_stats(test);
	conserved(test);
}

/* The race: each thread has own objects and pages; they share sites, and a table that is full. */
#define RACE_OPS	race_many(40000)

struct caller {
	unsigned int id;
	unsigned int of;
};

static void call(void *arg)
{
	struct caller *me = arg;
	unsigned int i, nr = BYTES / 64 / me->of, r;
	u32 seed = me->id + 1;

	for (i = 0; i < RACE_OPS; i++) {
		seed = seed * 1664525 + 1013904223;
		r = seed >> 16;
		switch (r % 8) {
		case 0:
		case 1:
		case 2:
			alloc((r >> 3) % nr * me->of + me->id, r & 64 ? SMALL : OTHER);
			break;
		case 3:
		case 4:
			lw_object_free(object((r >> 3) % nr * me->of + me->id));
			break;
		case 5:
			lw_object_give(object((r >> 3) % nr * me->of + me->id));
			break;
		case 6:
			lw_pages_alloc(pfn + me->id * 2, !!(r & 64), r & 128 ? GFP_A : GFP_B);
			break;
		case 7:
			lw_pages_free(pfn + me->id * 2, 1);
			break;
		}
		if (!(i % 128))
			cond_resched();
	}
}

static const unsigned int thread_counts[] = { 2, 4, 8 };

static void threads_name(const unsigned int *nr, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%u threads", *nr);
}

KUNIT_ARRAY_PARAM(threads, thread_counts, threads_name);

static void races(struct kunit *test)
{
	unsigned int threads = *(unsigned int *)test->param_value, i;
	struct caller caller[RACE_MAX];

	for (i = 0; i < threads; i++)
		caller[i] = (struct caller){ .id = i, .of = threads };
	race(test, threads, call, caller, sizeof(*caller));
	conserved(test);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_LOST_FREE), 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_LOST_MOVE), 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_LOST_OUTSIDE), 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_LOST_SITES_FULL), 0);
	KUNIT_EXPECT_GT(test, lw_stat_read(LW_MISSED_OBJECTS), 0);
}

static struct kunit_case door_cases[] = {
	KUNIT_CASE(objects),
	KUNIT_CASE(no_objects),
	KUNIT_CASE(missed_free),
	KUNIT_CASE(hints),
	KUNIT_CASE(given_up),
	KUNIT_CASE(outside),
	KUNIT_CASE(full_table),
	KUNIT_CASE(full_sites),
	KUNIT_CASE(call_sites_alone),
	KUNIT_CASE(zoomed),
	KUNIT_CASE(pages),
	KUNIT_CASE(missed_pages),
	KUNIT_CASE(pages_outside),
	KUNIT_CASE(kinds),
	KUNIT_CASE(kinds_left_out),
	KUNIT_CASE(put_if_none),
	KUNIT_CASE(claims),
	KUNIT_CASE(moves),
	KUNIT_CASE(moves_outside),
	KUNIT_CASE(met_below),
	KUNIT_CASE(large),
	KUNIT_CASE(settles),
	KUNIT_CASE(drawn_objects),
	KUNIT_CASE(drawn_pages),
	KUNIT_CASE_PARAM(races, threads_gen_params),
	{}
};

static struct kunit_suite door_suite = {
	.name = "leakwatch_door",
	.suite_init = door_suite_init,
	.suite_exit = door_suite_exit,
	.init = door_test_init,
	.exit = door_test_exit,
	.test_cases = door_cases,
};

kunit_test_suite(door_suite);

MODULE_LICENSE("GPL");

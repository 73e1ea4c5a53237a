// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of row and rank: from counts and entries to rows, and their order. */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "../module/judge/rank.c"
#include "../module/judge/row.c"

#define BASE	PAGE_OFFSET
#define FRAME(nr)	((unsigned long)(0xffffffff81000000ULL + 16 * (nr)))

static unsigned long slab_pfn;	/* a page that holds objects of the allocator */

static bool exists(unsigned long pfn)
{
	return !pfn || slab_pfn >> LW_CHUNK_SHIFT == pfn >> LW_CHUNK_SHIFT;
}

static void *slab_object;

static int rank_test_init(struct kunit *test)
{
	int err;

	slab_object = kmalloc(100, GFP_KERNEL);
	if (!slab_object)
		return -ENOMEM;
	slab_pfn = page_to_pfn(virt_to_page(slab_object));
	err = lw_live_init(LW_LIVE_MIN, BASE, 1 << 20) ?:
	      lw_pages_init(slab_pfn + 1, exists) ?: lw_sites_init(512) ?: lw_mark_init() ?:
	      lw_cache_init() ?: lw_history_init(64);
	if (!err)
		lw_watch_start();
	return err;
}

static void rank_test_exit(struct kunit *test)
{
	lw_history_exit();
	lw_cache_exit();
	lw_mark_exit();
	lw_sites_exit();
	lw_pages_exit();
	lw_live_exit();
	kfree(slab_object);
}

static struct lw_row row(u32 site, long live, long grown, u64 freed, u32 size)
{
	return (struct lw_row){
		.site = site, .live = live, .grown = grown, .freed = freed, .size = size,
	};
}

static void expect_order(struct kunit *test, const struct lw_row *row, unsigned int nr)
{
	struct lw_rows *rows = kunit_kzalloc(test, struct_size(rows, row, nr), GFP_KERNEL);
	unsigned int i, turn;

	KUNIT_ASSERT_NOT_NULL(test, rows);
	rows->nr = nr;
	for (turn = 0; turn < nr; turn++) {	/* however they stood before */
		for (i = 0; i < nr; i++)
			rows->row[i] = row[turn & 1 ? (i + turn) % nr : nr - 1 - (i + turn) % nr];
		lw_rank(rows);
		for (i = 0; i < nr; i++)
			KUNIT_EXPECT_EQ_MSG(test, rows->row[i].site, row[i].site, "place %u", i);
	}
}

/* Grows by a page or more without churn, else grows, does not grow; within each the bytes. */
static void tiers(struct kunit *test)
{
	const struct lw_row order[] = {
		row(1, 200, 200, 0, 64),
		row(2, 100, 100, 100, 64),	/* as much freed as kept is no churn */
		row(3, 1, 1, 0, PAGE_SIZE),
		row(4, 5000, 5000, 5001, 64),
		row(12, 4999, 4999, 1ULL << 63, 64),	/* more than a long can say */
		row(10, 1, 1, 0, PAGE_SIZE - 8),
		row(11, 1, 1, 0, 32),
		row(5, 2, 2, 1000000, 8),
		row(6, 1000000, 0, 0, 4096),
		row(7, 1000, 0, 0, 4096),
		row(8, 5, -1, 1, 8),
		row(9, 1000000, -1000, 1000, 4096),
	};

	expect_order(test, order, ARRAY_SIZE(order));
}

#define HUGE	(1L << (BITS_PER_LONG - 24))

/* Bytes, not objects; then what is live; then the number. */
static void ties(struct kunit *test)
{
	const struct lw_row order[] = {
		row(9, 1, 1, 0, 3 * PAGE_SIZE),
		row(8, 1000, 128, 0, 64),
		row(1, 500, 128, 0, 64),
		row(2, 500, 128, 3, 64),
		row(3, 500, 128, 128, 64),
		row(7, 8000, 8000, 0, 1),
	};
	const struct lw_row huge[] = {
		row(2, HUGE, HUGE, 0, U32_MAX >> 10),
		row(1, HUGE / 2, HUGE / 2, 0, U32_MAX >> 10),
	};

	expect_order(test, order, ARRAY_SIZE(order));
	expect_order(test, huge, ARRAY_SIZE(huge));
	KUNIT_EXPECT_EQ(test, lw_rank_bytes(1, 1, 1, 1), 0);
	KUNIT_EXPECT_LT(test, lw_rank_bytes(2, 1, 1, 9), 0);
	KUNIT_EXPECT_GT(test, lw_rank_bytes(1, 9, 2, 1), 0);
	KUNIT_EXPECT_LT(test, lw_rank_bytes(1, 9, 1, 1), 0);
	KUNIT_EXPECT_GT(test, lw_rank_bytes(-1, 0, 0, 0), 0);
}

static u32 site_of(lw_what_t what, unsigned long first, unsigned long second)
{
	unsigned long frames[] = { FRAME(first), FRAME(second) };

	return lw_site_get(what, frames, second ? 2 : 1, NULL);
}

static void alloc_objects(u32 site, unsigned long first, unsigned int nr)
{
	u64 old;

	lw_site_charge(site, nr);
	while (nr--)
		lw_live_add(BASE + 8 * (first + nr), site, &old);
}

static void free_objects(u32 site, unsigned long first, unsigned int nr)
{
	u64 old;

	lw_site_uncharge(site, nr);
	while (nr--)
		lw_live_take(BASE + 8 * (first + nr), &old);
}

static const struct lw_row *find_row(const struct lw_rows *rows, u32 site)
{
	unsigned int i;

	for (i = 0; i < rows->nr; i++)
		if (rows->row[i].site == site)
			return &rows->row[i];
	return NULL;
}

#define SMALL	lw_what_kmalloc(64, 0)

static void figures(struct kunit *test)
{
	u32 one = site_of(SMALL, 1, 2), two = site_of(SMALL, 3, 4), none = site_of(SMALL, 5, 6);
	const struct lw_row *row;
	struct lw_rows *rows;

	alloc_objects(one, 0, 10);
	free_objects(one, 0, 3);
	lw_mark_set();
	alloc_objects(one, 100, 5);
	free_objects(one, 3, 1);
	alloc_objects(two, 200, 1);
	atomic_inc(&lw_flaws[two].missed);
	rows = lw_rows_get(BIT(LW_SLAB), LW_BY_PATH, NULL);
	KUNIT_ASSERT_NOT_NULL(test, rows);
	KUNIT_EXPECT_EQ(test, rows->nr, 2);
	KUNIT_EXPECT_NULL(test, find_row(rows, none));
	row = find_row(rows, one);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_EQ(test, row->allocs, 15);
	KUNIT_EXPECT_EQ(test, row->frees, 4);
	KUNIT_EXPECT_EQ(test, row->live, 11);
	KUNIT_EXPECT_EQ(test, row->grown, 4);
	KUNIT_EXPECT_EQ(test, row->freed, 1);
	KUNIT_EXPECT_EQ(test, row->seen, 11);
	KUNIT_EXPECT_EQ(test, row->size, 64);
	KUNIT_EXPECT_EQ(test, lw_row_bytes(row), 11 * 64);
	KUNIT_EXPECT_EQ(test, lw_row_grown(row), 4 * 64);
	KUNIT_EXPECT_EQ(test, row->note, 0);
	KUNIT_EXPECT_GT(test, row->pid_min, row->pid_max);
	row = find_row(rows, two);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_EQ(test, row->live, 1);
	KUNIT_EXPECT_EQ(test, row->note, LW_NOTE_MISSED);
	lw_rows_put(rows);
}

/* Of what could not be stored nothing is live, before and after the mark. */
static void figures_of_lost(struct kunit *test)
{
	u32 one = site_of(SMALL, 1, 2);
	const struct lw_row *row;
	struct lw_rows *rows;

	alloc_objects(one, 0, 10);
	lw_site_charge(one, 3);
	atomic_add(3, &lw_flaws[one].lost);
	lw_mark_set();
	lw_site_charge(one, 2);
	atomic_add(2, &lw_flaws[one].lost);
	alloc_objects(one, 50, 1);
	rows = lw_rows_get(BIT(LW_SLAB), LW_BY_PATH, NULL);
	KUNIT_ASSERT_NOT_NULL(test, rows);
	row = find_row(rows, one);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_EQ(test, row->live, 11);
	KUNIT_EXPECT_EQ(test, row->grown, 1);
	KUNIT_EXPECT_EQ(test, row->seen, 11);
	KUNIT_EXPECT_EQ(test, row->note, LW_NOTE_LOST);
	lw_rows_put(rows);
}

static void groups(struct kunit *test)
{
	u32 one = site_of(SMALL, 1, 2), two = site_of(SMALL, 1, 3), call = lw_sites[one].parent;
	u32 other = site_of(SMALL, 4, 0), large = site_of(lw_what_kmalloc(128, 0), 1, 2);
	const struct lw_row *row;
	struct lw_rows *rows;

	alloc_objects(one, 0, 10);
	alloc_objects(two, 100, 5);
	alloc_objects(call, 200, 1);
	alloc_objects(other, 300, 2);
	alloc_objects(large, 400, 3);
	lw_site_widen(&lw_sites[one], 7);
	lw_site_widen(&lw_sites[two], 3);
	atomic_inc(&lw_flaws[two].missed);

	rows = lw_rows_get(BIT(LW_SLAB), LW_BY_CALLER, NULL);
	KUNIT_ASSERT_NOT_NULL(test, rows);
	KUNIT_EXPECT_EQ(test, rows->nr, 3);
	row = find_row(rows, call);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_EQ(test, row->live, 16);
	KUNIT_EXPECT_EQ(test, row->allocs, 16);
	KUNIT_EXPECT_EQ(test, row->seen, 16);
	KUNIT_EXPECT_EQ(test, row->size, 64);
	KUNIT_EXPECT_EQ(test, row->note, LW_NOTE_MISSED);
	KUNIT_EXPECT_EQ(test, row->pid_min, 3);
	KUNIT_EXPECT_EQ(test, row->pid_max, 7);
	KUNIT_EXPECT_NULL(test, find_row(rows, one));
	row = find_row(rows, other);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_EQ(test, row->live, 2);
	row = find_row(rows, lw_sites[large].parent);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_EQ(test, row->live, 3);
	KUNIT_EXPECT_EQ(test, row->size, 128);
	lw_rows_put(rows);

	rows = lw_rows_get(BIT(LW_SLAB), LW_BY_PATH, NULL);
	KUNIT_ASSERT_NOT_NULL(test, rows);
	KUNIT_EXPECT_EQ(test, rows->nr, 5);
	row = find_row(rows, one);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_EQ(test, row->live, 10);
	lw_rows_put(rows);
}

static u32 unwanted;

static bool not_that(u32 site)
{
	return site != unwanted;
}

static void wanted(struct kunit *test)
{
	u32 one = site_of(SMALL, 1, 2), two = site_of(SMALL, 1, 3), call = lw_sites[one].parent;
	u32 page = site_of(lw_what_pages(0, 0), 1, 2);
	const struct lw_row *row;
	struct lw_rows *rows;
	u64 old;

	alloc_objects(one, 0, 10);
	alloc_objects(two, 100, 5);
	lw_site_charge(page, 1);
	lw_pages_put(5, lw_entry(0, page, 0), &old);

	unwanted = one;
	rows = lw_rows_get(BIT(LW_SLAB), LW_BY_CALLER, not_that);
	KUNIT_ASSERT_NOT_NULL(test, rows);
	KUNIT_EXPECT_EQ(test, rows->nr, 1);
	row = find_row(rows, call);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_EQ(test, row->live, 5);
	KUNIT_EXPECT_EQ(test, row->seen, 5);
	lw_rows_put(rows);

	/* the call site itself may be what is not wanted */
	unwanted = call;
	rows = lw_rows_get(BIT(LW_SLAB), LW_BY_CALLER, not_that);
	KUNIT_ASSERT_NOT_NULL(test, rows);
	row = find_row(rows, call);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_EQ(test, row->live, 15);
	lw_rows_put(rows);

	rows = lw_rows_get(BIT(LW_PAGE), LW_BY_PATH, NULL);
	KUNIT_ASSERT_NOT_NULL(test, rows);
	KUNIT_EXPECT_EQ(test, rows->nr, 1);
	KUNIT_EXPECT_EQ(test, rows->row[0].site, page);
	lw_rows_put(rows);
	rows = lw_rows_get(BIT(LW_PAGE) | BIT(LW_SLAB), LW_BY_PATH, NULL);
	KUNIT_ASSERT_NOT_NULL(test, rows);
	KUNIT_EXPECT_EQ(test, rows->nr, 3);
	lw_rows_put(rows);
	rows = lw_rows_get(0, LW_BY_PATH, NULL);
	KUNIT_ASSERT_NOT_NULL(test, rows);
	KUNIT_EXPECT_EQ(test, rows->nr, 0);
	lw_rows_put(rows);
}

static void ages(struct kunit *test)
{
	u32 page = site_of(lw_what_pages(0, 0), 1, 2), call = lw_sites[page].parent;
	u32 now = lw_clock_now(), ticks[] = { 10, 20, 300 }, i, sum = 0;
	const struct lw_row *row;
	struct lw_rows *rows;
	u64 old;

	for (i = 0; i < 3; i++) {
		lw_pages_put(i, lw_entry(0, page, now - ticks[i]), &old);
		sum += lw_clock_seconds(now - ticks[i], now);
	}
	lw_site_charge(page, 3);
	lw_watch_stop();	/* ages stay as they are */
	rows = lw_rows_get(BIT(LW_PAGE), LW_BY_CALLER, NULL);
	KUNIT_ASSERT_NOT_NULL(test, rows);
	row = find_row(rows, call);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_EQ(test, row->seen, 3);
	KUNIT_EXPECT_LE(test, row->age_min - lw_clock_seconds(now - 10, now), 3);
	KUNIT_EXPECT_LE(test, row->age_max - lw_clock_seconds(now - 300, now), 3);
	KUNIT_EXPECT_LE(test, row->age_sum - sum, 9);
	lw_rows_put(rows);
}

/* A page that holds objects now is the slab allocator's, whoever asked for it. */
static void adopted(struct kunit *test)
{
	u32 page = site_of(lw_what_pages(0, 0), 1, 2);
	const struct lw_row *row;
	struct lw_rows *rows;
	u64 old;

	KUNIT_ASSERT_TRUE(test, PageSlab(pfn_to_page(slab_pfn)));
	lw_pages_put(slab_pfn, lw_entry(0, page, 0), &old);
	lw_pages_put(3, lw_entry(0, LW_SITE_SLAB_PAGES, 0), &old);
	lw_pages_put(4, lw_entry(0, page, 0), &old);
	lw_site_charge(page, 2);
	lw_site_charge(LW_SITE_SLAB_PAGES, 1);
	rows = lw_rows_get(BIT(LW_PAGE), LW_BY_PATH, NULL);
	KUNIT_ASSERT_NOT_NULL(test, rows);
	row = find_row(rows, page);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_EQ(test, row->live, 1);
	KUNIT_EXPECT_EQ(test, row->grown, 1);
	KUNIT_EXPECT_EQ(test, row->seen, 1);
	row = find_row(rows, LW_SITE_SLAB_PAGES);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_TRUE(test, lw_row_is_backing(row));
	KUNIT_EXPECT_EQ(test, row->live, 2);
	KUNIT_EXPECT_EQ(test, row->seen, 2);
	lw_rows_put(rows);
}

/* Objects of a cache that had no number have no size; they must not get lost in the tables. */
static void no_size(struct kunit *test)
{
	u32 one = site_of(lw_what_cache(0), 1, 2);
	const struct lw_row *row;
	struct lw_rows *rows;

	KUNIT_ASSERT_EQ(test, lw_sites[one].size, 0);
	alloc_objects(one, 0, 4);
	rows = lw_rows_get(BIT(LW_SLAB), LW_BY_CALLER, NULL);
	KUNIT_ASSERT_NOT_NULL(test, rows);
	KUNIT_EXPECT_EQ(test, rows->nr, 1);
	row = find_row(rows, lw_sites[one].parent);
	KUNIT_EXPECT_NOT_NULL(test, row);
	if (row) {
		KUNIT_EXPECT_EQ(test, row->live, 4);
		KUNIT_EXPECT_EQ(test, row->seen, 4);
	}
	lw_rows_put(rows);
}

/*
 * The variance of what is live, in KB: nr * w * (w - 1) * bytes^2, w = 1 / (1 - exp(-x)). Of blocks
 * in part, too, and by the largest sample_bytes.
 */
static void errors(struct kunit *test)
{
	static const struct {
		lw_what_t what;
		u32 size;
		u32 rate;
		long live;
		u64 variance;
	} cases[] = {
		{ LW_SLAB | 64ULL << 32, 64, LW_RATE_DEFAULT, 100, 25600 },
		{ LW_SLAB | 64ULL << 32, 64, LW_RATE_DEFAULT, 0, 0 },
		{ LW_PAGE, PAGE_SIZE, LW_RATE_DEFAULT, 1, 262138 },
		{ LW_PAGE | 3 << 8, PAGE_SIZE, LW_RATE_DEFAULT, 1, 4095 },
		{ LW_PAGE | 3 << 8, PAGE_SIZE, LW_RATE_DEFAULT, 5, 102367 },
		{ LW_PAGE | 3 << 8, PAGE_SIZE, LW_RATE_DEFAULT, 8, 262059 },
		{ LW_PAGE | 3 << 8, PAGE_SIZE, LW_RATE_DEFAULT, 13, 364426 },
		/* 32 GB a draw */
		{ LW_PAGE, PAGE_SIZE, 19, 3, 3ULL << 50 },
		{ LW_PAGE | 9 << 8, PAGE_SIZE, 19, 1024, 2ULL << 50 },
	};
	struct lw_site site = {};
	struct lw_row row;
	unsigned int i;
	u64 off;

	if (PAGE_SHIFT != 12 || LW_RATE_MAX < 19) {
		kunit_skip(test, "figures are for 64 bits and pages of 4 KB\n");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		site.what = lw_what_drawn(cases[i].what, cases[i].rate);
		site.size = cases[i].size;
		row = (struct lw_row){ .live = cases[i].live };
		estimate_live(&row, &site);
		off = abs((s64)(row.variance - cases[i].variance));
		KUNIT_EXPECT_LE_MSG(test, off, cases[i].variance / 1000 + 1,
				    "case %u: %llu, should be %llu", i, row.variance,
				    cases[i].variance);
	}
}

/* Where a site counts pages, as buffers of all sizes are there, so do its ages. */
static void pages_of_buffers(struct kunit *test)
{
	static char ion[3];
	const u64 bytes[] = { 5ULL << 30, (5ULL << 30) + 1, PAGE_SIZE };
	struct lw_dmabuf is = { .heap = "system" };
	unsigned long pages = 0, frame = FRAME(1);
	u32 site = lw_site_get(lw_what_buffer(0), &frame, 1, NULL), one = 0;
	const struct lw_row *row;
	struct lw_rows *rows;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, lw_buffers_init(8), 0);
	for (i = 0; i < ARRAY_SIZE(bytes); i++) {
		is.ion = &ion[i];
		is.bytes = bytes[i];
		pages += PAGE_ALIGN(bytes[i]) >> PAGE_SHIFT;
		lw_ion_add(&is, site);
	}
	is.ion = &one;
	one = lw_site_get(lw_what_buffer(1), &frame, 1, NULL);
	lw_ion_add(&is, one);
	rows = lw_rows_get(BIT(LW_BUFFER), LW_BY_PATH, NULL);
	lw_buffers_exit();
	KUNIT_ASSERT_NOT_NULL(test, rows);
	row = find_row(rows, site);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_EQ(test, row->live, pages);
	KUNIT_EXPECT_EQ(test, row->seen, pages);
	KUNIT_EXPECT_EQ(test, row->old, 0);
	KUNIT_EXPECT_LE(test, row->age_sum, 2 * pages);	/* a tick may have turned */
	row = find_row(rows, one);
	KUNIT_ASSERT_NOT_NULL(test, row);
	KUNIT_EXPECT_EQ(test, row->live, 1);
	KUNIT_EXPECT_EQ(test, row->seen, 1);
	lw_rows_put(rows);
}

static struct kunit_case rank_cases[] = {
	KUNIT_CASE(tiers),
	KUNIT_CASE(ties),
	KUNIT_CASE(figures),
	KUNIT_CASE(figures_of_lost),
	KUNIT_CASE(groups),
	KUNIT_CASE(wanted),
	KUNIT_CASE(ages),
	KUNIT_CASE(adopted),
	KUNIT_CASE(no_size),
	KUNIT_CASE(errors),
	KUNIT_CASE(pages_of_buffers),
	{}
};

static struct kunit_suite rank_suite = {
	.name = "leakwatch_rank",
	.init = rank_test_init,
	.exit = rank_test_exit,
	.test_cases = rank_cases,
};

kunit_test_suite(rank_suite);

MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of site: who asked for what. Frames are numbers here. */
#include <kunit/test.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "../module/track/site.c"
#include "race.h"

#define FRAME(nr)	((unsigned long)(0xffffffff81000000ULL + 16 * (nr)))

static u32 first_free;	/* the number that the first site of a test gets */

static int init(unsigned int sites)
{
	int err;

	lw_stats_clear();
	err = lw_sites_init(sites);
	first_free = lw_sites_end();
	return err;
}

static void start(struct kunit *test, unsigned int sites)
{
	lw_sites_exit();
	KUNIT_ASSERT_EQ(test, init(sites), 0);
}

static int site_test_init(struct kunit *test)
{
	return init(512);
}

static void site_test_exit(struct kunit *test)
{
	lw_sites_exit();
}

/* A path of @nr frames: FRAME(first), then such as no other path has. */
static u32 get(lw_what_t what, unsigned long first, unsigned long rest, unsigned int nr)
{
	unsigned long frames[LW_DEPTH_MAX];
	unsigned int i;

	frames[0] = FRAME(first);
	for (i = 1; i < nr; i++)
		frames[i] = FRAME(rest * LW_DEPTH_MAX + i) | 1;
	return lw_site_get(what, frames, nr, NULL);
}

/* A call site that was met last, or NULL. */
static struct lw_site *find_call(lw_what_t what, unsigned long call)
{
	struct lw_site *site = lw_site_met(what, call);

	return lw_site_is_call(site, what, call) ? site : NULL;
}

/* Paths that take turns at one place displace each other only when there are more than ways. */
static void ways(struct kunit *test)
{
	lw_what_t what = lw_what_kmalloc(64, 0);
	u32 path[LW_MET_WAYS + 1];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(path); i++) {
		path[i] = get(what, 3, i, 2);
		lw_site_meet_path(&lw_sites[path[i]], 64);
	}
	for (i = 0; i < LW_MET_WAYS; i++)
		KUNIT_EXPECT_PTR_EQ(test, lw_site_met_path(what, FRAME(3), 64, i),
				    &lw_sites[path[LW_MET_WAYS - i]]);
	/* elsewhere none was met */
	for (i = 0; i < LW_MET_WAYS; i++)
		KUNIT_EXPECT_PTR_EQ(test, lw_site_met_path(what, FRAME(3), 128, i), lw_sites);
}

static unsigned int nr_live(void)
{
	unsigned int id, nr = 0;

	for (id = 0; id < lw_sites_end(); id++)
		nr += lw_site_live(&lw_sites[id]);
	return nr;
}

static void fixed_ones(struct kunit *test)
{
	static const u32 fixed[] = { LW_SITE_SLAB_PAGES, LW_SITE_MIGRATION };
	int i;

	KUNIT_EXPECT_FALSE(test, lw_site_live(&lw_sites[LW_SITE_NOBODY]));
	for (i = 0; i < ARRAY_SIZE(fixed); i++) {
		const struct lw_site *site = &lw_sites[fixed[i]];

		KUNIT_EXPECT_TRUE(test, lw_site_live(site));
		KUNIT_EXPECT_EQ(test, lw_what_class(site->what), LW_PAGE);
		KUNIT_EXPECT_EQ(test, site->nr_frames, 0);
		KUNIT_EXPECT_EQ(test, site->parent, fixed[i]);
		KUNIT_EXPECT_EQ(test, site->size, PAGE_SIZE);
	}
	KUNIT_EXPECT_EQ(test, nr_live(), 2);
	KUNIT_EXPECT_EQ(test, lw_sites_max(), 512);
	KUNIT_EXPECT_GT(test, lw_sites_bytes(lw_sites_max()), 512 * sizeof(struct lw_site));
	/* and what is asked for later is none of them */
	KUNIT_EXPECT_EQ(test, first_free,
			lw_site_get(lw_what_pages(0, (__force u32)__GFP_MOVABLE), NULL, 0, NULL));
}

static void what_packs(struct kunit *test)
{
	lw_what_t what = lw_what_kmalloc(96, 0xffffff);

	KUNIT_EXPECT_EQ(test, lw_what_class(what), LW_SLAB);
	KUNIT_EXPECT_EQ(test, lw_what_major(what), 96);
	KUNIT_EXPECT_FALSE(test, lw_what_is_cache(what));
	what = lw_what_kmalloc(U32_MAX, 0);
	KUNIT_EXPECT_EQ(test, lw_what_class(what), LW_SLAB);
	KUNIT_EXPECT_EQ(test, lw_what_major(what), U32_MAX);
	what = lw_what_cache(7);
	KUNIT_EXPECT_EQ(test, lw_what_class(what), LW_SLAB);
	KUNIT_EXPECT_TRUE(test, lw_what_is_cache(what));
	KUNIT_EXPECT_EQ(test, lw_what_major(what), 7);
	what = lw_what_pages(10, U32_MAX);
	KUNIT_EXPECT_EQ(test, lw_what_class(what), LW_PAGE);
	KUNIT_EXPECT_EQ(test, lw_what_order(what), 10);
	KUNIT_EXPECT_EQ(test, lw_what_major(what), U32_MAX);
	KUNIT_EXPECT_FALSE(test, lw_what_is_cache(what));
}

static void same_is_same(struct kunit *test)
{
	lw_what_t what = lw_what_kmalloc(128, 0);
	u32 call = get(what, 1, 0, 1), path = get(what, 1, 2, 5), end = lw_sites_end();

	KUNIT_EXPECT_GT(test, call, LW_SITE_MIGRATION);
	KUNIT_EXPECT_GT(test, path, LW_SITE_MIGRATION);
	KUNIT_EXPECT_NE(test, call, path);
	KUNIT_EXPECT_EQ(test, get(what, 1, 0, 1), call);
	KUNIT_EXPECT_EQ(test, get(what, 1, 2, 5), path);
	KUNIT_EXPECT_EQ(test, lw_sites_end(), end);

	/* the short way finds call sites alone, and the right one */
	KUNIT_EXPECT_PTR_EQ(test, find_call(what, FRAME(1)), &lw_sites[call]);
	KUNIT_EXPECT_NULL(test, find_call(what, FRAME(3)));
	KUNIT_EXPECT_NULL(test, find_call(lw_what_kmalloc(64, 0), FRAME(1)));
	KUNIT_EXPECT_NULL(test, find_call(0, 0));
	path = get(what, 3, 2, 2);
	KUNIT_EXPECT_PTR_EQ(test, find_call(what, FRAME(3)),
			    &lw_sites[lw_sites[path].parent]);
	lw_site_meet_path(&lw_sites[path], 64);
	KUNIT_EXPECT_PTR_EQ(test, find_call(what, FRAME(3)),
			    &lw_sites[lw_sites[path].parent]);
	KUNIT_EXPECT_PTR_EQ(test, lw_site_met_path(what, FRAME(3), 64, 0), &lw_sites[path]);
	KUNIT_EXPECT_EQ(test, lw_entry_site(lw_sites[call].entry), call);
	KUNIT_EXPECT_EQ(test, lw_sites[call].entry, lw_entry(0, call, 0));

	/* a large kmalloc is looked for each time */
	what = lw_what_kmalloc(KMALLOC_MAX_CACHE_SIZE, 0);
	get(what, 4, 0, 1);
	KUNIT_EXPECT_NOT_NULL(test, find_call(what, FRAME(4)));
	what = lw_what_kmalloc(KMALLOC_MAX_CACHE_SIZE + 1, 0);
	get(what, 4, 0, 1);
	KUNIT_EXPECT_NULL(test, find_call(what, FRAME(4)));

	lw_site_charge_one(&lw_sites[call]);
	lw_site_uncharge_one(LW_SITE_NOBODY);
}

static void different_is_different(struct kunit *test)
{
	unsigned long abc[] = { FRAME(1), FRAME(2), FRAME(3) };
	unsigned long acb[] = { FRAME(1), FRAME(3), FRAME(2) };
	unsigned long zero[] = { FRAME(1), 0, 0 };
	lw_what_t what = lw_what_kmalloc(128, 0);
	u32 id[12];
	int i, k, nr = 0;

	id[nr++] = lw_site_get(what, abc, 3, NULL);
	id[nr++] = lw_site_get(what, acb, 3, NULL);
	id[nr++] = lw_site_get(what, abc, 2, NULL);
	id[nr++] = lw_site_get(what, abc, 1, NULL);
	id[nr++] = lw_site_get(what, abc + 1, 2, NULL);
	id[nr++] = lw_site_get(what, zero, 2, NULL);
	id[nr++] = lw_site_get(what, zero, 3, NULL);
	id[nr++] = lw_site_get(lw_what_kmalloc(128, 1), abc, 3, NULL);
	id[nr++] = lw_site_get(lw_what_kmalloc(192, 0), abc, 3, NULL);
	id[nr++] = lw_site_get(lw_what_cache(128), abc, 3, NULL);
	id[nr++] = lw_site_get(lw_what_pages(0, 128), abc, 3, NULL);
	id[nr++] = lw_site_get(lw_what_pages(1, 128), abc, 3, NULL);
	for (i = 0; i < nr; i++)
		for (k = 0; k < i; k++)
			KUNIT_EXPECT_NE_MSG(test, id[i], id[k], "%d and %d", i, k);
}

static void parents(struct kunit *test)
{
	lw_what_t what = lw_what_kmalloc(128, 0);
	u32 one = get(what, 1, 2, 5), two = get(what, 1, 3, 4), call = lw_sites[one].parent, other;
	const struct lw_site *site = &lw_sites[one];
	unsigned int i;

	KUNIT_ASSERT_NE(test, call, one);
	KUNIT_EXPECT_EQ(test, lw_sites[two].parent, call);
	KUNIT_EXPECT_EQ(test, lw_sites[call].parent, call);
	KUNIT_EXPECT_EQ(test, lw_sites[call].nr_frames, 1);
	KUNIT_EXPECT_EQ(test, lw_sites[call].what, what);
	KUNIT_EXPECT_EQ(test, *lw_site_frames(&lw_sites[call]), FRAME(1));
	KUNIT_EXPECT_EQ(test, get(what, 1, 0, 1), call);

	KUNIT_EXPECT_EQ(test, site->nr_frames, 5);
	KUNIT_EXPECT_EQ(test, lw_frames_used(), 5 + 4 + 1);
	KUNIT_EXPECT_GE(test, lw_frames_max(), lw_sites_max());
	KUNIT_EXPECT_EQ(test, lw_site_frames(site)[0], FRAME(1));
	for (i = 1; i < 5; i++)
		KUNIT_EXPECT_EQ(test, lw_site_frames(site)[i], FRAME(2 * LW_DEPTH_MAX + i) | 1);

	/* another size is another call site */
	other = get(lw_what_kmalloc(64, 0), 1, 2, 5);
	KUNIT_EXPECT_NE(test, lw_sites[other].parent, call);
	KUNIT_EXPECT_EQ(test, nr_live(), 2 + 3 + 2);
}

static void kinds(struct kunit *test)
{
	lw_what_t what = lw_what_pages(0, (__force u32)(GFP_HIGHUSER_MOVABLE));
	u32 kind = lw_site_get(what, NULL, 0, NULL), end = lw_sites_end();
	unsigned long zero = 0;

	KUNIT_EXPECT_EQ(test, lw_sites[kind].nr_frames, 0);
	KUNIT_EXPECT_EQ(test, lw_sites[kind].parent, kind);
	KUNIT_EXPECT_EQ(test, lw_site_get(what, NULL, 0, NULL), kind);
	KUNIT_EXPECT_EQ(test, lw_sites_end(), end);
	/* another order is another kind; a call site at address 0 is none */
	KUNIT_EXPECT_NE(test, kind,
			lw_site_get(lw_what_pages(1, lw_what_major(what)), NULL, 0, NULL));
	KUNIT_EXPECT_NE(test, kind, lw_site_get(what, &zero, 1, NULL));
}

static void sizes(struct kunit *test)
{
	struct kmem_cache *cache = kmem_cache_create("leakwatch_site_test", 200, 0, 0, NULL);
	u32 nr, id;

	KUNIT_ASSERT_NOT_NULL(test, cache);
	nr = lw_cache_get(cache);
	id = get(lw_what_cache(nr), 1, 0, 1);
	KUNIT_EXPECT_GE(test, lw_sites[id].size, 200);
	KUNIT_EXPECT_EQ(test, lw_sites[id].size, lw_cache_size(nr));
	KUNIT_EXPECT_EQ(test, lw_sites[id].cache, nr);
	KUNIT_EXPECT_EQ(test, lw_sites[get(lw_what_kmalloc(96, 0), 1, 0, 1)].size, 96);
	KUNIT_EXPECT_EQ(test, lw_sites[get(lw_what_pages(3, 0), 1, 0, 1)].size, PAGE_SIZE);
	kmem_cache_destroy(cache);
}

/* Seven eighths of the numbers are for paths; then a path is charged to its call site. */
static void folding(struct kunit *test)
{
	lw_what_t what = lw_what_kmalloc(128, 0);
	unsigned int limit = 64 - 64 / 8, nr = 0;
	u32 id, call, last = 0;

	start(test, 64);
	call = get(what, 1, 0, 1);
	while (lw_sites_end() < limit) {
		id = get(what, 1, ++nr, 3);
		KUNIT_ASSERT_NE(test, id, call);
		KUNIT_ASSERT_NE(test, id, LW_SITE_NOBODY);
		last = id;
	}
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_FOLDED), 0);
	KUNIT_EXPECT_EQ(test, get(what, 1, nr + 1, 3), call);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_FOLDED), 1);
	KUNIT_EXPECT_EQ(test, lw_sites_end(), limit);

	/* a path whose call site is new is charged to a call site of its own */
	id = get(what, 2, nr + 2, 3);
	KUNIT_EXPECT_EQ(test, id, limit);
	KUNIT_EXPECT_EQ(test, lw_sites[id].nr_frames, 1);
	KUNIT_EXPECT_EQ(test, *lw_site_frames(&lw_sites[id]), FRAME(2));
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_FOLDED), 2);

	/* what was made before is still found, and is no fold */
	KUNIT_EXPECT_EQ(test, get(what, 1, nr, 3), last);
	KUNIT_EXPECT_EQ(test, get(what, 1, 0, 1), call);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_FOLDED), 2);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_SITES_SPOILT), 0);
}

/* The pool of frames can be the first to be full. */
static void folding_frames(struct kunit *test)
{
	lw_what_t what = lw_what_kmalloc(128, 0);
	unsigned int room = 64 * FRAMES_A_SITE - 64 * FRAMES_A_SITE / 8, nr;
	u32 call;

	start(test, 64);
	call = get(what, 1, 0, 1);
	for (nr = 0; get(what, 1, nr + 1, LW_DEPTH_MAX) != call; nr++)
		KUNIT_ASSERT_LT(test, nr, 64);
	KUNIT_EXPECT_EQ(test, nr, (room - 1) / LW_DEPTH_MAX);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_FOLDED), 1);
	/* call sites have the rest, all of them */
	for (nr = lw_sites_end(); nr < 64; nr++)
		KUNIT_EXPECT_EQ(test, get(what, nr, 0, 1), nr);
}

static void nobody(struct kunit *test)
{
	lw_what_t what = lw_what_kmalloc(128, 0);
	unsigned int nr;
	u32 first;

	start(test, LW_SITES_MIN);
	first = get(what, 1, 0, 1);
	for (nr = first + 1; nr < LW_SITES_MIN; nr++)
		KUNIT_EXPECT_EQ(test, get(what, nr, 0, 1), nr);
	KUNIT_EXPECT_EQ(test, get(what, 1000, 0, 1), LW_SITE_NOBODY);
	KUNIT_EXPECT_EQ(test, get(what, 1000, 1, 4), LW_SITE_NOBODY);
	KUNIT_EXPECT_EQ(test, lw_site_get(what, NULL, 0, NULL), LW_SITE_NOBODY);
	KUNIT_EXPECT_EQ(test, get(what, 1, 5, 4), first);
	KUNIT_EXPECT_EQ(test, get(what, 1, 0, 1), first);
	KUNIT_EXPECT_EQ(test, lw_sites_end(), LW_SITES_MIN);
	KUNIT_EXPECT_EQ(test, nr_live(), 2 + LW_SITES_MIN - first_free);
}

/*
 * A key that finds no place in the hash within PROBES slots gets none; and must not take a new
 * number at each of its events, else one unlucky site would use up all of them.
 */
static void crowded_hash(struct kunit *test)
{
	lw_what_t what = lw_what_kmalloc(128, 0);
	unsigned long frame = FRAME(0);
	unsigned int nr = 0, before;
	u32 *home = NULL;
	int i;

	start(test, 2 * PROBES);
	for (;; frame += 8) {
		u32 *slot = slot_of(hash_of(what, &frame, 1), 0);

		if (!home)
			home = slot;
		if (slot != home)
			continue;
		KUNIT_ASSERT_LE(test, nr, PROBES);
		if (lw_site_get(what, &frame, 1, NULL) == LW_SITE_NOBODY)
			break;
		nr++;
	}
	KUNIT_ASSERT_LT(test, lw_sites_end(), lw_sites_max());
	before = lw_sites_end();
	for (i = 0; i < 10; i++)
		lw_site_get(what, &frame, 1, NULL);
	KUNIT_EXPECT_LE(test, lw_sites_end(), before + 1);
}

static void charge_here(void *id)
{
	lw_site_charge((unsigned long)id, 5);
	lw_site_uncharge((unsigned long)id, 2);
}

static void counts(struct kunit *test)
{
	u32 one = get(lw_what_kmalloc(128, 0), 1, 0, 1);
	u32 two = get(lw_what_kmalloc(128, 0), 2, 0, 1);
	struct lw_count sum;

	on_each_cpu(charge_here, (void *)(unsigned long)one, 1);
	lw_site_counts(one, &sum);
	KUNIT_EXPECT_EQ(test, sum.allocs, 5 * num_online_cpus());
	KUNIT_EXPECT_EQ(test, sum.frees, 2 * num_online_cpus());
	lw_site_counts(two, &sum);
	KUNIT_EXPECT_EQ(test, sum.allocs + sum.frees, 0);

	lw_site_charge(one, -1);
	lw_site_counts(one, &sum);
	KUNIT_EXPECT_EQ(test, sum.allocs, 5 * num_online_cpus() - 1);

	atomic_inc(&lw_flaws[one].lost);
	atomic_inc(&lw_flaws[one].missed);
	lw_sites_clear();
	lw_site_counts(one, &sum);
	KUNIT_EXPECT_EQ(test, sum.allocs + sum.frees, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&lw_flaws[one].lost), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&lw_flaws[one].missed), 0);
	KUNIT_EXPECT_TRUE(test, lw_site_live(&lw_sites[one]));
	KUNIT_EXPECT_EQ(test, get(lw_what_kmalloc(128, 0), 1, 0, 1), one);
}

/* Beyond what one per-CPU allocation holds. */
static void counts_of_many(struct kunit *test)
{
	lw_what_t what = lw_what_kmalloc(128, 0);
	struct lw_count sum;
	unsigned int nr;
	u32 id;

	start(test, 3 * LW_COUNT_SITES + 10);
	for (nr = lw_sites_end(); nr < lw_sites_max(); nr++) {
		id = get(what, nr, 0, 1);
		KUNIT_ASSERT_EQ(test, id, nr);
		lw_site_charge(id, id);
	}
	for (id = first_free; id < lw_sites_max(); id++) {
		lw_site_counts(id, &sum);
		KUNIT_ASSERT_EQ(test, sum.allocs, id);
		KUNIT_ASSERT_EQ(test, sum.frees, 0);
	}
}

/* A site that is retired stays, and is not met again; what is met instead is new. */
static void retired(struct kunit *test)
{
	lw_what_t what = lw_what_kmalloc(128, 0);
	u32 one = get(what, 1, 1, 3), call = lw_sites[one].parent, two, other = get(what, 2, 1, 3);
	int i;

	lw_site_retire(one);
	KUNIT_EXPECT_EQ(test, get(what, 1, 0, 1), call);
	two = get(what, 1, 1, 3);
	KUNIT_EXPECT_NE(test, two, one);
	KUNIT_EXPECT_EQ(test, lw_sites[two].parent, call);
	KUNIT_EXPECT_TRUE(test, lw_site_live(&lw_sites[one]));
	lw_site_retire(call);
	KUNIT_EXPECT_NULL(test, find_call(what, FRAME(1)));
	KUNIT_EXPECT_NE(test, get(what, 1, 0, 1), call);
	KUNIT_EXPECT_EQ(test, get(what, 1, 1, 3), two);
	KUNIT_EXPECT_EQ(test, get(what, 2, 1, 3), other);

	/* modules that come and go do not fill the hash */
	start(test, 4096);
	other = get(what, 2, 1, 3);
	for (i = 0; i < 3000; i++) {
		one = get(what, 1000 + i, 0, 1);
		KUNIT_ASSERT_NE(test, one, LW_SITE_NOBODY);
		lw_site_retire(one);
		KUNIT_ASSERT_EQ(test, get(what, 2, 1, 3), other);
	}
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_SITES_SPOILT), 0);
}

static bool nobody_asked(const struct lw_site *site)
{
	return site->pid_min < 0;
}

static int highest(const struct lw_site *site)
{
	return site->pid_min + (int)site->pid_span;
}

static struct lw_site *interrupted;

static void saw_here(struct irq_work *work)
{
	lw_site_saw(interrupted);
}

struct witness {
	u32 site;
	int pid;
};

static void saw(void *arg)
{
	struct witness *witness = arg;

	witness->pid = current->pid;
	lw_site_saw(&lw_sites[witness->site]);
}

static void pids(struct kunit *test)
{
	u32 id = get(lw_what_kmalloc(128, 0), 1, 0, 1);
	struct lw_site *site = &lw_sites[id];
	struct irq_work work = IRQ_WORK_INIT_HARD(saw_here);
	struct witness witness[4];
	int i, low = INT_MAX, high = -1;

	KUNIT_EXPECT_TRUE(test, nobody_asked(site));
	/* who was interrupted has not asked */
	interrupted = site;
	irq_work_queue(&work);
	irq_work_sync(&work);
	KUNIT_EXPECT_TRUE(test, nobody_asked(site));

	for (i = 0; i < 4; i++)
		witness[i].site = id;
	race(test, 4, saw, witness, sizeof(*witness));
	for (i = 0; i < 4; i++) {
		low = min(low, witness[i].pid);
		high = max(high, witness[i].pid);
	}
	KUNIT_EXPECT_EQ(test, site->pid_min, low);
	KUNIT_EXPECT_EQ(test, highest(site), high);
	lw_site_saw(site);
	KUNIT_EXPECT_EQ(test, site->pid_min, min(low, current->pid));
	KUNIT_EXPECT_EQ(test, highest(site), max(high, current->pid));
	lw_sites_clear();
	KUNIT_EXPECT_TRUE(test, nobody_asked(site));
}

/* Every order in which the range can grow. */
static void pid_range(struct kunit *test)
{
	static const s32 order[][3] = {
		{ 5, 9, 7 }, { 9, 5, 7 }, { 7, 5, 9 }, { 7, 9, 5 }, { 5, 5, 9 },
	};
	struct lw_site *site = &lw_sites[get(lw_what_kmalloc(128, 0), 1, 0, 1)];
	int i, k;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		lw_sites_clear();
		for (k = 0; k < 3; k++)
			lw_site_widen(site, order[i][k]);
		KUNIT_EXPECT_EQ(test, site->pid_min, 5);
		KUNIT_EXPECT_EQ(test, highest(site), 9);
	}
	lw_site_widen(site, 0);
	lw_site_widen(site, INT_MAX);
	KUNIT_EXPECT_EQ(test, site->pid_min, 0);
	KUNIT_EXPECT_EQ(test, highest(site), INT_MAX);
}

/* The same new keys from all threads at once: each has one number, which says what the key says. */
#define RACE_KEYS	race_many(2000)
#define RACE_CALLS	20

struct maker {
	unsigned int id;
	unsigned int of;
	unsigned int nr;
	unsigned int keys;
	u32 got[4096];
};

static void make_all(void *arg)
{
	struct maker *me = arg;
	unsigned int i, key;

	for (i = 0; i < me->keys; i++) {
		key = (i ^ (me->id & 1)) % me->keys;	/* half of them go the other way */
		me->got[key] = get(lw_what_kmalloc(128, 0), key % RACE_CALLS, key / RACE_CALLS + 1,
				   key < RACE_CALLS ? 1 : 2 + key % 7);
	}
}

static const unsigned int thread_counts[] = { 2, 3, 4, 8 };

static void threads_name(const unsigned int *nr, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%u threads", *nr);
}

KUNIT_ARRAY_PARAM(threads, thread_counts, threads_name);

static void races(struct kunit *test)
{
	unsigned int threads = *(unsigned int *)test->param_value, round, i, key;
	struct maker *maker = vzalloc(threads * sizeof(*maker));
	unsigned long wrong = 0, differ = 0, spoilt = 0;

	KUNIT_ASSERT_NOT_NULL(test, maker);
	for (round = 0; round < 5; round++) {
		start(test, 16384);
		for (i = 0; i < threads; i++) {
			maker[i].id = i;
			maker[i].keys = RACE_KEYS;
		}
		race(test, threads, make_all, maker, sizeof(*maker));
		for (key = 0; key < RACE_KEYS; key++) {
			u32 id = maker[0].got[key];
			const struct lw_site *site = &lw_sites[id];

			for (i = 1; i < threads; i++)
				differ += maker[i].got[key] != id;
			wrong += id <= LW_SITE_MIGRATION || !lw_site_live(site);
			wrong += lw_site_frames(site)[0] != FRAME(key % RACE_CALLS);
			wrong += site->nr_frames != (key < RACE_CALLS ? 1 : 2 + key % 7);
			wrong += lw_sites[site->parent].nr_frames != 1;
			wrong += !lw_site_live(&lw_sites[site->parent]);
			wrong += maker[0].got[key % RACE_CALLS] != site->parent;
		}
		KUNIT_ASSERT_EQ(test, nr_live(), 2 + RACE_KEYS);
		KUNIT_ASSERT_EQ(test, lw_sites_end() - first_free,
				RACE_KEYS + lw_stat_read(LW_SITES_SPOILT));
		spoilt += lw_stat_read(LW_SITES_SPOILT);
	}
	KUNIT_EXPECT_EQ(test, differ, 0);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	kunit_info(test, "%u threads: %lu numbers spoilt of %lu\n", threads, spoilt, 5 * RACE_KEYS);
	vfree(maker);
}

/* Own keys, until all is full: no number is given twice, none is left. */
static void make_until_full(void *arg)
{
	struct maker *me = arg;

	while (me->nr < ARRAY_SIZE(me->got)) {
		me->got[me->nr] = get(lw_what_kmalloc(64, 0), 1 + me->nr * me->of + me->id, 0, 1);
		if (me->got[me->nr++] == LW_SITE_NOBODY)
			break;
	}
}

static void races_until_full(struct kunit *test)
{
	unsigned int threads = *(unsigned int *)test->param_value, i, nr, given = 0;
	struct maker *maker = vzalloc(threads * sizeof(*maker));
	unsigned long wrong = 0;
	u8 *times = vzalloc(4096);

	KUNIT_ASSERT_TRUE(test, maker && times);
	start(test, 4096);
	for (i = 0; i < threads; i++) {
		maker[i].id = i;
		maker[i].of = threads;
	}
	race(test, threads, make_until_full, maker, sizeof(*maker));
	for (i = 0; i < threads; i++) {
		for (nr = 0; nr + 1 < maker[i].nr; nr++) {
			u32 id = maker[i].got[nr];

			wrong += times[id]++ || id <= LW_SITE_MIGRATION;
			wrong += *lw_site_frames(&lw_sites[id]) != FRAME(1 + nr * threads + i);
			given++;
		}
		wrong += maker[i].got[maker[i].nr - 1] != LW_SITE_NOBODY;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, given, 4096 - first_free);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_SITES_SPOILT), 0);
	vfree(times);
	vfree(maker);
}

static int site_suite_init(struct kunit_suite *suite)
{
	return lw_cache_init();
}

static void site_suite_exit(struct kunit_suite *suite)
{
	lw_cache_exit();
}

static struct kunit_case site_cases[] = {
	KUNIT_CASE(fixed_ones),
	KUNIT_CASE(what_packs),
	KUNIT_CASE(same_is_same),
	KUNIT_CASE(ways),
	KUNIT_CASE(different_is_different),
	KUNIT_CASE(parents),
	KUNIT_CASE(kinds),
	KUNIT_CASE(sizes),
	KUNIT_CASE(folding),
	KUNIT_CASE(folding_frames),
	KUNIT_CASE(nobody),
	KUNIT_CASE(crowded_hash),
	KUNIT_CASE(counts),
	KUNIT_CASE(counts_of_many),
	KUNIT_CASE(retired),
	KUNIT_CASE(pids),
	KUNIT_CASE(pid_range),
	KUNIT_CASE_PARAM(races, threads_gen_params),
	KUNIT_CASE_PARAM(races_until_full, threads_gen_params),
	{}
};

static struct kunit_suite site_suite = {
	.name = "leakwatch_site",
	.suite_init = site_suite_init,
	.suite_exit = site_suite_exit,
	.init = site_test_init,
	.exit = site_test_exit,
	.test_cases = site_cases,
};

kunit_test_suite(site_suite);

MODULE_LICENSE("GPL");

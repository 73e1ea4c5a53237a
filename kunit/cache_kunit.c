// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of cache: what is learnt of the slab caches of this kernel. */
#include <kunit/test.h>
#include <linux/module.h>
#include "../module/track/cache.c"
#include "race.h"

static int cache_test_init(struct kunit *test)
{
	lw_stats_clear();
	memset(slots, 0, sizeof(slots));
	atomic_set(&nr_caches, 1);
	return lw_cache_init();
}

static void cache_test_exit(struct kunit *test)
{
	lw_cache_exit();
}

/* A cache that is never merged with another. */
static struct kmem_cache *make_cache(struct kunit *test, const char *name, unsigned int size)
{
	struct kmem_cache *cache = kmem_cache_create(name, size, 0, 0, never_merged);

	KUNIT_ASSERT_NOT_NULL(test, cache);
	return cache;
}

static bool caches_are_merged(void)
{
	struct kmem_cache *one = kmem_cache_create("leakwatch_kunit_x", 1112, 0, 0, NULL);
	struct kmem_cache *two = kmem_cache_create("leakwatch_kunit_y", 1112, 0, 0, NULL);
	bool merged = one && one == two;

	kmem_cache_destroy(two);
	kmem_cache_destroy(one);
	return merged;
}

/* On the kernels that we test on everything can be learnt. */
static void all_is_learnt(struct kunit *test)
{
	KUNIT_EXPECT_GE(test, offset.name, 0);
	KUNIT_EXPECT_GE(test, lw_cache_size_at, 0);
	KUNIT_EXPECT_GE(test, offset.page, 0);
	KUNIT_EXPECT_LT(test, offset.page, (int)sizeof(struct page));
	KUNIT_EXPECT_EQ(test, offset.refcount >= 0, caches_are_merged());
	KUNIT_EXPECT_EQ(test, lw_caches_end(), 1);
}

static const unsigned int sizes[] = { 8, 24, 100, 200, 1000, 1112, 3000, 5000, 8192 };

static void size_name(const unsigned int *size, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%u bytes", *size);
}

KUNIT_ARRAY_PARAM(size, sizes, size_name);

/* Name, and what an object takes: the distance between neighbours. */
static void name_and_size(struct kunit *test)
{
	unsigned int size = *(unsigned int *)test->param_value, i, k, many = 0;
	struct kmem_cache *cache = make_cache(test, "leakwatch_kunit", size);
	unsigned long least = ULONG_MAX, one, two;
	u32 nr = lw_cache_get(cache);
	void *object[32];

	KUNIT_EXPECT_GT(test, nr, 0);
	KUNIT_EXPECT_STREQ(test, lw_cache_name(nr), "leakwatch_kunit");
	KUNIT_EXPECT_GE(test, lw_cache_size(nr), size);
	KUNIT_EXPECT_FALSE(test, lw_cache_dead(nr));
	KUNIT_EXPECT_EQ(test, lw_cache_get(cache), nr);
	KUNIT_EXPECT_EQ(test, lw_caches_end(), nr + 1);
	for (i = 0; i < ARRAY_SIZE(object); i++) {
		object[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, object[i]);
		KUNIT_EXPECT_EQ(test, lw_cache_of_object(object[i]), nr);
		KUNIT_EXPECT_EQ(test, lw_cache_of_object(object[i] + size - 1), nr);
	}
	for (i = 0; i < ARRAY_SIZE(object); i++)
		for (k = 0; k < ARRAY_SIZE(object); k++) {
			one = (unsigned long)object[i];
			two = (unsigned long)object[k];
			if (two <= one ||
			    virt_to_head_page(object[i]) != virt_to_head_page(object[k]))
				continue;
			least = min(least, two - one);
			many += (two - one) % lw_cache_size(nr) != 0;
		}
	KUNIT_EXPECT_EQ(test, many, 0);
	KUNIT_EXPECT_EQ(test, least, lw_cache_size(nr));
	for (i = 0; i < ARRAY_SIZE(object); i++)
		kmem_cache_free(cache, object[i]);
	kmem_cache_destroy(cache);
}

static void other_memory(struct kunit *test)
{
	void *small = kmalloc(100, GFP_KERNEL);
	void *large = kmalloc(4 * KMALLOC_MAX_CACHE_SIZE, GFP_KERNEL);
	void *page = (void *)__get_free_page(GFP_KERNEL), *far = vmalloc(100);
	static int in_module;
	u32 nr;

	KUNIT_ASSERT_TRUE(test, small && large && page && far);
	nr = lw_cache_of_object(small);
	KUNIT_EXPECT_GT(test, nr, 0);
	KUNIT_EXPECT_EQ(test, strncmp(lw_cache_name(nr), "kmalloc-", 8), 0);
	KUNIT_EXPECT_GE(test, lw_cache_size(nr), 128);
	KUNIT_EXPECT_EQ(test, lw_cache_of_object(NULL), 0);
	KUNIT_EXPECT_EQ(test, lw_cache_of_object(large), 0);
	KUNIT_EXPECT_EQ(test, lw_cache_of_object(page), 0);
	KUNIT_EXPECT_EQ(test, lw_cache_of_object(far), 0);
	KUNIT_EXPECT_EQ(test, lw_cache_of_object(&in_module), 0);
	KUNIT_EXPECT_EQ(test, lw_cache_of_object(&nr), 0);
	KUNIT_EXPECT_EQ(test, lw_caches_end(), nr + 1);
	KUNIT_EXPECT_STREQ(test, lw_cache_name(0), "-");
	KUNIT_EXPECT_EQ(test, lw_cache_size(0), 0);
	KUNIT_EXPECT_FALSE(test, lw_cache_dead(0));
	vfree(far);
	free_page((unsigned long)page);
	kfree(large);
	kfree(small);
}

/* Two that share: when one goes the other lives, and only then is the cache dead. */
static void merged(struct kunit *test)
{
	struct kmem_cache *one = kmem_cache_create("leakwatch_kunit_a", 1112, 0, 0, NULL);
	struct kmem_cache *two = kmem_cache_create("leakwatch_kunit_b", 1112, 0, 0, NULL);
	u32 nr;

	KUNIT_ASSERT_TRUE(test, one && two);
	if (one != two) {
		kmem_cache_destroy(one);
		kmem_cache_destroy(two);
		kunit_skip(test, "none are shared here");
	}
	nr = lw_cache_get(one);
	lw_cache_destroyed(two);
	KUNIT_EXPECT_FALSE(test, lw_cache_dead(nr));
	kmem_cache_destroy(two);
	KUNIT_EXPECT_EQ(test, lw_cache_get(one), nr);
	/* merged with none of ours, it may still be with another; then it does not die */
	if (*(int *)((void *)one + offset.refcount) == 1) {
		lw_cache_destroyed(one);
		KUNIT_EXPECT_TRUE(test, lw_cache_dead(nr));
	}
	kmem_cache_destroy(one);
}

static void destroyed(struct kunit *test)
{
	struct kmem_cache *at = make_cache(test, "leakwatch_kunit_1", 136);
	struct kmem_cache *other = make_cache(test, "leakwatch_kunit_2", 144);
	u32 nr = lw_cache_get(at), nr_other = lw_cache_get(other), again;
	u32 size = lw_cache_size(nr);

	lw_cache_destroyed(NULL);
	lw_cache_destroyed(at);
	KUNIT_EXPECT_TRUE(test, lw_cache_dead(nr));
	KUNIT_EXPECT_STREQ(test, lw_cache_name(nr), "leakwatch_kunit_1");
	KUNIT_EXPECT_EQ(test, lw_cache_size(nr), size);
	KUNIT_EXPECT_FALSE(test, lw_cache_dead(nr_other));
	KUNIT_EXPECT_EQ(test, lw_cache_get(other), nr_other);

	/* a cache that is made at the same address is another */
	again = lw_cache_get(at);
	KUNIT_EXPECT_GT(test, again, 0);
	KUNIT_EXPECT_NE(test, again, nr);
	KUNIT_EXPECT_NE(test, again, nr_other);
	KUNIT_EXPECT_FALSE(test, lw_cache_dead(again));
	KUNIT_EXPECT_TRUE(test, lw_cache_dead(nr));
	KUNIT_EXPECT_EQ(test, lw_cache_get(at), again);

	/* of a cache that was never seen nothing is known */
	lw_cache_destroyed((void *)at + 8);
	KUNIT_EXPECT_FALSE(test, lw_cache_dead(again));
	kmem_cache_destroy(other);
	kmem_cache_destroy(at);
}

/* What looks like caches to this room: the fields that it reads, at the places that it learnt. */
#define FAKE_BYTES	LEARN_SPAN

static void *make_fakes(struct kunit *test, unsigned int nr)
{
	void *fakes = vzalloc(nr * FAKE_BYTES);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, fakes);
	for (i = 0; i < nr; i++) {
		*(const char **)(fakes + i * FAKE_BYTES + offset.name) =
			"a name of a cache that is quite a bit too long";
		*(u32 *)(fakes + i * FAKE_BYTES + lw_cache_size_at) = 8 * i;
	}
	return fakes;
}

static void too_many(struct kunit *test)
{
	unsigned int nr = LW_MAX_CACHES + 10, i, wrong = 0;
	void *fakes = make_fakes(test, nr);
	u32 got;

	for (i = 1; i < nr; i++) {
		got = lw_cache_get(fakes + i * FAKE_BYTES);
		wrong += got != (i < LW_MAX_CACHES ? i : 0);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_CACHES_FULL), nr - LW_MAX_CACHES);
	KUNIT_EXPECT_EQ(test, lw_caches_end(), LW_MAX_CACHES);
	for (i = 1; i < LW_MAX_CACHES; i++) {
		wrong += lw_cache_get(fakes + i * FAKE_BYTES) != i;
		wrong += lw_cache_size(i) != 8 * i;
		wrong += strlen(lw_cache_name(i)) != LW_CACHE_NAME - 1;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	vfree(fakes);
}

/* Caches that come and go leave room for others, and those that stay are found. */
static void come_and_go(struct kunit *test)
{
	unsigned int i, wrong = 0;
	void *fakes = make_fakes(test, 200);
	u32 stays = lw_cache_get(fakes);

	for (i = 0; i < LW_MAX_CACHES - 2; i++) {
		void *at = fakes + (1 + i % 199) * FAKE_BYTES;
		u32 nr = lw_cache_get(at);

		wrong += nr != stays + 1 + i || lw_cache_dead(nr);
		lw_cache_destroyed(at);
		wrong += !lw_cache_dead(nr);
		wrong += lw_cache_get(fakes) != stays;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_CACHES_FULL), 0);
	vfree(fakes);
}

/* The same new caches from all threads at once: each has one number. */
#define RACE_CACHES	300

struct asker {
	void *fakes;
	bool backwards;
	u32 got[RACE_CACHES];
};

static void ask(void *arg)
{
	struct asker *me = arg;
	unsigned int i, nr;

	for (i = 0; i < RACE_CACHES; i++) {
		nr = me->backwards ? i ^ 1 : i;
		me->got[nr] = lw_cache_get(me->fakes + nr * FAKE_BYTES);
	}
}

static void races(struct kunit *test)
{
	struct asker *asker = vzalloc(4 * sizeof(*asker));
	void *fakes = make_fakes(test, RACE_CACHES);
	unsigned int i, k, wrong = 0;

	KUNIT_ASSERT_NOT_NULL(test, asker);
	for (i = 0; i < 4; i++) {
		asker[i].fakes = fakes;
		asker[i].backwards = i & 1;
	}
	race(test, 4, ask, asker, sizeof(*asker));
	for (i = 0; i < RACE_CACHES; i++) {
		for (k = 1; k < 4; k++)
			wrong += asker[k].got[i] != asker[0].got[i];
		wrong += !asker[0].got[i] || lw_cache_size(asker[0].got[i]) != 8 * i;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	vfree(asker);
	vfree(fakes);
}

static struct kunit_case cache_cases[] = {
	KUNIT_CASE(all_is_learnt),
	KUNIT_CASE_PARAM(name_and_size, size_gen_params),
	KUNIT_CASE(other_memory),
	KUNIT_CASE(merged),
	KUNIT_CASE(destroyed),
	KUNIT_CASE(too_many),
	KUNIT_CASE(come_and_go),
	KUNIT_CASE(races),
	{}
};

static struct kunit_suite cache_suite = {
	.name = "leakwatch_cache",
	.init = cache_test_init,
	.exit = cache_test_exit,
	.test_cases = cache_cases,
};

kunit_test_suite(cache_suite);

MODULE_LICENSE("GPL");

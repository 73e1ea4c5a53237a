// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of pages: the table of page frames. Frame numbers are numbers here. */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include "race.h"

/* Memory that there is not, from the allocation on that a test says; 0 for none. */
static int memory_for;

static void *vzalloc_or_not(unsigned long bytes)
{
	return memory_for && !--memory_for ? NULL : vzalloc(bytes);
}

#define vzalloc vzalloc_or_not
#include "../module/track/pages.c"
#undef vzalloc

#define NR_CHUNKS	4
#define HOLE		1UL	/* the chunk that does not exist */
#define CHUNK(nr)	((nr) << LW_CHUNK_SHIFT)
#define END		(CHUNK(NR_CHUNKS) - 100)	/* memory ends inside of the last chunk */

static bool exists(unsigned long pfn)
{
	return pfn >> LW_CHUNK_SHIFT != HOLE;
}

static int pages_test_init(struct kunit *test)
{
	return lw_pages_init(END, exists);
}

static void pages_test_exit(struct kunit *test)
{
	lw_pages_exit();
}

struct seen {
	unsigned long nr;
	unsigned long wrong;
	unsigned long last;
	u32 site;	/* that all should have; 0 for any */
};

static void see(unsigned long pfn, u64 entry, void *arg)
{
	struct seen *seen = arg;

	seen->wrong += seen->nr && pfn <= seen->last;
	seen->wrong += seen->site && lw_entry_site(entry) != seen->site;
	seen->last = pfn;
	seen->nr++;
}

static unsigned long used(void)
{
	struct seen seen = {};

	lw_pages_walk(see, &seen);
	return seen.nr;
}

static void put_returns_old(struct kunit *test)
{
	u64 one = lw_entry(0, 1, 5), two = lw_entry(0, 2, 6), old = ~0ULL;

	KUNIT_EXPECT_EQ(test, lw_pages_put(17, one, &old), 0);
	KUNIT_EXPECT_EQ(test, old, 0);
	KUNIT_EXPECT_EQ(test, lw_pages_put(17, two, &old), 0);
	KUNIT_EXPECT_EQ(test, old, one);
	KUNIT_EXPECT_EQ(test, lw_pages_put(16, 0, &old), 0);
	KUNIT_EXPECT_EQ(test, old, 0);
	KUNIT_EXPECT_EQ(test, lw_pages_put(18, 0, &old), 0);
	KUNIT_EXPECT_EQ(test, old, 0);
	KUNIT_EXPECT_EQ(test, lw_pages_put(17, 0, &old), 0);
	KUNIT_EXPECT_EQ(test, old, two);
	KUNIT_EXPECT_EQ(test, used(), 0);
}

static void put_if_none(struct kunit *test)
{
	u64 one = lw_entry(0, 1, 5), two = lw_entry(0, 2, 6), old;

	KUNIT_EXPECT_EQ(test, lw_pages_put_if_none(40, one), 0);
	KUNIT_EXPECT_EQ(test, lw_pages_put_if_none(40, two), -EEXIST);
	KUNIT_EXPECT_EQ(test, lw_pages_put(40, 0, &old), 0);
	KUNIT_EXPECT_EQ(test, old, one);
	KUNIT_EXPECT_EQ(test, lw_pages_put_if_none(40, two), 0);
	KUNIT_EXPECT_EQ(test, used(), 1);
}

static void replace(struct kunit *test)
{
	u64 one = lw_entry(0, 1, 5), two = lw_entry(0, 2, 6), old;

	KUNIT_EXPECT_EQ(test, lw_pages_put(40, one, &old), 0);
	KUNIT_EXPECT_FALSE(test, lw_pages_replace(40, two, one));
	KUNIT_EXPECT_TRUE(test, lw_pages_replace(40, one, two));
	KUNIT_EXPECT_FALSE(test, lw_pages_replace(40, one, two));
	KUNIT_EXPECT_FALSE(test, lw_pages_replace(41, one, two));
	KUNIT_EXPECT_FALSE(test, lw_pages_replace(CHUNK(HOLE), 0, two));
	KUNIT_EXPECT_FALSE(test, lw_pages_replace(CHUNK(NR_CHUNKS), 0, two));
	KUNIT_EXPECT_EQ(test, lw_pages_put(40, 0, &old), 0);
	KUNIT_EXPECT_EQ(test, old, two);
	KUNIT_EXPECT_EQ(test, used(), 0);
}

/* Every frame of a chunk that exists has a place, none of a hole or past the end has. */
static void holes(struct kunit *test)
{
	static const unsigned long in[] = {
		0, CHUNK(1) - 1, CHUNK(2), CHUNK(3) - 1, CHUNK(3), END - 1,
	};
	static const unsigned long out[] = {
		CHUNK(1), CHUNK(1) + 77, CHUNK(2) - 1, CHUNK(4), CHUNK(4) + 5, ~0UL,
	};
	u64 entry = lw_entry(0, 3, 0), old;
	int i;

	for (i = 0; i < ARRAY_SIZE(in); i++)
		KUNIT_EXPECT_EQ_MSG(test, lw_pages_put(in[i], entry, &old), 0, "%lx", in[i]);
	for (i = 0; i < ARRAY_SIZE(out); i++) {
		KUNIT_EXPECT_EQ_MSG(test, lw_pages_put(out[i], entry, &old), -ERANGE, "%lx",
				    out[i]);
		KUNIT_EXPECT_EQ(test, lw_pages_put_if_none(out[i], entry), -ERANGE);
	}
	KUNIT_EXPECT_EQ(test, used(), ARRAY_SIZE(in));
}

/* In order, each once, over chunks and holes; and nothing when all is cleared. */
static void walk_and_clear(struct kunit *test)
{
	struct seen seen = { .site = 9 };
	unsigned long pfn, nr = 0;
	u64 old;

	for (pfn = 5; pfn < END; pfn += 331)
		nr += !lw_pages_put(pfn, lw_entry(0, 9, pfn), &old);
	lw_pages_walk(see, &seen);
	KUNIT_EXPECT_EQ(test, seen.nr, nr);
	KUNIT_EXPECT_EQ(test, seen.wrong, 0);
	lw_pages_clear();
	KUNIT_EXPECT_EQ(test, used(), 0);
	for (pfn = 5; pfn < END; pfn += 331) {
		old = 0;
		nr -= !lw_pages_put(pfn, 0, &old);
		KUNIT_ASSERT_EQ(test, old, 0);
	}
	KUNIT_EXPECT_EQ(test, nr, 0);
}

/* A block comes out even, however it is cut: in parts, whole, or inside of a larger one. */
static void blocks(struct kunit *test)
{
	u64 a = lw_entry(0, 1, 0), b = lw_entry(0, 2, 0), old;
	unsigned long pfn, of_a = 0, of_b = 0, of_none = 0;

	for (pfn = 64; pfn < 64 + 32; pfn++)		/* two neighbours, one of each site */
		lw_pages_put(pfn, pfn < 64 + 16 ? a : b, &old);
	for (pfn = 64; pfn < 64 + 4; pfn++) {		/* the head of one goes first */
		lw_pages_put(pfn, 0, &old);
		of_a += old == a;
	}
	KUNIT_EXPECT_EQ(test, used(), 28);
	for (pfn = 64; pfn < 64 + 64; pfn++) {		/* then all, and what was never there */
		lw_pages_put(pfn, 0, &old);
		of_a += old == a;
		of_b += old == b;
		of_none += !old;
	}
	KUNIT_EXPECT_EQ(test, of_a, 16);
	KUNIT_EXPECT_EQ(test, of_b, 16);
	KUNIT_EXPECT_EQ(test, of_none, 4 + 32);
	KUNIT_EXPECT_EQ(test, used(), 0);
}

static bool none_exists(unsigned long pfn)
{
	return false;
}

static void bytes(struct kunit *test)
{
	unsigned long chunk = LW_CHUNK_FRAMES * sizeof(u64);

	KUNIT_EXPECT_GE(test, lw_pages_bytes(), 3 * chunk);
	KUNIT_EXPECT_LT(test, lw_pages_bytes(), 3 * chunk + PAGE_SIZE);
	lw_pages_exit();
	KUNIT_EXPECT_EQ(test, lw_pages_bytes(), 0);
	KUNIT_EXPECT_EQ(test, lw_pages_put_if_none(0, 1), -ERANGE);
	lw_pages_exit();
	KUNIT_EXPECT_EQ(test, lw_pages_init(END, none_exists), 0);
	KUNIT_EXPECT_LT(test, lw_pages_bytes(), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, lw_pages_put_if_none(0, 1), -ERANGE);
	lw_pages_exit();
	/* no table at all */
	KUNIT_EXPECT_EQ(test, lw_pages_init(0, exists), 0);
	KUNIT_EXPECT_EQ(test, lw_pages_bytes(), 0);
	KUNIT_EXPECT_EQ(test, lw_pages_put_if_none(0, 1), -ERANGE);
	KUNIT_EXPECT_EQ(test, used(), 0);
	lw_pages_clear();
}

/* Whichever allocation fails, nothing stays behind and nothing is covered. */
static void no_memory(struct kunit *test)
{
	int nr;

	lw_pages_exit();
	for (nr = 1; nr <= 4; nr++) {
		memory_for = nr;
		KUNIT_EXPECT_EQ(test, lw_pages_init(END, exists), -ENOMEM);
		memory_for = 0;
		KUNIT_EXPECT_EQ(test, lw_pages_bytes(), 0);
		KUNIT_EXPECT_EQ(test, lw_pages_put_if_none(0, 1), -ERANGE);
	}
	KUNIT_EXPECT_EQ(test, lw_pages_init(END, exists), 0);
}

/* Of all that want a frame unless it is taken one gets it; of all that take an entry one has it. */
#define RACE_FRAMES	20000UL

struct claimer {
	u32 site;
	unsigned long got;
	unsigned long taken;
	unsigned long wrong;
};

static void claim(void *arg)
{
	struct claimer *me = arg;
	unsigned long pfn;
	int ret;

	for (pfn = CHUNK(2); pfn < CHUNK(2) + RACE_FRAMES; pfn++) {
		ret = lw_pages_put_if_none(pfn, lw_entry(0, me->site, 0));
		me->got += !ret;
		me->wrong += ret && ret != -EEXIST;
	}
}

static void take(void *arg)
{
	struct claimer *me = arg;
	unsigned long pfn;
	u64 old;

	for (pfn = CHUNK(2); pfn < CHUNK(2) + RACE_FRAMES; pfn++) {
		me->wrong += lw_pages_put(pfn, 0, &old) != 0;
		me->taken += old != 0;
	}
}

static void races(struct kunit *test)
{
	struct claimer claimer[4] = {};
	unsigned long got = 0, taken = 0, wrong = 0;
	int i;

	for (i = 0; i < 4; i++)
		claimer[i].site = i + 1;
	race(test, 4, claim, claimer, sizeof(*claimer));
	KUNIT_EXPECT_EQ(test, used(), RACE_FRAMES);
	race(test, 4, take, claimer, sizeof(*claimer));
	for (i = 0; i < 4; i++) {
		got += claimer[i].got;
		taken += claimer[i].taken;
		wrong += claimer[i].wrong;
	}
	KUNIT_EXPECT_EQ(test, got, RACE_FRAMES);
	KUNIT_EXPECT_EQ(test, taken, RACE_FRAMES);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, used(), 0);
}

static struct kunit_case pages_cases[] = {
	KUNIT_CASE(put_returns_old),
	KUNIT_CASE(put_if_none),
	KUNIT_CASE(replace),
	KUNIT_CASE(holes),
	KUNIT_CASE(walk_and_clear),
	KUNIT_CASE(blocks),
	KUNIT_CASE(bytes),
	KUNIT_CASE(no_memory),
	KUNIT_CASE(races),
	{}
};

static struct kunit_suite pages_suite = {
	.name = "leakwatch_pages",
	.init = pages_test_init,
	.exit = pages_test_exit,
	.test_cases = pages_cases,
};

kunit_test_suite(pages_suite);

MODULE_LICENSE("GPL");

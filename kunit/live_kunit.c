// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of live (and entry): the table of live objects. Addresses are numbers here. */
#include <kunit/test.h>
#include <linux/bsearch.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>
#include <compat/vmalloc.h>
#include "race.h"

/* Memory that there is not, when a test says so. */
static bool no_memory;

static void *vzalloc_or_not(unsigned long bytes)
{
	return no_memory ? NULL : vzalloc(bytes);
}

static void *vzalloc_noretry_or_not(unsigned long bytes)
{
	return no_memory ? NULL : lw_vzalloc_noretry(bytes);
}

#define vzalloc vzalloc_or_not
#define lw_vzalloc_noretry vzalloc_noretry_or_not
#include "../module/track/live.c"
#undef vzalloc
#undef lw_vzalloc_noretry

#define BASE	PAGE_OFFSET
#define SPAN	((LW_LIVE_MIN / SLOTS) << LW_LIVE_ROW)	/* all that so many slots can cover */

static void start(struct kunit *test, unsigned long slots, unsigned long span)
{
	lw_live_exit();
	lw_stats_clear();
	KUNIT_ASSERT_EQ(test, lw_live_init(slots, BASE, span), 0);
}

static int live_test_init(struct kunit *test)
{
	lw_stats_clear();
	return lw_live_init(LW_LIVE_MIN, BASE, SPAN);
}

static void live_test_exit(struct kunit *test)
{
	lw_live_exit();
}

/* The address number @t of those whose first bucket is @nr. */
static unsigned long in_bucket(unsigned long nr, u64 t)
{
	return address(lw_live.mask, nr, lw_entry(t << LW_TAG_SHIFT, 0, 0));
}

static unsigned long first_of(unsigned long addr)
{
	struct lw_place at;

	return lw_live_place(addr, &at) ? (at.slot - lw_live.slot) / SLOTS : ULONG_MAX;
}

static unsigned long second_of(unsigned long addr)
{
	struct lw_place at;

	if (!lw_live_place(addr, &at))
		return ULONG_MAX;
	return other(lw_live.mask, (at.slot - lw_live.slot) / SLOTS, lw_place_left(&at));
}

/* How many entries @addr has, in which state the last of them is in @entry. */
static unsigned int places(unsigned long addr, u64 *entry)
{
	unsigned long i, slots;
	unsigned int part, nr = 0;
	struct lw_place at, in;
	u64 *slot, *to;

	*entry = 0;
	if (!lw_live_place(addr, &at))
		return 0;
	to = second(lw_place_bucket(&at), lw_place_entry(&at));
	for (part = 0; (slot = lw_live_part(part, &slots)); part++) {
		in = part ? in_annex(part - 1, &at, &to) : at;
		for (i = 0; i < 2 * SLOTS; i++) {
			u64 *here = i < SLOTS ? &lw_place_bucket(&in)[i] : &to[i - SLOTS];

			if (lw_entry_free(*here) ||
			    address(slots / SLOTS - 1, (here - slot) / SLOTS, *here) != addr)
				continue;
			*entry = *here;
			nr++;
		}
	}
	return nr;
}

/* How many entries a part of the table has. */
static unsigned long used_of_part(unsigned int part)
{
	unsigned long i, slots, nr = 0;
	u64 *slot = lw_live_part(part, &slots);

	for (i = 0; slot && i < slots; i++)
		nr += !lw_entry_free(slot[i]);
	return nr;
}

/* Nothing in the table but these. */
static unsigned long used(void)
{
	unsigned int part;
	unsigned long nr = 0;

	for (part = 0; part <= LW_LIVE_ANNEXES; part++)
		nr += used_of_part(part);
	return nr;
}

static void entry_packs(struct kunit *test)
{
	u64 tag = ((1ULL << LW_TAG_BITS) - 1) << LW_TAG_SHIFT;
	u64 entry = lw_entry(tag, LW_SITE_MASK, LW_AGE_MASK);

	KUNIT_EXPECT_EQ(test, lw_entry_state(entry), LW_FIRST);
	KUNIT_EXPECT_EQ(test, lw_entry_tag(entry), tag);
	KUNIT_EXPECT_EQ(test, lw_entry_site(entry), LW_SITE_MASK);
	KUNIT_EXPECT_EQ(test, lw_entry_age(entry), LW_AGE_MASK);
	KUNIT_EXPECT_FALSE(test, entry & LW_GIVEN);

	entry = lw_entry(0, 5, LW_AGE_MASK + 3);
	KUNIT_EXPECT_EQ(test, lw_entry_tag(entry), 0);
	KUNIT_EXPECT_EQ(test, lw_entry_site(entry), 5);
	KUNIT_EXPECT_EQ(test, lw_entry_age(entry), 2);
	KUNIT_EXPECT_NE(test, lw_entry(0, 0, 0), 0);
}

static void entry_states(struct kunit *test)
{
	u64 entry = lw_entry(1ULL << LW_TAG_SHIFT, 7, 9);
	u64 same = lw_entry(1ULL << LW_TAG_SHIFT, 8, 1);
	u64 other_tag = lw_entry(2ULL << LW_TAG_SHIFT, 7, 9);
	u64 second = lw_entry_as(entry | LW_GIVEN, LW_SECOND);

	KUNIT_EXPECT_EQ(test, lw_entry_state(second), LW_SECOND);
	KUNIT_EXPECT_TRUE(test, second & LW_GIVEN);
	KUNIT_EXPECT_EQ(test, lw_entry_as(second & ~LW_GIVEN, LW_FIRST), entry);

	KUNIT_EXPECT_TRUE(test, lw_entry_free(0));
	KUNIT_EXPECT_TRUE(test, lw_entry_free(lw_entry_left(entry)));
	KUNIT_EXPECT_EQ(test, lw_entry_tag(lw_entry_left(entry)), lw_entry_tag(entry));
	KUNIT_EXPECT_FALSE(test, lw_entry_free(entry));

	KUNIT_EXPECT_EQ(test, lw_entry_key(entry), lw_entry_key(entry | LW_GIVEN));
	KUNIT_EXPECT_EQ(test, lw_entry_key(entry), lw_entry_key(same));
	KUNIT_EXPECT_EQ(test, lw_entry_key(entry), lw_entry_peek(&entry));
	KUNIT_EXPECT_NE(test, lw_entry_key(entry), lw_entry_key(second));
	KUNIT_EXPECT_NE(test, lw_entry_key(entry), lw_entry_key(other_tag));
	KUNIT_EXPECT_NE(test, lw_entry_key(entry), 0);
}

static void init_sizes(struct kunit *test)
{
	unsigned long most = (LW_LIVE_MIN / SLOTS) << (LW_TAG_BITS + OBJECT_SHIFT);
	u64 old;

	KUNIT_EXPECT_EQ(test, lw_live_slots(), LW_LIVE_MIN);
	start(test, LW_LIVE_MIN + 1, SPAN);
	KUNIT_EXPECT_EQ(test, lw_live_slots(), 2 * LW_LIVE_MIN);
	lw_live_exit();
	KUNIT_EXPECT_EQ(test, lw_live_init(LW_LIVE_MIN, BASE, most + PAGE_SIZE), -ERANGE);
	lw_live_exit();
	no_memory = true;
	KUNIT_EXPECT_EQ(test, lw_live_init(LW_LIVE_MIN, BASE, SPAN), -ENOMEM);
	no_memory = false;
	lw_live_exit();
	start(test, LW_LIVE_MIN, most);
	KUNIT_EXPECT_EQ(test, lw_live_slots(), LW_LIVE_MIN);

	/* what a span takes at least is said beforehand, and is that */
	KUNIT_EXPECT_LE(test, lw_live_least(most), LW_LIVE_MIN);
	KUNIT_EXPECT_EQ(test, lw_live_least(2 * most), 2 * LW_LIVE_MIN);
	start(test, lw_live_least(2 * most), 2 * most);
	lw_live_exit();
	KUNIT_EXPECT_EQ(test, lw_live_init(lw_live_least(2 * most) / 2, BASE, 2 * most), -ERANGE);

	/* no span: nothing is covered */
	start(test, LW_LIVE_MIN, 0);
	KUNIT_EXPECT_EQ(test, lw_live_add(BASE, 1, &old), -ERANGE);
	KUNIT_EXPECT_EQ(test, lw_live_take(BASE, &old), -ERANGE);
	KUNIT_EXPECT_EQ(test, used(), 0);
}

static const struct span {
	const char *name;
	u64 bytes;
} spans[] = {
	{ "1 MB", SZ_1M },
	{ "512 MB", SZ_512M },
	{ "1 GB", SZ_1G },
	{ "1.5 GB", SZ_1G + SZ_512M },
	{ "16 GB", SZ_1G * 16ULL },
	{ "1 TB", SZ_1G * 1024ULL },
};

static void span_name(const struct span *span, char *name)
{
	strscpy(name, span->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(span, spans, span_name);

/* The bytes of the parameter, if there are as many addresses from BASE on. */
static unsigned long span_bytes(struct kunit *test)
{
	const struct span *span = test->param_value;

	if (span->bytes - 1 > ULONG_MAX - BASE)
		kunit_skip(test, "more than the addresses that there are");
	return span->bytes;
}

static unsigned long any_address(struct rnd_state *rnd, unsigned long span)
{
	u64 r = (u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd);
	u64 part;

	div64_u64_rem(r, span >> OBJECT_SHIFT, &part);
	return BASE + (part << OBJECT_SHIFT);
}

#define NR_ADDRESSES	100000

/* Slots that such a span needs, and not fewer than hold the addresses of a test. */
static unsigned long slots_for(unsigned long bytes)
{
	return max(1UL << 18, SLOTS * (bytes >> (LW_TAG_BITS + OBJECT_SHIFT)));
}

/* Bucket and tag tell the address, from both buckets, which are two. */
static void bijection(struct kunit *test)
{
	unsigned long bytes = span_bytes(test), wrong = 0, mask, addr, one, two, i;
	struct rnd_state rnd;
	struct lw_place at;
	int ret;

	/* nothing is read or written here, so there need be no table */
	lw_live_exit();
	no_memory = true;
	ret = lw_live_init(slots_for(bytes), BASE, bytes);
	no_memory = false;
	KUNIT_ASSERT_EQ(test, ret, -ENOMEM);
	mask = lw_live.mask;
	prandom_seed_state(&rnd, 1);
	for (i = 0; i < NR_ADDRESSES + 2; i++) {
		addr = i == NR_ADDRESSES ? BASE : i == NR_ADDRESSES + 1 ? BASE + bytes - 8 :
		       any_address(&rnd, bytes);
		if (!lw_live_place(addr, &at)) {
			wrong++;
			continue;
		}
		one = first_of(addr);
		two = second_of(addr);
		wrong += one == two || max(one, two) >= lw_live_slots() / SLOTS;
		wrong += other(mask, two, lw_place_left(&at)) != one;
		wrong += address(mask, one, lw_place_entry(&at)) != addr;
		wrong += address(mask, two, lw_entry_as(lw_place_entry(&at), LW_SECOND)) != addr;
		wrong += address(mask, two, lw_entry_as(lw_place_entry(&at), LW_COMING)) != addr;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

struct walked {
	unsigned long *addr;
	u8 *times;
	unsigned long nr;
	unsigned long unknown;
	unsigned long of_other_site;
};

static int compare(const void *a, const void *b)
{
	unsigned long one = *(unsigned long *)a, two = *(unsigned long *)b;

	return one < two ? -1 : one > two;
}

static void see_walked(unsigned long addr, u64 entry, void *arg)
{
	struct walked *walked = arg;
	unsigned long *at = bsearch(&addr, walked->addr, walked->nr, sizeof(addr), compare);

	if (!at) {
		walked->unknown++;
		return;
	}
	walked->times[at - walked->addr]++;
	walked->of_other_site += lw_entry_site(entry) != (u32)(addr >> 3) % 1000 + 1;
}

/* What was added is what a walk shows, each address once and no other; and can be taken. */
static void walk_shows_all(struct kunit *test)
{
	unsigned long bytes = span_bytes(test), i, wrong = 0, nr = race_many(NR_ADDRESSES);
	struct walked walked = {};
	struct rnd_state rnd;
	u64 old;

	if (bytes >> 30 > 64)
		kunit_skip(test, "a table of 512 MB");
	start(test, slots_for(bytes), bytes);
	prandom_seed_state(&rnd, 2);
	walked.addr = vzalloc(nr * sizeof(*walked.addr));
	walked.times = vzalloc(nr);
	KUNIT_ASSERT_TRUE(test, walked.addr && walked.times);
	for (i = 0; i < nr && walked.nr < nr; i++) {
		unsigned long addr = any_address(&rnd, bytes);

		if (!lw_live_add(addr, (u32)(addr >> 3) % 1000 + 1, &old))
			walked.addr[walked.nr++] = addr;
	}
	sort(walked.addr, walked.nr, sizeof(*walked.addr), compare, NULL);
	lw_live_walk(see_walked, &walked);
	for (i = 0; i < walked.nr; i++)
		wrong += walked.times[i] != 1;
	KUNIT_EXPECT_GT(test, walked.nr, nr / 4);
	KUNIT_EXPECT_EQ(test, used(), walked.nr);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, walked.unknown, 0);
	KUNIT_EXPECT_EQ(test, walked.of_other_site, 0);
	for (i = 0; i < walked.nr; i++) {
		wrong += lw_live_take(walked.addr[i], &old) != 0;
		wrong += lw_entry_site(old) != (u32)(walked.addr[i] >> 3) % 1000 + 1;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, used(), 0);
	vfree(walked.times);
	vfree(walked.addr);
}

static void out_of_range(struct kunit *test)
{
	static const unsigned long outside[] = { 0, 16, BASE - 8, BASE + SPAN, ULONG_MAX };
	u64 old;
	int i;

	for (i = 0; i < ARRAY_SIZE(outside); i++) {
		KUNIT_EXPECT_EQ(test, lw_live_add(outside[i], 1, &old), -ERANGE);
		KUNIT_EXPECT_EQ(test, lw_live_take(outside[i], &old), -ERANGE);
		KUNIT_EXPECT_EQ(test, lw_live_give(outside[i], &old), -ERANGE);
	}
	KUNIT_EXPECT_EQ(test, used(), 0);
	KUNIT_EXPECT_EQ(test, lw_live_add(BASE, 1, &old), 0);
	KUNIT_EXPECT_EQ(test, lw_live_add(BASE + SPAN - 8, 1, &old), 0);
	KUNIT_EXPECT_EQ(test, used(), 2);
}

/* Every operation on an address that is not there (N), live (L), or given up (G). */
static const struct {
	char before;
	const char *op;
	int ret;
	char after;
	bool old;	/* the entry that stood there is returned */
} matrix[] = {
	{ 'N', "add", 0, 'L' },
	{ 'L', "add", -EEXIST, 'L', true },
	{ 'G', "add", 0, 'L' },
	{ 'N', "take", -ENOENT, 'N' },
	{ 'L', "take", 0, 'N', true },
	{ 'G', "take", 0, 'N', true },
	{ 'N', "give", -ENOENT, 'G' },
	{ 'L', "give", 0, 'G', true },
	{ 'G', "give", -EALREADY, 'G', true },
};

static char state_now(struct kunit *test, unsigned long addr, u32 *site)
{
	u64 entry;
	unsigned int nr = places(addr, &entry);

	KUNIT_EXPECT_LE(test, nr, 1);
	*site = lw_entry_site(entry);
	return !nr ? 'N' : entry & LW_GIVEN ? 'G' : 'L';
}

static void do_matrix(struct kunit *test, unsigned long addr)
{
	unsigned long before = used();
	u32 site;
	u64 old;
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(matrix); i++) {
		if (matrix[i].before != 'N')
			KUNIT_ASSERT_EQ(test, lw_live_add(addr, 11, &old), 0);
		if (matrix[i].before == 'G')
			KUNIT_ASSERT_EQ(test, lw_live_give(addr, &old), 0);
		KUNIT_ASSERT_EQ(test, state_now(test, addr, &site), matrix[i].before);
		old = 0;
		ret = *matrix[i].op == 'a' ? lw_live_add(addr, 22, &old) :
		      *matrix[i].op == 't' ? lw_live_take(addr, &old) : lw_live_give(addr, &old);
		KUNIT_EXPECT_EQ_MSG(test, ret, matrix[i].ret, "%s of %c", matrix[i].op,
				    matrix[i].before);
		KUNIT_EXPECT_EQ_MSG(test, state_now(test, addr, &site), matrix[i].after,
				    "%s of %c", matrix[i].op, matrix[i].before);
		if (matrix[i].old) {
			KUNIT_EXPECT_EQ(test, lw_entry_site(old), matrix[i].before == 'G' ? 0 : 11);
			KUNIT_EXPECT_EQ(test, !!(old & LW_GIVEN), matrix[i].before == 'G');
		}
		if (matrix[i].after == 'L')
			KUNIT_EXPECT_EQ(test, site, 22);
		if (matrix[i].after == 'G')
			KUNIT_EXPECT_EQ(test, site, 0);
		if (matrix[i].after != 'N')
			KUNIT_EXPECT_EQ(test, lw_live_take(addr, &old), 0);
		KUNIT_ASSERT_EQ(test, used(), before);
	}
}

static void operations(struct kunit *test)
{
	do_matrix(test, BASE);
	do_matrix(test, in_bucket(5, 3));
}

/* The same in the second bucket. */
static void operations_spilled(struct kunit *test)
{
	u64 old;
	int i;

	for (i = 0; i < SLOTS; i++)
		KUNIT_ASSERT_EQ(test, lw_live_add(in_bucket(5, i), 1, &old), 0);
	do_matrix(test, in_bucket(5, SLOTS));
	KUNIT_EXPECT_TRUE(test, lw_live_spilled(bucket(5)));
	for (i = 0; i < SLOTS; i++)
		KUNIT_EXPECT_EQ(test, lw_live_take(in_bucket(5, i), &old), 0);
	KUNIT_EXPECT_EQ(test, used(), 0);
}

/* A free that comes after its object was given up is expected, and consumes the entry. */
static void tombstones(struct kunit *test)
{
	unsigned long addr = BASE + 64;
	u8 times = 0;
	struct walked walked = { .addr = &addr, .times = &times, .nr = 1 };
	u64 old;

	/* of an object that nobody knows */
	KUNIT_EXPECT_EQ(test, lw_live_give(addr, &old), -ENOENT);
	lw_live_walk(see_walked, &walked);
	KUNIT_EXPECT_EQ(test, times, 0);
	KUNIT_EXPECT_EQ(test, lw_live_take(addr, &old), 0);
	KUNIT_EXPECT_TRUE(test, old & LW_GIVEN);
	KUNIT_EXPECT_EQ(test, lw_entry_site(old), 0);
	KUNIT_EXPECT_EQ(test, lw_live_take(addr, &old), -ENOENT);

	/* whose free never came as an event */
	KUNIT_EXPECT_EQ(test, lw_live_give(addr, &old), -ENOENT);
	KUNIT_EXPECT_EQ(test, lw_live_add(addr, (u32)(addr >> 3) % 1000 + 1, &old), 0);
	lw_live_walk(see_walked, &walked);
	KUNIT_EXPECT_EQ(test, times, 1);
	KUNIT_EXPECT_EQ(test, walked.unknown + walked.of_other_site, 0);
	KUNIT_EXPECT_EQ(test, lw_live_take(addr, &old), 0);
	KUNIT_EXPECT_FALSE(test, old & LW_GIVEN);
	KUNIT_EXPECT_EQ(test, used(), 0);
}

static void age_is_now(struct kunit *test)
{
	u32 before = lw_clock_now(), age;
	u64 old;

	KUNIT_ASSERT_EQ(test, lw_live_add(BASE, 1, &old), 0);
	KUNIT_ASSERT_EQ(test, lw_live_take(BASE, &old), 0);
	age = lw_entry_age(old);
	KUNIT_EXPECT_LE(test, (age - before) & LW_TICK_MASK,
			(lw_clock_now() - before) & LW_TICK_MASK);
	KUNIT_EXPECT_EQ(test, lw_clock_seconds(5, 5), 0);
	KUNIT_EXPECT_GE(test, lw_clock_seconds(LW_TICK_MASK, 9), 10);
}

static bool try_add(unsigned long addr, u32 site)
{
	struct lw_place at;
	u64 entry = lw_entry(0, site, lw_clock_now());

	return lw_live_place(addr, &at) &&
	       (lw_live_try_again(&at, entry) || lw_live_try_add(&at, entry));
}

static u64 try_take(unsigned long addr)
{
	struct lw_place at;
	u64 old = lw_live_try_take(addr, &at);

	return lw_place_addr(&at) == addr ? old : ~0ULL;
}

/* The easy halves do it in the first bucket or not at all. */
static void tries(struct kunit *test)
{
	unsigned long addr = in_bucket(5, SLOTS);
	u64 old;
	int i;

	KUNIT_EXPECT_FALSE(test, try_add(0, 1));
	KUNIT_EXPECT_EQ(test, try_take(0), 0);
	KUNIT_EXPECT_EQ(test, try_take(addr), 0);
	KUNIT_EXPECT_TRUE(test, try_add(addr, 1));
	KUNIT_EXPECT_FALSE(test, try_add(addr, 2));
	old = try_take(addr);
	KUNIT_EXPECT_EQ(test, lw_entry_site(old), 1);
	KUNIT_EXPECT_EQ(test, try_take(addr), 0);
	/* what an address with tag 0 has left may look like nothing */
	KUNIT_EXPECT_FALSE(test, try_add(in_bucket(5, 0), 1));
	KUNIT_EXPECT_EQ(test, lw_live_add(in_bucket(5, 0), 1, &old), 0);
	for (i = 1; i < SLOTS; i++)
		KUNIT_EXPECT_TRUE(test, try_add(in_bucket(5, i), 1));
	KUNIT_EXPECT_FALSE(test, try_add(addr, 2));
	KUNIT_EXPECT_EQ(test, lw_live_add(addr, 3, &old), 0);
	KUNIT_EXPECT_EQ(test, try_take(addr), 0);
	KUNIT_EXPECT_NE(test, try_take(in_bucket(5, 0)), 0);
	/* there is room now, but the bucket has spilled: the entry may be in the second */
	KUNIT_EXPECT_FALSE(test, try_add(addr, 4));
	KUNIT_EXPECT_EQ(test, used(), SLOTS);
	KUNIT_EXPECT_EQ(test, lw_live_take(addr, &old), 0);
	KUNIT_EXPECT_EQ(test, lw_entry_site(old), 3);
}

/* Which slot of its first bucket has what @addr left, or -1. */
static int left_at(unsigned long addr)
{
	struct lw_place at;
	u64 *left, seen;

	if (!lw_live_place(addr, &at))
		return -1;
	left = find_left(&at, &seen);
	return left ? left - lw_place_bucket(&at) : -1;
}

/* Which slot of its first bucket has its entry, or -1. */
static int stands_at(unsigned long addr)
{
	struct lw_place at;
	u64 *here;

	if (!lw_live_place(addr, &at))
		return -1;
	return lw_live_find(&at, at.tag | LW_KEY_FIRST, &here) ? here - lw_place_bucket(&at) : -1;
}

static bool again(unsigned long addr, u32 site)
{
	struct lw_place at;

	return lw_live_place(addr, &at) && lw_live_try_again(&at, lw_entry(0, site, 0));
}

/* What was taken leaves its tag, which is no entry, and comes back to the very place. */
static void leaving(struct kunit *test)
{
	unsigned long addr = in_bucket(7, 3), late = in_bucket(7, SLOTS + 1);
	unsigned long zero = in_bucket(7, 0), one = in_bucket(7, 1);
	int i, here, of_one;
	u64 old, entry;

	KUNIT_EXPECT_FALSE(test, again(addr, 1));
	for (i = 0; i < SLOTS; i++)
		KUNIT_ASSERT_EQ(test, lw_live_add(in_bucket(7, i), 1, &old), 0);
	here = stands_at(addr);
	of_one = stands_at(one);
	KUNIT_ASSERT_EQ(test, lw_live_take(addr, &old), 0);
	KUNIT_EXPECT_EQ(test, left_at(addr), here);
	KUNIT_EXPECT_EQ(test, places(addr, &entry), 0);
	KUNIT_EXPECT_EQ(test, used(), SLOTS - 1);
	KUNIT_EXPECT_EQ(test, lw_live_take(addr, &old), -ENOENT);
	KUNIT_EXPECT_TRUE(test, again(addr, 2));
	KUNIT_EXPECT_EQ(test, lw_entry_site(bucket(7)[here]), 2);
	KUNIT_EXPECT_FALSE(test, again(addr, 3));
	/* a free that is missed shows: what has come back left nothing */
	KUNIT_EXPECT_EQ(test, lw_live_add(addr, 4, &old), -EEXIST);
	KUNIT_EXPECT_EQ(test, lw_entry_site(old), 2);

	/* also the slow way goes there, though another slot is free */
	KUNIT_EXPECT_NE(test, try_take(addr), 0);
	KUNIT_EXPECT_NE(test, try_take(one), 0);
	KUNIT_EXPECT_EQ(test, lw_live_add(addr, 5, &old), 0);
	KUNIT_EXPECT_EQ(test, lw_entry_site(bucket(7)[here]), 5);

	/* and one whose tag is 0: what it left is told from nothing */
	KUNIT_ASSERT_EQ(test, lw_live_take(zero, &old), 0);
	i = left_at(zero);
	KUNIT_EXPECT_NE(test, i, of_one);
	KUNIT_EXPECT_EQ(test, lw_live_add(zero, 6, &old), 0);
	KUNIT_EXPECT_EQ(test, lw_entry_site(bucket(7)[i]), 6);

	/* until somebody else has taken the slot */
	KUNIT_EXPECT_EQ(test, left_at(one), of_one);
	KUNIT_EXPECT_EQ(test, lw_live_add(late, 6, &old), 0);
	KUNIT_EXPECT_EQ(test, stands_at(late), of_one);
	KUNIT_EXPECT_EQ(test, left_at(one), -1);
	KUNIT_EXPECT_FALSE(test, again(one, 7));

	/* what goes from its second bucket leaves nothing */
	KUNIT_EXPECT_EQ(test, lw_live_add(one, 8, &old), 0);
	KUNIT_EXPECT_EQ(test, places(one, &entry), 1);
	KUNIT_EXPECT_EQ(test, lw_entry_state(entry), LW_SECOND);
	KUNIT_EXPECT_EQ(test, lw_live_take(one, &old), 0);
	KUNIT_EXPECT_EQ(test, left_at(one), -1);

	/* and where the bucket has spilled, who has left something needs no look at the second */
	KUNIT_EXPECT_TRUE(test, lw_live_spilled(bucket(7)));
	KUNIT_EXPECT_NE(test, try_take(addr), 0);
	KUNIT_EXPECT_TRUE(test, again(addr, 10));
	KUNIT_EXPECT_TRUE(test, lw_live_spilled(bucket(7)));
	for (i = 0; i < SLOTS + 2; i++)
		lw_live_take(in_bucket(7, i), &old);
	KUNIT_EXPECT_EQ(test, used(), 0);
}

/* Tag 0: what it left looks like an empty slot, which may be met first. Yet it stands once. */
static void leaving_nothing(struct kunit *test)
{
	unsigned long addr = in_bucket(8, 0);
	struct lw_place at;
	u64 old, entry;
	int i;

	KUNIT_ASSERT_TRUE(test, lw_live_place(addr, &at));
	KUNIT_ASSERT_EQ(test, at.tag, 0);
	KUNIT_ASSERT_EQ(test, lw_live_add(addr, 1, &old), 0);
	KUNIT_ASSERT_EQ(test, lw_live_take(addr, &old), 0);
	/* as if it had stood elsewhere, somebody being in its own slot, who was forgotten since */
	KUNIT_ASSERT_PTR_EQ(test, &bucket(8)[left_at(addr)], at.slot);
	i = (left_at(addr) + 1) % SLOTS;
	swap(bucket(8)[i], *at.slot);
	KUNIT_ASSERT_EQ(test, left_at(addr), i);
	if (!try_add(addr, 2))
		KUNIT_ASSERT_EQ(test, lw_live_add(addr, 2, &old), 0);
	KUNIT_EXPECT_EQ(test, left_at(addr), -1);
	/* it is given up, and handed out again */
	lw_live_give(addr, &old);
	if (!try_add(addr, 3))
		lw_live_add(addr, 3, &old);
	KUNIT_EXPECT_EQ(test, places(addr, &entry), 1);
	KUNIT_EXPECT_EQ(test, lw_entry_site(entry), 3);
	KUNIT_EXPECT_EQ(test, lw_live_take(addr, &old), 0);
	KUNIT_EXPECT_EQ(test, used(), 0);
}

/* The ninth of a bucket goes to its second one, is found there, and stays when others go. */
static void spilling(struct kunit *test)
{
	unsigned long addr = in_bucket(9, SLOTS);
	u64 old, entry;
	int i;

	for (i = 0; i < SLOTS; i++)
		KUNIT_ASSERT_EQ(test, lw_live_add(in_bucket(9, i), 1, &old), 0);
	KUNIT_EXPECT_FALSE(test, lw_live_spilled(bucket(9)));
	KUNIT_ASSERT_EQ(test, lw_live_add(addr, 2, &old), 0);
	KUNIT_EXPECT_TRUE(test, lw_live_spilled(bucket(9)));
	KUNIT_EXPECT_EQ(test, places(addr, &entry), 1);
	KUNIT_EXPECT_EQ(test, lw_entry_state(entry), LW_SECOND);
	for (i = 0; i < SLOTS; i++)
		KUNIT_EXPECT_EQ(test, lw_live_take(in_bucket(9, i), &old), 0);
	KUNIT_EXPECT_TRUE(test, lw_live_spilled(bucket(9)));

	/* again, though there is room in the first bucket now */
	KUNIT_EXPECT_EQ(test, lw_live_add(addr, 3, &old), -EEXIST);
	KUNIT_EXPECT_EQ(test, lw_entry_site(old), 2);
	KUNIT_EXPECT_EQ(test, places(addr, &entry), 1);
	KUNIT_EXPECT_EQ(test, lw_live_take(addr, &old), 0);
	KUNIT_EXPECT_EQ(test, lw_entry_site(old), 3);
	KUNIT_EXPECT_EQ(test, lw_live_take(addr, &old), -ENOENT);
	KUNIT_EXPECT_EQ(test, used(), 0);
}

/* Both buckets of an address full of what may be moved: one entry moves, all are found. */
static void moving(struct kunit *test)
{
	unsigned long mine = in_bucket(3, 100), second = second_of(mine);
	u64 old, entry;
	int i;

	for (i = 0; i < SLOTS; i++) {
		KUNIT_ASSERT_EQ(test, lw_live_add(in_bucket(3, i), 10 + i, &old), 0);
		KUNIT_ASSERT_EQ(test, lw_live_add(in_bucket(second, i), 20 + i, &old), 0);
	}
	KUNIT_ASSERT_EQ(test, lw_live_give(in_bucket(3, 0), &old), 0);
	KUNIT_EXPECT_EQ(test, lw_live_add(mine, 30, &old), 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_MOVED), 1);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_LOST_MOVE), 0);
	KUNIT_EXPECT_EQ(test, used(), 2 * SLOTS + 1);
	for (i = 0; i < SLOTS; i++) {
		KUNIT_EXPECT_EQ(test, places(in_bucket(3, i), &entry), 1);
		KUNIT_EXPECT_NE(test, lw_entry_state(entry), LW_COMING);
		KUNIT_EXPECT_EQ(test, lw_live_take(in_bucket(3, i), &old), 0);
		KUNIT_EXPECT_EQ(test, lw_entry_site(old), i ? 10 + i : 0);
		KUNIT_EXPECT_EQ(test, !!(old & LW_GIVEN), i == 0);
		KUNIT_EXPECT_EQ(test, lw_live_take(in_bucket(second, i), &old), 0);
		KUNIT_EXPECT_EQ(test, lw_entry_site(old), 20 + i);
	}
	KUNIT_EXPECT_EQ(test, lw_live_take(mine, &old), 0);
	KUNIT_EXPECT_EQ(test, lw_entry_site(old), 30);
	KUNIT_EXPECT_EQ(test, used(), 0);
}

/* Between steps 3 and 4 of a move, as another CPU sees it. */
static void put_coming(struct kunit *test, unsigned long addr, u32 site)
{
	struct lw_place at;

	KUNIT_ASSERT_TRUE(test, lw_live_place(addr, &at));
	bucket(second_of(addr))[SLOTS - 1] = lw_entry_as(lw_place_entry(&at) | lw_entry(0, site, 0),
							 LW_COMING);
	spill(lw_place_bucket(&at));
}

static void moving_and_take(struct kunit *test)
{
	u64 old;

	put_coming(test, BASE + 800, 7);
	KUNIT_EXPECT_EQ(test, lw_live_take(BASE + 800, &old), 0);
	KUNIT_EXPECT_EQ(test, lw_entry_site(old), 7);
	KUNIT_EXPECT_EQ(test, used(), 0);
}

/* A give waits for the mover: it neither marks what may be a copy, nor finds nothing. */
static void moving_and_give(struct kunit *test)
{
	u64 old, entry;

	put_coming(test, BASE + 800, 7);
	KUNIT_EXPECT_EQ(test, lw_live_give(BASE + 800, &old), -EBUSY);
	KUNIT_EXPECT_EQ(test, places(BASE + 800, &entry), 1);
	KUNIT_EXPECT_FALSE(test, entry & LW_GIVEN);
}

/* An add whose free was missed must not stand beside what is being moved: it waits, or replaces. */
static void moving_and_add(struct kunit *test)
{
	u64 old, entry;

	put_coming(test, BASE + 800, 7);
	KUNIT_EXPECT_NE(test, lw_live_add(BASE + 800, 8, &old), 0);
	KUNIT_EXPECT_EQ(test, places(BASE + 800, &entry), 1);
}

/* The permutation number @seed of the numbers of @bits bits. */
static u32 scatter(u32 i, unsigned int bits, u32 seed)
{
	u32 mask = (1U << bits) - 1;
	int round;

	for (round = 0; round < 3; round++) {
		i = (i * 0x9e3779b1U + seed) & mask;
		i ^= i >> (bits / 2 + 1);
	}
	return i;
}

/* Addresses as allocators hand them out. The span is 2048 bytes a slot, like the module's. */
#define SHAPE_BITS	(IS_ENABLED(CONFIG_KASAN) ? 13 : 16)

static unsigned long scattered(u32 i)
{
	return BASE + 8UL * scatter(i, SHAPE_BITS + 8, 1);
}

static unsigned long array_of_64(u32 i)
{
	return BASE + 64UL * i;
}

static unsigned long slabs_of_192(u32 i)
{
	return BASE + 4096UL * scatter(i / 21, SHAPE_BITS - 1, 2) + i % 21 * 192;
}

static unsigned long slabs_of_2048(u32 i)
{
	return BASE + 2048UL * scatter(i, SHAPE_BITS, 3);
}

static unsigned long mixed(u32 i)
{
	u32 page = scatter(i / 40, SHAPE_BITS - 1, 4), nr = i % 40;

	switch (page % 4) {
	case 0:
		return BASE + 4096UL * page + nr * 64;
	case 1:
		return BASE + 4096UL * page + nr * 96;
	case 2:
		return BASE + 4096UL * page + nr * 8;
	default:
		return BASE + 4096UL * page + nr * 32 + 2048;
	}
}

static const struct shape {
	const char *name;
	unsigned long (*address)(u32 i);
	u32 nr;		/* addresses that there are, in slots */
} shapes[] = {
	{ "scattered", scattered, 256 },
	{ "an array of 64 bytes", array_of_64, 32 },
	{ "slabs of 192 bytes", slabs_of_192, 10 },
	{ "slabs of 2048 bytes", slabs_of_2048, 1 },
	{ "mixed slabs", mixed, 20 },
};

static void shape_name(const struct shape *shape, char *name)
{
	strscpy(name, shape->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(shape, shapes, shape_name);

/* At 80 % nothing is lost, for as long as objects come and go. */
static void churn_at_80_percent(struct kunit *test)
{
	const struct shape *shape = test->param_value;
	u32 slots = 1U << SHAPE_BITS, load = slots / 10 * 8, period = shape->nr * slots, i;
	unsigned long full = 0, wrong = 0;
	u64 old;

	start(test, slots, 2048UL * slots);
	for (i = 0; i < load; i++)
		full += lw_live_add(shape->address(i), i % 1000 + 1, &old) != 0;
	KUNIT_EXPECT_EQ(test, used(), load);
	for (; i < 21 * load; i++) {
		u32 out = i - load;

		wrong += lw_live_take(shape->address(out % period), &old) != 0;
		wrong += lw_entry_site(old) != out % 1000 + 1;
		full += lw_live_add(shape->address(i % period), i % 1000 + 1, &old) != 0;
		if (!(i % 4096))
			cond_resched();
	}
	KUNIT_EXPECT_EQ(test, full, 0);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, used(), load);
	kunit_info(test, "%s: %lu moved in %u\n", shape->name, lw_stat_read(LW_MOVED), 21 * load);
}

static void first_refusal(struct kunit *test)
{
	const struct shape *shape = test->param_value;
	u32 slots = 1U << SHAPE_BITS, i;
	unsigned long wrong = 0;
	u64 old;

	start(test, slots, 2048UL * slots);
	for (i = 0; i < shape->nr * slots && i < slots; i++)
		if (lw_live_add(shape->address(i), i % 1000 + 1, &old))
			break;
	kunit_info(test, "%s: first refusal at %u.%u %%, %lu moved\n", shape->name,
		   i * 100 / slots, (u32)div_u64(i * 1000ULL, slots) % 10, lw_stat_read(LW_MOVED));
	KUNIT_EXPECT_GE(test, i * 100 / slots, 90);
	KUNIT_EXPECT_EQ(test, used(), i);
	while (i--) {
		wrong += lw_live_take(shape->address(i), &old) != 0;
		wrong += lw_entry_site(old) != i % 1000 + 1;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, used(), 0);
}

/* The smallest table, offered three times what it holds: it says so, and keeps what it took. */
static void full_table(struct kunit *test)
{
	unsigned long i, nr = 3 * LW_LIVE_MIN, refused = 0, wrong = 0;
	bool *in = kunit_kcalloc(test, nr, sizeof(*in), GFP_KERNEL);
	unsigned long one = ULONG_MAX, addr;
	u64 old;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, in);
	for (i = 0; i < nr; i++) {
		ret = lw_live_add(BASE + 8UL * scatter(i, 17, 5), i + 1, &old);
		in[i] = !ret;
		refused += ret == -ENOSPC;
		wrong += ret && ret != -ENOSPC;
		if (ret && one == ULONG_MAX)
			one = i;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, used(), nr - refused);
	KUNIT_EXPECT_GE(test, used(), LW_LIVE_MIN * 95 / 100);
	KUNIT_EXPECT_GT(test, lw_stat_read(LW_MOVED), 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_LOST_MOVE), 0);

	/* where one was refused, there is room when one has gone */
	KUNIT_ASSERT_LT(test, one, nr);
	addr = BASE + 8UL * scatter(one, 17, 5);
	KUNIT_EXPECT_EQ(test, lw_live_add(addr, one + 1, &old), -ENOSPC);
	i = lw_entry_site(bucket(first_of(addr))[3]) - 1;
	KUNIT_EXPECT_EQ(test, lw_live_take(BASE + 8UL * scatter(i, 17, 5), &old), 0);
	in[i] = false;
	KUNIT_EXPECT_EQ(test, lw_live_add(addr, one + 1, &old), 0);
	in[one] = true;

	for (i = 0; i < nr; i++) {
		ret = lw_live_take(BASE + 8UL * scatter(i, 17, 5), &old);
		wrong += ret != (in[i] ? 0 : -ENOENT);
		wrong += in[i] && lw_entry_site(old) != i + 1;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, used(), 0);
}

static void clear_forgets(struct kunit *test)
{
	u64 old;
	int i;

	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, lw_live_add(BASE + 8 * i, 1, &old), 0);
	lw_live_clear();
	KUNIT_EXPECT_EQ(test, used(), 0);
	KUNIT_EXPECT_EQ(test, lw_live_take(BASE, &old), -ENOENT);
}

/* Twice as large each time, as often as it may; not without memory. A clear undoes it. */
static void growing(struct kunit *test)
{
	unsigned long bytes = lw_live_bytes();

	KUNIT_EXPECT_EQ(test, lw_live_limit(), LW_LIVE_MIN);
	KUNIT_EXPECT_EQ(test, lw_live_grow(), -ENOSPC);
	lw_live_may_grow(4);
	KUNIT_EXPECT_EQ(test, lw_live_limit(), 4 * LW_LIVE_MIN);
	KUNIT_EXPECT_EQ(test, lw_live_slots(), LW_LIVE_MIN);
	no_memory = true;
	KUNIT_EXPECT_EQ(test, lw_live_grow(), -ENOMEM);
	no_memory = false;
	KUNIT_EXPECT_EQ(test, lw_live_slots(), LW_LIVE_MIN);
	KUNIT_EXPECT_EQ(test, lw_live_bytes(), bytes);
	KUNIT_EXPECT_EQ(test, lw_live_grow(), 0);
	KUNIT_EXPECT_EQ(test, lw_live_slots(), 2 * LW_LIVE_MIN);
	KUNIT_EXPECT_EQ(test, lw_live_grow(), 0);
	KUNIT_EXPECT_EQ(test, lw_live_slots(), 4 * LW_LIVE_MIN);
	KUNIT_EXPECT_EQ(test, lw_live_bytes(), bytes + 3 * LW_LIVE_MIN * sizeof(u64));
	KUNIT_EXPECT_EQ(test, lw_live_grow(), -ENOSPC);
	lw_live_clear();
	KUNIT_EXPECT_EQ(test, lw_live_slots(), LW_LIVE_MIN);
	KUNIT_EXPECT_EQ(test, lw_live_bytes(), bytes);
	KUNIT_EXPECT_EQ(test, lw_live_limit(), 4 * LW_LIVE_MIN);

	/* to a power of two, and to no more than what can be asked for at load */
	lw_live_may_grow(7);
	KUNIT_EXPECT_EQ(test, lw_live_limit(), 4 * LW_LIVE_MIN);
	lw_live_may_grow(1);
	KUNIT_EXPECT_EQ(test, lw_live_limit(), LW_LIVE_MIN);
	lw_live.mask = LW_LIVE_MAX / 2 / SLOTS - 1;
	lw_live_may_grow(8);
	KUNIT_EXPECT_EQ(test, lw_live_limit(), LW_LIVE_MAX);
	lw_live.mask = LW_LIVE_MIN / SLOTS - 1;
}

/* Both buckets of an address full of what cannot be moved. */
static void fill_buckets(struct kunit *test, unsigned long addr)
{
	unsigned long where[] = { first_of(addr), second_of(addr) };
	unsigned int i, k;

	for (i = 0; i < 2; i++)
		for (k = 0; k < SLOTS; k++)
			bucket(where[i])[k] = lw_entry_as(lw_entry(0, 1, 0), LW_SECOND);
}

/* What finds no room in its buckets goes to an annex, is found there, and leaves nothing behind. */
static void operations_annexed(struct kunit *test)
{
	unsigned long addr = in_bucket(5, 100);
	u64 old, entry;
	int i;

	fill_buckets(test, addr);
	KUNIT_EXPECT_EQ(test, lw_live_add(addr, 2, &old), -ENOSPC);
	lw_live_may_grow(2);
	KUNIT_ASSERT_EQ(test, lw_live_grow(), 0);
	do_matrix(test, addr);
	KUNIT_EXPECT_TRUE(test, lw_live_spilled(bucket(5)));

	KUNIT_EXPECT_EQ(test, lw_live_add(addr, 2, &old), 0);
	KUNIT_EXPECT_EQ(test, used_of_part(1), 1);
	/* a missed free is told, though there is room in the first bucket now; the entry stays */
	for (i = 0; i < SLOTS; i++)
		bucket(5)[i] = 0;
	KUNIT_EXPECT_FALSE(test, again(addr, 3));
	KUNIT_EXPECT_FALSE(test, try_add(addr, 3));
	KUNIT_EXPECT_EQ(test, lw_live_add(addr, 3, &old), -EEXIST);
	KUNIT_EXPECT_EQ(test, lw_entry_site(old), 2);
	KUNIT_EXPECT_EQ(test, places(addr, &entry), 1);
	KUNIT_EXPECT_EQ(test, used_of_part(1), 1);
	/* what an audit has seen is dropped, if it is that */
	KUNIT_EXPECT_FALSE(test, lw_live_drop(addr, old));
	KUNIT_EXPECT_TRUE(test, lw_live_drop(addr, entry));
	KUNIT_EXPECT_EQ(test, used_of_part(1), 0);
	KUNIT_EXPECT_EQ(test, lw_live_take(addr, &old), -ENOENT);
	/* and then it goes to where there is room */
	KUNIT_EXPECT_EQ(test, lw_live_add(addr, 4, &old), 0);
	KUNIT_EXPECT_EQ(test, used_of_part(1), 0);
}

/* While an address is in an annex, what is on its way to its second bucket is a stale copy. */
static void moving_and_annex(struct kunit *test)
{
	unsigned long addr = in_bucket(5, 100);
	u64 old;

	lw_live_may_grow(2);
	KUNIT_ASSERT_EQ(test, lw_live_grow(), 0);
	fill_buckets(test, addr);
	KUNIT_ASSERT_EQ(test, lw_live_add(addr, 2, &old), 0);
	KUNIT_ASSERT_EQ(test, used_of_part(1), 1);
	put_coming(test, addr, 7);
	KUNIT_EXPECT_EQ(test, lw_live_add(addr, 3, &old), -EEXIST);
	KUNIT_EXPECT_EQ(test, lw_entry_site(old), 2);
	KUNIT_EXPECT_EQ(test, lw_live_give(addr, &old), 0);
	KUNIT_EXPECT_EQ(test, lw_entry_site(old), 3);
	KUNIT_EXPECT_EQ(test, lw_live_take(addr, &old), 0);
	KUNIT_EXPECT_TRUE(test, old & LW_GIVEN);
	KUNIT_EXPECT_EQ(test, used_of_part(1), 0);
}

/* Three times the first size: all are stored, each in one place; then all go. */
static void beyond_first_size(struct kunit *test)
{
	unsigned long i, nr = 3 * LW_LIVE_MIN, refused = 0, wrong = 0;
	struct walked walked = { .nr = nr };
	u64 old, entry;

	walked.addr = kunit_kcalloc(test, nr, sizeof(*walked.addr), GFP_KERNEL);
	walked.times = kunit_kcalloc(test, nr, 1, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, walked.addr && walked.times);
	lw_live_may_grow(4);
	KUNIT_EXPECT_EQ(test, lw_live_load(), 0);
	for (i = 0; i < nr; i++) {
		if (lw_live_load() >= 70)
			lw_live_grow();
		walked.addr[i] = BASE + 8UL * scatter(i, 17, 5);
		refused += lw_live_add(walked.addr[i], (u32)(walked.addr[i] >> 3) % 1000 + 1,
				       &old) != 0;
	}
	KUNIT_EXPECT_EQ(test, refused, 0);
	KUNIT_EXPECT_EQ(test, used(), nr);
	KUNIT_EXPECT_EQ(test, lw_live_slots(), 8 * LW_LIVE_MIN / 2);
	KUNIT_EXPECT_EQ(test, lw_live_load(), nr * 100 / lw_live_slots());
	KUNIT_EXPECT_GT(test, used_of_part(1), LW_LIVE_MIN / 2);
	KUNIT_EXPECT_GT(test, used_of_part(2), LW_LIVE_MIN / 2);
	for (i = 0; i < nr; i++)
		wrong += places(walked.addr[i], &entry) != 1;
	sort(walked.addr, nr, sizeof(*walked.addr), compare, NULL);
	lw_live_walk(see_walked, &walked);
	for (i = 0; i < nr; i++)
		wrong += walked.times[i] != 1;
	KUNIT_EXPECT_EQ(test, walked.unknown + walked.of_other_site, 0);
	for (i = 0; i < nr; i++) {
		wrong += lw_live_take(walked.addr[i], &old) != 0;
		wrong += lw_entry_site(old) != (u32)(walked.addr[i] >> 3) % 1000 + 1;
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, used(), 0);
	KUNIT_EXPECT_EQ(test, lw_live_load(), 0);
}

/* Beyond what it may grow to it refuses, and says so; the rest is kept; a clear is a new start. */
static void full_annexes(struct kunit *test)
{
	unsigned long i, nr = 4 * LW_LIVE_MIN, refused = 0, found = 0;
	u64 old;
	int ret;

	lw_live_may_grow(2);
	KUNIT_ASSERT_EQ(test, lw_live_grow(), 0);
	for (i = 0; i < nr; i++)
		refused += lw_live_add(BASE + 8UL * scatter(i, 17, 5), 1, &old) == -ENOSPC;
	KUNIT_EXPECT_EQ(test, used(), nr - refused);
	KUNIT_EXPECT_GE(test, used(), 2 * LW_LIVE_MIN * 95 / 100);
	KUNIT_EXPECT_LE(test, used(), 2 * LW_LIVE_MIN);
	for (i = 0; i < nr; i += 2)
		found += !lw_live_take(BASE + 8UL * scatter(i, 17, 5), &old);
	KUNIT_EXPECT_EQ(test, used(), nr - refused - found);
	lw_live_clear();
	KUNIT_EXPECT_EQ(test, used(), 0);
	ret = lw_live_take(BASE + 8UL * scatter(1, 17, 5), &old);
	KUNIT_EXPECT_EQ(test, ret, -ENOENT);
}

/*
 * The race: workers in threads and one in a hard interrupt share the smallest table, so buckets,
 * spills and moves are shared, but no address: as the kernel orders what happens to one of them.
 * Each keeps its own truth, so every answer of the table is checked.
 */
enum truth { NONE, LIVE, GIVEN };

/* Of all workers; about two thirds are in the table, or in one twice as large. */
#define RACE_ADDRESSES	700
#define GROWN_ADDRESSES	1400
#define RACE_OPS	race_many(150000)
#define TICK_OPS	16

struct worker {
	unsigned int id;
	unsigned int of;
	unsigned int nr;
	struct rnd_state rnd;
	u8 truth[GROWN_ADDRESSES];
	u32 site[GROWN_ADDRESSES];
	unsigned long ops;
	unsigned long allocs;	/* that the table was told of */
	unsigned long frees;	/* and of those, that were taken, given up or found missed */
	unsigned long lost;	/* that it had no room for */
	unsigned long refused;	/* likewise, of tombstones */
	unsigned long twice;	/* frees of what it had no room for, which it had nonetheless */
	unsigned long wrong;
	char what[64];		/* the first wrong answer */
	struct hrtimer timer;
	bool stop;
};

static unsigned long worker_address(const struct worker *w, unsigned int i)
{
	return BASE + 8UL * scatter(i * w->of + w->id, 17, 6);
}

static void wrong(struct worker *w, const char *op, unsigned int i, int ret, u64 old)
{
	if (!w->wrong++)
		snprintf(w->what, sizeof(w->what), "%s of %u (truth %u, site %u): %d, %llx", op, i,
			 w->truth[i], w->site[i], ret, old);
}

static bool own(const struct worker *w, unsigned int i, u64 old, bool given)
{
	return lw_entry_site(old) == (given ? 0 : w->site[i]) && !!(old & LW_GIVEN) == given;
}

/* As the doors do: what is easy first. */
static int add_as_doors(unsigned long addr, u32 site, u64 *old)
{
	return try_add(addr, site) ? 0 : lw_live_add(addr, site, old);
}

static int take_as_doors(unsigned long addr, u64 *old)
{
	*old = try_take(addr);
	return *old ? 0 : lw_live_take(addr, old);
}

static void do_add(struct worker *w, unsigned int i)
{
	u32 site = 1 + 4 * w->id + w->ops % 4;
	u64 old = 0;
	int ret = add_as_doors(worker_address(w, i), site, &old);

	if (w->truth[i] == LIVE) {
		if (ret == -EEXIST && own(w, i, old, false))
			w->frees++;
		else
			wrong(w, "add", i, ret, old);
	} else if (ret == -ENOSPC && w->truth[i] != GIVEN) {
		w->lost++;
		w->truth[i] = NONE;
		return;
	} else if (ret) {
		wrong(w, "add", i, ret, old);
	}
	w->allocs++;
	w->truth[i] = LIVE;
	w->site[i] = site;
}

static void do_take(struct worker *w, unsigned int i)
{
	u64 old = 0;
	int ret = take_as_doors(worker_address(w, i), &old);

	switch (w->truth[i]) {
	case NONE:
		if (!ret)
			w->twice++;
		else if (ret != -ENOENT)
			wrong(w, "take", i, ret, old);
		break;
	case LIVE:
	case GIVEN:
		if (ret || !own(w, i, old, w->truth[i] == GIVEN))
			wrong(w, "take", i, ret, old);
		w->frees += w->truth[i] == LIVE;
		break;
	}
	w->truth[i] = NONE;
}

static void do_give(struct worker *w, unsigned int i)
{
	u64 old = 0;
	int ret = lw_live_give(worker_address(w, i), &old);

	switch (w->truth[i]) {
	case NONE:
		/* a tombstone, if there was room for one */
		if (ret == -ENOENT)
			w->truth[i] = GIVEN;
		else if (ret == -ENOSPC)
			w->refused++;
		else
			wrong(w, "give", i, ret, old);
		break;
	case LIVE:
		if (ret || !own(w, i, old, false))
			wrong(w, "give", i, ret, old);
		w->frees++;
		w->truth[i] = GIVEN;
		break;
	case GIVEN:
		if (ret != -EALREADY || !own(w, i, old, true))
			wrong(w, "give", i, ret, old);
		break;
	}
}

static void step(struct worker *w)
{
	u32 r = prandom_u32_state(&w->rnd);
	unsigned int i = (r >> 8) % w->nr, dice = r % 32;

	w->ops++;
	if (w->truth[i] == NONE ? dice < 28 : dice < 3)
		do_add(w, i);
	else if (w->truth[i] == NONE ? dice < 30 : dice < 14)
		do_take(w, i);
	else if (dice < 17 || w->truth[i] == NONE)
		do_give(w, i);
}

static void work(void *arg)
{
	struct worker *w = arg;

	while (w->ops < RACE_OPS) {
		step(w);
		if (!(w->ops % 512))
			cond_resched();
	}
}

static enum hrtimer_restart tick(struct hrtimer *timer)
{
	struct worker *w = container_of(timer, struct worker, timer);
	int i;

	for (i = 0; i < TICK_OPS; i++)
		step(w);
	if (READ_ONCE(w->stop))
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime((IS_ENABLED(CONFIG_KASAN) ? 2000 : 200) *
					       NSEC_PER_USEC));
	return HRTIMER_RESTART;
}

static const unsigned int thread_counts[] = { 2, 3, 4, 8 };

static void threads_name(const unsigned int *nr, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%u threads", *nr);
}

KUNIT_ARRAY_PARAM(threads, thread_counts, threads_name);

struct tally {
	u8 *times;
	u32 *site;
	unsigned long nr;
};

static void see_tally(unsigned long addr, u64 entry, void *arg)
{
	struct tally *tally = arg;
	unsigned long nr = (addr - BASE) / 8;

	tally->times[nr]++;
	tally->site[nr] = lw_entry_site(entry);
	tally->nr++;
}

static void race_for(struct kunit *test, unsigned int addresses)
{
	unsigned int threads = *(unsigned int *)test->param_value, of = threads + 1, i, k;
	struct worker *worker = vzalloc(of * sizeof(*worker)), *w;
	struct tally tally = {
		.times = vzalloc(SPAN / 8), .site = vzalloc(SPAN / 8 * sizeof(u32)),
	};
	unsigned long lost = 0, balance = 0, twice = 0, ops = 0;
	unsigned long not_once = 0, others = 0, coming = 0;
	ktime_t begin = ktime_get();

	KUNIT_ASSERT_TRUE(test, worker && tally.times && tally.site);
	for (i = 0; i < of; i++) {
		w = &worker[i];
		w->id = i;
		w->of = of;
		w->nr = addresses / of;
		prandom_seed_state(&w->rnd, 100 + i);
	}
	w = &worker[threads];
	hrtimer_init(&w->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	w->timer.function = tick;
	hrtimer_start(&w->timer, ns_to_ktime(100 * NSEC_PER_USEC), HRTIMER_MODE_REL_HARD);
	race(test, threads, work, worker, sizeof(*worker));
	WRITE_ONCE(w->stop, true);
	hrtimer_cancel(&w->timer);

	lw_live_walk(see_tally, &tally);
	for (i = 0; i < of; i++) {
		w = &worker[i];
		lost += w->lost;
		twice += w->twice;
		ops += w->ops;
		balance += w->allocs - w->frees;
		KUNIT_EXPECT_EQ_MSG(test, w->wrong, 0, "worker %u: %s", i, w->what);
		for (k = 0; k < w->nr; k++) {
			unsigned long nr = (worker_address(w, k) - BASE) / 8;

			not_once += tally.times[nr] != (w->truth[k] == LIVE);
			others += tally.times[nr] && tally.site[nr] != w->site[k];
			tally.times[nr] = 0;
		}
	}
	KUNIT_EXPECT_EQ(test, not_once, 0);
	KUNIT_EXPECT_EQ(test, others, 0);
	for (i = 0; i < SPAN / 8; i++)
		others += tally.times[i];
	KUNIT_EXPECT_EQ(test, others, 0);
	for (i = 0; i < LW_LIVE_MIN; i++)
		coming += lw_entry_state(lw_live.slot[i]) == LW_COMING;
	KUNIT_EXPECT_EQ(test, coming, 0);
	KUNIT_EXPECT_EQ(test, tally.nr, balance);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_LOST_MOVE), twice);
	KUNIT_EXPECT_GT(test, worker[threads].ops, RACE_OPS / 100);
	kunit_info(test, "%u+1: %lu ops in %lld ms, %lu in irq, moved %lu, annexed %lu, lost %lu, twice %lu\n",
		   threads, ops, ktime_ms_delta(ktime_get(), begin), worker[threads].ops,
		   lw_stat_read(LW_MOVED), used_of_part(1), lost, twice);
	vfree(tally.site);
	vfree(tally.times);
	vfree(worker);
}

static void races(struct kunit *test)
{
	race_for(test, RACE_ADDRESSES);
	KUNIT_EXPECT_GT(test, lw_stat_read(LW_MOVED), 0);
}

/* Twice as many in a table that has grown once: a good part is in the annex. */
static void races_grown(struct kunit *test)
{
	lw_live_may_grow(2);
	KUNIT_ASSERT_EQ(test, lw_live_grow(), 0);
	race_for(test, GROWN_ADDRESSES);
	KUNIT_EXPECT_GT(test, used_of_part(1), LW_LIVE_MIN / 4);
}

static struct kunit_case live_cases[] = {
	KUNIT_CASE(entry_packs),
	KUNIT_CASE(entry_states),
	KUNIT_CASE(init_sizes),
	KUNIT_CASE_PARAM(bijection, span_gen_params),
	KUNIT_CASE_PARAM(walk_shows_all, span_gen_params),
	KUNIT_CASE(out_of_range),
	KUNIT_CASE(operations),
	KUNIT_CASE(operations_spilled),
	KUNIT_CASE(tombstones),
	KUNIT_CASE(age_is_now),
	KUNIT_CASE(tries),
	KUNIT_CASE(leaving),
	KUNIT_CASE(leaving_nothing),
	KUNIT_CASE(spilling),
	KUNIT_CASE(moving),
	KUNIT_CASE(moving_and_take),
	KUNIT_CASE(moving_and_give),
	KUNIT_CASE(moving_and_add),
	KUNIT_CASE(full_table),
	KUNIT_CASE(clear_forgets),
	KUNIT_CASE(growing),
	KUNIT_CASE(operations_annexed),
	KUNIT_CASE(moving_and_annex),
	KUNIT_CASE(beyond_first_size),
	KUNIT_CASE(full_annexes),
	KUNIT_CASE_PARAM(churn_at_80_percent, shape_gen_params),
	KUNIT_CASE_PARAM(first_refusal, shape_gen_params),
	KUNIT_CASE_PARAM(races, threads_gen_params),
	KUNIT_CASE_PARAM(races_grown, threads_gen_params),
	{}
};

static struct kunit_suite live_suite = {
	.name = "leakwatch_live",
	.init = live_test_init,
	.exit = live_test_exit,
	.test_cases = live_cases,
};

kunit_test_suite(live_suite);

MODULE_LICENSE("GPL");

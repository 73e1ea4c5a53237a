// SPDX-License-Identifier: GPL-2.0
/* The filter of sampled mode, in user space: what it lets through, and what not. */
#include "host.h"
#include "../../module/track/live.c"
#include "../../module/track/stats.c"
#include "../../module/track/filter.c"

#define BASE		0xffff888000000000UL
#define SPAN		(1UL << 28)
#define OBJECT		96UL

static unsigned long object(unsigned long nr)
{
	return BASE + nr * OBJECT;
}

static unsigned int counter(unsigned long addr)
{
	return ((const u8 *)lw_filter)[lw_filter_nr(addr)];
}

static unsigned long sum(void)
{
	unsigned long all = 0;
	unsigned int nr;

	for (nr = 0; nr < COUNTERS; nr++)
		all += ((const u8 *)lw_filter)[nr];
	return all;
}

/* Of what lies anywhere, a quarter of a slot each: what is not there nearly never passes. */
static void load(void)
{
	u64 state = 1;
	unsigned long n, passed = 0;

	lw_filter_clear();
	for (n = 0; n < COUNTERS / 4; n++)
		lw_filter_add(BASE + host_below(&state, SPAN / 8) * 8);
	for (n = 0; n < 100000; n++)
		passed += lw_filter_has(BASE + SPAN + host_below(&state, SPAN / 8) * 8);
	expect(lw_filter_load() >= 20 && lw_filter_load() <= 24, "%u %%", lw_filter_load());
	expect(passed >= 20000 && passed <= 24000, "%lu of 100000", passed);
	expect(sum() == COUNTERS / 4, "%lu", sum());
	lw_filter_clear();
	expect(!lw_filter_load() && !sum(), "%lu", sum());
}

/* The four counters of a word do not touch each other; a full one stays. */
static void bytes(void)
{
	unsigned long addr[sizeof(int)] = {}, at, n;
	unsigned int word = lw_filter_nr(BASE) / sizeof(int), nr, found = 0;

	for (at = BASE; found < sizeof(int); at += 8) {
		nr = lw_filter_nr(at);
		if (nr / sizeof(int) == word && !addr[nr % sizeof(int)]) {
			addr[nr % sizeof(int)] = at;
			found++;
		}
	}
	lw_filter_clear();
	for (n = 0; n < 3 * LW_FILTER_MOST; n++)
		lw_filter_add(addr[1]);
	for (n = 0; n < LW_FILTER_MOST - 1; n++)
		lw_filter_add(addr[2]);
	lw_filter_add(addr[3]);
	expect(counter(addr[0]) == 0, "%u", counter(addr[0]));
	expect(counter(addr[1]) == LW_FILTER_MOST, "%u", counter(addr[1]));
	expect(counter(addr[2]) == LW_FILTER_MOST - 1, "%u", counter(addr[2]));
	expect(counter(addr[3]) == 1, "%u", counter(addr[3]));
	for (n = 0; n < 3 * LW_FILTER_MOST; n++)
		lw_filter_sub(addr[1]);
	for (n = 0; n < LW_FILTER_MOST - 1; n++)
		lw_filter_sub(addr[2]);
	lw_filter_sub(addr[3]);
	expect(!lw_filter_has(addr[0]), "touched");
	expect(lw_filter_has(addr[1]), "more were added than it can count");
	expect(!lw_filter_has(addr[2]), "%u", counter(addr[2]));
	expect(!lw_filter_has(addr[3]), "%u", counter(addr[3]));
}

#define NR	4096UL

static bool freed[NR];

/* What was added in exact mode is freed, some of it while the table is counted. */
static void free_or_fill(int nr, void *arg)
{
	unsigned long n, nr_threads = *(int *)arg;
	bool counting;
	u64 old;

	host_give_way = 50;
	if (!nr)
		return lw_filter_fill();
	for (n = nr; n < NR; n += nr_threads) {
		if (!expect(lw_filter_has(object(n)), "%lu does not pass", n))
			return;
		counting = lw_filter_counting();
		if (lw_live_take(object(n), &old))
			continue;
		freed[n] = true;
		if (counting)
			lw_filter_sub(object(n));
	}
}

static void fill(void)
{
	int nr_threads, round;
	unsigned long n, left;
	u64 old;

	for (round = 0; round < host_many(100); round++) {
		nr_threads = 2 + round % 3;
		expect(!lw_live_init(4 * NR, BASE, 1UL << 24), "no memory");
		lw_filter_clear();
		memset(freed, 0, sizeof(freed));
		for (n = 0; n < NR; n++)
			lw_live_add(object(n), 7, &old);
		lw_filter_open();
		lw_filter_sub(object(1));	/* somebody who came before */
		host_threads(nr_threads, free_or_fill, &nr_threads);
		for (n = left = 0; n < NR; n++) {
			left += !freed[n];
			expect(freed[n] == !!(n % nr_threads), "%lu", n);
			expect(freed[n] || lw_filter_has(object(n)), "%lu is live", n);
		}
		/* too high, by what was freed in between, but never too low */
		expect(sum() >= left && sum() <= NR, "%lu of %lu", sum(), left);
		lw_live_exit();
	}
}

/* Two threads that use counters of the same words, each what is its own. */
static void add_and_remove(int nr, void *unused)
{
	unsigned long n, round;

	host_give_way = 100;
	for (round = 0; round < host_many(40); round++) {
		for (n = nr; n < 4 * NR; n += 4)
			lw_filter_add(object(n));
		for (n = nr; n < 4 * NR; n += 4) {
			if (!expect(lw_filter_has(object(n)), "%lu does not pass", n))
				return;
			lw_filter_sub(object(n));
		}
	}
}

static void races(void)
{
	lw_filter_clear();
	host_threads(4, add_and_remove, NULL);
	expect(!sum(), "%lu are left", sum());
}

int main(void)
{
	return host_run((struct host_test[]){
		{ "an entry for four counters: one of four passes", load },
		{ "counters of a word are apart, a full one stays", bytes },
		{ "frees beside a fill: what is live passes", fill },
		{ "adds and frees at once", races },
		{}
	});
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/kernel.h>
#include <leakwatch/filter.h>
#include <leakwatch/live.h>

#define COUNTERS	(1U << LW_FILTER_BITS)

atomic_t lw_filter[LW_FILTER_WORDS] ____cacheline_aligned;
bool lw_filter_counts __read_mostly = true;

/* Which bits of its word counter @nr is, so that it is byte @nr of the array. */
static unsigned int shift_of(unsigned int nr)
{
	nr %= sizeof(int);
#ifdef __BIG_ENDIAN
	nr = sizeof(int) - 1 - nr;
#endif
	return nr * 8;
}

/* @by is 1 or -1. */
static void count(unsigned int nr, int by)
{
	atomic_t *word = &lw_filter[nr / sizeof(int)];
	unsigned int shift = shift_of(nr);
	int seen = atomic_read(word), was;

	for (;;) {
		if (((unsigned int)seen >> shift & LW_FILTER_MOST) == LW_FILTER_MOST)
			return;
		was = atomic_cmpxchg(word, seen, (unsigned int)seen + ((unsigned int)by << shift));
		if (was == seen)
			return;
		seen = was;
	}
}

void lw_filter_add(unsigned long addr)
{
	count(lw_filter_nr(addr), 1);
}

void lw_filter_sub(unsigned long addr)
{
	count(lw_filter_nr(addr), -1);
}

/* All of them. */
static void set(u8 to)
{
	unsigned int i;

	for (i = 0; i < LW_FILTER_WORDS; i++)
		atomic_set(&lw_filter[i], to * 0x01010101U);
}

void lw_filter_clear(void)
{
	set(0);
	WRITE_ONCE(lw_filter_counts, true);
}

void lw_filter_open(void)
{
	WRITE_ONCE(lw_filter_counts, false);
	/* somebody may be about to discount what he has just removed: it stays what it is */
	set(LW_FILTER_MOST);
}

static void count_entry(unsigned long addr, u64 entry, void *unused)
{
	lw_filter_add(addr);
}

void lw_filter_fill(void)
{
	unsigned int nr;

	set(1);
	lw_live_walk(count_entry, NULL);
	/* pairs with lw_filter_counting() */
	smp_store_release(&lw_filter_counts, true);
	for (nr = 0; nr < COUNTERS; nr++)
		count(nr, -1);
}

unsigned int lw_filter_load(void)
{
	unsigned int nr, used = 0;

	for (nr = 0; nr < COUNTERS; nr++)
		used += READ_ONCE(((const u8 *)lw_filter)[nr]) != 0;
	return used * 100 / COUNTERS;
}

unsigned long lw_filter_bytes(void)
{
	return sizeof(lw_filter);
}

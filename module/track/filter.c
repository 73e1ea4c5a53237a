// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/kernel.h>
#include <leakwatch/filter.h>
#include <leakwatch/live.h>

#define OPEN	(1 << 30)	/* more than there can be entries */

static_assert(OPEN > LW_LIVE_MAX);

atomic_t lw_filter[1 << LW_FILTER_BITS] __cacheline_aligned;
bool lw_filter_counts __read_mostly = true;

void lw_filter_clear(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(lw_filter); i++)
		atomic_set(&lw_filter[i], 0);
	WRITE_ONCE(lw_filter_counts, true);
}

void lw_filter_open(void)
{
	int i;

	WRITE_ONCE(lw_filter_counts, false);
	/* added, not set: somebody may be about to discount what he has just removed */
	for (i = 0; i < ARRAY_SIZE(lw_filter); i++)
		atomic_add(OPEN, &lw_filter[i]);
}

static void count(unsigned long addr, u64 entry, void *unused)
{
	lw_filter_add(addr);
}

void lw_filter_fill(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(lw_filter); i++)
		atomic_set(&lw_filter[i], OPEN);
	lw_live_walk(count, NULL);
	/* pairs with lw_filter_counting() */
	smp_store_release(&lw_filter_counts, true);
	for (i = 0; i < ARRAY_SIZE(lw_filter); i++)
		atomic_sub(OPEN, &lw_filter[i]);
}

unsigned int lw_filter_load(void)
{
	unsigned int i, used = 0;

	for (i = 0; i < ARRAY_SIZE(lw_filter); i++)
		used += atomic_read(&lw_filter[i]) != 0;
	return used * 100 / ARRAY_SIZE(lw_filter);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What a pair of allocation and free costs the table of objects against how many are live, in
 * nanoseconds of this machine's processor: no test, as others run beside (performance.rst).
 *
 *	make -C kunit/host scale
 *
 * Two orders: "again", the object that was freed last comes back, as the allocator does; "random",
 * any live object is freed and comes back, which finds no line of the table in the cache once it is
 * larger than that. Of ROUNDS rounds the fastest is shown.
 */
#define HOST_POINT()	((void)0)
#include <time.h>
#include "host.h"
#include "../../module/track/live.c"
#include "../../module/track/stats.c"

#define BASE	0xffff888000000000UL
#define PAIRS	1000000
#define ROUNDS	5

static double now_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
	return at.tv_sec * 1e9 + at.tv_nsec;
}

/* As door.h and door.c do. */
static void allocated(unsigned long addr, u32 site)
{
	struct lw_place at;
	u64 old, entry = lw_entry(0, site, lw_clock_now());

	if (!lw_live_place(addr, &at) ||
	    (!lw_live_try_again(&at, entry) && !lw_live_try_add(&at, entry)))
		lw_live_add(addr, site, &old);
}

static void freed(unsigned long addr)
{
	u64 old;

	if (!lw_live_try_take(addr))
		lw_live_take(addr, &old);
}

static double pairs(unsigned long live, bool random)
{
	double best = 1e18, from;
	u64 seed = live;
	int round;
	long i;

	for (round = 0; round < ROUNDS; round++) {
		from = now_ns();
		for (i = 0; i < PAIRS; i++) {
			unsigned long nr = random ? host_below(&seed, live) : i % 64;
			unsigned long addr = BASE + nr * 256;

			freed(addr);
			allocated(addr, 1);
		}
		best = (now_ns() - from) / PAIRS < best ? (now_ns() - from) / PAIRS : best;
	}
	return best;
}

int main(void)
{
	unsigned long live, i;

	printf("%-10s %12s %10s %14s\n", "live", "table, KB", "again, ns", "random, ns");
	for (live = 1000; live <= 10000000; live *= 10) {
		/* at 50 % or a little less; objects of 256 bytes, each after the other */
		if (lw_live_init(max(2 * live, lw_live_least(live * 256)), BASE, live * 256))
			return 1;
		for (i = 0; i < live; i++)
			allocated(BASE + i * 256, 1);
		printf("%-10lu %12lu %10.1f %14.1f\n", live, lw_live_slots() / 128,
		       pairs(live, false), pairs(live, true));
		lw_live_exit();
	}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What a pair of allocation and free costs the table of objects and the counts of a site against
 * how many objects are live, and against how many CPUs do so at once, in nanoseconds of this
 * machine's processor: no test, as others run beside (performance.rst).
 *
 *	make -C kunit/host scale
 *
 * Two orders: "again", the object that was freed last comes back, as the allocator does; "random",
 * any live object is freed and comes back, which finds no line of the table in the cache once it is
 * larger than that. Of ROUNDS rounds the fastest is shown. Then the same of a table that has grown,
 * and of the objects that came last: they are in its annexes.
 *
 * Threads, each on a CPU of its own, at most as many as this machine has: all of one site, or each
 * of its own; with objects of their own, a hundredth of the table's, so that buckets are rarely
 * shared; or of eight buckets in all, so that they nearly always are. Time is a thread's own.
 *
 *	scale LIVE again|random PAIRS
 *
 * does so many pairs of one order and prints nothing: for who counts what they do (misses).
 *
 * Behind the tables is a line a figure for programs, as scripts/bench prints them:
 * "bench: host <state> <load> <hundredths of ns a pair>".
 */
#define _GNU_SOURCE
#define HOST_POINT()	((void)0)
#include <time.h>
#include "host.h"
#include "../../module/track/live.c"
#include "../../module/track/site.c"
#include "../../module/track/stats.c"

u32 lw_cache_size(u32 nr)
{
	return 0;
}

u32 lw_cache_of_object(const void *object)
{
	return 0;
}

#define BASE	0xffff888000000000UL
#define PAIRS	1000000
#define ROUNDS	5
#define THREADS	4	/* HOST_CPUS */

static char lines[64][80];
static int nr_lines;

/* @ns, which is kept for programs by that name, too */
static double told(double ns, const char *state, unsigned long size, const char *load)
{
	if (nr_lines < (int)ARRAY_SIZE(lines))
		snprintf(lines[nr_lines++], sizeof(*lines), "%s_%lu %s %.0f", state, size, load,
			 ns * 100);
	return ns;
}

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
	struct lw_place at;
	u64 old;

	if (!lw_live_try_take(addr, &at))
		lw_live_take(addr, &old);
}

/* @last: "again" is of the objects that came last, else of the first */
static void round_of(long pairs, unsigned long live, bool random, bool last, u64 *seed)
{
	long i;

	for (i = 0; i < pairs; i++) {
		unsigned long nr = random ? host_below(seed, live) :
				   last ? live - 1 - i % 64 : i % 64;
		unsigned long addr = BASE + nr * 256;

		freed(addr);
		allocated(addr, 1);
	}
}

static double pairs(unsigned long live, bool random, bool last)
{
	double best = 1e18, from;
	u64 seed = live;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		from = now_ns();
		round_of(PAIRS, live, random, last, &seed);
		best = (now_ns() - from) / PAIRS < best ? (now_ns() - from) / PAIRS : best;
	}
	return best;
}

/* A table at 50 % or a little less; objects of 256 bytes, each after the other. */
static int filled(unsigned long live)
{
	unsigned long i;

	if (lw_live_init(max(2 * live, lw_live_least(live * 256)), BASE, live * 256))
		return 1;
	for (i = 0; i < live; i++)
		allocated(BASE + i * 256, 1);
	return 0;
}

struct thread {
	pthread_t thread;
	int cpu;
	int nr;			/* of threads */
	u32 site;
	unsigned long objects;	/* each has */
	double ns;
};

static pthread_barrier_t all_there;

static void *one_thread(void *arg)
{
	struct thread *self = arg;
	double best = 1e18, from;
	cpu_set_t cpus;
	int round;
	long i;

	host_cpu = self->cpu;
	CPU_ZERO(&cpus);
	CPU_SET(self->cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	for (round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&all_there);
		from = now_ns();
		for (i = 0; i < PAIRS; i++) {
			unsigned long nr = i % self->objects * self->nr + self->cpu;
			unsigned long addr = BASE + nr * 256;

			allocated(addr, self->site);
			lw_site_charge_one(&lw_sites[self->site]);
			freed(addr);
			lw_site_uncharge_one(self->site);
		}
		from = (now_ns() - from) / PAIRS;
		best = from < best ? from : best;
	}
	self->ns = best;
	return NULL;
}

/* The slowest of so many threads. */
static double threads(int nr, bool one_site, unsigned long objects)
{
	struct thread thread[THREADS];
	unsigned long call;
	double most = 0;
	int i;

	pthread_barrier_init(&all_there, NULL, nr);
	for (i = 0; i < nr; i++) {
		call = 0xc0de0000 + (one_site ? 0 : 16 * i);
		thread[i] = (struct thread){
			.cpu = i, .nr = nr, .objects = objects,
			.site = lw_site_get(lw_what_kmalloc(256, 0), &call, 1, NULL),
		};
		pthread_create(&thread[i].thread, NULL, one_thread, &thread[i]);
	}
	for (i = 0; i < nr; i++) {
		pthread_join(thread[i].thread, NULL);
		most = thread[i].ns > most ? thread[i].ns : most;
	}
	pthread_barrier_destroy(&all_there);
	return most;
}

/* With interrupts off is looked for room: longest where there is none, in a table that is full. */
static int scale_full(void)
{
	double from, ns = 0, one, most = 0;
	unsigned long nr, refused = 0;
	u64 old;

	if (lw_live_init(LW_LIVE_MIN, BASE, 1UL << 20))
		return 1;
	for (nr = 0; nr < 4096; nr++) {
		from = now_ns();
		if (lw_live_add(BASE + nr * 256, 1, &old) != -ENOSPC)
			continue;
		one = now_ns() - from;
		ns += one;
		refused++;
		most = one > most ? one : most;		/* with what came between */
	}
	printf("\n%lu refused by a full table: %.0f ns each, %.0f at most\n", refused,
	       told(ns / refused, "full", LW_LIVE_MIN, "refused"), most);
	lw_live_exit();
	return 0;
}

#define GROWN_LIVE	1000000UL

static int scale_grown(void)
{
	unsigned long slots, i, in_first;

	printf("\n%-10s %10s %12s %10s %14s\n", "slots", "at first", "in annexes", "again, ns",
	       "random, ns");
	for (slots = 1UL << 21; slots >= 1UL << 19; slots /= 2) {
		if (lw_live_init(slots, BASE, GROWN_LIVE * 256))
			return 1;
		lw_live_may_grow(4);
		for (i = 0; i < GROWN_LIVE; i++) {
			if (!(i % 1024) && lw_live_load() >= 70)
				lw_live_grow();
			allocated(BASE + i * 256, 1);
		}
		for (in_first = i = 0; i < slots; i++)
			in_first += !lw_entry_free(lw_live.slot[i]);
		printf("%-10lu %10lu %12lu %10.1f %14.1f\n", lw_live_slots(), slots,
		       GROWN_LIVE - in_first,
		       told(pairs(GROWN_LIVE, false, true), "grown", slots, "again"),
		       told(pairs(GROWN_LIVE, true, true), "grown", slots, "random"));
		lw_live_exit();
	}
	return 0;
}

static int scale_threads(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int nr;

	printf("\n%-8s %14s %14s %20s\n", "threads", "own sites, ns", "one site, ns",
	       "eight buckets, ns");
	if (lw_live_init(max(1UL << 17, lw_live_least(1UL << 24)), BASE, 1UL << 24) ||
	    lw_sites_init(LW_SITES_MIN))
		return 1;
	for (nr = 1; nr <= THREADS && nr <= cpus; nr++) {
		printf("%-8d %14.1f %14.1f", nr,
		       told(threads(nr, false, 256), "threads", nr, "own_sites"),
		       told(threads(nr, true, 256), "threads", nr, "one_site"));
		fflush(stdout);
		lw_live_exit();
		if (lw_live_init(8 * SLOTS, BASE, 1UL << 14))
			return 1;
		printf(" %20.1f\n", told(threads(nr, true, 4), "threads", nr, "eight_buckets"));
		lw_live_exit();
		if (lw_live_init(1UL << 17, BASE, 1UL << 24))
			return 1;
	}
	return 0;
}

static int scale_live(void)
{
	unsigned long live;

	printf("%-10s %12s %10s %14s\n", "live", "table, KB", "again, ns", "random, ns");
	for (live = 1000; live <= 10000000; live *= 10) {
		if (filled(live))
			return 1;
		printf("%-10lu %12lu %10.1f %14.1f\n", live, lw_live_slots() / 128,
		       told(pairs(live, false, false), "live", live, "again"),
		       told(pairs(live, true, false), "live", live, "random"));
		lw_live_exit();
	}
	return 0;
}

static int only(char **word)
{
	unsigned long live = strtoul(word[0], NULL, 0);
	u64 seed = live;

	if (filled(live))
		return 1;
	round_of(atol(word[2]), live, !strcmp(word[1], "random"), false, &seed);
	lw_live_exit();
	return 0;
}

int main(int nr, char **word)
{
	int line, failed;

	if (nr == 4)
		return only(word + 1);
	failed = scale_live() || scale_grown() || scale_threads() || scale_full();
	for (line = 0; line < nr_lines; line++)
		printf("bench: host %s\n", lines[line]);
	return failed;
}

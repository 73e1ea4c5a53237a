// SPDX-License-Identifier: GPL-2.0
/*
 * share: what is written that all CPUs share, and when? All memory of these rooms is made
 * read-only but the counts, draws and statistics, which each CPU has of its own, and the entries
 * of objects and frames. Then objects and frames come and go as if the hooks had told of them:
 * whatever else is written is a fault, which is noted, and in the kernel a line that CPUs would
 * take from each other.
 */
#define HOST_POINT()	((void)0)
#include <signal.h>
#include <sys/mman.h>
#include "host.h"
#include "../../module/track/live.c"
#include "../../module/track/site.c"
#include "../../module/track/stats.c"
#undef SLOTS
#include "../../module/track/pages.c"
#include "../../module/track/sample.c"

u32 lw_cache_size(u32 nr)
{
	return 0;
}

u32 lw_cache_of_object(const void *object)
{
	return 0;
}

#define BASE	0xffff888000000000UL
#define OBJECTS	1000UL
#define PAGE	4096UL
#define CALL	0xc0de0000UL

static struct range {
	const char *name;
	char *from;
	char *to;
} range[16];
static unsigned int nr_ranges;

static __thread unsigned long faults[ARRAY_SIZE(range)];	/* the handler's, not shared */

static void note(int signal, siginfo_t *info, void *context)
{
	char *at = info->si_addr;
	unsigned int i;

	for (i = 0; i < nr_ranges; i++)
		faults[i] += at >= range[i].from && at < range[i].to;
	if (mprotect((void *)((unsigned long)at & -PAGE), PAGE, PROT_READ | PROT_WRITE))
		_exit(1);
}

static void share(const char *name, void *from, unsigned long bytes)
{
	range[nr_ranges++] = (struct range){ name, from, (char *)from + bytes };
}

static void protect(int how)
{
	unsigned int i;

	for (i = 0; i < nr_ranges; i++) {
		unsigned long from = (unsigned long)range[i].from & -PAGE;
		unsigned long to = ((unsigned long)range[i].to + PAGE - 1) & -PAGE;

		if (mprotect((void *)from, to - from, how))
			_exit(1);
	}
}

/* Return: how many pages do_it() writes of what is shared. */
static unsigned long writes_of(void (*do_it)(void))
{
	unsigned long all = 0;
	unsigned int i;

	memset(faults, 0, sizeof(faults));
	protect(PROT_READ);
	do_it();
	protect(PROT_READ | PROT_WRITE);
	for (i = 0; i < nr_ranges; i++) {
		if (faults[i])
			printf("# written: %lu of %s\n", faults[i], range[i].name);
		all += faults[i];
	}
	return all;
}

static bool exists(unsigned long pfn)
{
	return true;
}

static struct lw_site *met;
static lw_what_t what, kind;

/* None with tag 0: what such a one left, and others took, is not looked for straight (live.h). */
#define ADDRESS(nr)	(BASE + (nr) * 256 + 8)

/* As door.h and put() of door.c do, for who has been met. */
static bool object_comes(unsigned long nr, unsigned long call)
{
	struct lw_site *site = lw_site_met(what, call);
	u64 entry = lw_entry_since(site->entry, lw_clock_now());
	struct lw_place at;

	if (!lw_site_is_call(site, what, call) || !lw_live_place(ADDRESS(nr), &at) ||
	    (!lw_live_try_again(&at, entry) && !lw_live_try_add(&at, entry)))
		return false;
	lw_site_charge_one(site);
	lw_site_saw(site);
	return true;
}

static bool object_goes(unsigned long nr)
{
	struct lw_place at;
	u64 old = lw_live_try_take(ADDRESS(nr), &at);

	if (old)
		lw_site_uncharge_one(lw_entry_site(old));
	return old;
}

static bool page_comes_and_goes(unsigned long pfn)
{
	struct lw_site *site = lw_site_met(kind, 0);
	u64 *at;

	if (!lw_site_is_kind(site, kind) || !lw_pages_at(pfn, &at) ||
	    lw_xchg64(at, lw_entry_since(site->entry, lw_clock_now())))
		return false;
	lw_site_charge_one(site);
	lw_site_uncharge_one(lw_entry_site(lw_xchg64(at, 0)));
	return true;
}

static __thread unsigned long straight;

static void known(void)
{
	unsigned long i;

	straight = 0;
	for (i = 0; i < 100 * OBJECTS; i++) {
		straight += object_comes(i % OBJECTS, CALL) && object_goes(i % OBJECTS);
		straight += page_comes_and_goes(i % OBJECTS);
	}
	lw_stat_inc(LW_UNMATCHED_PAGES);
}

static void sampled(void)
{
	unsigned long i;

	straight = 0;
	for (i = 0; i < 100 * OBJECTS; i++)
		if (lw_sample_due(256))
			straight += lw_sample_take();
}

static void another(void)
{
	unsigned long call = CALL + 8;

	lw_site_get(what, &call, 1, NULL);
}

static void begin(void)
{
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_NODEFER };
	unsigned long call = CALL, slots = lw_live_least(OBJECTS * 256), i;

	sigaction(SIGSEGV, &action, NULL);
	if (!expect(!lw_live_init(slots, BASE, OBJECTS * 256) && !lw_sites_init(LW_SITES_MIN) &&
		    !lw_pages_init(LW_CHUNK_FRAMES, exists), "no tables"))
		return;
	lw_sample_init(1);
	lw_sample_set(3);
	what = lw_what_kmalloc(256, 0);
	kind = lw_what_pages(0, 0);
	met = &lw_sites[lw_site_get(what, &call, 1, NULL)];
	lw_site_meet(met);
	lw_site_saw(met);
	lw_site_meet(&lw_sites[lw_site_get(kind, &call, 0, NULL)]);
	for (i = 0; i < OBJECTS; i++) {		/* each has been there */
		u64 old;

		lw_live_add(ADDRESS(i), met - lw_sites, &old);
		lw_live_take(ADDRESS(i), &old);
	}
	nr_ranges = 0;
	share("variables", __data_start, __start_host_percpu - __data_start);
	share("variables", __stop_host_percpu, _end - __stop_host_percpu);
	share("lw_sites", lw_sites, LW_SITES_MIN * sizeof(*lw_sites));
	share("lw_flaws", lw_flaws, LW_SITES_MIN * sizeof(*lw_flaws));
	share("lw_site_hash", lw_site_hash.slot, nr_slots() * sizeof(*lw_site_hash.slot));
	share("lw_site_pool", lw_site_pool, table.max_frames * sizeof(*lw_site_pool));
	share("lw_site_steps", lw_site_steps, table.max_frames * sizeof(*lw_site_steps));
	share("lw_live.spilled", lw_live.spilled, spilled_bytes());
	share("lw_pages.chunk", lw_pages.chunk, lw_pages.nr_chunks * sizeof(*lw_pages.chunk));
}

static void end(void)
{
	lw_pages_exit();
	lw_sites_exit();
	lw_live_exit();
}

static void all_known(void)
{
	unsigned long nr;

	begin();
	nr = writes_of(known);
	expect(!nr, "%lu written", nr);
	expect(straight == 200 * OBJECTS, "%lu of %lu went straight", straight, 200 * OBJECTS);
	end();
}

static void only_draws(void)
{
	unsigned long nr;

	begin();
	nr = writes_of(sampled);
	expect(!nr, "%lu written", nr);
	expect(straight > OBJECTS / 2, "%lu drawn", straight);
	end();
}

/* And a fault there would be: of a site that is new, of its hint, of what is behind an entry. */
static void new_ones(void)
{
	unsigned long nr;

	begin();
	nr = writes_of(another);
	expect(nr >= 3, "%lu written", nr);
	share("lw_live.slot", lw_live.slot, lw_live_slots() * sizeof(u64));
	nr = writes_of(known);
	expect(nr > 0 && faults[nr_ranges - 1] == nr, "%lu written", nr);
	end();
}

int main(void)
{
	return host_run((struct host_test[]){
		{ "who is known writes nothing that CPUs share", all_known },
		{ "nor do draws", only_draws },
		{ "who is new does, and the entry is shared", new_ones },
		{}
	});
}

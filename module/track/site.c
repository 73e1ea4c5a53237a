// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <leakwatch/cache.h>
#include <leakwatch/site.h>
#include <leakwatch/stats.h>

#define PROBES		64
#define FRAMES_A_SITE	10	/* mean length of a path, for the size of the pool */

struct lw_site *lw_sites __read_mostly;
struct lw_counts __percpu *lw_counts[LW_MAX_SITES / LW_COUNT_SITES] __read_mostly;

static struct {
	unsigned int max;
	unsigned int bits;	/* log2 of the slots of the hash */
	u32 *slot;		/* 0, or a site's number */
	unsigned long *frame;
	unsigned int max_frames;
} table __read_mostly;

static atomic_t nr_sites = ATOMIC_INIT(0);
static atomic_t nr_frames = ATOMIC_INIT(0);

static __always_inline u64 mix(u64 hash, u64 word)
{
	hash = (hash ^ word) * GOLDEN_RATIO_64;
	return hash ^ hash >> 32;
}

static __always_inline u32 hash_of(lw_what_t what, const unsigned long *frames, unsigned int nr)
{
	u64 hash = mix(0, what);
	unsigned int i;

	for (i = 0; i < nr; i++)
		hash = mix(hash, frames[i]);
	return hash;
}

static __always_inline u32 *slot_of(u32 hash, unsigned int probe)
{
	return &table.slot[(hash + probe) & ((1U << table.bits) - 1)];
}

static bool is(const struct lw_site *site, lw_what_t what, const unsigned long *frames,
	       unsigned int nr, u32 hash)
{
	return site->hash == hash && site->what == what && site->nr_frames == nr &&
	       !memcmp(&table.frame[site->frame], frames, nr * sizeof(*frames));
}

/* A number, and frames from the pool; paths leave an eighth of both to call sites. */
static u32 reserve(unsigned int nr, u32 *frame)
{
	unsigned int max = table.max, max_frames = table.max_frames;
	int id, at;

	if (nr > 1) {
		max -= max / 8;
		max_frames -= max_frames / 8;
	}
	at = atomic_read(&nr_frames);
	do {
		if (at + nr > max_frames)
			return LW_SITE_NOBODY;
	} while (!atomic_try_cmpxchg(&nr_frames, &at, at + nr));
	id = atomic_read(&nr_sites);
	do {
		if (id >= max)
			return LW_SITE_NOBODY;
	} while (!atomic_try_cmpxchg(&nr_sites, &id, id + 1));
	*frame = at;
	return id;
}

static u32 size_of(lw_what_t what)
{
	if (lw_what_class(what) == LW_PAGE)
		return PAGE_SIZE;
	if (lw_what_minor(what) == LW_WHAT_CACHE)
		return lw_cache_size(lw_what_major(what));
	return lw_what_major(what);
}

static noinline u32 make(lw_what_t what, const unsigned long *frames, unsigned int nr, u32 hash,
			 const void *object)
{
	struct lw_site *site;
	unsigned int probe;
	u32 id, frame, was, parent = LW_SITE_NOBODY;

	if (nr > 1) {
		parent = lw_site_get(what, frames, 1, object);
		if (parent == LW_SITE_NOBODY)
			return parent;
	}
	id = reserve(nr, &frame);
	if (id == LW_SITE_NOBODY) {
		if (nr > 1)
			lw_stat_inc(LW_FOLDED);
		return parent;
	}
	memcpy(&table.frame[frame], frames, nr * sizeof(*frames));
	site = &lw_sites[id];
	site->what = what;
	site->hash = hash;
	site->parent = nr > 1 ? parent : id;
	site->frame = frame;
	site->nr_frames = nr;
	site->size = size_of(what);
	site->pid_min = INT_MAX;
	site->pid_max = -1;
	if (lw_what_class(what) == LW_SLAB)
		site->cache = lw_what_minor(what) == LW_WHAT_CACHE ? lw_what_major(what) :
			      lw_cache_of_object(object);
	smp_store_release(&site->live, true);	/* pairs with readers of the whole table */

	for (probe = 0; probe < PROBES; probe++) {
		was = cmpxchg(slot_of(hash, probe), 0, id);
		if (!was)
			return id;
		if (is(&lw_sites[was], what, frames, nr, hash)) {
			id = was;
			break;
		}
	}
	/* Not needed after all: nothing refers to the number, it is left unused. */
	WRITE_ONCE(site->live, false);
	lw_stat_inc(LW_SITES_SPOILT);
	return probe < PROBES ? id : parent;
}

u32 lw_site_get(lw_what_t what, const unsigned long *frames, unsigned int nr, const void *object)
{
	u32 hash = hash_of(what, frames, nr);
	unsigned int probe;
	u32 id;

	for (probe = 0; probe < PROBES; probe++) {
		id = READ_ONCE(*slot_of(hash, probe));
		if (unlikely(!id))
			break;
		if (likely(is(&lw_sites[id], what, frames, nr, hash)))
			return id;
	}
	return make(what, frames, nr, hash, object);
}

static noinline void widen(struct lw_site *site, int pid)
{
	int was;

	if (!in_task())		/* the process is only who happened to be interrupted */
		return;
	was = READ_ONCE(site->pid_min);
	while (pid < was && !try_cmpxchg(&site->pid_min, &was, pid))
		;
	was = READ_ONCE(site->pid_max);
	while (pid > was && !try_cmpxchg(&site->pid_max, &was, pid))
		;
}

void lw_site_saw(u32 id)
{
	struct lw_site *site = &lw_sites[id];
	int pid = current->pid;

	if (unlikely(pid < READ_ONCE(site->pid_min) || pid > READ_ONCE(site->pid_max)))
		widen(site, pid);
}

unsigned long *lw_site_frames(const struct lw_site *site)
{
	return &table.frame[site->frame];
}

void lw_site_counts(u32 id, struct lw_count *sum)
{
	int cpu;

	*sum = (struct lw_count){};
	for_each_possible_cpu(cpu) {
		struct lw_count *count = per_cpu_ptr(lw_site_count(id), cpu);

		sum->frees += READ_ONCE(count->frees);
		sum->allocs += READ_ONCE(count->allocs);
	}
}

unsigned int lw_sites_max(void)
{
	return table.max;
}

unsigned int lw_sites_end(void)
{
	return atomic_read(&nr_sites);
}

unsigned long lw_sites_bytes(void)
{
	return table.max * sizeof(*lw_sites) + ((unsigned long)sizeof(*table.slot) << table.bits) +
	       table.max_frames * sizeof(*table.frame) +
	       num_possible_cpus() * DIV_ROUND_UP(table.max, LW_COUNT_SITES) *
	       sizeof(struct lw_counts);
}

void lw_sites_clear(void)
{
	unsigned int i;
	int cpu;

	for (i = 0; i < table.max; i += LW_COUNT_SITES)
		for_each_possible_cpu(cpu)
			memset(per_cpu_ptr(lw_counts[i >> LW_COUNT_SHIFT], cpu), 0,
			       sizeof(struct lw_counts));
	for (i = 0; i < lw_sites_end(); i++) {
		atomic_long_set(&lw_sites[i].lost, 0);
		atomic_long_set(&lw_sites[i].missed, 0);
		lw_sites[i].pid_min = INT_MAX;
		lw_sites[i].pid_max = -1;
		lw_sites[i].mark_allocs = 0;
		lw_sites[i].mark_frees = 0;
	}
}

int lw_sites_init(unsigned int nr)
{
	unsigned long none = 0;
	unsigned int i;

	table.max = nr;
	table.bits = order_base_2(nr) + 1;
	table.max_frames = nr * FRAMES_A_SITE;
	lw_sites = vzalloc(nr * sizeof(*lw_sites));
	table.slot = vzalloc(sizeof(*table.slot) << table.bits);
	table.frame = vzalloc(table.max_frames * sizeof(*table.frame));
	if (!lw_sites || !table.slot || !table.frame)
		goto fail;
	for (i = 0; i < nr; i += LW_COUNT_SITES) {
		lw_counts[i >> LW_COUNT_SHIFT] = alloc_percpu(struct lw_counts);
		if (!lw_counts[i >> LW_COUNT_SHIFT])
			goto fail;
	}
	atomic_set(&nr_sites, LW_SITE_SLAB_PAGES);
	/*
	 * Nobody else is here yet, so these get the numbers that site.h gives them. No gfp mask of
	 * movable memory is as small, so no kind can be mistaken for one of them.
	 */
	lw_site_get(lw_what_pages(0, LW_SITE_SLAB_PAGES), &none, 0, NULL);
	lw_site_get(lw_what_pages(0, LW_SITE_MIGRATION), &none, 0, NULL);
	return 0;
fail:
	lw_sites_exit();
	return -ENOMEM;
}

void lw_sites_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lw_counts); i++) {
		free_percpu(lw_counts[i]);
		lw_counts[i] = NULL;
	}
	vfree(table.frame);
	vfree(table.slot);
	vfree(lw_sites);
	lw_sites = NULL;
	atomic_set(&nr_sites, 0);
	atomic_set(&nr_frames, 0);
	memset(&table, 0, sizeof(table));
}

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
#include <compat/atomic.h>
#include <leakwatch/cache.h>
#include <leakwatch/site.h>
#include <leakwatch/stats.h>

#define PROBES		64
#define FRAMES_A_SITE	10	/* mean length of a path, for the size of the pool */

struct lw_site *lw_sites __read_mostly;
struct lw_flaws *lw_flaws __read_mostly;
struct lw_counts __percpu *lw_counts[LW_MAX_SITES / LW_COUNT_SITES] __read_mostly;

struct lw_site_hash lw_site_hash __read_mostly;
unsigned long *lw_site_pool __read_mostly;
u16 *lw_site_steps __read_mostly;
struct lw_site *lw_sites_met[1 << LW_MET_BITS];
struct lw_site *lw_paths_met[1 << LW_MET_BITS] __aligned(LW_MET_WAYS * sizeof(long));

static struct {
	unsigned int max;
	unsigned int max_frames;
} table __read_mostly;

static atomic_t nr_sites = ATOMIC_INIT(0);
static atomic_t nr_frames = ATOMIC_INIT(0);

static __always_inline u32 hash_of(lw_what_t what, const unsigned long *frames, unsigned int nr)
{
	u64 hash = lw_site_mix(what, nr ? frames[0] : 0);
	unsigned int i;

	for (i = 1; i < nr; i++)
		hash = lw_site_mix(hash ^ hash >> 32, frames[i]);
	return hash >> 32;
}

static __always_inline unsigned int nr_slots(void)
{
	return 1U << (64 - lw_site_hash.shift);
}

/* @hash is the upper half of what lw_site_mix() makes. */
static __always_inline u32 *slot_of(u32 hash, unsigned int probe)
{
	return &lw_site_hash.slot[((hash >> (lw_site_hash.shift - 32)) + probe) & (nr_slots() - 1)];
}

static __always_inline bool is(const struct lw_site *site, lw_what_t what,
			       const unsigned long *frames, unsigned int nr)
{
	const unsigned long *own = &lw_site_pool[site->frame];
	unsigned int i;

	if (site->what != what || site->nr_frames != nr)
		return false;
	for (i = 0; i < nr; i++)
		if (own[i] != frames[i])
			return false;
	return true;
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
	if (atomic_read(&nr_sites) >= max)	/* then none of its frames is taken */
		return LW_SITE_NOBODY;
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

/* Give both back, if nobody has taken any since; otherwise they are left unused. */
static void unreserve(u32 id, u32 frame, unsigned int nr)
{
	if (atomic_cmpxchg(&nr_frames, frame + nr, frame) != frame + nr ||
	    atomic_cmpxchg(&nr_sites, id + 1, id) != id + 1)
		lw_stat_inc(LW_SITES_SPOILT);
}

static u32 size_of(lw_what_t what)
{
	if (lw_what_class(what) == LW_PAGE)
		return PAGE_SIZE;
	if (lw_what_class(what) == LW_BUFFER)
		return max(lw_what_major(what), 1U) << PAGE_SHIFT;
	if (lw_what_is_cache(what))
		return lw_cache_size(lw_what_major(what));
	return lw_what_major(what);
}

static void fold(u32 parent)
{
	WRITE_ONCE(lw_flaws[parent].folded, 1);
	lw_stat_inc(LW_FOLDED);
}

static noinline u32 make(lw_what_t what, const unsigned long *frames, unsigned int nr, u32 hash,
			 const void *object)
{
	struct lw_site *site;
	unsigned int probe;
	u32 id, frame, was, parent = LW_SITE_NOBODY, family = LW_SITE_NOBODY;

	if (nr > 1) {
		parent = lw_site_get(what, frames, 1, object);
		if (parent == LW_SITE_NOBODY)
			return parent;
		family = lw_sites[parent].parent;
	} else if (lw_what_rate(what)) {
		family = lw_site_get(lw_what_exact(what), frames, nr, object);
	}
	id = reserve(nr, &frame);
	if (id == LW_SITE_NOBODY) {
		if (nr > 1)
			fold(parent);
		return parent;
	}
	memcpy(&lw_site_pool[frame], frames, nr * sizeof(*frames));
	site = &lw_sites[id];
	site->what = what;
	site->call = nr ? frames[0] : 0;
	site->count = lw_site_count(id);
	site->entry = lw_entry(0, id, 0);
	site->parent = family == LW_SITE_NOBODY ? id : family;
	site->frame = frame;
	site->nr_frames = nr;
	site->size = size_of(what);
	site->pid_min = -1;
	site->pid_span = 0;
	if (lw_what_class(what) == LW_SLAB)
		site->cache = lw_what_is_cache(what) ? lw_what_major(what) :
			      lw_cache_of_object(object);

	for (probe = 0; probe < PROBES; probe++) {
		was = READ_ONCE(*slot_of(hash, probe));
		if ((!was || was == LW_SITE_GONE) &&
		    cmpxchg(slot_of(hash, probe), was, id) == was) {
			/* pairs with lw_site_live(); whoever meets it by the hash need not wait */
			smp_store_release(&site->state, LW_SITE_READY);
			return id;
		}
		was = READ_ONCE(*slot_of(hash, probe));
		if (is(&lw_sites[was], what, frames, nr)) {
			parent = was;	/* another CPU was first */
			break;
		}
	}
	if (probe == PROBES && nr > 1)
		fold(parent);
	/* Not needed after all, or no place for it: nothing refers to the number. */
	unreserve(id, frame, nr);
	return parent;
}

void lw_site_meet(struct lw_site *site)
{
	if (unlikely(lw_what_is_large(site->what)))
		return;
	/* a site that is being retired may be noted once more, for nothing */
	WRITE_ONCE(lw_sites_met[lw_met_slot(site->what, data_race(site->call))], site);
}

void lw_site_unmeet(const struct lw_site *site)
{
	struct lw_site **met = &lw_sites_met[lw_met_slot(site->what, site->call)];

	if (READ_ONCE(*met) == site)
		WRITE_ONCE(*met, lw_sites);
}

/* Those before move on by a way. Of two at once either may get lost: it is met again. */
void lw_site_meet_path(struct lw_site *site, unsigned long place)
{
	unsigned int slot, way;

	if (unlikely(lw_what_is_large(site->what)))
		return;
	/* one that is being retired is not recognised: a frame of it is no address any more */
	slot = lw_met_slot(site->what, data_race(site->call) + place);
	for (way = LW_MET_WAYS - 1; way; way--)
		WRITE_ONCE(lw_paths_met[slot ^ way], READ_ONCE(lw_paths_met[slot ^ (way - 1)]));
	WRITE_ONCE(lw_paths_met[slot], site);
}

/*
 * Call sites and kinds are met by this, paths by whoever has gone the way. What is zoomed at is to
 * be looked for each time.
 */
static u32 meet(u32 id)
{
	struct lw_site *site = &lw_sites[id];

	/* a setting; either value is right while it changes */
	if (site->nr_frames <= 1 && !data_race(site->zoomed) && likely(id != LW_SITE_NOBODY))
		lw_site_meet(site);
	return id;
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
		if (likely(is(&lw_sites[id], what, frames, nr)))
			return meet(id);
	}
	return meet(make(what, frames, nr, hash, object));
}

void lw_site_learn(u32 id, const void *object)
{
	struct lw_site *site = &lw_sites[id];
	u16 cache;

	if (id == LW_SITE_NOBODY || likely(READ_ONCE(site->cache)))
		return;
	cache = lw_cache_of_object(object);
	WRITE_ONCE(site->cache, cache);
	WRITE_ONCE(lw_sites[site->parent].cache, cache);
}

void lw_site_retire(u32 id)
{
	struct lw_site *site = &lw_sites[id];
	u32 hash = hash_of(site->what, &lw_site_pool[site->frame], site->nr_frames);
	unsigned int probe;
	u32 *slot;

	lw_site_unmeet(site);
	for (probe = 0; probe < PROBES; probe++) {
		slot = slot_of(hash, probe);
		if (READ_ONCE(*slot) == id) {
			WRITE_ONCE(*slot, LW_SITE_GONE);
			return;
		}
	}
}

/* Lowest pid and span change together, in one word. */
void lw_site_widen(struct lw_site *site, s32 pid)
{
	u64 *at = (u64 *)&site->pid_min;
	union {
		u64 word;
		struct {
			s32 min;
			u32 span;
		};
	} was, now;

	do {
		was.word = READ_ONCE(*at);
		now = was;
		if (was.min < 0) {
			now.min = pid;
		} else if (pid < was.min) {
			now.min = pid;
			now.span += was.min - pid;
		} else if (pid - was.min > was.span) {
			now.span = pid - was.min;
		}
	} while (!lw_try_cmpxchg64(at, was.word, now.word));
}

void lw_site_saw_other(struct lw_site *site)
{
	if (in_task())		/* else the process is only who happened to be interrupted */
		lw_site_widen(site, current->pid);
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

unsigned int lw_frames_max(void)
{
	return table.max_frames;
}

unsigned int lw_frames_used(void)
{
	return atomic_read(&nr_frames);
}

unsigned int lw_sites_end(void)
{
	return atomic_read(&nr_sites);
}

/* Slots of the hash for so many sites, as a power of two: it is at most half full. */
static unsigned int hash_bits(unsigned int nr)
{
	return order_base_2(nr) + 1;
}

unsigned long lw_sites_bytes(unsigned int nr)
{
	return nr * (sizeof(*lw_sites) + sizeof(*lw_flaws)) +
	       (sizeof(*lw_site_hash.slot) << hash_bits(nr)) +
	       nr * FRAMES_A_SITE * (sizeof(*lw_site_pool) + sizeof(*lw_site_steps)) +
	       sizeof(lw_sites_met) + sizeof(lw_paths_met) +
	       num_possible_cpus() * DIV_ROUND_UP(nr, LW_COUNT_SITES) *
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
	memset(lw_flaws, 0, table.max * sizeof(*lw_flaws));
	for (i = 0; i < lw_sites_end(); i++) {
		lw_sites[i].pid_min = -1;
		lw_sites[i].pid_span = 0;
	}
}

int lw_sites_init(unsigned int nr)
{
	unsigned long none = 0;
	unsigned int i;

	table.max = nr;
	lw_site_hash.shift = 64 - hash_bits(nr);
	table.max_frames = nr * FRAMES_A_SITE;
	lw_sites = vzalloc(nr * sizeof(*lw_sites));
	lw_flaws = vzalloc(nr * sizeof(*lw_flaws));
	lw_site_hash.slot = vzalloc(nr_slots() * sizeof(*lw_site_hash.slot));
	lw_site_pool = vzalloc(table.max_frames * sizeof(*lw_site_pool));
	lw_site_steps = vzalloc(table.max_frames * sizeof(*lw_site_steps));
	if (!lw_sites || !lw_flaws || !lw_site_hash.slot || !lw_site_pool || !lw_site_steps)
		goto fail;
	for (i = 0; i < ARRAY_SIZE(lw_sites_met); i++) {
		lw_sites_met[i] = lw_sites;
		lw_paths_met[i] = lw_sites;
	}
	for (i = 0; i < nr; i += LW_COUNT_SITES) {
		lw_counts[i >> LW_COUNT_SHIFT] = alloc_percpu(struct lw_counts);
		if (!lw_counts[i >> LW_COUNT_SHIFT])
			goto fail;
	}
	/* frees of what was given up are counted there, and not looked at */
	lw_sites[LW_SITE_NOBODY].count = lw_site_count(LW_SITE_NOBODY);
	/* and who has met nobody yet is not taken for it: no event is of that class */
	lw_sites[LW_SITE_NOBODY].what = LW_WHAT_CLASS;
	atomic_set(&nr_sites, LW_SITE_SLAB_PAGES);
	/*
	 * Nobody else is here yet, so these get the numbers that site.h gives them. No gfp mask of
	 * movable memory is as small, so no kind can be mistaken for one of them.
	 */
	lw_site_get(lw_what_pages(0, LW_SITE_SLAB_PAGES), &none, 0, NULL);
	lw_site_get(lw_what_pages(0, LW_SITE_MIGRATION), &none, 0, NULL);
	atomic_set(&nr_sites, LW_SITE_GONE + 1);
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
	vfree(lw_site_steps);
	vfree(lw_site_pool);
	vfree(lw_site_hash.slot);
	vfree(lw_flaws);
	vfree(lw_sites);
	lw_flaws = NULL;
	lw_sites = NULL;
	atomic_set(&nr_sites, 0);
	atomic_set(&nr_frames, 0);
	lw_site_pool = NULL;
	lw_site_steps = NULL;
	memset(&table, 0, sizeof(table));
	memset(&lw_site_hash, 0, sizeof(lw_site_hash));
	memset(lw_sites_met, 0, sizeof(lw_sites_met));
	memset(lw_paths_met, 0, sizeof(lw_paths_met));
}

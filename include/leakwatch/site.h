/* SPDX-License-Identifier: GPL-2.0 */
/*
 * site: a place where memory is asked for: what is asked for (class, cache or size, or order and
 * gfp mask) and by which path.
 *
 * A site is interned at its first event and keeps its number until this module goes. Its path is
 * the return addresses from the call site outward. A path of one frame is the
 * call site itself; every longer path has that site as its parent, so that tables can group. A
 * site without frames is a kind of memory: all of it that is not told apart by caller.
 *
 * Counts are per CPU: what was allocated, and what was freed again, in objects or in base pages.
 * live = allocs - frees - lost. In sampled mode a path has sites of its own, whose counts are of
 * what was drawn alone; the site of its call site in exact mode is the parent of all of them.
 *
 * Locking: none. Making a site: a number is taken, the site filled in, then published in the hash
 * by one cmpxchg (full barrier, pairs with the address dependency of readers). If another CPU made
 * the same site first, the number is given back, or left unused. Any context, NMI included.
 * Bounded: the hash is at most half full, a probe looks at PROBES slots.
 *
 * Paths are made until 7/8 of the numbers are taken, or the pool of frames is. After that new
 * paths are charged to their call site, and that is counted (LW_FOLDED).
 */
#ifndef LEAKWATCH_SITE_H
#define LEAKWATCH_SITE_H

#include <linux/hash.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/types.h>
#include <compat/percpu.h>
#include <leakwatch/entry.h>

#define LW_SITES_MIN	64U
#define LW_DEPTH_MAX	32

/**
 * enum lw_class - whose memory it is
 * @LW_SLAB: objects of slab caches, and kmallocs of any size
 * @LW_PAGE: page frames
 * @LW_BUFFER: DMA-BUFs
 * @LW_NR_CLASSES: how many there are
 */
enum lw_class {
	LW_SLAB,
	LW_PAGE,
	LW_BUFFER,
	LW_NR_CLASSES
};

/** lw_class_name() - Return: what tables call @class */
static inline const char *lw_class_name(enum lw_class class)
{
	return class == LW_SLAB ? "slab" : class == LW_PAGE ? "page" : "buffer";
}

/**
 * typedef lw_what_t - what is asked for, as one comparable word
 *
 * Bits 0-1 the class, 2 whether a cache is named, 3-7 the rate at which it was drawn (sample.h), 0
 * if all is taken, 8-31 the page order or the kmalloc type, 32-63 the gfp mask, the size in bytes,
 * the number of the cache (cache.h), or a buffer's pages.
 */
typedef u64 lw_what_t;

#define LW_WHAT_CLASS	0x3
#define LW_WHAT_CACHE	0x4
#define LW_WHAT_RATE	3
#define LW_WHAT_RATES	0xf8ULL

static_assert(((LW_NR_CLASSES - 1) & ~LW_WHAT_CLASS) == 0);

/** lw_what_kmalloc() - a kmalloc of @bytes; @type, up to 24 bits, tells caches of one size apart */
static inline lw_what_t lw_what_kmalloc(u32 bytes, u32 type)
{
	return LW_SLAB | type << 8 | (u64)bytes << 32;
}

/** lw_what_cache() - an object of cache number @cache */
static inline lw_what_t lw_what_cache(u32 cache)
{
	return LW_SLAB | LW_WHAT_CACHE | (u64)cache << 32;
}

/** lw_what_pages() - a block of 2^@order pages asked for with @gfp */
static inline lw_what_t lw_what_pages(u8 order, u32 gfp)
{
	return LW_PAGE | (u64)order << 8 | (u64)gfp << 32;
}

/** lw_what_buffer() - a buffer of @pages; 0 for buffers of any size, counted in base pages */
static inline lw_what_t lw_what_buffer(u32 pages)
{
	return LW_BUFFER | (u64)pages << 32;
}

static inline enum lw_class lw_what_class(lw_what_t what)
{
	return what & LW_WHAT_CLASS;
}

/** lw_what_drawn() - what was asked for, in sampled mode, at @rate */
static inline lw_what_t lw_what_drawn(lw_what_t what, u32 rate)
{
	return what | (lw_what_t)rate << LW_WHAT_RATE;
}

/** lw_what_rate() - Return: the rate at which it was drawn, 0 if it was not: all is taken */
static inline u32 lw_what_rate(lw_what_t what)
{
	return (what & LW_WHAT_RATES) >> LW_WHAT_RATE;
}

/** lw_what_exact() - Return: the same in exact mode */
static inline lw_what_t lw_what_exact(lw_what_t what)
{
	return what & ~LW_WHAT_RATES;
}

static inline bool lw_what_is_cache(lw_what_t what)
{
	return what & LW_WHAT_CACHE;
}

static inline u32 lw_what_order(lw_what_t what)
{
	return (u32)what >> 8;
}

static inline u32 lw_what_major(lw_what_t what)
{
	return what >> 32;
}

/** lw_what_is_large() - Return: whether it is a kmalloc that is larger than any cache has */
static inline bool lw_what_is_large(lw_what_t what)
{
	return lw_what_class(what) == LW_SLAB && !lw_what_is_cache(what) &&
	       lw_what_major(what) > KMALLOC_MAX_CACHE_SIZE;
}

/* Sites that exist from the start, all of class page and without frames. */
#define LW_SITE_NOBODY		0U	/* no site: what is given up has it */
#define LW_SITE_SLAB_PAGES	1U	/* pages that hold slab objects and large kmallocs */
#define LW_SITE_MIGRATION	2U	/* what compaction took without an event */

/* Counts of LW_COUNT_SITES sites on one CPU: what one per-CPU allocation can hold. */
#define LW_COUNT_SHIFT	9
#define LW_COUNT_SITES	(1U << LW_COUNT_SHIFT)

struct lw_count {
	unsigned long allocs;
	unsigned long frees;
};

struct lw_counts {
	struct lw_count site[LW_COUNT_SITES];
};

#define LW_SITE_GONE		3U	/* not a site: a slot of the hash that one has left */

#define LW_SITE_READY		1	/* all other fields are set */
#define LW_SITE_UNLOADED	2	/* its module is gone: frames are names (name.h) */

/**
 * struct lw_site - a site
 * @what: what is asked for
 * @call: the call site, which is the first frame of the path; 0 for a kind
 * @entry: an entry of it, without tag and age
 * @count: its counts
 * @pid_min: the lowest pid that asked in process context, and
 * @pid_span: how far the highest is above it; -1 and 0 if none did
 * @parent: number of the site of its call site, in exact mode; its own number if it is that
 * @frame: index of the first of its frames in the pool
 * @size: bytes of one object or page
 * @cache: the slab cache, by number; 0 if not known. Settled at the first event
 * @nr_frames: how many; 0 for a kind
 * @state: LW_SITE_* above; LW_SITE_READY set last, when the site may be read
 * @zoomed: its objects get paths, where others do not (zoom.h)
 * @era: lw_walk_era when the steps between its frames were known (walk.h); 0 if never
 * @tried: the lower half of lw_walk_era when they were last looked for
 *
 * A cache line: all that an event needs is in it.
 */
struct lw_site {
	lw_what_t what;
	unsigned long call;
	u64 entry;
	struct lw_count __percpu *count;
	struct {
		s32 pid_min;
		u32 pid_span;
	} __aligned(8);
	u32 parent;
	u32 frame;
	u32 size;
	u16 cache;
	u8 nr_frames;
	u8 state;
	u32 era;
	u8 zoomed;
	u16 tried;
} __aligned(64);

static_assert(sizeof(struct lw_site) == 64);

/**
 * struct lw_flaws - what went wrong with the events of a site; all 0 nearly always
 * @lost: objects or pages that were not stored: charged, but not live
 * @missed: frees of its objects or pages that were proven missed
 * @folded: there was no room for the path of some event, which was charged here
 * @cut: the stack of some event did not show the caller
 *
 * Apart from the site, as no event needs it. Written from any CPU and context.
 */
struct lw_flaws {
	atomic_t lost;
	atomic_t missed;
	u8 folded;
	u8 cut;
};

extern struct lw_site *lw_sites;
extern struct lw_flaws *lw_flaws;
extern struct lw_counts __percpu *lw_counts[LW_MAX_SITES / LW_COUNT_SITES];

/**
 * lw_sites_init() - take the memory of the table
 * @nr: how many sites, LW_SITES_MIN to LW_MAX_SITES
 *
 * Process context. Return: 0 or -ENOMEM.
 */
int lw_sites_init(unsigned int nr);

/** lw_sites_exit() - give the memory back; nobody is inside any more. Process context. */
void lw_sites_exit(void);

/** lw_sites_clear() - set all counts to 0, keep the sites; the hooks are detached */
void lw_sites_clear(void);

/** lw_sites_bytes() - Return: the memory that @nr sites take, with their frames and counts */
unsigned long lw_sites_bytes(unsigned int nr);

/** lw_sites_max() - Return: how many sites there can be */
unsigned int lw_sites_max(void);

/** lw_frames_max() - Return: how many frames all paths together can have */
unsigned int lw_frames_max(void);

/** lw_frames_used() - Return: how many they have */
unsigned int lw_frames_used(void);

/** lw_sites_end() - Return: one more than the highest number taken; not all below are live */
unsigned int lw_sites_end(void);

/**
 * lw_site_get() - the site that asks for @what by the path @frames, made if it is new
 * @what: what is asked for
 * @frames: return addresses, the call site first
 * @nr: how many, at most LW_DEPTH_MAX
 * @object: an object from there, to learn its cache when the site is new; NULL for pages
 *
 * Any context.
 *
 * Return: its number, that of its call site if paths are full, or LW_SITE_NOBODY if there is no
 * room at all.
 */
u32 lw_site_get(lw_what_t what, const unsigned long *frames, unsigned int nr, const void *object);

/** lw_site_learn() - an object of @site, made without one, from which its cache is learnt */
void lw_site_learn(u32 site, const void *object);

/** lw_site_live() - Return: whether @site may be read; pairs with the release in site.c */
static inline bool lw_site_live(const struct lw_site *site)
{
	/* pairs with the release in site.c, make() */
	return smp_load_acquire(&site->state) & LW_SITE_READY;
}

/** lw_site_retire() - @site will not be met again: its frames are no addresses any more (name.h) */
void lw_site_retire(u32 site);

/* The pool of frames. */
extern unsigned long *lw_site_pool;

/** lw_site_frames() - Return: the frames of @site; nr_frames of them */
static __always_inline unsigned long *lw_site_frames(const struct lw_site *site)
{
	return &lw_site_pool[site->frame];
}

/* Beside each frame: its step, by which a path is recognised on a stack (walk.h). */
extern u16 *lw_site_steps;

/** lw_site_steps_of() - Return: the steps of @site; nr_frames of them */
static __always_inline u16 *lw_site_steps_of(const struct lw_site *site)
{
	return &lw_site_steps[site->frame];
}

/* The hash of sites; read-only after lw_sites_init() but for the slots. */
struct lw_site_hash {
	u32 *slot;		/* 0, a site's number, or LW_SITE_GONE */
	unsigned int shift;	/* what a 64-bit hash is shifted by to name a slot */
};

extern struct lw_site_hash lw_site_hash;

/** lw_site_mix() - Return: @hash with one more @word in it; the upper bits are the good ones */
static __always_inline u64 lw_site_mix(u64 hash, u64 word)
{
	return (hash + word) * GOLDEN_RATIO_64;
}

/*
 * Which site was met last, by what was asked for and the call site: hints, and good ones, as
 * requests come in runs. Any site may be found there, or lw_sites itself, which is nobody.
 * The lower half of the product is as good as the upper one here, and takes a shorter constant.
 *
 * There are two tables of them. By its call site alone a site is recognised that has no more
 * frames; by the whole stack, one that was met where the call site was at that place on its stack,
 * or at one of the LW_MET_WAYS in the same line: paths to one call site take turns.
 */
#define LW_MET_BITS	13
#define LW_MET_WAYS	4

extern struct lw_site *lw_sites_met[1 << LW_MET_BITS];
extern struct lw_site *lw_paths_met[1 << LW_MET_BITS] __aligned(LW_MET_WAYS * sizeof(long));

static __always_inline u32 lw_met_slot(lw_what_t what, unsigned long where)
{
	return (what + where) * GOLDEN_RATIO_32 >> 32 & ((1 << LW_MET_BITS) - 1);
}

/** lw_site_met() - Return: the site met last from there, or any other, but a site: not NULL */
static __always_inline struct lw_site *lw_site_met(lw_what_t what, unsigned long call)
{
	return READ_ONCE(lw_sites_met[lw_met_slot(what, call)]);
}

/**
 * lw_site_met_path() - the same for a path
 * @what: what is asked for
 * @call: the call site
 * @place: where that is on its stack (lw_walk_place())
 * @way: 0 for the one met last, up to LW_MET_WAYS - 1 for those before
 */
static __always_inline struct lw_site *lw_site_met_path(lw_what_t what, unsigned long call,
							unsigned long place, unsigned int way)
{
	return READ_ONCE(lw_paths_met[lw_met_slot(what, call + place) ^ way]);
}

/**
 * lw_site_meet() - @site, which has no more than its call site, has been met
 * @site: the site
 *
 * Large kmallocs are looked for each time: their pages have to be seen to (door.h).
 */
void lw_site_meet(struct lw_site *site);

/** lw_site_meet_path() - @site has been met with its call site at @place, and by no way before */
void lw_site_meet_path(struct lw_site *site, unsigned long place);

/** lw_site_unmeet() - @site, if met by its call site, has to be looked for next time */
void lw_site_unmeet(const struct lw_site *site);

/**
 * lw_site_is_call() - is this the path of one frame that asks for that?
 * @site: what was met last
 * @what: what is asked for
 * @call: the call site
 *
 * Return: whether it is, as nearly always; if not, lw_site_get() has to look for it.
 */
static __always_inline bool lw_site_is_call(const struct lw_site *site, lw_what_t what,
					    unsigned long call)
{
	/* a site that is being retired may still be met for an instant, as if it came before */
	return likely(site->what == what) && likely(data_race(site->call) == call);
}

/** lw_site_is_kind() - the same for a kind: no site that asks for this has frames */
static __always_inline bool lw_site_is_kind(const struct lw_site *site, lw_what_t what)
{
	return likely(site->what == what);
}

/** lw_site_widen() - widen the pid range of @site by @pid. Any context. */
void lw_site_widen(struct lw_site *site, s32 pid);

/* The half of lw_site_saw() that is rarely needed. */
void lw_site_saw_other(struct lw_site *site);

/** lw_site_saw() - widen the pid range of @site by the current process. Any context. */
static __always_inline void lw_site_saw(struct lw_site *site)
{
	/* only hints: the range is widened by cmpxchg */
	u32 above = current->pid - data_race(site->pid_min);

	/* as above */
	if (unlikely(above > data_race(site->pid_span)))
		lw_site_saw_other(site);
}

/**
 * lw_site_saw_late() - lw_site_saw() at a function's return
 * @site: by whom, as its entry found
 *
 * Where a kretprobe's entry is an int3 that is an NMI, in which there is no process.
 */
static inline void lw_site_saw_late(u32 site)
{
	if (site > LW_SITE_GONE)
		lw_site_saw(&lw_sites[site]);
}

static __always_inline struct lw_count __percpu *lw_site_count(u32 site)
{
	return &lw_counts[site >> LW_COUNT_SHIFT]->site[site & (LW_COUNT_SITES - 1)];
}

/** lw_site_charge_one() - one more object was allocated by @site. Any context. */
static __always_inline void lw_site_charge_one(struct lw_site *site)
{
	lw_count_inc(site->count->allocs);
}

/** lw_site_uncharge_one() - one object of @site was freed. Any context. */
static __always_inline void lw_site_uncharge_one(u32 site)
{
	lw_count_inc(lw_sites[site].count->frees);
}

/** lw_site_charge() - @nr more objects or pages were allocated by @site. Any context. */
static __always_inline void lw_site_charge(u32 site, long nr)
{
	lw_count_add(lw_site_count(site)->allocs, nr);
}

/** lw_site_uncharge() - @nr of them were freed. Any context. */
static __always_inline void lw_site_uncharge(u32 site, long nr)
{
	lw_count_add(lw_site_count(site)->frees, nr);
}

/** lw_site_counts() - sum the counts of @site over all CPUs. Any context; not a snapshot. */
void lw_site_counts(u32 site, struct lw_count *sum);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * site: a place where memory is asked for: what is asked for (class, cache or size, or order and
 * gfp mask) and by which path.
 *
 * A site is interned at its first event, keeps its number until the module goes, and is never
 * removed. Its path is the return addresses from the call site outward. A path of one frame is the
 * call site itself; every longer path has that site as its parent, so that tables can group. A
 * site without frames is a kind of memory: all of it that is not told apart by caller.
 *
 * Counts are per CPU: what was allocated, and what was freed again, in objects or in base pages.
 * live = allocs - frees - lost.
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

#include <linux/percpu.h>
#include <linux/types.h>
#include <leakwatch/entry.h>

#define LW_SITES_MIN	64U
#define LW_DEPTH_MAX	32

/**
 * enum lw_class - whose memory it is
 * @LW_SLAB: objects of slab caches, and kmallocs of any size
 * @LW_PAGE: page frames
 * @LW_NR_CLASSES: how many there are
 */
enum lw_class {
	LW_SLAB,
	LW_PAGE,
	LW_NR_CLASSES
};

/**
 * typedef lw_what_t - what is asked for, as one comparable word
 *
 * Bits 0-3 the class, 4-7 unused, 8-15 the page order or the kmalloc type or LW_WHAT_CACHE,
 * 32-63 the gfp mask, the size in bytes, or the number of the cache (cache.h).
 */
typedef u64 lw_what_t;

#define LW_WHAT_CACHE	0xff

/** lw_what_kmalloc() - a kmalloc of @bytes from the caches of kmalloc type @type */
static inline lw_what_t lw_what_kmalloc(u32 bytes, u8 type)
{
	return LW_SLAB | (u64)type << 8 | (u64)bytes << 32;
}

/** lw_what_cache() - an object of cache number @cache */
static inline lw_what_t lw_what_cache(u32 cache)
{
	return LW_SLAB | (u64)LW_WHAT_CACHE << 8 | (u64)cache << 32;
}

/** lw_what_pages() - a block of 2^@order pages asked for with @gfp */
static inline lw_what_t lw_what_pages(u8 order, u32 gfp)
{
	return LW_PAGE | (u64)order << 8 | (u64)gfp << 32;
}

static inline enum lw_class lw_what_class(lw_what_t what)
{
	return what & 0xf;
}

static inline u8 lw_what_minor(lw_what_t what)
{
	return what >> 8;
}

static inline u32 lw_what_major(lw_what_t what)
{
	return what >> 32;
}

/* Sites that exist from the start, all of class page and without frames. */
#define LW_SITE_NOBODY		0U	/* no site: what is given up has it */
#define LW_SITE_SLAB_PAGES	1U	/* pages that hold slab objects and large kmallocs */
#define LW_SITE_MIGRATION	2U	/* what compaction took from the free lists without an event */

/**
 * struct lw_site - a site
 * @what: what is asked for
 * @hash: of @what and the path
 * @parent: number of the site of its call site; its own number if it is that
 * @frame: index of the first of its frames in the pool
 * @nr_frames: how many; 0 for a kind
 * @live: set last, when the site may be read
 * @unloaded: a module on its path has been unloaded; its frames are names now (name.h)
 * @cache: the slab cache, by number; 0 if not known. Settled at the first event
 * @size: bytes of one object or page
 * @pid_min: lowest and
 * @pid_max: highest pid that asked in process context; @pid_min > @pid_max if none did
 * @lost: objects or pages that were not stored; written rarely, from any CPU
 * @missed: frees of its objects or pages that were proven missed; likewise
 * @mark_allocs: what it had allocated,
 * @mark_frees: and freed, when the mark was set (mark.h)
 */
struct lw_site {
	lw_what_t what;
	u32 hash;
	u32 parent;
	u32 frame;
	u8 nr_frames;
	bool live;
	bool unloaded;
	u16 cache;
	u32 size;
	int pid_min;
	int pid_max;
	atomic_long_t lost;
	atomic_long_t missed;
	unsigned long mark_allocs;
	unsigned long mark_frees;
};

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

extern struct lw_site *lw_sites;
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

/** lw_sites_bytes() - Return: the memory that sites, frames and counts take */
unsigned long lw_sites_bytes(void);

/** lw_sites_max() - Return: how many sites there can be */
unsigned int lw_sites_max(void);

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

/** lw_site_frames() - Return: the frames of @site; nr_frames of them */
unsigned long *lw_site_frames(const struct lw_site *site);

/** lw_site_saw() - widen the pid range of @site by the current process. Any context. */
void lw_site_saw(u32 site);

static __always_inline struct lw_count __percpu *lw_site_count(u32 site)
{
	return &lw_counts[site >> LW_COUNT_SHIFT]->site[site & (LW_COUNT_SITES - 1)];
}

/** lw_site_charge() - @nr more objects or pages were allocated by @site. Any context. */
static __always_inline void lw_site_charge(u32 site, long nr)
{
	this_cpu_add(lw_site_count(site)->allocs, nr);
}

/** lw_site_uncharge() - @nr of them were freed. Any context. */
static __always_inline void lw_site_uncharge(u32 site, long nr)
{
	this_cpu_add(lw_site_count(site)->frees, nr);
}

/** lw_site_counts() - sum the counts of @site over all CPUs. Any context; not a snapshot. */
void lw_site_counts(u32 site, struct lw_count *sum);

#endif

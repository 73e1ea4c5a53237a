// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that walks every awkward path of the allocators, from everywhere at once.
 *
 * leakwatch's tests load it beside leakwatch. It leaks nothing: when it is done, all that it ever
 * allocated has been freed, so whatever leakwatch still shows for it is a phantom. A path is a way
 * to allocate and a way to free of which the kernel announces the one, the other, both or neither;
 * there is a function for each, storm_<path>(), and it is the one that allocates.
 *
 * Contexts: on each CPU some kthreads (task), a tasklet (soft) and a timer in hard interrupt
 * context (hard) walk paths drawn by lot, in each context those that are legal there. The timer
 * expires at times of its own, so its walks begin anywhere: in the midst of the allocators, of the
 * hooks of whoever watches, of the tasklet's walks, which it also sets off.
 *
 * Exchange: what a walk has allocated it puts in one of its path's slots, by xchg(), and frees what
 * was there. So what one context allocated, on one CPU, any other frees, on any. One in four is
 * freed at once, so that addresses are also reused while they are hot.
 *
 * Invariant: the name of the function that allocates is the name a stack shows. Hence each is
 * noinline, __noclone, and counts behind the call (which therefore is no jump).
 *
 * Invariant: a walk frees whatever it took from a slot, or what it allocated itself, and nothing
 * else; so when nobody walks any more, what is in the slots is all that is live, and a walk that
 * allocates nothing (see storm_drain()) frees it.
 *
 * Ending: a run is over when its pairs are done or when it is stopped. The kthreads end by
 * themselves; the first of a CPU takes the CPU's timer and tasklet with it; the last of all empties
 * the slots. A kthread whose CPU goes offline ends too, on another one; what comes online joins the
 * next run. So nothing here waits for a CPU, and no lock is held meanwhile: some walks take the
 * kernel's lock of CPU hotplug.
 *
 * Locks: storm_lock is for who starts and who collects. Counts are per CPU, everything else that
 * walks share is atomic.
 *
 * The truth is a line for each path and context that had something to do, then totals:
 *
 *	PATH CONTEXT PAIRS UNITS OF
 *	storm_kmalloc task 10230 10230 objects
 *	storm_kmalloc hard 871 871 objects
 *	storm_alloc_pages task 9000 33750 pages
 *	# failed 12
 *	# skipped 3
 *	# ms 5120
 *	# live 0
 *	# done 1
 *
 * A pair is what was allocated by one call, or as one of a bulk, and freed; it counts in the
 * context that freed it. Units are what storm_<path>() allocated in that context: objects (a large
 * kmalloc is one), base pages, or fragments of pages. Failed are allocations that found no memory,
 * or no range; skipped are walks that would have piled up more memory than there is. Live is what
 * is allocated and not freed, in units; kfree_rcu(), and vfree() in an interrupt, free at the call.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/skbuff.h>	/* page_frag_alloc(), wherever it is declared */
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#define STORM_PAIRS_MAX		100000000
#define STORM_THREADS_MAX	16
#define STORM_SLOTS		32	/* of a path */
#define STORM_BULK		16
#define STORM_SMALLEST		8
#define STORM_SIZES		11	/* powers of two from there: up to 8 KB */
#define STORM_LARGE		65536
#define STORM_OBJECT_SIZE	232
#define STORM_FAR		3968	/* how far a head is from its object, below 4096 */
#define STORM_REST_NS		30000	/* between two expiries of a timer, at least */
#define STORM_DRAIN_MS		12000	/* kfree_rcu() may batch for 5 s before a grace period */

/* The newest kernels' names; what Kbuild did not find and no macro stands for is left out */
#if defined(STORM_HAS_BULK_ARRAY) && !defined(alloc_pages_bulk)
#define alloc_pages_bulk alloc_pages_bulk_array
#endif
#ifndef ACR_FLAGS_NONE
#define ACR_FLAGS_NONE MIGRATE_MOVABLE
#endif

/* Parameters */

static int storm_pairs = 1000000;
module_param_named(pairs, storm_pairs, int, 0444);
MODULE_PARM_DESC(pairs, "pairs to do from the load on, over all paths, 0..100000000 (default 1000000)");

static char *storm_names = "all";
module_param_named(paths, storm_names, charp, 0444);
MODULE_PARM_DESC(paths, "which paths, without storm_, separated by commas (default all)");

static int storm_threads = 1;
module_param_named(threads, storm_threads, int, 0444);
MODULE_PARM_DESC(threads, "kthreads a CPU, 1..16 (default 1)");

/* Walks */

enum storm_context {
	STORM_TASK,
	STORM_SOFT,
	STORM_HARD,
	STORM_NR_CONTEXTS,
};

#define TASK	BIT(STORM_TASK)
#define SOFT	BIT(STORM_SOFT)
#define HARD	BIT(STORM_HARD)
#define ANY	(TASK | SOFT | HARD)

static const char * const storm_context_name[] = { "task", "soft", "hard" };

/**
 * struct storm_walk - who walks
 * @context: where
 * @gfp: how to ask for memory there
 * @random: state of the lots
 * @path: the path that is being walked, by number
 * @allocates: false for a walk that only frees
 * @slot: the slot that comes next, of such a walk
 * @frags: where page fragments come from, if this is a walk that allocates them
 */
struct storm_walk {
	enum storm_context context;
	gfp_t gfp;
	u32 random;
	unsigned int path;
	bool allocates;
	unsigned int slot;
	struct page_frag_cache *frags;
};

/**
 * struct storm_path - one way to allocate and to free
 * @name: storm_<path>
 * @of: what its units are
 * @walk: allocates once, or a bulk, and frees as much; returns how many pairs that were
 * @contexts: where it may be walked, a bit each
 * @weight: how many lots it has, 0 if it was not asked for
 */
struct storm_path {
	const char *name;
	const char *of;
	long (*walk)(struct storm_walk *walk);
	unsigned int contexts;
	unsigned int weight;
};

/**
 * struct storm_count - what was done, on one CPU, by one path in one context
 * @pairs: how many pairs
 * @allocs: units allocated
 * @frees: units freed
 */
struct storm_count {
	unsigned long pairs;
	unsigned long allocs;
	unsigned long frees;
};

#define STORM_PATHS_MAX	40

static DEFINE_PER_CPU(struct storm_count [STORM_PATHS_MAX][STORM_NR_CONTEXTS], storm_counts);
static void *storm_slots[STORM_PATHS_MAX][STORM_SLOTS];
static struct kmem_cache *storm_cache;
static atomic_long_t storm_failed;
static atomic_long_t storm_skipped;

static u32 storm_lot(struct storm_walk *w, u32 below)
{
	w->random = w->random * 1664525 + 1013904223;
	return (w->random >> 16) % below;
}

/* 8 to 8192 bytes, all powers of two alike, and what is between them */
static size_t storm_size(struct storm_walk *w)
{
	size_t size = STORM_SMALLEST << storm_lot(w, STORM_SIZES);

	return size - storm_lot(w, size / 4);
}

static __always_inline void storm_add(struct storm_walk *w, long allocs, long frees)
{
	this_cpu_add(storm_counts[w->path][w->context].allocs, allocs);
	this_cpu_add(storm_counts[w->path][w->context].frees, frees);
}

/* Count what an allocation gave. The walks that allocate nothing have not failed. */
static __always_inline void *storm_got(struct storm_walk *w, long units, void *memory)
{
	if (memory)
		storm_add(w, units, 0);
	else if (w->allocates)
		atomic_long_inc(&storm_failed);
	return memory;
}

/* Count what was freed, if anything. Return: the pairs. */
static __always_inline long storm_gave(struct storm_walk *w, long units, const void *memory)
{
	if (!memory)
		return 0;
	storm_add(w, 0, units);
	return 1;
}

/* The same of @nr objects, in bulk: 5.10 clears the pointers that it is given. */
static __always_inline long storm_gave_bulk(struct storm_walk *w, int nr)
{
	storm_add(w, 0, nr);
	return nr;
}

/* Put @memory in a slot. Return: what was there, to be freed by the caller. */
static void *storm_swap(struct storm_walk *w, void *memory)
{
	unsigned int slot;

	if (memory && !storm_lot(w, 4))
		return memory;
	slot = w->allocates ? storm_lot(w, STORM_SLOTS) : w->slot++ % STORM_SLOTS;
	return xchg(&storm_slots[w->path][slot], memory);
}

/* Tasks may free in bulk, and so may soft interrupts; in hard ones that needs another way. */
static bool storm_in_bulk(const struct storm_walk *w)
{
	return w->context != STORM_HARD;
}

/*
 * What waits for a grace period is not to be had back by those who need memory, and may wait for
 * seconds: so stop adding to it in time.
 */
static bool storm_is_short(void)
{
	if (global_zone_page_state(NR_FREE_PAGES) > totalram_pages() / 4)
		return false;
	atomic_long_inc(&storm_skipped);
	return true;
}

/* Objects */

static noinline __noclone long storm_kmalloc(struct storm_walk *w)
{
	void *object = NULL;

	if (w->allocates)
		object = kmalloc(storm_size(w), w->gfp);
	storm_got(w, 1, object);
	object = storm_swap(w, object);
	kfree(object);
	return storm_gave(w, 1, object);
}

static noinline __noclone long storm_kmalloc_const(struct storm_walk *w)
{
	void *object = NULL;

	if (w->allocates)
		object = kmalloc(96, w->gfp | __GFP_ZERO);
	storm_got(w, 1, object);
	object = storm_swap(w, object);
	kfree_sensitive(object);
	return storm_gave(w, 1, object);
}

/* A block of pages behind it; a size that the compiler knows, and one that it does not */
static noinline __noclone long storm_large_const(struct storm_walk *w)
{
	void *object = NULL;

	if (w->allocates)
		object = kmalloc(STORM_LARGE, w->gfp);
	storm_got(w, 1, object);
	object = storm_swap(w, object);
	kfree(object);
	return storm_gave(w, 1, object);
}

static noinline __noclone long storm_large(struct storm_walk *w)
{
	void *object = NULL;

	if (w->allocates)
		object = kmalloc(STORM_LARGE >> storm_lot(w, 3), w->gfp);
	storm_got(w, 1, object);
	object = storm_swap(w, object);
	kfree(object);
	return storm_gave(w, 1, object);
}

static noinline __noclone long storm_cache_alloc(struct storm_walk *w)
{
	void *object = NULL;

	if (w->allocates)
		object = kmem_cache_alloc(storm_cache, w->gfp);
	storm_got(w, 1, object);
	object = storm_swap(w, object);
	if (object)
		kmem_cache_free(storm_cache, object);
	return storm_gave(w, 1, object);
}

/* Grows or shrinks; in place there is no event, else an allocation and a free */
static noinline __noclone long storm_krealloc(struct storm_walk *w)
{
	void *object = NULL, *other;
	int i;

	if (w->allocates)
		object = kmalloc(storm_size(w), w->gfp);
	storm_got(w, 1, object);
	for (i = 0; object && i < 3; i++) {
		other = krealloc(object, 2 * storm_size(w), w->gfp);
		if (other && other != object) {
			storm_got(w, 1, other);
			storm_gave(w, 1, object);
		}
		object = other ?: object;
	}
	object = storm_swap(w, object);
	/* another way to say kfree() */
	if (object && krealloc(object, 0, w->gfp) != ZERO_SIZE_PTR)
		WARN_ON_ONCE(1);
	return storm_gave(w, 1, object);
}

/* There is nothing, and it is freed */
static noinline __noclone long storm_nothing(struct storm_walk *w)
{
	void *object = kmalloc(0, w->gfp), *other = krealloc(NULL, 0, w->gfp);
	size_t size = 0;

	OPTIMIZER_HIDE_VAR(size);
	kfree(object);
	kfree(other);
	kfree(kmalloc(size, w->gfp));
	kfree(NULL);
	kfree_sensitive(NULL);
	vfree(NULL);
	free_pages(0, 0);
	return 1;
}

/* Objects that are freed by RCU */

/**
 * struct storm_first - an object with its head at its beginning
 * @rcu: for kfree_rcu()
 */
struct storm_first {
	struct rcu_head rcu;
};

/**
 * struct storm_second - an object with its head near its beginning
 * @word: before it
 * @rcu: for kfree_rcu()
 */
struct storm_second {
	unsigned long word;
	struct rcu_head rcu;
};

/**
 * struct storm_far - an object with its head nearly as far from its beginning as it may be
 * @data: before it
 * @rcu: for kfree_rcu()
 */
struct storm_far {
	u8 data[STORM_FAR];
	struct rcu_head rcu;
};

static noinline __noclone long storm_kfree_rcu_first(struct storm_walk *w)
{
	struct storm_first *object = NULL;

	if (w->allocates && storm_is_short())
		return 0;
	if (w->allocates)
		object = kmalloc(sizeof(*object) + storm_lot(w, 512), w->gfp);
	storm_got(w, 1, object);
	object = storm_swap(w, object);
	kfree_rcu(object, rcu);
	return storm_gave(w, 1, object);
}

static noinline __noclone long storm_kfree_rcu(struct storm_walk *w)
{
	struct storm_second *object = NULL;

	if (w->allocates && storm_is_short())
		return 0;
	if (w->allocates)
		object = kmalloc(sizeof(*object) + storm_lot(w, 512), w->gfp);
	storm_got(w, 1, object);
	object = storm_swap(w, object);
	kfree_rcu(object, rcu);
	return storm_gave(w, 1, object);
}

static noinline __noclone long storm_kfree_rcu_far(struct storm_walk *w)
{
	struct storm_far *object = NULL;

	if (w->allocates && storm_is_short())
		return 0;
	/* from kmalloc-4k and from a large one */
	if (w->allocates)
		object = kmalloc(sizeof(*object) * (storm_lot(w, 16) ? 1 : 4), w->gfp);
	storm_got(w, 1, object);
	object = storm_swap(w, object);
	kfree_rcu(object, rcu);
	return storm_gave(w, 1, object);
}

#ifdef kfree_rcu_mightsleep
/* Without a head in the object: only tasks may free it so */
static noinline __noclone long storm_kfree_rcu_mightsleep(struct storm_walk *w)
{
	void *object = NULL;

	if (w->allocates && storm_is_short())
		return 0;
	if (w->allocates)
		object = kmalloc(1 + storm_size(w) / 8, w->gfp);
	storm_got(w, 1, object);
	object = storm_swap(w, object);
	if (w->context == STORM_TASK)
		kfree_rcu_mightsleep(object);
	else
		kfree(object);
	return storm_gave(w, 1, object);
}
#endif

/**
 * struct storm_object - what the cache holds
 * @word: keeps @rcu from offset 0
 * @rcu: for kfree_rcu()
 * @data: makes it an odd size that no other cache has
 */
struct storm_object {
	unsigned long word;
	struct rcu_head rcu;
	u8 data[STORM_OBJECT_SIZE - sizeof(unsigned long) - sizeof(struct rcu_head)];
};

static_assert(sizeof(struct storm_object) == STORM_OBJECT_SIZE);

static noinline __noclone long storm_cache_rcu(struct storm_walk *w)
{
	struct storm_object *object = NULL;

	if (w->allocates && storm_is_short())
		return 0;
	if (w->allocates)
		object = kmem_cache_alloc(storm_cache, w->gfp);
	storm_got(w, 1, object);
	object = storm_swap(w, object);
	kfree_rcu(object, rcu);
	return storm_gave(w, 1, object);
}

/* Objects in bulk */

static noinline __noclone long storm_kfree_bulk(struct storm_walk *w)
{
	void *objects[STORM_BULK];
	int i, nr = 0;

	for (i = storm_lot(w, STORM_BULK); i < STORM_BULK; i++) {
		void *object = NULL;

		if (w->allocates)
			object = kmalloc(storm_size(w) * (storm_lot(w, 64) ? 1 : 2), w->gfp);
		storm_got(w, 1, object);
		object = storm_swap(w, object);
		if (object)
			objects[nr++] = object;
	}
	if (nr && storm_in_bulk(w))
		kfree_bulk(nr, objects);
	for (i = 0; i < nr && !storm_in_bulk(w); i++)
		kfree(objects[i]);
	return storm_gave_bulk(w, nr);
}

static noinline __noclone long storm_cache_free_bulk(struct storm_walk *w)
{
	void *objects[STORM_BULK];
	int i, nr = 0;

	for (i = storm_lot(w, STORM_BULK); i < STORM_BULK; i++) {
		void *object = NULL;

		if (w->allocates)
			object = kmem_cache_alloc(storm_cache, w->gfp);
		storm_got(w, 1, object);
		object = storm_swap(w, object);
		if (object)
			objects[nr++] = object;
	}
	if (nr && storm_in_bulk(w))
		kmem_cache_free_bulk(storm_cache, nr, objects);
	for (i = 0; i < nr && !storm_in_bulk(w); i++)
		kmem_cache_free(storm_cache, objects[i]);
	return storm_gave_bulk(w, nr);
}

/* Fill @objects by one call. Return: how many. Not where interrupts are off. */
static __always_inline int storm_bulk(struct storm_walk *w, void **objects)
{
	int nr = 1 + storm_lot(w, STORM_BULK);

	if (!w->allocates || !storm_in_bulk(w))
		return 0;
	if (!kmem_cache_alloc_bulk(storm_cache, w->gfp, nr, objects)) {
		atomic_long_inc(&storm_failed);
		return 0;
	}
	storm_add(w, nr, 0);
	return nr;
}

/* Comes in bulk, goes one by one */
static noinline __noclone long storm_cache_alloc_bulk(struct storm_walk *w)
{
	long pairs = 0;
	void *objects[STORM_BULK];
	int i, nr = storm_bulk(w, objects);

	for (i = 0; i < max(nr, 1); i++) {
		void *object = storm_swap(w, nr ? objects[i] : NULL);

		if (object)
			kmem_cache_free(storm_cache, object);
		pairs += storm_gave(w, 1, object);
	}
	return pairs;
}

/* Comes in bulk, goes in bulk, but not the same */
static noinline __noclone long storm_cache_bulk_bulk(struct storm_walk *w)
{
	void *objects[STORM_BULK];
	int i, nr = storm_bulk(w, objects), nr_out = 0;

	for (i = 0; i < max(nr, 1); i++) {
		void *object = storm_swap(w, nr ? objects[i] : NULL);

		if (object)
			objects[nr_out++] = object;
	}
	if (nr_out && storm_in_bulk(w))
		kmem_cache_free_bulk(storm_cache, nr_out, objects);
	for (i = 0; i < nr_out && !storm_in_bulk(w); i++)
		kmem_cache_free(storm_cache, objects[i]);
	return storm_gave_bulk(w, nr_out);
}

/* Comes in bulk, goes by RCU */
static noinline __noclone long storm_cache_bulk_rcu(struct storm_walk *w)
{
	long pairs = 0;
	void *objects[STORM_BULK];
	int i, nr;

	if (w->allocates && storm_is_short())
		return 0;
	nr = storm_bulk(w, objects);
	for (i = 0; i < max(nr, 1); i++) {
		struct storm_object *object = storm_swap(w, nr ? objects[i] : NULL);

		kfree_rcu(object, rcu);
		pairs += storm_gave(w, 1, object);
	}
	return pairs;
}

#ifdef kmalloc_nolock
/* May be freed in all ways */
static noinline __noclone long storm_kmalloc_nolock(struct storm_walk *w)
{
	void *object = NULL;

	if (w->allocates)
		object = kmalloc_nolock(storm_size(w), 0, NUMA_NO_NODE);
	storm_got(w, 1, object);
	object = storm_swap(w, object);
	if (storm_lot(w, 4))
		kfree_nolock(object);
	else
		kfree(object);
	return storm_gave(w, 1, object);
}

static noinline __noclone long storm_alloc_pages_nolock(struct storm_walk *w)
{
	struct page *page = NULL;

	if (w->allocates)
		page = alloc_pages_nolock(0, NUMA_NO_NODE, 0);
	storm_got(w, 1, page);
	page = storm_swap(w, page);
	if (page)
		__free_page(page);
	return storm_gave(w, 1, page);
}
#endif

#ifdef kfree_rcu_nolock
/**
 * struct storm_nolock - an object that kfree_rcu_nolock() takes
 * @word: keeps @rcu from offset 0
 * @rcu: for it
 */
struct storm_nolock {
	unsigned long word;
	struct kvfree_rcu_head rcu;
};

static noinline __noclone long storm_kfree_rcu_nolock(struct storm_walk *w)
{
	struct storm_nolock *object = NULL;

	if (w->allocates && storm_is_short())
		return 0;
	if (w->allocates)
		object = kmalloc_nolock(sizeof(*object) + storm_lot(w, 512), 0, NUMA_NO_NODE);
	storm_got(w, 1, object);
	object = storm_swap(w, object);
	kfree_rcu_nolock(object, rcu);
	return storm_gave(w, 1, object);
}
#endif

/* A cache with a constructor is never merged with another one. */
static void storm_construct(void *object)
{
}

/* A cache that comes and goes, with objects that do */
static noinline __noclone long storm_cache_churn(struct storm_walk *w)
{
	static atomic_t nr_caches;
	struct kmem_cache *cache;
	void *objects[STORM_BULK];
	char name[32];
	int i, nr = 0;

	if (!w->allocates)
		return 0;
	snprintf(name, sizeof(name), "storm-%u", atomic_inc_return(&nr_caches));
	/* not merged: a merged one would leave its name in sysfs, for good */
	cache = kmem_cache_create(name, 40 + 8 * storm_lot(w, 64), 0, 0, storm_construct);
	if (!cache) {
		atomic_long_inc(&storm_failed);
		return 0;
	}
	while (nr < STORM_BULK) {
		objects[nr] = kmem_cache_alloc(cache, w->gfp);
		if (!storm_got(w, 1, objects[nr]))
			break;
		nr++;
	}
	for (i = 0; i < nr / 2; i++)
		kmem_cache_free(cache, objects[i]);
	if (i < nr)
		kmem_cache_free_bulk(cache, nr - i, objects + i);
	storm_add(w, 0, nr);
	kmem_cache_destroy(cache);
	return nr;
}

/* Pages */

/* A block is its address with its order in the low bits. */
static struct page *storm_block(const void *block)
{
	return virt_to_page((void *)((unsigned long)block & PAGE_MASK));
}

static unsigned int storm_order(const void *block)
{
	return (unsigned long)block & ~PAGE_MASK;
}

static void *storm_as_block(struct page *page, unsigned int order)
{
	return page ? page_address(page) + order : NULL;
}

static noinline __noclone long storm_alloc_pages(struct storm_walk *w)
{
	unsigned int order = storm_lot(w, 4);
	struct page *page = NULL;
	void *block;

	if (w->allocates)
		page = alloc_pages(w->gfp | (storm_lot(w, 2) ? __GFP_COMP : 0), order);
	storm_got(w, 1L << order, page);
	block = storm_swap(w, storm_as_block(page, order));
	if (!block)
		return 0;
	order = storm_order(block);
	__free_pages(storm_block(block), order);
	return storm_gave(w, 1L << order, block);
}

/* Comes as one block, goes page by page */
static noinline __noclone long storm_split_page(struct storm_walk *w)
{
	unsigned int order = 1 + storm_lot(w, 3);
	struct page *page = NULL;
	void *block;
	int i;

	if (w->allocates)
		page = alloc_pages(w->gfp, order);
	storm_got(w, 1L << order, page);
	if (page)
		split_page(page, order);
	block = storm_swap(w, storm_as_block(page, order));
	if (!block)
		return 0;
	order = storm_order(block);
	for (i = 0; i < 1 << order; i++)
		__free_page(storm_block(block) + i);
	return storm_gave(w, 1L << order, block);
}

/* 5 pages: 8 come, 3 go back at once */
static noinline __noclone long storm_pages_exact(struct storm_walk *w)
{
	void *pages = NULL;

	if (w->allocates)
		pages = alloc_pages_exact(5 * PAGE_SIZE, w->gfp);
	if (storm_got(w, 8, pages))
		storm_gave(w, 3, pages);
	pages = storm_swap(w, pages);
	if (pages)
		free_pages_exact(pages, 5 * PAGE_SIZE);
	return storm_gave(w, 5, pages);
}

/* Somebody else holds the first page: the rest goes in blocks of 4, 2 and 1, the first later */
static noinline __noclone long storm_extra_ref(struct storm_walk *w)
{
	struct page *page = NULL;

	if (w->allocates)
		page = alloc_pages(w->gfp, 3);
	if (storm_got(w, 8, page)) {
		get_page(page);
		__free_pages(page, 3);
		storm_gave(w, 7, page);
	}
	page = storm_swap(w, page);
	if (page)
		put_page(page);
	return storm_gave(w, 1, page);
}

#ifdef alloc_pages_bulk
/* One place of the array may be taken already; pages beyond the first come without an event */
static noinline __noclone long storm_pages_bulk(struct storm_walk *w)
{
	unsigned int i, nr = STORM_BULK - storm_lot(w, STORM_BULK - 1), nr_out = 0;
	struct page *pages[STORM_BULK] = { }, *taken = NULL;
	long pairs = 0;

	if (w->allocates) {
		taken = storm_swap(w, NULL);
		pages[storm_lot(w, nr)] = taken;
		if (alloc_pages_bulk(w->gfp, nr, pages) < nr)
			atomic_long_inc(&storm_failed);
	}
	for (i = 0; i < nr; i++) {
		struct page *page = pages[i];

		if (page && page != taken)
			storm_add(w, 1, 0);
		if (page || !w->allocates)
			page = storm_swap(w, page);
		if (page)
			pages[nr_out++] = page;
	}
	/* in a batch, or each for itself */
	if (nr_out && w->context == STORM_TASK && storm_lot(w, 2))
		release_pages(pages, nr_out);
	else
		for (i = 0; i < nr_out; i++)
			__free_page(pages[i]);
	for (i = 0; i < nr_out; i++)
		pairs += storm_gave(w, 1, pages[i]);
	return pairs;
}
#endif

/* An area is its address with its number of pages in the low bits. */
static void *storm_area(const void *area)
{
	return (void *)((unsigned long)area & PAGE_MASK);
}

/* Comes from tasks alone, goes anywhere: in interrupts later, by a work */
static noinline __noclone long storm_vmalloc(struct storm_walk *w)
{
	unsigned int nr = 1 + storm_lot(w, 8);
	void *area = NULL;

	if (w->context == STORM_TASK) {
		if (w->allocates)
			area = __vmalloc(nr * PAGE_SIZE, w->gfp);
		storm_got(w, nr, area);
	}
	area = storm_swap(w, area ? area + nr : NULL);
	if (!area)
		return 0;
	nr = storm_order(area);
	vfree(storm_area(area));
	return storm_gave(w, nr, area);
}

/* An address of vmalloc in kvfree_rcu() */
static noinline __noclone long storm_kvfree_rcu(struct storm_walk *w)
{
	unsigned int nr = 1 + storm_lot(w, 4);
	struct storm_second *object;
	void *area = NULL;

	if (w->allocates && storm_is_short())
		return 0;
	if (w->context == STORM_TASK) {
		if (w->allocates)
			area = __vmalloc(nr * PAGE_SIZE, w->gfp);
		storm_got(w, nr, area);
	}
	area = storm_swap(w, area ? area + nr : NULL);
	if (!area)
		return 0;
	nr = storm_order(area);
	object = storm_area(area);
	kvfree_rcu(object, rcu);
	return storm_gave(w, nr, area);
}

/* Fragments come from soft interrupts alone, go anywhere; units are fragments, not pages */
static noinline __noclone long storm_page_frag(struct storm_walk *w)
{
	void *fragment = NULL;

	if (w->frags) {
		fragment = page_frag_alloc(w->frags, 64 + storm_lot(w, 4000), w->gfp);
		storm_got(w, 1, fragment);
	}
	fragment = storm_swap(w, fragment);
	if (fragment)
		page_frag_free(fragment);
	return storm_gave(w, 1, fragment);
}

#ifdef STORM_HAS_CONTIG_RANGE
/*
 * Claims page frames that were free a moment ago. Somebody else may have taken them, and mostly
 * has: that counts as failed.
 */
static noinline __noclone long storm_contig_range(struct storm_walk *w)
{
	struct page *page = NULL;
	unsigned long pfn;
	void *range;

	if (w->allocates)
		page = alloc_pages(GFP_HIGHUSER_MOVABLE | __GFP_NORETRY | __GFP_NOWARN,
				   pageblock_order);
	if (page) {
		pfn = page_to_pfn(page);
		__free_pages(page, pageblock_order);
		if (alloc_contig_range(pfn, pfn + STORM_BULK, ACR_FLAGS_NONE,
				       GFP_KERNEL | __GFP_NOWARN))
			page = NULL;
	}
	storm_got(w, STORM_BULK, page);
	range = storm_swap(w, storm_as_block(page, 0));
	if (range)
		free_contig_range(page_to_pfn(storm_block(range)), STORM_BULK);
	return storm_gave(w, STORM_BULK, range);
}
#endif

#ifdef STORM_HAS_CONTIG_PAGES
static noinline __noclone long storm_contig_pages(struct storm_walk *w)
{
	struct page *page = NULL;
	void *range;

	if (w->allocates)
		page = alloc_contig_pages(STORM_BULK, GFP_KERNEL | __GFP_NOWARN, numa_mem_id(),
					  NULL);
	storm_got(w, STORM_BULK, page);
	range = storm_swap(w, storm_as_block(page, 0));
	if (range)
		free_contig_range(page_to_pfn(storm_block(range)), STORM_BULK);
	return storm_gave(w, STORM_BULK, range);
}
#endif

#define PATH(fn, units, where, lots)						\
	{ .name = #fn, .of = (units), .walk = fn, .contexts = (where), .weight = (lots) }

static struct storm_path storm_paths[] = {
	PATH(storm_kmalloc, "objects", ANY, 400),
	PATH(storm_kmalloc_const, "objects", ANY, 200),
	PATH(storm_large, "objects", ANY, 100),
	PATH(storm_large_const, "objects", ANY, 100),
	PATH(storm_cache_alloc, "objects", ANY, 200),
	PATH(storm_krealloc, "objects", ANY, 200),
	PATH(storm_nothing, "objects", ANY, 50),
	PATH(storm_kfree_rcu_first, "objects", ANY, 200),
	PATH(storm_kfree_rcu, "objects", ANY, 200),
	PATH(storm_kfree_rcu_far, "objects", ANY, 50),
#ifdef kfree_rcu_mightsleep
	PATH(storm_kfree_rcu_mightsleep, "objects", ANY, 200),
#endif
	PATH(storm_cache_rcu, "objects", ANY, 200),
	PATH(storm_kfree_bulk, "objects", ANY, 100),
	PATH(storm_cache_free_bulk, "objects", ANY, 100),
	PATH(storm_cache_alloc_bulk, "objects", ANY, 100),
	PATH(storm_cache_bulk_bulk, "objects", ANY, 100),
	PATH(storm_cache_bulk_rcu, "objects", ANY, 100),
#ifdef kmalloc_nolock
	PATH(storm_kmalloc_nolock, "objects", ANY, 300),
	PATH(storm_alloc_pages_nolock, "pages", ANY, 100),
#endif
#ifdef kfree_rcu_nolock
	PATH(storm_kfree_rcu_nolock, "objects", ANY, 200),
#endif
	PATH(storm_cache_churn, "objects", TASK, 2),
	PATH(storm_alloc_pages, "pages", ANY, 200),
	PATH(storm_split_page, "pages", ANY, 100),
	PATH(storm_pages_exact, "pages", ANY, 100),
	PATH(storm_extra_ref, "pages", ANY, 100),
#ifdef alloc_pages_bulk
	PATH(storm_pages_bulk, "pages", ANY, 100),
#endif
	PATH(storm_vmalloc, "pages", ANY, 100),
	PATH(storm_kvfree_rcu, "pages", ANY, 50),
	PATH(storm_page_frag, "fragments", ANY, 100),
#ifdef STORM_HAS_CONTIG_RANGE
	PATH(storm_contig_range, "pages", TASK, 1),
#endif
#ifdef STORM_HAS_CONTIG_PAGES
	PATH(storm_contig_pages, "pages", TASK, 1),
#endif
};

static_assert(ARRAY_SIZE(storm_paths) <= STORM_PATHS_MAX);

/* Driving */

/**
 * struct storm_cpu - who walks on one CPU, beside the kthreads
 * @nr: its number
 * @timer: walks in hard interrupt context, and sets off @tasklet
 * @tasklet: walks in soft interrupt context
 * @hard: of the timer
 * @soft: of the tasklet
 * @frags: of the tasklet's walks
 */
struct storm_cpu {
	unsigned int nr;
	struct hrtimer timer;
	struct tasklet_struct tasklet;
	struct storm_walk hard;
	struct storm_walk soft;
	struct page_frag_cache frags;
};

/**
 * struct storm_thread - a kthread
 * @task: itself; a reference is held until it is collected
 * @cpu: the CPU that it is bound to
 * @first: it has the CPU's timer and tasklet
 * @walk: its walks
 */
struct storm_thread {
	struct task_struct *task;
	struct storm_cpu *cpu;
	bool first;
	struct storm_walk walk;
};

static DEFINE_PER_CPU(struct storm_cpu, storm_cpus);
static unsigned int storm_lots[STORM_NR_CONTEXTS];	/* of all paths of a context */
static atomic_long_t storm_left;	/* pairs to do */
static bool storm_stopping;
static atomic_t storm_nr_running;	/* kthreads that have not ended */
static DECLARE_COMPLETION(storm_over);	/* nobody walks, all is freed */
static ktime_t storm_began;
static s64 storm_ms;			/* how long the last run took */
static DEFINE_MUTEX(storm_lock);
static struct storm_thread *storm_crew;	/* under storm_lock, with the next one */
static unsigned int storm_nr_crew;
static struct dentry *storm_dir;

static bool storm_goes_on(void)
{
	return !READ_ONCE(storm_stopping) && atomic_long_read(&storm_left) > 0;
}

static void storm_walk_path(struct storm_walk *w, unsigned int path)
{
	long pairs;

	w->path = path;
	pairs = storm_paths[path].walk(w);
	this_cpu_add(storm_counts[path][w->context].pairs, pairs);
	atomic_long_sub(pairs, &storm_left);
}

static void storm_step(struct storm_walk *w)
{
	unsigned int path, lot;

	if (!storm_lots[w->context])
		return;
	lot = storm_lot(w, storm_lots[w->context]);
	for (path = 0; path < ARRAY_SIZE(storm_paths); path++) {
		if (!(storm_paths[path].contexts & BIT(w->context)))
			continue;
		if (lot < storm_paths[path].weight)
			break;
		lot -= storm_paths[path].weight;
	}
	storm_walk_path(w, path);
}

static void storm_tasklet(struct tasklet_struct *tasklet)
{
	struct storm_cpu *cpu = from_tasklet(cpu, tasklet, tasklet);
	int i;

	for (i = storm_lot(&cpu->soft, 4); i >= 0 && storm_goes_on(); i--)
		storm_step(&cpu->soft);
}

static enum hrtimer_restart storm_timer(struct hrtimer *timer)
{
	struct storm_cpu *cpu = container_of(timer, struct storm_cpu, timer);
	u64 rest = STORM_REST_NS + 2 * storm_lot(&cpu->hard, STORM_REST_NS);

	if (!storm_goes_on() || !cpu_active(cpu->nr))
		return HRTIMER_NORESTART;
	storm_step(&cpu->hard);
	if (storm_lot(&cpu->hard, 2))
		tasklet_schedule(&cpu->tasklet);
	/* from now, however long that took: tasks come to their turn */
	hrtimer_forward_now(timer, ns_to_ktime(rest));
	return HRTIMER_RESTART;
}

static struct storm_walk storm_walk_in(enum storm_context context)
{
	return (struct storm_walk) {
		.context = context,
		.gfp = context == STORM_TASK ? GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN :
		       GFP_NOWAIT | __GFP_NOWARN,
		.random = get_random_u32(),
		.allocates = true,
	};
}

/* By the kthread that has them: a pinned timer is started where it is to stay. */
static void storm_interrupts_on(struct storm_cpu *cpu)
{
	cpu->hard = storm_walk_in(STORM_HARD);
	cpu->soft = storm_walk_in(STORM_SOFT);
	cpu->soft.frags = &cpu->frags;
	tasklet_setup(&cpu->tasklet, storm_tasklet);
#ifdef STORM_HAS_HRTIMER_SETUP
	hrtimer_setup(&cpu->timer, storm_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
#else
	hrtimer_init(&cpu->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	cpu->timer.function = storm_timer;
#endif
	hrtimer_start(&cpu->timer, ns_to_ktime(STORM_REST_NS), HRTIMER_MODE_REL_PINNED_HARD);
}

/* The timer first: it schedules the tasklet. */
static void storm_interrupts_off(struct storm_cpu *cpu)
{
	hrtimer_cancel(&cpu->timer);
	tasklet_kill(&cpu->tasklet);
#ifdef STORM_HAS_FRAG_DRAIN
	page_frag_cache_drain(&cpu->frags);
#else
	if (cpu->frags.va)
		__page_frag_cache_drain(virt_to_head_page(cpu->frags.va), cpu->frags.pagecnt_bias);
	cpu->frags.va = NULL;
#endif
}

/* Empty the slots: nobody else walks. */
static void storm_drain(void)
{
	struct storm_walk w = storm_walk_in(STORM_TASK);
	unsigned int path;

	w.allocates = false;
	for (path = 0; path < ARRAY_SIZE(storm_paths); path++) {
		if (!storm_paths[path].weight || storm_paths[path].walk == storm_nothing)
			continue;
		for (w.slot = 0; w.slot < STORM_SLOTS;) {
			unsigned int slot = w.slot;

			storm_walk_path(&w, path);
			if (w.slot == slot)	/* it has no use for slots */
				break;
			cond_resched();
		}
	}
}

/*
 * From 6.12 on a cache is destroyed only when all is free that went through kfree_rcu(). Without
 * it, what went there while storm_cache_churn() destroyed a cache may wait until somebody on that
 * CPU comes with more.
 */
static void storm_flush(void)
{
	kmem_cache_destroy(kmem_cache_create("storm_flush", STORM_OBJECT_SIZE, 0, 0,
					     storm_construct));
}

static int storm_thread(void *arg)
{
	struct storm_thread *thread = arg;

	if (thread->first)
		storm_interrupts_on(thread->cpu);
	while (storm_goes_on() && cpu_active(thread->cpu->nr)) {
		storm_step(&thread->walk);
		/* a thread that is never idle: who patches code waits for it */
		cond_resched_tasks_rcu_qs();
	}
	if (thread->first)
		storm_interrupts_off(thread->cpu);
	if (atomic_dec_and_test(&storm_nr_running)) {
		storm_ms = ktime_ms_delta(ktime_get(), storm_began);
		storm_drain();
		storm_flush();
		complete_all(&storm_over);
	}
	return 0;
}

/* Let go of the kthreads of the last run, which is over. */
static void storm_collect(void)
{
	unsigned int i;

	for (i = 0; i < storm_nr_crew; i++) {
		kthread_stop(storm_crew[i].task);
		put_task_struct(storm_crew[i].task);
	}
	kfree(storm_crew);
	storm_crew = NULL;
	storm_nr_crew = 0;
}

static int storm_recruit(struct storm_thread *thread, unsigned int cpu, bool first)
{
	struct task_struct *task;

	thread->cpu = per_cpu_ptr(&storm_cpus, cpu);
	thread->cpu->nr = cpu;
	thread->first = first;
	thread->walk = storm_walk_in(STORM_TASK);
	task = kthread_create(storm_thread, thread, "storm/%u", cpu);
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, cpu);
	get_task_struct(task);
	thread->task = task;
	return 0;
}

/* Under storm_lock. */
static int storm_start(long pairs)
{
	unsigned int cpu, i;
	int err = 0;

	if (!completion_done(&storm_over))
		return -EBUSY;
	storm_collect();
	storm_crew = kcalloc(nr_cpu_ids * storm_threads, sizeof(*storm_crew), GFP_KERNEL);
	if (!storm_crew)
		return -ENOMEM;
	cpus_read_lock();
	for_each_online_cpu(cpu) {
		for (i = 0; i < storm_threads && !err; i++) {
			err = storm_recruit(&storm_crew[storm_nr_crew], cpu, !i);
			storm_nr_crew += !err;
		}
	}
	cpus_read_unlock();
	if (err) {
		storm_collect();	/* none of them has run */
		return err;
	}
	WRITE_ONCE(storm_stopping, false);
	atomic_long_set(&storm_left, pairs);
	atomic_set(&storm_nr_running, storm_nr_crew);
	reinit_completion(&storm_over);
	storm_began = ktime_get();
	for (i = 0; i < storm_nr_crew; i++)
		wake_up_process(storm_crew[i].task);
	return 0;
}

static void storm_stop(void)
{
	WRITE_ONCE(storm_stopping, true);
	wait_for_completion(&storm_over);
}

/* debugfs */

static struct storm_count storm_sum(unsigned int path, unsigned int context)
{
	struct storm_count sum = { }, *count;
	int cpu;

	for_each_possible_cpu(cpu) {
		count = &per_cpu(storm_counts, cpu)[path][context];
		sum.pairs += READ_ONCE(count->pairs);
		sum.allocs += READ_ONCE(count->allocs);
		sum.frees += READ_ONCE(count->frees);
	}
	return sum;
}

static int storm_truth_show(struct seq_file *m, void *unused)
{
	unsigned int path, context;
	long live = 0;
	bool done = completion_done(&storm_over);

	seq_puts(m, "PATH CONTEXT PAIRS UNITS OF\n");
	for (path = 0; path < ARRAY_SIZE(storm_paths); path++) {
		for (context = 0; context < STORM_NR_CONTEXTS; context++) {
			struct storm_count sum = storm_sum(path, context);

			live += sum.allocs - sum.frees;
			if (sum.pairs || sum.allocs)
				seq_printf(m, "%s %s %lu %lu %s\n", storm_paths[path].name,
					   storm_context_name[context], sum.pairs, sum.allocs,
					   storm_paths[path].of);
		}
	}
	seq_printf(m, "# failed %ld\n", atomic_long_read(&storm_failed));
	seq_printf(m, "# skipped %ld\n", atomic_long_read(&storm_skipped));
	seq_printf(m, "# ms %lld\n", done ? storm_ms : ktime_ms_delta(ktime_get(), storm_began));
	seq_printf(m, "# live %ld\n", live);
	seq_printf(m, "# done %d\n", done);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(storm_truth);

static ssize_t storm_run_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	unsigned long pairs;
	int err;

	err = kstrtoul_from_user(buf, len, 0, &pairs);
	if (err)
		return err;
	if (pairs > STORM_PAIRS_MAX)
		return -ERANGE;
	mutex_lock(&storm_lock);
	err = storm_start(pairs);
	mutex_unlock(&storm_lock);
	if (err)
		return err;
	err = wait_for_completion_interruptible(&storm_over);
	if (err)
		storm_stop();
	mutex_lock(&storm_lock);
	if (completion_done(&storm_over))	/* nobody has begun another one */
		storm_collect();
	mutex_unlock(&storm_lock);
	return err ? -EINTR : len;
}

static const struct file_operations storm_run_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = storm_run_write,
	.llseek = noop_llseek,
};

static ssize_t storm_stop_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	storm_stop();
	return len;
}

static const struct file_operations storm_stop_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = storm_stop_write,
	.llseek = noop_llseek,
};

/* Load and unload */

static bool storm_is_named(const char *name)
{
	const char *rest = storm_names;
	size_t len = strlen(name);

	while (*rest) {
		size_t this = strcspn(rest, ",");

		if (this == len && !strncmp(rest, name, len))
			return true;
		rest += this;
		rest += *rest == ',';
	}
	return false;
}

/* Paths that were not asked for have no lots. Return: whether any was. */
static bool storm_choose(void)
{
	unsigned int path, context, all = 0;

	for (path = 0; path < ARRAY_SIZE(storm_paths); path++) {
		if (strcmp(storm_names, "all") &&
		    !storm_is_named(storm_paths[path].name + strlen("storm_")))
			storm_paths[path].weight = 0;
		all += storm_paths[path].weight;
		for (context = 0; context < STORM_NR_CONTEXTS; context++)
			if (storm_paths[path].contexts & BIT(context))
				storm_lots[context] += storm_paths[path].weight;
	}
	return all;
}

/*
 * Before 6.12 what goes through kfree_rcu() may wait for 5 s and more, and only the cache tells
 * when its last object came home: then shrinking leaves no slab.
 */
static void storm_settle(void)
{
	unsigned long end = jiffies + msecs_to_jiffies(STORM_DRAIN_MS);

	while (kmem_cache_shrink(storm_cache) && time_before(jiffies, end))
		msleep(20);
}

static int __init storm_init(void)
{
	int err = 0;

	if (storm_pairs < 0 || storm_pairs > STORM_PAIRS_MAX) {
		pr_err("pairs=%d is out of range 0..%d\n", storm_pairs, STORM_PAIRS_MAX);
		return -EINVAL;
	}
	if (storm_threads < 1 || storm_threads > STORM_THREADS_MAX) {
		pr_err("threads=%d is out of range 1..%d\n", storm_threads, STORM_THREADS_MAX);
		return -EINVAL;
	}
	if (!storm_choose()) {
		pr_err("paths=%s names none\n", storm_names);
		return -EINVAL;
	}
	storm_cache = kmem_cache_create("storm_object", STORM_OBJECT_SIZE, 0, 0, storm_construct);
	if (!storm_cache)
		return -ENOMEM;
	complete_all(&storm_over);
	if (storm_pairs) {
		err = storm_start(storm_pairs);
		if (err) {
			kmem_cache_destroy(storm_cache);
			return err;
		}
	}
	storm_dir = debugfs_create_dir("storm", NULL);
	debugfs_create_file("truth", 0400, storm_dir, NULL, &storm_truth_fops);
	debugfs_create_file("run", 0200, storm_dir, NULL, &storm_run_fops);
	debugfs_create_file("stop", 0200, storm_dir, NULL, &storm_stop_fops);
	return 0;
}

/* The files go first, so that nobody starts; then who walks, and with the last what is left. */
static void __exit storm_exit(void)
{
	debugfs_remove_recursive(storm_dir);
	storm_stop();
	storm_collect();
	storm_settle();
	kmem_cache_destroy(storm_cache);
}

module_init(storm_init);
module_exit(storm_exit);

MODULE_DESCRIPTION("Walks every awkward path of the kernel's allocators at once, and leaks nothing");
MODULE_LICENSE("GPL");

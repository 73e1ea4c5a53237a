// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that leaks on purpose and says exactly what it leaked.
 *
 * leakwatch's tests load it, read /sys/kernel/debug/leaky/truth and compare leakwatch's
 * tables with it to the object. There are four kinds of function here:
 *
 *  - leaky_leak_<kind>()  allocates and never gives back. It is reached on two paths,
 *                         leaky_path_a() three times for each time of leaky_path_b().
 *  - leaky_churn_<kind>() allocates the same and gives it back at once.
 *  - leaky_innocent()     grows up to a level and stays there, like a cache that fills.
 *  - leaky_blind_<path>() gives back what it allocates, on a path on which the kernel fires
 *                         no event for the allocation, the free, or a part of them.
 *
 * Invariant: the name of the function that allocates is the name a stack shows. Hence each
 * is noinline (it has a frame), __noclone (its symbol has no suffix) and does something
 * behind the call (which therefore is no jump).
 *
 * Invariant: remembering what leaked allocates nothing. The lost objects are chained through
 * their own first word, pages through their struct page, in one list for each path. So kmemleak
 * finds them reachable for as long as this module is loaded.
 *
 * Locks and contexts: whoever drives is alone, first the loading task, then the kthread;
 * what runs in interrupts runs on the driver's behalf while the driver waits. The counters
 * are atomic and the lists are llists, because readers and writers of the debugfs files
 * come at any time. leaky_stop_lock only keeps two stops from meeting.
 *
 * The truth is a line for each function that had something to do, in this order of columns:
 *
 *	FUNCTION CLASS LIVE SIZE-B ALLOCS FREES
 *	leaky_leak_kmalloc slab 1000 128 1000 0
 *	# path leaky_path_a 750
 *	# path leaky_path_b 250
 *	# failed 0
 *	# high 0
 *
 * Class slab counts objects (a large kmalloc is one), class page counts base pages. A path
 * counts what is live of the leak, in the same unit. Failed are steps that found no memory, high
 * the pages of the leak that are in high memory.
 * What the allocators take for themselves on the way is not in it: slab pages, and for
 * vmalloc its descriptors and page tables.
 *
 * ALLOCS and FREES are counted behind the call that did it. Where the kernel gives back
 * later (kfree_rcu), the moment that counts is the one when the owner gave it up.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#define LEAKY_RATE_MAX		1000000
#define LEAKY_SIZE_MAX		4194304
#define LEAKY_TICKS		10	/* batches a second */
#define LEAKY_CHUNK		64	/* steps without a look around, or in one softirq */
#define LEAKY_SPLIT_ORDER	3
#define LEAKY_VMALLOC_PAGES	4
#define LEAKY_CACHE_SIZE	200
#define LEAKY_INNOCENT_SIZE	256
#define LEAKY_BLIND_SIZE	128
#define LEAKY_BLIND_BULK	16
#define LEAKY_DRAIN_MS		12000	/* kfree_rcu() may batch for 5 s before a grace period */

/* The newest kernels' names; what Kbuild did not find and no macro stands for is left out */
#if defined(LEAKY_HAS_BULK_ARRAY) && !defined(alloc_pages_bulk)
#define alloc_pages_bulk alloc_pages_bulk_array
#endif
#ifndef ACR_FLAGS_NONE
#define ACR_FLAGS_NONE MIGRATE_MOVABLE
#endif

/* Parameters */

static char *leaky_kind_name = "kmalloc";
module_param_named(kind, leaky_kind_name, charp, 0444);
MODULE_PARM_DESC(kind, "what leaks: kmalloc, cache, page, split, vmalloc, softirq, rcu, none (default kmalloc)");

static int leaky_size = 128;
module_param_named(size, leaky_size, int, 0444);
MODULE_PARM_DESC(size, "bytes of a kmalloc, softirq or rcu object, 8..4194304, rcu from 24 (default 128)");

static int leaky_order;
module_param_named(order, leaky_order, int, 0444);
MODULE_PARM_DESC(order, "order of a page leak, 0..9 (default 0)");

static bool leaky_high;
module_param_named(high, leaky_high, bool, 0444);
MODULE_PARM_DESC(high, "pages that leak may be in high memory (default 0)");

static int leaky_rate;
module_param_named(rate, leaky_rate, int, 0444);
MODULE_PARM_DESC(rate, "leaks a second, 0..1000000, 0: all of count at load (default 0)");

static int leaky_every = 1;
module_param_named(every, leaky_every, int, 0444);
MODULE_PARM_DESC(every, "of how many seconds rate is the number of leaks, 1..86400 (default 1)");

static int leaky_count = 1000;
module_param_named(count, leaky_count, int, 0444);
MODULE_PARM_DESC(count, "leaks in all, 0: without end, needs a rate (default 1000)");

static int leaky_churn;
module_param_named(churn, leaky_churn, int, 0444);
MODULE_PARM_DESC(churn, "pairs of alloc and free a second, or in all at load if rate=0, 0..1000000 (default 0)");

static int leaky_churn_count;
module_param_named(churn_count, leaky_churn_count, int, 0444);
MODULE_PARM_DESC(churn_count, "pairs in all when there is a rate, 0: without end (default 0)");

static int leaky_innocents;
module_param_named(innocent, leaky_innocents, int, 0444);
MODULE_PARM_DESC(innocent, "objects of 256 bytes up to which an innocent function grows, at rate or at load (default 0)");

static int leaky_blind;
module_param_named(blind, leaky_blind, int, 0444);
MODULE_PARM_DESC(blind, "pairs on each path without events, at load (default 0)");

static bool leaky_destroy;
module_param_named(destroy, leaky_destroy, bool, 0444);
MODULE_PARM_DESC(destroy, "destroy the cache at unload even if objects are left; the kernel complains (default 0)");

/* The truth */

enum leaky_row_id {
	LEAKY_LEAK_KMALLOC,
	LEAKY_LEAK_CACHE,
	LEAKY_LEAK_PAGE,
	LEAKY_LEAK_SPLIT,
	LEAKY_LEAK_VMALLOC,
	LEAKY_LEAK_SOFTIRQ,
	LEAKY_LEAK_RCU,
	LEAKY_CHURN_KMALLOC,
	LEAKY_CHURN_CACHE,
	LEAKY_CHURN_PAGE,
	LEAKY_CHURN_SPLIT,
	LEAKY_CHURN_VMALLOC,
	LEAKY_CHURN_SOFTIRQ,
	LEAKY_CHURN_RCU,
	LEAKY_INNOCENT,
	LEAKY_BLIND_KFREE_RCU,
	LEAKY_BLIND_KFREE_RCU_MIGHTSLEEP,
	LEAKY_BLIND_KVFREE_RCU,
	LEAKY_BLIND_KFREE_BULK,
	LEAKY_BLIND_CACHE_FREE_BULK,
	LEAKY_BLIND_CACHE_ALLOC_BULK,
	LEAKY_BLIND_NOLOCK,
	LEAKY_BLIND_KREALLOC,
	LEAKY_BLIND_KREALLOC_MOVED,
	LEAKY_BLIND_LARGE_KMALLOC,
	LEAKY_BLIND_CROSS_CPU,
	LEAKY_BLIND_IRQ,
	LEAKY_BLIND_ALLOC_PAGES_BULK,
	LEAKY_BLIND_PAGES_EXACT,
	LEAKY_BLIND_SPLIT_PAGE,
	LEAKY_BLIND_EXTRA_REF,
	LEAKY_BLIND_ALLOC_CONTIG,
	LEAKY_BLIND_VMALLOC,
	LEAKY_BLIND_KFREE_RCU_CACHE,
	LEAKY_NR_ROWS,
};

/**
 * struct leaky_row - what one function holds
 * @function: its name
 * @size: bytes of an object as the allocator rounds it up, 0 before the first, or of a page
 * @page: it counts base pages; otherwise objects
 * @used: the parameters ask for it, so it is shown even while its counts are 0
 * @allocs: objects or base pages that it ever got, only grows
 * @frees: how many of them were given up again, never ahead of @allocs
 */
struct leaky_row {
	const char *function;
	size_t size;
	bool page;
	bool used;
	atomic_long_t allocs;
	atomic_long_t frees;
};

#define LEAKY_SLAB_ROW(name) { .function = #name }
#define LEAKY_PAGE_ROW(name) { .function = #name, .page = true, .size = PAGE_SIZE }

static struct leaky_row leaky_rows[LEAKY_NR_ROWS] = {
	[LEAKY_LEAK_KMALLOC] = LEAKY_SLAB_ROW(leaky_leak_kmalloc),
	[LEAKY_LEAK_CACHE] = LEAKY_SLAB_ROW(leaky_leak_cache),
	[LEAKY_LEAK_PAGE] = LEAKY_PAGE_ROW(leaky_leak_page),
	[LEAKY_LEAK_SPLIT] = LEAKY_PAGE_ROW(leaky_leak_split),
	[LEAKY_LEAK_VMALLOC] = LEAKY_PAGE_ROW(leaky_leak_vmalloc),
	[LEAKY_LEAK_SOFTIRQ] = LEAKY_SLAB_ROW(leaky_leak_softirq),
	[LEAKY_LEAK_RCU] = LEAKY_SLAB_ROW(leaky_leak_rcu),
	[LEAKY_CHURN_KMALLOC] = LEAKY_SLAB_ROW(leaky_churn_kmalloc),
	[LEAKY_CHURN_CACHE] = LEAKY_SLAB_ROW(leaky_churn_cache),
	[LEAKY_CHURN_PAGE] = LEAKY_PAGE_ROW(leaky_churn_page),
	[LEAKY_CHURN_SPLIT] = LEAKY_PAGE_ROW(leaky_churn_split),
	[LEAKY_CHURN_VMALLOC] = LEAKY_PAGE_ROW(leaky_churn_vmalloc),
	[LEAKY_CHURN_SOFTIRQ] = LEAKY_SLAB_ROW(leaky_churn_softirq),
	[LEAKY_CHURN_RCU] = LEAKY_SLAB_ROW(leaky_churn_rcu),
	[LEAKY_INNOCENT] = LEAKY_SLAB_ROW(leaky_innocent),
	[LEAKY_BLIND_KFREE_RCU] = LEAKY_SLAB_ROW(leaky_blind_kfree_rcu),
	[LEAKY_BLIND_KFREE_RCU_MIGHTSLEEP] = LEAKY_SLAB_ROW(leaky_blind_kfree_rcu_mightsleep),
	[LEAKY_BLIND_KVFREE_RCU] = LEAKY_PAGE_ROW(leaky_blind_kvfree_rcu),
	[LEAKY_BLIND_KFREE_BULK] = LEAKY_SLAB_ROW(leaky_blind_kfree_bulk),
	[LEAKY_BLIND_CACHE_FREE_BULK] = LEAKY_SLAB_ROW(leaky_blind_cache_free_bulk),
	[LEAKY_BLIND_CACHE_ALLOC_BULK] = LEAKY_SLAB_ROW(leaky_blind_cache_alloc_bulk),
	[LEAKY_BLIND_NOLOCK] = LEAKY_SLAB_ROW(leaky_blind_nolock),
	[LEAKY_BLIND_KREALLOC] = LEAKY_SLAB_ROW(leaky_blind_krealloc),
	[LEAKY_BLIND_KREALLOC_MOVED] = LEAKY_SLAB_ROW(leaky_blind_krealloc),
	[LEAKY_BLIND_LARGE_KMALLOC] = LEAKY_SLAB_ROW(leaky_blind_large_kmalloc),
	[LEAKY_BLIND_CROSS_CPU] = LEAKY_SLAB_ROW(leaky_blind_cross_cpu),
	[LEAKY_BLIND_IRQ] = LEAKY_SLAB_ROW(leaky_blind_irq),
	[LEAKY_BLIND_ALLOC_PAGES_BULK] = LEAKY_PAGE_ROW(leaky_blind_alloc_pages_bulk),
	[LEAKY_BLIND_PAGES_EXACT] = LEAKY_PAGE_ROW(leaky_blind_pages_exact),
	[LEAKY_BLIND_SPLIT_PAGE] = LEAKY_PAGE_ROW(leaky_blind_split_page),
	[LEAKY_BLIND_EXTRA_REF] = LEAKY_PAGE_ROW(leaky_blind_extra_ref),
	[LEAKY_BLIND_ALLOC_CONTIG] = LEAKY_PAGE_ROW(leaky_blind_alloc_contig),
	[LEAKY_BLIND_VMALLOC] = LEAKY_PAGE_ROW(leaky_blind_vmalloc),
	[LEAKY_BLIND_KFREE_RCU_CACHE] = LEAKY_SLAB_ROW(leaky_blind_kfree_rcu_cache),
};

/**
 * struct leaky_path - what was lost on one path
 * @function: the function at its head
 * @lost: the lost objects, areas or blocks of pages, chained through their first word, or, of
 *	pages, private
 * @live: how many objects or base pages @lost stands for
 */
struct leaky_path {
	const char *function;
	struct llist_head lost;
	atomic_long_t live;
};

enum leaky_path_id {
	LEAKY_PATH_A,
	LEAKY_PATH_B,
	LEAKY_NR_PATHS,
};

static struct leaky_path leaky_paths[LEAKY_NR_PATHS] = {
	[LEAKY_PATH_A] = { .function = "leaky_path_a" },
	[LEAKY_PATH_B] = { .function = "leaky_path_b" },
};

/**
 * struct leaky_kind - one thing that can leak
 * @name: as in the parameter kind
 * @leak: loses one; false if there was no memory
 * @churn: allocates one and gives it back; false if there was no memory
 * @free: gives back what one entry of a path's list stands for
 * @leak_row: the truth about @leak
 * @churn_row: the truth about @churn
 * @softirq: @leak and @churn want to be called in softirq context
 */
struct leaky_kind {
	const char *name;
	bool (*leak)(struct leaky_path *path);
	bool (*churn)(void);
	void (*free)(struct llist_node *node);
	enum leaky_row_id leak_row;
	enum leaky_row_id churn_row;
	bool softirq;
};

/**
 * struct leaky_object - what the own cache holds
 * @node: chains the lost ones
 * @rcu: for kfree_rcu()
 * @data: makes it an odd size that no other cache has
 */
struct leaky_object {
	struct llist_node node;
	struct rcu_head rcu;
	u8 data[LEAKY_CACHE_SIZE - sizeof(struct llist_node) - sizeof(struct rcu_head)];
};

static_assert(sizeof(struct leaky_object) == LEAKY_CACHE_SIZE);

/**
 * struct leaky_rcu - the head of an object that goes through kfree_rcu()
 * @node: chains the lost ones; keeps @rcu away from offset 0
 * @rcu: for kfree_rcu()
 */
struct leaky_rcu {
	struct llist_node node;
	struct rcu_head rcu;
};

/**
 * struct leaky_job - steps to do in softirq context, one job at a time
 * @irq: interrupts this CPU and raises the tasklet there
 * @tasklet: does the steps when the interrupt ends
 * @step: one step; false stops the job
 * @nr: how many to do
 * @nr_done: how many were done
 * @done: completed by the tasklet, waited for by the driver
 */
struct leaky_job {
	struct irq_work irq;
	struct tasklet_struct tasklet;
	bool (*step)(void);
	long nr;
	long nr_done;
	struct completion done;
};

static const struct leaky_kind *leaky_kind;
static struct kmem_cache *leaky_cache;
static long leaky_units;		/* objects or base pages one entry of a list stands for */
static LLIST_HEAD(leaky_kept);		/* the innocent ones */
static atomic_long_t leaky_failed;	/* steps that found no memory */
static atomic_long_t leaky_nr_high;	/* pages that leaked and are in high memory */
static struct leaky_job leaky_job;
static struct irq_work leaky_irq;
static void *leaky_irq_object;
static struct dentry *leaky_dir;
static struct task_struct *leaky_task;	/* under leaky_stop_lock once it runs */
static DEFINE_MUTEX(leaky_stop_lock);
static bool leaky_stopping;

/* The driver's own progress */
static long leaky_nr_leaked;
static long leaky_nr_churned;
static long leaky_nr_kept;

static void leaky_charge(enum leaky_row_id id, long nr)
{
	atomic_long_add(nr, &leaky_rows[id].allocs);
}

static void leaky_uncharge(enum leaky_row_id id, long nr)
{
	/* pairs with the acquire in leaky_row_print() */
	atomic_long_add_return_release(nr, &leaky_rows[id].frees);
}

/* KFENCE's objects are as small as asked for, so the largest is the cache's size. */
static void leaky_charge_object(enum leaky_row_id id, const void *object)
{
	struct leaky_row *row = &leaky_rows[id];
	size_t size = ksize(object);

	if (size > row->size)
		WRITE_ONCE(row->size, size);
	leaky_charge(id, 1);
}

static void leaky_charge_cached(enum leaky_row_id id, long nr)
{
	WRITE_ONCE(leaky_rows[id].size, kmem_cache_size(leaky_cache));
	leaky_charge(id, nr);
}

static void leaky_add_lost(struct leaky_path *path, void *memory)
{
	llist_add(memory, &path->lost);
	atomic_long_add(leaky_units, &path->live);
}

static bool leaky_no_memory(void)
{
	atomic_long_inc(&leaky_failed);
	return false;
}

static bool leaky_row_shown(struct leaky_row *row)
{
	return row->used || atomic_long_read(&row->allocs);
}

static const char *leaky_row_print(struct leaky_row *row, char *buf, size_t size)
{
	/*
	 * Frees first: who sees a free also sees the allocation before it. Pairs with the
	 * release in leaky_uncharge().
	 */
	long frees = atomic_long_read_acquire(&row->frees);
	long allocs = atomic_long_read(&row->allocs);

	scnprintf(buf, size, "%s %s %ld %zu %ld %ld", row->function, row->page ? "page" : "slab",
		  allocs - frees, READ_ONCE(row->size), allocs, frees);
	return buf;
}

static const char *leaky_path_print(struct leaky_path *path, char *buf, size_t size)
{
	scnprintf(buf, size, "# path %s %ld", path->function, atomic_long_read(&path->live));
	return buf;
}

static void leaky_log_truth(const char *when)
{
	struct leaky_row *row;
	char line[128];
	int i;

	for (row = leaky_rows; row < leaky_rows + LEAKY_NR_ROWS; row++)
		if (leaky_row_shown(row))
			pr_info("%s: %s\n", when, leaky_row_print(row, line, sizeof(line)));
	for (i = 0; leaky_kind->leak && i < LEAKY_NR_PATHS; i++)
		pr_info("%s: %s\n", when, leaky_path_print(&leaky_paths[i], line, sizeof(line)));
	pr_info("%s: # failed %ld\n", when, atomic_long_read(&leaky_failed));
}

/* Leaks */

static noinline __noclone bool leaky_leak_kmalloc(struct leaky_path *path)
{
	void *object = kmalloc(leaky_size, GFP_KERNEL);

	if (!object)
		return leaky_no_memory();
	leaky_charge_object(LEAKY_LEAK_KMALLOC, object);
	leaky_add_lost(path, object);
	return true;
}

static noinline __noclone bool leaky_leak_softirq(struct leaky_path *path)
{
	void *object = kmalloc(leaky_size, GFP_ATOMIC | __GFP_NOWARN);

	if (!object)
		return leaky_no_memory();
	leaky_charge_object(LEAKY_LEAK_SOFTIRQ, object);
	leaky_add_lost(path, object);
	return true;
}

static noinline __noclone bool leaky_leak_cache(struct leaky_path *path)
{
	struct leaky_object *object = kmem_cache_alloc(leaky_cache, GFP_KERNEL);

	if (!object)
		return leaky_no_memory();
	leaky_charge_cached(LEAKY_LEAK_CACHE, 1);
	leaky_add_lost(path, object);
	return true;
}

/* A page in high memory has no address; private is its owner's. */
static struct llist_node *leaky_page_node(struct page *page)
{
	return (struct llist_node *)&page->private;
}

static struct page *leaky_node_page(struct llist_node *node)
{
	return container_of((unsigned long *)node, struct page, private);
}

static noinline __noclone bool leaky_leak_page(struct leaky_path *path)
{
	struct page *page = alloc_pages(leaky_high ? GFP_HIGHUSER : GFP_KERNEL, leaky_order);

	if (!page)
		return leaky_no_memory();
	leaky_charge(LEAKY_LEAK_PAGE, 1L << leaky_order);
	if (PageHighMem(page))
		atomic_long_add(1L << leaky_order, &leaky_nr_high);
	leaky_add_lost(path, leaky_page_node(page));
	return true;
}

/* Half of the block is given back, the other half is lost page by page. */
static noinline __noclone bool leaky_leak_split(struct leaky_path *path)
{
	struct page *page = alloc_pages(GFP_KERNEL, LEAKY_SPLIT_ORDER);
	int i;

	if (!page)
		return leaky_no_memory();
	split_page(page, LEAKY_SPLIT_ORDER);
	leaky_charge(LEAKY_LEAK_SPLIT, 1L << LEAKY_SPLIT_ORDER);
	for (i = 0; i < 1 << LEAKY_SPLIT_ORDER; i += 2) {
		__free_page(page + i);
		leaky_uncharge(LEAKY_LEAK_SPLIT, 1);
		leaky_add_lost(path, leaky_page_node(page + i + 1));
	}
	return true;
}

static noinline __noclone bool leaky_leak_vmalloc(struct leaky_path *path)
{
	void *area = vmalloc(LEAKY_VMALLOC_PAGES * PAGE_SIZE);

	if (!area)
		return leaky_no_memory();
	leaky_charge(LEAKY_LEAK_VMALLOC, LEAKY_VMALLOC_PAGES);
	leaky_add_lost(path, area);
	return true;
}

/*
 * Twins: one is lost, the other one goes the quiet way of kfree_rcu(). Both come from one
 * call, hence a loop, and a number of rounds that the compiler cannot see.
 */
static noinline __noclone bool leaky_leak_rcu(struct leaky_path *path)
{
	int twins = 2;

	OPTIMIZER_HIDE_VAR(twins);
	while (twins--) {
		struct leaky_rcu *object = kmalloc(leaky_size, GFP_KERNEL);

		if (!object)
			return leaky_no_memory();
		leaky_charge_object(LEAKY_LEAK_RCU, object);
		if (twins) {
			leaky_add_lost(path, object);
		} else {
			kfree_rcu(object, rcu);
			leaky_uncharge(LEAKY_LEAK_RCU, 1);
		}
	}
	return true;
}

/* Churn */

static noinline __noclone bool leaky_churn_kmalloc(void)
{
	void *object = kmalloc(leaky_size, GFP_KERNEL);

	if (!object)
		return leaky_no_memory();
	leaky_charge_object(LEAKY_CHURN_KMALLOC, object);
	kfree(object);
	leaky_uncharge(LEAKY_CHURN_KMALLOC, 1);
	return true;
}

static noinline __noclone bool leaky_churn_softirq(void)
{
	void *object = kmalloc(leaky_size, GFP_ATOMIC | __GFP_NOWARN);

	if (!object)
		return leaky_no_memory();
	leaky_charge_object(LEAKY_CHURN_SOFTIRQ, object);
	kfree(object);
	leaky_uncharge(LEAKY_CHURN_SOFTIRQ, 1);
	return true;
}

static noinline __noclone bool leaky_churn_cache(void)
{
	struct leaky_object *object = kmem_cache_alloc(leaky_cache, GFP_KERNEL);

	if (!object)
		return leaky_no_memory();
	leaky_charge_cached(LEAKY_CHURN_CACHE, 1);
	kmem_cache_free(leaky_cache, object);
	leaky_uncharge(LEAKY_CHURN_CACHE, 1);
	return true;
}

static noinline __noclone bool leaky_churn_page(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, leaky_order);

	if (!page)
		return leaky_no_memory();
	leaky_charge(LEAKY_CHURN_PAGE, 1L << leaky_order);
	__free_pages(page, leaky_order);
	leaky_uncharge(LEAKY_CHURN_PAGE, 1L << leaky_order);
	return true;
}

static noinline __noclone bool leaky_churn_split(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, LEAKY_SPLIT_ORDER);
	int i;

	if (!page)
		return leaky_no_memory();
	split_page(page, LEAKY_SPLIT_ORDER);
	leaky_charge(LEAKY_CHURN_SPLIT, 1L << LEAKY_SPLIT_ORDER);
	for (i = 0; i < 1 << LEAKY_SPLIT_ORDER; i++)
		__free_page(page + i);
	leaky_uncharge(LEAKY_CHURN_SPLIT, 1L << LEAKY_SPLIT_ORDER);
	return true;
}

static noinline __noclone bool leaky_churn_vmalloc(void)
{
	void *area = vmalloc(LEAKY_VMALLOC_PAGES * PAGE_SIZE);

	if (!area)
		return leaky_no_memory();
	leaky_charge(LEAKY_CHURN_VMALLOC, LEAKY_VMALLOC_PAGES);
	vfree(area);
	leaky_uncharge(LEAKY_CHURN_VMALLOC, LEAKY_VMALLOC_PAGES);
	return true;
}

static noinline __noclone bool leaky_churn_rcu(void)
{
	struct leaky_rcu *object = kmalloc(leaky_size, GFP_KERNEL);

	if (!object)
		return leaky_no_memory();
	leaky_charge_object(LEAKY_CHURN_RCU, object);
	kfree_rcu(object, rcu);
	leaky_uncharge(LEAKY_CHURN_RCU, 1);
	return true;
}

/* The innocent one: whatever it got it still knows, and it has a level. */
static noinline __noclone bool leaky_innocent(void)
{
	struct llist_node *object = kmalloc(LEAKY_INNOCENT_SIZE, GFP_KERNEL);

	if (!object)
		return leaky_no_memory();
	leaky_charge_object(LEAKY_INNOCENT, object);
	llist_add(object, &leaky_kept);
	leaky_nr_kept++;
	return true;
}

static void leaky_free_innocents(void)
{
	struct llist_node *node, *next;

	llist_for_each_safe(node, next, llist_del_all(&leaky_kept)) {
		kfree(node);
		leaky_uncharge(LEAKY_INNOCENT, 1);
		cond_resched();
	}
}

/* Paths without events: each walks nr pairs and leaves nothing behind */

static noinline __noclone bool leaky_blind_kfree_rcu(int nr)
{
	while (nr--) {
		struct leaky_rcu *object = kmalloc(LEAKY_BLIND_SIZE, GFP_KERNEL);

		if (!object)
			return leaky_no_memory();
		leaky_charge_object(LEAKY_BLIND_KFREE_RCU, object);
		kfree_rcu(object, rcu);
		leaky_uncharge(LEAKY_BLIND_KFREE_RCU, 1);
		cond_resched();
	}
	return true;
}

#ifdef kfree_rcu_mightsleep
/* Without an rcu_head in the object */
static noinline __noclone bool leaky_blind_kfree_rcu_mightsleep(int nr)
{
	while (nr--) {
		void *object = kmalloc(LEAKY_BLIND_SIZE, GFP_KERNEL);

		if (!object)
			return leaky_no_memory();
		leaky_charge_object(LEAKY_BLIND_KFREE_RCU_MIGHTSLEEP, object);
		kfree_rcu_mightsleep(object);
		leaky_uncharge(LEAKY_BLIND_KFREE_RCU_MIGHTSLEEP, 1);
	}
	return true;
}
#endif

#ifdef kvfree_rcu
/* An address of vmalloc in kvfree_rcu() */
static noinline __noclone bool leaky_blind_kvfree_rcu(int nr)
{
	while (nr--) {
		struct leaky_rcu *area = vmalloc(LEAKY_VMALLOC_PAGES * PAGE_SIZE);

		if (!area)
			return leaky_no_memory();
		leaky_charge(LEAKY_BLIND_KVFREE_RCU, LEAKY_VMALLOC_PAGES);
		kvfree_rcu(area, rcu);
		leaky_uncharge(LEAKY_BLIND_KVFREE_RCU, LEAKY_VMALLOC_PAGES);
		cond_resched();
	}
	return true;
}

#endif

#ifdef LEAKY_HAS_BULK
static noinline __noclone bool leaky_blind_kfree_bulk(int nr)
{
	void *objects[LEAKY_BLIND_BULK];
	int n;

	while (nr > 0) {
		for (n = 0; n < min(nr, LEAKY_BLIND_BULK); n++) {
			objects[n] = kmalloc(LEAKY_BLIND_SIZE, GFP_KERNEL);
			if (!objects[n])
				break;
			leaky_charge_object(LEAKY_BLIND_KFREE_BULK, objects[n]);
		}
		if (!n)
			return leaky_no_memory();
		kfree_bulk(n, objects);
		leaky_uncharge(LEAKY_BLIND_KFREE_BULK, n);
		nr -= n;
		cond_resched();
	}
	return true;
}

static noinline __noclone bool leaky_blind_cache_free_bulk(int nr)
{
	void *objects[LEAKY_BLIND_BULK];
	int n;

	while (nr > 0) {
		for (n = 0; n < min(nr, LEAKY_BLIND_BULK); n++) {
			objects[n] = kmem_cache_alloc(leaky_cache, GFP_KERNEL);
			if (!objects[n])
				break;
			leaky_charge_cached(LEAKY_BLIND_CACHE_FREE_BULK, 1);
		}
		if (!n)
			return leaky_no_memory();
		kmem_cache_free_bulk(leaky_cache, n, objects);
		leaky_uncharge(LEAKY_BLIND_CACHE_FREE_BULK, n);
		nr -= n;
		cond_resched();
	}
	return true;
}

static noinline __noclone bool leaky_blind_cache_alloc_bulk(int nr)
{
	void *objects[LEAKY_BLIND_BULK];
	int i, n;

	for (; nr > 0; nr -= n) {
		n = min(nr, LEAKY_BLIND_BULK);
		if (!kmem_cache_alloc_bulk(leaky_cache, GFP_KERNEL, n, objects))
			return leaky_no_memory();
		leaky_charge_cached(LEAKY_BLIND_CACHE_ALLOC_BULK, n);
		for (i = 0; i < n; i++)
			kmem_cache_free(leaky_cache, objects[i]);
		leaky_uncharge(LEAKY_BLIND_CACHE_ALLOC_BULK, n);
		cond_resched();
	}
	return true;
}

#endif

static noinline __noclone bool leaky_blind_kfree_rcu_cache(int nr)
{
	while (nr--) {
		struct leaky_object *object = kmem_cache_alloc(leaky_cache, GFP_KERNEL);

		if (!object)
			return leaky_no_memory();
		leaky_charge_cached(LEAKY_BLIND_KFREE_RCU_CACHE, 1);
		kfree_rcu(object, rcu);
		leaky_uncharge(LEAKY_BLIND_KFREE_RCU_CACHE, 1);
		cond_resched();
	}
	return true;
}

#ifdef kmalloc_nolock
/* No lock was to be had: that is no failure here, there are nr tries */
static noinline __noclone bool leaky_blind_nolock(int nr)
{
	while (nr--) {
		void *object = kmalloc_nolock(LEAKY_BLIND_SIZE, 0, NUMA_NO_NODE);

		if (!object)
			continue;
		leaky_charge_object(LEAKY_BLIND_NOLOCK, object);
		kfree_nolock(object);
		leaky_uncharge(LEAKY_BLIND_NOLOCK, 1);
		cond_resched();
	}
	return true;
}
#endif

/* Grows in place, without an event, then moves to another size */
static noinline __noclone bool leaky_blind_krealloc(int nr)
{
	while (nr--) {
		void *object = kmalloc(LEAKY_BLIND_SIZE - 28, GFP_KERNEL);
		void *larger;

		if (!object)
			return leaky_no_memory();
		leaky_charge_object(LEAKY_BLIND_KREALLOC, object);
		larger = krealloc(object, LEAKY_BLIND_SIZE - 8, GFP_KERNEL);
		if (larger) {
			object = larger;
			larger = krealloc(object, 8 * LEAKY_BLIND_SIZE - 24, GFP_KERNEL);
		}
		if (!larger) {
			kfree(object);
			leaky_uncharge(LEAKY_BLIND_KREALLOC, 1);
			return leaky_no_memory();
		}
		leaky_uncharge(LEAKY_BLIND_KREALLOC, 1);
		leaky_charge_object(LEAKY_BLIND_KREALLOC_MOVED, larger);
		kfree(larger);
		leaky_uncharge(LEAKY_BLIND_KREALLOC_MOVED, 1);
		cond_resched();
	}
	return true;
}

/* A block of pages behind it, and a size that the compiler does not know */
static noinline __noclone bool leaky_blind_large_kmalloc(int nr)
{
	static size_t size = 65536;

	while (nr--) {
		void *object = kmalloc(READ_ONCE(size), GFP_KERNEL);

		if (!object)
			return leaky_no_memory();
		leaky_charge_object(LEAKY_BLIND_LARGE_KMALLOC, object);
		kfree(object);
		leaky_uncharge(LEAKY_BLIND_LARGE_KMALLOC, 1);
		cond_resched();
	}
	return true;
}

static void leaky_free_here(void *object)
{
	kfree(object);
}

/* Freed by an interrupt on another CPU, if there is one */
static noinline __noclone bool leaky_blind_cross_cpu(int nr)
{
	while (nr--) {
		void *object = kmalloc(LEAKY_BLIND_SIZE, GFP_KERNEL);
		unsigned int cpu;

		if (!object)
			return leaky_no_memory();
		leaky_charge_object(LEAKY_BLIND_CROSS_CPU, object);
		cpus_read_lock();
		cpu = cpumask_first(cpu_online_mask);
		if (cpu == raw_smp_processor_id())
			cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids || smp_call_function_single(cpu, leaky_free_here, object, 1))
			kfree(object);
		cpus_read_unlock();
		leaky_uncharge(LEAKY_BLIND_CROSS_CPU, 1);
		cond_resched();
	}
	return true;
}

static void leaky_free_in_irq(struct irq_work *work)
{
	kfree(leaky_irq_object);
}

/* Freed by a hard interrupt on this CPU */
static noinline __noclone bool leaky_blind_irq(int nr)
{
	while (nr--) {
		void *object = kmalloc(LEAKY_BLIND_SIZE, GFP_KERNEL);

		if (!object)
			return leaky_no_memory();
		leaky_charge_object(LEAKY_BLIND_IRQ, object);
		leaky_irq_object = object;
		irq_work_queue(&leaky_irq);
		irq_work_sync(&leaky_irq);
		leaky_uncharge(LEAKY_BLIND_IRQ, 1);
		cond_resched();
	}
	return true;
}

#ifdef alloc_pages_bulk
/* At least one page a call: the pages beyond the first come without an event */
static noinline __noclone bool leaky_blind_alloc_pages_bulk(int nr)
{
	unsigned long i, n;

	for (; nr > 0; nr -= n) {
		struct page *pages[LEAKY_BLIND_BULK] = { };

		n = alloc_pages_bulk(GFP_KERNEL, min(nr, LEAKY_BLIND_BULK), pages);
		if (!n)
			return leaky_no_memory();
		leaky_charge(LEAKY_BLIND_ALLOC_PAGES_BULK, n);
		for (i = 0; i < n; i++)
			__free_page(pages[i]);
		leaky_uncharge(LEAKY_BLIND_ALLOC_PAGES_BULK, n);
		cond_resched();
	}
	return true;
}
#endif

/* 5 pages: 8 come, 3 go back at once */
static noinline __noclone bool leaky_blind_pages_exact(int nr)
{
	while (nr--) {
		void *pages = alloc_pages_exact(5 * PAGE_SIZE, GFP_KERNEL);

		if (!pages)
			return leaky_no_memory();
		leaky_charge(LEAKY_BLIND_PAGES_EXACT, 8);
		free_pages_exact(pages, 5 * PAGE_SIZE);
		leaky_uncharge(LEAKY_BLIND_PAGES_EXACT, 8);
		cond_resched();
	}
	return true;
}

/* Comes as one block, goes page by page */
static noinline __noclone bool leaky_blind_split_page(int nr)
{
	int i;

	while (nr--) {
		struct page *page = alloc_pages(GFP_KERNEL, 2);

		if (!page)
			return leaky_no_memory();
		split_page(page, 2);
		leaky_charge(LEAKY_BLIND_SPLIT_PAGE, 4);
		for (i = 0; i < 4; i++)
			__free_page(page + i);
		leaky_uncharge(LEAKY_BLIND_SPLIT_PAGE, 4);
		cond_resched();
	}
	return true;
}

/* Somebody else holds the first page: the rest goes in blocks of 4, 2 and 1, the first later */
static noinline __noclone bool leaky_blind_extra_ref(int nr)
{
	while (nr--) {
		struct page *page = alloc_pages(GFP_KERNEL, 3);

		if (!page)
			return leaky_no_memory();
		leaky_charge(LEAKY_BLIND_EXTRA_REF, 8);
		get_page(page);
		__free_pages(page, 3);
		put_page(page);
		leaky_uncharge(LEAKY_BLIND_EXTRA_REF, 8);
		cond_resched();
	}
	return true;
}

#ifdef LEAKY_HAS_CONTIG
/*
 * Claims page frames that were free a moment ago. Somebody else may have taken them, which
 * is no failure here: there are nr tries.
 */
static noinline __noclone bool leaky_blind_alloc_contig(int nr)
{
	while (nr--) {
		struct page *page;
		unsigned long pfn;

		page = alloc_pages(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN, pageblock_order);
		if (!page)
			continue;
		pfn = page_to_pfn(page);
		__free_pages(page, pageblock_order);
		if (alloc_contig_range(pfn, pfn + LEAKY_BLIND_BULK, ACR_FLAGS_NONE,
				       GFP_KERNEL | __GFP_NOWARN))
			continue;
		leaky_charge(LEAKY_BLIND_ALLOC_CONTIG, LEAKY_BLIND_BULK);
		free_contig_range(pfn, LEAKY_BLIND_BULK);
		leaky_uncharge(LEAKY_BLIND_ALLOC_CONTIG, LEAKY_BLIND_BULK);
		cond_resched();
	}
	return true;
}
#endif

static noinline __noclone bool leaky_blind_vmalloc(int nr)
{
	while (nr--) {
		void *area = vmalloc(LEAKY_VMALLOC_PAGES * PAGE_SIZE);

		if (!area)
			return leaky_no_memory();
		leaky_charge(LEAKY_BLIND_VMALLOC, LEAKY_VMALLOC_PAGES);
		vfree(area);
		leaky_uncharge(LEAKY_BLIND_VMALLOC, LEAKY_VMALLOC_PAGES);
		cond_resched();
	}
	return true;
}

/* leaky_blind_kfree_rcu_cache() is the last: see leaky_drain() */
static bool (* const leaky_blind_walks[])(int nr) = {
	leaky_blind_kfree_rcu,
#ifdef kfree_rcu_mightsleep
	leaky_blind_kfree_rcu_mightsleep,
#endif
#ifdef kvfree_rcu
	leaky_blind_kvfree_rcu,
#endif
#ifdef LEAKY_HAS_BULK
	leaky_blind_kfree_bulk,
	leaky_blind_cache_free_bulk,
	leaky_blind_cache_alloc_bulk,
#endif
#ifdef kmalloc_nolock
	leaky_blind_nolock,
#endif
	leaky_blind_krealloc,
	leaky_blind_large_kmalloc,
	leaky_blind_cross_cpu,
	leaky_blind_irq,
#ifdef alloc_pages_bulk
	leaky_blind_alloc_pages_bulk,
#endif
	leaky_blind_pages_exact,
	leaky_blind_split_page,
	leaky_blind_extra_ref,
#ifdef LEAKY_HAS_CONTIG
	leaky_blind_alloc_contig,
#endif
	leaky_blind_vmalloc,
	leaky_blind_kfree_rcu_cache,
};

/*
 * Wait until what went through kfree_rcu() is free indeed. Newer kernels have a barrier for
 * it; older ones batch for up to 5 s, and only a cache tells when its last object came home:
 * then shrinking leaves no slab. It must hold no live object when this is called.
 */
static void leaky_drain(void)
{
	unsigned long end = jiffies + msecs_to_jiffies(LEAKY_DRAIN_MS);

	rcu_barrier();
#ifdef LEAKY_HAS_KVFREE_RCU_BARRIER
	kvfree_rcu_barrier();
#endif
	while (kmem_cache_shrink(leaky_cache) && time_before(jiffies, end))
		msleep(20);
	msleep(20);	/* its batch had others beside it */
}

static void leaky_walk_blind(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(leaky_blind_walks); i++)
		if (!leaky_blind_walks[i](leaky_blind))
			pr_warn("blind path %d found no memory\n", i);
	leaky_drain();
}

/* Giving back */

static void leaky_free_object(struct llist_node *node)
{
	kfree(node);
}

static void leaky_free_cached(struct llist_node *node)
{
	kmem_cache_free(leaky_cache, llist_entry(node, struct leaky_object, node));
}

static void leaky_free_pages(struct llist_node *node)
{
	__free_pages(leaky_node_page(node), leaky_order);
}

static void leaky_free_page(struct llist_node *node)
{
	__free_page(leaky_node_page(node));
}

static void leaky_free_area(struct llist_node *node)
{
	vfree(node);
}

/* Everything lost so far; more may be lost meanwhile. */
static void leaky_free_lost(void)
{
	struct llist_node *node, *next;
	int i;

	for (i = 0; i < LEAKY_NR_PATHS; i++) {
		llist_for_each_safe(node, next, llist_del_all(&leaky_paths[i].lost)) {
			leaky_kind->free(node);
			leaky_uncharge(leaky_kind->leak_row, leaky_units);
			atomic_long_sub(leaky_units, &leaky_paths[i].live);
			cond_resched();
		}
	}
}

static const struct leaky_kind leaky_kinds[] = {
	{
		.name = "kmalloc",
		.leak = leaky_leak_kmalloc,
		.churn = leaky_churn_kmalloc,
		.free = leaky_free_object,
		.leak_row = LEAKY_LEAK_KMALLOC,
		.churn_row = LEAKY_CHURN_KMALLOC,
	}, {
		.name = "cache",
		.leak = leaky_leak_cache,
		.churn = leaky_churn_cache,
		.free = leaky_free_cached,
		.leak_row = LEAKY_LEAK_CACHE,
		.churn_row = LEAKY_CHURN_CACHE,
	}, {
		.name = "page",
		.leak = leaky_leak_page,
		.churn = leaky_churn_page,
		.free = leaky_free_pages,
		.leak_row = LEAKY_LEAK_PAGE,
		.churn_row = LEAKY_CHURN_PAGE,
	}, {
		.name = "split",
		.leak = leaky_leak_split,
		.churn = leaky_churn_split,
		.free = leaky_free_page,
		.leak_row = LEAKY_LEAK_SPLIT,
		.churn_row = LEAKY_CHURN_SPLIT,
	}, {
		.name = "vmalloc",
		.leak = leaky_leak_vmalloc,
		.churn = leaky_churn_vmalloc,
		.free = leaky_free_area,
		.leak_row = LEAKY_LEAK_VMALLOC,
		.churn_row = LEAKY_CHURN_VMALLOC,
	}, {
		.name = "softirq",
		.leak = leaky_leak_softirq,
		.churn = leaky_churn_softirq,
		.free = leaky_free_object,
		.leak_row = LEAKY_LEAK_SOFTIRQ,
		.churn_row = LEAKY_CHURN_SOFTIRQ,
		.softirq = true,
	}, {
		.name = "rcu",
		.leak = leaky_leak_rcu,
		.churn = leaky_churn_rcu,
		.free = leaky_free_object,
		.leak_row = LEAKY_LEAK_RCU,
		.churn_row = LEAKY_CHURN_RCU,
	}, {
		/* nothing leaks; churn, if any, is kmalloc's */
		.name = "none",
		.churn = leaky_churn_kmalloc,
		.churn_row = LEAKY_CHURN_KMALLOC,
	},
};

/* Driving */

static noinline __noclone bool leaky_helper(struct leaky_path *path)
{
	bool done = leaky_kind->leak(path);

	barrier();	/* a call, no jump */
	return done;
}

static noinline __noclone bool leaky_path_a(void)
{
	bool done = leaky_helper(&leaky_paths[LEAKY_PATH_A]);

	barrier();
	return done;
}

static noinline __noclone bool leaky_path_b(void)
{
	bool done = leaky_helper(&leaky_paths[LEAKY_PATH_B]);

	barrier();
	return done;
}

static bool leaky_step_leak(void)
{
	bool done = leaky_nr_leaked % 4 == 3 ? leaky_path_b() : leaky_path_a();

	leaky_nr_leaked += done;
	return done;
}

static bool leaky_step_churn(void)
{
	bool done = leaky_kind->churn();

	leaky_nr_churned += done;
	return done;
}

/* The one call of step here must not be peeled or inlined: it would make two paths of one. */
static noinline __noclone long leaky_chunk(bool (*step)(void), long nr)
{
	long done = 0;

	while (done < nr && step())
		done++;
	return done;
}

static void leaky_job_irq(struct irq_work *work)
{
	tasklet_schedule(&leaky_job.tasklet);
}

static void leaky_job_tasklet(struct tasklet_struct *tasklet)
{
	struct leaky_job *job = &leaky_job;

	job->nr_done = leaky_chunk(job->step, job->nr);
	complete(&job->done);
}

static long leaky_chunk_in_softirq(bool (*step)(void), long nr)
{
	struct leaky_job *job = &leaky_job;

	job->step = step;
	job->nr = nr;
	reinit_completion(&job->done);
	irq_work_queue(&job->irq);
	wait_for_completion(&job->done);
	return job->nr_done;
}

/* Do nr steps, or fewer if memory runs out, if told to stop or if killed while loading. */
static void leaky_steps(bool (*step)(void), long nr, bool softirq)
{
	while (nr > 0 && !READ_ONCE(leaky_stopping) && !fatal_signal_pending(current)) {
		long chunk = min_t(long, nr, LEAKY_CHUNK);
		long done;

		if (softirq)
			done = leaky_chunk_in_softirq(step, chunk);
		else
			done = leaky_chunk(step, chunk);
		if (done < chunk)
			return;
		nr -= chunk;
		cond_resched();
	}
}

/* How many of a rate are due this tick; what does not divide is carried over. */
static long leaky_due(int rate, int every, long *carry, long left)
{
	long due;

	*carry += rate;
	due = *carry / (LEAKY_TICKS * every);
	*carry %= LEAKY_TICKS * every;
	return min(due, left);
}

static long leaky_left(int total, long done)
{
	return total ? total - done : LONG_MAX;
}

/* A batch of everything; each line does nothing once its total is reached. */
static void leaky_tick(long *carry)
{
	bool softirq = leaky_kind->softirq;
	long nr;

	if (leaky_kind->leak) {
		nr = leaky_due(leaky_rate, leaky_every, &carry[0],
			       leaky_left(leaky_count, leaky_nr_leaked));
		leaky_steps(leaky_step_leak, nr, softirq);
	}
	nr = leaky_due(leaky_churn, 1, &carry[1], leaky_left(leaky_churn_count, leaky_nr_churned));
	leaky_steps(leaky_step_churn, nr, softirq);
	nr = leaky_due(leaky_rate, 1, &carry[2], leaky_innocents - leaky_nr_kept);
	leaky_steps(leaky_innocent, nr, false);
}

static int leaky_thread(void *unused)
{
	unsigned long next = jiffies;
	long carry[3] = { };

	while (!kthread_should_stop()) {
		leaky_tick(carry);

		/* late by a tick or more: go on from now, do not make up for it in a burst */
		next += HZ / LEAKY_TICKS;
		if (time_after(jiffies, next))
			next = jiffies;
		while (time_before(jiffies, next)) {
			set_current_state(TASK_IDLE);
			if (kthread_should_stop())
				break;
			schedule_timeout(next - jiffies);
		}
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

static void leaky_stop(void)
{
	mutex_lock(&leaky_stop_lock);
	WRITE_ONCE(leaky_stopping, true);
	if (leaky_task)
		kthread_stop(leaky_task);
	leaky_task = NULL;
	mutex_unlock(&leaky_stop_lock);
}

/* debugfs */

static int leaky_truth_show(struct seq_file *m, void *unused)
{
	struct leaky_row *row;
	char line[128];
	int i;

	seq_puts(m, "FUNCTION CLASS LIVE SIZE-B ALLOCS FREES\n");
	for (row = leaky_rows; row < leaky_rows + LEAKY_NR_ROWS; row++)
		if (leaky_row_shown(row))
			seq_printf(m, "%s\n", leaky_row_print(row, line, sizeof(line)));
	for (i = 0; leaky_kind->leak && i < LEAKY_NR_PATHS; i++)
		seq_printf(m, "%s\n", leaky_path_print(&leaky_paths[i], line, sizeof(line)));
	seq_printf(m, "# failed %ld\n", atomic_long_read(&leaky_failed));
	seq_printf(m, "# high %ld\n", atomic_long_read(&leaky_nr_high));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(leaky_truth);

static ssize_t leaky_stop_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	leaky_stop();
	return len;
}

static const struct file_operations leaky_stop_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = leaky_stop_write,
	.llseek = noop_llseek,
};

static ssize_t leaky_free_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	leaky_free_lost();
	return len;
}

static const struct file_operations leaky_free_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = leaky_free_write,
	.llseek = noop_llseek,
};

/* Load and unload */

static int leaky_check_range(const char *name, int value, int min, int max, const char *when)
{
	if (value >= min && value <= max)
		return 0;
	pr_err("%s=%d is out of range %d..%d%s\n", name, value, min, max, when);
	return -EINVAL;
}

static int leaky_check_kind(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(leaky_kinds); i++) {
		if (!strcmp(leaky_kind_name, leaky_kinds[i].name)) {
			leaky_kind = &leaky_kinds[i];
			return 0;
		}
	}
	pr_err("kind=%s is none of kmalloc, cache, page, split, vmalloc, softirq, rcu, none\n",
	       leaky_kind_name);
	return -EINVAL;
}

/* Names the first bad parameter only. */
static int leaky_check(void)
{
	return leaky_check_kind() ?:
	       leaky_check_range("size", leaky_size, 8, LEAKY_SIZE_MAX, "") ?:
	       leaky_check_range("order", leaky_order, 0, 9, "") ?:
	       leaky_check_range("rate", leaky_rate, 0, LEAKY_RATE_MAX, "") ?:
	       leaky_check_range("every", leaky_every, 1, 86400, "") ?:
	       leaky_check_range("count", leaky_count, 0, INT_MAX, "") ?:
	       leaky_check_range("churn", leaky_churn, 0, LEAKY_RATE_MAX, "") ?:
	       leaky_check_range("churn_count", leaky_churn_count, 0, INT_MAX, "") ?:
	       leaky_check_range("innocent", leaky_innocents, 0, INT_MAX, "") ?:
	       leaky_check_range("blind", leaky_blind, 0, LEAKY_RATE_MAX, "") ?:
	       (leaky_kind->leak == leaky_leak_rcu ?
		leaky_check_range("size", leaky_size, sizeof(struct leaky_rcu), LEAKY_SIZE_MAX,
				  " with kind=rcu") : 0) ?:
	       (leaky_kind->leak && !leaky_rate ?
		leaky_check_range("count", leaky_count, 1, INT_MAX, " with rate=0") : 0);
}

/* A cache with a constructor is never merged with another one. */
static void leaky_construct(void *object)
{
	memset(object, 0, LEAKY_CACHE_SIZE);
}

static int leaky_cache_init(void)
{
	if (leaky_kind->leak != leaky_leak_cache && !leaky_blind)
		return 0;
	leaky_cache = kmem_cache_create("leaky_object", LEAKY_CACHE_SIZE, 0, 0, leaky_construct);
	if (!leaky_cache) {
		pr_err("cannot create the cache leaky_object\n");
		return -ENOMEM;
	}
	return 0;
}

/*
 * The kernel complains, and rightly, when a cache is destroyed that still has objects. So a
 * cache with leaks is left alone, for ever, unless the complaint is asked for. Nobody
 * allocates from it any more, so its constructor is not called when it is gone. A later
 * load makes a cache of its own, of the same name.
 */
static void leaky_cache_exit(void)
{
	struct leaky_row *row = &leaky_rows[LEAKY_LEAK_CACHE];
	long live = atomic_long_read(&row->allocs) - atomic_long_read(&row->frees);

	if (!leaky_cache)
		return;
	if (live && !leaky_destroy) {
		pr_info("cache leaky_object stays, with %ld objects\n", live);
		return;
	}
	if (!live)
		leaky_drain();
	kmem_cache_destroy(leaky_cache);
}

static void leaky_job_init(void)
{
	init_completion(&leaky_job.done);
	init_irq_work(&leaky_job.irq, leaky_job_irq);
	tasklet_setup(&leaky_job.tasklet, leaky_job_tasklet);
	init_irq_work(&leaky_irq, leaky_free_in_irq);
}

/*
 * The driver is gone before this is called, and with it all that it waited for: no new job
 * can start. The tasklet completes a job before it returns, so its end is waited for here,
 * and the end of the interrupt that raised it.
 */
static void leaky_job_exit(void)
{
	irq_work_sync(&leaky_job.irq);
	irq_work_sync(&leaky_irq);
	tasklet_kill(&leaky_job.tasklet);
}

static void leaky_rows_init(void)
{
	switch (leaky_kind->leak_row) {
	case LEAKY_LEAK_PAGE:
		leaky_units = 1L << leaky_order;
		break;
	case LEAKY_LEAK_VMALLOC:
		leaky_units = LEAKY_VMALLOC_PAGES;
		break;
	default:
		leaky_units = 1;
	}
	if (leaky_kind->leak)
		leaky_rows[leaky_kind->leak_row].used = true;
	if (leaky_churn)
		leaky_rows[leaky_kind->churn_row].used = true;
	if (leaky_innocents)
		leaky_rows[LEAKY_INNOCENT].used = true;
}

/* What is done before the load is done. Not __init: it is on the paths, and they have names. */
static noinline void leaky_load(void)
{
	if (leaky_blind)
		leaky_walk_blind();
	if (leaky_rate)
		return;
	if (leaky_kind->leak)
		leaky_steps(leaky_step_leak, leaky_count, leaky_kind->softirq);
	leaky_steps(leaky_step_churn, leaky_churn, leaky_kind->softirq);
	leaky_steps(leaky_innocent, leaky_innocents, false);
	barrier();
}

static int __init leaky_init(void)
{
	struct task_struct *task;
	int err;

	err = leaky_check();
	if (err)
		return err;
	err = leaky_cache_init();
	if (err)
		return err;
	leaky_rows_init();
	leaky_job_init();
	leaky_load();
	leaky_log_truth("load");

	/* the files come last: a write to stop finds the kthread */
	if (leaky_rate) {
		task = kthread_run(leaky_thread, NULL, "leaky");
		if (IS_ERR(task)) {
			pr_err("no kthread: %ld\n", PTR_ERR(task));
			leaky_job_exit();
			leaky_cache_exit();
			return PTR_ERR(task);
		}
		leaky_task = task;
	}

	leaky_dir = debugfs_create_dir("leaky", NULL);
	debugfs_create_file("truth", 0400, leaky_dir, NULL, &leaky_truth_fops);
	debugfs_create_file("stop", 0200, leaky_dir, NULL, &leaky_stop_fops);
	debugfs_create_file("free", 0200, leaky_dir, NULL, &leaky_free_fops);
	return 0;
}

/*
 * What leaked stays leaked. Order: the files go first, so that nobody is in stop or free;
 * then the kthread, who drives; then what it may have left in interrupts.
 */
static void __exit leaky_exit(void)
{
	debugfs_remove_recursive(leaky_dir);
	leaky_stop();
	leaky_job_exit();
	leaky_free_innocents();
	leaky_log_truth("exit");
	leaky_cache_exit();
}

module_init(leaky_init);
module_exit(leaky_exit);

MODULE_DESCRIPTION("Leaks kernel memory on purpose and says how much");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/*
 * The hooks of class slab: the four kmem events, and the paths that have none.
 *
 * Every object that the allocator hands out or takes back passes one of these, 5.10 to 7.x; the
 * proof is in Documentation/design.rst.
 */
#include <linux/slab.h>		/* before the events, which do not include it */
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <trace/events/kmem.h>
#include <compat/percpu.h>
#include <compat/regs.h>
#include <compat/trace.h>
#include <leakwatch/cache.h>
#include <leakwatch/door.h>
#include <leakwatch/hook.h>

enum {
	KFREE, CACHE_FREE, FREE_BULK, FREE_RCU, FREE_RCU_NOLOCK, FREE_NOLOCK, DESTROY,
	KMALLOC, CACHE_ALLOC, KMALLOC_NODE, CACHE_ALLOC_NODE, ALLOC_BULK, KMALLOC_NOLOCK,
	NR_HOOKS
};

static DEFINE_PER_CPU(unsigned long, events[NR_HOOKS]);

#define event(nr) lw_count_inc(events[nr])

/* The flags by which kmalloc() chooses among caches of one size. */
static __always_inline u32 type_of(gfp_t gfp)
{
	return (__force u32)(gfp & (__GFP_DMA | __GFP_RECLAIMABLE | __GFP_ACCOUNT));
}

static_assert((__force u32)(__GFP_DMA | __GFP_RECLAIMABLE | __GFP_ACCOUNT) < 1 << 24);

/* kmalloc: with a node from 6.1 on. */

static __always_inline void kmalloc_event(unsigned long call_site, const void *object,
					  size_t bytes, gfp_t gfp)
{
	lw_what_t what = lw_what_kmalloc(bytes, type_of(gfp));

	if (unlikely(bytes > KMALLOC_MAX_CACHE_SIZE) && lw_hooks_class(LW_PAGE))
		lw_large_alloc(call_site, object, what);
	else
		lw_object_alloc(call_site, object, what);
}

static void kmalloc_of_node(void *data, unsigned long call_site, const void *object, size_t req,
			    size_t bytes, gfp_t gfp, int node)
{
	event(KMALLOC);
	kmalloc_event(call_site, object, bytes, gfp);
}

static void kmalloc_plain(void *data, unsigned long call_site, const void *object, size_t req,
			  size_t bytes, gfp_t gfp)
{
	event(KMALLOC);
	kmalloc_event(call_site, object, bytes, gfp);
}

/* kmem_cache_alloc: names the cache from 6.1 on, before that its size. */

/* A cache that finds no number is told by its size. */
static __always_inline lw_what_t what_of(struct kmem_cache *cache)
{
	u32 nr = lw_cache_get(cache);

	return likely(nr) ? lw_what_cache(nr) : lw_what_kmalloc(kmem_cache_size(cache), 0);
}

static void cache_alloc_of_cache(void *data, unsigned long call_site, const void *object,
				 struct kmem_cache *cache, gfp_t gfp, int node)
{
	event(CACHE_ALLOC);
	lw_object_alloc(call_site, object, what_of(cache));
}

static void cache_alloc_of_size(void *data, unsigned long call_site, const void *object, size_t req,
				size_t bytes, gfp_t gfp)
{
	event(CACHE_ALLOC);
	kmalloc_event(call_site, object, bytes, gfp);
}

#ifdef LW_HAVE_NODE_EVENTS
static void kmalloc_node_plain(void *data, unsigned long call_site, const void *object, size_t req,
			       size_t bytes, gfp_t gfp, int node)
{
	event(KMALLOC_NODE);
	kmalloc_event(call_site, object, bytes, gfp);
}

static void cache_alloc_node_plain(void *data, unsigned long call_site, const void *object,
				   size_t req, size_t bytes, gfp_t gfp, int node)
{
	event(CACHE_ALLOC_NODE);
	kmalloc_event(call_site, object, bytes, gfp);
}

#define NODE_EVENT(name, fn) .trace = LW_ADAPTER_1(name, fn)
#else
#define NODE_EVENT(name, fn) .trace = NULL
#endif

/* Frees: kmem_cache_free names the cache's name from 5.12, the cache from 6.1 on. */

static void kfree_plain(void *data, unsigned long call_site, const void *object)
{
	event(KFREE);
	lw_object_free(object);
}

static void cache_free_of_cache(void *data, unsigned long call_site, const void *object,
				const struct kmem_cache *cache)
{
	event(CACHE_FREE);
	lw_object_free(object);
}

static void cache_free_of_name(void *data, unsigned long call_site, const void *object,
			       const char *cache)
{
	event(CACHE_FREE);
	lw_object_free(object);
}

static void cache_free_plain(void *data, unsigned long call_site, const void *object)
{
	event(CACHE_FREE);
	lw_object_free(object);
}

/* Frees without an event. */

/* void kmem_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **object) */
static void free_bulk(unsigned long cache, unsigned long nr, unsigned long objects)
{
	void **object = (void **)objects;
	unsigned long i;

	event(FREE_BULK);
	for (i = 0; i < nr; i++)
		lw_object_free(object[i]);
}

/*
 * void kvfree_call_rcu(struct rcu_head *head, rcu_callback_t func), until 6.1: func is the offset
 * of head in the object, or the object itself if head is NULL; from 6.2 on it is always the object.
 * The kernel refuses offsets from 4096 on, and no object lies below.
 */
static const void *of_rcu(unsigned long head, unsigned long object)
{
	return (const void *)(head && object < 4096 ? head - object : object);
}

static void free_rcu(unsigned long head, unsigned long object, unsigned long unused)
{
	event(FREE_RCU);
	lw_object_give(of_rcu(head, object));
}

static void free_rcu_nolock(unsigned long head, unsigned long object, unsigned long unused)
{
	event(FREE_RCU_NOLOCK);
	lw_object_give(of_rcu(head, object));
}

/* void kfree_nolock(const void *object) */
static void free_nolock(unsigned long object, unsigned long unused1, unsigned long unused2)
{
	event(FREE_NOLOCK);
	lw_object_free((const void *)object);
}

/* void kmem_cache_destroy(struct kmem_cache *cache) */
static void destroy(unsigned long cache, unsigned long unused1, unsigned long unused2)
{
	event(DESTROY);
	lw_cache_destroyed((const struct kmem_cache *)cache);
}

/* Allocations without an event: the site is found at the entry, the objects at the return. */

struct bulk {
	u32 site;
	size_t nr;
	void **object;
};

/*
 * int or bool kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t nr, void **object)
 */
static void alloc_bulk_enter(void *data, struct pt_regs *regs)
{
	struct bulk *bulk = data;
	struct kmem_cache *cache = (struct kmem_cache *)lw_regs_arg(regs, 0);

	bulk->site = lw_site_at(what_of(cache), regs);
	bulk->nr = lw_regs_arg(regs, 2);
	bulk->object = (void **)lw_regs_arg(regs, 3);
}

static void alloc_bulk_leave(void *data, struct pt_regs *regs)
{
	struct bulk *bulk = data;
	size_t i;

	event(ALLOC_BULK);
	if (!(u32)lw_regs_result(regs))
		return;
	for (i = 0; i < bulk->nr; i++)
		lw_object_put(bulk->site, bulk->object[i]);
}

/* void *_kmalloc_nolock_noprof(size_t bytes, ...) */
static void kmalloc_nolock_enter(void *data, struct pt_regs *regs)
{
	*(u32 *)data = lw_site_at(lw_what_kmalloc(lw_regs_arg(regs, 0), 0), regs);
}

static void kmalloc_nolock_leave(void *data, struct pt_regs *regs)
{
	const void *object = (const void *)lw_regs_result(regs);

	event(KMALLOC_NOLOCK);
	if (object)
		lw_object_put(*(u32 *)data, object);
}

struct lw_hook lw_kmem_hooks[] = {
	[KFREE] = {
		.events = &events[KFREE],
		.name = "kfree", .type = LW_TRACE, .frees = true, .needed = true,
		.trace = LW_ADAPTER_1(kfree, kfree_plain),
	},
	[CACHE_FREE] = {
		.events = &events[CACHE_FREE],
		.name = "kmem_cache_free", .type = LW_TRACE, .frees = true, .needed = true,
		.trace = LW_ADAPTER_3(kmem_cache_free, cache_free_of_cache, cache_free_of_name,
				      cache_free_plain),
	},
	[FREE_BULK] = {
		.events = &events[FREE_BULK],
		.name = "kmem_cache_free_bulk", .type = LW_ENTRY, .frees = true,
		.symbol = { "kmem_cache_free_bulk" }, .entry = free_bulk,
	},
	[FREE_RCU] = {
		.events = &events[FREE_RCU],
		.name = "kvfree_call_rcu", .type = LW_ENTRY, .frees = true,
		.symbol = { "kvfree_call_rcu" }, .entry = free_rcu,
	},
	[FREE_RCU_NOLOCK] = {
		.events = &events[FREE_RCU_NOLOCK],
		.name = "kfree_call_rcu_nolock", .type = LW_ENTRY, .frees = true,
		.symbol = { "kfree_call_rcu_nolock" }, .entry = free_rcu_nolock,
	},
	[FREE_NOLOCK] = {
		.events = &events[FREE_NOLOCK],
		.name = "kfree_nolock", .type = LW_ENTRY, .frees = true,
		.symbol = { "kfree_nolock" }, .entry = free_nolock,
	},
	[DESTROY] = {
		.events = &events[DESTROY],
		.name = "kmem_cache_destroy", .type = LW_ENTRY, .frees = true,
		.symbol = { "kmem_cache_destroy" }, .entry = destroy,
	},
	[KMALLOC] = {
		.events = &events[KMALLOC],
		.name = "kmalloc", .type = LW_TRACE, .needed = true,
		.trace = LW_ADAPTER_2(kmalloc, kmalloc_of_node, kmalloc_plain),
	},
	[CACHE_ALLOC] = {
		.events = &events[CACHE_ALLOC],
		.name = "kmem_cache_alloc", .type = LW_TRACE, .needed = true,
		.trace = LW_ADAPTER_2(kmem_cache_alloc, cache_alloc_of_cache, cache_alloc_of_size),
	},
	[KMALLOC_NODE] = {
		.events = &events[KMALLOC_NODE],
		.name = "kmalloc_node", .type = LW_TRACE,
		NODE_EVENT(kmalloc_node, kmalloc_node_plain),
	},
	[CACHE_ALLOC_NODE] = {
		.events = &events[CACHE_ALLOC_NODE],
		.name = "kmem_cache_alloc_node", .type = LW_TRACE,
		NODE_EVENT(kmem_cache_alloc_node, cache_alloc_node_plain),
	},
	[ALLOC_BULK] = {
		.events = &events[ALLOC_BULK],
		.name = "kmem_cache_alloc_bulk", .type = LW_RETURN,
		.symbol = { "kmem_cache_alloc_bulk_noprof", "kmem_cache_alloc_bulk" },
		.enter = alloc_bulk_enter, .leave = alloc_bulk_leave, .data = sizeof(struct bulk),
	},
	[KMALLOC_NOLOCK] = {
		.events = &events[KMALLOC_NOLOCK],
		.name = "kmalloc_nolock", .type = LW_RETURN,
		.symbol = { "_kmalloc_nolock_noprof", "kmalloc_nolock_noprof" },
		.enter = kmalloc_nolock_enter, .leave = kmalloc_nolock_leave, .data = sizeof(u32),
	},
};

const unsigned int lw_nr_kmem_hooks = NR_HOOKS;

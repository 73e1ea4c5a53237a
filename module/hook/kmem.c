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
#include <compat/slab.h>
#include <compat/trace.h>
#include <leakwatch/cache.h>
#include <leakwatch/door.h>
#include <leakwatch/hook.h>
#include <leakwatch/sample.h>

enum {
	KFREE, CACHE_FREE, FREE_BULK, FREE_RCU, FREE_RCU_NOLOCK, FREE_NOLOCK, DESTROY,
	KMALLOC, CACHE_ALLOC, KMALLOC_NODE, CACHE_ALLOC_NODE, ALLOC_BULK, KMALLOC_NOLOCK,
	NR_HOOKS
};

static DEFINE_PER_CPU(unsigned long, events[NR_HOOKS]);

#define event(nr) lw_count_inc(events[nr])

/* kmalloc: with a node from 6.1 on; in 6.0, and RHEL's 5.14, with the cache, too. */

static __always_inline void kmalloc_event(unsigned long call_site, const void *object,
					  size_t bytes, gfp_t gfp)
{
	lw_object_alloc(call_site, object, lw_what_kmalloc(bytes, lw_kmalloc_type(gfp)));
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

static void kmalloc_of_both(void *data, unsigned long call_site, const void *object,
			    struct kmem_cache *cache, size_t req, size_t bytes, gfp_t gfp)
{
	event(KMALLOC);
	kmalloc_event(call_site, object, bytes, gfp);
}

/*
 * From 6.12 on a large kmalloc is announced twice, the caller last, with no event between: that is
 * one draw. Whether it was is told by the counts of events; who comes between makes it two.
 */
static DEFINE_PER_CPU(struct large {
	const void *object;
	unsigned long kmallocs;
	unsigned long kfrees;
	bool drawn;
}, large_last);

static bool is_again(const void *object)
{
	return this_cpu_read(large_last.object) == object &&
	       this_cpu_read(large_last.kmallocs) + 1 == this_cpu_read(events[KMALLOC]) &&
	       this_cpu_read(large_last.kfrees) == this_cpu_read(events[KFREE]);
}

static noinline __noclone void large_sampled(void *data, unsigned long call_site,
					     const void *object, size_t req, size_t bytes,
					     gfp_t gfp)
{
	bool drawn = is_again(object) ? this_cpu_read(large_last.drawn) :
		     lw_sample_due(bytes) && lw_sample_take();

	this_cpu_write(large_last.object, object);
	this_cpu_write(large_last.kmallocs, this_cpu_read(events[KMALLOC]));
	this_cpu_write(large_last.kfrees, this_cpu_read(events[KFREE]));
	this_cpu_write(large_last.drawn, drawn);
	if (drawn)
		lw_object_alloc_drawn(call_site, object,
				      lw_what_kmalloc(bytes, lw_kmalloc_type(gfp)));
}

/* All parameters of the event, and no clone that has others: so nothing is moved to get here. */
static noinline __noclone void kmalloc_due(void *data, unsigned long call_site,
					   const void *object, size_t req, size_t bytes,
					   gfp_t gfp)
{
	if (lw_sample_take())
		lw_object_alloc_drawn(call_site, object,
				      lw_what_kmalloc(bytes, lw_kmalloc_type(gfp)));
}

static __always_inline void kmalloc_sampled(void *data, unsigned long call_site, const void *object,
					    size_t req, size_t bytes, gfp_t gfp)
{
	if (unlikely(bytes > KMALLOC_MAX_CACHE_SIZE))
		return large_sampled(data, call_site, object, req, bytes, gfp);
	if (lw_sample_due(bytes))
		kmalloc_due(data, call_site, object, req, bytes, gfp);
}

static void kmalloc_of_node_sampled(void *data, unsigned long call_site, const void *object,
				    size_t req, size_t bytes, gfp_t gfp, int node)
{
	event(KMALLOC);
	kmalloc_sampled(data, call_site, object, req, bytes, gfp);
}

static void kmalloc_plain_sampled(void *data, unsigned long call_site, const void *object,
				  size_t req, size_t bytes, gfp_t gfp)
{
	event(KMALLOC);
	kmalloc_sampled(data, call_site, object, req, bytes, gfp);
}

static void kmalloc_of_both_sampled(void *data, unsigned long call_site, const void *object,
				    struct kmem_cache *cache, size_t req, size_t bytes, gfp_t gfp)
{
	event(KMALLOC);
	kmalloc_sampled(data, call_site, object, req, bytes, gfp);
}

/* kmem_cache_alloc: names the cache from 6.1 on, before that its size, in 6.0 both. */

/* A cache that finds no number is told by its size. */
static __always_inline lw_what_t what_of(struct kmem_cache *cache)
{
	u32 nr = lw_cache_get(cache);

	return likely(nr) ? lw_what_cache(nr) : lw_what_kmalloc(lw_cache_bytes(cache), 0);
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

static void cache_alloc_of_both(void *data, unsigned long call_site, const void *object,
				struct kmem_cache *cache, size_t req, size_t bytes, gfp_t gfp)
{
	event(CACHE_ALLOC);
	lw_object_alloc(call_site, object, what_of(cache));
}

static noinline __noclone void cache_due(void *data, unsigned long call_site, const void *object,
					 struct kmem_cache *cache)
{
	if (lw_sample_take())
		lw_object_alloc_drawn(call_site, object, what_of(cache));
}

static void cache_alloc_of_cache_sampled(void *data, unsigned long call_site, const void *object,
					 struct kmem_cache *cache, gfp_t gfp, int node)
{
	event(CACHE_ALLOC);
	if (lw_sample_due(lw_cache_bytes(cache)))
		cache_due(data, call_site, object, cache);
}

static void cache_alloc_of_size_sampled(void *data, unsigned long call_site, const void *object,
					size_t req, size_t bytes, gfp_t gfp)
{
	event(CACHE_ALLOC);
	kmalloc_sampled(data, call_site, object, req, bytes, gfp);
}

static void cache_alloc_of_both_sampled(void *data, unsigned long call_site, const void *object,
					struct kmem_cache *cache, size_t req, size_t bytes,
					gfp_t gfp)
{
	event(CACHE_ALLOC);
	if (lw_sample_due(bytes))
		cache_due(data, call_site, object, cache);
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

static void kmalloc_node_plain_sampled(void *data, unsigned long call_site, const void *object,
				       size_t req, size_t bytes, gfp_t gfp, int node)
{
	event(KMALLOC_NODE);
	kmalloc_sampled(data, call_site, object, req, bytes, gfp);
}

static void cache_alloc_node_plain_sampled(void *data, unsigned long call_site, const void *object,
					   size_t req, size_t bytes, gfp_t gfp, int node)
{
	event(CACHE_ALLOC_NODE);
	kmalloc_sampled(data, call_site, object, req, bytes, gfp);
}

static void kmalloc_node_of_both(void *data, unsigned long call_site, const void *object,
				 struct kmem_cache *cache, size_t req, size_t bytes, gfp_t gfp,
				 int node)
{
	event(KMALLOC_NODE);
	kmalloc_event(call_site, object, bytes, gfp);
}

static void cache_alloc_node_of_both(void *data, unsigned long call_site, const void *object,
				     struct kmem_cache *cache, size_t req, size_t bytes, gfp_t gfp,
				     int node)
{
	event(CACHE_ALLOC_NODE);
	lw_object_alloc(call_site, object, what_of(cache));
}

static void kmalloc_node_of_both_sampled(void *data, unsigned long call_site, const void *object,
					 struct kmem_cache *cache, size_t req, size_t bytes,
					 gfp_t gfp, int node)
{
	event(KMALLOC_NODE);
	kmalloc_sampled(data, call_site, object, req, bytes, gfp);
}

static void cache_alloc_node_of_both_sampled(void *data, unsigned long call_site,
					     const void *object, struct kmem_cache *cache,
					     size_t req, size_t bytes, gfp_t gfp, int node)
{
	event(CACHE_ALLOC_NODE);
	if (lw_sample_due(bytes))
		cache_due(data, call_site, object, cache);
}

#define NODE_EVENT(name, a, b)							\
	.trace = LW_ADAPTER_2(name, a, b),					\
	.sampled = LW_ADAPTER_2(name, a##_sampled, b##_sampled)
#else
#define NODE_EVENT(name, a, b) .trace = NULL
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

static void kfree_plain_sampled(void *data, unsigned long call_site, const void *object)
{
	event(KFREE);
	lw_object_free_drawn(object);
}

static void cache_free_of_cache_sampled(void *data, unsigned long call_site, const void *object,
					const struct kmem_cache *cache)
{
	event(CACHE_FREE);
	lw_object_free_drawn(object);
}

static void cache_free_of_name_sampled(void *data, unsigned long call_site, const void *object,
				       const char *cache)
{
	event(CACHE_FREE);
	lw_object_free_drawn(object);
}

static void cache_free_plain_sampled(void *data, unsigned long call_site, const void *object)
{
	event(CACHE_FREE);
	lw_object_free_drawn(object);
}

/* Frees without an event, in either mode. */

/* What is given up is free: in sampled mode nobody asks what became of it. */
static void give_either(const void *object)
{
	if (lw_sampled())
		lw_object_free_drawn(object);
	else
		lw_object_give(object);
}

/* void kmem_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **object) */
static void free_bulk(unsigned long cache, unsigned long nr, unsigned long objects)
{
	void **object = (void **)objects;
	unsigned long i;

	for (i = 0; i < nr; i++)
		lw_object_free_either(object[i]);
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
	give_either(of_rcu(head, object));
}

static void free_rcu_nolock(unsigned long head, unsigned long object, unsigned long unused)
{
	give_either(of_rcu(head, object));
}

/* void kfree_nolock(const void *object) */
static void free_nolock(unsigned long object, unsigned long unused1, unsigned long unused2)
{
	lw_object_free_either((const void *)object);
}

/* void kmem_cache_destroy(struct kmem_cache *cache) */
static void destroy(unsigned long cache, unsigned long unused1, unsigned long unused2)
{
	lw_cache_destroyed((const struct kmem_cache *)cache);
}

/* Allocations without an event: the site is found at the entry, the objects at the return. */

struct bulk {
	struct lw_draw draw;
	bool none;		/* of them will be drawn */
	u32 site;
	u32 bytes;
	size_t nr;
	void **object;
};

static u32 site_now(lw_what_t what, const struct lw_draw *draw, struct pt_regs *regs)
{
	return lw_site_at(lw_what_drawn(what, draw->rate), regs);
}

/*
 * int or bool kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t nr, void **object)
 */
static void alloc_bulk_enter(void *data, struct pt_regs *regs)
{
	struct bulk *bulk = data;
	struct kmem_cache *cache = (struct kmem_cache *)lw_regs_arg(regs, 0);

	bulk->bytes = lw_cache_bytes(cache);
	bulk->nr = lw_regs_arg(regs, 2);
	bulk->object = (void **)lw_regs_arg(regs, 3);
	bulk->none = !lw_draw_begin(&bulk->draw, bulk->nr * bulk->bytes);
	if (!bulk->none)
		bulk->site = site_now(what_of(cache), &bulk->draw, regs);
}

static void alloc_bulk_leave(void *data, struct pt_regs *regs)
{
	struct bulk *bulk = data;
	size_t i;

	if (!lw_bulk_result(regs) || bulk->none)
		return;
	for (i = 0; i < bulk->nr; i++)
		if (lw_draw_next(&bulk->draw, bulk->bytes))
			lw_object_put(bulk->site, bulk->object[i]);
}

/* void *_kmalloc_nolock_noprof(size_t bytes, ...) */
struct nolock {
	bool none;
	u32 site;
};

static void kmalloc_nolock_enter(void *data, struct pt_regs *regs)
{
	size_t bytes = lw_kmalloc_bytes(lw_regs_arg(regs, 0));
	struct nolock *nolock = data;
	struct lw_draw draw;

	nolock->none = !lw_draw_begin(&draw, bytes);
	if (!nolock->none)
		nolock->site = site_now(lw_what_kmalloc(bytes, 0), &draw, regs);
}

static void kmalloc_nolock_leave(void *data, struct pt_regs *regs)
{
	const void *object = (const void *)lw_regs_result(regs);
	struct nolock *nolock = data;

	if (!object || nolock->none)
		return;
	lw_site_learn(nolock->site, object);
	lw_object_put(nolock->site, object);
}

struct lw_hook lw_kmem_hooks[] = {
	[KFREE] = {
		.events = &events[KFREE],
		.name = "kfree", .type = LW_TRACE, .frees = true, .needed = true,
		.trace = LW_ADAPTER_1(kfree, kfree_plain),
		.sampled = LW_ADAPTER_1(kfree, kfree_plain_sampled),
	},
	[CACHE_FREE] = {
		.events = &events[CACHE_FREE],
		.name = "kmem_cache_free", .type = LW_TRACE, .frees = true, .needed = true,
		.late = LW_CACHE_FREE_LATE,
		.trace = LW_ADAPTER_3(kmem_cache_free, cache_free_of_cache, cache_free_of_name,
				      cache_free_plain),
		.sampled = LW_ADAPTER_3(kmem_cache_free, cache_free_of_cache_sampled,
					cache_free_of_name_sampled, cache_free_plain_sampled),
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
		.trace = LW_ADAPTER_3(kmalloc, kmalloc_of_node, kmalloc_of_both, kmalloc_plain),
		.sampled = LW_ADAPTER_3(kmalloc, kmalloc_of_node_sampled, kmalloc_of_both_sampled,
					kmalloc_plain_sampled),
	},
	[CACHE_ALLOC] = {
		.events = &events[CACHE_ALLOC],
		.name = "kmem_cache_alloc", .type = LW_TRACE, .needed = true,
		.trace = LW_ADAPTER_3(kmem_cache_alloc, cache_alloc_of_cache, cache_alloc_of_both,
				      cache_alloc_of_size),
		.sampled = LW_ADAPTER_3(kmem_cache_alloc, cache_alloc_of_cache_sampled,
					cache_alloc_of_both_sampled, cache_alloc_of_size_sampled),
	},
	[KMALLOC_NODE] = {
		.events = &events[KMALLOC_NODE],
		.name = "kmalloc_node", .type = LW_TRACE,
		NODE_EVENT(kmalloc_node, kmalloc_node_of_both, kmalloc_node_plain),
	},
	[CACHE_ALLOC_NODE] = {
		.events = &events[CACHE_ALLOC_NODE],
		.name = "kmem_cache_alloc_node", .type = LW_TRACE,
		NODE_EVENT(kmem_cache_alloc_node, cache_alloc_node_of_both,
			   cache_alloc_node_plain),
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
		.enter = kmalloc_nolock_enter, .leave = kmalloc_nolock_leave,
		.data = sizeof(struct nolock),
	},
};

const unsigned int lw_nr_kmem_hooks = NR_HOOKS;

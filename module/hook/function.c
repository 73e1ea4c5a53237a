// SPDX-License-Identifier: GPL-2.0
/*
 * The allocators' own functions, hooked in place of their events: for kernels without tracepoints,
 * or where that is asked for (the parameter backend).
 *
 * Each function that has an event somewhere has one row here for each name that it is called by,
 * 3.10 to 7.x, SLAB and SLUB; the rows that a kernel lacks are functions that it inlines into
 * others of these. Where one calls another, both tell of the same object, the outer last: what the
 * inner told is taken back, so the outer's draw and the outer's site stand. The paths that have no
 * event are hooked by the other tables in either case.
 *
 * Frees are heard at the entry. Allocations are drawn, and their site found, at the entry and
 * stored at the return: between lies only what the allocator does.
 */
#include <linux/slab.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <compat/access.h>
#include <compat/page.h>
#include <compat/regs.h>
#include <compat/slab.h>
#include <leakwatch/cache.h>
#include <leakwatch/door.h>
#include <leakwatch/hook.h>
#include <leakwatch/sample.h>

enum {
	KFREE, CACHE_FREE, PAGE_FREE, PAGE_FREE_LARGE, PAGE_FREE_LIST, PAGE_FREE_FOLIOS,
	CACHE_ALLOC, CACHE_ALLOC_LRU, CACHE_ALLOC_NODE, KMALLOC, KMALLOC_NODE, KMALLOC_CACHE,
	KMALLOC_CACHE_NODE, KMALLOC_TRACK, KMALLOC_NODE_TRACK, KMALLOC_LARGE,
	KMALLOC_LARGE_NODE, KREALLOC, PAGE_ALLOC,
	NR_HOOKS
};

static DEFINE_PER_CPU(unsigned long, events[NR_HOOKS]);

/* void kfree(const void *object) */
static void free_object(unsigned long object, unsigned long unused1, unsigned long unused2)
{
	lw_object_free_either((const void *)object);
}

/* void kmem_cache_free(struct kmem_cache *cache, void *object) */
static void free_of_cache(unsigned long cache, unsigned long object, unsigned long unused)
{
	lw_object_free_either((const void *)object);
}

/*
 * void __free_frozen_pages(struct page *page, unsigned int order, ...), in 6.14
 * free_frozen_pages(), before that free_unref_page(), before 5.14 of one page,
 * before 4.15 void free_hot_cold_page(struct page *page, bool cold)
 */
static void free_single(unsigned long page, unsigned long order, unsigned long unused)
{
	lw_pages_free_either(page_to_pfn((struct page *)page), lw_pcp_order(order));
}

/* void free_unref_page_list(struct list_head *list), 4.15 to 6.8 */
static void free_list(unsigned long list, unsigned long unused1, unsigned long unused2)
{
	struct page *page;

	list_for_each_entry(page, (struct list_head *)list, lru)
		lw_pages_free_either(page_to_pfn(page), 0);
}

/* void free_unref_folios(struct folio_batch *folios), since 6.9 */
static void free_folios(unsigned long folios, unsigned long unused1, unsigned long unused2)
{
	lw_each_folio((void *)folios, lw_pages_free_either);
}

/* void __free_pages_ok(struct page *page, unsigned int order, ...) */
static void free_large(unsigned long page, unsigned long order, unsigned long unused)
{
	lw_pages_free_either(page_to_pfn((struct page *)page), order);
}

/* One allocation on its way. */
struct call {
	bool none;		/* it was not drawn */
	u8 order;
	u32 site;
	const void *old;
};

/*
 * What the last function to return on this CPU has put, 0 if nothing, or if another one has been
 * entered since. Who finds here what it returns itself has called that function. Who is moved to
 * another CPU between the two returns, or interrupted by an allocation, has told of it twice: an
 * object in the place of a live one (door.h).
 */
static DEFINE_PER_CPU(unsigned long, put_last);

static void object_enter(struct call *call, lw_what_t what, size_t bytes, struct pt_regs *regs)
{
	struct lw_draw draw;

	this_cpu_write(put_last, 0);
	call->none = !lw_draw_begin(&draw, bytes);
	if (!call->none)
		call->site = lw_site_at(lw_what_drawn(what, draw.rate), regs);
}

/* void *kmem_cache_alloc(struct kmem_cache *cache, ...), and what kmalloc() of a constant is */
static void cache_enter(void *data, struct pt_regs *regs)
{
	const struct kmem_cache *cache = (const struct kmem_cache *)lw_regs_arg(regs, 0);
	u32 nr = lw_cache_get(cache), bytes = lw_cache_bytes(cache);

	/* a cache that finds no number is told by its size */
	object_enter(data, nr ? lw_what_cache(nr) : lw_what_kmalloc(bytes, 0), bytes, regs);
}

static void kmalloc_enter(void *data, unsigned long size, unsigned long gfp, struct pt_regs *regs)
{
	size_t bytes = lw_kmalloc_bytes(size);

	object_enter(data, lw_what_kmalloc(bytes, lw_kmalloc_type((__force gfp_t)gfp)), bytes,
		     regs);
}

/* void *__kmalloc(size_t bytes, gfp_t gfp, ...) */
static void bytes_enter(void *data, struct pt_regs *regs)
{
	kmalloc_enter(data, lw_regs_arg(regs, 0), lw_regs_arg(regs, 1), regs);
}

/* void *__kmalloc_node(size_t bytes, [kmem_buckets *buckets,] gfp_t gfp, ...) */
static void node_enter(void *data, struct pt_regs *regs)
{
	kmalloc_enter(data, lw_regs_arg(regs, 0), lw_regs_arg(regs, LW_NODE_GFP), regs);
}

static void object_leave(void *data, struct pt_regs *regs)
{
	const void *object = (const void *)lw_regs_result(regs);
	unsigned long addr = lw_untag(object);
	const struct call *call = data;

	if (ZERO_OR_NULL_PTR(object))
		return;
	if (this_cpu_read(put_last) == addr)
		lw_object_take_back(object);
	this_cpu_write(put_last, call->none ? 0 : addr);
	if (call->none)
		return;
	lw_site_learn(call->site, object);
	lw_object_put(call->site, object);
}

/*
 * void *krealloc(const void *object, size_t bytes, gfp_t gfp): into it the compiler may have put
 * the function that it allocates by, which then is not called; else both tell of what is new.
 */
static void realloc_enter(void *data, struct pt_regs *regs)
{
	struct call *call = data;

	call->old = (const void *)lw_regs_arg(regs, 0);
	kmalloc_enter(call, lw_regs_arg(regs, 1), lw_regs_arg(regs, 2), regs);
}

static void realloc_leave(void *data, struct pt_regs *regs)
{
	const void *object = (const void *)lw_regs_result(regs);
	const struct call *call = data;

	if (ZERO_OR_NULL_PTR(object) || lw_untag(object) == lw_untag(call->old))
		return;
	/* its copy takes a while, in which others may have been told of */
	lw_object_take_back(object);
	object_leave(data, regs);
}

/* struct page *__alloc_pages(gfp_t gfp, unsigned int order, ...) */
static void page_enter(void *data, struct pt_regs *regs)
{
	u32 gfp = lw_regs_arg(regs, 0);
	struct call *call = data;
	struct lw_draw draw;

	call->order = lw_regs_arg(regs, 1);
	call->none = !lw_draw_begin(&draw, lw_page_bytes(1UL << call->order));
	if (!call->none)
		call->site = lw_site_at(lw_what_drawn(lw_what_pages(call->order, gfp), draw.rate),
					regs);
}

static void page_leave(void *data, struct pt_regs *regs)
{
	struct page *page = (struct page *)lw_regs_result(regs);
	const struct call *call = data;

	this_cpu_write(lw_page_last, page);
	if (!page || call->none)
		return;
	lw_site_saw_late(call->site);
	lw_pages_put_by(call->site, page_to_pfn(page), call->order);
}

#define FREES_IF(nr, stands, of, need, is, fn, ...)				\
	[nr] = {								\
		.events = &events[nr],						\
		.name = is, .type = LW_ENTRY, .class = of, .instead = stands,	\
		.frees = true, .needed = need,					\
		.symbol = { __VA_ARGS__ }, .entry = fn,				\
	}
#define FREES(nr, ...)	FREES_IF(nr, true, __VA_ARGS__)

#define ALLOCATES(nr, need, is, fn, ...)					\
	[nr] = {								\
		.events = &events[nr],						\
		.name = is, .type = LW_RETURN, .instead = true, .needed = need,	\
		.symbol = { __VA_ARGS__ }, .enter = fn, .leave = object_leave,	\
		.data = sizeof(struct call),					\
	}

struct lw_hook lw_function_hooks[] = {
	FREES(KFREE, LW_SLAB, true, "kfree", free_object, "kfree"),
	FREES_IF(CACHE_FREE, !LW_CACHE_FREE_LATE, LW_SLAB, true, "kmem_cache_free", free_of_cache,
		 "kmem_cache_free"),
	FREES(PAGE_FREE, LW_PAGE, true, "mm_page_free", free_single,
	      "__free_frozen_pages", "free_frozen_pages", "free_unref_page",
	      "free_hot_cold_page"),
	FREES(PAGE_FREE_LARGE, LW_PAGE, true, "mm_page_free_large", free_large, "__free_pages_ok"),
	FREES(PAGE_FREE_LIST, LW_PAGE, false, "mm_page_free_list", free_list,
	      "free_unref_page_list"),
	FREES(PAGE_FREE_FOLIOS, LW_PAGE, false, "mm_page_free_folios", free_folios,
	      "free_unref_folios"),
	ALLOCATES(CACHE_ALLOC, true, "kmem_cache_alloc", cache_enter,
		  "kmem_cache_alloc_noprof", "kmem_cache_alloc"),
	ALLOCATES(CACHE_ALLOC_LRU, false, "kmem_cache_alloc_lru", cache_enter,
		  "kmem_cache_alloc_lru_noprof", "kmem_cache_alloc_lru"),
	ALLOCATES(CACHE_ALLOC_NODE, false, "kmem_cache_alloc_node", cache_enter,
		  "kmem_cache_alloc_node_noprof", "kmem_cache_alloc_node"),
	ALLOCATES(KMALLOC, true, "kmalloc", bytes_enter, "__kmalloc_noprof", "__kmalloc"),
	ALLOCATES(KMALLOC_NODE, false, "kmalloc_node", node_enter,
		  "__kmalloc_node_noprof", "__kmalloc_node"),
	ALLOCATES(KMALLOC_CACHE, false, "kmalloc_cache", cache_enter,
		  "__kmalloc_cache_noprof", "kmalloc_trace", "kmem_cache_alloc_trace"),
	ALLOCATES(KMALLOC_CACHE_NODE, false, "kmalloc_cache_node", cache_enter,
		  "__kmalloc_cache_node_noprof", "kmalloc_node_trace",
		  "kmem_cache_alloc_node_trace"),
	ALLOCATES(KMALLOC_TRACK, false, "kmalloc_track", bytes_enter, "__kmalloc_track_caller"),
	ALLOCATES(KMALLOC_NODE_TRACK, false, "kmalloc_node_track", node_enter,
		  "__kmalloc_node_track_caller_noprof", "__kmalloc_node_track_caller"),
	ALLOCATES(KMALLOC_LARGE, false, "kmalloc_large", bytes_enter,
		  "__kmalloc_large_noprof", "kmalloc_large", "kmalloc_order"),
	ALLOCATES(KMALLOC_LARGE_NODE, false, "kmalloc_large_node", bytes_enter,
		  "__kmalloc_large_node_noprof", "kmalloc_large_node"),
	[KREALLOC] = {
		.events = &events[KREALLOC],
		.name = "krealloc", .type = LW_RETURN, .instead = true,
		.symbol = { "krealloc_noprof", "krealloc" },
		.enter = realloc_enter, .leave = realloc_leave, .data = sizeof(struct call),
	},
	[PAGE_ALLOC] = {
		.events = &events[PAGE_ALLOC],
		.name = "mm_page_alloc", .type = LW_RETURN, .class = LW_PAGE, .instead = true,
		.needed = true,
		.symbol = { "__alloc_frozen_pages_noprof", "__alloc_pages_noprof", "__alloc_pages",
			    "__alloc_pages_nodemask" },
		.enter = page_enter, .leave = page_leave, .data = sizeof(struct call),
	},
};

const unsigned int lw_nr_function_hooks = NR_HOOKS;

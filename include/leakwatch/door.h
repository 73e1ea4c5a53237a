/* SPDX-License-Identifier: GPL-2.0 */
/*
 * door: how events come in. Each hook is an adapter of a few lines that calls one of these.
 *
 * From here it is two steps to a counter: the site (site.h) and the table (live.h or pages.h).
 *
 * In sampled mode (sample.h) only what is drawn comes in, by the doors that end in _drawn, and
 * frees look whether they are waited for before they do anything. An unmatched one means nothing.
 *
 * Context: any, preemptible or not; in NMI only what comes by a breakpoint (path.h). No door
 * allocates, sleeps, prints or takes a lock that sleeps. An allocation that cannot be stored is
 * counted and left out; a free is never dropped. Doors may be entered again by an interrupt at any
 * instruction: every step is one atomic operation on a table or a per-CPU counter.
 */
#ifndef LEAKWATCH_DOOR_H
#define LEAKWATCH_DOOR_H

#include <compat/access.h>
#include <leakwatch/clock.h>
#include <leakwatch/filter.h>
#include <leakwatch/live.h>
#include <leakwatch/pages.h>
#include <leakwatch/path.h>
#include <leakwatch/site.h>
#include <leakwatch/stats.h>

/*
 * What has a straight way is inline here, so that it is one function with its hook. All that can go
 * another way ends in a jump to one of these, so that the straight way saves no registers; those of
 * objects have the parameters where the event has them, so that nothing is moved to get here.
 */
void lw_object_alloc_by_path(void *unused, unsigned long call_site, const void *object,
			     lw_what_t what);
void lw_object_alloc_by_call(void *unused, unsigned long call_site, const void *object,
			     lw_what_t what);
void lw_object_alloc_new(struct lw_site *site, unsigned long call_site, unsigned long addr);
void lw_object_free_slow(unsigned long addr);
void lw_pages_alloc_by_path(unsigned long pfn, unsigned int order, lw_what_t what);
void lw_pages_alloc_by_kind(unsigned long pfn, unsigned int order, lw_what_t what);
void lw_pages_alloc_slow(struct lw_site *site, unsigned long pfn, unsigned int order);
void lw_pages_alloc_over(u64 old, struct lw_site *site);
void lw_pages_free_slow(unsigned long pfn, unsigned int order);

/* Movable pages are told apart by kind alone: they are user memory and page cache. */
static __always_inline bool lw_is_kind(lw_what_t what)
{
	return lw_what_class(what) == LW_PAGE &&
	       lw_what_major(what) & (__force u32)__GFP_MOVABLE;
}

/* Whether these are watched at all, and whether pages are; set before hooks are attached. */
extern bool lw_movable;
extern bool lw_pages_on;

/* What is left of an allocation when its site is known. */

static __always_inline void lw_object_put_straight(struct lw_site *site, unsigned long call_site,
						   const void *object)
{
	struct lw_place at;

	/* NULL and ZERO_SIZE_PTR have no place */
	if (unlikely(!lw_live_place(lw_untag(object), &at)) ||
	    unlikely(!lw_live_try_again(&at, lw_entry_since(site->entry, lw_clock_now()))))
		return lw_object_alloc_new(site, call_site, lw_place_addr(&at));
	lw_site_charge_one(site);
	lw_site_saw(site);
}

static __always_inline void lw_pages_put_straight(struct lw_site *site, unsigned long pfn,
						  unsigned int order)
{
	u64 *at, old;

	if (order || unlikely(!lw_pages_at(pfn, &at)))
		return lw_pages_alloc_slow(site, pfn, order);
	old = lw_xchg64(at, lw_entry_since(site->entry, lw_clock_now()));
	if (unlikely(old))
		return lw_pages_alloc_over(old, site);
	lw_site_charge_one(site);
}

/**
 * lw_object_alloc() - an object was allocated
 * @call_site: who called the allocator
 * @object: the object; NULL and ZERO_SIZE_PTR are passed over
 * @what: the kmalloc or cache that was asked
 *
 * The pages of a kmalloc that is larger than any cache has have been announced before, by
 * lw_pages_alloc(): they become pages of the slab allocator, so that nothing is counted twice.
 */
static __always_inline void lw_object_alloc(unsigned long call_site, const void *object,
					    lw_what_t what)
{
	struct lw_site *site;

	/* a setting; either value is right while it changes */
	if (data_race(lw_stacks) == LW_STACKS_ALL)
		return lw_object_alloc_by_path(NULL, call_site, object, what);
	site = lw_site_met(what, call_site);
	if (unlikely(!lw_site_is_call(site, what, call_site)))
		return lw_object_alloc_by_call(NULL, call_site, object, what);
	lw_object_put_straight(site, call_site, object);
}

/**
 * lw_object_alloc_drawn() - an object was allocated and drawn
 * @call_site: who called the allocator
 * @object: the object; NULL and ZERO_SIZE_PTR are passed over
 * @what: the kmalloc or cache that was asked, a kmalloc of any size
 */
void lw_object_alloc_drawn(unsigned long call_site, const void *object, lw_what_t what);

/** lw_object_put() - the object was allocated by @site, found by lw_site_at() */
void lw_object_put(u32 site, const void *object);

/**
 * lw_object_take_back() - what was put just now is told of again, by who has called that allocator
 * @object: the object, which its owner does not have yet
 *
 * It is as if nobody had told.
 */
void lw_object_take_back(const void *object);

/** lw_object_free() - the object is about to be freed; NULL and ZERO_SIZE_PTR are passed over */
static __always_inline void lw_object_free(const void *object)
{
	struct lw_place at;
	u64 old = lw_live_try_take(lw_untag(object), &at);

	if (unlikely(!old))
		return lw_object_free_slow(lw_place_addr(&at));
	lw_site_uncharge_one(lw_entry_site(old));	/* of nobody, if it was given up */
}

/* The half of lw_object_free_drawn() that is rarely needed. */
void lw_object_free_found(const void *object);

/** lw_object_free_drawn() - lw_object_free(), and lw_object_give(), in sampled mode */
static __always_inline void lw_object_free_drawn(const void *object)
{
	if (unlikely(lw_filter_has(lw_untag(object))))
		lw_object_free_found(object);
}

/** lw_object_free_either() - lw_object_free(), or lw_object_free_drawn() in sampled mode */
void lw_object_free_either(const void *object);

/**
 * lw_object_give() - the owner has given the object up and the kernel will free it later
 * @object: the object; what is not a slab object (kvfree_rcu of a vmalloc) is passed over
 *
 * For the tables it is free now. That free may come as an event, or never.
 */
void lw_object_give(const void *object);

/**
 * lw_site_at() - the site of a function that was stopped at its entry by a kprobe
 * @what: what it is asked for
 * @regs: the registers then
 *
 * Return: the site's number, LW_SITE_NOBODY if there is no room.
 */
u32 lw_site_at(lw_what_t what, struct pt_regs *regs);

/** lw_site_from() - the same of one that has called a tracepoint; @from is lw_walk_here() there */
u32 lw_site_from(lw_what_t what, unsigned long from);

/** lw_pages_alloc() - a block of 2^@order pages from @pfn was allocated with @gfp */
static __always_inline void lw_pages_alloc(unsigned long pfn, unsigned int order, u32 gfp)
{
	lw_what_t what = lw_what_pages(order, gfp);
	struct lw_site *site;

	if (!lw_is_kind(what))
		return lw_pages_alloc_by_path(pfn, order, what);
	site = lw_site_met(what, 0);
	if (unlikely(!lw_site_is_kind(site, what)))
		return lw_pages_alloc_by_kind(pfn, order, what);
	lw_pages_put_straight(site, pfn, order);
}

/** lw_pages_alloc_drawn() - the same, and the block was drawn: all of it */
void lw_pages_alloc_drawn(unsigned long pfn, unsigned int order, u32 gfp);

/** lw_pages_put_by() - a block was allocated by @site, found by lw_site_at() */
void lw_pages_put_by(u32 site, unsigned long pfn, unsigned int order);

/** lw_page_put_if_none() - page @pfn was allocated by @site, unless an event has said so already */
void lw_page_put_if_none(u32 site, unsigned long pfn);

/** lw_page_claim() - page @pfn, which compaction may have taken before, is now @site's */
void lw_page_claim(u32 site, unsigned long pfn);

/** lw_pages_free() - the block of 2^@order pages from @pfn is about to be freed */
static __always_inline void lw_pages_free(unsigned long pfn, unsigned int order)
{
	u64 *at, old;

	if (order || unlikely(!lw_pages_at(pfn, &at)))
		return lw_pages_free_slow(pfn, order);
	old = lw_xchg64(at, 0);
	if (likely(old))
		lw_site_uncharge_one(lw_entry_site(old));
	else
		lw_stat_inc(LW_UNMATCHED_PAGES);
}

/* The half of lw_pages_free_drawn() that is rarely needed. */
void lw_pages_free_found(unsigned long pfn, unsigned int order);

/** lw_pages_free_drawn() - lw_pages_free() in sampled mode */
static __always_inline void lw_pages_free_drawn(unsigned long pfn, unsigned int order)
{
	if (unlikely(lw_pages_any(pfn, order)))
		lw_pages_free_found(pfn, order);
}

/** lw_pages_free_either() - lw_pages_free(), or lw_pages_free_drawn() in sampled mode */
void lw_pages_free_either(unsigned long pfn, unsigned int order);

/**
 * lw_pages_move() - the contents of some pages are now in others
 * @from: the first frame that held them
 * @to: the first frame that holds them now
 * @nr: how many frames
 *
 * The owner goes along. @from gets what @to had, as the free of @from will be seen and so was, or
 * was not, the allocation of @to.
 */
void lw_pages_move(unsigned long from, unsigned long to, unsigned long nr);

/** lw_object_gone() - the object of @entry is proven to be free, if it still is in the table */
void lw_object_gone(unsigned long addr, u64 entry);

/** lw_page_gone() - the same for a page frame */
void lw_page_gone(unsigned long pfn, u64 entry);

/**
 * lw_pages_settle() - let pages that hold slab objects be pages of the slab allocator
 *
 * Most are known as such by the path of their event (path.h). A page gets its slab mark only after
 * that, so the rest is found by looking: before figures are taken, and when hooks go. Process
 * context, reschedules; hooks go on meanwhile.
 */
void lw_pages_settle(void);

#endif

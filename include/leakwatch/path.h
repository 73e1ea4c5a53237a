/* SPDX-License-Identifier: GPL-2.0 */
/*
 * path: from the stack of an event to the frames that name its site.
 *
 * A path begins at the call site and goes outward. What is inside of the call site is dropped:
 * for a slab event by the call site that comes with it; for a page event by the names of the
 * allocator's functions (frame.h); for a kprobe at the entry of a function by where that function
 * returns to. Helpers that only pass a request on (kstrdup, vmalloc, dma_alloc_coherent) are not
 * call sites. A path ends at the entry of the interrupt, exception or system call, and after
 * lw_depth frames.
 *
 * Stacks are walked fast where that can be (walk.h), and then most paths are recognised on the way:
 * the first thing that a walk is compared with is the path that was met last from the same place.
 *
 * Any context but NMI. Nothing is allocated; the frames are on the caller's stack.
 */
#ifndef LEAKWATCH_PATH_H
#define LEAKWATCH_PATH_H

#include <leakwatch/site.h>
#include <leakwatch/walk.h>

/* What a stack has inside of the call site: own functions, a probe's exception, the allocator's. */
#define LW_INNER_MAX	18

/**
 * struct lw_path - a path
 * @backing: the slab allocator asked for pages for itself, or for a large kmalloc
 * @cut: the stack did not show the caller
 * @nr: how many frames
 * @frame: return addresses, the call site first
 */
struct lw_path {
	bool backing;
	bool cut;
	unsigned int nr;
	unsigned long frame[LW_DEPTH_MAX];
};

/* Settings, changed at any time: whole paths or call sites alone; the longest path. */
extern bool lw_stacks;
extern unsigned int lw_depth;

/** lw_depth_set() - change lw_depth; 1 to LW_DEPTH_MAX. Process context. */
void lw_depth_set(unsigned int depth);

/* What lw_path_of_call() and lw_path_of_pages() are made of. */
u32 lw_path_from_call(struct lw_path *path, unsigned long call_site, lw_what_t what,
		      unsigned long from);
u32 lw_path_from_pages(struct lw_path *path, lw_what_t what, unsigned long from);
u32 lw_path_from_entry(struct lw_path *path, lw_what_t what, struct pt_regs *regs);

/**
 * lw_path_like_call() - the path of a slab event, or the site if it is the one met last from there
 * @path: the path; not set if a site is returned
 * @call_site: the caller, as the event names it
 * @what: what was asked for
 *
 * To be called in the function that the allocator calls, or that one has jumped to.
 *
 * Return: the site's number, or LW_SITE_NOBODY.
 */
static __always_inline u32 lw_path_like_call(struct lw_path *path, unsigned long call_site,
					     lw_what_t what)
{
	return lw_path_from_call(path, call_site, what, lw_walk_here());
}

/** lw_path_like_pages() - the same for a page event, which names nobody */
static __always_inline u32 lw_path_like_pages(struct lw_path *path, lw_what_t what)
{
	return lw_path_from_pages(path, what, lw_walk_here());
}

/** lw_path_of_call() - the path of a slab event that names its caller, @call_site */
static __always_inline void lw_path_of_call(struct lw_path *path, unsigned long call_site)
{
	lw_path_from_call(path, call_site, 0, lw_walk_here());
}

/** lw_path_of_pages() - the path of a page event, which names nobody; empty if there is no stack */
static __always_inline void lw_path_of_pages(struct lw_path *path)
{
	lw_path_from_pages(path, 0, lw_walk_here());
}

/**
 * lw_path_like_entry() - the path to a function that a kprobe stopped at its entry, as
 * lw_path_like_call()
 * @path: the path; not set if a site is returned
 * @what: what was asked for
 * @regs: the registers then
 */
static __always_inline u32 lw_path_like_entry(struct lw_path *path, lw_what_t what,
					      struct pt_regs *regs)
{
	return lw_path_from_entry(path, what, regs);
}

/** lw_path_of_entry() - the same, whatever it was met by last */
static __always_inline void lw_path_of_entry(struct lw_path *path, struct pt_regs *regs)
{
	lw_path_from_entry(path, 0, regs);
}

#endif

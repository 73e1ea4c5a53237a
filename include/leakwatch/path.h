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
 * Any context but NMI, but for that in which x86 handles a breakpoint of ours, which is none of an
 * interrupt: nothing is held by what it has interrupted. Nothing is allocated; the frames are on
 * the caller's stack.
 */
#ifndef LEAKWATCH_PATH_H
#define LEAKWATCH_PATH_H

#include <leakwatch/site.h>
#include <leakwatch/walk.h>

/* What a stack has inside of the call site: own functions, a probe's exception, the allocator's. */
#define LW_INNER_MAX	18

/* The slow walk has frames of its own at the beginning, the fast one has not. */
#define LW_INNER_FAST	(LW_INNER_MAX - 4)

/* The place of what only the kernel's walker could tell: nobody looks for it by that. */
#define LW_PLACE_NONE	(~0UL)

/**
 * struct lw_path - a path
 * @backing: the slab allocator asked for pages for itself, or for a large kmalloc
 * @cut: the stack did not show the caller
 * @place: where on its stack the call site is (lw_walk_place()), or LW_PLACE_NONE
 * @nr: how many frames
 * @frame: return addresses, the call site first
 */
struct lw_path {
	bool backing;
	bool cut;
	unsigned int nr;
	unsigned long place;
	unsigned long frame[LW_DEPTH_MAX];
};

/**
 * enum lw_stacks - of which slab objects whole paths are taken; of others the call site is enough
 * @LW_STACKS_OFF: of none
 * @LW_STACKS_ZOOM: of those whose call sites grow, within a budget (zoom.h)
 * @LW_STACKS_ALL: of all
 */
enum lw_stacks {
	LW_STACKS_OFF,
	LW_STACKS_ZOOM,
	LW_STACKS_ALL,
};

/* All where a walk is fast. */
#if defined(LW_STACK_ORC) || defined(LW_STACK_RECORDS)
#define LW_STACKS_DEFAULT	LW_STACKS_ALL
#else
#define LW_STACKS_DEFAULT	LW_STACKS_ZOOM
#endif

/* Settings, changed at any time: that, and the longest path. */
extern unsigned int lw_stacks;

/** lw_stacks_name() - Return: what people call a setting, NULL if there is none such */
const char *lw_stacks_name(unsigned int stacks);

/** lw_stacks_of_name() - Return: the setting that is called @name, -EINVAL if there is none such */
int lw_stacks_of_name(const char *name);

extern unsigned int lw_depth;

/** lw_depth_set() - change lw_depth; 1 to LW_DEPTH_MAX. Process context. */
void lw_depth_set(unsigned int depth);

/* What lw_path_like_call() and lw_path_like_pages() are made of. */
u32 lw_path_from_call(struct lw_path *path, unsigned long call_site, lw_what_t what,
		      unsigned long from);
u32 lw_path_from_pages(struct lw_path *path, lw_what_t what, unsigned long from);

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

/* To where the event says the call site is. */
static __always_inline bool lw_path_go_to(struct lw_walk *walk, unsigned long call_site)
{
	unsigned int inner;

	for (inner = 0; walk->ip != call_site; inner++)
		if (inner == LW_INNER_FAST || !lw_walk_next(walk, lw_walk_see(walk)))
			return false;
	return true;
}

/*
 * Is it the path of @site, whose first frame, @call, this is? Only where that can be told at once.
 * A site that is being retired may still be met for an instant.
 */
static __always_inline bool lw_path_is(const struct lw_walk *walk, const struct lw_site *site,
				       lw_what_t what, unsigned long call)
{
	u32 era = smp_load_acquire(&site->era);		/* pairs with settle() */

	return likely(era == lw_walk_now()) && likely(era) && likely(site->what == what) &&
	       /* it changes when its module goes: then it is no address */
	       likely(data_race(site->call) == call) &&
	       lw_walk_by(walk, lw_site_frames(site), lw_site_steps_of(site), site->nr_frames);
}

/* Is it any of those met there? */
static __always_inline bool lw_path_is_met(const struct lw_walk *walk, lw_what_t what,
					   unsigned long call, struct lw_site **site)
{
	unsigned int way = 0;

	*site = lw_site_met_path(what, call, lw_walk_place(walk), way);
	if (likely(lw_path_is(walk, *site, what, call)))
		return true;
	while (++way < LW_MET_WAYS) {
		*site = lw_site_met_path(what, call, lw_walk_place(walk), way);
		if (lw_path_is(walk, *site, what, call))
			return true;
	}
	return false;
}

/**
 * lw_path_met_call() - lw_path_like_call(), where it is the site met last, as most often
 * @call_site: the caller, as the event names it
 * @what: what was asked for
 * @from: lw_walk_here(), in the function that the allocator calls, or that one has jumped to
 * @site: set to the site
 *
 * Return: false if lw_path_like_call() has to tell.
 */
static __always_inline bool lw_path_met_call(unsigned long call_site, lw_what_t what,
					     unsigned long from, struct lw_site **site)
{
	struct lw_walk walk;

	return likely(lw_walk_begin(&walk, from)) && likely(lw_path_go_to(&walk, call_site)) &&
	       likely(lw_path_is_met(&walk, what, call_site, site)) && likely(!lw_walk_soon());
}

/** lw_path_met_pages() - the same for a page event, which names nobody */
static __always_inline bool lw_path_met_pages(lw_what_t what, unsigned long from,
					      struct lw_site **site)
{
	unsigned int inner = 0;
	enum lw_frame kind;
	struct lw_walk walk;
	u64 seen;

	if (unlikely(!lw_walk_begin(&walk, from)))
		return false;
	/* as far as there is no choice: what is neither is for lw_path_like_pages() */
	while (seen = lw_walk_see(&walk), kind = lw_walk_kind(&walk, seen), kind == LW_FRAME_GLUE)
		if (++inner == LW_INNER_FAST || !lw_walk_next(&walk, seen))
			return false;
	while (kind == LW_FRAME_ALLOC) {
		if (++inner == LW_INNER_FAST || !lw_walk_next(&walk, seen))
			return false;
		seen = lw_walk_see(&walk);
		kind = lw_walk_kind(&walk, seen);
	}
	if (unlikely(kind != LW_FRAME_CALLER))
		return false;
	/* the last alone: the others cost arm64 more here than they are worth */
	*site = lw_site_met_path(what, walk.ip, lw_walk_place(&walk), 0);
	return likely(lw_path_is(&walk, *site, what, walk.ip)) && likely(!lw_walk_soon());
}

/** lw_path_like_pages() - the same for a page event, which names nobody; empty without a stack */
static __always_inline u32 lw_path_like_pages(struct lw_path *path, lw_what_t what)
{
	return lw_path_from_pages(path, what, lw_walk_here());
}

/**
 * lw_path_like_entry() - the path to a function that a kprobe stopped at its entry, as
 * lw_path_like_call()
 * @path: the path; not set if a site is returned
 * @what: what was asked for
 * @regs: the registers then
 */
u32 lw_path_like_entry(struct lw_path *path, lw_what_t what, struct pt_regs *regs);

#endif

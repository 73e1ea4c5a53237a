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
 * Any context but NMI. Nothing is allocated; the frames are on the caller's stack.
 */
#ifndef LEAKWATCH_PATH_H
#define LEAKWATCH_PATH_H

#include <leakwatch/site.h>

/* What a stack has inside of the call site: own functions, the tracepoint's, the allocator's. */
#define LW_INNER_MAX	14

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

/** lw_path_of_call() - the path of a slab event that names its caller, @call_site */
void lw_path_of_call(struct lw_path *path, unsigned long call_site);

/** lw_path_of_pages() - the path of a page event, which names nobody; empty if there is no stack */
void lw_path_of_pages(struct lw_path *path);

/**
 * lw_path_of_entry() - the path to a function that a kprobe stopped at its entry
 * @path: the path
 * @function: where it stopped
 * @caller: where the function will return to
 *
 * On arm64 the stack does not show @caller, it is still in the link register: it is put back.
 */
void lw_path_of_entry(struct lw_path *path, unsigned long function, unsigned long caller);

#endif

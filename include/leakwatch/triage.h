/* SPDX-License-Identifier: GPL-2.0 */
/*
 * triage: which of the places that memory leaks to leaks, and what is found there.
 *
 * There are six. Slab objects, kernel pages and buffers are watched by sites, memory of processes
 * by process: the place leaks if one of those does, and then the finding is the sum of those that
 * do; else it is judged by its whole figure. What nobody watches is unknown, and the finding says
 * why.
 *
 * All in process context, under lw_lock.
 */
#ifndef LEAKWATCH_TRIAGE_H
#define LEAKWATCH_TRIAGE_H

#include <leakwatch/process.h>
#include <leakwatch/row.h>

/**
 * enum lw_place_id - where memory leaks to; also the numbers of their whole figures (history.h)
 * @LW_PLACE_SLAB: slab objects
 * @LW_PLACE_PAGE: pages that the kernel asked for, but for user memory, page cache and slab
 * @LW_PLACE_BUFFER: DMA-BUFs, ION's among them
 * @LW_PLACE_USER_JAVA: Java heaps of processes
 * @LW_PLACE_USER_NATIVE: other anonymous memory of processes, that which is swapped out included
 * @LW_PLACE_USER_SHMEM: shared memory, ashmem and tmpfs
 * @LW_NR_PLACES: how many there are
 */
enum lw_place_id {
	LW_PLACE_SLAB,
	LW_PLACE_PAGE,
	LW_PLACE_BUFFER,
	LW_PLACE_USER_JAVA,
	LW_PLACE_USER_NATIVE,
	LW_PLACE_USER_SHMEM,
	LW_NR_PLACES
};

/**
 * struct lw_finding - what is known of a place
 * @judged: how it behaves; its growth and confidence are 0 where it is unknown
 * @bytes: what it holds, or what of it leaks; -1 if not known
 * @grown: how fast its whole figure grows, in bytes an hour
 * @samples: how many points its figure has
 * @why: why nothing is known, as text; NULL if it is, or only needs more samples
 */
struct lw_finding {
	struct lw_judgement judged;
	s64 bytes;
	s64 grown;
	unsigned int samples;
	const char *why;
};

/** lw_place_name() - Return: the name of a place */
const char *lw_place_name(unsigned int place);

/**
 * lw_place_find() - judge a place
 * @place: the place
 * @rows: all rows by call site, of all classes
 * @growers: all processes that grow
 * @on: the classes that are watched, a bit each
 * @finding: what is found
 */
void lw_place_find(enum lw_place_id place, const struct lw_rows *rows,
		   const struct lw_growers *growers, unsigned int on, struct lw_finding *finding);

/**
 * lw_suspect_path() - by which path does a call site leak most?
 * @site: the call site
 *
 * Return: the path that behaves most like a leak, of equals that which has most live; the call
 *	site itself if it has none.
 */
u32 lw_suspect_path(u32 site);

#endif

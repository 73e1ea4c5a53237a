/* SPDX-License-Identifier: GPL-2.0 */
/*
 * row: the figures of one site at one moment, as tables show them.
 *
 * Made in process context under lw_lock, from the sites' counts and one walk over each live table:
 * ages are not kept a site, they are in the entries. Hooks go on meanwhile, so ages and counts of
 * one row may be a few events apart.
 */
#ifndef LEAKWATCH_ROW_H
#define LEAKWATCH_ROW_H

#include <leakwatch/site.h>
#include <leakwatch/verdict.h>

struct lw_census;

/**
 * enum lw_note - what is to be known about a row, bits
 * @LW_NOTE_LOST: some of its allocations could not be stored: LIVE is too low
 * @LW_NOTE_MISSED: some of its frees were proven missed: other figures may be too high
 * @LW_NOTE_FOLDED: some of it came by paths for which there was no room, and is charged here
 * @LW_NOTE_SHORT: of some of it the stack did not show the caller
 * @LW_NOTE_UNLOADED: the module that asked has been unloaded
 * @LW_NOTE_DESTROYED: the slab cache has been destroyed with these objects in it
 */
enum lw_note {
	LW_NOTE_LOST		= 1,
	LW_NOTE_MISSED		= 2,
	LW_NOTE_UNLOADED	= 4,
	LW_NOTE_DESTROYED	= 8,
	LW_NOTE_FOLDED		= 16,
	LW_NOTE_SHORT		= 32,
};

/**
 * struct lw_row - a row
 * @site: the number of the site
 * @wanted: the site is one that the table shows
 * @estimated: some of it was allocated in sampled mode: counts are estimates
 * @allocs: objects or base pages allocated since watching began
 * @frees: of those, freed
 * @live: of those, there now
 * @grown: how much @live has grown since the mark
 * @freed: how many were freed since the mark
 * @size: bytes of one
 * @variance: of the KB that are live, by the draws; 0 if not @estimated
 * @seen: how many of them the walk has seen: the weight of the ages
 * @age_min: seconds since the youngest was allocated,
 * @age_max: and the oldest
 * @age_sum: sum over all @seen
 * @half: the tick at which the middle of its history was, if @has_half
 * @old: how many of @seen were there by then
 * @has_half: there is a history
 * @mixed: a call site that has paths: what is charged to itself alone has no history
 * @judged: what its history says
 * @pid_min: lowest pid that asked,
 * @pid_max: and highest; none if below @pid_min
 * @note: enum lw_note
 */
struct lw_row {
	u32 site;
	bool wanted;
	bool estimated;
	unsigned long allocs;
	unsigned long frees;
	long live;
	long grown;
	u64 freed;
	u32 size;
	u64 variance;
	u32 seen;
	u32 age_min;
	u32 age_max;
	u64 age_sum;
	u32 half;
	u32 old;
	bool has_half;
	bool mixed;
	struct lw_judgement judged;
	int pid_min;
	int pid_max;
	unsigned int note;
};

/**
 * struct lw_rows - a snapshot
 * @nr: how many rows
 * @row: the rows
 */
struct lw_rows {
	unsigned int nr;
	struct lw_row row[];
};

/**
 * enum lw_group - what a row is
 * @LW_BY_CALLER: all paths to one call site
 * @LW_BY_PATH: each path
 */
enum lw_group {
	LW_BY_CALLER,
	LW_BY_PATH,
};

/**
 * lw_rows_get() - take a snapshot
 * @classes: a bit for each enum lw_class that is wanted
 * @group: what a row is
 * @want: which sites to leave out, by returning false; NULL for none
 *
 * Process context, sleeps, under lw_lock. Sites that never had an event have no row.
 *
 * Return: the rows, in the order of their sites' numbers, or NULL if there is no memory.
 */
struct lw_rows *lw_rows_get(unsigned int classes, enum lw_group group, bool (*want)(u32 site));

/**
 * lw_rows_lost() - the same of pages that are lost: no figure of the kernel accounts for them
 * @group: what a row is
 * @want: which sites to leave out, by returning false; NULL for none
 * @census: set to the census that told which these are
 *
 * Only sites that have such pages have a row. Live, grown and ages are of these pages alone, what
 * was allocated and freed is the site's.
 *
 * Return: as lw_rows_get().
 */
struct lw_rows *lw_rows_lost(enum lw_group group, bool (*want)(u32 site), struct lw_census *census);

/** lw_rows_put() - free a snapshot */
void lw_rows_put(struct lw_rows *rows);

/** lw_row_bytes() - Return: bytes that are live */
static inline s64 lw_row_bytes(const struct lw_row *row)
{
	return (s64)row->live * row->size;
}

/** lw_row_grown() - Return: bytes by which it has grown since the mark */
static inline s64 lw_row_grown(const struct lw_row *row)
{
	return (s64)row->grown * row->size;
}

/** lw_row_is_backing() - Return: whether these pages are counted as objects, in class slab */
static inline bool lw_row_is_backing(const struct lw_row *row)
{
	return row->site == LW_SITE_SLAB_PAGES;
}

#endif

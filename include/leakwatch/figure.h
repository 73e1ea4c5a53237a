/* SPDX-License-Identifier: GPL-2.0 */
/*
 * figure: where all memory is, by the kernel's own counters and by a census, in KB.
 *
 * The equation:
 *
 *	Total-lost = Memory-Total - Total-used - Total-freed
 *
 * Each figure is a term of it, or is part of one, or beside it; its role says which. What this
 * kernel does not let a module read is LW_NO_FIGURE; where the census knows it, the census stands
 * in. Lost by counters and lost by census are found by different ways and should agree: counters
 * drift by some pages a CPU.
 *
 * A figure's number is fixed for one build: the figures proper, then the kinds of the census from
 * LW_FIGURE_CENSUS on, so one array holds both.
 */
#ifndef LEAKWATCH_FIGURE_H
#define LEAKWATCH_FIGURE_H

#include <linux/limits.h>
#include <linux/types.h>
#include <leakwatch/census.h>

/**
 * enum lw_role - what a figure is in the equation
 * @LW_ROLE_TOTAL: what the others sum to
 * @LW_ROLE_FREED: part of Total-freed
 * @LW_ROLE_USED: part of Total-used
 * @LW_ROLE_PART: already in another figure, or in what is lost: shown, not added
 * @LW_ROLE_SUM: one of the results
 * @LW_ROLE_RATE: what has happened since boot, in KB: only its DELTA-KB says much
 */
enum lw_role {
	LW_ROLE_TOTAL,
	LW_ROLE_FREED,
	LW_ROLE_USED,
	LW_ROLE_PART,
	LW_ROLE_SUM,
	LW_ROLE_RATE,
};

/* The figures, in the order in which they are shown. Their names and roles are in figure.c. */
enum lw_figure {
	LW_MEMORY_TOTAL,
	LW_MEMORY_AVAILABLE,
	LW_SWAP_TOTAL,
	LW_SWAP_FREE,
	LW_UMA_TOTAL,
	LW_UMA_FREE,
	LW_CMA_TOTAL,
	LW_FREE_SYSTEM,
	LW_FREE_CMA,
	LW_FREE_CPU_LISTS,
	LW_ANON,
	LW_CACHE,
	LW_BLOCK_BUFFER,
	LW_SLAB_ALL,
	LW_KERN_STACK,
	LW_PAGE_TABLES,
	LW_SECOND_TABLES,
	LW_MISC_RECLAIMABLE,
	LW_ZSPAGES,
	LW_HUGETLB,
	LW_IOMMU,
	LW_GPU,
	LW_SLAB_RECLAIMABLE,
	LW_SLAB_UNRECLAIMABLE,
	LW_SWAP_CACHED,
	LW_SHMEM,
	LW_FILE_MAPPED,
	LW_DIRTY,
	LW_WRITEBACK,
	LW_VMALLOC,
	LW_PERCPU,
	LW_COMMITTED,
	LW_ION_CMA,
	LW_ION_CARVEOUT,
	LW_ION_SYSTEM,
	LW_ION_CONTIG,
	LW_PAGES_ALLOCATED,
	LW_PAGES_FREED,
	LW_PAGES_FAULTED,
	LW_PAGES_STOLEN,
	LW_SWAP_READ,
	LW_SWAP_WRITTEN,
	LW_DISK_READ,
	LW_DISK_WRITTEN,
	LW_TOTAL_USED,
	LW_TOTAL_FREED,
	LW_TOTAL_LOST,
	LW_TOTAL_LOST_CENSUS,
	LW_FIGURE_CENSUS,
	LW_NR_FIGURES = LW_FIGURE_CENSUS + LW_NR_KINDS
};

#define LW_NO_FIGURE	S64_MIN

/**
 * struct lw_figures - all of them at one moment
 * @kb: in KB, or LW_NO_FIGURE
 * @by_census: a bit for each that the census stands in for
 */
struct lw_figures {
	s64 kb[LW_NR_FIGURES];
	u64 by_census;
};

/** lw_figure_name() - Return: what reports call figure @nr, below LW_NR_FIGURES */
const char *lw_figure_name(unsigned int nr);

/** lw_figure_role() - Return: what it is in the equation; for figures below LW_FIGURE_CENSUS */
enum lw_role lw_figure_role(unsigned int nr);

/** lw_figure_note() - Return: what is to be known about it, "" if nothing; as lw_figure_role() */
const char *lw_figure_note(unsigned int nr);

/**
 * lw_figures_sum() - work out the sums, and let the census stand in where a counter is missing
 * @figures: with what the counters say; set to that, the census and the sums
 * @census: a census
 */
void lw_figures_sum(struct lw_figures *figures, const struct lw_census *census);

/**
 * lw_figures_unseen() - what counters know of pages that do not show it
 * @figures: them
 *
 * Second tables, pools of drivers and such, which a census takes for lost. Return: KB.
 */
s64 lw_figures_unseen(const struct lw_figures *figures);

/**
 * lw_figures_get() - read all counters
 * @figures: set to them
 * @census: a census of about the same moment
 *
 * Process context, may sleep. Return: 0 or -ENOMEM.
 */
int lw_figures_get(struct lw_figures *figures, const struct lw_census *census);

#define LW_FIGURES_FROM	8U	/* whole figures of history.h, behind the places */

/**
 * lw_figures_say() - say all of them, for a sampler (history.h); what is below 0 is 0
 *
 * A census is taken at every LW_CENSUS_PASSES calls, its figures stay what they were meanwhile.
 * Process context, may sleep; under lw_lock.
 */
void lw_figures_say(void);

#define LW_CENSUS_PASSES	6	/* a minute, where a pass is made every 10 s */

/** lw_figure_change() - Return: @now - @then, LW_NO_FIGURE if either is */
static inline s64 lw_figure_change(s64 now, s64 then)
{
	return now == LW_NO_FIGURE || then == LW_NO_FIGURE ? LW_NO_FIGURE : now - then;
}

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * census: what each page frame is, told by its struct page and by the table of page frames.
 *
 * One walk over all frames sorts each into one kind, so the kinds sum to the total by construction.
 * "Lost" are frames that are held and that no figure of the kernel accounts for: KERNEL and
 * COMPOUND. Of these the table says who holds them, if they were allocated since watching began.
 *
 * Pages are looked at without locks, while they come and go, so what changes hands at that moment
 * may be taken for what it was, or for what it will be. Memory that is taken offline while it is
 * looked at is as dangerous here as in /proc/kpageflags, which takes no lock either.
 */
#ifndef LEAKWATCH_CENSUS_H
#define LEAKWATCH_CENSUS_H

#include <linux/types.h>

/**
 * enum lw_kind - what a frame is
 * @LW_KIND_FREE: in a free block
 * @LW_KIND_PCP: free, but on a CPU's own list, or on its way: not in MemFree
 * @LW_KIND_SLAB: of the slab allocator, by its mark
 * @LW_KIND_LARGE: of a kmalloc that is larger than any cache has. Until 6.14 known by the table
 *	alone: those older than the module are COMPOUND
 * @LW_KIND_ANON: anonymous memory of processes
 * @LW_KIND_FILE: page cache of files
 * @LW_KIND_SHMEM: tmpfs, shared and ashmem memory
 * @LW_KIND_BUFFER: page cache of block devices
 * @LW_KIND_TABLE: page tables, where the kernel marks them
 * @LW_KIND_STACK: kernel stacks of tasks that there are
 * @LW_KIND_HUGETLB: the pool of huge pages, free ones too
 * @LW_KIND_DRIVER: what its driver moves by itself: zsmalloc (zram), balloons
 * @LW_KIND_OFFLINE: given away while it has a struct page: balloons, virtio-mem
 * @LW_KIND_POISON: taken out of use, as it is broken
 * @LW_KIND_RESERVED: never the page allocator's: the kernel itself, firmware, boot memory
 * @LW_KIND_HOLE: no memory, or offline
 * @LW_KIND_COMPOUND: lost, a block that was asked for as one (__GFP_COMP)
 * @LW_KIND_KERNEL: lost, single pages and all else: by alloc_pages(), vmalloc, per-CPU memory
 * @LW_NR_KINDS: how many there are
 */
enum lw_kind {
	LW_KIND_FREE,
	LW_KIND_PCP,
	LW_KIND_SLAB,
	LW_KIND_LARGE,
	LW_KIND_ANON,
	LW_KIND_FILE,
	LW_KIND_SHMEM,
	LW_KIND_BUFFER,
	LW_KIND_TABLE,
	LW_KIND_STACK,
	LW_KIND_HUGETLB,
	LW_KIND_DRIVER,
	LW_KIND_OFFLINE,
	LW_KIND_POISON,
	LW_KIND_RESERVED,
	LW_KIND_HOLE,
	LW_KIND_COMPOUND,
	LW_KIND_KERNEL,
	LW_NR_KINDS
};

/**
 * struct lw_census - what all frames were at one moment
 * @total: frames from the first that the kernel knows to the last, holes included
 * @pages: of each kind
 * @held: of these, in the table of page frames; of FREE and PCP it is not looked up
 * @us: how long the walk took, in microseconds
 */
struct lw_census {
	unsigned long total;
	unsigned long pages[LW_NR_KINDS];
	unsigned long held[LW_NR_KINDS];
	unsigned int us;
};

/** lw_kind_name() - Return: what reports call a kind */
const char *lw_kind_name(enum lw_kind kind);

/** lw_kind_is_free() - Return: whether nobody has it */
static inline bool lw_kind_is_free(enum lw_kind kind)
{
	return kind == LW_KIND_FREE || kind == LW_KIND_PCP;
}

/** lw_kind_is_lost() - Return: whether somebody has it and no figure of the kernel says so */
static inline bool lw_kind_is_lost(enum lw_kind kind)
{
	return kind == LW_KIND_COMPOUND || kind == LW_KIND_KERNEL;
}

/** lw_census_lost() - Return: frames that are lost, whoever has them */
static inline unsigned long lw_census_lost(const struct lw_census *census)
{
	return census->pages[LW_KIND_COMPOUND] + census->pages[LW_KIND_KERNEL];
}

/** lw_census_lost_held() - Return: of these, in the table of page frames */
static inline unsigned long lw_census_lost_held(const struct lw_census *census)
{
	return census->held[LW_KIND_COMPOUND] + census->held[LW_KIND_KERNEL];
}

/**
 * lw_census_take() - look at every frame
 * @census: set to what was found
 * @lost: called for each frame that is lost and has an entry; must not sleep; may be NULL
 * @arg: passed on
 *
 * Takes a bit a frame while it runs. Process context, reschedules.
 *
 * Return: 0 or -ENOMEM.
 */
int lw_census_take(struct lw_census *census, void (*lost)(u64 entry, void *arg), void *arg);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel says of a page frame: is it there, is it free, what is it? */
#ifndef COMPAT_PAGE_H
#define COMPAT_PAGE_H

#include <linux/hugetlb.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/version.h>
#include <compat/access.h>
#include <compat/regs.h>

/* The largest order, or one more: what it counts has changed twice. */
#ifdef MAX_PAGE_ORDER
#define LW_ORDER_MAX	MAX_PAGE_ORDER
#else
#define LW_ORDER_MAX	MAX_ORDER
#endif

/* Does printk know the names of a mask's bits? Before 4.6 %pGg is a pointer and two letters. */
#define LW_HAVE_GFP_NAMES	(LINUX_VERSION_CODE >= KERNEL_VERSION(4, 6, 0))

/**
 * lw_page_in_buddy() - is a frame part of a free block?
 * @pfn: the frame, which exists
 *
 * Only a block's first frame says so, with the block's order in page->private. Both are read
 * without the zone's lock, so the answer is a hint: true of a frame that is not free may be seen
 * for an instant. Any context.
 */
static inline bool lw_page_in_buddy(unsigned long pfn)
{
	unsigned int order;

	for (order = 0; order <= LW_ORDER_MAX; order++) {
		unsigned long first = pfn & ~((1UL << order) - 1);
		struct page *page;

		if (!pfn_valid(first))
			return false;
		page = pfn_to_page(first);
		/* a hint, see above */
		if (PageBuddy(page) && data_race(page_private(page)) >= order)
			return true;
	}
	return false;
}

#ifndef LW_HAVE_PAGE_TABLE
#define PageTable(page)		false
#endif
#ifndef LW_HAVE_PAGE_OFFLINE
#define PageOffline(page)	false
#endif

#ifndef LW_HAVE_PAGE_TYPE
/* A mark in place of the count of mappings, which is -1 at least. */
static inline bool page_has_type(struct page *page)
{
	return atomic_read(&page->_mapcount) < -1;
}
#endif

/**
 * lw_page_unheld() - does nobody hold a page that is not part of another?
 * @page: the page
 *
 * So it is with pages that are free but not yet in a free block: on a CPU's list. What has a type
 * (slab, page table, offline, ...) may live without a count. The same hint as above: a count is
 * frozen to 0 for instants. Any context.
 */
static inline bool lw_page_unheld(struct page *page)
{
	return !page_count(page) && !PageCompound(page) && !PageSlab(page) &&
	       !page_has_type(page) && !PageReserved(page) && !PageHWPoison(page);
}

/*
 * If the first frame of so many, aligned, has a page, all have. Some architectures say so of each
 * frame by itself; without sparse memory, nobody knows.
 */
#if defined(CONFIG_HAVE_ARCH_PFN_VALID) || !defined(CONFIG_SPARSEMEM)
#define LW_FRAMES_TOGETHER	1UL
#elif defined(PAGES_PER_SUBSECTION)
#define LW_FRAMES_TOGETHER	PAGES_PER_SUBSECTION
#else
#define LW_FRAMES_TOGETHER	PAGES_PER_SECTION
#endif

/**
 * lw_online_page() - the page of a frame, if the kernel uses that memory
 * @pfn: any number
 *
 * Memory may be taken offline behind the answer, as for everybody who takes no lock that a module
 * cannot take. Any context. Return: the page, or NULL.
 */
static inline struct page *lw_online_page(unsigned long pfn)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 13, 0)
	return pfn_to_online_page(pfn);
#else
	return pfn_valid(pfn) ? pfn_to_page(pfn) : NULL;
#endif
}

/**
 * lw_buddy_frames() - how many frames are free from this one on
 * @page: the page
 * @pfn: its frame
 *
 * Read without a lock, so a hint as in lw_page_in_buddy(), but looked at twice. Any context.
 * Return: the frames of the free block that begins here, 0 if none does.
 */
static inline unsigned long lw_buddy_frames(struct page *page, unsigned long pfn)
{
	unsigned long order;

	if (!PageBuddy(page))
		return 0;
	/* a hint, see above */
	order = data_race(page_private(page));
	if (order > LW_ORDER_MAX || pfn & ((1UL << order) - 1) || !PageBuddy(page))
		return 0;
	return 1UL << order;
}

/**
 * lw_page_listed() - is a page in a list by its own list head?
 * @page: the page
 *
 * Its neighbours know. What the head has been used for since it was in a list fails that, or cannot
 * be read. Process context. Return: whether.
 */
static inline bool lw_page_listed(struct page *page)
{
	struct list_head *at = &page->lru, *next = READ_ONCE(at->next), *back = NULL;

	if (next == at || lw_read_kernel(&back, &next->prev, sizeof(back)) || back != at)
		return false;
	return !lw_read_kernel(&back, &READ_ONCE(at->prev)->next, sizeof(back)) && back == at;
}

/** lw_page_mapping() - Return: whose page of a file it is; of a head page, or of a single one */
static inline struct address_space *lw_page_mapping(struct page *page)
{
	unsigned long mapping = (unsigned long)READ_ONCE(page->mapping);

	/* the lower bits say that it is something else */
	return mapping & 3 ? NULL : (struct address_space *)mapping;
}

/** lw_page_swapbacked() - Return: whether the swap is behind a page; of a head, or single */
static inline bool lw_page_swapbacked(struct page *page)
{
#ifdef LW_HAVE_FOLIO
	return folio_test_swapbacked((struct folio *)page);
#else
	return PageSwapBacked(page);
#endif
}

/** lw_page_large_kmalloc() - Return: whether the page says that it is a kmalloc's own (6.14) */
static inline bool lw_page_large_kmalloc(struct page *page)
{
#ifdef LW_HAVE_LARGE_KMALLOC
	return PageLargeKmalloc(page);
#else
	return false;
#endif
}

/** lw_page_driver_moves() - Return: whether a driver moves it by itself: zsmalloc, balloon */
static inline bool lw_page_driver_moves(struct page *page)
{
#ifdef LW_HAVE_PAGE_ZSMALLOC
	if (PageZsmalloc(page))
		return true;
#endif
#ifdef PAGE_MAPPING_MOVABLE
	return ((unsigned long)READ_ONCE(page->mapping) & 3) == PAGE_MAPPING_MOVABLE;
#else
	return false;
#endif
}

/**
 * lw_pcp_order() - the order of a page that is freed to a CPU's list
 * @second: the second argument of the function that does it
 *
 * Until 5.13 that was whether the page is cold, or nothing: there were single pages only.
 * Return: the order.
 */
static inline unsigned int lw_pcp_order(unsigned long second)
{
	return LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0) ? second : 0;
}

/** lw_contig_gfp() - Return: the mask of an alloc_contig_range() that is being entered */
static inline u32 lw_contig_gfp(struct pt_regs *regs)
{
#ifdef LW_CONTIG_HAS_NO_GFP
	return (__force u32)GFP_KERNEL;
#else
	return lw_regs_arg(regs, 3);
#endif
}

/* since 5.17 there are batches of folios */
#if defined(LW_HAVE_FOLIO) && LINUX_VERSION_CODE >= KERNEL_VERSION(5, 17, 0)
#ifdef LW_HAVE_FOLIO_BATCH
#include <linux/folio_batch.h>
#else
#include <linux/pagevec.h>
#endif

/** lw_each_folio() - call @see for each folio of a batch. Any context. */
static inline void lw_each_folio(const struct folio_batch *batch,
				 void (*see)(unsigned long pfn, unsigned int order))
{
	unsigned int i;

	for (i = 0; i < batch->nr; i++)
		see(folio_pfn(batch->folios[i]), folio_order(batch->folios[i]));
}
#else
struct folio_batch;

static inline void lw_each_folio(const struct folio_batch *batch,
				 void (*see)(unsigned long pfn, unsigned int order))
{
}
#endif

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel says of a page frame: is it free? */
#ifndef COMPAT_PAGE_H
#define COMPAT_PAGE_H

#include <linux/mm.h>
#include <linux/mmzone.h>

/* The largest order, or one more: what it counts has changed twice. */
#ifdef MAX_PAGE_ORDER
#define LW_ORDER_MAX	MAX_PAGE_ORDER
#else
#define LW_ORDER_MAX	MAX_ORDER
#endif

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

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's own counters of memory, as far as a module can read them. */
#ifndef COMPAT_VMSTAT_H
#define COMPAT_VMSTAT_H

#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/swap.h>
#include <linux/version.h>
#include <linux/vmstat.h>

#define LW_NO_COUNTER	(-1L)	/* no such counter here */

/* Counters were of zones alone until 4.7; those that were left of them got another name in 4.14. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 8, 0)
#define global_node_page_state(item)	global_page_state(item)
#define NR_ANON_MAPPED			NR_ANON_PAGES
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 14, 0)
#define global_zone_page_state(item)	global_page_state(item)
#endif

/* LW_NODE_PAGES() - pages that a counter of all nodes has; for those that not every kernel has */
#define LW_NODE_PAGES(item)	((long)global_node_page_state(item))

/** lw_slab_pages() - Return: pages of the slab allocator, large kmallocs too */
static inline long lw_slab_pages(bool reclaimable)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 9, 0)
	return global_node_page_state_pages(reclaimable ? NR_SLAB_RECLAIMABLE_B :
					    NR_SLAB_UNRECLAIMABLE_B);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(4, 13, 0)
	return LW_NODE_PAGES(reclaimable ? NR_SLAB_RECLAIMABLE : NR_SLAB_UNRECLAIMABLE);
#else
	return global_zone_page_state(reclaimable ? NR_SLAB_RECLAIMABLE : NR_SLAB_UNRECLAIMABLE);
#endif
}

/** lw_stack_kb() - Return: KB of kernel stacks */
static inline long lw_stack_kb(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 9, 0)
	return LW_NODE_PAGES(NR_KERNEL_STACK_KB);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(4, 9, 0)
	return global_zone_page_state(NR_KERNEL_STACK_KB);
#else
	return global_zone_page_state(NR_KERNEL_STACK) * (THREAD_SIZE >> 10);
#endif
}

/** lw_table_pages() - Return: pages of page tables */
static inline long lw_table_pages(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0)
	return LW_NODE_PAGES(NR_PAGETABLE);
#else
	return global_zone_page_state(NR_PAGETABLE);
#endif
}

/** lw_second_table_pages() - Return: pages of page tables of guests and devices */
static inline long lw_second_table_pages(void)
{
#ifdef LW_HAVE_NR_SECONDARY_PAGETABLE
	return LW_NODE_PAGES(NR_SECONDARY_PAGETABLE);
#else
	return LW_NO_COUNTER;
#endif
}

/** lw_misc_pages() - Return: pages that drivers keep and can give back, such as pools of ION */
static inline long lw_misc_pages(void)
{
#ifdef LW_HAVE_NR_KERNEL_MISC_RECLAIMABLE
	return LW_NODE_PAGES(NR_KERNEL_MISC_RECLAIMABLE);
#else
	return LW_NO_COUNTER;
#endif
}

/** lw_zs_pages() - Return: pages of zsmalloc */
static inline long lw_zs_pages(void)
{
#if IS_ENABLED(CONFIG_ZSMALLOC) && LINUX_VERSION_CODE >= KERNEL_VERSION(4, 8, 0)
	return global_zone_page_state(NR_ZSPAGES);
#else
	return LW_NO_COUNTER;
#endif
}

/** lw_hugetlb_pages() - Return: pages of the pool of huge pages */
static inline long lw_hugetlb_pages(void)
{
#if defined(LW_HAVE_NR_HUGETLB) && defined(CONFIG_HUGETLB_PAGE)
	return LW_NODE_PAGES(NR_HUGETLB);
#else
	return LW_NO_COUNTER;
#endif
}

/** lw_iommu_pages() - Return: pages of IOMMU drivers that are no page tables */
static inline long lw_iommu_pages(void)
{
#if defined(LW_HAVE_NR_IOMMU_PAGES) && defined(CONFIG_IOMMU_SUPPORT)
	return LW_NODE_PAGES(NR_IOMMU_PAGES);
#else
	return LW_NO_COUNTER;
#endif
}

/** lw_gpu_pages() - Return: pages of graphics drivers, used or in their pools */
static inline long lw_gpu_pages(void)
{
#if defined(LW_HAVE_NR_GPU_ACTIVE) && defined(LW_HAVE_NR_GPU_RECLAIM)
	return LW_NODE_PAGES(NR_GPU_ACTIVE) + LW_NODE_PAGES(NR_GPU_RECLAIM);
#else
	return LW_NO_COUNTER;
#endif
}

/** lw_vmalloc_pages() - Return: pages of vmalloc */
static inline long lw_vmalloc_pages(void)
{
#ifdef LW_HAVE_NR_VMALLOC
	return LW_NODE_PAGES(NR_VMALLOC);
#else
	return LW_NO_COUNTER;
#endif
}

/** lw_swap_cached_pages() - Return: pages in memory that have a place in the swap */
static inline long lw_swap_cached_pages(void)
{
#if defined(LW_HAVE_NR_SWAPCACHE) && defined(CONFIG_SWAP)
	return LW_NODE_PAGES(NR_SWAPCACHE);
#else
	return LW_NO_COUNTER;
#endif
}

/** lw_available_pages() - Return: pages that could be had without swapping */
static inline long lw_available_pages(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 6, 0)
	return si_mem_available();
#else
	return LW_NO_COUNTER;
#endif
}

/** lw_swap_free_pages() - Return: pages that the swap has room for */
static inline long lw_swap_free_pages(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 5, 0)
	return get_nr_swap_pages();
#else
	return LW_NO_COUNTER;
#endif
}

/** lw_cma_pages() - Return: pages set aside for contiguous allocations; known since 5.12 */
static inline long lw_cma_pages(void)
{
#ifdef LW_HAVE_ZONE_CMA
	long pages = 0;
	int node, zone;

	for_each_online_node(node)
		for (zone = 0; zone < MAX_NR_ZONES; zone++)
			pages += zone_cma_pages(&NODE_DATA(node)->node_zones[zone]);
	return pages;
#elif defined(CONFIG_CMA)
	return LW_NO_COUNTER;
#else
	return 0;
#endif
}

/**
 * lw_steal_pages() - pages that reclaim has taken since boot
 * @event: all_vm_events(), where that is an event
 *
 * Return: how many.
 */
static inline unsigned long lw_steal_pages(const unsigned long *event)
{
#if defined(LW_HAVE_PGSTEAL_KSWAPD)
	return LW_NODE_PAGES(PGSTEAL_KSWAPD) + LW_NODE_PAGES(PGSTEAL_DIRECT);
#elif LINUX_VERSION_CODE < KERNEL_VERSION(4, 8, 0)
	/* one for each zone that there is to allocate from, that of the last one last */
	unsigned long sum = 0;
	int zone;

	for (zone = 0; zone <= ZONE_MOVABLE; zone++)
		sum += event[PGSTEAL_KSWAPD_MOVABLE - zone] + event[PGSTEAL_DIRECT_MOVABLE - zone];
	return sum;
#else
	return event[PGSTEAL_KSWAPD] + event[PGSTEAL_DIRECT];
#endif
}

#endif

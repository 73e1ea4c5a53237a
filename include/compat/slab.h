/* SPDX-License-Identifier: GPL-2.0 */
/* What kmalloc() makes of what it is asked for. */
#ifndef COMPAT_SLAB_H
#define COMPAT_SLAB_H

#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <compat/ftrace.h>
#include <compat/regs.h>

/*
 * Until 5.15 kmem_cache_free is announced when the object is free already, and may be another's.
 * There its function's entry is what tells in time, if ftrace can call us at it.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 16, 0) && defined(LW_HAVE_FTRACE)
#define LW_CACHE_FREE_LATE	true
#else
#define LW_CACHE_FREE_LATE	false
#endif

/* The flags by which kmalloc() chooses among caches of one size. */
#ifdef __GFP_ACCOUNT
#define LW_KMALLOC_TYPES	(__GFP_DMA | __GFP_RECLAIMABLE | __GFP_ACCOUNT)
#else
#define LW_KMALLOC_TYPES	(__GFP_DMA | __GFP_RECLAIMABLE)
#endif

/** lw_kmalloc_type() - Return: 24 bits that tell caches of one size apart */
static __always_inline u32 lw_kmalloc_type(gfp_t gfp)
{
	return (__force u32)(gfp & LW_KMALLOC_TYPES);
}

static_assert((__force u32)LW_KMALLOC_TYPES < 1 << 24);

/* Where __kmalloc_node() has its mask: since 6.11 it may be asked for a bucket first. */
#ifdef CONFIG_SLAB_BUCKETS
#define LW_NODE_GFP	2
#else
#define LW_NODE_GFP	1
#endif

/** lw_bulk_result() - Return: whether the kmem_cache_alloc_bulk() that returns has succeeded */
static inline bool lw_bulk_result(struct pt_regs *regs)
{
#ifdef LW_BULK_IS_BOOL
	return (u8)lw_regs_result(regs);	/* the rest of the register may be anything */
#else
	return (u32)lw_regs_result(regs);
#endif
}

/** lw_kmalloc_bytes() - Return: how many bytes an object takes that is asked for with @size */
static inline size_t lw_kmalloc_bytes(size_t size)
{
	if (size > KMALLOC_MAX_CACHE_SIZE)
		return PAGE_SIZE << get_order(size);
	if (size <= KMALLOC_MIN_SIZE)
		return KMALLOC_MIN_SIZE;
	if (KMALLOC_MIN_SIZE <= 32 && size > 64 && size <= 96)
		return 96;
	if (KMALLOC_MIN_SIZE <= 64 && size > 128 && size <= 192)
		return 192;
	return roundup_pow_of_two(size);
}

/*
 * From 6.12 on the allocator announces a large kmalloc twice, the caller last. Before 6.1, where
 * events do not tell of caches, a large object may as well be one of a cache.
 */
#define LW_LARGE_TWICE	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0))

#endif

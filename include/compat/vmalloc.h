/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that can be done without. */
#ifndef COMPAT_VMALLOC_H
#define COMPAT_VMALLOC_H

#include <linux/gfp.h>
#include <linux/vmalloc.h>

/**
 * lw_vzalloc_noretry() - vzalloc() that gives up early and says nothing
 * @bytes: how many
 *
 * The kernel kills nobody for it. Process context. Return: the memory, all 0, or NULL.
 */
static inline void *lw_vzalloc_noretry(unsigned long bytes)
{
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NORETRY | __GFP_NOWARN;

#ifdef LW_VMALLOC_HAS_PROT
	return __vmalloc(bytes, gfp | __GFP_HIGHMEM, PAGE_KERNEL);
#else
	return __vmalloc(bytes, gfp);
#endif
}

#endif

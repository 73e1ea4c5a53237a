/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory: page-aligned and zeroed. host_allocated counts what is not freed yet; if host_fail is
 * n > 0, the nth allocation from then on fails.
 */
#ifndef HOST_LINUX_VMALLOC_H
#define HOST_LINUX_VMALLOC_H

#include <stdlib.h>
#include <string.h>
#include <linux/gfp.h>

extern int host_allocated, host_fail;

static inline void *vzalloc(unsigned long size)
{
	void *p = NULL;

	if (host_fail && !--host_fail)
		return NULL;
	if (posix_memalign(&p, 4096, size))
		return NULL;
	host_allocated++;
	return memset(p, 0, size);
}

static inline void *__vmalloc(unsigned long size, gfp_t gfp)
{
	return vzalloc(size);
}

static inline void vfree(void *p)
{
	if (p)
		host_allocated--;
	free(p);
}

#endif

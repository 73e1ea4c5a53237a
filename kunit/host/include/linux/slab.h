/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_SLAB_H
#define HOST_LINUX_SLAB_H

#define KMALLOC_MAX_CACHE_SIZE	8192

struct kmem_cache;
unsigned int kmem_cache_size(struct kmem_cache *cache);

#endif

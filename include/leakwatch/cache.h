/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cache: the slab caches that objects were seen from, by number, with name and size.
 *
 * A cache gets a number at its first event. When it is destroyed the number keeps its name and
 * size; a later cache at the same address gets another.
 *
 * struct kmem_cache is private to the kernel, and has been moved and reshaped often. So where its
 * name, size, flags and reference count are, and where a slab's page points to its cache, is
 * learnt at load from caches of our own whose answers are known (lw_cache_init()). What could not
 * be learnt is done without: the size then comes from kmem_cache_size(), the name is "-".
 *
 * Locking: none, as for sites (site.h). All but init may run in any context.
 */
#ifndef LEAKWATCH_CACHE_H
#define LEAKWATCH_CACHE_H

#include <linux/compiler.h>
#include <linux/slab.h>
#include <linux/types.h>

#define LW_MAX_CACHES	2048U
#define LW_CACHE_NAME	32

/** lw_cache_init() - learn where the fields are. Process context. Return: 0 or -ENOMEM. */
int lw_cache_init(void);

/** lw_cache_exit() - give the memory back; nobody is inside any more. Process context. */
void lw_cache_exit(void);

/** lw_cache_get() - Return: the number of @cache, made if it is new; 0 if there is no room */
u32 lw_cache_get(const struct kmem_cache *cache);

/** lw_cache_of_object() - Return: the number of the cache of a slab object, 0 if not known */
u32 lw_cache_of_object(const void *object);

/**
 * lw_cache_may_hold() - can an object still be one of a cache?
 * @nr: the cache's number
 * @object: an object, in a page of some slab
 *
 * Return: false if that slab is of another cache; true if it is not, or cannot be told.
 */
bool lw_cache_may_hold(u32 nr, const void *object);

/** lw_cache_destroyed() - @cache is about to be destroyed, unless others still share it */
void lw_cache_destroyed(const struct kmem_cache *cache);

/* Where struct kmem_cache has what an object takes, in bytes; -1 if it could not be learnt. */
extern int lw_cache_size_at;

/** lw_cache_bytes() - Return: bytes that an object of @cache takes. Any context. */
static __always_inline u32 lw_cache_bytes(const struct kmem_cache *cache)
{
	if (unlikely(lw_cache_size_at < 0))
		return kmem_cache_size((struct kmem_cache *)cache);
	return *(const u32 *)((const void *)cache + lw_cache_size_at);
}

/** lw_caches_end() - Return: one more than the highest number given */
u32 lw_caches_end(void);

/** lw_caches_bytes() - Return: the memory that the table takes */
unsigned long lw_caches_bytes(void);

/** lw_cache_name() - Return: the name, "-" for number 0 or if it could not be learnt */
const char *lw_cache_name(u32 nr);

/** lw_cache_size() - Return: bytes that an object takes, padding included */
u32 lw_cache_size(u32 nr);

/** lw_cache_reclaimable() - Return: whether the kernel takes its objects back by itself */
bool lw_cache_reclaimable(u32 nr);

/** lw_cache_dead() - Return: whether the cache has been destroyed */
bool lw_cache_dead(u32 nr);

#endif

// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <compat/access.h>
#include <leakwatch/cache.h>
#include <leakwatch/stats.h>

#define HASH_BITS	12
#define PROBES		64
#define GONE		0xffffU		/* a slot whose cache was destroyed; may be used again */

struct cache {
	const struct kmem_cache *at;
	u32 size;
	bool dead;
	bool reclaimable;
	char name[LW_CACHE_NAME];
};

static struct cache *caches __read_mostly;
static u32 slots[1 << HASH_BITS] __read_mostly;
static atomic_t nr_caches = ATOMIC_INIT(1);

/* Where the fields are, in bytes; -1 where it could not be learnt. */
static struct {
	int name;
	int flags;
	int refcount;
	int page;	/* the pointer to the cache in the struct page of a slab */
} offset __read_mostly = { -1, -1, -1, -1 };

int lw_cache_size_at __read_mostly = -1;

static u32 *slot_of(const struct kmem_cache *at, unsigned int probe)
{
	return &slots[(hash_ptr((void *)at, HASH_BITS) + probe) & ((1 << HASH_BITS) - 1)];
}

static noinline u32 make(const struct kmem_cache *at)
{
	int nr = atomic_read(&nr_caches);
	struct cache *cache;
	unsigned int probe;
	u32 was;

	do {
		if (nr >= LW_MAX_CACHES) {
			lw_stat_inc(LW_CACHES_FULL);
			return 0;
		}
	} while (!atomic_try_cmpxchg(&nr_caches, &nr, nr + 1));
	cache = &caches[nr];
	cache->size = lw_cache_bytes(at);
	if (offset.flags >= 0)
		cache->reclaimable = *(u32 *)((void *)at + offset.flags) &
				     (__force u32)SLAB_RECLAIM_ACCOUNT;
	if (offset.name >= 0)
		strscpy(cache->name, *(char **)((void *)at + offset.name), LW_CACHE_NAME);
	cache->at = at;
	for (probe = 0; probe < PROBES; probe++) {
		u32 *slot = slot_of(at, probe);

		was = READ_ONCE(*slot);
		if ((!was || was == GONE) && cmpxchg(slot, was, nr) == was)
			return nr;
		was = READ_ONCE(*slot);
		if (was != GONE && READ_ONCE(caches[was].at) == at)
			return was;	/* another CPU was first; our number stays unused */
	}
	lw_stat_inc(LW_CACHES_FULL);
	return 0;
}

u32 lw_cache_get(const struct kmem_cache *at)
{
	unsigned int probe;
	u32 nr;

	for (probe = 0; probe < PROBES; probe++) {
		nr = READ_ONCE(*slot_of(at, probe));
		if (unlikely(!nr))
			break;
		if (likely(nr != GONE && caches[nr].at == at))
			return nr;
	}
	return make(at);
}

/* The cache that the page of an object says it is of; NULL if it cannot be told. */
static struct kmem_cache *cache_at(const void *object)
{
	struct kmem_cache *at;

	if (!object || offset.page < 0 || !virt_addr_valid(object))
		return NULL;
	at = READ_ONCE(*(struct kmem_cache **)((void *)virt_to_head_page(object) + offset.page));
	/* a large kmalloc is no slab: what stands there is no pointer to a cache */
	return PageSlab(virt_to_head_page(object)) && virt_addr_valid(at) ? at : NULL;
}

u32 lw_cache_of_object(const void *object)
{
	struct kmem_cache *at = cache_at(object);

	return at ? lw_cache_get(at) : 0;
}

bool lw_cache_may_hold(u32 nr, const void *object)
{
	struct kmem_cache *at = cache_at(object);

	return !nr || !at || at == caches[nr].at;
}

void lw_cache_destroyed(const struct kmem_cache *at)
{
	unsigned int probe;
	u32 nr, *slot;

	if (!at || (offset.refcount >= 0 && *(int *)((void *)at + offset.refcount) > 1))
		return;
	for (probe = 0; probe < PROBES; probe++) {
		slot = slot_of(at, probe);
		nr = READ_ONCE(*slot);
		if (!nr)
			return;
		if (nr != GONE && caches[nr].at == at) {
			/* there may be another one: two CPUs may have met it at once */
			WRITE_ONCE(caches[nr].dead, true);
			WRITE_ONCE(*slot, GONE);
		}
	}
}

u32 lw_caches_end(void)
{
	return atomic_read(&nr_caches);
}

unsigned long lw_caches_bytes(void)
{
	return LW_MAX_CACHES * sizeof(*caches) + sizeof(slots);
}

const char *lw_cache_name(u32 nr)
{
	return nr && caches[nr].name[0] ? caches[nr].name : "-";
}

u32 lw_cache_size(u32 nr)
{
	return caches[nr].size;
}

bool lw_cache_reclaimable(u32 nr)
{
	return caches[nr].reclaimable;
}

bool lw_cache_dead(u32 nr)
{
	return READ_ONCE(caches[nr].dead);
}

/* Learning: a cache of a size that no other has, under a name that no other has. */
#define LEARN_NAME	"leakwatch_learns"
#define LEARN_SIZE	1112U
#define LEARN_SPAN	512	/* how much of struct kmem_cache is looked at, from its front */

static void never_merged(void *object)
{
}

static void learn_fields(const void *at)
{
	char name[sizeof(LEARN_NAME)];
	const void *text;
	u32 pair[2];
	int i;

	for (i = 0; i < LEARN_SPAN; i += sizeof(void *)) {
		/* the name is a copy, so in the direct map: nothing else is followed */
		if (offset.name < 0 && !lw_read_kernel(&text, at + i, sizeof(text)) &&
		    virt_addr_valid(text) && !lw_read_kernel(name, text, sizeof(name)) &&
		    !memcmp(name, LEARN_NAME, sizeof(name)))
			offset.name = i;
	}
	for (i = 0; i < LEARN_SPAN; i += sizeof(u32)) {
		/* what an object takes comes right before what was asked for, since 3.6 */
		if (lw_cache_size_at < 0 && !lw_read_kernel(pair, at + i, sizeof(pair)) &&
		    pair[1] == LEARN_SIZE && pair[0] >= LEARN_SIZE && pair[0] < 4 * LEARN_SIZE)
			lw_cache_size_at = i;
	}
}

static void learn_page(struct kmem_cache *at)
{
	void *object = kmem_cache_alloc(at, GFP_KERNEL);
	unsigned long *page;
	int i;

	if (!object)
		return;
	page = (unsigned long *)virt_to_head_page(object);
	for (i = 0; i < sizeof(struct page) / sizeof(*page); i++)
		if (offset.page < 0 && page[i] == (unsigned long)at)
			offset.page = i * sizeof(*page);
	kmem_cache_free(at, object);
}

/* Where caches are merged, making one twice gives the same, with one count changed: by one. */
static void learn_refcount(void)
{
	int before[LEARN_SPAN / sizeof(int)], after;
	struct kmem_cache *one, *two;
	int i, found = 0;

	one = kmem_cache_create(LEARN_NAME "_a", LEARN_SIZE, 0, 0, NULL);
	if (!one)
		return;
	if (!lw_read_kernel(before, one, sizeof(before))) {
		two = kmem_cache_create(LEARN_NAME "_b", LEARN_SIZE, 0, 0, NULL);
		for (i = 0; i < ARRAY_SIZE(before) && two == one; i++) {
			if (lw_read_kernel(&after, (int *)one + i, sizeof(after)) ||
			    after != before[i] + 1)
				continue;
			offset.refcount = i * sizeof(int);
			found++;
		}
		if (found != 1)
			offset.refcount = -1;
		kmem_cache_destroy(two);
	}
	kmem_cache_destroy(one);
}

/* Of two caches that differ in one flag alone, the word of flags differs by that. */
static void learn_flags(const void *at)
{
	const u32 flag = (__force u32)SLAB_RECLAIM_ACCOUNT;
	u32 without, with;
	void *other;
	int i, found = 0;

	other = kmem_cache_create(LEARN_NAME "_r", LEARN_SIZE, 0, SLAB_RECLAIM_ACCOUNT,
				  never_merged);
	if (!other)
		return;
	for (i = 0; i < LEARN_SPAN; i += sizeof(u32))
		if (!lw_read_kernel(&without, at + i, sizeof(without)) &&
		    !lw_read_kernel(&with, other + i, sizeof(with)) &&
		    with == (without | flag) && !(without & flag)) {
			offset.flags = i;
			found++;
		}
	if (found != 1)
		offset.flags = -1;
	kmem_cache_destroy(other);
}

int lw_cache_init(void)
{
	/* built in, the kernel would not copy a literal */
	char name[] = LEARN_NAME;
	struct kmem_cache *at;

	caches = vzalloc(LW_MAX_CACHES * sizeof(*caches));
	if (!caches)
		return -ENOMEM;
	at = kmem_cache_create(name, LEARN_SIZE, 0, 0, never_merged);
	if (at) {
		learn_fields(at);
		learn_page(at);
		learn_flags(at);
		kmem_cache_destroy(at);
	}
	learn_refcount();
	return 0;
}

void lw_cache_exit(void)
{
	vfree(caches);
	caches = NULL;
}

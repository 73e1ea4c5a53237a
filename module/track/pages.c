// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <compat/atomic.h>
#include <leakwatch/entry.h>
#include <leakwatch/pages.h>

#define CHUNK_BYTES	(LW_CHUNK_FRAMES * sizeof(u64))

static struct {
	u64 **chunk;
	unsigned long nr_chunks;
	unsigned long bytes;
} pages __read_mostly;

static __always_inline u64 *frame(unsigned long pfn)
{
	unsigned long nr = pfn >> LW_CHUNK_SHIFT;
	u64 *chunk;

	if (unlikely(nr >= pages.nr_chunks))
		return NULL;
	chunk = pages.chunk[nr];
	return likely(chunk) ? &chunk[pfn & (LW_CHUNK_FRAMES - 1)] : NULL;
}

int lw_pages_put(unsigned long pfn, u64 entry, u64 *old)
{
	u64 *at = frame(pfn);

	if (unlikely(!at))
		return -ERANGE;
	*old = lw_xchg64(at, entry);
	return 0;
}

int lw_pages_put_if_none(unsigned long pfn, u64 entry)
{
	u64 *at = frame(pfn);

	if (unlikely(!at))
		return -ERANGE;
	return cmpxchg64(at, 0, entry) ? -EEXIST : 0;
}

bool lw_pages_replace(unsigned long pfn, u64 seen, u64 entry)
{
	u64 *at = frame(pfn);

	return at && lw_try_cmpxchg64(at, seen, entry);
}

u64 lw_pages_get(unsigned long pfn)
{
	u64 *at = frame(pfn);

	return at ? READ_ONCE(*at) : 0;
}

bool lw_pages_next(unsigned long *pfn, u64 *entry)
{
	unsigned long nr = *pfn;
	u64 *at;

	while (nr < pages.nr_chunks << LW_CHUNK_SHIFT) {
		at = frame(nr);
		if (!at) {
			nr = (nr | (LW_CHUNK_FRAMES - 1)) + 1;
			continue;
		}
		*entry = READ_ONCE(*at);
		if (*entry) {
			*pfn = nr;
			return true;
		}
		if (!(nr++ % 4096))
			cond_resched();
	}
	return false;
}

void lw_pages_walk(void (*see)(unsigned long pfn, u64 entry, void *arg), void *arg)
{
	unsigned long pfn;
	u64 entry;

	for (pfn = 0; lw_pages_next(&pfn, &entry); pfn++)
		see(pfn, entry, arg);
}

unsigned long lw_pages_bytes(void)
{
	return pages.bytes;
}

void lw_pages_clear(void)
{
	unsigned long nr;

	for (nr = 0; nr < pages.nr_chunks; nr++)
		if (pages.chunk[nr])
			memset(pages.chunk[nr], 0, CHUNK_BYTES);
}

int lw_pages_init(unsigned long end, bool (*exists)(unsigned long pfn))
{
	unsigned long nr;

	pages.nr_chunks = DIV_ROUND_UP(end, LW_CHUNK_FRAMES);
	if (!pages.nr_chunks)
		return 0;
	pages.bytes = pages.nr_chunks * sizeof(*pages.chunk);
	pages.chunk = vzalloc(pages.bytes);
	if (!pages.chunk)
		goto fail;
	for (nr = 0; nr < pages.nr_chunks; nr++) {
		if (!exists(nr << LW_CHUNK_SHIFT))
			continue;
		pages.chunk[nr] = vzalloc(CHUNK_BYTES);
		if (!pages.chunk[nr])
			goto fail;
		pages.bytes += CHUNK_BYTES;
	}
	return 0;
fail:
	lw_pages_exit();
	return -ENOMEM;
}

void lw_pages_exit(void)
{
	unsigned long nr;

	for (nr = 0; pages.chunk && nr < pages.nr_chunks; nr++)
		vfree(pages.chunk[nr]);
	vfree(pages.chunk);
	pages.chunk = NULL;
	pages.nr_chunks = 0;
	pages.bytes = 0;
}

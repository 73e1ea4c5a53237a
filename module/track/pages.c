// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <compat/atomic.h>
#include <leakwatch/entry.h>
#include <leakwatch/pages.h>

#define CHUNK_BYTES	(LW_CHUNK_FRAMES * sizeof(u64))

struct lw_pages lw_pages __read_mostly;
static unsigned long table_bytes;

int lw_pages_put_if_none(unsigned long pfn, u64 entry)
{
	u64 *at;

	if (unlikely(!lw_pages_at(pfn, &at)))
		return -ERANGE;
	return cmpxchg64(at, 0, entry) ? -EEXIST : 0;
}

bool lw_pages_replace(unsigned long pfn, u64 seen, u64 entry)
{
	u64 *at;

	return lw_pages_at(pfn, &at) && lw_try_cmpxchg64(at, seen, entry);
}

u64 lw_pages_get(unsigned long pfn)
{
	u64 *at;

	return lw_pages_at(pfn, &at) ? lw_read64(at) : 0;
}

bool lw_pages_next(unsigned long *pfn, u64 *entry)
{
	unsigned long nr = *pfn;
	u64 *at;

	while (nr < lw_pages.nr_chunks << LW_CHUNK_SHIFT) {
		if (!lw_pages_at(nr, &at)) {
			nr = (nr | (LW_CHUNK_FRAMES - 1)) + 1;
			continue;
		}
		*entry = lw_read64(at);
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
	unsigned long nr, at;
	u64 *chunk, entry;
	int i;

	for (nr = 0; nr < lw_pages.nr_chunks; nr++) {
		chunk = lw_pages.chunk[nr];
		for (at = 0; chunk && at < LW_CHUNK_FRAMES; at += 8) {
#pragma GCC unroll 8
			for (i = 0; i < 8; i++) {
				entry = lw_read64(&chunk[at + i]);
				if (entry)
					see((nr << LW_CHUNK_SHIFT) + at + i, entry, arg);
			}
			if (!(at % 4096))
				cond_resched();
		}
	}
}

unsigned long lw_pages_bytes(void)
{
	return table_bytes;
}

void lw_pages_clear(void)
{
	unsigned long nr;

	for (nr = 0; nr < lw_pages.nr_chunks; nr++)
		if (lw_pages.chunk[nr])
			memset(lw_pages.chunk[nr], 0, CHUNK_BYTES);
}

int lw_pages_init(unsigned long end, bool (*exists)(unsigned long pfn))
{
	unsigned long nr;

	lw_pages.nr_chunks = DIV_ROUND_UP(end, LW_CHUNK_FRAMES);
	if (!lw_pages.nr_chunks)
		return 0;
	table_bytes = lw_pages.nr_chunks * sizeof(*lw_pages.chunk);
	lw_pages.chunk = vzalloc(table_bytes);
	if (!lw_pages.chunk)
		goto fail;
	for (nr = 0; nr < lw_pages.nr_chunks; nr++) {
		if (!exists(nr << LW_CHUNK_SHIFT))
			continue;
		lw_pages.chunk[nr] = vzalloc(CHUNK_BYTES);
		if (!lw_pages.chunk[nr])
			goto fail;
		table_bytes += CHUNK_BYTES;
	}
	return 0;
fail:
	lw_pages_exit();
	return -ENOMEM;
}

void lw_pages_exit(void)
{
	unsigned long nr;

	for (nr = 0; lw_pages.chunk && nr < lw_pages.nr_chunks; nr++)
		vfree(lw_pages.chunk[nr]);
	vfree(lw_pages.chunk);
	lw_pages.chunk = NULL;
	lw_pages.nr_chunks = 0;
	table_bytes = 0;
}

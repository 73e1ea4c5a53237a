/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pages: which page frame belongs to which site, and since when.
 *
 * One word a frame (entry.h, without a tag), so a block is as many entries as it has frames: a
 * block that is split, freed in parts, or freed inside a larger one comes out even by itself. The
 * table has two levels, because memory has holes: a chunk of LW_CHUNK_FRAMES frames has entries
 * only if one of them exists.
 *
 * Locking: none; a frame's entry is replaced by xchg or cmpxchg. The kernel orders what happens to
 * one frame. Any context, NMI included. Loops run over the frames of one block.
 *
 * Memory is taken by lw_pages_init(): 8 bytes a frame.
 */
#ifndef LEAKWATCH_PAGES_H
#define LEAKWATCH_PAGES_H

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/types.h>
#include <compat/atomic.h>

#define LW_CHUNK_SHIFT	15
#define LW_CHUNK_FRAMES	(1UL << LW_CHUNK_SHIFT)

/* The table: an array of chunks, each NULL or LW_CHUNK_FRAMES words. Read-only after its init. */
struct lw_pages {
	u64 **chunk;
	unsigned long nr_chunks;
};

extern struct lw_pages lw_pages;

/**
 * lw_pages_init() - take the memory of the table
 * @end: the first frame number past the highest; 0 for no table, then nothing is covered
 * @exists: whether any of the LW_CHUNK_FRAMES frames from @pfn exists
 *
 * Process context. Return: 0 or -ENOMEM.
 */
int lw_pages_init(unsigned long end, bool (*exists)(unsigned long pfn));

/** lw_pages_exit() - give the memory back; nobody is inside any more. Process context. */
void lw_pages_exit(void);

/** lw_pages_clear() - forget everything; the hooks are detached. Process context. */
void lw_pages_clear(void);

/** lw_pages_bytes() - Return: the memory that the table takes */
unsigned long lw_pages_bytes(void);

/** lw_pages_at() - find where the entry of frame @pfn is. Return: false if it is not covered. */
static __always_inline bool lw_pages_at(unsigned long pfn, u64 **at)
{
	unsigned long nr = pfn >> LW_CHUNK_SHIFT;
	u64 *chunk;

	if (unlikely(nr >= lw_pages.nr_chunks))
		return false;
	chunk = lw_pages.chunk[nr];
	*at = &chunk[pfn & (LW_CHUNK_FRAMES - 1)];
	return likely(chunk);
}

/**
 * lw_pages_any() - is there anything to be looked for in a block?
 * @pfn: its first frame
 * @order: of 2^@order frames, and aligned to so many
 *
 * Return: whether any frame of it has an entry; true of one that is larger than a chunk, as
 * gigantic pages can be (freed in one piece since 6.12).
 */
static __always_inline bool lw_pages_any(unsigned long pfn, unsigned int order)
{
	unsigned long nr = pfn >> LW_CHUNK_SHIFT;
	const u64 *chunk = likely(nr < lw_pages.nr_chunks) ? lw_pages.chunk[nr] : NULL;
	const u64 *at = chunk + (pfn & (LW_CHUNK_FRAMES - 1)), *end;

	if (likely(!order))
		/* whoever frees a frame knows of its allocation, and so sees its entry */
		return likely(chunk) && data_race(*at);
	if (unlikely(order > LW_CHUNK_SHIFT))
		return true;
	if (unlikely(!chunk))
		return false;
	/* a block is aligned to its size, and so in one chunk */
	for (end = at + (1UL << order); at < end; at++)
		/* as above */
		if (data_race(*at))
			return true;
	return false;
}

/**
 * lw_pages_put() - set the entry of one frame
 * @pfn: the frame
 * @entry: what to put there, 0 to forget the frame
 * @old: set to what was there, 0 if nothing
 *
 * Return: 0, or -ERANGE if the frame is not covered.
 */
static __always_inline int lw_pages_put(unsigned long pfn, u64 entry, u64 *old)
{
	u64 *at;

	if (unlikely(!lw_pages_at(pfn, &at)))
		return -ERANGE;
	*old = lw_xchg64(at, entry);
	return 0;
}

/**
 * lw_pages_put_if_none() - set the entry of one frame unless it has one
 * @pfn: the frame
 * @entry: what to put there
 *
 * Return: 0; -EEXIST if it has one; -ERANGE if the frame is not covered.
 */
int lw_pages_put_if_none(unsigned long pfn, u64 entry);

/** lw_pages_replace() - set the entry of one frame if it is @seen. Return: whether it was. */
bool lw_pages_replace(unsigned long pfn, u64 seen, u64 entry);

/** lw_pages_get() - Return: the entry of frame @pfn, 0 if it has none */
u64 lw_pages_get(unsigned long pfn);

/**
 * lw_pages_next() - find the next frame that has an entry
 * @pfn: the frame to begin at; set to the one found
 * @entry: set to its entry
 *
 * Runs beside the hooks. Process context, reschedules now and then.
 *
 * Return: false if there is none from *@pfn on.
 */
bool lw_pages_next(unsigned long *pfn, u64 *entry);

/**
 * lw_pages_walk() - show every entry to @see
 * @see: is given the frame's number and its entry; must not sleep
 * @arg: passed on
 *
 * As one goes from one lw_pages_next() to the next.
 */
void lw_pages_walk(void (*see)(unsigned long pfn, u64 entry, void *arg), void *arg);

#endif

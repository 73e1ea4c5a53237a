// SPDX-License-Identifier: GPL-2.0
/* pages: which page frame belongs to which site. */
#include "host.h"
#include "../../module/track/pages.c"

#define CHUNKS	6
#define FRAMES	(CHUNKS * LW_CHUNK_FRAMES)
#define END	(FRAMES - 100)		/* the last chunk is there if any of its frames is */

/* Memory has holes: chunks 0, 3 and 5 exist. */
static bool exists(unsigned long pfn)
{
	unsigned long chunk = pfn / LW_CHUNK_FRAMES;

	expect(pfn % LW_CHUNK_FRAMES == 0 && chunk < CHUNKS, "asked for %lu", pfn);
	return chunk == 0 || chunk == 3 || chunk == 5;
}

static bool covered(unsigned long pfn)
{
	return pfn < FRAMES && exists(pfn / LW_CHUNK_FRAMES * LW_CHUNK_FRAMES);
}

static u64 model[FRAMES];

static void see(unsigned long pfn, u64 entry, void *arg)
{
	unsigned long *seen = arg;

	expect(pfn < FRAMES && model[pfn] == entry, "frame %lu is %llx", pfn, entry);
	++*seen;
}

static void compare(void)
{
	unsigned long pfn, held = 0, seen = 0;

	for (pfn = 0; pfn < FRAMES; pfn++)
		held += !!model[pfn];
	lw_pages_walk(see, &seen);
	expect(seen == held, "walked %lu of %lu", seen, held);
}

static void random_operations(void)
{
	u64 seed = 1, entry, old = 0;
	unsigned long pfn, order, i;
	int n, ret;

	memset(model, 0, sizeof(model));
	if (!expect(!lw_pages_init(END, exists), "no table"))
		return;
	expect(lw_pages_bytes() == CHUNKS * sizeof(void *) + 3 * LW_CHUNK_FRAMES * sizeof(u64),
	       "%lu bytes", lw_pages_bytes());
	for (n = 0; n < 200000; n++) {
		pfn = host_below(&seed, FRAMES + 64);
		entry = lw_entry(0, 1 + host_below(&seed, LW_MAX_SITES - 1), n);
		switch (host_below(&seed, 4)) {
		case 0:			/* one frame, unless it has an entry */
			ret = lw_pages_put_if_none(pfn, entry);
			if (!covered(pfn))
				expect(ret == -ERANGE, "frame %lu: %d", pfn, ret);
			else if (model[pfn])
				expect(ret == -EEXIST, "frame %lu: %d", pfn, ret);
			else if (expect(!ret, "frame %lu: %d", pfn, ret))
				model[pfn] = entry;
			break;
		case 1:			/* a block goes, in whatever pieces it came */
			entry = 0;
			fallthrough;
		default:		/* a block comes */
			order = host_below(&seed, 5);
			pfn &= ~0UL << order;
			for (i = pfn; i < pfn + (1UL << order); i++) {
				ret = lw_pages_put(i, entry, &old);
				if (!covered(i)) {
					expect(ret == -ERANGE, "frame %lu: %d", i, ret);
					continue;
				}
				expect(!ret && old == model[i], "frame %lu: %d, had %llx, not %llx",
				       i, ret, old, model[i]);
				model[i] = entry;
			}
		}
	}
	compare();
	lw_pages_clear();
	memset(model, 0, sizeof(model));
	compare();
	lw_pages_exit();
	expect(lw_pages_put(0, 1, &old) == -ERANGE && !lw_pages_bytes(), "there is still a table");
}

static void no_memory(void)
{
	int n, ret;

	for (n = 1; n <= 4; n++) {
		host_fail = n;
		ret = lw_pages_init(END, exists);
		expect(ret == -ENOMEM, "allocation %d failed: %d", n, ret);
		expect(!host_allocated && !lw_pages_bytes(), "allocation %d failed: remains", n);
	}
	host_fail = 0;
	if (expect(!lw_pages_init(END, exists), "three chunks are four allocations"))
		lw_pages_exit();
}

/*
 * Every thread puts each of a few frames that all share. What was put and what was found in its
 * place must pair up: each entry is put once, and found once or still there at the end.
 */
#define THREADS	8
#define SHARED	16
#define PUTS	20000

static u64 found_sum[THREADS], put_sum[THREADS];
static unsigned int first_in[SHARED];

static void put_shared(int nr, void *arg)
{
	u64 seed = nr, old = 0, entry;
	unsigned long pfn;
	int n;

	host_give_way = 100;
	for (pfn = SHARED; pfn < 2 * SHARED; pfn++)
		if (!lw_pages_put_if_none(pfn, lw_entry(0, nr + 1, 0)))
			__atomic_fetch_add(&first_in[pfn - SHARED], 1, __ATOMIC_RELAXED);
	for (n = 0; n < PUTS; n++) {
		entry = lw_entry(0, nr + 1, n);
		lw_pages_put(host_below(&seed, SHARED), entry, &old);
		put_sum[nr] += entry;
		found_sum[nr] += old;
	}
}

static void add_up(unsigned long pfn, u64 entry, void *arg)
{
	u64 *sum = arg;

	if (pfn < SHARED)
		*sum += entry;
}

static void racing_puts(void)
{
	u64 put = 0, found = 0;
	int i;

	if (!expect(!lw_pages_init(END, exists), "no table"))
		return;
	host_threads(THREADS, put_shared, NULL);
	lw_pages_walk(add_up, &found);
	for (i = 0; i < THREADS; i++) {
		put += put_sum[i];
		found += found_sum[i];
	}
	expect(put == found, "put %llx, found %llx", put, found);
	for (i = 0; i < SHARED; i++)
		expect(first_in[i] == 1, "%u were first at frame %d", first_in[i], SHARED + i);
	lw_pages_exit();
}

int main(void)
{
	return host_run((struct host_test[]){
		{ "random operations agree with an array", random_operations },
		{ "no memory leaves nothing behind", no_memory },
		{ "racing puts lose nothing", racing_puts },
		{}
	});
}

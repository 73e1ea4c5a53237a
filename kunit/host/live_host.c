// SPDX-License-Identifier: GPL-2.0
/* live: which object belongs to which site. Alone against a model, then many threads at once. */
#include "host.h"
#include "../../module/track/live.c"
#include "../../module/track/stats.c"
#include "live_model.h"

#define BASE	0x100000000UL

/* The largest span that a table of that many slots covers. */
static unsigned long span_of(unsigned long slots)
{
	return slots / LW_LIVE_SLOTS << (LW_TAG_BITS + 3);
}

static bool init(unsigned long slots, unsigned long span)
{
	int ret = lw_live_init(slots, BASE, span);

	lw_stats_clear();
	return expect(!ret, "%lu slots, span %lx: %d", slots, span, ret);
}

/* Place and address() undo each other, wherever the entry stands. */
static void round_trip(unsigned long addr)
{
	struct lw_place at;
	unsigned long first, other_one, back;
	u64 *to;

	if (!expect(lw_live_place(addr, &at), "%lx is not covered", addr))
		return;
	to = second(lw_place_bucket(&at), lw_place_entry(&at));
	first = (at.slot - lw_live.slot) / LW_LIVE_SLOTS;
	other_one = (to - lw_live.slot) / LW_LIVE_SLOTS;
	expect(first < lw_live_slots() / LW_LIVE_SLOTS && first != other_one &&
	       other_one < lw_live_slots() / LW_LIVE_SLOTS,
	       "%lx is in %lu and %lu", addr, first, other_one);
	back = address(lw_live.mask, first, lw_place_entry(&at));
	expect(back == addr, "%lx is %lx", addr, back);
	back = address(lw_live.mask, other_one, lw_entry_as(lw_place_entry(&at), LW_SECOND));
	expect(back == addr, "%lx is %lx in its second bucket", addr, back);
	back = address(lw_live.mask, other_one, lw_entry_as(lw_place_entry(&at), LW_COMING));
	expect(back == addr, "%lx is %lx on its way", addr, back);
}

/* The same in each annex. */
static void round_trip_annexed(unsigned long addr)
{
	unsigned long mask, nr;
	struct lw_place at, in;
	unsigned int annex;
	u64 *to, *slot;

	if (!expect(lw_live_place(addr, &at), "%lx is not covered", addr))
		return;
	for (annex = 0; annex < lw_live.annexes; annex++) {
		in = in_annex(annex, &at, &to);
		slot = lw_live.annex[annex];
		mask = annex_mask(annex);
		nr = (in.slot - slot) / LW_LIVE_SLOTS;
		expect(in.slot >= slot && nr <= mask &&
		       address(mask, nr, lw_place_entry(&at)) == addr,
		       "%lx in its first bucket of annex %u", addr, annex);
		nr = (to - slot) / LW_LIVE_SLOTS;
		expect(to >= slot && nr <= mask && to != lw_place_bucket(&in) &&
		       address(mask, nr, lw_entry_as(lw_place_entry(&at), LW_SECOND)) == addr,
		       "%lx in its second bucket of annex %u", addr, annex);
	}
}

static void bijection_annexed(void)
{
	unsigned long slots, span, off, step;
	u64 seed = 1;

	for (slots = 16; slots <= 1UL << 14; slots *= 32)
		for (span = span_of(slots); span > span_of(slots) / 64; span = span / 3 & ~7UL) {
			if (!init(slots, span))
				return;
			lw_live_may_grow(8);
			while (!lw_live_grow())
				;
			step = span / 8 > 4000 ? span / 8 / 1000 : 1;
			for (off = 0; off < span / 8; off += 1 + host_below(&seed, step))
				round_trip_annexed(BASE + off * 8);
			round_trip_annexed(BASE + span - 8);
			lw_live_exit();
		}
}

static void bijection(void)
{
	unsigned long slots, span, off, step;
	struct lw_place at;
	u64 seed = 1;
	int n, shift;

	for (slots = 16; slots <= 1UL << 20; slots *= 4)
		for (shift = 0; shift < 18; shift += shift < 4 ? 1 : 3)
			for (n = 0; n < 3; n++) {
				/* a power of two, a little less, anything */
				span = span_of(slots) >> shift;
				if (n == 1)
					span -= 4096;
				if (n == 2)
					span = host_below(&seed, span) & ~7UL;
				if ((long)span < 64 || !init(slots, span))
					continue;
				step = span / 8 > 4000 ? span / 8 / 1000 : 1;
				for (off = 0; off < span / 8; off += 1 + host_below(&seed, step))
					round_trip(BASE + off * 8);
				round_trip(BASE + span - 8);
				expect(!lw_live_place(BASE + span, &at) &&
				       !lw_live_place(BASE - 1, &at), "too much is covered");
				lw_live_exit();
			}
	expect(lw_live_init(512, BASE, span_of(512) + 8) == -ERANGE, "the tag is too small for it");
	host_fail = 1;
	expect(lw_live_init(512, BASE, span_of(512)) == -ENOMEM, "there was no memory");
	host_fail = 0;
}

/*
 * Random operations, and after some of them a look at the whole table. The objects are more than
 * fit, so that allocations are refused and lost.
 */
static void operate(unsigned long slots, unsigned int nr, unsigned int n)
{
	struct object *object = calloc(nr, sizeof(*object)), *it;
	unsigned long step = span_of(slots) / nr & ~7UL, lost = 0, lines = 0;
	unsigned int i, busy, bias;
	u64 seed = slots;

	if (!init(slots, span_of(slots)))
		return;
	for (i = 0; i < nr; i++)
		object[i].addr = BASE + i * step + (host_below(&seed, step) & ~7UL);
	for (i = 0; i < n; i++) {
		/* the load goes up and down; what is hot is a part that moves */
		bias = 2 + 6 * (i / (n / 16 + 1) % 2);
		it = &object[(i / 64 + host_below(&seed, nr / 2 + 1)) % nr];
		jiffies += host_below(&seed, 2 * HZ);
		busy = host_below(&seed, 16);
		if (it->state == OUT ? busy < bias + 4 : busy == 15) {
			object_add(it, 1 + host_below(&seed, LW_MAX_SITES - 1));
			lost += it->state == LOST;
		} else if (busy < 12 - bias) {
			object_take(it);
		} else if (busy == 14) {
			object_give(it);
		}
		if (nr <= 1000 ? !(i % 997) : !(i % (n / 4))) {
			objects_compare(object, nr);
			lines++;
		}
	}
	objects_compare(object, nr);
	expect(lost || slots > 64, "none was refused in %lu slots", slots);
	expect(lw_stat_read(LW_MOVED) || slots == 16, "none was moved in %lu slots", slots);
	expect(!lw_stat_read(LW_LOST_MOVE), "%lu lost in moves", lw_stat_read(LW_LOST_MOVE));
	printf("# %lu slots, %u operations: %lu moved, %lu refused\n", slots, n,
	       lw_stat_read(LW_MOVED), lost);
	lw_live_clear();
	expect(!entries(), "%lu entries in a cleared table", entries());
	lw_live_exit();
	free(object);
}

static void tiny_tables(void)
{
	operate(16, 24, host_many(300000));	/* two buckets, so there is nowhere to move to */
	operate(64, 80, host_many(400000));
	operate(512, 640, host_many(300000));
}

static void larger_tables(void)
{
	operate(4096, 4600, host_many(1000000));
}

/* As far as it may, and no further; not without memory; back to its first size. */
static void grows(void)
{
	unsigned int times;

	for (times = 1; times <= 16; times++) {
		unsigned long most = times < 2 ? 1 : times < 4 ? 2 : times < 8 ? 4 : 8, size;

		if (!init(512, span_of(512)))
			return;
		expect(lw_live_grow() == -ENOSPC, "it grew unasked");
		lw_live_may_grow(times);
		expect(lw_live_limit() == 512 * most, "%u: limit %lu", times, lw_live_limit());
		for (size = 1; size < most; size *= 2) {
			host_fail = 1;
			expect(lw_live_grow() == -ENOMEM, "there was memory");
			host_fail = 0;
			expect(lw_live_slots() == 512 * size, "%lu slots", lw_live_slots());
			expect(!lw_live_grow(), "%u: no growth from %lu", times, size);
		}
		expect(lw_live_grow() == -ENOSPC, "%u: it grew further", times);
		expect(lw_live_slots() == 512 * most && lw_live_bytes() / 8 == 512 * most + 1,
		       "%u: %lu slots, %lu bytes", times, lw_live_slots(), lw_live_bytes());
		lw_live_clear();
		expect(lw_live_slots() == 512 && lw_live_limit() == 512 * most, "%lu slots",
		       lw_live_slots());
		lw_live_exit();
	}
}

/* As the module does, but before each operation. */
static void grow_if_needed(void)
{
	if (lw_live_load() >= 70)
		lw_live_grow();
}

/* Random operations on more objects than the first size has room for; none may be refused. */
static void operate_beyond(unsigned long slots, unsigned int n)
{
	unsigned int nr = slots * 3, i, busy, most = 0;
	struct object *object = calloc(nr, sizeof(*object)), *it;
	unsigned long step = span_of(slots) / nr & ~7UL, lost = 0, annexed = 0;
	u64 seed = slots;

	if (!init(slots, span_of(slots)))
		return;
	lw_live_may_grow(4);
	for (i = 0; i < nr; i++)
		object[i].addr = BASE + i * step + (host_below(&seed, step) & ~7UL);
	for (i = 0; i < n; i++) {
		if (!(i % 16))
			grow_if_needed();
		it = &object[host_below(&seed, nr)];
		jiffies += host_below(&seed, 2 * HZ);
		busy = host_below(&seed, 16);
		/* nearly all come, then nearly all go */
		if (it->state == OUT ? i < n / 2 || !busy : busy == 15) {
			object_add(it, 1 + host_below(&seed, LW_MAX_SITES - 1));
			lost += it->state == LOST;
		} else if (busy < (i < n / 2 ? 1 : 10)) {
			object_take(it);
		} else if (busy == 14) {
			object_give(it);
		}
		if (!(i % (n / 50)))
			objects_compare(object, nr);
		if (i == n / 2)
			for (most = 1; most <= lw_live.annexes; most++)
				annexed += entries_of_part(most);
	}
	objects_compare(object, nr);
	expect(!lost, "%lu refused, with %u annexes", lost, lw_live.annexes);
	expect(lw_live.annexes == 2 && annexed > slots, "%lu in %u annexes", annexed,
	       lw_live.annexes);
	expect(!lw_stat_read(LW_LOST_MOVE), "%lu lost in moves", lw_stat_read(LW_LOST_MOVE));
	printf("# %lu slots at first, %u operations: %lu in annexes at the most, %lu moved\n",
	       slots, n, annexed, lw_stat_read(LW_MOVED));
	lw_live_clear();
	expect(!lw_live.annexes && !entries(), "%lu entries, %u annexes", entries(),
	       lw_live.annexes);
	lw_live_exit();
	free(object);
}

static void beyond(void)
{
	operate_beyond(64, host_many(100000));
	operate_beyond(512, host_many(100000));
}

/*
 * Load: how full can it get, and does it stay usable at 80 %? Addresses as they come: anywhere,
 * objects in slab pages, whole pages, one dense run.
 */
#define LOAD_SLOTS	(1UL << 16)
#define CHURN		host_many(250000)

static void shuffle(unsigned long *addr, unsigned long nr, u64 *seed)
{
	unsigned long i, j, swap;

	for (i = nr - 1; i; i--) {
		j = host_below(seed, i + 1);
		swap = addr[i];
		addr[i] = addr[j];
		addr[j] = swap;
	}
}

static void fill_and_churn(const char *kind, unsigned long *addr)
{
	unsigned long slots = LOAD_SLOTS, i, j, n, live, refused = 0, first = 0;
	u64 seed = 1, old;
	int ret;

	if (!init(slots, span_of(slots)))
		return;
	/* until the first refusal */
	for (i = 0; i < slots && !first; i++) {
		ret = lw_live_add(addr[i], 1, &old);
		if (ret == -ENOSPC)
			first = i;
		else
			expect(!ret, "%s: %lx: %d", kind, addr[i], ret);
	}
	expect(first * 100 >= slots * 90, "%s: refused the %luth of %lu", kind, first, slots);

	/* 80 %: what is free is at the end of the list */
	live = slots * 8 / 10;
	for (i = live; i < first; i++)
		expect(!lw_live_take(addr[i], &old), "%s: lost %lx", kind, addr[i]);
	for (n = 0; n < CHURN; n++) {
		i = host_below(&seed, live);
		j = live + host_below(&seed, slots - live);
		expect(!lw_live_take(addr[i], &old), "%s: lost %lx", kind, addr[i]);
		refused += !!lw_live_add(addr[j], 2, &old);
		old = addr[i];
		addr[i] = addr[j];
		addr[j] = old;
	}
	expect(!refused, "%s: %lu of %d refused at 80 %%", kind, refused, CHURN);
	expect(entries() == live - refused, "%s: %lu entries", kind, entries());
	printf("# %s: first refusal at %.1f %% load; at 80 %% %.2f bytes an object, %lu moved\n",
	       kind, first * 100. / slots, lw_live_slots() * sizeof(u64) / (double)live,
	       lw_stat_read(LW_MOVED));
	lw_live_exit();
}

static void load(void)
{
	unsigned long *addr = calloc(LOAD_SLOTS, sizeof(*addr)), span = span_of(LOAD_SLOTS), i;
	unsigned long page = 0;
	u64 seed = 1;

	for (i = 0; i < LOAD_SLOTS; i++)	/* one in each of so many parts */
		addr[i] = BASE + i * (span / LOAD_SLOTS) +
			  (host_below(&seed, span / LOAD_SLOTS) & ~7UL);
	shuffle(addr, LOAD_SLOTS, &seed);
	fill_and_churn("anywhere", addr);
	for (i = 0; i < LOAD_SLOTS; i++) {	/* 192 bytes, 21 a page */
		if (i % 21 == 0)
			page = BASE + (i / 21 * (span / 4096 / (LOAD_SLOTS / 21 + 1)) +
				       host_below(&seed, 4)) * 4096;
		addr[i] = page + i % 21 * 192;
	}
	fill_and_churn("slab pages", addr);
	for (i = 0; i < LOAD_SLOTS; i++)
		addr[i] = BASE + i * 4096;
	fill_and_churn("whole pages", addr);
	for (i = 0; i < LOAD_SLOTS; i++)
		addr[i] = BASE + i * 64;
	fill_and_churn("one run", addr);
	free(addr);
}

/* And how full when it has grown as far as it may? Annexes first, where nothing is moved. */
static void fill_grown(const char *kind, unsigned long *addr)
{
	unsigned long slots = LOAD_SLOTS / 8, i;
	u64 old;

	if (!init(slots, span_of(LOAD_SLOTS / 8)))
		return;
	lw_live_may_grow(8);
	for (i = 0; i < LOAD_SLOTS; i++) {
		if (!(i % 64))
			grow_if_needed();
		if (lw_live_add(addr[i], 1, &old))
			break;
	}
	expect(lw_live_slots() == LOAD_SLOTS && i * 100 >= LOAD_SLOTS * 85,
	       "%s: refused the %luth of %lu", kind, i, lw_live_slots());
	expect(entries() == i, "%s: %lu entries", kind, entries());
	printf("# %s: grown, first refusal at %.1f %% load\n", kind, i * 100. / LOAD_SLOTS);
	while (i--)
		expect(!lw_live_take(addr[i], &old), "%s: lost %lx", kind, addr[i]);
	expect(!entries(), "%s: %lu left", kind, entries());
	lw_live_exit();
}

static void load_grown(void)
{
	unsigned long *addr = calloc(LOAD_SLOTS, sizeof(*addr)), i;
	unsigned long step = span_of(LOAD_SLOTS / 8) / LOAD_SLOTS;
	u64 seed = 1;

	for (i = 0; i < LOAD_SLOTS; i++)
		addr[i] = BASE + i * step + (host_below(&seed, step) & ~7UL);
	shuffle(addr, LOAD_SLOTS, &seed);
	fill_grown("anywhere", addr);
	for (i = 0; i < LOAD_SLOTS; i++)
		addr[i] = BASE + i * 64;
	fill_grown("one run", addr);
	for (i = 0; i < LOAD_SLOTS; i++)
		addr[i] = BASE + i / 21 * 4096 + i % 21 * 192;
	fill_grown("slab pages", addr);
	free(addr);
}

/*
 * A leak of one kind of object in a machine that was idle: slab page after slab page, in tables and
 * memories as boards have them. The addresses are as regular as can be, the table must not mind.
 */
static void fill_run(unsigned long slots, unsigned long span, unsigned long size)
{
	unsigned long page = size <= 256 ? 4096 : size <= 512 ? 8192 : size <= 1024 ? 16384 : 32768;
	unsigned long each = page / size, i;
	u64 old;

	if (slots < lw_live_least(span) || !init(slots, span))
		return;
	for (i = 0; i < slots * 9 / 10 && (i / each + 1) * page <= span; i++)
		if (lw_live_add(BASE + i / each * page + i % each * size, 1, &old))
			break;
	expect(i == slots * 9 / 10 || (i / each + 1) * page > span,
	       "%lu bytes, %lu slots, %lu MB: first refusal at %.1f %% load", size, slots,
	       span >> 20, i * 100. / slots);
	lw_live_exit();
}

static void runs(void)
{
	static const unsigned int sizes[] = { 8, 64, 128, 192, 208, 256, 512, 640, 1024, 2048 };
	unsigned long slots;
	int i;

	for (slots = 1UL << 16; slots <= host_many(1UL << 20); slots *= 4)
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			fill_run(slots, 1UL << 30, sizes[i]);
			fill_run(slots, 3UL << 29, sizes[i]);
		}
}

/* In NMI room is made if the lock is free, not if who was interrupted holds it. */
static unsigned int nmi_fill(bool held)
{
	u64 seed = 1, old;
	unsigned int n, refused = 0;
	unsigned long flags;

	if (!init(64, span_of(64)))
		return 0;
	if (held)
		raw_spin_lock_irqsave(&room_lock, flags);
	host_nmi = true;
	for (n = 0; n < 64; n++)
		refused += lw_live_add(BASE + (host_below(&seed, span_of(64)) & ~7UL), 1, &old) ==
			   -ENOSPC;
	host_nmi = false;
	if (held)
		raw_spin_unlock_irqrestore(&room_lock, flags);
	expect(refused >= held && !lw_stat_read(LW_MOVED) == held, "%u refused, %lu moved", refused,
	       lw_stat_read(LW_MOVED));
	lw_live_exit();
	return refused;
}

static void nmi(void)
{
	unsigned int with = nmi_fill(false), without;

	lw_stats_clear();
	without = nmi_fill(true);
	expect(with < without, "%u refused while none holds the lock, %u while one does", with,
	       without);
}

/* Wherever it stands, what was given up long ago goes, part by part, and nothing else. */
static void forgets(void)
{
	unsigned long nr = 200, i, at = 0, steps = 0, gone = 0, given;
	u64 old;

	if (!init(64, span_of(64)))
		return;
	lw_live_may_grow(4);
	lw_live_grow();
	lw_live_grow();
	jiffies = 0;
	for (i = 0; i < nr; i++)
		expect(!lw_live_add(BASE + i * 4096, 1, &old), "%lu", i);
	jiffies = 1000UL << LW_TICK_SHIFT;
	for (i = 0; i < nr; i += 2)
		expect(!lw_live_give(BASE + i * 4096, &old), "%lu", i);
	lw_live_give(BASE + nr * 4096, &old);		/* older than the table */
	expect(lw_live_count(&given) == nr + 1 && given == nr / 2 + 1, "%lu given", given);
	jiffies += (unsigned long)LW_GIVEN_TICKS << LW_TICK_SHIFT;
	expect(!lw_live_forget(&at, ULONG_MAX) && !at, "too early");
	expect(!lw_live_give(BASE + 4096, &old), "given up just now");
	jiffies += 1UL << LW_TICK_SHIFT;
	do {
		gone += lw_live_forget(&at, 100);
		steps++;
	} while (at);
	expect(gone == nr / 2 + 1, "%lu are gone", gone);
	expect(steps == lw_live_slots() / 100 + 1, "%lu steps for %lu slots", steps,
	       lw_live_slots());
	expect(lw_stat_read(LW_FORGOTTEN) == gone, "%lu counted", lw_stat_read(LW_FORGOTTEN));
	expect(lw_live_count(&given) == nr / 2 && given == 1, "%lu given", given);
	for (i = 1; i < nr; i += 2)
		expect(!lw_live_take(BASE + i * 4096, &old) && !!(old & LW_GIVEN) == (i == 1),
		       "%lu", i);
	expect(!entries(), "%lu are left", entries());
	lw_live_exit();
}

/*
 * Threads, each with objects of its own, in a table that they fill together: buckets are shared, so
 * there are spills and moves all the time. Another thread walks the table meanwhile.
 */
#define SHARED_SLOTS	64UL
#define SHARED_OBJECTS	192
#define SHARED_ROUNDS	120000

struct shared {
	struct object object[SHARED_OBJECTS];
	int objects;		/* that are used */
	int threads;
	int running;
	bool miss;		/* frees are missed or not shown as well */
	bool grow;		/* the table does, in their midst */
	unsigned long lost[16];
};

static void walk_sane(unsigned long addr, u64 entry, void *arg)
{
	expect(addr >= BASE && addr < BASE + span_of(SHARED_SLOTS) && !(addr & 7) &&
	       lw_entry_site(entry), "%lx is %llx", addr, entry);
}

static void own_objects(int nr, void *arg)
{
	struct shared *shared = arg;
	int each = shared->objects / shared->threads, n, what;
	struct object *object;
	u64 seed = 1000 * shared->threads + nr;

	host_give_way = 500;
	if (nr == shared->threads) {
		while (__atomic_load_n(&shared->running, __ATOMIC_RELAXED)) {
			lw_live_walk(walk_sane, NULL);
			if (shared->grow)
				grow_if_needed();
		}
		return;
	}
	for (n = 0; n < SHARED_ROUNDS / shared->threads; n++) {
		object = &shared->object[nr * each + host_below(&seed, each)];
		what = host_below(&seed, 16);
		if (object->state == OUT || (what < 4 && shared->miss)) {
			object_add(object, 1 + host_below(&seed, LW_MAX_SITES - 1));
			shared->lost[nr] += object->state == LOST;
		} else if (what < 12) {
			object_take(object);
		} else if (what == 15) {
			object_give(object);
		}
	}
	__atomic_fetch_sub(&shared->running, 1, __ATOMIC_RELAXED);
}

static void share(int threads, bool miss, bool grow)
{
	struct shared shared = {
		.objects = grow ? SHARED_OBJECTS : SHARED_OBJECTS / 2, .threads = threads,
		.running = threads, .miss = miss, .grow = grow,
	};
	unsigned long step = span_of(SHARED_SLOTS) / shared.objects & ~7UL, lost = 0;
	int i;

	if (!init(SHARED_SLOTS, span_of(SHARED_SLOTS)))
		return;
	if (grow)
		lw_live_may_grow(4);
	for (i = 0; i < shared.objects; i++)
		shared.object[i].addr = BASE + i * step;
	host_threads(threads + 1, own_objects, &shared);
	objects_compare(shared.object, shared.objects);
	for (i = 0; i < threads; i++)
		lost += shared.lost[i];
	expect(lw_live.annexes == 0 || grow, "it grew unasked");
	expect(lw_live.annexes > 0 || !grow, "it did not grow");
	expect(lw_stat_read(LW_MOVED) > 0 || grow, "none was moved");
	expect(lw_stat_read(LW_LOST_MOVE) == 0, "%lu lost in moves", lw_stat_read(LW_LOST_MOVE));
	printf("# %d threads: %lu moved, %lu refused, %lu in %u annexes at the end\n", threads,
	       lw_stat_read(LW_MOVED), lost, entries() - entries_of_part(0), lw_live.annexes);
	lw_live_exit();
}

static void threads(void)
{
	share(2, false, false);
	share(4, false, false);
	share(8, false, false);
	share(16, false, false);
}

static void threads_miss(void)
{
	share(2, true, false);
	share(4, true, false);
	share(8, true, false);
	share(16, true, false);
}

static void threads_grow(void)
{
	share(2, false, true);
	share(4, true, true);
	share(8, true, true);
	share(16, false, true);
}

int main(void)
{
	return host_run((struct host_test[]){
		{ "place and address undo each other", bijection },
		{ "the same in annexes", bijection_annexed },
		{ "it grows as far as it may", grows },
		{ "random operations agree with a model, tiny tables", tiny_tables },
		{ "random operations agree with a model, a larger table", larger_tables },
		{ "full to 90 %, usable at 80 %, 10 bytes an object", load },
		{ "random operations agree with a model, beyond the first size", beyond },
		{ "grown, full to 85 %", load_grown },
		{ "objects side by side fill 90 % as well", runs },
		{ "what was given up long ago is forgotten", forgets },
		{ "in NMI room is made where the lock is free", nmi },
		{ "2, 4, 8, 16 threads: the table is what its owners say", threads },
		{ "2, 4, 8, 16 threads that miss frees: the same", threads_miss },
		{ "2, 4, 8, 16 threads in a table that grows: the same", threads_grow },
		{}
	});
}

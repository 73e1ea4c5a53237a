// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <leakwatch/buffers.h>
#include <leakwatch/cache.h>
#include <leakwatch/census.h>
#include <leakwatch/clock.h>
#include <leakwatch/door.h>
#include <leakwatch/history.h>
#include <leakwatch/live.h>
#include <leakwatch/mark.h>
#include <leakwatch/pages.h>
#include <leakwatch/row.h>
#include <leakwatch/sample.h>

/**
 * struct ages - of one site, what a walk over the tables has seen, in ticks where an entry has them
 * @sum: of the ages
 * @half: from this age on it was there when the middle of its history was
 * @seen: how many
 * @old: of those, at least @half old
 * @min: the least age
 * @max: the greatest
 *
 * Apart from the rows, and no more than this, as it is done for every entry that there is.
 */
struct ages {
	u64 sum;
	u32 half;
	u32 seen;
	u32 old;
	u32 min;
	u32 max;
};

/*
 * Ages are taken from a little ahead of the tick at which the walk began: hooks go on, and what is
 * allocated meanwhile has an age, too.
 */
#define AHEAD	16

/* The bits of a tick where an entry has it; and all below, so that these take nothing from it. */
#define TICK_BITS	((unsigned long)LW_TICK_MASK << LW_AGE_SHIFT)
#define TICK_LOW	((1UL << LW_AGE_SHIFT) - 1)

static_assert(!(LW_TICK_MASK & ~LW_AGE_MASK));
static_assert(LW_AGE_SHIFT + LW_AGE_BITS < 32);

/**
 * struct walk - a walk over the tables
 * @ages: of each site that there can be
 * @now: from when ages are taken, as an entry has it
 */
struct walk {
	struct ages *ages;
	unsigned long now;
};

/*
 * Of @nr draws of which @bytes are live each, in KB: w * (w - 1) of each, in units of its size. The
 * product of what one stands for may have 70 bits.
 */
static u64 variance_of(u64 nr, u64 bytes, u64 weight)
{
	u64 unit = lw_weigh(bytes, weight);

	return mul_u64_u64_shr(nr, mul_u64_u64_shr(unit, unit - bytes, 10), 10);
}

/*
 * Of what was drawn: what it stands for. Pages were drawn as blocks, of which a part may have been
 * freed: as few blocks as can be, which gives the largest error.
 */
static void estimate_live(struct lw_row *row, const struct lw_site *site)
{
	u64 weight = lw_site_weight(site), nr = max(row->live, 0L);
	unsigned int order = 0;

	if (lw_what_class(site->what) == LW_PAGE)
		order = lw_what_order(site->what);
	row->variance = variance_of(nr >> order, (u64)site->size << order, weight) +
			variance_of(1, (nr & ((1UL << order) - 1)) * site->size, weight);
	row->live = lw_weigh(row->live, weight);
	row->grown = lw_weigh(row->grown, weight);
}

static void estimate(struct lw_row *row, const struct lw_site *site)
{
	u64 weight = lw_site_weight(site);

	if (!lw_what_rate(site->what) || !row->allocs)
		return;
	row->estimated = true;
	estimate_live(row, site);
	row->allocs = lw_weigh(row->allocs, weight);
	row->frees = lw_weigh(row->frees, weight);
	row->freed = lw_weigh(row->freed, weight);
}

static void fill(struct lw_row *row, u32 id, unsigned int classes, enum lw_group by,
		 bool (*want)(u32 site))
{
	const struct lw_mark *mark = lw_mark_of(id);
	struct lw_site *site = &lw_sites[id];
	long lost, missed;
	struct lw_count count;

	*row = (struct lw_row){ .site = id, .age_min = U32_MAX, .pid_min = INT_MAX, .pid_max = -1 };
	row->has_half = lw_history_half(lw_history_site(by == LW_BY_CALLER ? site->parent : id),
					&row->half);
	if (!lw_site_live(site) || !(classes & BIT(lw_what_class(site->what))) ||
	    (want && !want(id)))
		return;
	lw_site_counts(id, &count);
	lost = atomic_read(&lw_flaws[id].lost);
	missed = atomic_read(&lw_flaws[id].missed);
	row->wanted = true;
	row->allocs = count.allocs;
	row->frees = count.frees;
	row->live = count.allocs - count.frees - lost;
	row->grown = row->live - (long)(mark->allocs - mark->frees);
	row->freed = count.frees - mark->frees;
	row->size = site->size;
	estimate(row, site);
	row->pid_min = READ_ONCE(site->pid_min);
	row->pid_max = row->pid_min < 0 ? -1 : row->pid_min + (int)READ_ONCE(site->pid_span);
	if (row->pid_min < 0)
		row->pid_min = INT_MAX;
	row->note = (lost ? LW_NOTE_LOST : 0) | (missed ? LW_NOTE_MISSED : 0) |
		    (READ_ONCE(lw_flaws[id].folded) ? LW_NOTE_FOLDED : 0) |
		    (READ_ONCE(lw_flaws[id].cut) ? LW_NOTE_SHORT : 0) |
		    (site->state & LW_SITE_UNLOADED ? LW_NOTE_UNLOADED : 0) |
		    (site->cache && lw_cache_dead(site->cache) ? LW_NOTE_DESTROYED : 0);
}

static int walk_init(struct walk *walk, const struct lw_rows *rows)
{
	u32 id, half, nr = lw_sites_max(), now = lw_watch_now() + AHEAD;

	walk->now = (unsigned long)now << LW_AGE_SHIFT | TICK_LOW;
	walk->ages = kvmalloc_array(nr, sizeof(*walk->ages), GFP_KERNEL);
	if (!walk->ages)
		return -ENOMEM;
	for (id = 0; id < nr; id++)
		walk->ages[id] = (struct ages){ .min = U32_MAX, .half = U32_MAX };
	for (id = 0; id < rows->nr; id++) {
		if (!rows->row[id].has_half)
			continue;
		half = (now - rows->row[id].half) & LW_TICK_MASK;
		/* of one that is yet to come all is older */
		walk->ages[id].half = half <= LW_TICK_MASK / 2 ? half << LW_AGE_SHIFT : 0;
	}
	return 0;
}

/* Of @nr at once; @when has the tick where an entry has it, and above and below it anything. */
static __always_inline void age(const struct walk *walk, u32 site, unsigned long when, u32 nr)
{
	unsigned long age = (walk->now - when) & TICK_BITS;
	struct ages *ages = &walk->ages[site];
	u32 ticks = age;

	OPTIMIZER_HIDE_VAR(ages);	/* one address for all: on arm64 an instruction less */
	ages->sum += (u64)age * nr;
	ages->seen += nr;
	ages->old += ticks >= ages->half ? nr : 0;
	if (ticks < ages->min)
		ages->min = ticks;
	if (ticks > ages->max)
		ages->max = ticks;
}

static __always_inline void see(const struct walk *walk, u64 entry)
{
	age(walk, lw_entry_site(entry), entry, 1);
}

#define WORDS	4096UL		/* between two looks at whether somebody else wants the CPU */

/*
 * @nr is a multiple of eight. What was given up is seen, too, as that of site LW_SITE_NOBODY, which
 * has no row.
 */
static void see_words(const struct walk *walk, const u64 *word, unsigned long nr)
{
	const struct walk here = *walk;
	unsigned long at;
	u64 entry;
	int i;

	for (at = 0; at < nr; at += 8) {
		if (!(at % WORDS))
			cond_resched();
#pragma GCC unroll 8
		for (i = 0; i < 8; i++) {
			entry = lw_read64(&word[at + i]);
			if ((s64)entry < 0)	/* LW_FIRST, LW_SECOND */
				see(&here, entry);
		}
	}
}

static void see_objects(const struct walk *walk)
{
	unsigned long slots;
	unsigned int part;
	u64 *slot;

	for (part = 0; (slot = lw_live_part(part, &slots)); part++)
		see_words(walk, slot, slots);
}

static void see_pages(const struct walk *walk)
{
	unsigned long nr;

	for (nr = 0; nr < lw_pages.nr_chunks; nr++)
		if (lw_pages.chunk[nr])
			see_words(walk, lw_pages.chunk[nr], LW_CHUNK_FRAMES);
}

static void see_buffers(const struct walk *walk)
{
	struct lw_buffer buffer;
	unsigned int at;

	for (at = 0; lw_buffers_next(&at, &buffer); at++)
		age(walk, buffer.site, (unsigned long)buffer.tick << LW_AGE_SHIFT,
		    lw_buffer_units(buffer.site, buffer.is.bytes));
}

/* Of an age as a walk has it. */
static u32 seconds(u32 age)
{
	u32 ticks = age >> LW_AGE_SHIFT;

	return lw_clock_seconds(0, ticks < AHEAD ? 0 : ticks - AHEAD);
}

/*
 * Into the rows, in seconds. Of a site all ages weigh the same; where sites are added up they do
 * not. How many are old is for the judgement, which is that of the whole site, whatever is wanted
 * of it.
 */
static void walk_exit(struct walk *walk, struct lw_rows *rows)
{
	const struct ages *ages = walk->ages;
	const struct lw_site *site;
	struct lw_row *row;
	u64 weight, sum;
	u32 id;

	for (id = 0; id < rows->nr; id++, ages++) {
		row = &rows->row[id];
		site = &lw_sites[id];
		weight = lw_site_live(site) ? lw_site_weight(site) : LW_WEIGHT_ONE;
		row->old = lw_weigh(ages->old, weight);
		if (!row->wanted || !ages->seen)
			continue;
		sum = ages->sum >> LW_AGE_SHIFT;
		sum = max(sum, (u64)AHEAD * ages->seen) - (u64)AHEAD * ages->seen;
		row->seen = lw_weigh(ages->seen, weight);
		row->age_min = seconds(ages->min);
		row->age_max = seconds(ages->max);
		row->age_sum = lw_weigh(div_u64(sum << LW_TICK_SHIFT, HZ), weight);
	}
	kvfree(walk->ages);
}

static void fold(struct lw_row *into, const struct lw_row *row)
{
	into->estimated |= row->estimated;
	into->variance += row->variance;
	into->allocs += row->allocs;
	into->frees += row->frees;
	into->live += row->live;
	into->grown += row->grown;
	into->freed += row->freed;
	into->seen += row->seen;
	into->age_sum += row->age_sum;
	into->age_min = min(into->age_min, row->age_min);
	into->age_max = max(into->age_max, row->age_max);
	into->pid_min = min(into->pid_min, row->pid_min);
	into->pid_max = max(into->pid_max, row->pid_max);
	into->note |= row->note;
}

static void group(struct lw_rows *rows, enum lw_group by)
{
	struct lw_row *row = rows->row;
	u32 id, parent, nr = 0;

	for (id = 1; id < rows->nr; id++) {
		parent = lw_sites[id].parent;
		if (parent == id)
			continue;
		if (by == LW_BY_PATH) {
			row[parent].mixed = true;
			continue;
		}
		row[parent].old += row[id].old;
		if (!row[id].wanted)
			continue;
		row[parent].wanted = true;
		row[parent].size = row[id].size;
		fold(&row[parent], &row[id]);
		row[id] = (struct lw_row){};
	}
	for (id = 1; id < rows->nr; id++)
		if (row[id].allocs)
			row[nr++] = row[id];
	rows->nr = nr;
}

static void judge(struct lw_rows *rows)
{
	struct lw_row *row;

	for (row = rows->row; row < rows->row + rows->nr; row++) {
		if (row->mixed)
			continue;
		lw_history_judge(lw_history_site(row->site), row->size,
				 row->has_half ? row->old : LW_OLD_UNKNOWN, &row->judged);
		cond_resched();
	}
}

/* A row for each site there is. */
static struct lw_rows *rows_of(unsigned int classes, enum lw_group by, bool (*want)(u32 site))
{
	u32 id, nr = lw_sites_end();
	struct lw_rows *rows = kvmalloc(struct_size(rows, row, nr), GFP_KERNEL);

	if (!rows)
		return NULL;
	if (lw_watch_on() && classes & BIT(LW_PAGE))
		lw_pages_settle();
	for (id = 0; id < nr; id++) {
		fill(&rows->row[id], id, classes, by, want);
		cond_resched();			/* to want one may take names of all its frames */
	}
	rows->nr = nr;
	return rows;
}

struct lw_rows *lw_rows_get(unsigned int classes, enum lw_group by, bool (*want)(u32 site))
{
	struct lw_rows *rows = rows_of(classes, by, want);
	struct walk walk;

	if (!rows)
		return NULL;
	if (walk_init(&walk, rows)) {
		kvfree(rows);
		return NULL;
	}
	if (classes & BIT(LW_SLAB))
		see_objects(&walk);
	if (classes & BIT(LW_PAGE))
		see_pages(&walk);
	if (classes & BIT(LW_BUFFER))
		see_buffers(&walk);
	walk_exit(&walk, rows);
	group(rows, by);
	judge(rows);
	return rows;
}

struct lost {
	struct walk walk;
	struct lw_rows *rows;
};

static void see_lost(u64 entry, void *arg)
{
	struct lost *lost = arg;
	u32 site = lw_entry_site(entry);

	if (site < lost->rows->nr && lost->rows->row[site].wanted)
		lost->rows->row[site].live++;
	see(&lost->walk, entry);
}

static void keep_live(struct lw_rows *rows)
{
	u32 i, nr = 0;

	for (i = 0; i < rows->nr; i++)
		if (rows->row[i].live > 0)
			rows->row[nr++] = rows->row[i];
	rows->nr = nr;
}

struct lw_rows *lw_rows_lost(enum lw_group by, bool (*want)(u32 site), struct lw_census *census)
{
	struct lost lost = { .rows = rows_of(BIT(LW_PAGE), by, want) };
	struct lw_rows *rows = lost.rows;
	struct lw_row *row;
	int err;
	u32 id;

	if (!rows)
		return NULL;
	for (id = 0; id < rows->nr; id++) {
		rows->row[id].live = 0;
		rows->row[id].grown = 0;
	}
	err = walk_init(&lost.walk, rows);
	if (err)
		goto fail;
	err = lw_census_take(census, see_lost, &lost);
	walk_exit(&lost.walk, rows);
	if (err)
		goto fail;
	for (id = 0; id < rows->nr; id++) {
		row = &rows->row[id];
		if (!row->wanted)
			continue;
		row->grown = row->live - (long)lw_mark_of(id)->lost;
		if (row->estimated)
			estimate_live(row, &lw_sites[id]);
	}
	group(rows, by);
	keep_live(rows);
	judge(rows);
	return rows;
fail:
	kvfree(rows);
	return NULL;
}

void lw_rows_put(struct lw_rows *rows)
{
	kvfree(rows);
}

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

struct walk {
	struct lw_rows *rows;
	u32 now;
};

/*
 * Of what was drawn: what it stands for. The variance is the sum of w * (w - 1) over what is live,
 * each in units of its own size: objects, or blocks of pages.
 */
static void estimate_live(struct lw_row *row, const struct lw_site *site)
{
	u64 weight = lw_site_weight(site), bytes = site->size, unit, nr = max(row->live, 0L);

	if (lw_what_class(site->what) == LW_PAGE) {
		bytes <<= lw_what_order(site->what);
		nr >>= lw_what_order(site->what);
	}
	unit = lw_weigh(bytes, weight);		/* what one draw stands for */
	row->variance = mul_u64_u64_shr(nr, unit * (unit - bytes), 20);
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

/* In ticks, until all have been seen: this is done for every entry that there is. */
static __always_inline void age(const struct walk *walk, struct lw_row *row, u32 tick)
{
	u32 ticks = (walk->now - tick) & LW_AGE_MASK;

	/* for the judgement, which is that of the whole site, whatever is wanted of it */
	row->old += row->has_half &&
		    ((row->half - tick) & LW_TICK_MASK) <= LW_TICK_MASK / 2;
	if (!row->wanted)
		return;
	row->seen++;
	row->age_sum += ticks;
	row->age_min = min(row->age_min, ticks);
	row->age_max = max(row->age_max, ticks);
}

static __always_inline void see(const struct walk *walk, u64 entry)
{
	u32 site = lw_entry_site(entry);

	if (likely(site < walk->rows->nr))
		age(walk, &walk->rows->row[site], lw_entry_age(entry));
}

static void see_objects(const struct walk *walk)
{
	unsigned long nr, slots = lw_live_slots();
	u64 entry;

	for (nr = 0; nr < slots; nr++) {
		entry = lw_live_entry(nr);
		if (entry)
			see(walk, entry);
		if (!(nr % 8192))
			cond_resched();
	}
}

static void see_chunk(const struct walk *walk, const u64 *chunk)
{
	unsigned long nr;
	u64 entry;

	for (nr = 0; nr < LW_CHUNK_FRAMES; nr++) {
		entry = lw_read64(&chunk[nr]);
		if (entry)
			see(walk, entry);
		if (!(nr % 8192))
			cond_resched();
	}
}

static void see_pages(const struct walk *walk)
{
	unsigned long nr;

	for (nr = 0; nr < lw_pages.nr_chunks; nr++)
		if (lw_pages.chunk[nr])
			see_chunk(walk, lw_pages.chunk[nr]);
}

static void see_buffers(const struct walk *walk)
{
	struct lw_buffer buffer;
	unsigned int at;

	for (at = 0; lw_buffers_next(&at, &buffer); at++)
		if (buffer.site < walk->rows->nr)
			age(walk, &walk->rows->row[buffer.site], buffer.tick);
}

/*
 * In seconds from here on. Of a site all ages weigh the same; where sites are added up they do not.
 */
static void settle_ages(struct lw_row *row, u32 id)
{
	const struct lw_site *site = &lw_sites[id];
	u64 weight = lw_site_live(site) ? lw_site_weight(site) : LW_WEIGHT_ONE;

	if (row->seen)
		row->age_min = lw_clock_seconds(0, row->age_min);
	row->age_max = lw_clock_seconds(0, row->age_max);
	row->age_sum = div_u64(row->age_sum << LW_TICK_SHIFT, HZ);
	row->old = lw_weigh(row->old, weight);
	row->seen = lw_weigh(row->seen, weight);
	row->age_sum = lw_weigh(row->age_sum, weight);
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

	for (row = rows->row; row < rows->row + rows->nr; row++)
		if (!row->mixed)
			lw_history_judge(lw_history_site(row->site), row->size,
					 row->has_half ? row->old : LW_OLD_UNKNOWN, &row->judged);
}

struct lw_rows *lw_rows_get(unsigned int classes, enum lw_group by, bool (*want)(u32 site))
{
	u32 id, nr = lw_sites_end();
	struct lw_rows *rows = kvmalloc(struct_size(rows, row, nr), GFP_KERNEL);
	struct walk walk = { .rows = rows, .now = lw_watch_now() };

	if (!rows)
		return NULL;
	rows->nr = nr;
	if (lw_watch_on() && classes & BIT(LW_PAGE))
		lw_pages_settle();
	for (id = 0; id < nr; id++)
		fill(&rows->row[id], id, classes, by, want);
	if (classes & BIT(LW_SLAB))
		see_objects(&walk);
	if (classes & BIT(LW_PAGE))
		see_pages(&walk);
	if (classes & BIT(LW_BUFFER))
		see_buffers(&walk);
	for (id = 0; id < nr; id++)
		settle_ages(&rows->row[id], id);
	group(rows, by);
	judge(rows);
	return rows;
}

static void see_lost(u64 entry, void *arg)
{
	struct walk *walk = arg;
	u32 site = lw_entry_site(entry);

	if (site < walk->rows->nr)
		walk->rows->row[site].live++;
	see(walk, entry);
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
	u32 id, nr = lw_sites_end();
	struct lw_rows *rows = kvmalloc(struct_size(rows, row, nr), GFP_KERNEL);
	struct walk walk = { .rows = rows, .now = lw_watch_now() };

	if (!rows)
		return NULL;
	rows->nr = nr;
	if (lw_watch_on())
		lw_pages_settle();
	for (id = 0; id < nr; id++) {
		fill(&rows->row[id], id, BIT(LW_PAGE), by, want);
		rows->row[id].live = 0;
	}
	if (lw_census_take(census, see_lost, &walk)) {
		kvfree(rows);
		return NULL;
	}
	for (id = 0; id < nr; id++) {
		rows->row[id].grown = rows->row[id].live - (long)lw_mark_of(id)->lost;
		if (rows->row[id].estimated)
			estimate_live(&rows->row[id], &lw_sites[id]);
		settle_ages(&rows->row[id], id);
	}
	group(rows, by);
	keep_live(rows);
	judge(rows);
	return rows;
}

void lw_rows_put(struct lw_rows *rows)
{
	kvfree(rows);
}

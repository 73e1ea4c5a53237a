// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <compat/access.h>
#include <compat/regs.h>
#include <compat/slab.h>
#include <leakwatch/clock.h>
#include <leakwatch/door.h>
#include <leakwatch/live.h>
#include <leakwatch/pages.h>
#include <leakwatch/path.h>
#include <leakwatch/sample.h>
#include <leakwatch/stats.h>
#include <leakwatch/zoom.h>

static noinline void missed(u32 site, enum lw_stat stat)
{
	lw_site_uncharge(site, 1);
	atomic_inc(&lw_flaws[site].missed);
	lw_stat_inc(stat);
}

/*
 * A large kmalloc is announced twice, as pages and as an object: the pages become pages of the
 * slab allocator.
 */
static noinline void rehome(const void *object, u32 bytes)
{
	u64 entry = lw_entry(0, LW_SITE_SLAB_PAGES, lw_clock_now()), old;
	unsigned long pfn = page_to_pfn(virt_to_page(object));
	unsigned long end = pfn + DIV_ROUND_UP(bytes, PAGE_SIZE);

	for (; pfn < end; pfn++) {
		if (lw_pages_put(pfn, entry, &old))
			continue;
		if (old)
			lw_site_charge(lw_entry_site(old), -1);
		lw_site_charge(LW_SITE_SLAB_PAGES, 1);
	}
}

/*
 * The rest of put(): an allocation that did not go at once into an empty place. Return: whether
 * the table now has one entry more.
 */
static noinline bool put_slow(struct lw_site *site, unsigned long addr)
{
	bool added = false;
	lw_what_t was;
	u64 old;

	if (ZERO_OR_NULL_PTR((void *)addr))
		return false;
	if (!site) {
		lw_stat_inc(LW_LOST_SITES_FULL);
		return false;
	}
	switch (lw_live_add(addr, lw_entry_site(site->entry), &old)) {
	case 0:
		added = true;
		break;
	case -EEXIST:
		was = lw_sites[lw_entry_site(old)].what;
		if (LW_LARGE_TWICE && lw_what_is_large(was) && lw_what_is_large(site->what) &&
		    lw_what_major(was) == lw_what_major(site->what))
			lw_site_charge(lw_entry_site(old), -1);
		else
			missed(lw_entry_site(old), LW_MISSED_OBJECTS);
		break;
	case -ENOSPC:
		atomic_inc(&lw_flaws[lw_entry_site(site->entry)].lost);
		lw_stat_inc(in_nmi() ? LW_LOST_NMI : LW_LOST_LIVE_FULL);
		break;
	default:
		lw_stat_inc(LW_LOST_OUTSIDE);
		return false;
	}
	lw_site_charge_one(site);
	lw_site_saw(site);
	return added;
}

void lw_object_put(u32 site, const void *object)
{
	unsigned long addr = lw_untag(object);

	if (site == LW_SITE_NOBODY) {
		put_slow(NULL, addr);
	} else if (!lw_what_rate(lw_sites[site].what)) {
		put_slow(&lw_sites[site], addr);
	} else {
		lw_filter_add(addr);
		if (!put_slow(&lw_sites[site], addr))
			lw_filter_sub(addr);
	}
}

void lw_object_take_back(const void *object)
{
	unsigned long addr = lw_untag(object);
	u64 old;
	u32 site;

	if (lw_live_take(addr, &old))
		return;
	site = lw_entry_site(old);
	if (lw_what_rate(lw_sites[site].what))
		lw_filter_sub(addr);
	lw_site_charge(site, -1);
}

/* The site of a path, which is made if it is new. */
static u32 site_of(lw_what_t what, const struct lw_path *path, const void *object)
{
	u32 site = lw_site_get(what, path->frame, path->nr, object);

	if (unlikely(path->cut))
		WRITE_ONCE(lw_flaws[site].cut, 1);
	else if (path->place != LW_PLACE_NONE)
		lw_site_meet_path(&lw_sites[site], path->place);
	return site;
}

void lw_object_alloc_new(struct lw_site *site, unsigned long call_site, unsigned long addr)
{
	struct lw_place at;

	if (unlikely(!lw_live_place(addr, &at)) ||
	    unlikely(!lw_live_try_add(&at, lw_entry_since(site->entry, lw_clock_now()))))
		return (void)put_slow(site, addr);
	lw_site_charge_one(site);
	lw_site_saw(site);
}

bool lw_pages_on __read_mostly = true;

/* Apart, so that the stack that a path needs is only used where there is none to recognise. */
static noinline void alloc_by_path(unsigned long call_site, const void *object, lw_what_t what)
{
	struct lw_path path;
	u32 site;

	if (unlikely(ZERO_OR_NULL_PTR(object)))
		return;
	site = lw_path_like_call(&path, call_site, what);
	if (unlikely(site == LW_SITE_NOBODY))
		site = site_of(what, &path, object);
	lw_object_put(site, object);
	if (unlikely(lw_what_is_large(what)) && lw_pages_on)
		rehome(object, lw_what_major(what));
}

void lw_object_alloc_by_path(void *unused, unsigned long call_site, const void *object,
			     lw_what_t what)
{
	struct lw_site *site;

	if (unlikely(!lw_path_met_call(call_site, what, lw_walk_here(), &site)))
		return alloc_by_path(call_site, object, what);
	lw_object_put_straight(site, call_site, object);
}

void lw_object_alloc_by_call(void *unused, unsigned long call_site, const void *object,
			     lw_what_t what)
{
	u32 site;

	if (unlikely(ZERO_OR_NULL_PTR(object)))
		return;
	site = lw_site_get(what, &call_site, 1, object);
	if (lw_zoom_at(site) && lw_zoom_take())
		return alloc_by_path(call_site, object, what);
	lw_object_put(site, object);
	if (unlikely(lw_what_is_large(what)) && lw_pages_on)
		rehome(object, lw_what_major(what));
}

/* A large kmalloc was drawn, or not, as an object: its pages are no pages of their own. */
static noinline void unhome(const void *object, u32 bytes)
{
	unsigned long pfn = page_to_pfn(virt_to_page(object));
	unsigned long end = pfn + DIV_ROUND_UP(bytes, PAGE_SIZE);
	u64 old;

	for (; pfn < end; pfn++)
		if (!lw_pages_put(pfn, 0, &old) && old)
			lw_site_charge(lw_entry_site(old), -1);
}

static noinline void drawn_by_path(unsigned long call_site, const void *object, lw_what_t what)
{
	struct lw_path path;
	u32 site;

	site = lw_path_like_call(&path, call_site, what);
	if (site == LW_SITE_NOBODY)
		site = site_of(what, &path, object);
	lw_object_put(site, object);
}

void lw_object_alloc_drawn(unsigned long call_site, const void *object, lw_what_t what)
{
	if (ZERO_OR_NULL_PTR(object))
		return;
	what = lw_what_drawn(what, READ_ONCE(lw_sample_rate));
	if (lw_what_is_large(what))
		unhome(object, lw_what_major(what));
	/* a setting; either value is right while it changes. What is drawn is rare: none is dear */
	if (data_race(lw_stacks) != LW_STACKS_OFF)
		return drawn_by_path(call_site, object, what);
	lw_object_put(lw_site_get(what, &call_site, 1, object), object);
}

static void not_taken(unsigned long addr, int err)
{
	const void *object = (const void *)addr;

	if (err == -ENOENT)
		lw_stat_inc(LW_UNMATCHED_OBJECTS);
	else if (err == -ENOSPC)
		lw_stat_inc(LW_LOST_GIVEN);
	else if (err == -EBUSY)
		lw_stat_inc(LW_LOST_FREE);
	else if (err == -ERANGE && !ZERO_OR_NULL_PTR(object) && !is_vmalloc_addr(object))
		lw_stat_inc(LW_LOST_OUTSIDE);
}

void lw_object_free_slow(unsigned long addr)
{
	u64 old;
	int err;

	err = lw_live_take(addr, &old);
	if (err)
		not_taken(addr, err);
	else
		lw_site_uncharge_one(lw_entry_site(old));
}

void lw_object_free_found(const void *object)
{
	unsigned long addr = lw_untag(object);
	bool counting = lw_filter_counting();
	u64 old;
	int err;

	err = lw_live_take(addr, &old);
	if (err == -EBUSY)
		lw_stat_inc(LW_LOST_FREE);
	if (err)
		return;
	if (counting && !(old & LW_GIVEN))
		lw_filter_sub(addr);
	lw_site_uncharge_one(lw_entry_site(old));
}

void lw_object_free_either(const void *object)
{
	if (lw_sampled())
		lw_object_free_drawn(object);
	else
		lw_object_free(object);
}

void lw_object_give(const void *object)
{
	unsigned long addr = lw_untag(object);
	u64 old;
	int err;

	err = lw_live_give(addr, &old);
	if (unlikely(err))
		not_taken(addr, err);
	else
		lw_site_uncharge_one(lw_entry_site(old));
}

static u32 site_seen(lw_what_t what, const struct lw_path *path)
{
	u32 site;

	if (path->backing && lw_what_class(what) == LW_PAGE)
		return LW_SITE_SLAB_PAGES;
	site = site_of(what, path, NULL);
	if (likely(site != LW_SITE_NOBODY))
		lw_site_saw(&lw_sites[site]);
	return site;
}

/* The same, where @site was met on the way, or LW_SITE_NOBODY. */
static u32 site_met(u32 site, lw_what_t what, const struct lw_path *path)
{
	if (unlikely(site == LW_SITE_NOBODY) ||
	    (path->backing && lw_what_class(what) == LW_PAGE))
		return site_seen(what, path);
	lw_site_saw(&lw_sites[site]);
	return site;
}

u32 lw_site_at(lw_what_t what, struct pt_regs *regs)
{
	struct lw_path path;
	u32 site;

	if (lw_is_kind(what))
		return lw_site_get(what, NULL, 0, NULL);
	/* a setting; either value is right while it changes */
	if (lw_what_class(what) == LW_SLAB && data_race(lw_stacks) != LW_STACKS_ALL) {
		unsigned long caller = lw_regs_caller(regs);

		site = lw_site_get(what, &caller, 1, NULL);
		if (!lw_zoom_at(site) || !lw_zoom_take())
			return site;
	}
	site = lw_path_like_entry(&path, what, regs);
	return site_met(site, what, &path);
}

u32 lw_site_from(lw_what_t what, unsigned long from)
{
	struct lw_path path;

	return site_met(lw_path_from_pages(&path, what, from), what, &path);
}

/* A block of any order, wherever it goes. */
static noinline void put_pages(u32 site, unsigned long pfn, unsigned int order)
{
	u64 entry = lw_entry(0, site, lw_clock_now()), old;
	unsigned long end = pfn + (1UL << order), stored = 0;

	if (unlikely(site == LW_SITE_NOBODY)) {
		lw_stat_add(LW_LOST_SITES_FULL, 1UL << order);
		return;
	}
	for (; pfn < end; pfn++) {
		if (unlikely(lw_pages_put(pfn, entry, &old))) {
			lw_stat_inc(LW_LOST_OUTSIDE);
			continue;
		}
		stored++;
		if (unlikely(old))
			missed(lw_entry_site(old), LW_MISSED_PAGES);
	}
	lw_site_charge(site, stored);
}

void lw_pages_alloc_over(u64 old, struct lw_site *site)
{
	missed(lw_entry_site(old), LW_MISSED_PAGES);
	lw_site_charge_one(site);
}

void lw_pages_alloc_slow(struct lw_site *site, unsigned long pfn, unsigned int order)
{
	put_pages(lw_entry_site(site->entry), pfn, order);
}

bool lw_movable __read_mostly = true;

/* Asked only where a kind was not met: while they are left out none ever is. */
static bool left_out(lw_what_t what)
{
	return !lw_movable && lw_is_kind(what);
}

void lw_pages_alloc_by_kind(unsigned long pfn, unsigned int order, lw_what_t what)
{
	if (left_out(what))
		return;
	put_pages(lw_site_get(what, NULL, 0, NULL), pfn, order);
}

static noinline void pages_by_path(unsigned long pfn, unsigned int order, lw_what_t what)
{
	struct lw_path path;
	u32 site;

	site = lw_path_like_pages(&path, what);
	put_pages(site_met(site, what, &path), pfn, order);
}

void lw_pages_alloc_by_path(unsigned long pfn, unsigned int order, lw_what_t what)
{
	struct lw_site *site;

	if (unlikely(!lw_path_met_pages(what, lw_walk_here(), &site)))
		return pages_by_path(pfn, order, what);
	lw_site_saw(site);
	lw_pages_put_straight(site, pfn, order);
}

static noinline void drawn_pages_by_path(unsigned long pfn, unsigned int order, lw_what_t what)
{
	struct lw_path path;
	u32 site;

	site = lw_path_like_pages(&path, what);
	site = site_met(site, what, &path);
	/* of pages that hold objects some would be known, and not what they stand for */
	if (site != LW_SITE_SLAB_PAGES)
		put_pages(site, pfn, order);
}

void lw_pages_alloc_drawn(unsigned long pfn, unsigned int order, u32 gfp)
{
	lw_what_t what = lw_what_drawn(lw_what_pages(order, gfp), READ_ONCE(lw_sample_rate));

	if (lw_is_kind(what))
		return lw_pages_alloc_by_kind(pfn, order, what);
	drawn_pages_by_path(pfn, order, what);
}

void lw_pages_put_by(u32 site, unsigned long pfn, unsigned int order)
{
	if (left_out(lw_sites[site].what))
		return;
	/* in sampled mode as in drawn_pages_by_path() */
	if (site != LW_SITE_SLAB_PAGES || !lw_sampled())
		put_pages(site, pfn, order);
}

void lw_page_put_if_none(u32 site, unsigned long pfn)
{
	if (unlikely(site == LW_SITE_NOBODY)) {
		lw_stat_inc(LW_LOST_SITES_FULL);
		return;
	}
	if (left_out(lw_sites[site].what))
		return;
	switch (lw_pages_put_if_none(pfn, lw_entry(0, site, lw_clock_now()))) {
	case 0:
		lw_site_charge(site, 1);
		break;
	case -ERANGE:
		lw_stat_inc(LW_LOST_OUTSIDE);
		break;
	}
}

void lw_page_claim(u32 site, unsigned long pfn)
{
	u64 old;

	if (unlikely(site == LW_SITE_NOBODY)) {
		lw_stat_inc(LW_LOST_SITES_FULL);
		return;
	}
	if (unlikely(lw_pages_put(pfn, lw_entry(0, site, lw_clock_now()), &old))) {
		lw_stat_inc(LW_LOST_OUTSIDE);
		return;
	}
	lw_site_charge(site, 1);
	if (!old)
		return;
	if (lw_entry_site(old) == LW_SITE_MIGRATION)
		lw_site_charge(LW_SITE_MIGRATION, -1);
	else
		missed(lw_entry_site(old), LW_MISSED_PAGES);
}

void lw_pages_free_slow(unsigned long pfn, unsigned int order)
{
	unsigned long end = pfn + (1UL << order), run = 0;
	u32 site, before = LW_SITE_NOBODY;
	u64 old;

	for (; pfn < end; pfn++) {
		if (unlikely(lw_pages_put(pfn, 0, &old))) {
			lw_stat_inc(LW_LOST_OUTSIDE);
			continue;
		}
		if (unlikely(!old)) {
			lw_stat_inc(LW_UNMATCHED_PAGES);
			continue;
		}
		/* the frames of a block nearly always share a site: one update for a run of them */
		site = lw_entry_site(old);
		if (site != before) {
			if (run)
				lw_site_uncharge(before, run);
			before = site;
			run = 0;
		}
		run++;
	}
	if (run)
		lw_site_uncharge(before, run);
}

void lw_pages_free_found(unsigned long pfn, unsigned int order)
{
	unsigned long end = pfn + (1UL << order);
	u64 old;

	for (; pfn < end; pfn++)
		if (!lw_pages_put(pfn, 0, &old) && old)
			lw_site_uncharge(lw_entry_site(old), 1);
}

void lw_pages_free_either(unsigned long pfn, unsigned int order)
{
	if (lw_sampled())
		lw_pages_free_drawn(pfn, order);
	else
		lw_pages_free(pfn, order);
}

void lw_pages_move(unsigned long from, unsigned long to, unsigned long nr)
{
	/* in sampled mode a page without an entry need not be compaction's */
	u64 migrates = lw_sampled() ? 0 : lw_entry(0, LW_SITE_MIGRATION, lw_clock_now());
	u64 owner, target, ignored;

	for (; nr; nr--, from++, to++) {
		if (lw_pages_put(to, 0, &target)) {
			lw_stat_inc(LW_LOST_OUTSIDE);
			continue;
		}
		if (lw_pages_put(from, target ?: migrates, &owner)) {
			lw_pages_put(to, target, &ignored);
			lw_stat_inc(LW_LOST_OUTSIDE);
			continue;
		}
		if (!target && migrates)
			lw_site_charge(LW_SITE_MIGRATION, 1);
		lw_pages_put(to, owner, &ignored);
	}
}

void lw_object_gone(unsigned long addr, u64 entry)
{
	if (!lw_live_drop(addr, entry))
		return;
	if (lw_sampled())
		lw_filter_sub(addr);
	missed(lw_entry_site(entry), LW_GONE_OBJECTS);
}

void lw_page_gone(unsigned long pfn, u64 entry)
{
	if (lw_pages_replace(pfn, entry, 0))
		missed(lw_entry_site(entry), LW_GONE_PAGES);
}

static void settle(unsigned long pfn, u64 entry, void *unused)
{
	u32 site = lw_entry_site(entry);

	if (site == LW_SITE_SLAB_PAGES || !pfn_valid(pfn) || !PageSlab(pfn_to_page(pfn)))
		return;
	if (lw_what_rate(lw_sites[site].what)) {
		if (lw_pages_replace(pfn, entry, 0))
			lw_site_charge(site, -1);
		return;
	}
	if (lw_pages_replace(pfn, entry, lw_entry(0, LW_SITE_SLAB_PAGES, lw_entry_age(entry)))) {
		lw_site_charge(site, -1);
		lw_site_charge(LW_SITE_SLAB_PAGES, 1);
	}
}

void lw_pages_settle(void)
{
	lw_pages_walk(settle, NULL);
}

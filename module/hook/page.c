// SPDX-License-Identifier: GPL-2.0
/*
 * The hooks of class page: the two page events, the allocations that have none, and migration,
 * which moves what a page holds to another.
 *
 * mm_page_free_batched is not hooked: every page it tells of has had its mm_page_free.
 */
#include <linux/slab.h>		/* before the events, which do not include it */
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <trace/events/kmem.h>
#include <compat/page.h>
#include <compat/percpu.h>
#include <compat/regs.h>
#include <compat/trace.h>
#include <leakwatch/door.h>
#include <leakwatch/hook.h>
#include <leakwatch/sample.h>

enum { PAGE_FREE, MIGRATE, PAGE_ALLOC, MOVABLE, PAGES_BULK, ISOLATE, CONTIG, NR_HOOKS };

static DEFINE_PER_CPU(unsigned long, events[NR_HOOKS]);

#define event(nr) lw_count_inc(events[nr])

static void page_alloc(void *data, struct page *page, unsigned int order, gfp_t gfp, int type)
{
	event(PAGE_ALLOC);
	if (likely(page))
		lw_pages_alloc(page_to_pfn(page), order, (__force u32)gfp);
}

/* What the last event on this CPU told of: a bulk allocation that it came in tells of it again. */
DEFINE_PER_CPU(struct page *, lw_page_last);

static noinline __noclone void page_due(void *data, struct page *page, unsigned int order,
					gfp_t gfp)
{
	if (lw_sample_take() && page)
		lw_pages_alloc_drawn(page_to_pfn(page), order, (__force u32)gfp);
}

static void page_alloc_sampled(void *data, struct page *page, unsigned int order, gfp_t gfp,
			       int type)
{
	event(PAGE_ALLOC);
	this_cpu_write(lw_page_last, page);
	if (lw_sample_due(lw_page_bytes(1UL << order)))
		page_due(data, page, order, gfp);
}

static void page_free(void *data, struct page *page, unsigned int order)
{
	event(PAGE_FREE);
	lw_pages_free(page_to_pfn(page), order);
}

static void page_free_sampled(void *data, struct page *page, unsigned int order)
{
	event(PAGE_FREE);
	lw_pages_free_drawn(page_to_pfn(page), order);
}

/*
 * void folio_migrate_flags(struct folio *to, struct folio *from), and its forebears: called for
 * every page that is migrated, just after its contents were copied.
 */
static void migrate(unsigned long to, unsigned long from, unsigned long unused)
{
	lw_pages_move(page_to_pfn((struct page *)from), page_to_pfn((struct page *)to),
		      compound_nr((struct page *)from));
}

/*
 * void __SetPageMovable(struct page *page, const struct movable_operations *ops): until 6.16 or so
 * a page with a migration of its own (zsmalloc, balloon) passes here, when it is new, and
 * when compaction has moved it to a page that nobody has heard of.
 */
static void movable(unsigned long page, unsigned long unused1, unsigned long unused2)
{
	/* else what has no entry may have had an event: in sampled mode, or as it is left out */
	if (!lw_sampled() && lw_movable)
		lw_page_put_if_none(LW_SITE_MIGRATION, page_to_pfn((struct page *)page));
}

/*
 * unsigned long alloc_pages_bulk(gfp_t gfp, int node, nodemask_t *nodes, int nr,
 *				  [struct list_head *list,] struct page **array)
 *
 * Returns how many of the array are filled, those that were so before included, or how many were
 * put in front of the list. Single pages that it falls back to have had an event.
 */
struct bulk {
	struct lw_draw draw;
	bool none;		/* of them will be drawn */
	u32 site;
	struct list_head *list;
	struct page **array;
	unsigned long filled;
};

static u32 site_now(u32 gfp, const struct lw_draw *draw, struct pt_regs *regs)
{
	return lw_site_at(lw_what_drawn(lw_what_pages(0, gfp), draw->rate), regs);
}

static void pages_bulk_enter(void *data, struct pt_regs *regs)
{
	struct bulk *bulk = data;
	unsigned long nr = max_t(int, lw_regs_arg(regs, 3), 0);

#ifdef LW_BULK_HAS_LIST
	bulk->list = (struct list_head *)lw_regs_arg(regs, 4);
	bulk->array = (struct page **)lw_regs_arg(regs, 5);
#else
	bulk->list = NULL;
	bulk->array = (struct page **)lw_regs_arg(regs, 4);
#endif
	bulk->filled = 0;
	while (bulk->array && bulk->filled < nr && bulk->array[bulk->filled])
		bulk->filled++;
	this_cpu_write(lw_page_last, NULL);	/* that may be free by now, and come once more */
	bulk->none = !lw_draw_begin(&bulk->draw, lw_page_bytes(nr));
	if (!bulk->none)
		bulk->site = site_now(lw_regs_arg(regs, 0), &bulk->draw, regs);
}

static void bulk_page(struct bulk *bulk, struct page *page)
{
	/* in sampled mode: the one that it fell back to has had its draw */
	if (bulk->draw.rate && page == this_cpu_read(lw_page_last))
		return;
	if (lw_draw_next(&bulk->draw, lw_page_bytes(1)))
		lw_page_put_if_none(bulk->site, page_to_pfn(page));
}

static void pages_bulk_leave(void *data, struct pt_regs *regs)
{
	struct bulk *bulk = data;
	unsigned long nr = lw_regs_result(regs), i;
	struct page *page;

	if (bulk->none)
		return;
	lw_site_saw_late(bulk->site);
	if (bulk->array) {
		for (i = bulk->filled; i < nr; i++)
			if (bulk->array[i])
				bulk_page(bulk, bulk->array[i]);
	} else if (bulk->list) {
		list_for_each_entry(page, bulk->list, lru) {
			if (!nr--)
				break;
			bulk_page(bulk, page);
		}
	}
}

/*
 * unsigned long isolate_freepages_range(void *control, unsigned long start, unsigned long end)
 *
 * alloc_contig_range() takes whole free blocks by it, and frees what it does not need of them.
 * Returns the end of what was taken, 0 if nothing.
 */
static void isolate_enter(void *data, struct pt_regs *regs)
{
	*(unsigned long *)data = lw_regs_arg(regs, 1);
}

static void isolate_leave(void *data, struct pt_regs *regs)
{
	unsigned long pfn, end = lw_regs_result(regs);

	if (lw_sampled())
		return;
	for (pfn = *(unsigned long *)data; pfn < end; pfn++)
		lw_page_put_if_none(LW_SITE_MIGRATION, pfn);
}

/* int alloc_contig_range(unsigned long start, unsigned long end, unsigned int type, [gfp_t gfp]) */
struct contig {
	struct lw_draw draw;
	bool none;
	u32 site;
	unsigned long start;
	unsigned long end;
};

static void contig_enter(void *data, struct pt_regs *regs)
{
	struct contig *contig = data;
	u32 gfp = lw_contig_gfp(regs);

	contig->start = lw_regs_arg(regs, 0);
	contig->end = lw_regs_arg(regs, 1);
	/* the caller owns the pages, wherever they came from: they are never a kind */
	gfp &= ~(__force u32)__GFP_MOVABLE;
	contig->none = !lw_draw_begin(&contig->draw, lw_page_bytes(contig->end - contig->start));
	if (!contig->none)
		contig->site = site_now(gfp, &contig->draw, regs);
}

static void contig_leave(void *data, struct pt_regs *regs)
{
	struct contig *contig = data;
	unsigned long pfn;

	if ((int)lw_regs_result(regs) || contig->none)
		return;
	lw_site_saw_late(contig->site);
	for (pfn = contig->start; pfn < contig->end; pfn++)
		if (lw_draw_next(&contig->draw, lw_page_bytes(1)))
			lw_page_claim(contig->site, pfn);
}

struct lw_hook lw_page_hooks[] = {
	[PAGE_FREE] = {
		.events = &events[PAGE_FREE],
		.name = "mm_page_free", .type = LW_TRACE, .class = LW_PAGE, .frees = true,
		.needed = true, .trace = LW_ADAPTER_1(mm_page_free, page_free),
		.sampled = LW_ADAPTER_1(mm_page_free, page_free_sampled),
	},
	[MIGRATE] = {
		.events = &events[MIGRATE],
		.name = "folio_migrate_flags", .type = LW_ENTRY, .class = LW_PAGE, .frees = true,
		.symbol = { "folio_migrate_flags", "migrate_page_states", "migrate_page_copy" },
		.entry = migrate,
	},
	[PAGE_ALLOC] = {
		.events = &events[PAGE_ALLOC],
		.name = "mm_page_alloc", .type = LW_TRACE, .class = LW_PAGE, .needed = true,
		.trace = LW_ADAPTER_1(mm_page_alloc, page_alloc),
		.sampled = LW_ADAPTER_1(mm_page_alloc, page_alloc_sampled),
	},
	[MOVABLE] = {
		.events = &events[MOVABLE],
		.name = "movable_ops", .type = LW_ENTRY, .class = LW_PAGE,
		.symbol = { "__SetPageMovable" }, .entry = movable,
	},
	[PAGES_BULK] = {
		.events = &events[PAGES_BULK],
		.name = "alloc_pages_bulk", .type = LW_RETURN, .class = LW_PAGE,
		.symbol = { "alloc_pages_bulk_noprof", "__alloc_pages_bulk" },
		.enter = pages_bulk_enter, .leave = pages_bulk_leave, .data = sizeof(struct bulk),
	},
	[ISOLATE] = {
		.events = &events[ISOLATE],
		.name = "isolate_freepages", .type = LW_RETURN, .class = LW_PAGE,
		.symbol = { "isolate_freepages_range" },
		.enter = isolate_enter, .leave = isolate_leave, .data = sizeof(unsigned long),
	},
	[CONTIG] = {
		.events = &events[CONTIG],
		.name = "alloc_contig_range", .type = LW_RETURN, .class = LW_PAGE,
		.symbol = { "alloc_contig_frozen_range_noprof", "alloc_contig_range_noprof",
			    "alloc_contig_range" },
		.enter = contig_enter, .leave = contig_leave, .data = sizeof(struct contig),
	},
};

const unsigned int lw_nr_page_hooks = NR_HOOKS;

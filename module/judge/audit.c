// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <compat/page.h>
#include <leakwatch/audit.h>
#include <leakwatch/cache.h>
#include <leakwatch/clock.h>
#include <leakwatch/door.h>
#include <leakwatch/live.h>
#include <leakwatch/pages.h>
#include <leakwatch/site.h>

#define SUSPECTS	32768U

struct suspect {
	unsigned long at;	/* address or frame */
	u64 entry;
};

struct suspects {
	unsigned int nr;
	struct suspect *suspect;
};

static struct lw_audit last;

static bool is_young(u64 entry)
{
	return lw_entry_age(entry) == lw_clock_now();
}

static bool object_gone(unsigned long addr, u64 entry)
{
	const struct lw_site *site = &lw_sites[lw_entry_site(entry)];
	unsigned long pfn;

	if (!virt_addr_valid((void *)addr))
		return false;
	/* a large kmalloc, or the object of a cache that events until 6.0 do not name */
	if (lw_what_is_large(site->what)) {
		pfn = page_to_pfn(virt_to_page((void *)addr));
		return lw_page_in_buddy(pfn);
	}
	if (!PageSlab(virt_to_head_page((void *)addr)))
		return true;
	return lw_what_is_cache(site->what) && !lw_cache_may_hold(site->cache, (void *)addr);
}

static bool page_gone(unsigned long pfn, u64 entry)
{
	const struct lw_site *site = &lw_sites[lw_entry_site(entry)];

	if (!pfn_valid(pfn))
		return false;
	if (lw_page_in_buddy(pfn))
		return true;
	/* in a larger block that is not compound only the first frame has a count */
	return lw_entry_site(entry) > LW_SITE_GONE && !lw_what_order(site->what) &&
	       lw_page_unheld(pfn_to_page(pfn));
}

static void suspect(struct suspects *all, unsigned long at, u64 entry)
{
	all->suspect[all->nr++] = (struct suspect){ .at = at, .entry = entry };
}

/* Look at what stands in slots from *@from on; stops when there is no more room for suspects. */
static void look_at_objects(struct suspects *all, unsigned long *from)
{
	unsigned long addr;
	u64 entry;

	for (; all->nr < SUSPECTS && lw_live_next(from, &addr, &entry); ++*from) {
		last.objects++;
		if (!is_young(entry) && object_gone(addr, entry))
			suspect(all, addr, entry);
		if (fatal_signal_pending(current))
			return;
	}
}

static void look_at_pages(struct suspects *all, unsigned long *from)
{
	u64 entry;

	for (; all->nr < SUSPECTS && lw_pages_next(from, &entry); ++*from) {
		last.pages++;
		if (!is_young(entry) && page_gone(*from, entry))
			suspect(all, *from, entry);
		if (fatal_signal_pending(current))
			return;
	}
}

static void drop_objects(const struct suspects *all)
{
	unsigned int i;

	for (i = 0; i < all->nr; i++)
		if (object_gone(all->suspect[i].at, all->suspect[i].entry))
			lw_object_gone(all->suspect[i].at, all->suspect[i].entry);
}

static void drop_pages(const struct suspects *all)
{
	unsigned int i;

	for (i = 0; i < all->nr; i++)
		if (page_gone(all->suspect[i].at, all->suspect[i].entry))
			lw_page_gone(all->suspect[i].at, all->suspect[i].entry);
}

/* Both tables in turn: collect suspects, pause, drop those that still are. */
static void audit_by(struct suspects *all,
		     void (*look)(struct suspects *all, unsigned long *from),
		     void (*drop)(const struct suspects *all))
{
	unsigned long from = 0;

	do {
		all->nr = 0;
		look(all, &from);
		if (all->nr && !fatal_signal_pending(current)) {
			msleep(LW_AUDIT_PAUSE_MS);
			drop(all);
		}
	} while (all->nr == SUSPECTS && !fatal_signal_pending(current));
}

int lw_audit_run(void)
{
	unsigned long begin = jiffies;
	struct suspects all = {};
	unsigned long at = 0;

	all.suspect = kvmalloc_array(SUSPECTS, sizeof(*all.suspect), GFP_KERNEL);
	if (!all.suspect)
		return -ENOMEM;
	last.objects = 0;
	last.pages = 0;
	lw_pages_settle();
	lw_live_forget(&at, ULONG_MAX);
	audit_by(&all, look_at_objects, drop_objects);
	audit_by(&all, look_at_pages, drop_pages);
	kvfree(all.suspect);
	last.runs++;
	last.at = jiffies;
	last.ms = jiffies_to_msecs(last.at - begin);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

const struct lw_audit *lw_audit_last(void)
{
	return &last;
}

void lw_audit_clear(void)
{
	last = (struct lw_audit){};
}

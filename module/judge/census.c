// SPDX-License-Identifier: GPL-2.0
#include <linux/bitmap.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <compat/page.h>
#include <compat/task.h>
#include <leakwatch/census.h>
#include <leakwatch/entry.h>
#include <leakwatch/pages.h>
#include <leakwatch/site.h>

static const char * const names[] = {
	[LW_KIND_FREE]		= "free",
	[LW_KIND_PCP]		= "free-cpu-lists",
	[LW_KIND_SLAB]		= "slab",
	[LW_KIND_LARGE]		= "large-kmalloc",
	[LW_KIND_ANON]		= "anon",
	[LW_KIND_FILE]		= "file",
	[LW_KIND_SHMEM]		= "shmem",
	[LW_KIND_BUFFER]	= "buffer",
	[LW_KIND_TABLE]		= "page-table",
	[LW_KIND_STACK]		= "kernel-stack",
	[LW_KIND_HUGETLB]	= "hugetlb",
	[LW_KIND_DRIVER]	= "zsmalloc",
	[LW_KIND_OFFLINE]	= "offline",
	[LW_KIND_POISON]	= "poisoned",
	[LW_KIND_RESERVED]	= "reserved",
	[LW_KIND_HOLE]		= "hole",
	[LW_KIND_COMPOUND]	= "lost-compound",
	[LW_KIND_KERNEL]	= "lost-pages",
};

static_assert(ARRAY_SIZE(names) == LW_NR_KINDS);

/*
 * A walk. Of a block that is not compound only the first frame has a count, so @before, what the
 * frame before this one is, says whose the next ones are.
 */
struct walk {
	struct lw_census *census;
	unsigned long first, end;
	unsigned long *stacks;			/* a bit for each frame from @first on */
	enum lw_kind before;
	struct address_space *mapping;		/* the last one that was looked at, */
	bool is_buffer;				/* and whether it is a block device's */
	void (*lost)(u64 entry, void *arg);
	void *arg;
};

const char *lw_kind_name(enum lw_kind kind)
{
	return names[kind];
}

/* The inode of a block device is one. It may go while we look. */
static bool is_buffer(struct walk *walk, struct address_space *mapping)
{
	struct inode *host;
	umode_t mode;

	if (mapping == walk->mapping)
		return walk->is_buffer;
	walk->mapping = mapping;
	walk->is_buffer = !lw_read_kernel(&host, &mapping->host, sizeof(host)) &&
			  !lw_read_kernel(&mode, &host->i_mode, sizeof(mode)) && S_ISBLK(mode);
	return walk->is_buffer;
}

static enum lw_kind cached_kind(struct walk *walk, struct page *head,
				struct address_space *mapping)
{
	if (lw_page_swapbacked(head))
		return LW_KIND_SHMEM;
	return is_buffer(walk, mapping) ? LW_KIND_BUFFER : LW_KIND_FILE;
}

/* What no mark tells: held, or free on a CPU's list. */
static enum lw_kind plain_kind(struct walk *walk, unsigned long pfn, struct page *page, u64 entry)
{
	bool in_block = entry && lw_what_order(lw_sites[lw_entry_site(entry)].what);
	bool unheld = !in_block && !PageCompound(page) && !page_count(page);

	if (unheld && lw_page_listed(page))
		return LW_KIND_PCP;
	if (test_bit(pfn - walk->first, walk->stacks))
		return LW_KIND_STACK;
	if (unheld && !entry && walk->before != LW_KIND_KERNEL)
		return LW_KIND_PCP;
	return PageCompound(page) ? LW_KIND_COMPOUND : LW_KIND_KERNEL;
}

static enum lw_kind kind_of(struct walk *walk, unsigned long pfn, struct page *page, u64 entry)
{
	struct page *head = compound_head(page);
	struct address_space *mapping;

	/* what a driver allocated, it may have reserved */
	if (PageReserved(page))
		return entry ? LW_KIND_KERNEL : LW_KIND_RESERVED;
	if (PageHWPoison(page))
		return LW_KIND_POISON;
	if (PageSlab(head))
		return LW_KIND_SLAB;
	if (lw_page_large_kmalloc(head) || (entry && lw_entry_site(entry) == LW_SITE_SLAB_PAGES))
		return LW_KIND_LARGE;
	if (PageAnon(head))
		return LW_KIND_ANON;
	mapping = lw_page_mapping(head);
	if (PageCompound(page) && PageHuge(page))
		return LW_KIND_HUGETLB;
	if (mapping)
		return cached_kind(walk, head, mapping);
	if (PageTable(head))
		return LW_KIND_TABLE;
	if (PageOffline(page))
		return LW_KIND_OFFLINE;
	if (lw_page_driver_moves(head))
		return LW_KIND_DRIVER;
	return plain_kind(walk, pfn, page, entry);
}

static void add(struct walk *walk, enum lw_kind kind, unsigned long nr)
{
	walk->census->total += nr;
	walk->census->pages[kind] += nr;
	walk->before = kind;
}

/* Frames that all have a page. Return: the first behind them. */
static unsigned long see_frames(struct walk *walk, unsigned long pfn, unsigned long end,
				struct page *page)
{
	unsigned long nr;
	enum lw_kind kind;
	u64 entry;

	for (; pfn < end; pfn += nr, page += nr) {
		nr = min(lw_buddy_frames(page, pfn), walk->end - pfn);
		if (nr) {
			add(walk, LW_KIND_FREE, nr);
			continue;
		}
		nr = 1;
		entry = lw_pages_get(pfn);
		kind = kind_of(walk, pfn, page, entry);
		add(walk, kind, 1);
		if (!entry || lw_kind_is_free(kind))
			continue;
		walk->census->held[kind]++;
		if (walk->lost && lw_kind_is_lost(kind))
			walk->lost(entry, walk->arg);
	}
	return pfn;
}

static void see_all(struct walk *walk)
{
	unsigned long pfn = walk->first, end, nr;
	struct page *page;

	for (nr = 0; pfn < walk->end; nr++) {
		end = min(ALIGN(pfn + 1, LW_FRAMES_TOGETHER), walk->end);
		page = lw_online_page(pfn);
		if (page) {
			pfn = see_frames(walk, pfn, end, page);
		} else {
			add(walk, LW_KIND_HOLE, end - pfn);
			pfn = end;
		}
		if (LW_FRAMES_TOGETHER > 1 || !(nr % 1024))
			cond_resched();
	}
}

static void find_stacks(struct walk *walk)
{
	struct page *pages[LW_STACK_PAGES];
	struct task_struct *task;
	unsigned long pfn;
	unsigned int i, nr;
	int id;

	for (id = 1; (task = lw_task_next(&id, PIDTYPE_PID)); id++) {
		nr = lw_stack_pages(task, pages);
		put_task_struct(task);
		for (i = 0; i < nr; i++) {
			pfn = page_to_pfn(pages[i]);
			if (pfn >= walk->first && pfn < walk->end)
				__set_bit(pfn - walk->first, walk->stacks);
		}
		cond_resched();
	}
}

int lw_census_take(struct lw_census *census, void (*lost)(u64 entry, void *arg), void *arg)
{
	struct walk walk = { .census = census, .first = ULONG_MAX, .before = LW_KIND_HOLE,
			     .lost = lost, .arg = arg };
	ktime_t begin = ktime_get();
	int node;

	for_each_online_node(node) {
		if (!node_spanned_pages(node))
			continue;
		walk.first = min(walk.first, node_start_pfn(node));
		walk.end = max(walk.end, node_end_pfn(node));
	}
	walk.stacks = kvcalloc(BITS_TO_LONGS(walk.end - walk.first), sizeof(long), GFP_KERNEL);
	if (!walk.stacks)
		return -ENOMEM;		/* and *census as it was */
	*census = (struct lw_census){};
	find_stacks(&walk);
	see_all(&walk);
	kvfree(walk.stacks);
	census->us = ktime_us_delta(ktime_get(), begin);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <compat/vmstat.h>
#include <leakwatch/figure.h>
#include <leakwatch/history.h>
#include <leakwatch/process.h>

#define PAGE_KB	((s64)PAGE_SIZE / 1024)

static const struct {
	const char *name;
	enum lw_role role;
	const char *note;
} figures[] = {
	[LW_MEMORY_TOTAL] = { "Memory-Total", LW_ROLE_TOTAL, "" },
	[LW_MEMORY_AVAILABLE] = { "Memory-Available", LW_ROLE_PART, "an estimate" },
	[LW_SWAP_TOTAL] = { "Swap-Total", LW_ROLE_PART, "" },
	[LW_SWAP_FREE] = { "Swap-Free", LW_ROLE_PART, "" },
	[LW_UMA_TOTAL] = { "Uma-Total", LW_ROLE_PART, "of some boards only" },
	[LW_UMA_FREE] = { "Uma-Free", LW_ROLE_PART, "of some boards only" },
	[LW_CMA_TOTAL] = { "Cma-Total", LW_ROLE_PART, "" },
	[LW_FREE_SYSTEM] = { "Sysfre", LW_ROLE_FREED, "free, but for Cmafre" },
	[LW_FREE_CMA] = { "Cmafre", LW_ROLE_FREED, "free, movable pages only" },
	[LW_FREE_CPU_LISTS] = { "Cpufre", LW_ROLE_FREED, "free, on lists of CPUs" },
	[LW_ANON] = { "Anon", LW_ROLE_USED, "" },
	[LW_CACHE] = { "Cache", LW_ROLE_USED, "files and Shmem, without Buffer" },
	[LW_BLOCK_BUFFER] = { "Buffer", LW_ROLE_USED, "" },
	[LW_SLAB_ALL] = { "Slab", LW_ROLE_USED, "large kmallocs too" },
	[LW_KERN_STACK] = { "KernStack", LW_ROLE_USED, "" },
	[LW_PAGE_TABLES] = { "PageTables", LW_ROLE_USED, "" },
	[LW_SECOND_TABLES] = { "SecPageTables", LW_ROLE_USED, "" },
	[LW_MISC_RECLAIMABLE] = { "KernMisc", LW_ROLE_USED, "pools of drivers" },
	[LW_ZSPAGES] = { "Zspages", LW_ROLE_USED, "zram" },
	[LW_HUGETLB] = { "Hugetlb", LW_ROLE_USED, "" },
	[LW_IOMMU] = { "Iommu", LW_ROLE_USED, "" },
	[LW_GPU] = { "Gpu", LW_ROLE_USED, "" },
	[LW_SLAB_RECLAIMABLE] = { "Slab-Reclaimable", LW_ROLE_PART, "of Slab" },
	[LW_SLAB_UNRECLAIMABLE] = { "Slab-Unreclaim", LW_ROLE_PART, "of Slab" },
	[LW_SWAP_CACHED] = { "Swap-Cached", LW_ROLE_PART, "of Anon if mapped, else of Total-lost" },
	[LW_SHMEM] = { "Shmem", LW_ROLE_PART, "of Cache" },
	[LW_FILE_MAPPED] = { "fimap", LW_ROLE_PART, "of Cache" },
	[LW_DIRTY] = { "dirty", LW_ROLE_PART, "of Cache" },
	[LW_WRITEBACK] = { "wback", LW_ROLE_PART, "of Cache" },
	[LW_VMALLOC] = { "Vmalloc", LW_ROLE_PART, "of Total-lost, but for kernel stacks" },
	[LW_PERCPU] = { "Percpu", LW_ROLE_PART, "of Total-lost" },
	[LW_COMMITTED] = { "Committed", LW_ROLE_PART, "promised, not taken" },
	[LW_ION_CMA] = { "Ion-cma", LW_ROLE_PART, "of some boards only" },
	[LW_ION_CARVEOUT] = { "Ion-carveout", LW_ROLE_PART, "of some boards only" },
	[LW_ION_SYSTEM] = { "Ion-system", LW_ROLE_PART, "of some boards only" },
	[LW_ION_CONTIG] = { "Ion-contig", LW_ROLE_PART, "of some boards only" },
	[LW_PAGES_ALLOCATED] = { "pgal", LW_ROLE_RATE, "pages allocated" },
	[LW_PAGES_FREED] = { "pgfree", LW_ROLE_RATE, "pages freed" },
	[LW_PAGES_FAULTED] = { "pgfault", LW_ROLE_RATE, "page faults, as many pages" },
	[LW_PAGES_STOLEN] = { "kswap", LW_ROLE_RATE, "pages reclaimed" },
	[LW_SWAP_READ] = { "swapin", LW_ROLE_RATE, "read from swap" },
	[LW_SWAP_WRITTEN] = { "swapout", LW_ROLE_RATE, "written to swap" },
	[LW_DISK_READ] = { "rbio", LW_ROLE_RATE, "read from disks" },
	[LW_DISK_WRITTEN] = { "wbio", LW_ROLE_RATE, "written to disks" },
	[LW_TOTAL_USED] = { "Total-used", LW_ROLE_SUM, "all that is marked used" },
	[LW_TOTAL_FREED] = { "Total-freed", LW_ROLE_SUM, "all that is marked freed" },
	[LW_TOTAL_LOST] = { "Total-lost", LW_ROLE_SUM, "Memory-Total - used - freed" },
	[LW_TOTAL_LOST_CENSUS] = { "Total-lost-census", LW_ROLE_SUM,
				   "the same, counted page by page; see page/lost" },
};

static_assert(ARRAY_SIZE(figures) == LW_FIGURE_CENSUS);
static_assert(LW_FIGURE_CENSUS <= 64);	/* by_census */
static_assert(LW_FIGURES_FROM + LW_NR_FIGURES <= LW_MEMBERS_FROM);

const char *lw_figure_name(unsigned int nr)
{
	return nr < LW_FIGURE_CENSUS ? figures[nr].name : lw_kind_name(nr - LW_FIGURE_CENSUS);
}

enum lw_role lw_figure_role(unsigned int nr)
{
	return figures[nr].role;
}

const char *lw_figure_note(unsigned int nr)
{
	return figures[nr].note;
}

/* Nothing, where there is no such figure */
static s64 kb_of(const struct lw_figures *all, unsigned int nr)
{
	return all->kb[nr] == LW_NO_FIGURE ? 0 : all->kb[nr];
}

static s64 sum(const struct lw_figures *all, enum lw_role role)
{
	s64 kb = 0;
	int i;

	for (i = 0; i < LW_FIGURE_CENSUS; i++)
		if (figures[i].role == role)
			kb += kb_of(all, i);
	return kb;
}

static void stand_in(struct lw_figures *all, unsigned int nr, enum lw_kind kind)
{
	if (all->kb[nr] != LW_NO_FIGURE)
		return;
	all->kb[nr] = all->kb[LW_FIGURE_CENSUS + kind];
	all->by_census |= BIT_ULL(nr);
}

s64 lw_figures_unseen(const struct lw_figures *all)
{
	return kb_of(all, LW_SECOND_TABLES) + kb_of(all, LW_MISC_RECLAIMABLE) +
	       kb_of(all, LW_IOMMU) + kb_of(all, LW_GPU);
}

/*
 * What a census takes for lost is less by what a counter knows and a page does not show: large
 * kmallocs that are older than the module (until 6.14), and pages of some drivers.
 */
static s64 lost_by_census(const struct lw_figures *all, const struct lw_census *census)
{
	s64 large = kb_of(all, LW_SLAB_ALL) -
		    PAGE_KB * (census->pages[LW_KIND_SLAB] + census->pages[LW_KIND_LARGE]);

	return PAGE_KB * lw_census_lost(census) - max_t(s64, large, 0) - lw_figures_unseen(all);
}

void lw_figures_sum(struct lw_figures *all, const struct lw_census *census)
{
	int i;

	for (i = 0; i < LW_NR_KINDS; i++)
		all->kb[LW_FIGURE_CENSUS + i] = PAGE_KB * census->pages[i];
	stand_in(all, LW_FREE_CPU_LISTS, LW_KIND_PCP);
	stand_in(all, LW_HUGETLB, LW_KIND_HUGETLB);
	all->kb[LW_TOTAL_USED] = sum(all, LW_ROLE_USED);
	all->kb[LW_TOTAL_FREED] = sum(all, LW_ROLE_FREED);
	all->kb[LW_TOTAL_LOST] = all->kb[LW_MEMORY_TOTAL] - all->kb[LW_TOTAL_USED] -
				 all->kb[LW_TOTAL_FREED];
	all->kb[LW_TOTAL_LOST_CENSUS] = lost_by_census(all, census);
}

static s64 pages_kb(long pages)
{
	return pages == LW_NO_COUNTER ? LW_NO_FIGURE : pages * PAGE_KB;
}

/* Of what is counted since boot, and on 32 bits wraps. */
static s64 events_kb(unsigned long pages)
{
	return (u64)pages * PAGE_KB;
}

static void get_events(s64 *kb, unsigned long *event)
{
	unsigned long allocated = 0;
	int zone;

	all_vm_events(event);
	for (zone = 0; zone <= ZONE_MOVABLE; zone++)	/* none is of a device */
		allocated += event[PGALLOC_NORMAL - ZONE_NORMAL + zone];
	kb[LW_PAGES_ALLOCATED] = events_kb(allocated);
	kb[LW_PAGES_FREED] = events_kb(event[PGFREE]);
	kb[LW_PAGES_FAULTED] = events_kb(event[PGFAULT]);
	kb[LW_PAGES_STOLEN] = events_kb(lw_steal_pages(event));
	kb[LW_SWAP_READ] = events_kb(event[PSWPIN]);
	kb[LW_SWAP_WRITTEN] = events_kb(event[PSWPOUT]);
	kb[LW_DISK_READ] = event[PGPGIN] / 2;		/* sectors */
	kb[LW_DISK_WRITTEN] = event[PGPGOUT] / 2;
}

static void get_counters(s64 *kb)
{
	long cached = lw_swap_cached_pages(), file;
	struct sysinfo info;

	si_meminfo(&info);
	kb[LW_MEMORY_TOTAL] = pages_kb(info.totalram);
	kb[LW_MEMORY_AVAILABLE] = pages_kb(lw_available_pages());
	kb[LW_SWAP_FREE] = pages_kb(lw_swap_free_pages());
	kb[LW_CMA_TOTAL] = pages_kb(lw_cma_pages());
	kb[LW_FREE_CMA] = pages_kb(global_zone_page_state(NR_FREE_CMA_PAGES));
	kb[LW_FREE_SYSTEM] = pages_kb(global_zone_page_state(NR_FREE_PAGES)) - kb[LW_FREE_CMA];
	kb[LW_ANON] = pages_kb(global_node_page_state(NR_ANON_MAPPED));
	kb[LW_BLOCK_BUFFER] = pages_kb(info.bufferram);
	file = global_node_page_state(NR_FILE_PAGES) - max(cached, 0L) - (long)info.bufferram;
	kb[LW_CACHE] = pages_kb(max(file, 0L));
	kb[LW_SLAB_RECLAIMABLE] = pages_kb(lw_slab_pages(true));
	kb[LW_SLAB_UNRECLAIMABLE] = pages_kb(lw_slab_pages(false));
	kb[LW_SLAB_ALL] = kb[LW_SLAB_RECLAIMABLE] + kb[LW_SLAB_UNRECLAIMABLE];
	kb[LW_KERN_STACK] = lw_stack_kb();
	kb[LW_PAGE_TABLES] = pages_kb(lw_table_pages());
	kb[LW_SECOND_TABLES] = pages_kb(lw_second_table_pages());
	kb[LW_MISC_RECLAIMABLE] = pages_kb(lw_misc_pages());
	kb[LW_ZSPAGES] = pages_kb(lw_zs_pages());
	kb[LW_HUGETLB] = pages_kb(lw_hugetlb_pages());
	kb[LW_IOMMU] = pages_kb(lw_iommu_pages());
	kb[LW_GPU] = pages_kb(lw_gpu_pages());
	kb[LW_SWAP_CACHED] = pages_kb(cached);
	kb[LW_SHMEM] = pages_kb(global_node_page_state(NR_SHMEM));
	kb[LW_FILE_MAPPED] = pages_kb(global_node_page_state(NR_FILE_MAPPED));
	kb[LW_DIRTY] = pages_kb(global_node_page_state(NR_FILE_DIRTY));
	kb[LW_WRITEBACK] = pages_kb(global_node_page_state(NR_WRITEBACK));
	kb[LW_VMALLOC] = pages_kb(lw_vmalloc_pages());
	kb[LW_COMMITTED] = pages_kb(vm_memory_committed());
}

void lw_figures_say(void)
{
	static struct lw_census census;
	static struct lw_figures all;
	static unsigned int calls;
	int i;

	if (!lw_history_passes())	/* watching began: what was before is another's */
		calls = 0;
	if (!(calls++ % LW_CENSUS_PASSES) && lw_census_take(&census, NULL, NULL))
		calls = 0;
	if (lw_figures_get(&all, &census)) {
		for (i = 0; i < LW_NR_FIGURES; i++)
			lw_history_say_again(LW_FIGURES_FROM + i);
		return;
	}
	/* what is counted since boot is more than a history can hold one day: then it has none */
	for (i = 0; i < LW_NR_FIGURES; i++)
		if (all.kb[i] != LW_NO_FIGURE &&
		    (i >= LW_FIGURE_CENSUS || lw_figure_role(i) != LW_ROLE_RATE ||
		     all.kb[i] <= U32_MAX))
			lw_history_say(LW_FIGURES_FROM + i, max(all.kb[i], 0LL));
}

int lw_figures_get(struct lw_figures *all, const struct lw_census *census)
{
	unsigned long *event = kcalloc(NR_VM_EVENT_ITEMS, sizeof(*event), GFP_KERNEL);
	int i;

	if (!event)
		return -ENOMEM;
	all->by_census = 0;
	for (i = 0; i < LW_NR_FIGURES; i++)
		all->kb[i] = LW_NO_FIGURE;
	get_counters(all->kb);
	get_events(all->kb, event);
	kfree(event);
	lw_figures_sum(all, census);
	return 0;
}

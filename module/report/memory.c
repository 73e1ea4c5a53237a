// SPDX-License-Identifier: GPL-2.0
/* Where all memory is: meminfo by figures, census by kinds of page frames. */
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <leakwatch/census.h>
#include <leakwatch/figure.h>
#include <leakwatch/history.h>
#include <leakwatch/lock.h>
#include <leakwatch/mark.h>
#include <leakwatch/pages.h>
#include <leakwatch/process.h>
#include <leakwatch/report.h>
#include <leakwatch/sample.h>
#include <leakwatch/triage.h>

static_assert(LW_PLACES <= LW_FIGURES_FROM);

/* A census and the figures that belong to it. */
struct moment {
	struct lw_census census;
	struct lw_figures figures;
};

/* What meminfo showed last, for its column of what changes in a second; under lw_lock. */
static struct lw_figures last;
static s64 last_at;	/* ms */

static void say(void)
{
	lw_figures_say();
	lw_processes_say();
}

void lw_watch_figures(void)
{
	mutex_lock(&lw_lock);
	lw_history_watch(say);
	mutex_unlock(&lw_lock);
}

static int take(struct moment *now)
{
	return lw_census_take(&now->census, NULL, NULL) ?:
	       lw_figures_get(&now->figures, &now->census);
}

static void print_kb(struct seq_file *seq, int width, s64 kb)
{
	if (kb == LW_NO_FIGURE)
		seq_printf(seq, "%*s ", width, "-");
	else
		seq_printf(seq, "%*lld ", width, kb);
}

/* How fast it grows, by its history. */
static const char *growth_of(unsigned int nr, s64 kb, char *text, size_t size)
{
	struct lw_judgement judged;

	if (kb == LW_NO_FIGURE)
		return "-";
	lw_history_judge(lw_history_whole(LW_FIGURES_FROM + nr), 1024, LW_OLD_UNKNOWN, &judged);
	return lw_growth_text(&judged, text, size);
}

static s64 a_second(s64 change, s64 ms)
{
	return change == LW_NO_FIGURE ? change : div64_s64(change * 1000, ms);
}

static void print_figure(struct seq_file *seq, const struct moment *now, unsigned int nr, s64 ms)
{
	static const char * const roles[] = {
		[LW_ROLE_TOTAL] = "total", [LW_ROLE_FREED] = "freed", [LW_ROLE_USED] = "used",
		[LW_ROLE_PART] = "-", [LW_ROLE_SUM] = "sum", [LW_ROLE_RATE] = "rate",
	};
	s64 kb = now->figures.kb[nr];
	const char *note = lw_figure_note(nr), *more = "";
	char growth[24];

	if (now->figures.by_census & BIT_ULL(nr))
		more = "by census";
	else if (kb == LW_NO_FIGURE)
		more = "not readable here";
	seq_printf(seq, "%-18s ", lw_figure_name(nr));
	print_kb(seq, 12, kb);
	print_kb(seq, 9, ms ? a_second(lw_figure_change(kb, last.kb[nr]), ms) : LW_NO_FIGURE);
	print_kb(seq, 9, lw_figure_change(kb, lw_mark_figures()->kb[nr]));
	seq_printf(seq, "%11s %-5s %s%s%s\n", growth_of(nr, kb, growth, sizeof(growth)),
		   roles[lw_figure_role(nr)], note,
		   *note && *more ? "; " : "", *note || *more ? more : "-");
}

static void print_meminfo(struct seq_file *seq, const struct moment *now)
{
	s64 now_at = ktime_to_ms(ktime_get());
	s64 ms = last_at ? max_t(s64, now_at - last_at, 1) : 0;
	u64 s;
	u32 rest;
	int i;

	lw_print_head(seq, "meminfo", "where all memory is");
	if (ms) {
		s = div_u64_rem(ms, 1000, &rest);
		seq_printf(seq, "# DELTA-KB is a second, over the %llu.%03u s since it was read last\n",
			   s, rest);
	}
	seq_puts(seq, "# Total-lost = Memory-Total - all that is used - all that is freed\n");
	seq_printf(seq, "%-18s %12s %9s %9s %11s %-5s %s\n", "NAME", "KB", "DELTA-KB", "MARK-KB",
		   "GROWTH-KB/H", "TERM", "NOTE");
	for (i = 0; i < LW_FIGURE_CENSUS; i++)
		print_figure(seq, now, i, ms);
	last = now->figures;
	last_at = now_at;
}

/*
 * Not what nobody allocated; nor anything while it is not heard who does, or where few frames are
 * in the table, as in sampled mode and after it.
 */
static bool is_held(enum lw_kind kind)
{
	return lw_pages_bytes() && lw_watch_on() && !lw_sampled() && !lw_watch_turned() &&
	       !lw_kind_is_free(kind) && kind != LW_KIND_HOLE && kind != LW_KIND_RESERVED;
}

static void print_kind(struct seq_file *seq, const struct moment *now, enum lw_kind kind)
{
	const struct lw_census *census = &now->census;
	unsigned int nr = LW_FIGURE_CENSUS + kind;
	s64 kb = now->figures.kb[nr], held = census->held[kind] * (PAGE_SIZE / 1024);
	char growth[24];

	seq_printf(seq, "%-16s %10lu %12lld ", lw_kind_name(kind), census->pages[kind], kb);
	print_kb(seq, 10, is_held(kind) ? held : LW_NO_FIGURE);
	print_kb(seq, 10, is_held(kind) ? kb - held : LW_NO_FIGURE);
	print_kb(seq, 9, lw_figure_change(kb, lw_mark_figures()->kb[nr]));
	seq_printf(seq, "%11s\n", growth_of(nr, kb, growth, sizeof(growth)));
}

static void print_census(struct seq_file *seq, const struct moment *now)
{
	const struct lw_census *census = &now->census;
	int i;

	lw_print_head(seq, "census", "what each page frame is");
	seq_printf(seq, "# looked at in %u.%03u ms; SINCE-KB was allocated since the start, OLDER-KB before, or unheard\n",
		   census->us / 1000, census->us % 1000);
	seq_printf(seq, "%-16s %10s %12s %10s %10s %9s %11s\n", "KIND", "PAGES", "KB", "SINCE-KB",
		   "OLDER-KB", "MARK-KB", "GROWTH-KB/H");
	for (i = 0; i < LW_NR_KINDS; i++)
		print_kind(seq, now, i);
	seq_printf(seq, "%-16s %10lu %12llu %10s %10s %9s %11s\n", "total", census->total,
		   (u64)census->total * (PAGE_SIZE / 1024), "-", "-", "-", "-");
}

static int show(struct seq_file *seq, void (*print)(struct seq_file *seq, const struct moment *now))
{
	struct moment *now = kmalloc(sizeof(*now), GFP_KERNEL);
	int err = -ENOMEM;

	if (!now)
		return err;
	mutex_lock(&lw_lock);
	err = take(now);
	if (!err)
		print(seq, now);
	mutex_unlock(&lw_lock);
	kfree(now);
	return err;
}

static int meminfo_show(struct seq_file *seq, void *unused)
{
	return show(seq, print_meminfo);
}

static int census_show(struct seq_file *seq, void *unused)
{
	return show(seq, print_census);
}

/* Room for all of it: if there were too little it would all be taken again. */
static int meminfo_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, meminfo_show, NULL, 16 << 10);
}

static int census_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, census_show, NULL, 8 << 10);
}

const struct file_operations lw_meminfo_fops = {
	.owner = THIS_MODULE,
	.open = meminfo_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

const struct file_operations lw_census_fops = {
	.owner = THIS_MODULE,
	.open = census_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

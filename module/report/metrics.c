// SPDX-License-Identifier: GPL-2.0
/*
 * metrics: what a test farm keeps of many boards, as OpenMetrics text; only gauges and counters,
 * which older readers of such text know, too.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <leakwatch/buffers.h>
#include <leakwatch/figure.h>
#include <leakwatch/history.h>
#include <leakwatch/hook.h>
#include <leakwatch/lock.h>
#include <leakwatch/mark.h>
#include <leakwatch/name.h>
#include <leakwatch/rank.h>
#include <leakwatch/report.h>
#include <leakwatch/sample.h>
#include <leakwatch/stats.h>
#include <leakwatch/triage.h>

#define SIZE_HINT	(64 << 10)

static void print_family(struct seq_file *seq, const char *name, const char *type, const char *help)
{
	seq_printf(seq, "# TYPE leakwatch_%s %s\n# HELP leakwatch_%s %s\n", name, type, name, help);
}

/* NAME="TEXT", with what a reader would take for its end marked. */
static void print_label(struct seq_file *seq, const char *name, const char *text)
{
	seq_printf(seq, "%s=\"", name);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			seq_putc(seq, '\\');
		seq_putc(seq, *text == '\n' ? ' ' : *text);
	}
	seq_putc(seq, '"');
}

static void print_gauge(struct seq_file *seq, const char *name, const char *help, u64 value)
{
	print_family(seq, name, "gauge", help);
	seq_printf(seq, "leakwatch_%s %llu\n", name, value);
}

static void print_state(struct seq_file *seq)
{
	enum lw_stat stat;

	print_gauge(seq, "watching", "1 while hooks are attached, 0 when stopped.", lw_watch_on());
	print_gauge(seq, "watching_seconds", "Since when figures are counted.", lw_watch_seconds());
	print_gauge(seq, "sampled", "1 in sampled mode, in which figures of sites are estimates.",
		    lw_sampled());
	print_gauge(seq, "tables_bytes", "What leakwatch itself has taken.",
		    lw_memory_bytes(lw_sites_max(), lw_history_max()) + lw_marks_bytes());
	print_family(seq, "lost", "counter",
		     "Events that were lost or missed; 0 if figures are exact.");
	seq_printf(seq, "leakwatch_lost_total %lu\n", lw_stats_lost());
	print_family(seq, "events", "counter", "What status counts, by its name there.");
	for (stat = 0; stat < LW_NR_STATS; stat++)
		seq_printf(seq, "leakwatch_events_total{name=\"%s\"} %lu\n", lw_stat_name(stat),
			   lw_stat_read(stat));
}

static void print_places(struct seq_file *seq, const struct lw_rows *rows,
			 const struct lw_growers *growers)
{
	struct lw_finding found[LW_NR_PLACES];
	enum lw_verdict verdict;
	unsigned int i;

	for (i = 0; i < LW_NR_PLACES; i++)
		lw_place_find(i, rows, growers, lw_hooks_classes(), &found[i]);
	print_family(seq, "place_verdict", "gauge", "1 for the verdict of triage on each place.");
	for (i = 0; i < LW_NR_PLACES; i++)
		for (verdict = 0; verdict < LW_NR_VERDICTS; verdict++)
			seq_printf(seq, "leakwatch_place_verdict{place=\"%s\",verdict=\"%s\"} %d\n",
				   lw_place_name(i), lw_verdict_name(verdict),
				   verdict == found[i].judged.verdict);
	print_family(seq, "place_bytes", "gauge",
		     "What each place holds, when it was sampled last.");
	for (i = 0; i < LW_NR_PLACES; i++)
		if (found[i].samples)
			seq_printf(seq, "leakwatch_place_bytes{place=\"%s\"} %llu\n",
				   lw_place_name(i),
				   (u64)lw_history_last(lw_history_whole(i)) << 10);
	print_family(seq, "place_growth_bytes_per_hour", "gauge",
		     "How fast that grows, or what of it leaks.");
	for (i = 0; i < LW_NR_PLACES; i++)
		if (found[i].judged.verdict != LW_UNKNOWN)
			seq_printf(seq,
				   "leakwatch_place_growth_bytes_per_hour{place=\"%s\"} %lld\n",
				   lw_place_name(i), found[i].judged.growth);
}

static void print_figures(struct seq_file *seq, const struct lw_figures *figures)
{
	unsigned int i;

	print_family(seq, "memory_bytes", "gauge", "The figures of meminfo.");
	for (i = 0; i < LW_FIGURE_CENSUS; i++)
		if (figures->kb[i] != LW_NO_FIGURE && lw_figure_role(i) != LW_ROLE_RATE) {
			seq_puts(seq, "leakwatch_memory_bytes{");
			print_label(seq, "name", lw_figure_name(i));
			seq_printf(seq, "} %lld\n", figures->kb[i] * 1024);
		}
}

static void print_heaps(struct seq_file *seq)
{
	unsigned int i;

	print_family(seq, "heap_bytes", "gauge", "Live buffers of each heap.");
	for (i = 0; i < LW_HEAPS; i++)
		if (lw_heap(i)->peak) {
			seq_puts(seq, "leakwatch_heap_bytes{");
			print_label(seq, "heap", lw_heap(i)->name);
			seq_printf(seq, "} %llu\n", lw_heap(i)->bytes);
		}
}

static bool bytes_of(const struct lw_row *row, s64 *value)
{
	*value = lw_row_bytes(row);
	return true;
}

static bool growth_of(const struct lw_row *row, s64 *value)
{
	*value = row->judged.growth;
	return row->judged.verdict != LW_UNKNOWN;
}

static bool allocs_of(const struct lw_row *row, s64 *value)
{
	*value = row->allocs;
	return true;
}

static bool frees_of(const struct lw_row *row, s64 *value)
{
	*value = row->frees;
	return true;
}

static const struct site_family {
	const char *name;
	bool counts;
	const char *help;
	bool (*get)(const struct lw_row *row, s64 *value);
} site_families[] = {
	{ "site_bytes", false, "Live bytes of the call sites that top shows.", bytes_of },
	{ "site_growth_bytes_per_hour", false, "How fast these grow.", growth_of },
	{ "site_allocs", true, "Objects or base pages allocated there.", allocs_of },
	{ "site_frees", true, "Of these, freed.", frees_of },
};

static void print_site(struct seq_file *seq, const struct lw_row *row)
{
	const struct lw_site *site = &lw_sites[row->site];
	char text[LW_FRAME_TEXT];

	seq_printf(seq, "{class=\"%s\",id=\"%u\",", lw_class_name(lw_what_class(site->what)),
		   row->site);
	print_label(seq, "site", lw_site_text(row->site, text));
	seq_putc(seq, '}');
}

static void print_sites(struct seq_file *seq, const struct lw_rows *rows)
{
	const struct site_family *family;
	unsigned int i, shown;
	s64 value;

	for (family = site_families; family < site_families + ARRAY_SIZE(site_families); family++) {
		print_family(seq, family->name, family->counts ? "counter" : "gauge", family->help);
		for (i = 0, shown = 0; i < rows->nr; i++) {
			if (!lw_row_shown(&rows->row[i]))
				continue;
			if (lw_settings.rows && shown++ == lw_settings.rows)
				break;
			if (!family->get(&rows->row[i], &value))
				continue;
			seq_printf(seq, "leakwatch_%s%s", family->name,
				   family->counts ? "_total" : "");
			print_site(seq, &rows->row[i]);
			seq_printf(seq, " %lld\n", value);
		}
	}
}

static int metrics_show(struct seq_file *seq, void *unused)
{
	struct lw_figures *figures = kmalloc(sizeof(*figures), GFP_KERNEL);
	struct lw_census *census = kmalloc(sizeof(*census), GFP_KERNEL);
	struct lw_growers *growers;
	struct lw_rows *rows;
	int err = -ENOMEM;

	mutex_lock(&lw_lock);
	rows = lw_rows_get(BIT(LW_NR_CLASSES) - 1, LW_BY_CALLER, NULL);
	growers = lw_growers_get();
	if (!figures || !census || !rows || !growers)
		goto out;
	err = lw_census_take(census, NULL, NULL) ?: lw_figures_get(figures, census);
	if (err)
		goto out;
	print_state(seq);
	print_places(seq, rows, growers);
	print_figures(seq, figures);
	print_heaps(seq);
	/* places are of all sites, these of those that top shows */
	lw_rows_put(rows);
	rows = lw_rows_get(BIT(LW_NR_CLASSES) - 1, LW_BY_CALLER, lw_wanted);
	err = rows ? 0 : -ENOMEM;
	if (err)
		goto out;
	lw_rank(rows);
	print_sites(seq, rows);
	seq_puts(seq, "# EOF\n");
out:
	kvfree(growers);
	if (rows)
		lw_rows_put(rows);
	mutex_unlock(&lw_lock);
	kfree(census);
	kfree(figures);
	return err;
}

static int metrics_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, metrics_show, NULL, SIZE_HINT);
}

const struct file_operations lw_metrics_fops = {
	.owner = THIS_MODULE,
	.open = metrics_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

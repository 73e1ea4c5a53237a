// SPDX-License-Identifier: GPL-2.0
/* triage: which place leaks, who, how fast, how sure, what next. It fits 80 columns by 24 lines. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>
#include <leakwatch/history.h>
#include <leakwatch/hook.h>
#include <leakwatch/lock.h>
#include <leakwatch/mark.h>
#include <leakwatch/name.h>
#include <leakwatch/rank.h>
#include <leakwatch/report.h>
#include <leakwatch/stats.h>
#include <leakwatch/triage.h>

#define SUSPECTS	3
#define COLUMNS		79

static void print_place(struct seq_file *seq, enum lw_place place, const struct lw_finding *found)
{
	const struct lw_judgement *judged = &found->judged;

	seq_printf(seq, "VERDICT %s %s ", lw_place_name(place), lw_verdict_name(judged->verdict));
	if (found->bytes < 0)
		seq_puts(seq, "- KB ");
	else
		seq_printf(seq, "%lld KB ", found->bytes >> 10);
	if (judged->verdict != LW_UNKNOWN)
		seq_printf(seq, "%lld KB/h %u%% since %us\n", div_s64(judged->growth, 1024),
			   judged->confidence, judged->since);
	else if (found->why)
		seq_printf(seq, "- KB/h -%% since -s: %s\n", found->why);
	else
		seq_printf(seq, "- KB/h -%% since %us: %u of %u samples, every %u s\n",
			   judged->since, found->samples, LW_POINTS_MIN, lw_interval);
}

/* The module of the first frame that is in one: "name" of "function+0x1/0x2 [name]". */
static void print_driver(struct seq_file *seq, const struct lw_site *path)
{
	char text[LW_FRAME_TEXT], *name;
	int i;

	for (i = 0; i < path->nr_frames; i++) {
		lw_frame_text(text, lw_site_frames(path)[i]);
		name = strchr(text, '[');
		if (!name)
			continue;
		name[strcspn(name, "] ")] = 0;
		seq_printf(seq, ", driver %.20s", name + 1);
		return;
	}
	seq_puts(seq, ", no driver on its path");
}

/* The functions that led there, as many as fit a line. */
static void print_path(struct seq_file *seq, const struct lw_site *path)
{
	char text[LW_FRAME_TEXT];
	int i, width = 4, len;

	seq_puts(seq, "   ");
	for (i = 1; i < path->nr_frames; i++) {
		lw_frame_text(text, lw_site_frames(path)[i]);
		text[strcspn(text, "+ ")] = 0;
		len = strlen(text) + 3;
		if (width + len > COLUMNS - 4) {
			seq_puts(seq, " ...");
			break;
		}
		seq_printf(seq, " < %s", text);
		width += len;
	}
	seq_puts(seq, path->nr_frames > 1 ? "\n" : " (no path)\n");
}

static void print_suspect(struct seq_file *seq, unsigned int nr, const struct lw_row *row)
{
	const struct lw_site *site = &lw_sites[row->site];
	const struct lw_site *path = &lw_sites[lw_suspect_path(row->site)];
	char text[LW_FRAME_TEXT], growth[24];

	seq_printf(seq, "%u. %s, %s id %u: %lld KB, %s KB/h, %u%%", nr,
		   lw_verdict_name(row->judged.verdict), lw_place_name(lw_what_class(site->what)),
		   row->site, div_s64(lw_row_bytes(row), 1024),
		   lw_growth_text(&row->judged, growth, sizeof(growth)), row->judged.confidence);
	if (site->nr_frames) {
		print_driver(seq, path);
		lw_frame_text(text, lw_site_frames(site)[0]);
		seq_printf(seq, "\n   %.*s\n", COLUMNS - 3, text);
		print_path(seq, path);
	} else {
		seq_printf(seq, "\n   %s\n", lw_kind_text(row->site));
	}
}

/* Return: how many were printed; @first is the first of them. */
static unsigned int print_suspects(struct seq_file *seq, struct lw_rows *rows,
				   const struct lw_row **first)
{
	unsigned int i, nr = 0;

	lw_rank(rows);
	for (i = 0; i < rows->nr && nr < SUSPECTS; i++) {
		const struct lw_row *row = &rows->row[i];

		if (row->judged.verdict < LW_GROWING || !lw_row_shown(row))
			continue;
		if (!nr++)
			*first = row;
		print_suspect(seq, nr, row);
	}
	return nr;
}

static void note_deaf(const struct lw_hook *hook, void *deaf)
{
	if (lw_hook_left_out(hook) || lw_hook_missed(hook))
		*(bool *)deaf = true;
}

static void print_next(struct seq_file *seq, const struct lw_row *first, bool known)
{
	bool deaf = false;

	lw_hooks_each(note_deaf, &deaf);
	if (lw_stats_lost() || deaf)
		seq_puts(seq, "# Some events were lost or not heard: cat status\n");
	if (first)
		seq_printf(seq, "# Next: echo site %u > control; cat %s%s/stacks\n", first->site,
			   lw_class_name(lw_what_class(lw_sites[first->site].what)),
			   lw_what_class(lw_sites[first->site].what) == LW_BUFFER ? "s" : "");
	else if (!lw_watch_on())
		seq_puts(seq, "# Next: echo start > control\n");
	else
		seq_printf(seq, "# Next: cat triage, in %u s or more\n", known ? lw_interval :
			   LW_POINTS_LEAK * lw_interval);
}

static int print_all(struct seq_file *seq, struct lw_rows *rows)
{
	const struct lw_row *first = NULL;
	struct lw_finding found;
	unsigned int on = 0;
	bool leaks = false, known = false;
	int i;

	for (i = 0; i < LW_NR_CLASSES; i++)
		on |= lw_hooks_class(i) ? BIT(i) : 0;
	for (i = 0; i < LW_NR_PLACES; i++) {
		lw_place_find(i, rows, on, &found);
		leaks |= found.judged.verdict == LW_LEAK;
		known |= found.judged.verdict != LW_UNKNOWN;
		print_place(seq, i, &found);
	}
	if (!known)
		seq_puts(seq, "# It is too early to tell.\n");
	else if (!leaks)
		seq_printf(seq, "# Nothing leaks, in %llu s of watching.\n", lw_watch_seconds());
	print_suspects(seq, rows, &first);
	print_next(seq, first, known);
	return 0;
}

static int triage_show(struct seq_file *seq, void *unused)
{
	struct lw_rows *rows;
	int err = -ENOMEM;

	mutex_lock(&lw_lock);
	lw_print_title(seq, "triage", "which place leaks, who, how fast, how sure");
	/* of everything, whatever the filter is */
	rows = lw_rows_get(BIT(LW_NR_CLASSES) - 1, LW_BY_CALLER, NULL);
	if (rows) {
		err = print_all(seq, rows);
		lw_rows_put(rows);
	}
	mutex_unlock(&lw_lock);
	return err;
}

static int triage_open(struct inode *inode, struct file *file)
{
	return single_open(file, triage_show, NULL);
}

const struct file_operations lw_triage_fops = {
	.owner = THIS_MODULE,
	.open = triage_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

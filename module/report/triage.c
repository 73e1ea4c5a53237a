// SPDX-License-Identifier: GPL-2.0
/* triage: which place leaks, who, how fast, how sure, what next. It fits 80 columns by 24 lines. */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <leakwatch/history.h>
#include <leakwatch/holders.h>
#include <leakwatch/hook.h>
#include <leakwatch/lock.h>
#include <leakwatch/mark.h>
#include <leakwatch/name.h>
#include <leakwatch/process.h>
#include <leakwatch/rank.h>
#include <leakwatch/report.h>
#include <leakwatch/sample.h>
#include <leakwatch/stats.h>
#include <leakwatch/triage.h>

#define CHOSEN		12	/* suspects, more than there is room for */
#define COLUMNS		79
#define LINES		24
#define LINES_HEAD	(2 + LW_NR_PLACES + 1)	/* title, places, and what to type next */

static void print_place(struct seq_file *seq, enum lw_place_id place,
			const struct lw_finding *found)
{
	const struct lw_judgement *judged = &found->judged;
	char kb[24] = "-", text[COLUMNS + 1];
	int len;

	if (found->bytes >= 0)
		scnprintf(kb, sizeof(kb), "%lld", found->bytes >> 10);
	len = scnprintf(text, sizeof(text), "VERDICT %s %s %s KB ", lw_place_name(place),
			lw_verdict_name(judged->verdict), kb);
	if (judged->verdict != LW_UNKNOWN)
		len += scnprintf(text + len, sizeof(text) - len, "%lld KB/h %u%% since %us",
				 div_s64(judged->growth, 1024), judged->confidence, judged->since);
	else if (found->why)
		len += scnprintf(text + len, sizeof(text) - len, "- KB/h -%% since -s: %s",
				 found->why);
	else
		len += scnprintf(text + len, sizeof(text) - len,
				 "- KB/h -%% since %us: %u of %u samples, every %u s",
				 judged->since, found->samples, LW_POINTS_MIN, lw_interval);
	/* how much of its growth that is: the last, as there may be no room */
	if (judged->verdict == LW_LEAK && found->grown > 0 && len < COLUMNS - 14)
		scnprintf(text + len, sizeof(text) - len, " explains %lld%%",
			  clamp(div64_s64(judged->growth * 100, found->grown), 0LL, 100LL));
	seq_printf(seq, "%s\n", text);
}

/* Return: the first frame of @path that is in a module; -1 if none is. */
static int driver_frame(const struct lw_site *path)
{
	char text[LW_FRAME_TEXT];
	int i;

	for (i = 0; i < path->nr_frames; i++) {
		lw_frame_text(text, lw_site_frames(path)[i]);
		if (strchr(text, '['))
			return i;
	}
	return -1;
}

/* "name" of "function+0x1/0x2 [name]". */
static void print_driver(struct seq_file *seq, const struct lw_site *path)
{
	char text[LW_FRAME_TEXT], *name;
	int frame = driver_frame(path);

	if (frame < 0) {
		seq_puts(seq, ", no driver");
		return;
	}
	lw_frame_text(text, lw_site_frames(path)[frame]);
	name = strchr(text, '[') + 1;
	name[strcspn(name, "] ")] = 0;
	seq_printf(seq, ", driver %.20s", name);
}

/* The functions that led there, as many as fit a line: the driver's, if there is one. */
static void print_path(struct seq_file *seq, const struct lw_site *path)
{
	int i = max(driver_frame(path), 1), width = 4, len;
	char text[LW_FRAME_TEXT];

	seq_puts(seq, "   ");
	if (i > 1) {
		seq_puts(seq, " < ...");
		width += 6;
	}
	for (; i < path->nr_frames; i++) {
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

/* Of the orphans that are most, by who made them: how many, and who holds them. */
static void print_orphans(struct seq_file *seq)
{
	struct lw_holders *holders = lw_holders_get(true);
	struct lw_orphans *group = NULL;
	const struct lw_held *like;
	char by[TASK_COMM_LEN], holder[TASK_COMM_LEN];
	unsigned int i, nr = 0, count = 0;
	u64 bytes = 0;

	if (holders)
		group = lw_orphans_get(holders, &nr);
	like = nr ? group[0].like : NULL;
	for (i = 0; i < nr; i++)
		if (group[i].reason == group[0].reason &&
		    !strcmp(group[i].like->buffer.by.comm, like->buffer.by.comm)) {
			count += group[i].count;
			bytes += group[i].count * group[i].like->buffer.is.bytes;
		}
	if (nr)
		seq_printf(seq, "   %u orphans of %s (%s), %llu KB: held by %s\n", count,
			   like->alive == LW_ALIVE_UNKNOWN ? "somebody" :
			   lw_comm_text(like->buffer.by.comm, by),
			   lw_alive_text(like->alive), bytes >> 10,
			   like->first == LW_NO_HOLDER ? "the kernel alone" :
			   lw_comm_text(holders->holder[like->first].comm, holder));
	kvfree(group);
	if (holders)
		lw_holders_put(holders);
}

static void print_site(struct seq_file *seq, const struct lw_row *row)
{
	const struct lw_site *site = &lw_sites[row->site];
	const struct lw_site *path = &lw_sites[lw_suspect_path(row->site)];
	char text[LW_FRAME_TEXT], growth[24];

	seq_printf(seq, "%s, %s id %u: %lld KB, %s KB/h, %u%%",
		   lw_verdict_name(row->judged.verdict), lw_place_name(lw_what_class(site->what)),
		   row->site, div_s64(lw_row_bytes(row), 1024),
		   lw_growth_text(&row->judged, growth, sizeof(growth)), row->judged.confidence);
	print_driver(seq, path);
	lw_frame_text(text, lw_site_frames(site)[0]);
	seq_printf(seq, "\n   %.*s\n", COLUMNS - 3, text);
	print_path(seq, path);
	if (lw_what_class(site->what) == LW_BUFFER)
		print_orphans(seq);
}

static void print_grower(struct seq_file *seq, const struct lw_grower *grower)
{
	const struct lw_member *member = grower->member;
	char text[TASK_COMM_LEN], growth[24];

	seq_printf(seq, "%s, %s: %llu KB, %s KB/h, %u%%, ", lw_verdict_name(grower->judged.verdict),
		   lw_place_name(LW_PLACE_USER_JAVA + grower->part), member->kb[grower->part],
		   lw_growth_text(&grower->judged, growth, sizeof(growth)),
		   grower->judged.confidence);
	if (member->pid)
		seq_printf(seq, "process %d %s\n", member->pid, lw_comm_text(member->comm, text));
	else
		seq_printf(seq, "%u processes %s\n", member->nr, lw_comm_text(member->comm, text));
}

/*
 * User memory and page cache, by kind of page: whose it is the processes say. And what this module
 * takes for itself.
 */
static bool is_suspect(const struct lw_row *row)
{
	return row->judged.verdict >= LW_GROWING && lw_sites[row->site].nr_frames &&
	       lw_row_shown(row);
}

/**
 * struct suspects - who is to be shown, from two lists, each with the worst first
 * @rows: of sites
 * @row: the next of them
 * @growers: of processes
 * @grower: the next of them
 */
struct suspects {
	const struct lw_rows *rows;
	unsigned int row;
	const struct lw_growers *growers;
	unsigned int grower;
};

/* Return: whether there is one more: @row, or @grower. */
static bool next_suspect(struct suspects *all, const struct lw_row **row,
			 const struct lw_grower **grower)
{
	*row = NULL;
	*grower = NULL;
	while (all->row < all->rows->nr && !is_suspect(&all->rows->row[all->row]))
		all->row++;
	if (all->row < all->rows->nr)
		*row = &all->rows->row[all->row];
	if (all->grower < all->growers->nr)
		*grower = &all->growers->grower[all->grower];
	if (*row && *grower) {
		if (lw_judgement_order(&(*row)->judged, &(*grower)->judged) <= 0)
			*grower = NULL;
		else
			*row = NULL;
	}
	all->row += !!*row;
	all->grower += !!*grower;
	return *row || *grower;
}

static void note_deaf(const struct lw_hook *hook, void *deaf)
{
	if (lw_hook_left_out(hook) || lw_hook_missed(hook))
		*(bool *)deaf = true;
}

/* What one types to see more of the first suspect. */
static void print_more(struct seq_file *seq, const struct lw_row *row)
{
	enum lw_class class;

	if (!row) {
		seq_puts(seq, "# Next: cat user/processes\n");
		return;
	}
	class = lw_what_class(lw_sites[row->site].what);
	if (class == LW_BUFFER)
		seq_puts(seq, "# Next: cat buffers/orphans buffers/holders\n");
	else
		seq_printf(seq, "# Next: echo site %u > control; cat %s/stacks\n", row->site,
			   lw_class_name(class));
}

/* A site or a process; the other is NULL. */
struct suspect {
	const struct lw_row *row;
	const struct lw_grower *grower;
};

static int place_of(const struct suspect *suspect)
{
	return suspect->grower ? LW_PLACE_USER_JAVA + suspect->grower->part :
				 (int)lw_what_class(lw_sites[suspect->row->site].what);
}

/* How many lines it takes. */
static int height_of(const struct suspect *suspect)
{
	return suspect->grower ? 1 : place_of(suspect) == LW_PLACE_BUFFER ? 4 : 3;
}

static const struct lw_judgement *judged_of(const struct suspect *suspect)
{
	return suspect->grower ? &suspect->grower->judged : &suspect->row->judged;
}

/* First the worst of each place, then the others. Return: how many. */
static unsigned int choose(const struct suspects *from, struct suspect chosen[CHOSEN])
{
	unsigned int nr = 0, places;
	struct suspects all;
	struct suspect one;
	bool others;
	int pass;

	for (pass = 0; pass < 2; pass++) {
		all = *from;
		places = 0;
		while (next_suspect(&all, &one.row, &one.grower)) {
			others = places & BIT(place_of(&one));
			places |= BIT(place_of(&one));
			if (others == pass && nr < CHOSEN)
				chosen[nr++] = one;
		}
	}
	return nr;
}

/* A buffer goes before the pages that it is made of: they grow as it does. */
static void put_buffer_first(struct suspect *chosen, unsigned int nr)
{
	unsigned int i;

	for (i = 1; i < nr; i++)
		if (place_of(&chosen[i]) == LW_PLACE_BUFFER &&
		    place_of(&chosen[i - 1]) == LW_PLACE_PAGE &&
		    judged_of(&chosen[i])->verdict == judged_of(&chosen[i - 1])->verdict &&
		    8 * judged_of(&chosen[i])->growth >= 7 * judged_of(&chosen[i - 1])->growth)
			swap(chosen[i], chosen[i - 1]);
}

/* As many as there is room for in @lines. Return: whether there are any. */
static bool print_suspects(struct seq_file *seq, const struct suspects *from, int lines)
{
	struct suspect chosen[CHOSEN];
	unsigned int i, nr = choose(from, chosen);

	put_buffer_first(chosen, nr);
	for (i = 0; i < nr; i++) {
		lines -= height_of(&chosen[i]);
		if (lines < 0)
			break;
		seq_printf(seq, "%u. ", i + 1);
		if (chosen[i].grower)
			print_grower(seq, chosen[i].grower);
		else
			print_site(seq, chosen[i].row);
	}
	if (nr)
		print_more(seq, chosen[0].row);
	return nr;
}

static int print_all(struct seq_file *seq, struct lw_rows *rows, const struct lw_growers *growers)
{
	struct suspects suspects = { .rows = rows, .growers = growers };
	struct lw_finding found;
	int lines = LINES - LINES_HEAD;
	bool leaks = false, known = false, deaf = false;
	int i;

	for (i = 0; i < LW_NR_PLACES; i++) {
		lw_place_find(i, rows, growers, lw_hooks_classes(), &found);
		leaks |= found.judged.verdict == LW_LEAK;
		known |= found.judged.verdict != LW_UNKNOWN;
		print_place(seq, i, &found);
	}
	if (!known)
		seq_puts(seq, "# It is too early to tell.\n");
	else if (!leaks)
		seq_printf(seq, "# Nothing leaks, in %llu s of watching.\n", lw_watch_seconds());
	lines -= !known || !leaks;
	lw_hooks_each(note_deaf, &deaf);
	deaf |= lw_stats_lost() > 0;
	if (deaf)
		seq_puts(seq, "# Some events were lost or not heard: cat status\n");
	lines -= deaf;
	if (lw_sampled() || lw_watch_turned())
		seq_puts(seq, "# Figures are estimates, by draws: see control\n");
	lines -= lw_sampled() || lw_watch_turned();
	lw_rank(rows);
	if (print_suspects(seq, &suspects, lines))
		return 0;
	if (!lw_watch_on())
		seq_puts(seq, "# Next: echo start > control\n");
	else
		seq_printf(seq, "# Next: cat triage, in %u s or more\n", known ? lw_interval :
			   LW_POINTS_LEAK * lw_interval);
	return 0;
}

static int triage_show(struct seq_file *seq, void *unused)
{
	struct lw_growers *growers;
	struct lw_rows *rows;
	int err = -ENOMEM;

	mutex_lock(&lw_lock);
	lw_print_title(seq, "triage", "which place leaks, who, how fast, how sure");
	/* of everything, whatever the filter is */
	rows = lw_rows_get(BIT(LW_NR_CLASSES) - 1, LW_BY_CALLER, NULL);
	growers = lw_growers_get();
	if (rows && growers)
		err = print_all(seq, rows, growers);
	kvfree(growers);
	if (rows)
		lw_rows_put(rows);
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

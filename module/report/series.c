// SPDX-License-Identifier: GPL-2.0
/*
 * history: the points that verdicts are made of, a history a line: call sites, then their paths,
 * caches, places and processes.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <leakwatch/cache.h>
#include <leakwatch/history.h>
#include <leakwatch/lock.h>
#include <leakwatch/name.h>
#include <leakwatch/process.h>
#include <leakwatch/report.h>
#include <leakwatch/triage.h>

struct histories {
	struct lw_rows *caller;
	struct lw_rows *path;
};

static void print_points(struct seq_file *seq, u32 key)
{
	const struct lw_point *point;
	unsigned int i, nr;

	point = lw_history_points(key, &nr);
	for (i = 0; i < nr; i++)
		seq_printf(seq, "%s%u:%u", i ? "," : "", point[i].at - point[0].at, point[i].live);
}

static void print_history(struct seq_file *seq, const char *class, u32 id, u32 key, u32 size,
			  u32 old)
{
	struct lw_judgement judged;

	lw_history_judge(key, size, old, &judged);
	seq_printf(seq, "%-5s %5u %-7s %6u ", class, id, lw_verdict_name(judged.verdict), size);
	if (old == LW_OLD_UNKNOWN)
		seq_puts(seq, "- ");
	else
		seq_printf(seq, "%u ", old);
	seq_printf(seq, "%s ", lw_history_back(key) ? "yes" : "no");
	print_points(seq, key);
}

static void print_row_history(struct seq_file *seq, const struct lw_row *row, bool path)
{
	const struct lw_site *site = &lw_sites[row->site];
	char text[LW_FRAME_TEXT];
	unsigned int nr;

	if (!row->has_half || (path && site->parent == row->site) ||
	    !lw_history_points(row->site, &nr))
		return;
	print_history(seq, lw_place_name(lw_what_class(site->what)), row->site,
		      lw_history_site(row->site), row->size, row->old);
	seq_printf(seq, " %s\n", lw_site_text(row->site, text));
}

/* A process by its number, the young of a name by 0; its place is the last word. */
static void print_member(struct seq_file *seq, const struct lw_member *member)
{
	char text[TASK_COMM_LEN];
	enum lw_part part;
	unsigned int nr;

	for (part = 0; part < LW_NR_PARTS; part++) {
		if (!lw_history_points(lw_member_key(member, part), &nr))
			continue;
		print_history(seq, "user", member->pid, lw_member_key(member, part), 1024,
			      LW_OLD_UNKNOWN);
		seq_printf(seq, " %s %s\n", lw_comm_text(member->comm, text),
			   lw_place_name(LW_PLACE_USER_JAVA + part));
	}
}

static void print_others(struct seq_file *seq)
{
	unsigned int i, nr;

	for (i = 1; i < lw_caches_end(); i++)
		if (lw_history_points(lw_history_cache(i), &nr)) {
			print_history(seq, "cache", i, lw_history_cache(i), lw_cache_size(i),
				      LW_OLD_UNKNOWN);
			seq_printf(seq, " %s\n", lw_cache_name(i));
		}
	for (i = 0; i < LW_NR_PLACES; i++)
		if (lw_history_points(lw_history_whole(i), &nr)) {
			print_history(seq, "whole", i, lw_history_whole(i), 1024, LW_OLD_UNKNOWN);
			seq_printf(seq, " %s\n", lw_place_name(i));
		}
	for (i = 0; i < LW_MEMBERS; i++)
		if (lw_member(i))
			print_member(seq, lw_member(i));
}

/* Position 0 is the head, then the rows by call site, then those by path, then the rest at once. */
static void *history_at(struct histories *all, loff_t pos)
{
	if (!pos)
		return SEQ_START_TOKEN;
	if (pos <= all->caller->nr)
		return &all->caller->row[pos - 1];
	pos -= all->caller->nr;
	if (pos <= all->path->nr)
		return &all->path->row[pos - 1];
	return pos == all->path->nr + 1 ? all : NULL;
}

static void *history_start(struct seq_file *seq, loff_t *pos)
{
	mutex_lock(&lw_lock);
	return history_at(seq->private, *pos);
}

static void *history_next(struct seq_file *seq, void *at, loff_t *pos)
{
	return history_at(seq->private, ++*pos);
}

static void history_stop(struct seq_file *seq, void *at)
{
	mutex_unlock(&lw_lock);
}

static int history_show(struct seq_file *seq, void *at)
{
	struct histories *all = seq->private;
	struct lw_row *row = at;

	if (at == SEQ_START_TOKEN) {
		lw_print_head(seq, "history",
			      "what verdicts are made of: time in 0.1 s, and LIVE");
		seq_printf(seq, "%-5s %5s %-7s %6s OLD BACK POINTS NAME\n", "CLASS", "ID",
			   "VERDICT", "SIZE-B");
	} else if (at == all) {
		print_others(seq);
	} else {
		print_row_history(seq, row, row >= all->path->row &&
				  row < all->path->row + all->path->nr);
	}
	return 0;
}

static const struct seq_operations history_ops = {
	.start = history_start,
	.next = history_next,
	.stop = history_stop,
	.show = history_show,
};

static void put_histories(struct histories *all)
{
	if (all->caller)
		lw_rows_put(all->caller);
	if (all->path)
		lw_rows_put(all->path);
	kfree(all);
}

static int history_open(struct inode *inode, struct file *file)
{
	struct histories *all = kzalloc(sizeof(*all), GFP_KERNEL);
	int err = -ENOMEM;

	if (!all)
		return err;
	mutex_lock(&lw_lock);
	all->caller = lw_rows_get(BIT(LW_NR_CLASSES) - 1, LW_BY_CALLER, lw_wanted);
	all->path = lw_rows_get(BIT(LW_NR_CLASSES) - 1, LW_BY_PATH, lw_wanted);
	mutex_unlock(&lw_lock);
	if (all->caller && all->path)
		err = seq_open(file, &history_ops);
	if (err) {
		put_histories(all);
		return err;
	}
	((struct seq_file *)file->private_data)->private = all;
	return 0;
}

static int history_release(struct inode *inode, struct file *file)
{
	put_histories(((struct seq_file *)file->private_data)->private);
	return seq_release(inode, file);
}

const struct file_operations lw_history_fops = {
	.owner = THIS_MODULE,
	.open = history_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = history_release,
};

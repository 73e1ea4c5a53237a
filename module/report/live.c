// SPDX-License-Identifier: GPL-2.0
/*
 * slab/live and page/live: what the live tables hold, an entry a line, in the tables' own order.
 *
 * Read as the tables are now, not a snapshot: the position in the file is one in the table, so a
 * reader takes no memory and holds up nobody.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <leakwatch/clock.h>
#include <leakwatch/door.h>
#include <leakwatch/live.h>
#include <leakwatch/lock.h>
#include <leakwatch/mark.h>
#include <leakwatch/pages.h>
#include <leakwatch/report.h>

#define UNWANTED	1024U	/* that a filter leaves out, before others may have lw_lock */

/* A line. Position 0 is the head, position n what stands in slot or frame n - 1. */
struct line {
	unsigned long at;
	u64 entry;
};

static bool next_object(unsigned long *slot, struct line *line)
{
	return lw_live_next(slot, &line->at, &line->entry);
}

static bool next_page(unsigned long *pfn, struct line *line)
{
	if (!lw_pages_next(pfn, &line->entry))
		return false;
	line->at = *pfn;
	return true;
}

static void *find(struct seq_file *seq, loff_t *pos,
		  bool (*next)(unsigned long *from, struct line *line))
{
	struct line *line = seq->private;
	unsigned long from;
	unsigned int n = 0;

	if (!*pos)
		return SEQ_START_TOKEN;
	for (from = *pos - 1; next(&from, line); from++) {
		if (lw_wanted(lw_entry_site(line->entry))) {
			*pos = from + 1;
			return line;
		}
		if (++n % UNWANTED)
			continue;
		mutex_unlock(&lw_lock);
		cond_resched();
		mutex_lock(&lw_lock);
		if (fatal_signal_pending(current))
			break;
	}
	return NULL;
}

static void live_stop(struct seq_file *seq, void *line)
{
	mutex_unlock(&lw_lock);
}

static void show_entry(struct seq_file *seq, u64 entry)
{
	seq_printf(seq, "%5u %7u\n", lw_entry_site(entry),
		   lw_clock_seconds(lw_entry_age(entry), lw_watch_now()));
}

static void *objects_start(struct seq_file *seq, loff_t *pos)
{
	mutex_lock(&lw_lock);
	return find(seq, pos, next_object);
}

static void *objects_next(struct seq_file *seq, void *line, loff_t *pos)
{
	++*pos;
	return find(seq, pos, next_object);
}

static int objects_show(struct seq_file *seq, void *at)
{
	struct line *line = at;

	if (at == SEQ_START_TOKEN) {
		lw_print_head(seq, "slab/live", "each live object; slab/stacks tells what ID is");
		seq_printf(seq, "%-18s %5s %7s\n", "ADDRESS", "ID", "AGE");
		return 0;
	}
	seq_printf(seq, "0x%016lx ", line->at);
	show_entry(seq, line->entry);
	return 0;
}

static const struct seq_operations objects_ops = {
	.start = objects_start,
	.next = objects_next,
	.stop = live_stop,
	.show = objects_show,
};

static void *pages_start(struct seq_file *seq, loff_t *pos)
{
	mutex_lock(&lw_lock);
	if (!*pos && lw_watch_on())
		lw_pages_settle();
	return find(seq, pos, next_page);
}

static void *pages_next(struct seq_file *seq, void *line, loff_t *pos)
{
	++*pos;
	return find(seq, pos, next_page);
}

static int pages_show(struct seq_file *seq, void *at)
{
	struct line *line = at;

	if (at == SEQ_START_TOKEN) {
		lw_print_head(seq, "page/live", "each live page; page/stacks tells what ID is");
		seq_printf(seq, "%-10s %5s %7s\n", "PFN", "ID", "AGE");
		return 0;
	}
	seq_printf(seq, "%-10lu ", line->at);
	show_entry(seq, line->entry);
	return 0;
}

static const struct seq_operations pages_ops = {
	.start = pages_start,
	.next = pages_next,
	.stop = live_stop,
	.show = pages_show,
};

static int objects_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &objects_ops, sizeof(struct line));
}

static int pages_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &pages_ops, sizeof(struct line));
}

const struct file_operations lw_slab_live_fops = {
	.owner = THIS_MODULE,
	.open = objects_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

const struct file_operations lw_page_live_fops = {
	.owner = THIS_MODULE,
	.open = pages_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of buffers: heaps, live, orphans, holders. Each is a snapshot, taken when the file is
 * opened.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <leakwatch/clock.h>
#include <leakwatch/holders.h>
#include <leakwatch/hook.h>
#include <leakwatch/lock.h>
#include <leakwatch/mark.h>
#include <leakwatch/report.h>

struct view;

/**
 * struct kind - a table
 * @name: the file's
 * @about: what it shows, for its first line
 * @columns: its line of columns
 * @nr: how many rows there are
 * @show: prints one, or nothing
 * @total: prints what is below all, or NULL
 */
struct kind {
	const char *name;
	const char *about;
	const char *columns;
	unsigned int (*nr)(const struct view *view);
	void (*show)(struct seq_file *seq, const struct view *view, unsigned int row);
	void (*total)(struct seq_file *seq, const struct view *view);
};

struct view {
	const struct kind *kind;
	struct lw_holders *holders;
	struct lw_orphans *orphans;
	unsigned int nr_orphans;
};

static const char *heap_name(const struct lw_buffer *buffer)
{
	return lw_heap(buffer->heap)->name;
}

/* The process that exported it, or "-" if nobody knows. */
static const char *comm_of(const struct lw_buffer *buffer, char text[TASK_COMM_LEN])
{
	return buffer->by.tgid ? lw_comm_text(buffer->by.comm, text) : "-";
}

#define DIGITS	24

static const char *number(char text[DIGITS], bool known, long value)
{
	if (!known)
		return "-";
	snprintf(text, DIGITS, "%ld", value);
	return text;
}

/* live */

static unsigned int nr_held(const struct view *view)
{
	return view->holders->nr;
}

static const char *state_of(const struct view *view, const struct lw_held *held)
{
	if (!view->holders->walked)
		return "-";
	if (held->unsure)
		return "unsure";
	if (!held->buffer.is.file && !held->buffer.is.ion)
		return "closed";
	if (held->fds)
		return held->maps ? "fd+map" : "fd";
	return held->maps ? "map" : held->buffer.is.ion && held->refs ? "client" : "kernel";
}

static const char * const alive_text[] = {
	[LW_ALIVE_UNKNOWN] = "-", [LW_ALIVE] = "yes", [LW_ALIVE_DEAD] = "no",
	[LW_ALIVE_REUSED] = "reused",
};

static void show_live(struct seq_file *seq, const struct view *view, unsigned int row)
{
	const struct lw_held *held = &view->holders->held[row];
	const struct lw_buffer *buffer = &held->buffer;
	bool walked = view->holders->walked;
	char text[6][DIGITS], comm[TASK_COMM_LEN];

	if (held->gone)
		return;
	seq_printf(seq, "%6u %11llu %-16s %-6s %7s %7s %-15s %4s %4s %5s %-7s %7s %-6s ",
		   buffer->id, buffer->is.bytes, heap_name(buffer), state_of(view, held),
		   number(text[0], !buffer->older,
			  lw_clock_seconds(buffer->tick, lw_watch_now())),
		   number(text[1], buffer->by.tgid, buffer->by.tgid), comm_of(buffer, comm),
		   number(text[2], walked, held->fds), number(text[3], walked, held->maps),
		   number(text[4], walked, held->refs),
		   buffer->older ? "older" : lw_event_name(buffer->last),
		   number(text[5], buffer->site, buffer->site), alive_text[held->alive]);
	if (buffer->is.release)
		seq_printf(seq, "%ps\n", buffer->is.release);
	else
		seq_puts(seq, "-\n");
}

/* holders */

static void show_holders(struct seq_file *seq, const struct view *view, unsigned int row)
{
	const struct lw_held *held = &view->holders->held[row];
	u64 bytes = held->buffer.is.bytes;
	const struct lw_holder *holder;
	char where[40], comm[TASK_COMM_LEN];
	unsigned int i;

	if (held->gone)
		return;
	for (i = held->first; i != LW_NO_HOLDER; i = holder->next) {
		holder = &view->holders->holder[i];
		if (holder->to)
			snprintf(where, sizeof(where), "%lx-%lx", holder->from, holder->to);
		else
			snprintf(where, sizeof(where), "%lu", holder->from);
		seq_printf(seq, "%6u %7d %-15s %-6s %-33s %11llu\n", held->buffer.id, holder->pid,
			   lw_comm_text(holder->comm, comm), holder->to ? "map" : "fd", where,
			   bytes);
	}
	if (held->refs)
		seq_printf(seq, "%6u %7s %-15s %-6s %-33ld %11llu\n", held->buffer.id, "-", "-",
			   held->buffer.is.ion ? "client" : "kernel", held->refs, bytes);
	if (view->holders->walked && !held->buffer.is.file && !held->buffer.is.ion)
		seq_printf(seq, "%6u %7s %-15s %-6s %-33s %11llu\n", held->buffer.id, "-", "-",
			   "closed", "-", bytes);
}

/* orphans */

static unsigned int nr_orphans(const struct view *view)
{
	return view->nr_orphans;
}

static void show_orphans(struct seq_file *seq, const struct view *view, unsigned int row)
{
	static const char * const reasons[] = {
		[LW_REASON_KERNEL] = "only the kernel holds it",
		[LW_REASON_DIED] = "creator died, others hold it",
		[LW_REASON_CLOSED] = "its file is closed, yet it is not freed",
		[LW_REASON_CLIENT] = "no client has it, others hold it",
	};
	const struct lw_orphans *group = &view->orphans[row];
	const struct lw_buffer *buffer = &group->like->buffer;
	char text[3][DIGITS], comm[TASK_COMM_LEN];

	seq_printf(seq, "%7u %9llu %11llu %-16s %7s %-15s %-6s %7s %7s %s\n", group->count,
		   group->count * buffer->is.bytes >> 10, buffer->is.bytes, heap_name(buffer),
		   number(text[0], buffer->by.tgid, buffer->by.tgid), comm_of(buffer, comm),
		   alive_text[group->like->alive],
		   number(text[1], !buffer->older,
			  lw_clock_seconds(buffer->tick, lw_watch_now())),
		   number(text[2], buffer->site, buffer->site), reasons[group->reason]);
}

static bool knows_deferred(void)
{
	return lw_ion_defers() && lw_buffers_defers_known();
}

static void total_orphans(struct seq_file *seq, const struct view *view)
{
	u64 bytes = 0, all = 0;
	unsigned int i, count = 0, nr = 0;

	for (i = 0; i < view->nr_orphans; i++) {
		count += view->orphans[i].count;
		bytes += view->orphans[i].count * view->orphans[i].like->buffer.is.bytes;
	}
	for (i = 0; i < view->holders->nr; i++)
		if (!view->holders->held[i].gone) {
			nr++;
			all += view->holders->held[i].buffer.is.bytes;
		}
	if (view->holders->walked)
		seq_printf(seq, "# total: %u orphans, %llu KB, of %u buffers, %llu KB\n", count,
			   bytes >> 10, nr, all >> 10);
	if (!knows_deferred())
		return;
	for (i = 0, bytes = 0; i < LW_HEAPS; i++)
		bytes += lw_heap(i)->deferred;
	seq_printf(seq, "# deferred: %llu KB released, to be freed by their heaps\n", bytes >> 10);
}

/* heaps */

static unsigned int nr_heaps(const struct view *view)
{
	return LW_HEAPS;
}

static void show_heap(struct seq_file *seq, const struct view *view, unsigned int row)
{
	u64 bytes = 0, orphan_bytes = 0;
	unsigned int i, live = 0, orphans = 0;
	const struct lw_heap *heap = lw_heap(row);
	const struct lw_held *held;
	char text[3][DIGITS];

	for (i = 0; i < view->holders->nr; i++) {
		held = &view->holders->held[i];
		if (held->gone || held->buffer.heap != row)
			continue;
		live++;
		bytes += held->buffer.is.bytes;
		if (view->holders->walked && lw_reason(held) != LW_NO_ORPHAN) {
			orphans++;
			orphan_bytes += held->buffer.is.bytes;
		}
	}
	if (live || heap->peak || heap->deferred)
		seq_printf(seq, "%-23s %7u %9llu %7s %9s %9llu %11s\n", heap->name, live,
			   bytes >> 10, number(text[0], view->holders->walked, orphans),
			   number(text[1], view->holders->walked, orphan_bytes >> 10),
			   heap->peak >> 10,
			   number(text[2], knows_deferred(), heap->deferred >> 10));
}

/* Row n is 1 more than its position, as SEQ_START_TOKEN is 1. */
static void *view_at(struct view *view, loff_t pos)
{
	if (!pos)
		return SEQ_START_TOKEN;
	return pos <= view->kind->nr(view) + 1 ? (void *)(unsigned long)(pos + 1) : NULL;
}

static void *view_start(struct seq_file *seq, loff_t *pos)
{
	mutex_lock(&lw_lock);
	return view_at(seq->private, *pos);
}

static void *view_next(struct seq_file *seq, void *at, loff_t *pos)
{
	return view_at(seq->private, ++*pos);
}

static void view_stop(struct seq_file *seq, void *at)
{
	mutex_unlock(&lw_lock);
}

static void show_head(struct seq_file *seq, const struct view *view)
{
	unsigned int i, unsure = 0;

	lw_print_title(seq, view->kind->name, view->kind->about);
	lw_print_limits(seq);
	if (view->holders->skipped)
		seq_printf(seq, LW_SKIPPED, view->holders->skipped);
	for (i = 0; i < view->holders->nr; i++)
		unsure += view->holders->held[i].unsure;
	if (unsure)
		seq_printf(seq, "# %u buffers have nobody just now, but may have: unsure, and no orphans\n",
			   unsure);
	if (lw_holders_older_skipped() > 0)
		seq_printf(seq, "# %d processes were busy at the start: buffers that they had then may be missing\n",
			   lw_holders_older_skipped());
	else if (lw_holders_older_skipped())
		seq_puts(seq, "# there was no memory at the start: older buffers are missing\n");
	if (!view->holders->walked)
		seq_puts(seq, "# not watching: nobody knows who holds what\n");
	seq_printf(seq, "%s\n", view->kind->columns);
}

static int view_show(struct seq_file *seq, void *at)
{
	struct view *view = seq->private;
	unsigned long row = (unsigned long)at - 2;

	if (at == SEQ_START_TOKEN)
		show_head(seq, view);
	else if (row < view->kind->nr(view))
		view->kind->show(seq, view, row);
	else if (view->kind->total)
		view->kind->total(seq, view);
	return 0;
}

static const struct seq_operations view_ops = {
	.start = view_start,
	.next = view_next,
	.stop = view_stop,
	.show = view_show,
};

static void view_free(struct view *view)
{
	if (view->holders)
		lw_holders_put(view->holders);
	kvfree(view->orphans);
	kfree(view);
}

/* Whoever made it or holds it, where that is asked for. */
static bool is_of_pid(const struct lw_holders *holders, const struct lw_held *held, int pid)
{
	unsigned int i;

	for (i = held->first; i != LW_NO_HOLDER; i = holders->holder[i].next)
		if (holders->holder[i].pid == pid)
			return true;
	return held->buffer.by.tgid == pid;
}

static bool is_wanted(const struct lw_holders *holders, const struct lw_held *held)
{
	const struct lw_buffer *buffer = &held->buffer;

	switch (lw_settings.filter) {
	case 'h':
		return !strcmp(heap_name(buffer), lw_settings.text);
	case 'b':
		return buffer->id == lw_settings.number;
	case 'p':
		return is_of_pid(holders, held, lw_settings.number);
	case 's':
		return buffer->is.bytes == lw_settings.number;
	default:	/* a module, or a cache, of which none is */
		return !lw_settings.filter || lw_wanted(buffer->site);
	}
}

static void keep_wanted(struct lw_holders *holders)
{
	unsigned int i, nr = 0;

	for (i = 0; i < holders->nr; i++)
		if (is_wanted(holders, &holders->held[i]))
			holders->held[nr++] = holders->held[i];
	holders->nr = nr;
}

static int view_open(struct file *file, const struct kind *kind)
{
	struct view *view = kzalloc(sizeof(*view), GFP_KERNEL);
	int err = -ENOMEM;

	if (!view)
		return err;
	view->kind = kind;
	mutex_lock(&lw_lock);
	view->holders = lw_holders_get(true);
	if (view->holders)
		keep_wanted(view->holders);
	mutex_unlock(&lw_lock);
	if (view->holders)
		view->orphans = lw_orphans_get(view->holders, &view->nr_orphans);
	if (view->orphans)
		err = seq_open(file, &view_ops);
	if (err)
		view_free(view);
	else
		((struct seq_file *)file->private_data)->private = view;
	return err;
}

static int view_release(struct inode *inode, struct file *file)
{
	view_free(((struct seq_file *)file->private_data)->private);
	return seq_release(inode, file);
}

#define DEFINE_VIEW(id, text, heads, count, print, sum)				\
static const struct kind id##_kind = {						\
	.name = "buffers/" #id, .about = text, .columns = heads, .nr = count,	\
	.show = print, .total = sum,						\
};										\
static int id##_open(struct inode *inode, struct file *file)			\
{										\
	return view_open(file, &id##_kind);					\
}										\
const struct file_operations lw_buffers_##id##_fops = {				\
	.owner = THIS_MODULE,							\
	.open = id##_open,							\
	.read = seq_read,							\
	.llseek = seq_lseek,							\
	.release = view_release,						\
}

DEFINE_VIEW(heaps, "DMA-BUFs by heap or exporter",
	    "HEAP                       LIVE        KB ORPHANS ORPHAN-KB   PEAK-KB DEFERRED-KB",
	    nr_heaps, show_heap, NULL);
DEFINE_VIEW(live, "each DMA-BUF; STATE is what keeps it",
	    "    ID      SIZE-B HEAP             STATE      AGE     PID COMM             FDS MAPS KREFS LAST    SITE-ID ALIVE  EXPORTER",
	    nr_held, show_live, NULL);
DEFINE_VIEW(orphans, "DMA-BUFs whose creator is gone, or that no process holds",
	    "  COUNT        KB      SIZE-B HEAP                 PID COMM            ALIVE      AGE SITE-ID REASON",
	    nr_orphans, show_orphans, total_orphans);
DEFINE_VIEW(holders, "who keeps which DMA-BUF; of the kernel's, FD-OR-VA is how many references",
	    "    ID     PID COMM            HOW    FD-OR-VA                               SIZE-B",
	    nr_held, show_holders, NULL);

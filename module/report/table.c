// SPDX-License-Identifier: GPL-2.0
/* The tables of sites and paths: top, slab and page sites and stacks, folded, slab/caches. */
#include <linux/ctype.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <compat/page.h>
#include <leakwatch/cache.h>
#include <leakwatch/figure.h>
#include <leakwatch/frame.h>
#include <leakwatch/history.h>
#include <leakwatch/holders.h>
#include <leakwatch/hook.h>
#include <leakwatch/lock.h>
#include <leakwatch/mark.h>
#include <leakwatch/name.h>
#include <leakwatch/rank.h>
#include <leakwatch/report.h>
#include <leakwatch/sample.h>
#include <leakwatch/stats.h>

/**
 * struct kind - a table
 * @name: the file's
 * @about: what it shows, for its first line
 * @classes: whose sites, a bit each
 * @group: what a row is
 * @limited: at most as many rows as the setting says, and not what lw_row_shown() leaves out
 * @folded: a line a path, as viewers of flame graphs read it, and no more; nor what that leaves out
 * @lost: only pages that are lost
 */
struct kind {
	const char *name;
	const char *about;
	unsigned int classes;
	enum lw_group group;
	bool limited;
	bool folded;
	bool lost;
};

struct table {
	const struct kind *kind;
	unsigned int nr;
	bool stopped;		/* whose a frame is now is not known */
	bool adds_up;		/* of all sites, to what is lost in all */
	struct lw_rows *rows;
	struct lw_census census;
	struct lw_figures figures;
};

static s64 kb(s64 bytes)
{
	return div_s64(bytes, 1024);
}

const char *lw_kind_text(u32 id)
{
	u32 gfp = lw_what_major(lw_sites[id].what);

	if (id == LW_SITE_SLAB_PAGES)
		return "(slab objects and large kmallocs)";
	if (id == LW_SITE_MIGRATION)
		return "(compaction)";
	if (lw_what_class(lw_sites[id].what) == LW_BUFFER || !(gfp & (__force u32)__GFP_MOVABLE))
		return "(no stack)";
	if (gfp & (__force u32)__GFP_ZERO)
		return "(movable: zeroed, as anonymous memory)";
	return "(movable: file, copied or swapped in)";
}

const char *lw_site_text(u32 id, char text[LW_FRAME_TEXT])
{
	const struct lw_site *site = &lw_sites[id];

	if (!site->nr_frames)
		return lw_kind_text(id);
	lw_frame_text(text, lw_site_frames(site)[0]);
	return text;
}

static const char *note_text(unsigned int note, char *text, size_t size)
{
	scnprintf(text, size, "%s%s%s%s%s%s", note & LW_NOTE_UNLOADED ? ",unloaded" : "",
		  note & LW_NOTE_DESTROYED ? ",destroyed" : "",
		  note & LW_NOTE_LOST ? ",lost" : "", note & LW_NOTE_MISSED ? ",missed" : "",
		  note & LW_NOTE_FOLDED ? ",folded" : "", note & LW_NOTE_SHORT ? ",short" : "");
	return *text ? text + 1 : "-";
}

static const char *pid_text(const struct lw_row *row, char *text, size_t size)
{
	if (row->pid_min > row->pid_max)
		return "-";
	if (row->pid_min == row->pid_max)
		scnprintf(text, size, "%d", row->pid_min);
	else
		scnprintf(text, size, "%d-%d", row->pid_min, row->pid_max);
	return text;
}

const char *lw_comm_text(const char *comm, char text[TASK_COMM_LEN])
{
	int i;

	for (i = 0; i < TASK_COMM_LEN - 1 && comm[i]; i++)
		text[i] = isgraph(comm[i]) ? comm[i] : '_';
	text[i] = 0;
	return i ? text : "-";
}

const char *lw_alive_text(enum lw_alive alive)
{
	static const char * const text[] = {
		[LW_ALIVE_UNKNOWN] = "older", [LW_ALIVE] = "alive", [LW_ALIVE_DEAD] = "dead",
		[LW_ALIVE_REUSED] = "dead",
	};

	return text[alive];
}

const char *lw_growth_text(const struct lw_judgement *judged, char *text, size_t size)
{
	if (judged->verdict == LW_UNKNOWN)
		return "-";
	scnprintf(text, size, "%lld", kb(judged->growth));
	return text;
}

static const char *age_text(const struct lw_row *row, u32 seconds, char *text, size_t size)
{
	if (!row->seen)
		return "-";
	scnprintf(text, size, "%u", seconds);
	return text;
}

static u32 age_avg(const struct lw_row *row)
{
	return row->seen ? div_u64(row->age_sum, row->seen) : 0;
}

/* A figure of a row, with a mark if it is an estimate. */
#define FIGURE	24

static const char *figure(bool estimated, s64 value, char text[FIGURE])
{
	scnprintf(text, FIGURE, "%s%lld", estimated ? "~" : "", value);
	return text;
}

static const char *error_text(const struct lw_row *row, char text[FIGURE])
{
	if (!row->estimated)
		return "-";
	scnprintf(text, FIGURE, "%u", (u32)int_sqrt64(row->variance));
	return text;
}

/* From when which mode holds, and what that says of the figures. */
static void print_mode(struct seq_file *seq)
{
	if (lw_sampled())
		seq_printf(seq, "# sampled for %llu s, one draw of %lu bytes of objects, of %llu of pages%s: what has a ~ is an estimate\n",
			   lw_watch_mode_seconds(), lw_rate_bytes(lw_sample_rate),
			   (u64)lw_rate_bytes(lw_sample_rate) << LW_PAGES_SHARE,
			   lw_watch_turned() ? ", before that otherwise" : "");
	else if (lw_watch_turned())
		seq_printf(seq, "# exact for %llu s, before that otherwise: what has a ~ is an estimate\n",
			   lw_watch_mode_seconds());
}

const char *lw_site_cache(const struct lw_site *site)
{
	if (site->cache)
		return lw_cache_name(site->cache);
	return !lw_what_is_cache(site->what) &&
	       lw_what_major(site->what) > KMALLOC_MAX_CACHE_SIZE ? "(large)" : "-";
}

/*
 * A free that is not heard leaves something live that is not, an allocation the reverse: the reader
 * has to know.
 */
static void print_deaf(const struct lw_hook *hook, void *arg)
{
	bool left_out = lw_hook_left_out(hook);

	if (left_out || lw_hook_missed(hook))
		seq_printf(arg, "# %s by %s are %s: live figures may be too %s\n",
			   hook->frees ? "frees" : "allocations", hook->name,
			   left_out ? "not heard" : "partly missed", hook->frees ? "high" : "low");
}

void lw_print_title(struct seq_file *seq, const char *name, const char *about)
{
	bool named = strcmp(lw_mark_chosen(), LW_MARK_DEFAULT);

	seq_printf(seq, LW_FORMAT "%s: %s\n", name, about);
	seq_printf(seq, "# watching for %llu s%s, mark%s%s set %llu s ago%s\n", lw_watch_seconds(),
		   lw_watch_on() ? "" : ", stopped", named ? " " : "",
		   named ? lw_mark_chosen() : "", lw_mark_seconds(),
		   lw_mark_is_start() ? " (at the start)" : "");
}

void lw_print_limits(struct seq_file *seq)
{
	if (lw_stats_lost())
		seq_printf(seq, "# %lu events were lost or missed, see status\n", lw_stats_lost());
	lw_hooks_each(print_deaf, seq);
	if (lw_settings.filter) {
		seq_puts(seq, "# filter: ");
		lw_print_filter(seq);
		seq_putc(seq, '\n');
	}
}

void lw_print_head(struct seq_file *seq, const char *name, const char *about)
{
	lw_print_title(seq, name, about);
	print_mode(seq);
	lw_print_limits(seq);
}

/* One row, columns as in DESIGN; those of one class alone come before the free text. */

static void print_columns(struct seq_file *seq, const struct kind *kind)
{
	seq_printf(seq, "%4s %-7s %-6s %5s %7s %7s %11s %7s %8s %8s %7s %7s %7s %-9s %-4s ",
		   "RANK", "VERDICT", "CLASS", "ID", "LIVE", "KB", "GROWTH-KB/H", "MARK-KB",
		   "ALLOCS", "FREES", "AGE-MIN", "AGE-AVG", "AGE-MAX", "PID", "NOTE");
	if (kind->classes == BIT(LW_SLAB))
		seq_printf(seq, "%-16s %6s ", "CACHE", "SIZE-B");
	if (kind->classes == BIT(LW_PAGE))
		seq_printf(seq, "%5s %-8s ", "ORDER", "GFP");
	seq_printf(seq, "%6s SITE\n", "ERR-KB");
}

static void print_row(struct seq_file *seq, const struct kind *kind, unsigned int rank,
		      const struct lw_row *row)
{
	const struct lw_site *site = &lw_sites[row->site];
	char pid[24], note[56], ages[3][12], figures[6][FIGURE], growth[24], text[LW_FRAME_TEXT];
	bool about = row->estimated;

	seq_printf(seq, "%4u %-7s %-6s %5u %7s %7s %11s %7s %8s %8s %7s %7s %7s %-9s %-4s ",
		   rank, lw_verdict_name(row->judged.verdict),
		   lw_class_name(lw_what_class(site->what)), row->site,
		   figure(about, row->live, figures[0]),
		   figure(about, kb(lw_row_bytes(row)), figures[1]),
		   lw_growth_text(&row->judged, growth, sizeof(growth)),
		   figure(about, kb(lw_row_grown(row)), figures[2]),
		   figure(about, row->allocs, figures[3]), figure(about, row->frees, figures[4]),
		   age_text(row, row->age_min, ages[0], sizeof(ages[0])),
		   age_text(row, age_avg(row), ages[1], sizeof(ages[1])),
		   age_text(row, row->age_max, ages[2], sizeof(ages[2])),
		   pid_text(row, pid, sizeof(pid)), note_text(row->note, note, sizeof(note)));
	if (kind->classes == BIT(LW_SLAB))
		seq_printf(seq, "%-16s %6u ", lw_site_cache(site), row->size);
	if (kind->classes == BIT(LW_PAGE)) {
		if (lw_row_is_backing(row) || row->site == LW_SITE_MIGRATION)
			seq_printf(seq, "%5s %-8s ", "-", "-");
		else
			seq_printf(seq, "%5u %#-8x ", lw_what_order(site->what),
				   lw_what_major(site->what));
	}
	seq_printf(seq, "%6s ", error_text(row, figures[5]));
	seq_printf(seq, "%s\n", lw_site_text(row->site, text));
}

/* Of the oldest that is live, and whether that is so of all. */
static void print_makers(struct seq_file *seq, u32 site)
{
	struct lw_makers makers;
	char comm[TASK_COMM_LEN];

	lw_makers_get(site, &makers);
	if (!makers.oldest.id)
		return;
	seq_printf(seq, ", heap %s%s, by %s (process %d, thread %d, %s)%s",
		   lw_heap(makers.oldest.heap)->name, makers.heaps ? " and others" : "",
		   lw_comm_text(makers.oldest.by.comm, comm), makers.oldest.by.tgid,
		   makers.oldest.by.pid, lw_alive_text(makers.alive),
		   makers.others ? " and others" : "");
	if (makers.oldest.is.release)
		seq_printf(seq, ", exporter %ps", makers.oldest.is.release);
}

/* One path: what there is in one line, then its frames. */
static void print_block(struct seq_file *seq, const struct lw_row *row)
{
	const struct lw_site *site = &lw_sites[row->site];
	unsigned long *frame = lw_site_frames(site);
	const char *about = row->estimated ? "~" : "";
	char pid[24], note[56], growth[24], text[LW_FRAME_TEXT], error[FIGURE];
	gfp_t gfp;
	int i;

	seq_printf(seq, "%s%ld times, %s%lld KB", about, row->live, about, kb(lw_row_bytes(row)));
	if (row->estimated)
		seq_printf(seq, ", error %s KB", error_text(row, error));
	if (lw_what_class(site->what) == LW_SLAB) {
		seq_printf(seq, ", cache %s, size %u", lw_site_cache(site), row->size);
	} else if (lw_what_class(site->what) == LW_BUFFER) {
		seq_printf(seq, ", size %u", row->size);
		print_makers(seq, row->site);
	} else if (!lw_row_is_backing(row) && row->site != LW_SITE_MIGRATION) {
		gfp = (__force gfp_t)lw_what_major(site->what);
		seq_printf(seq, ", order %u, mask %#x", lw_what_order(site->what),
			   lw_what_major(site->what));
		if (LW_HAVE_GFP_NAMES)
			seq_printf(seq, "(%pGg)", &gfp);
	}
	seq_printf(seq, ", id %u, site %u, mark %s%+lld KB, %s, %s KB/h, allocs %s%lu, frees %s%lu",
		   row->site, site->parent, about, kb(lw_row_grown(row)),
		   lw_verdict_name(row->judged.verdict),
		   lw_growth_text(&row->judged, growth, sizeof(growth)), about, row->allocs, about,
		   row->frees);
	if (row->seen)
		seq_printf(seq, ", age %u/%u/%u", row->age_min, age_avg(row), row->age_max);
	seq_printf(seq, ", pid %s", pid_text(row, pid, sizeof(pid)));
	if (row->note)
		seq_printf(seq, ", %s", note_text(row->note, note, sizeof(note)));
	seq_putc(seq, '\n');
	if (!site->nr_frames)
		seq_printf(seq, "  %s\n", lw_kind_text(row->site));
	for (i = 0; i < site->nr_frames; i++) {
		lw_frame_text(text, frame[i]);
		seq_printf(seq, "  %s\n", text);
	}
	seq_putc(seq, '\n');
}

/*
 * One path for a viewer, which has the root first. It adds up what has one name: functions have no
 * offsets, and nothing has a semicolon.
 */
static void print_folded(struct seq_file *seq, const struct lw_row *row)
{
	const struct lw_site *site = &lw_sites[row->site];
	char text[LW_FRAME_TEXT], *behind;
	int i, name;

	if (lw_row_bytes(row) <= 0)
		return;
	seq_puts(seq, lw_class_name(lw_what_class(site->what)));
	if (!site->nr_frames)
		seq_printf(seq, ";%s", lw_kind_text(row->site));
	for (i = site->nr_frames - 1; i >= 0; i--) {
		lw_frame_text(text, lw_site_frames(site)[i]);
		name = strcspn(text, "+");
		behind = text + name + strcspn(text + name, " ");
		seq_printf(seq, ";%.*s%s", name, text, behind);
	}
	seq_printf(seq, " %lld\n", lw_row_bytes(row));
}

static s64 lost_kb(const struct table *table)
{
	return table->figures.kb[LW_TOTAL_LOST_CENSUS];
}

static s64 held_kb(const struct table *table)
{
	s64 bytes = 0;
	u32 i;

	if (!lw_sampled() && !lw_watch_turned())
		return (s64)lw_census_lost_held(&table->census) << (PAGE_SHIFT - 10);
	for (i = 0; i < table->rows->nr; i++)
		bytes += lw_row_bytes(&table->rows->row[i]);
	return kb(bytes);
}

/* Or came by a way that is not heard. Of an estimate there may be more than there is. */
static s64 older_kb(const struct table *table, s64 held)
{
	return max(lost_kb(table) + lw_figures_unseen(&table->figures) - held, 0LL);
}

/* How many of the first rows it takes to explain what is lost, for the most part. */
static void print_lost_head(struct seq_file *seq, const struct table *table)
{
	s64 held = held_kb(table), older = older_kb(table, held), all = held + older, sum = 0;
	s64 unseen = lw_figures_unseen(&table->figures);
	unsigned int i;

	seq_printf(seq, "# Total-lost: %lld KB by counters, %lld KB by census: %lld KB by the sites below, %lld KB older",
		   table->figures.kb[LW_TOTAL_LOST], lost_kb(table), held, older);
	if (unseen)
		seq_printf(seq, ", less %lld KB of either that SecPageTables, KernMisc, Iommu and Gpu have",
			   unseen);
	seq_putc(seq, '\n');
	for (i = 0; i < table->nr && sum * 100 < held * 95; i++)
		sum += kb(lw_row_bytes(&table->rows->row[i]));
	if (sum && all > 0)
		seq_printf(seq, "# %lld %% of lost, and %lld %% of what is not older, is explained by %u site%s\n",
			   div64_s64(sum * 100, all), div64_s64(sum * 100, held), i,
			   i == 1 ? "" : "s");
}

/* What was there before the module, or came by a way that it does not hear. */
static void print_older(struct seq_file *seq, const struct table *table)
{
	s64 older = older_kb(table, held_kb(table));

	seq_printf(seq, "%4s %-7s %-5s %5s %7lld %7lld %11s %7s %8s %8s %7s %7s %7s %-9s %-4s ",
		   "-", "-", "page", "-", older >> (PAGE_SHIFT - 10), older, "-", "-", "-", "-",
		   "-", "-", "-", "-", "-");
	seq_printf(seq, "%5s %-8s %6s (older than leakwatch)\n", "-", "-", "-");
}

/* Position 0 is the head, the one behind the last row what is older. */
static void *table_at(struct table *table, loff_t pos)
{
	if (!pos)
		return SEQ_START_TOKEN;
	if (pos <= table->nr)
		return &table->rows->row[pos - 1];
	return table->adds_up && pos == table->nr + 1 ? &table->census : NULL;
}

static void *table_start(struct seq_file *seq, loff_t *pos)
{
	mutex_lock(&lw_lock);		/* for the names of frames */
	return table_at(seq->private, *pos);
}

static void *table_next(struct seq_file *seq, void *row, loff_t *pos)
{
	return table_at(seq->private, ++*pos);
}

static void table_stop(struct seq_file *seq, void *row)
{
	mutex_unlock(&lw_lock);
}

static int table_show(struct seq_file *seq, void *at)
{
	struct table *table = seq->private;
	struct lw_row *row = at;

	if (table->kind->folded) {
		if (at != SEQ_START_TOKEN)
			print_folded(seq, row);
	} else if (at == SEQ_START_TOKEN) {
		lw_print_head(seq, table->kind->name, table->kind->about);
		if (table->kind->group == LW_BY_PATH && lw_settings.site)
			seq_printf(seq, "# paths of site %u alone, by control\n", lw_settings.site);
		if (table->nr < table->rows->nr)
			seq_printf(seq, "# %u of %u rows; control has \"rows\"\n", table->nr,
				   table->rows->nr);
		if (table->adds_up)
			print_lost_head(seq, table);
		else if (table->kind->lost && table->stopped)
			seq_puts(seq, "# stopped: what is lost now, by who had it at the stop\n");
		if (table->kind->group == LW_BY_CALLER)
			print_columns(seq, table->kind);
		else
			seq_putc(seq, '\n');
	} else if (at == &table->census) {
		print_older(seq, table);
	} else if (table->kind->group == LW_BY_CALLER) {
		print_row(seq, table->kind, row - table->rows->row + 1, row);
	} else {
		print_block(seq, row);
	}
	return 0;
}

static const struct seq_operations table_ops = {
	.start = table_start,
	.next = table_next,
	.stop = table_stop,
	.show = table_show,
};

bool lw_row_shown(const struct lw_row *row)
{
	return !lw_row_is_backing(row) && !lw_frame_own(lw_sites[row->site].call);
}

static void drop_hidden(struct lw_rows *rows)
{
	unsigned int i, nr = 0;

	for (i = 0; i < rows->nr; i++)
		if (lw_row_shown(&rows->row[i]))
			rows->row[nr++] = rows->row[i];
	rows->nr = nr;
}

static struct lw_rows *lost_rows(struct table *table)
{
	struct lw_rows *rows = lw_rows_lost(table->kind->group, lw_wanted, &table->census);

	if (rows && lw_figures_get(&table->figures, &table->census)) {
		lw_rows_put(rows);
		rows = NULL;
	}
	return rows;
}

static bool path_wanted(u32 id)
{
	return lw_wanted(id) && (!lw_settings.site || id == lw_settings.site ||
				 lw_sites[id].parent == lw_settings.site);
}

static int table_open(struct file *file, const struct kind *kind)
{
	struct table *table = kzalloc(sizeof(*table), GFP_KERNEL);
	int err = -ENOMEM;

	if (!table)
		return err;
	table->kind = kind;
	mutex_lock(&lw_lock);
	table->stopped = !lw_watch_on();
	table->adds_up = kind->lost && !lw_settings.filter && !table->stopped;
	if (kind->lost)
		table->rows = lost_rows(table);
	else
		table->rows = lw_rows_get(kind->classes, kind->group,
					  kind->group == LW_BY_PATH ? path_wanted : lw_wanted);
	if (table->rows) {
		if (kind->limited || kind->folded)
			drop_hidden(table->rows);
		lw_rank(table->rows);
		table->nr = table->rows->nr;
		if (kind->limited && lw_settings.rows)
			table->nr = min(table->nr, lw_settings.rows);
		err = seq_open(file, &table_ops);
	}
	mutex_unlock(&lw_lock);
	if (err) {
		if (table->rows)
			lw_rows_put(table->rows);
		kfree(table);
		return err;
	}
	((struct seq_file *)file->private_data)->private = table;
	return 0;
}

static int table_release(struct inode *inode, struct file *file)
{
	struct table *table = ((struct seq_file *)file->private_data)->private;

	lw_rows_put(table->rows);
	kfree(table);
	return seq_release(inode, file);
}

#define DEFINE_TABLE(id, file_name, text, which, by, ...)			\
static const struct kind id##_kind = {						\
	.name = file_name, .about = text, .classes = which, .group = by, __VA_ARGS__ \
};										\
static int id##_open(struct inode *inode, struct file *file)			\
{										\
	return table_open(file, &id##_kind);					\
}										\
const struct file_operations lw_##id##_fops = {					\
	.owner = THIS_MODULE,							\
	.open = id##_open,							\
	.read = seq_read,							\
	.llseek = seq_lseek,							\
	.release = table_release,						\
}

DEFINE_TABLE(top, "top", "what behaves most like a leak, over all classes",
	     BIT(LW_SLAB) | BIT(LW_PAGE) | BIT(LW_BUFFER), LW_BY_CALLER, .limited = true);
DEFINE_TABLE(slab_sites, "slab/sites", "objects by call site",
	     BIT(LW_SLAB), LW_BY_CALLER);
DEFINE_TABLE(page_sites, "page/sites", "page frames by call site; counts are base pages",
	     BIT(LW_PAGE), LW_BY_CALLER);
DEFINE_TABLE(page_lost, "page/lost", "pages that no figure of the kernel has, by call site",
	     BIT(LW_PAGE), LW_BY_CALLER, .lost = true);
DEFINE_TABLE(slab_stacks, "slab/stacks", "objects by path", BIT(LW_SLAB), LW_BY_PATH);
DEFINE_TABLE(page_stacks, "page/stacks", "page frames by path; times are base pages",
	     BIT(LW_PAGE), LW_BY_PATH);
DEFINE_TABLE(folded, "folded", "", BIT(LW_SLAB) | BIT(LW_PAGE) | BIT(LW_BUFFER), LW_BY_PATH,
	     .folded = true);
DEFINE_TABLE(buffers_stacks, "buffers/stacks", "buffers by path and size", BIT(LW_BUFFER),
	     LW_BY_PATH);

/* slab/caches: the sites of a cache, added up. The last is for what is in no cache. */

struct cache_row {
	const char *name;
	u32 size;
	long live;
	s64 bytes;
	s64 grown;
	bool estimated;
	struct lw_judgement judged;
};

/* What grows, by how fast and how sure; then as the mark says. */
static s64 cache_weight(const struct cache_row *cache)
{
	return cache->judged.verdict >= LW_GROWING ?
	       cache->judged.growth * cache->judged.confidence : 0;
}

static int compare_caches(const void *a, const void *b)
{
	const struct cache_row *one = a, *two = b;

	if (cache_weight(one) != cache_weight(two))
		return cache_weight(one) > cache_weight(two) ? -1 : 1;
	return lw_rank_bytes(one->grown, one->bytes, two->grown, two->bytes) ?:
	       strcmp(one->name, two->name);
}

static void print_caches(struct seq_file *seq, struct cache_row *caches, u32 nr)
{
	char figures[3][FIGURE], growth[24];
	bool about;
	u32 i;

	sort(caches, nr, sizeof(*caches), compare_caches, NULL);
	lw_print_head(seq, "slab/caches", "objects by slab cache");
	seq_printf(seq, "%-24s %7s %8s %8s %11s %8s %s\n", "CACHE", "SIZE-B", "LIVE", "KB",
		   "GROWTH-KB/H", "MARK-KB", "VERDICT");
	for (i = 0; i < nr; i++) {
		if (!caches[i].name[0])
			continue;
		seq_printf(seq, "%-24s ", caches[i].name);
		if (caches[i].size)
			seq_printf(seq, "%7u ", caches[i].size);
		else
			seq_printf(seq, "%7s ", "-");
		about = caches[i].estimated;
		seq_printf(seq, "%8s %8s %11s %8s %s\n", figure(about, caches[i].live, figures[0]),
			   figure(about, kb(caches[i].bytes), figures[1]),
			   lw_growth_text(&caches[i].judged, growth, sizeof(growth)),
			   figure(about, kb(caches[i].grown), figures[2]),
			   lw_verdict_name(caches[i].judged.verdict));
	}
}

static int caches_show(struct seq_file *seq, void *unused)
{
	/* a hook may meet another cache at any time; the last is "(large)" */
	u32 i, nr = LW_MAX_CACHES + 1;
	struct cache_row *caches, *at;
	struct lw_rows *rows;
	struct lw_site *site;
	int err = -ENOMEM;

	mutex_lock(&lw_lock);
	caches = kvcalloc(nr, sizeof(*caches), GFP_KERNEL);
	rows = lw_rows_get(BIT(LW_SLAB), LW_BY_PATH, lw_wanted);
	if (!caches || !rows)
		goto out;
	for (i = 0; i < nr; i++)
		caches[i].name = "";
	for (i = 0; i < rows->nr; i++) {
		site = &lw_sites[rows->row[i].site];
		at = &caches[site->cache ?: *lw_site_cache(site) == '(' ? nr - 1 : 0];
		at->name = lw_site_cache(site);
		at->size = site->cache ? lw_cache_size(site->cache) : 0;
		at->live += rows->row[i].live;
		at->bytes += lw_row_bytes(&rows->row[i]);
		at->grown += lw_row_grown(&rows->row[i]);
		at->estimated |= rows->row[i].estimated;
	}
	/* what a cache can hold, it can hold for long: ages are of no use here */
	for (i = 1; i < nr - 1; i++)
		lw_history_judge(lw_history_cache(i), caches[i].size, LW_OLD_UNKNOWN,
				 &caches[i].judged);
	print_caches(seq, caches, nr);
	err = 0;
out:
	if (rows)
		lw_rows_put(rows);
	kvfree(caches);
	mutex_unlock(&lw_lock);
	return err;
}

static int caches_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, caches_show, NULL, 64 << 10);
}

const struct file_operations lw_slab_caches_fops = {
	.owner = THIS_MODULE,
	.open = caches_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

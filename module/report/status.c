// SPDX-License-Identifier: GPL-2.0
/* The file that says whether the others can be believed. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <leakwatch/audit.h>
#include <leakwatch/buffers.h>
#include <leakwatch/cache.h>
#include <leakwatch/door.h>
#include <leakwatch/filter.h>
#include <leakwatch/history.h>
#include <leakwatch/process.h>
#include <leakwatch/hook.h>
#include <leakwatch/live.h>
#include <leakwatch/lock.h>
#include <leakwatch/mark.h>
#include <leakwatch/pages.h>
#include <leakwatch/report.h>
#include <leakwatch/sample.h>
#include <leakwatch/stats.h>
#include <leakwatch/walk.h>

static void line(struct seq_file *seq, const char *name, unsigned long value)
{
	seq_printf(seq, "%-24s %lu\n", name, value);
}

static void show_class(struct seq_file *seq, const char *name, enum lw_class class)
{
	seq_printf(seq, "%-24s %s\n", name, !lw_watch_on() ? "stopped" :
		   lw_hooks_class(class) ? "on" : "off");
}

unsigned long lw_memory_bytes(unsigned int sites, unsigned int histories)
{
	return lw_live_bytes() + lw_pages_bytes() + lw_buffers_bytes() +
	       lw_sites_bytes(sites) + lw_history_bytes(histories, sites) + lw_caches_bytes() +
	       lw_walk_bytes() + lw_frame_bytes() + lw_members_bytes() + lw_filter_bytes();
}

static void show_tables(struct seq_file *seq)
{
	unsigned long live[LW_NR_CLASSES] = {}, slots = lw_live_slots(), given;
	unsigned long bytes = lw_memory_bytes(lw_sites_max(), lw_history_max()) + lw_marks_bytes();
	unsigned long entries = lw_live_count(&given);
	struct lw_count count;
	u32 id;

	for (id = 1; id < lw_sites_end(); id++) {
		lw_site_counts(id, &count);
		live[lw_what_class(lw_sites[id].what)] += count.allocs - count.frees -
			atomic_read(&lw_flaws[id].lost);
	}
	line(seq, "objects_live", live[LW_SLAB]);
	line(seq, "objects_max", slots);
	line(seq, "objects_limit", lw_live_limit());
	line(seq, "objects_given", given);
	line(seq, "objects_load_percent", entries * 100 / slots);
	line(seq, "objects_kb", lw_live_bytes() >> 10);
	line(seq, "pages_live", live[LW_PAGE]);
	line(seq, "pages_kb", lw_pages_bytes() >> 10);
	line(seq, "buffers_live", lw_buffers_nr());
	line(seq, "buffers_max", lw_buffers_max());
	line(seq, "buffers_kb", lw_buffers_bytes() >> 10);
	line(seq, "sites", lw_sites_end() - 1);
	line(seq, "sites_max", lw_sites_max() - 1);
	line(seq, "frames", lw_frames_used());
	line(seq, "frames_max", lw_frames_max());
	line(seq, "sites_kb", lw_sites_bytes(lw_sites_max()) >> 10);
	line(seq, "caches", lw_caches_end() - 1);
	line(seq, "caches_max", LW_MAX_CACHES - 1);
	line(seq, "histories", lw_history_used());
	line(seq, "histories_max", lw_history_max());
	line(seq, "histories_refused", lw_history_refused());
	line(seq, "histories_kb", lw_history_bytes(lw_history_max(), lw_sites_max()) >> 10);
	line(seq, "samples", lw_history_passes());
	line(seq, "sample_us", lw_history_took());
	line(seq, "memory_kb", bytes >> 10);
	line(seq, "memory_limit_kb", (bytes + (lw_live_limit() - slots) * sizeof(u64)) >> 10);
}

static void show_audit(struct seq_file *seq)
{
	const struct lw_audit *audit = lw_audit_last();

	line(seq, "audits", audit->runs);
	if (!audit->runs)
		return;
	line(seq, "audit_age", (jiffies - audit->at) / HZ);
	line(seq, "audit_ms", audit->ms);
	line(seq, "audit_objects", audit->objects);
	line(seq, "audit_pages", audit->pages);
}

static void show_hook(const struct lw_hook *hook, void *arg)
{
	static const char * const types[] = {
		[LW_TRACE] = "tracepoint", [LW_ENTRY] = "kprobe", [LW_RETURN] = "kretprobe",
	};
	struct seq_file *seq = arg;
	char err[16];

	snprintf(err, sizeof(err), "error%d", hook->err);
	seq_printf(seq, "%-22s %-10s %-6s %-9s %12lu %8lu\n", hook->name,
		   hook->by_ftrace ? "ftrace" : types[lw_hook_type(hook)],
		   lw_class_name(hook->class),
		   hook->attached ? "attached" : hook->err == -ENOENT ? "absent" :
		   hook->err == -ECANCELED ? "left-out" : hook->err ? err : "detached",
		   lw_hook_events(hook), lw_hook_missed(hook));
}

static int status_show(struct seq_file *seq, void *unused)
{
	int i;

	mutex_lock(&lw_lock);
	lw_print_head(seq, "status", "whether the other files can be believed");
	seq_puts(seq, "# lost_*, missed_frees_* and MISSED below are 0 when every event was stored\n");
	if (lw_sampled())
		seq_puts(seq, "# unmatched_*: not counted in this mode; *_live: only what was drawn\n");
	else if (lw_watch_turned())
		seq_puts(seq, "# unmatched_*: frees of what is older than the module, or was not drawn\n");
	else
		seq_puts(seq, "# unmatched_*: frees of what is older than the module\n");
	if (!lw_movable)
		seq_puts(seq, "# unmatched_pages: and of movable pages, which are not watched\n");
	seq_printf(seq, "%-24s %s\n", "NAME", "VALUE");
	show_class(seq, "class_slab", LW_SLAB);
	show_class(seq, "class_page", LW_PAGE);
	show_class(seq, "class_buffer", LW_BUFFER);
	seq_printf(seq, "%-24s %s\n", "backend",
		   lw_hooks_backend() == LW_KPROBES ? "kprobes" : "tracepoints");
	seq_printf(seq, "%-24s %s\n", "movable", lw_movable ? "on" : "off");
	seq_printf(seq, "%-24s %s\n", "mode", lw_sampled() ? "sampled" : "exact");
	line(seq, "mode_age", lw_watch_mode_seconds());
	line(seq, "deaf_ms", lw_watch_deaf_ms());
	line(seq, "sample_bytes", lw_rate_bytes(lw_settings.rate));
	if (lw_sampled())
		line(seq, "filter_load_percent", lw_filter_load());
	show_tables(seq);
	for (i = 0; i < LW_NR_STATS; i++)
		line(seq, lw_stat_name(i), lw_stat_read(i));
	show_audit(seq);
	seq_printf(seq, "\n%-22s %-10s %-6s %-9s %12s %8s\n", "HOOK", "TYPE", "CLASS", "STATE",
		   "EVENTS", "MISSED");
	lw_hooks_each(show_hook, seq);
	mutex_unlock(&lw_lock);
	return 0;
}

static int status_open(struct inode *inode, struct file *file)
{
	return single_open(file, status_show, NULL);
}

const struct file_operations lw_status_fops = {
	.owner = THIS_MODULE,
	.open = status_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

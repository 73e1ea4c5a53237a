// SPDX-License-Identifier: GPL-2.0
/* Where the files are, and what start and stop mean. */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <leakwatch/audit.h>
#include <leakwatch/buffers.h>
#include <leakwatch/dir.h>
#include <leakwatch/filter.h>
#include <leakwatch/frame.h>
#include <leakwatch/history.h>
#include <leakwatch/holders.h>
#include <leakwatch/hook.h>
#include <leakwatch/live.h>
#include <leakwatch/mark.h>
#include <leakwatch/pages.h>
#include <leakwatch/report.h>
#include <leakwatch/sample.h>
#include <leakwatch/stats.h>

void lw_forget(void)
{
	lw_live_clear();
	lw_filter_clear();
	lw_pages_clear();
	lw_buffers_clear();
	lw_sites_clear();
	lw_stats_clear();
	lw_hooks_clear();
	lw_audit_clear();
	lw_mark_clear();
	lw_history_clear();
}

int lw_start(void)
{
	int err;

	lw_forget();
	err = lw_hooks_attach();
	if (err)
		return err;
	lw_watch_start();
	lw_holders_find_older();
	return 0;
}

void lw_stop(void)
{
	if (!lw_watch_on())
		return;
	lw_hooks_detach();
	lw_watch_stop();
}

/* In the order that filter.h gives. */
int lw_mode_set(u32 rate)
{
	ktime_t begin = ktime_get();
	int err;

	if (!lw_watch_on()) {
		lw_sample_set(rate);
		return 0;
	}
	lw_hooks_pause();
	lw_filter_open();
	lw_sample_set(rate);
	err = lw_hooks_turn();
	lw_filter_fill();
	err = err ?: lw_hooks_resume();
	lw_watch_turn(DIV_ROUND_UP((u32)ktime_us_delta(ktime_get(), begin), 1000));
	if (err)
		lw_stop();
	return err;
}

int lw_report_init(const char *proc)
{
	struct lw_dir root, dir;
	int err = lw_dir_init(proc, &root);

	if (err)
		return err;
	lw_dir_file("triage", 0400, &root, &lw_triage_fops);
	lw_dir_file("history", 0400, &root, &lw_history_fops);
	lw_dir_file("top", 0400, &root, &lw_top_fops);
	lw_dir_file("meminfo", 0400, &root, &lw_meminfo_fops);
	lw_dir_file("census", 0400, &root, &lw_census_fops);
	lw_dir_file("folded", 0400, &root, &lw_folded_fops);
	lw_dir_file("metrics", 0400, &root, &lw_metrics_fops);
	lw_dir_file("mark", 0600, &root, &lw_mark_fops);
	lw_dir_file("control", 0600, &root, &lw_control_fops);
	lw_dir_file("status", 0400, &root, &lw_status_fops);
	dir = lw_dir_make("slab", &root);
	lw_dir_file("sites", 0400, &dir, &lw_slab_sites_fops);
	lw_dir_file("stacks", 0400, &dir, &lw_slab_stacks_fops);
	lw_dir_file("caches", 0400, &dir, &lw_slab_caches_fops);
	lw_dir_file("live", 0400, &dir, &lw_slab_live_fops);
	dir = lw_dir_make("page", &root);
	lw_dir_file("sites", 0400, &dir, &lw_page_sites_fops);
	lw_dir_file("stacks", 0400, &dir, &lw_page_stacks_fops);
	lw_dir_file("live", 0400, &dir, &lw_page_live_fops);
	lw_dir_file("lost", 0400, &dir, &lw_page_lost_fops);
	dir = lw_dir_make("user", &root);
	lw_dir_file("processes", 0400, &dir, &lw_user_processes_fops);
	dir = lw_dir_make("buffers", &root);
	lw_dir_file("heaps", 0400, &dir, &lw_buffers_heaps_fops);
	lw_dir_file("live", 0400, &dir, &lw_buffers_live_fops);
	lw_dir_file("orphans", 0400, &dir, &lw_buffers_orphans_fops);
	lw_dir_file("holders", 0400, &dir, &lw_buffers_holders_fops);
	lw_dir_file("events", 0400, &dir, &lw_buffers_events_fops);
	lw_dir_file("stacks", 0400, &dir, &lw_buffers_stacks_fops);
	if (!lw_dir_refused())
		return 0;
	pr_err("no files: %u of them cannot be made in %s\n", lw_dir_refused(), lw_dir_path());
	lw_dir_exit();
	return -ENOMEM;
}

void lw_report_exit(void)
{
	lw_dir_exit();
}

LW_OWN_TEXT(lw_text_end)

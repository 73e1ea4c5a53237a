// SPDX-License-Identifier: GPL-2.0
/* Where the files are, and what start and stop mean. */
#include <linux/debugfs.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <leakwatch/audit.h>
#include <leakwatch/buffers.h>
#include <leakwatch/filter.h>
#include <leakwatch/history.h>
#include <leakwatch/holders.h>
#include <leakwatch/hook.h>
#include <leakwatch/live.h>
#include <leakwatch/mark.h>
#include <leakwatch/pages.h>
#include <leakwatch/report.h>
#include <leakwatch/sample.h>
#include <leakwatch/stats.h>

static struct dentry *root;

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
	lw_watch_turn();
	if (err)
		lw_stop();
	return err;
}

/* What the tables say about the kernel's addresses and processes is for root alone. */
static struct dentry *make_dir(const char *name, struct dentry *parent)
{
	struct dentry *dir = debugfs_create_dir(name, parent);

	if (!IS_ERR_OR_NULL(dir))
		d_inode(dir)->i_mode = S_IFDIR | 0700;
	return dir;
}

int lw_report_init(void)
{
	struct dentry *dir;

	root = make_dir("leakwatch", NULL);
	if (IS_ERR_OR_NULL(root))
		return root ? PTR_ERR(root) : -ENOMEM;
	debugfs_create_file("triage", 0400, root, NULL, &lw_triage_fops);
	debugfs_create_file("history", 0400, root, NULL, &lw_history_fops);
	debugfs_create_file("top", 0400, root, NULL, &lw_top_fops);
	debugfs_create_file("meminfo", 0400, root, NULL, &lw_meminfo_fops);
	debugfs_create_file("census", 0400, root, NULL, &lw_census_fops);
	debugfs_create_file("mark", 0600, root, NULL, &lw_mark_fops);
	debugfs_create_file("control", 0600, root, NULL, &lw_control_fops);
	debugfs_create_file("status", 0400, root, NULL, &lw_status_fops);
	dir = make_dir("slab", root);
	debugfs_create_file("sites", 0400, dir, NULL, &lw_slab_sites_fops);
	debugfs_create_file("stacks", 0400, dir, NULL, &lw_slab_stacks_fops);
	debugfs_create_file("caches", 0400, dir, NULL, &lw_slab_caches_fops);
	debugfs_create_file("live", 0400, dir, NULL, &lw_slab_live_fops);
	dir = make_dir("page", root);
	debugfs_create_file("sites", 0400, dir, NULL, &lw_page_sites_fops);
	debugfs_create_file("stacks", 0400, dir, NULL, &lw_page_stacks_fops);
	debugfs_create_file("live", 0400, dir, NULL, &lw_page_live_fops);
	debugfs_create_file("lost", 0400, dir, NULL, &lw_page_lost_fops);
	dir = make_dir("user", root);
	debugfs_create_file("processes", 0400, dir, NULL, &lw_user_processes_fops);
	dir = make_dir("buffers", root);
	debugfs_create_file("heaps", 0400, dir, NULL, &lw_buffers_heaps_fops);
	debugfs_create_file("live", 0400, dir, NULL, &lw_buffers_live_fops);
	debugfs_create_file("orphans", 0400, dir, NULL, &lw_buffers_orphans_fops);
	debugfs_create_file("holders", 0400, dir, NULL, &lw_buffers_holders_fops);
	debugfs_create_file("events", 0400, dir, NULL, &lw_buffers_events_fops);
	debugfs_create_file("stacks", 0400, dir, NULL, &lw_buffers_stacks_fops);
	return 0;
}

void lw_report_exit(void)
{
	debugfs_remove_recursive(root);
}

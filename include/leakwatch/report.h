/* SPDX-License-Identifier: GPL-2.0 */
/*
 * report: the files in /sys/kernel/debug/leakwatch, and the settings that one writes there.
 *
 * Tables are snapshots: taken and ranked when a file is opened, printed row by row as it is read,
 * so a slow reader sees one moment and holds up nobody. All of it runs in process context under
 * lw_lock; nothing here changes what hooks do but the settings in control.
 */
#ifndef LEAKWATCH_REPORT_H
#define LEAKWATCH_REPORT_H

#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <leakwatch/holders.h>
#include <leakwatch/name.h>
#include <leakwatch/row.h>

/* The first words of every file; the number goes up when a column changes its meaning. */
#define LW_FORMAT	"# leakwatch 1 "

/* What tables of who holds what say of those that could not be looked at */
#define LW_SKIPPED	\
	"# %u processes were busy and not looked at: what they hold is missing\n"

#define LW_SAMPLE_RANGE	\
	"a power of two, 4096 to 1073741824 (67108864 with 32 bits): of so many bytes one draw"

/**
 * struct lw_settings - what readers want to see
 * @rate: what sampled mode draws at, or will (sample.h)
 * @rows: how many rows top shows, 0 for all
 * @filter: which sites and buffers: 'c'ache, 'm'odule, 'p'id, 's'ize, 'h'eap, 'b'uffer, 0 for all
 * @text: the name of the cache, module or heap
 * @number: the pid, the size, or the ID of the buffer
 * @buffer_site: the site of that
 * @site: the call site whose paths the stacks show, 0 for all
 */
struct lw_settings {
	u32 rate;
	unsigned int rows;
	char filter;
	char text[32];
	int number;
	u32 buffer_site;
	u32 site;
};

extern struct lw_settings lw_settings;

extern const struct file_operations lw_top_fops, lw_slab_sites_fops, lw_slab_stacks_fops,
	lw_slab_caches_fops, lw_slab_live_fops, lw_page_sites_fops, lw_page_stacks_fops,
	lw_page_live_fops, lw_page_lost_fops, lw_buffers_heaps_fops, lw_buffers_live_fops,
	lw_buffers_orphans_fops, lw_buffers_holders_fops, lw_buffers_events_fops,
	lw_buffers_stacks_fops, lw_meminfo_fops, lw_census_fops, lw_user_processes_fops,
	lw_folded_fops, lw_metrics_fops, lw_mark_fops, lw_control_fops, lw_status_fops,
	lw_triage_fops, lw_history_fops;

/** lw_wanted() - Return: whether the filter lets @site through; a function for lw_rows_get() */
bool lw_wanted(u32 site);

/** lw_print_filter() - print the filter as one writes it: "none", "cache kmalloc-128", ... */
void lw_print_filter(struct seq_file *seq);

/** lw_print_title() - print the first two lines of a file: its name, and how long we watch */
void lw_print_title(struct seq_file *seq, const char *name, const char *about);

/** lw_kind_text() - Return: what stands for @site, which has no frames */
const char *lw_kind_text(u32 site);

/** lw_site_text() - Return: the first frame of @id in words, in @text, or what stands for it */
const char *lw_site_text(u32 id, char text[LW_FRAME_TEXT]);

/** lw_print_limits() - print what is lost or not heard, and the filter: what limits a table */
void lw_print_limits(struct seq_file *seq);

/** lw_print_head() - print the first lines of a table: its name, what it covers, what limits it */
void lw_print_head(struct seq_file *seq, const char *name, const char *about);

/** lw_growth_text() - Return: the growth in KB an hour in @text, "-" where it is not known */
const char *lw_growth_text(const struct lw_judgement *judged, char *text, size_t size);

/** lw_comm_text() - Return: the name of a process in @text, fit for a column */
const char *lw_comm_text(const char *comm, char text[TASK_COMM_LEN]);

/** lw_alive_text() - Return: what became of the process that made a buffer, in a word for prose */
const char *lw_alive_text(enum lw_alive alive);

/**
 * lw_row_shown() - is a row one that top shows?
 * @row: a row by call site
 *
 * Left out are pages that hold objects, which have rows of their own, and what this module
 * allocates in order to print.
 *
 * Return: whether it is.
 */
bool lw_row_shown(const struct lw_row *row);

/** lw_site_cache() - Return: the name of the cache that objects of @site come from */
const char *lw_site_cache(const struct lw_site *site);

/** lw_forget() - forget everything but the numbers of sites; the hooks are detached */
void lw_forget(void);

/** lw_start() - forget what was, attach the hooks, set the mark. Return: 0 or -EOPNOTSUPP */
int lw_start(void);

/**
 * lw_mode_set() - change the mode
 * @rate: what is drawn at from now on, 0 for exact mode
 *
 * While watching, allocations go unheard for the moment that it takes; frees do not, and nothing is
 * forgotten. On an error watching has ended. Return: 0 or an error.
 */
int lw_mode_set(u32 rate);

/** lw_stop() - detach the hooks; the tables stay as they are and can be read */
void lw_stop(void);

/** lw_watch_figures() - have figures, and the places that have no sites, sampled */
void lw_watch_figures(void);

/**
 * lw_memory_bytes() - what the tables take, but for marks
 * @sites: how many sites there are, or would be
 * @histories: how many histories
 *
 * Return: bytes. The tables of objects, frames and buffers are as they are.
 */
unsigned long lw_memory_bytes(unsigned int sites, unsigned int histories);

/** lw_report_init() - make the files, by lw_dir_init(@proc). Return: 0 or an error. */
int lw_report_init(const char *proc);

/** lw_report_exit() - remove the files, and wait for their readers */
void lw_report_exit(void);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dir: the directory in which everything can be read.
 *
 * It is in debugfs. Where there is none, as in Android's user builds, or it may not be used, a
 * parameter names one in /proc instead, with the same files and modes.
 *
 * Locking: process context, at load and unload.
 */
#ifndef LEAKWATCH_DIR_H
#define LEAKWATCH_DIR_H

#include <linux/fs.h>
#include <linux/types.h>

struct dentry;
struct proc_dir_entry;

/**
 * struct lw_dir - a directory
 * @debug: in debugfs, or NULL
 * @proc: in /proc, or NULL
 */
struct lw_dir {
	struct dentry *debug;
	struct proc_dir_entry *proc;
};

/**
 * lw_dir_init() - make the directory
 * @proc: its name in /proc; empty if it is to be in debugfs
 * @root: set to it
 *
 * Return: 0; -EINVAL if @proc is no name for a directory; or, with a line in the log, an error.
 */
int lw_dir_init(const char *proc, struct lw_dir *root);

/** lw_dir_exit() - remove all that is in it, and wait for readers */
void lw_dir_exit(void);

/** lw_dir_make() - Return: a directory @name in @in; what is made in one that failed, fails */
struct lw_dir lw_dir_make(const char *name, const struct lw_dir *in);

/** lw_dir_refused() - Return: how many of these could not be made, files and directories */
unsigned int lw_dir_refused(void);

/** lw_dir_file() - make a file @name in @in, of that mode, with those operations */
void lw_dir_file(const char *name, umode_t mode, const struct lw_dir *in,
		 const struct file_operations *fops);

/** lw_dir_path() - Return: the directory's path, where things are mounted as usual */
const char *lw_dir_path(void);

#endif

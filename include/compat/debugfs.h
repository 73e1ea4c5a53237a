/* SPDX-License-Identifier: GPL-2.0 */
/* Files in debugfs, one of which is read until something happens. */
#ifndef COMPAT_DEBUGFS_H
#define COMPAT_DEBUGFS_H

#include <linux/debugfs.h>
#include <linux/version.h>

/**
 * lw_debugfs_file() - make a file in debugfs
 * @name: its name
 * @mode: its mode
 * @in: its directory
 * @fops: its operations, whose owner is the module: while it is open, nobody removes it
 *
 * From 4.7 to 4.14 who removes any file of debugfs waits until nobody is inside of read() of any
 * other: a driver that forgets a client, until buffers/events has something to tell. That is not so
 * of files that see to their removal themselves. Process context.
 *
 * Return: as debugfs_create_file().
 */
static inline struct dentry *lw_debugfs_file(const char *name, umode_t mode, struct dentry *in,
					     const struct file_operations *fops)
{
#if defined(CONFIG_DEBUG_FS) && LINUX_VERSION_CODE >= KERNEL_VERSION(4, 7, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(4, 15, 0)
	return debugfs_create_file_unsafe(name, mode, in, NULL, fops);
#else
	return debugfs_create_file(name, mode, in, NULL, fops);
#endif
}

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* Files in /proc: the structure of their operations, another one since 5.6, and what they carry. */
#ifndef COMPAT_PROC_H
#define COMPAT_PROC_H

#include <linux/fs.h>
#include <linux/proc_fs.h>

#ifdef LW_HAVE_PROC_OPS
#define lw_proc_ops		proc_ops
#define LW_PROC_OP(op)		proc_##op
#define LW_PROC_SEEK		proc_lseek
#else
#define lw_proc_ops		file_operations
#define LW_PROC_OP(op)		op
#define LW_PROC_SEEK		llseek
#endif

/** lw_proc_data() - Return: what proc_create_data() was given for a file */
static inline void *lw_proc_data(const struct inode *inode)
{
#ifdef LW_HAVE_PDE_DATA
	return pde_data(inode);
#else
	return PDE_DATA(inode);
#endif
}

#endif

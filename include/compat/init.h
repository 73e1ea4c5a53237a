/* SPDX-License-Identifier: GPL-2.0 */
/* When, built into the kernel, it begins. */
#ifndef COMPAT_INIT_H
#define COMPAT_INIT_H

#include <linux/module.h>
#include <linux/version.h>

/*
 * Right after debugfs; but until 5.9 kprobes are not ready then: what was registered before is
 * forgotten when they are (device_initcall until 5.1, subsys_initcall then), and on arm64 nobody
 * takes their breakpoints before arch_initcall.
 */
#if defined(CONFIG_KPROBES) && LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#define lw_initcall(fn)	late_initcall(fn)
#else
#define lw_initcall(fn)	postcore_initcall(fn)
#endif

#endif

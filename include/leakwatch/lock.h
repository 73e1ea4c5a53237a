/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lock: the one lock of everything that is not a hook.
 *
 * lw_lock orders readers of tables, changes of settings, marks, start and stop, and the saving of
 * names when modules go. It is a mutex, taken first: under it are taken the kernel's own locks for
 * kprobes, tracepoints and memory. No hook takes it.
 */
#ifndef LEAKWATCH_LOCK_H
#define LEAKWATCH_LOCK_H

#include <linux/mutex.h>

extern struct mutex lw_lock;

#endif

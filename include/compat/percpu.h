/* SPDX-License-Identifier: GPL-2.0 */
/* Per-CPU counters that anybody adds to, in any context, and that are exact in their sum. */
#ifndef COMPAT_PERCPU_H
#define COMPAT_PERCPU_H

#include <linux/atomic.h>
#include <linux/percpu.h>

/**
 * lw_count_add() - add to a per-CPU counter, an unsigned long
 * @pcp: the counter
 * @nr: how many
 *
 * On x86 that is one instruction. Elsewhere this_cpu_add() also sees to it that the counter is this
 * CPU's until the end, which takes longer than the addition. That does not matter here: whoever is
 * moved meanwhile adds to the CPU's that he came from, atomically.
 */
#ifdef CONFIG_X86
#define lw_count_add(pcp, nr)	this_cpu_add(pcp, nr)
#else
#define lw_count_add(pcp, nr)	atomic_long_add(nr, (atomic_long_t *)raw_cpu_ptr(&(pcp)))
#endif

/** lw_count_inc() - add 1 */
#define lw_count_inc(pcp)	lw_count_add(pcp, 1)

#endif

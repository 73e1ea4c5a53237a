/* SPDX-License-Identifier: GPL-2.0 */
/*
 * process: which process holds how much memory of its own, and by how much that has grown.
 *
 * The kernel's own counters of each address space, by process, not by thread. A process is the same
 * one as before if it has the same number and started at the same time. Those that have been born
 * since a mark are folded by name: what is started again and again is then one row, whose growth
 * is that of the name, less what those of that name had that have gone since.
 *
 * Until 6.1 a thread keeps up to 64 pages of its counters to itself: a figure may be off by that.
 * Two processes that share an address space (vfork) both show it.
 *
 * Locking: each task's alloc_lock in turn, for as long as it takes to read three counters. Process
 * context, reschedules.
 */
#ifndef LEAKWATCH_PROCESS_H
#define LEAKWATCH_PROCESS_H

#include <linux/sched.h>
#include <linux/types.h>

#define LW_PROCESSES_MAX	4096U	/* what one list can hold, 72 bytes each */

/**
 * struct lw_process - a process, or those of one name
 * @pid: its number; 0 for more than one
 * @nr: how many
 * @start: when it started, in ns since boot
 * @comm: its name
 * @anon: KB of anonymous memory,
 * @swap: of what is in swap,
 * @shmem: and of shared memory that it has mapped
 * @grown: KB by which the sum has grown since the mark, by lw_processes_since()
 * @found: used by that
 */
struct lw_process {
	pid_t pid;
	unsigned int nr;
	u64 start;
	char comm[TASK_COMM_LEN];
	s64 anon;
	s64 swap;
	s64 shmem;
	s64 grown;
	bool found;
};

/**
 * struct lw_processes - all of them at one moment
 * @nr: how many rows
 * @left_out: how many there was no room for
 * @process: by their numbers, upward
 */
struct lw_processes {
	unsigned int nr;
	unsigned int left_out;
	struct lw_process process[];
};

/** lw_process_kb() - Return: all that it holds */
static inline s64 lw_process_kb(const struct lw_process *process)
{
	return process->anon + process->swap + process->shmem;
}

/** lw_processes_get() - read them. Return: for lw_processes_put(); NULL if there is no memory */
struct lw_processes *lw_processes_get(void);

/**
 * lw_processes_own_kb() - anonymous memory of all processes, that which is in swap included
 *
 * For a sampler: makes no list. Process context, reschedules. Return: KB.
 */
u64 lw_processes_own_kb(void);

/** lw_processes_put() - give it back; NULL is passed over */
void lw_processes_put(struct lw_processes *processes);

/**
 * lw_processes_since() - work out growth, fold what is new, rank
 * @now: as lw_processes_get() gave it; then ranked: what has grown most first, then the largest
 * @then: the same from the time of the mark
 *
 * Under lw_lock.
 */
void lw_processes_since(struct lw_processes *now, struct lw_processes *then);

#endif

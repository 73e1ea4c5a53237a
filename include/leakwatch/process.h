/* SPDX-License-Identifier: GPL-2.0 */
/*
 * process: which process holds how much memory of its own, and how that grows.
 *
 * By process, not by thread. What a process has for itself are the kernel's own counters of its
 * address space; what it shares are the files in memory (tmpfs, memfd, ashmem, System V) that it
 * has mapped or open, whole, with what of them is in swap: those counters know nothing of that.
 * Who shares a file is charged all of it. Which of its own memory is a Java heap, or a stack, is
 * told by the names of mappings, where the kernel has them.
 *
 * Growth is told in two ways. Since a mark: a process is the same as before if it has the same
 * number and started at the same time. And by histories (history.h): a process that has lived for
 * LW_POINTS_MIN passes has histories of its own; until then it is young, and what is young is added
 * up by name. So what is started again and again is one row of its name, and how a program starts
 * is no growth of it.
 *
 * Until 6.1 a thread keeps up to 64 pages of its counters to itself: a figure may be off by that.
 * Two processes that share an address space (vfork) both show it.
 *
 * A DMA-BUF counts whole with every process that holds it, once each, by however many descriptors
 * and mappings. It is no memory of their own, so it is no part of the sum, nor of growth.
 *
 * Locking: each task's alloc_lock in turn, for as long as it takes to read two counters, and what
 * files.h says. Process context, under lw_lock, reschedules.
 */
#ifndef LEAKWATCH_PROCESS_H
#define LEAKWATCH_PROCESS_H

#include <linux/sched.h>
#include <linux/types.h>
#include <leakwatch/history.h>
#include <leakwatch/holders.h>

#define LW_PROCESSES_MAX	4096U	/* what one list can hold, 136 bytes each */
#define LW_MEMBERS		256U	/* processes and names that have histories, at most */
#define LW_MEMBERS_FROM		128U	/* their whole figures */

/**
 * enum lw_part - where a process has memory; in the order of the places (triage.h)
 * @LW_PART_JAVA: Java heaps
 * @LW_PART_OWN: other anonymous memory, that which is in swap included
 * @LW_PART_SHARED: shared memory
 * @LW_NR_PARTS: how many there are
 */
enum lw_part {
	LW_PART_JAVA,
	LW_PART_OWN,
	LW_PART_SHARED,
	LW_NR_PARTS
};

/**
 * struct lw_process - a process, or those of one name
 * @pid: its number; 0 for more than one
 * @nr: how many
 * @start: when it started, in ns since boot
 * @comm: its name
 * @anon: KB of anonymous memory,
 * @swap: of what of that is in swap,
 * @shmem: and of shared memory
 * @java: of the first two together, what is in Java heaps,
 * @stack: in stacks,
 * @native: and elsewhere in mappings that are no file's
 * @walked: the last three are known, and all that is shared
 * @dmabuf: bytes of the DMA-BUFs that it holds, by lw_processes_hold()
 * @grown: KB by which the sum has grown since the mark, by lw_processes_since()
 * @judged: how the sum grows, by the same
 * @member: that which has its histories; LW_MEMBERS for none
 * @found: used by lw_processes_since()
 */
struct lw_process {
	pid_t pid;
	unsigned int nr;
	u64 start;
	char comm[TASK_COMM_LEN];
	s64 anon;
	s64 swap;
	s64 shmem;
	s64 java;
	s64 stack;
	s64 native;
	bool walked;
	u64 dmabuf;
	s64 grown;
	struct lw_judgement judged;
	unsigned int member;
	bool found;
};

/**
 * struct lw_processes - all of them at one moment
 * @max: how many there is room for
 * @nr: how many rows
 * @left_out: how many there was no room for
 * @skipped: of how many the shared memory is not known, as they were busy
 * @files_left_out: how often a file in memory was met for which there was no room
 * @shmem_swap: KB of shared memory that is in swap
 * @process: by their numbers, upward
 */
struct lw_processes {
	unsigned int max;
	unsigned int nr;
	unsigned int left_out;
	unsigned int skipped;
	unsigned int files_left_out;
	s64 shmem_swap;
	struct lw_process process[];
};

/**
 * struct lw_member - who has histories
 * @used: somebody
 * @seen: at the last pass
 * @pid: a process, or 0: the young ones of a name
 * @nr: how many they were at the last pass
 * @start: when the process started
 * @comm: its name, or theirs
 * @kb: what they have,
 * @was: and each had, on average, one pass before
 */
struct lw_member {
	bool used;
	bool seen;
	pid_t pid;
	unsigned int nr;
	u64 start;
	char comm[TASK_COMM_LEN];
	u64 kb[LW_NR_PARTS];
	u64 was[LW_NR_PARTS];
};

/**
 * struct lw_grower - who grows
 * @member: who
 * @part: where
 * @judged: how
 */
struct lw_grower {
	const struct lw_member *member;
	enum lw_part part;
	struct lw_judgement judged;
};

/** lw_process_kb() - Return: all that it holds */
static inline s64 lw_process_kb(const struct lw_process *process)
{
	return process->anon + process->swap + process->shmem;
}

/** lw_processes_get() - read them. Return: for lw_processes_put(); NULL if there is no memory */
struct lw_processes *lw_processes_get(void);

/**
 * lw_processes_hold() - find which DMA-BUFs each holds
 * @all: as lw_processes_get() gave it
 * @holders: who holds what
 */
void lw_processes_hold(struct lw_processes *all, const struct lw_holders *holders);

/** lw_processes_put() - give it back; NULL is passed over */
void lw_processes_put(struct lw_processes *processes);

/** lw_processes_say() - say what each member has, and all of them together, for a sampler */
void lw_processes_say(void);

/** lw_processes_refused() - Return: how many processes had no member at the last pass */
unsigned int lw_processes_refused(void);

/** lw_member() - Return: a member by number, below LW_MEMBERS; NULL if it is nobody */
const struct lw_member *lw_member(unsigned int nr);

/** lw_member_key() - Return: the key of a history of a member (history.h) */
u32 lw_member_key(const struct lw_member *member, enum lw_part part);

/** lw_members_bytes() - Return: the memory that members take */
unsigned long lw_members_bytes(void);

/**
 * lw_processes_since() - work out growth, fold what is young and new, rank
 * @now: as lw_processes_get() gave it; then ranked: what behaves most like a leak first, then what
 *	has grown most since the mark, then the largest
 * @then: the same from the time of the mark; NULL if there is none
 */
void lw_processes_since(struct lw_processes *now, struct lw_processes *then);

/**
 * struct lw_growers - all that leak or grow
 * @nr: how many
 * @grower: most like a leak first
 */
struct lw_growers {
	unsigned int nr;
	struct lw_grower grower[];
};

/** lw_growers_get() - who leaks or grows? Return: for kvfree(); NULL if there is no memory */
struct lw_growers *lw_growers_get(void);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * holders: who keeps which buffer alive, at one moment.
 *
 * All processes' descriptors and mappings are walked (files.h) and compared with the files of all
 * records.
 * What a file has of references beyond those is the kernel's: of drivers, of descriptors on their
 * way through a socket, of system calls under way. Processes that share a table of descriptors or
 * an address space hold one reference; it is shown with one of them.
 *
 * A walk takes no reference of a buffer. What is released meanwhile is left out at the end, so
 * whatever is shown held what it holds while the walk was under way, but not all at one instant: a
 * buffer that goes from one process to another may be seen with neither, and one whose last holder
 * ends is without holders before it is released. So who finds buffers that nobody holds looks a
 * second time, a moment later, and only what is without holders in both is said to be so.
 *
 * Process context, under lw_lock; sleeps.
 */
#ifndef LEAKWATCH_HOLDERS_H
#define LEAKWATCH_HOLDERS_H

#include <leakwatch/buffers.h>

/**
 * enum lw_alive - whether the process that exported a buffer still runs
 * @LW_ALIVE_UNKNOWN: nobody knows who it was
 * @LW_ALIVE: it does
 * @LW_ALIVE_DEAD: it does not
 * @LW_ALIVE_REUSED: it does not, another process has its pid
 */
enum lw_alive {
	LW_ALIVE_UNKNOWN,
	LW_ALIVE,
	LW_ALIVE_DEAD,
	LW_ALIVE_REUSED,
};

/**
 * struct lw_held - a buffer and what holds it
 * @buffer: the record
 * @at: where it is
 * @alive: whether who exported it still runs
 * @gone: it was released during the walk
 * @fds: how many descriptors,
 * @maps: how many mappings, and
 * @refs: how many references of the kernel's, or clients of ION's, hold it; all 0 if nobody walked
 * @alone: no process was found to hold it, nor client, when it was looked for first
 * @unsure: nor is there one now, but there may be: there was a moment ago, or somebody could not be
 *	looked at, or is just ending
 * @first: the first of its holders; LW_NO_HOLDER if there is none
 */
struct lw_held {
	struct lw_buffer buffer;
	unsigned int at;
	enum lw_alive alive;
	bool gone;
	unsigned int fds;
	unsigned int maps;
	long refs;
	bool alone;
	bool unsure;
	unsigned int first;
};

#define LW_NO_HOLDER	UINT_MAX

/**
 * struct lw_makers - who made the buffers of a site
 * @oldest: the oldest of them; its id is 0 if there is none
 * @alive: whether who made that one still runs
 * @heaps: they are of more than one heap
 * @others: somebody else made some of them
 */
struct lw_makers {
	struct lw_buffer oldest;
	enum lw_alive alive;
	bool heaps;
	bool others;
};

/** lw_makers_get() - find who made the live buffers of @site */
void lw_makers_get(u32 site, struct lw_makers *makers);

/**
 * struct lw_holder - a descriptor or a mapping
 * @from: the descriptor, or where the mapping begins,
 * @to: and ends; 0 for a descriptor
 * @pid: the process,
 * @comm: and its name, which may have anything in it
 * @next: the next holder of the same buffer
 */
struct lw_holder {
	unsigned long from;
	unsigned long to;
	int pid;
	char comm[TASK_COMM_LEN];
	unsigned int next;
};

/**
 * struct lw_holders - a snapshot
 * @walked: processes were looked at; not when watching has stopped
 * @skipped: how many could not be
 * @exiting: how many tasks were just ending
 * @nr: how many buffers
 * @nr_holders: how many holders
 * @held: the buffers, in the order of their numbers
 * @holder: the holders
 */
struct lw_holders {
	bool walked;
	unsigned int skipped;
	unsigned int exiting;
	unsigned int nr;
	unsigned int nr_holders;
	struct lw_held *held;
	struct lw_holder *holder;
};

/**
 * lw_holders_get() - take a snapshot
 * @sure: look again at those that nobody seems to hold, up to 100 ms later: who asks for orphans
 *	wants that
 *
 * Context: process, sleeps.
 *
 * Return: it, or NULL if there is no memory.
 */
struct lw_holders *lw_holders_get(bool sure);

/** lw_holders_put() - free a snapshot */
void lw_holders_put(struct lw_holders *holders);

/** lw_holders_find_older() - make records of the buffers that processes hold and that have none */
void lw_holders_find_older(void);

/** lw_holders_older_skipped() - Return: how many processes that could not look at, all if -1 */
int lw_holders_older_skipped(void);

/**
 * enum lw_reason - why a buffer is an orphan
 * @LW_NO_ORPHAN: it is none
 * @LW_REASON_KERNEL: no process holds it, the kernel does
 * @LW_REASON_DIED: processes hold it, but who exported it is dead
 * @LW_REASON_CLOSED: its file is gone, and it is not
 * @LW_REASON_CLIENT: no client of ION's has it, processes hold it
 */
enum lw_reason {
	LW_NO_ORPHAN,
	LW_REASON_KERNEL,
	LW_REASON_DIED,
	LW_REASON_CLOSED,
	LW_REASON_CLIENT,
};

/** lw_reason() - Return: why @held is an orphan, if it is; that it is one is known after a walk */
enum lw_reason lw_reason(const struct lw_held *held);

/**
 * struct lw_orphans - equal orphans
 * @like: the oldest of them
 * @reason: why they are
 * @count: how many
 */
struct lw_orphans {
	const struct lw_held *like;
	enum lw_reason reason;
	unsigned int count;
};

/**
 * lw_orphans_get() - the orphans of a snapshot, grouped
 * @holders: the snapshot, which shall live longer
 * @nr: how many groups
 *
 * Equal are those of one size, heap, process and reason. Most bytes first.
 *
 * Return: the groups, to be freed by kvfree(), or NULL if there is no memory.
 */
struct lw_orphans *lw_orphans_get(const struct lw_holders *holders, unsigned int *nr);

#endif

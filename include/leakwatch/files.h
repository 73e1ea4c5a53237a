/* SPDX-License-Identifier: GPL-2.0 */
/*
 * files: which process holds which file, by descriptors and mappings.
 *
 * A walk over all processes. Those that share a table of descriptors or an address space are one
 * that holds it. No reference is taken of a file: what it is has to be read while it is seen.
 * A process whose address space is being changed for longer than WAIT_MS is skipped, and counted;
 * so is who is busy when others have been waited for WAIT_ALL_MS, and all the rest if who reads is
 * killed.
 *
 * Process context; takes a task's alloc_lock with its files' lock, and each address space's lock,
 * one at a time and that by trying only.
 */
#ifndef LEAKWATCH_FILES_H
#define LEAKWATCH_FILES_H

#include <linux/fs.h>
#include <linux/mm_types.h>
#include <linux/sched.h>

struct lw_files_owner;

/**
 * struct lw_files - a walk
 * @see: is shown each file of a process, under locks: the descriptor and 0, or from where to where
 *	it is mapped; the process's own after one another
 * @map: is shown each mapping, its address space locked for reading; NULL: not wanted
 * @task: whose it is, and
 * @comm: how its process is called, which may have anything in it; set during the walk
 * @skipped: how many were not looked at; set by the walk, as is
 * @exiting: how many tasks were about to end when it began: what they had may be let go of, and
 *	not yet be closed
 * @owner: the tables of descriptors and address spaces that were walked,
 * @nr_owners: how many, and
 * @waited_ms: how long they were waited for
 */
struct lw_files {
	void (*see)(struct lw_files *walk, struct file *file, unsigned long from, unsigned long to);
	void (*map)(struct lw_files *walk, struct vm_area_struct *vma);
	struct task_struct *task;
	const char *comm;
	unsigned int skipped;
	unsigned int exiting;
	struct lw_files_owner *owner;
	unsigned int nr_owners;
	unsigned int waited_ms;
};

/** lw_files_walk() - make a walk. Return: 0 or -ENOMEM. */
int lw_files_walk(struct lw_files *walk);

#endif

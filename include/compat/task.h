/* SPDX-License-Identifier: GPL-2.0 */
/* What is looked up in a process: when it started, and its mappings. */
#ifndef COMPAT_TASK_H
#define COMPAT_TASK_H

#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 11, 0)
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#endif

/** lw_task_start() - Return: when @task was started, in ns; tells it from others with its pid */
static inline u64 lw_task_start(const struct task_struct *task)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(3, 17, 0)
	return task->start_time;
#else
	return timespec_to_ns(&task->start_time);
#endif
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 8, 0)
#define mmap_read_trylock(mm)	down_read_trylock(&(mm)->mmap_sem)
#define mmap_read_unlock(mm)	up_read(&(mm)->mmap_sem)
#endif

/**
 * lw_each_vma() - call @see for each mapping of @mm
 * @mm: the mappings, locked for reading
 * @see: what to call
 * @arg: its second argument
 */
static inline void lw_each_vma(struct mm_struct *mm,
			       void (*see)(struct vm_area_struct *vma, void *arg), void *arg)
{
	struct vm_area_struct *vma;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)
	VMA_ITERATOR(iterator, mm, 0);

	for_each_vma(iterator, vma)
		see(vma, arg);
#else

	for (vma = mm->mmap; vma; vma = vma->vm_next)
		see(vma, arg);
#endif
}

#endif

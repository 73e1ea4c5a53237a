/* SPDX-License-Identifier: GPL-2.0 */
/* Walking all tasks, as a module may; when they started, their stacks and mappings. */
#ifndef COMPAT_TASK_H
#define COMPAT_TASK_H

#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/version.h>
#include <linux/vmalloc.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <compat/access.h>

/*
 * lw_pid_next() - the number in use that is next, from @nr on
 *
 * Under rcu_read_lock(). Return: it, or NULL if there is none; @nr is set to it.
 */
static inline struct pid *lw_pid_next(int *nr)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 15, 0)
	return idr_get_next(&init_pid_ns.idr, nr);
#else
	unsigned long map = *nr / BITS_PER_PAGE, bit = *nr % BITS_PER_PAGE;
	struct pid *pid;
	void *page;

	for (; map < PIDMAP_ENTRIES; map++, bit = 0) {
		page = READ_ONCE(init_pid_ns.pidmap[map].page);
		if (!page)
			continue;
		for (; (bit = find_next_bit(page, BITS_PER_PAGE, bit)) < BITS_PER_PAGE; bit++) {
			*nr = map * BITS_PER_PAGE + bit;
			pid = find_pid_ns(*nr, &init_pid_ns);
			if (pid)
				return pid;
		}
	}
	return NULL;
#endif
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 19, 0)
#define PIDTYPE_TGID	PIDTYPE_MAX	/* a process is what leads its threads */
#endif

static inline struct task_struct *lw_pid_task(struct pid *pid, enum pid_type type)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 19, 0)
	struct task_struct *task = pid_task(pid, PIDTYPE_PID);

	return task && type == PIDTYPE_TGID && !thread_group_leader(task) ? NULL : task;
#else
	return pid_task(pid, type);
#endif
}

/**
 * lw_task_next() - the task with the next number
 * @nr: the number to begin at; set to that of the task
 * @type: PIDTYPE_PID for every thread, PIDTYPE_TGID for every process
 *
 * Return: the task, to be given back by put_task_struct(); NULL if there is none.
 */
static inline struct task_struct *lw_task_next(int *nr, enum pid_type type)
{
	struct task_struct *task = NULL;
	struct pid *pid;

	rcu_read_lock();
	for (; (pid = lw_pid_next(nr)); ++*nr) {
		task = lw_pid_task(pid, type);
		if (task) {
			get_task_struct(task);
			break;
		}
	}
	rcu_read_unlock();
	return task;
}

#define LW_STACK_PAGES	DIV_ROUND_UP(THREAD_SIZE, PAGE_SIZE)

/**
 * lw_stack_pages() - the pages of a task's kernel stack
 * @task: the task, of which the caller has a reference
 * @pages: set to them
 *
 * A stack may go while one looks: put_task_stack() is not exported. So all is read as what may not
 * be there, in an RCU section, which since 5.17 a stack outlives. Process context.
 * Return: how many; 0 if it has gone.
 */
static inline unsigned int lw_stack_pages(struct task_struct *task,
					  struct page *pages[LW_STACK_PAGES])
{
	unsigned int nr = 0;
#ifdef CONFIG_VMAP_STACK
	struct page **from;
	struct vm_struct *area;

	rcu_read_lock();
	area = READ_ONCE(task->stack_vm_area);
	if (area && !lw_read_kernel(&from, &area->pages, sizeof(from)) && from &&
	    !lw_read_kernel(pages, from, LW_STACK_PAGES * sizeof(*pages)))
		nr = LW_STACK_PAGES;
	rcu_read_unlock();
#else
	void *stack = READ_ONCE(task->stack);

	for (; stack && nr < LW_STACK_PAGES; nr++)
		pages[nr] = virt_to_page(stack + nr * PAGE_SIZE);
#endif
	return nr;
}

/** lw_mm_counter() - Return: a counter of an address space, exact where the kernel can be */
static inline unsigned long lw_mm_counter(struct mm_struct *mm, int member)
{
#ifdef LW_HAVE_MM_COUNTER_SUM
	return get_mm_counter_sum(mm, member);
#else
	return get_mm_counter(mm, member);
#endif
}

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

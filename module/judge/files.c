// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <compat/task.h>
#include <leakwatch/files.h>

#define WAIT_MS		20	/* for an address space that is being changed */

static int see_fd(const void *arg, struct file *file, unsigned int fd)
{
	struct lw_files *walk = (struct lw_files *)arg;

	walk->see(walk, file, fd, 0);
	return 0;
}

static void see_vma(struct vm_area_struct *vma, void *arg)
{
	struct lw_files *walk = arg;

	if (vma->vm_file)
		walk->see(walk, vma->vm_file, vma->vm_start, vma->vm_end);
	if (walk->map)
		walk->map(walk, vma);
}

/* Processes may share them; each is walked once. */
static bool is_new(struct lw_files *walk, const void *owner)
{
	unsigned int i;

	for (i = 0; i < walk->nr_owners; i++)
		if (walk->owner[i] == owner)
			return false;
	walk->owner[walk->nr_owners++] = owner;
	return true;
}

static void walk_fds(struct lw_files *walk, struct task_struct *task)
{
	task_lock(task);	/* keeps its files */
	if (task->files && is_new(walk, task->files))
		iterate_fd(task->files, 0, see_fd, walk);
	task_unlock(task);
}

static void walk_maps(struct lw_files *walk, struct task_struct *task)
{
	struct mm_struct *mm = get_task_mm(task);
	int ms;

	if (!mm)
		return;
	if (!is_new(walk, mm))
		goto out;
	for (ms = 0; !mmap_read_trylock(mm); ms++) {
		if (ms == WAIT_MS) {
			walk->skipped++;
			goto out;
		}
		usleep_range(1000, 2000);
	}
	lw_each_vma(mm, see_vma, walk);
	mmap_read_unlock(mm);
out:
	mmput(mm);
}

/* A thread may have files of its own; once the first has ended, only the others have any. */
static bool is_walked(struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;

	return !(task->flags & PF_KTHREAD) &&
	       (task == leader || READ_ONCE(task->files) != READ_ONCE(leader->files));
}

/* References of tasks, as a walk cannot be under RCU; those that come while it is made are lost. */
static struct task_struct **tasks_get(struct lw_files *walk, unsigned int *nr)
{
	struct task_struct *process, *task, **tasks;
	unsigned int max = 64;

	rcu_read_lock();
	for_each_process(process)
		for_each_thread(process, task)
			max += is_walked(task);
	rcu_read_unlock();
	*nr = 0;
	max += max / 4;
	tasks = kvmalloc_array(max, sizeof(*tasks), GFP_KERNEL);
	if (!tasks)
		return NULL;
	rcu_read_lock();
	for_each_process(process)
		for_each_thread(process, task) {
			if (!is_walked(task))
				continue;
			if (*nr < max) {
				get_task_struct(task);
				tasks[(*nr)++] = task;
			} else {
				walk->skipped++;
			}
		}
	rcu_read_unlock();
	return tasks;
}

int lw_files_walk(struct lw_files *walk)
{
	struct task_struct **tasks;
	unsigned int i, nr;

	walk->skipped = 0;
	tasks = tasks_get(walk, &nr);
	if (!tasks)
		return -ENOMEM;
	walk->nr_owners = 0;
	walk->owner = kvmalloc_array(2 * nr + 1, sizeof(*walk->owner), GFP_KERNEL);
	for (i = 0; i < nr; i++) {
		walk->task = tasks[i];
		if (walk->owner) {
			walk_fds(walk, tasks[i]);
			walk_maps(walk, tasks[i]);
		}
		put_task_struct(tasks[i]);
		cond_resched();
	}
	kvfree(tasks);
	kvfree(walk->owner);
	return walk->owner ? 0 : -ENOMEM;
}

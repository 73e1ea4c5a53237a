// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <compat/task.h>
#include <leakwatch/files.h>

#define WAIT_MS		20	/* for an address space that is being changed, */
#define WAIT_ALL_MS	100	/* and for all of them */

/* Who was listed, with a reference. */
struct listed {
	struct task_struct *task;
	char comm[TASK_COMM_LEN];
};

/* What was walked, and for whom. */
struct lw_files_owner {
	const void *is;
	struct task_struct *task;
};

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

static bool still_has(const struct lw_files_owner *owner)
{
	const struct task_struct *task = owner->task;

	return READ_ONCE(task->files) == owner->is || READ_ONCE(task->mm) == owner->is;
}

/*
 * Processes may share them; each is walked once. Nothing keeps one whose process has ended: what is
 * at its address then is another's.
 */
static bool is_new(struct lw_files *walk, const void *is)
{
	unsigned int i;

	for (i = 0; i < walk->nr_owners; i++)
		if (walk->owner[i].is == is && still_has(&walk->owner[i]))
			return false;
	walk->owner[walk->nr_owners++] = (struct lw_files_owner){ is, walk->task };
	return true;
}

static void walk_fds(struct lw_files *walk)
{
	struct task_struct *task = walk->task;

	task_lock(task);	/* keeps its files */
	if (task->files && is_new(walk, task->files))
		iterate_fd(task->files, 0, see_fd, walk);
	task_unlock(task);
}

static void walk_maps(struct lw_files *walk)
{
	struct mm_struct *mm = get_task_mm(walk->task);
	int ms;

	if (!mm)
		return;
	if (!is_new(walk, mm))
		goto out;
	for (ms = 0; !mmap_read_trylock(mm); ms++) {
		if (ms == WAIT_MS || walk->waited_ms == WAIT_ALL_MS) {
			walk->skipped++;
			goto out;
		}
		usleep_range(1000, 2000);
		walk->waited_ms++;
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

/* It gives up what it has, or has done so: what nobody else has is closed one after the other. */
static bool is_exiting(struct task_struct *task)
{
	return READ_ONCE(task->flags) & PF_EXITING && !READ_ONCE(task->exit_state);
}

/*
 * References of tasks, as a walk cannot be under RCU; those that come while it is made are lost.
 * What leads a task may be gone when the task is looked at, so its name is copied now.
 */
static struct listed *list_get(struct lw_files *walk, unsigned int *nr)
{
	struct task_struct *process, *task;
	unsigned int max = 64;
	struct listed *list;

	rcu_read_lock();
	for_each_process(process)
		for_each_thread(process, task)
			max += is_walked(task);
	rcu_read_unlock();
	*nr = 0;
	max += max / 4;
	list = kvmalloc_array(max, sizeof(*list), GFP_KERNEL);
	if (!list)
		return NULL;
	rcu_read_lock();
	for_each_process(process)
		for_each_thread(process, task) {
			walk->exiting += is_exiting(task);
			if (!is_walked(task))
				continue;
			if (*nr == max) {
				walk->skipped++;
				continue;
			}
			get_task_struct(task);
			list[*nr].task = task;
			memcpy(list[*nr].comm, process->comm, TASK_COMM_LEN);
			++*nr;
		}
	rcu_read_unlock();
	return list;
}

static void list_put(struct listed *list, unsigned int nr)
{
	while (nr--)
		put_task_struct(list[nr].task);
	kvfree(list);
}

int lw_files_walk(struct lw_files *walk)
{
	struct listed *list;
	unsigned int i, nr;

	walk->skipped = 0;
	walk->exiting = 0;
	walk->waited_ms = 0;
	walk->nr_owners = 0;
	list = list_get(walk, &nr);
	if (!list)
		return -ENOMEM;
	walk->owner = kvmalloc_array(2 * nr + 1, sizeof(*walk->owner), GFP_KERNEL);
	if (!walk->owner) {
		list_put(list, nr);
		return -ENOMEM;
	}
	for (i = 0; i < nr; i++) {
		if (fatal_signal_pending(current)) {
			walk->skipped += nr - i;
			break;
		}
		walk->task = list[i].task;
		walk->comm = list[i].comm;
		walk_fds(walk);
		walk_maps(walk);
		cond_resched();
	}
	kvfree(walk->owner);
	list_put(list, nr);
	return 0;
}

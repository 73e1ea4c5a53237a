// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <compat/task.h>
#include <leakwatch/process.h>
#include <leakwatch/rank.h>

static s64 counter_kb(struct mm_struct *mm, int member)
{
	return (s64)lw_mm_counter(mm, member) * (PAGE_SIZE / 1024);
}

/* Any thread may be the last that has the address space. Return: whether one has. */
static bool read_counters(struct task_struct *leader, struct lw_process *process)
{
	struct task_struct *task;
	bool found = false;

	rcu_read_lock();
	for_each_thread(leader, task) {
		task_lock(task);
		if (task->mm && !(task->flags & PF_KTHREAD)) {
			process->anon = counter_kb(task->mm, MM_ANONPAGES);
			process->swap = counter_kb(task->mm, MM_SWAPENTS);
			process->shmem = counter_kb(task->mm, LW_SHMEM_PAGES);
			found = true;
		}
		task_unlock(task);
		if (found)
			break;
	}
	rcu_read_unlock();
	return found;
}

static void add(struct lw_processes *all, struct task_struct *task)
{
	struct lw_process process = { .pid = task->tgid, .nr = 1, .start = lw_task_start(task) };

	if (!read_counters(task, &process))
		return;
	if (all->nr == LW_PROCESSES_MAX) {
		all->left_out++;
		return;
	}
	strscpy(process.comm, task->comm, sizeof(process.comm));
	all->process[all->nr++] = process;
}

struct lw_processes *lw_processes_get(void)
{
	struct lw_processes *all;
	struct task_struct *task;
	int id;

	all = kvmalloc(struct_size(all, process, LW_PROCESSES_MAX), GFP_KERNEL);
	if (!all)
		return NULL;
	all->nr = 0;
	all->left_out = 0;
	for (id = 1; (task = lw_task_next(&id, PIDTYPE_TGID)); id++) {
		add(all, task);
		put_task_struct(task);
		cond_resched();
	}
	return all;
}

u64 lw_processes_own_kb(void)
{
	struct lw_process process = {};
	struct task_struct *task;
	u64 kb = 0;
	int id;

	for (id = 1; (task = lw_task_next(&id, PIDTYPE_TGID)); id++) {
		if (read_counters(task, &process))
			kb += process.anon + process.swap;
		put_task_struct(task);
		cond_resched();
	}
	return kb;
}

void lw_processes_put(struct lw_processes *all)
{
	kvfree(all);
}

/* Both lists are in the order of numbers. */
static void match(struct lw_processes *now, struct lw_processes *then)
{
	struct lw_process *one = now->process, *two = then->process;
	struct lw_process *end_one = one + now->nr, *end_two = two + then->nr;

	for (; one < end_one; one++)
		one->found = false;
	for (; two < end_two; two++)
		two->found = false;
	for (one = now->process, two = then->process; one < end_one && two < end_two;) {
		if (one->pid < two->pid) {
			one++;
		} else if (one->pid > two->pid) {
			two++;
		} else {
			one->found = one->start == two->start;
			two->found = one->found;
			if (one->found)
				one->grown = lw_process_kb(one) - lw_process_kb(two);
			one++;
			two++;
		}
	}
}

/* What those had that were of this name and have gone. */
static s64 gone_kb(const struct lw_processes *then, const char *comm)
{
	s64 kb = 0;
	unsigned int i;

	for (i = 0; i < then->nr; i++)
		if (!then->process[i].found && !strcmp(then->process[i].comm, comm))
			kb += lw_process_kb(&then->process[i]);
	return kb;
}

static struct lw_process *find_new(struct lw_process *from, struct lw_process *end,
				   const char *comm)
{
	for (; from < end; from++)
		if (!from->found && !strcmp(from->comm, comm))
			return from;
	return NULL;
}

/* Those that are new, by name: into the first of each. */
static void fold(struct lw_processes *now, const struct lw_processes *then)
{
	struct lw_process *at, *first, *to = now->process, *end = now->process + now->nr;

	for (at = now->process; at < end; at++) {
		first = at->found ? NULL : find_new(now->process, to, at->comm);
		if (first) {
			first->pid = 0;
			first->nr++;
			first->anon += at->anon;
			first->swap += at->swap;
			first->shmem += at->shmem;
			first->grown += lw_process_kb(at);
			continue;
		}
		*to = *at;
		if (!to->found)
			to->grown = lw_process_kb(to) - gone_kb(then, to->comm);
		to++;
		cond_resched();
	}
	now->nr = to - now->process;
}

static int compare(const void *a, const void *b)
{
	const struct lw_process *one = a, *two = b;

	return lw_rank_bytes(one->grown, lw_process_kb(one), two->grown, lw_process_kb(two)) ?:
	       (one->pid > two->pid) - (one->pid < two->pid);
}

void lw_processes_since(struct lw_processes *now, struct lw_processes *then)
{
	match(now, then);
	fold(now, then);
	sort(now->process, now->nr, sizeof(*now->process), compare, NULL);
}

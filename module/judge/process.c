// SPDX-License-Identifier: GPL-2.0
#include <linux/bsearch.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <compat/mapping.h>
#include <compat/task.h>
#include <compat/vmstat.h>
#include <leakwatch/files.h>
#include <leakwatch/process.h>
#include <leakwatch/rank.h>
#include <leakwatch/triage.h>

static_assert(LW_PLACE_USER_JAVA + LW_PART_OWN == (int)LW_PLACE_USER_NATIVE);
static_assert(LW_PLACE_USER_JAVA + LW_PART_SHARED == (int)LW_PLACE_USER_SHMEM);
static_assert(LW_MEMBERS_FROM + LW_MEMBERS * LW_NR_PARTS <= LW_WHOLES);

/* A file in memory: who saw it last, so that none is counted twice. */
struct shared {
	const struct inode *inode;
	pid_t pid;
};

#define SHARED_SLOTS	32768U	/* a power of two */
#define SHARED_MAX	(SHARED_SLOTS / 4 * 3)

struct walk {
	struct lw_files files;
	struct lw_processes *all;
	struct lw_process *at;		/* whose file was seen last */
	struct shared *shared;
	unsigned int nr_shared;
};

static struct lw_member members[LW_MEMBERS];
static unsigned int refused;

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
	struct lw_process process = {
		.pid = task->tgid, .nr = 1, .start = lw_task_start(task), .member = LW_MEMBERS,
	};

	if (!read_counters(task, &process))
		return;
	if (all->nr == all->max) {
		all->left_out++;
		return;
	}
	strscpy(process.comm, task->comm, sizeof(process.comm));
	all->process[all->nr++] = process;
}

static int compare_pids(const void *a, const void *b)
{
	const struct lw_process *one = a, *two = b;

	return (one->pid > two->pid) - (one->pid < two->pid);
}

static struct lw_process *process_of(struct walk *walk, struct task_struct *task)
{
	const struct lw_process key = { .pid = task->tgid };

	if (!walk->at || walk->at->pid != key.pid)
		walk->at = bsearch(&key, walk->all->process, walk->all->nr, sizeof(key),
				   compare_pids);
	return walk->at;
}

/* Return: the place of @inode, or a free one; there always is one. */
static struct shared *find_shared(struct walk *walk, const struct inode *inode)
{
	u32 at = hash_ptr(inode, 32);

	for (;; at++) {
		struct shared *shared = &walk->shared[at % SHARED_SLOTS];

		if (!shared->inode || shared->inode == inode)
			return shared;
	}
}

/* A file's blocks are those of its pages, in memory and in swap. */
static void see_file(struct lw_files *files, struct file *file, unsigned long from,
		     unsigned long to)
{
	struct walk *walk = container_of(files, struct walk, files);
	const struct inode *inode = file_inode(file);
	struct lw_process *process;
	struct shared *shared;
	s64 kb;

	if (inode->i_sb->s_magic != TMPFS_MAGIC || !S_ISREG(inode->i_mode))
		return;
	process = process_of(walk, files->task);
	if (!process)
		return;
	shared = find_shared(walk, inode);
	if (shared->inode && shared->pid == process->pid)
		return;
	if (!shared->inode && walk->nr_shared == SHARED_MAX) {
		walk->all->files_left_out++;
		return;
	}
	walk->nr_shared += !shared->inode;
	kb = READ_ONCE(inode->i_blocks) / 2;
	if (!shared->inode)
		walk->all->shmem_swap += max(kb - (s64)READ_ONCE(inode->i_mapping->nrpages) *
					     (s64)(PAGE_SIZE / 1024), 0LL);
	process->shmem += kb;
	*shared = (struct shared){ inode, process->pid };
}

static bool begins(const char *name, const char *with)
{
	return name && !strncmp(name, with, strlen(with));
}

/* Names as Android's run time gives them: of mappings, and earlier of files of ashmem. */
static s64 *kind_of(struct lw_process *process, const struct vm_area_struct *vma)
{
	const char *name = lw_vma_name(vma);

	if (begins(name, "dalvik-") || begins(name, "dev/ashmem/dalvik-"))
		return &process->java;
	if (vma->vm_file)
		return NULL;
	if (begins(name, "stack_and_tls") ||
	    (vma->vm_start <= vma->vm_mm->start_stack && vma->vm_mm->start_stack < vma->vm_end))
		return &process->stack;
	return &process->native;
}

static void see_map(struct lw_files *files, struct vm_area_struct *vma)
{
	struct walk *walk = container_of(files, struct walk, files);
	struct lw_process *process = process_of(walk, files->task);
	s64 *kb;

	if (!process)
		return;
	process->walked = true;
	rcu_read_lock();		/* a name may be another's, and go */
	kb = kind_of(process, vma);
	rcu_read_unlock();
	if (kb)
		*kb += lw_vma_own_pages(vma) * (PAGE_SIZE / 1024);
}

static int add_files(struct lw_processes *all)
{
	struct walk walk = { .files.see = see_file, .files.map = see_map, .all = all };
	int err;

	walk.shared = kvcalloc(SHARED_SLOTS, sizeof(*walk.shared), GFP_KERNEL);
	err = walk.shared ? lw_files_walk(&walk.files) : -ENOMEM;
	kvfree(walk.shared);
	all->skipped = walk.files.skipped;
	return err;
}

struct lw_processes *lw_processes_get(void)
{
	struct lw_processes *all;
	struct task_struct *task;
	unsigned int max = 16;
	int id;

	rcu_read_lock();
	for_each_process(task)
		max++;
	rcu_read_unlock();
	max = min(max + max / 4, LW_PROCESSES_MAX);
	all = kvzalloc(struct_size(all, process, max), GFP_KERNEL);
	if (!all)
		return NULL;
	all->max = max;
	for (id = 1; (task = lw_task_next(&id, PIDTYPE_TGID)); id++) {
		add(all, task);
		put_task_struct(task);
		cond_resched();
	}
	if (!add_files(all))
		return all;
	lw_processes_put(all);
	return NULL;
}

/* A process's holders of one buffer follow one another. */
static void hold(struct lw_processes *all, const struct lw_holders *holders,
		 const struct lw_held *held)
{
	const struct lw_holder *holder;
	struct lw_process key = {}, *process;
	unsigned int i;

	for (i = held->first; i != LW_NO_HOLDER; i = holder->next) {
		holder = &holders->holder[i];
		if (holder->pid == key.pid)
			continue;
		key.pid = holder->pid;
		process = bsearch(&key, all->process, all->nr, sizeof(key), compare_pids);
		if (process)
			process->dmabuf += held->buffer.is.bytes;
	}
}

void lw_processes_hold(struct lw_processes *all, const struct lw_holders *holders)
{
	unsigned int i;

	for (i = 0; i < holders->nr; i++)
		if (!holders->held[i].gone)
			hold(all, holders, &holders->held[i]);
}

void lw_processes_put(struct lw_processes *all)
{
	kvfree(all);
}

/* Members */

static unsigned int whole_of(const struct lw_member *member, enum lw_part part)
{
	return LW_MEMBERS_FROM + LW_NR_PARTS * (member - members) + part;
}

static bool is_young(const struct lw_process *process)
{
	return ktime_get_ns() - process->start < (u64)LW_POINTS_MIN * lw_interval * NSEC_PER_SEC;
}

/* A process by number and start, or by number 0 the young of a name. */
static struct lw_member *find_member(pid_t pid, u64 start, const char *comm)
{
	struct lw_member *member;

	for (member = members; member < members + LW_MEMBERS; member++)
		if (member->used && member->pid == pid &&
		    (pid ? member->start == start : !strcmp(member->comm, comm)))
			return member;
	return NULL;
}

static struct lw_member *make_member(pid_t pid, u64 start, const char *comm)
{
	struct lw_member *member = find_member(pid, start, comm);

	if (member)
		return member;
	for (member = members; member < members + LW_MEMBERS; member++)
		if (!member->used) {
			*member = (struct lw_member){ .used = true, .pid = pid, .start = start };
			return member;
		}
	return NULL;
}

static void members_begin(void)
{
	struct lw_member *member;
	enum lw_part part;

	for (member = members; member < members + LW_MEMBERS; member++) {
		for (part = 0; part < LW_NR_PARTS; part++)
			member->was[part] = div_u64(member->kb[part], max(member->nr, 1U));
		member->seen = false;
		member->nr = 0;
		memset(member->kb, 0, sizeof(member->kb));
	}
	refused = 0;
}

static void add_to_member(const struct lw_process *process)
{
	struct lw_member *member = NULL;
	s64 java;

	if (!is_young(process))
		member = make_member(process->pid, process->start, process->comm);
	if (!member)
		member = make_member(0, 0, process->comm);
	if (!member) {
		refused++;
		return;
	}
	strscpy(member->comm, process->comm, sizeof(member->comm));
	member->seen = true;
	member->nr++;
	/* not walked: as it was */
	java = process->walked ? process->java : member->was[LW_PART_JAVA];
	member->kb[LW_PART_JAVA] += java;
	member->kb[LW_PART_OWN] += max(process->anon + process->swap - java, 0LL);
	member->kb[LW_PART_SHARED] += process->walked ? process->shmem :
							member->was[LW_PART_SHARED];
}

/* Who was not seen is free from the next pass on: its histories go in this one. */
static void say_members(void)
{
	struct lw_member *member;
	enum lw_part part;

	for (member = members; member < members + LW_MEMBERS; member++) {
		member->used = member->seen;
		for (part = 0; member->used && part < LW_NR_PARTS; part++)
			if (member->kb[part])
				lw_history_say(whole_of(member, part), member->kb[part]);
	}
}

/* There is no memory to look: that is no reason to forget what was seen for a week. */
static void say_again(void)
{
	const struct lw_member *member;
	enum lw_part part;

	for (member = members; member < members + LW_MEMBERS; member++)
		for (part = 0; member->used && part < LW_NR_PARTS; part++)
			lw_history_say_again(whole_of(member, part));
	lw_history_say_again(LW_PLACE_USER_JAVA);
	lw_history_say_again(LW_PLACE_USER_NATIVE);
	lw_history_say_again(LW_PLACE_USER_SHMEM);
}

void lw_processes_say(void)
{
	struct lw_processes *all = lw_processes_get();
	s64 own = 0, java = 0, shmem = global_node_page_state(NR_SHMEM) * (PAGE_SIZE / 1024);
	unsigned int i;

	if (!all) {
		say_again();
		return;
	}
	members_begin();
	for (i = 0; i < all->nr; i++) {
		own += all->process[i].anon + all->process[i].swap - all->process[i].java;
		java += all->process[i].java;
		add_to_member(&all->process[i]);
	}
	say_members();
	if (java)
		lw_history_say(LW_PLACE_USER_JAVA, java);
	lw_history_say(LW_PLACE_USER_NATIVE, max(own, 0LL));
	lw_history_say(LW_PLACE_USER_SHMEM, shmem + all->shmem_swap);
	lw_processes_put(all);
}

unsigned int lw_processes_refused(void)
{
	return refused;
}

unsigned long lw_members_bytes(void)
{
	return sizeof(members);
}

const struct lw_member *lw_member(unsigned int nr)
{
	return members[nr].used ? &members[nr] : NULL;
}

u32 lw_member_key(const struct lw_member *member, enum lw_part part)
{
	return lw_history_whole(whole_of(member, part));
}

static void judge_part(const struct lw_member *member, enum lw_part part,
		       struct lw_judgement *judged)
{
	lw_history_judge(lw_member_key(member, part), 1024, LW_OLD_UNKNOWN, judged);
}

static int compare_growers(const void *a, const void *b)
{
	const struct lw_grower *one = a, *two = b;

	return lw_judgement_order(&one->judged, &two->judged);
}

struct lw_growers *lw_growers_get(void)
{
	struct lw_growers *all = kvmalloc(struct_size(all, grower, LW_MEMBERS * LW_NR_PARTS),
					  GFP_KERNEL);
	const struct lw_member *member;
	struct lw_grower *grower;
	enum lw_part part;

	if (!all)
		return NULL;
	all->nr = 0;
	for (member = members; member < members + LW_MEMBERS; member++)
		for (part = 0; member->used && part < LW_NR_PARTS; part++) {
			grower = &all->grower[all->nr];
			*grower = (struct lw_grower){ .member = member, .part = part };
			judge_part(member, part, &grower->judged);
			all->nr += grower->judged.verdict >= LW_GROWING;
			cond_resched();
		}
	sort(all->grower, all->nr, sizeof(*grower), compare_growers, NULL);
	return all;
}

/* The sum of its heaps, or of those of its name: it is as bad as the worst of them. */
static void judge(struct lw_process *process)
{
	struct lw_judgement part_judged;
	const struct lw_member *member;
	enum lw_part part;

	member = find_member(process->pid, process->start, process->comm);
	if (!member && !process->found)
		member = find_member(0, 0, process->comm);
	process->judged = (struct lw_judgement){ .verdict = LW_UNKNOWN };
	process->member = member ? member - members : LW_MEMBERS;
	for (part = 0; member && part < LW_NR_PARTS; part++) {
		judge_part(member, part, &part_judged);
		if (part_judged.verdict == LW_UNKNOWN)
			continue;
		process->judged.growth += part_judged.growth;
		if (part_judged.verdict > process->judged.verdict) {
			process->judged.verdict = part_judged.verdict;
			process->judged.confidence = part_judged.confidence;
		}
	}
}

/* What is shared is not known of one that was busy. */
static s64 grown(const struct lw_process *now, const struct lw_process *then)
{
	s64 shared = now->walked && then->walked ? now->shmem - then->shmem : 0;

	return now->anon + now->swap - then->anon - then->swap + shared;
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
				one->grown = grown(one, two);
			one++;
			two++;
		}
	}
}

/* What those had that were of this name and have gone; it is told once. */
static s64 gone_kb(struct lw_processes *then, const char *comm)
{
	s64 kb = 0;
	unsigned int i;

	for (i = 0; then && i < then->nr; i++)
		if (!then->process[i].found && !strcmp(then->process[i].comm, comm)) {
			kb += lw_process_kb(&then->process[i]);
			then->process[i].found = true;
		}
	return kb;
}

/* Is it one of many that come and go, for all that is known? */
static bool is_new(const struct lw_process *process)
{
	return !process->found &&
	       (process->member == LW_MEMBERS || !members[process->member].pid);
}

static struct lw_process *find_new(struct lw_process *from, struct lw_process *end,
				   const char *comm)
{
	for (; from < end; from++)
		if (is_new(from) && !strcmp(from->comm, comm))
			return from;
	return NULL;
}

/* Those that are new, by name: into the first of each. */
static void fold(struct lw_processes *now, struct lw_processes *then)
{
	struct lw_process *at, *first, *to = now->process, *end = now->process + now->nr;

	for (at = now->process; at < end; at++) {
		first = is_new(at) ? find_new(now->process, to, at->comm) : NULL;
		if (first) {
			first->pid = 0;
			first->nr++;
			first->anon += at->anon;
			first->swap += at->swap;
			first->shmem += at->shmem;
			first->java += at->java;
			first->stack += at->stack;
			first->native += at->native;
			first->walked &= at->walked;
			first->dmabuf += at->dmabuf;
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

	return lw_judgement_order(&one->judged, &two->judged) ?:
	       lw_rank_bytes(one->grown, lw_process_kb(one), two->grown, lw_process_kb(two)) ?:
	       (one->pid > two->pid) - (one->pid < two->pid);
}

void lw_processes_since(struct lw_processes *now, struct lw_processes *then)
{
	unsigned int i;

	if (then)
		match(now, then);
	for (i = 0; i < now->nr; i++)
		judge(&now->process[i]);
	fold(now, then);
	sort(now->process, now->nr, sizeof(*now->process), compare, NULL);
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/bsearch.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <compat/task.h>
#include <leakwatch/files.h>
#include <leakwatch/holders.h>
#include <leakwatch/hook.h>
#include <leakwatch/mark.h>

#define HOLDERS_MIN	1024U
#define GROW_MAX	4	/* how often a walk is repeated with more room */
#define AGAIN_MS	20	/* until one looks again for who holds a buffer, */
#define CLOSED_MS	100	/* and for one that is about to be closed */

/* A file of a buffer, or what ION calls a buffer, by which its place among the held is found. */
struct known {
	const void *is;
	unsigned int held;
};

struct walk {
	struct lw_files files;
	struct lw_holders *holders;
	struct known *known;
	unsigned int nr_known;
	unsigned int max_holders;
	bool ion;	/* there are buffers of ION's among the known */
};

static void see_older(struct lw_files *walk, struct file *file, unsigned long from,
		      unsigned long to)
{
	const struct dma_buf *dmabuf = lw_file_dmabuf(file);
	struct lw_dmabuf is;

	if (!dmabuf)
		return;
	lw_dmabuf_read(dmabuf, &is);
	lw_buffer_add_older(&is);
}

static int older_skipped;

void lw_holders_find_older(void)
{
	struct lw_files walk = { .see = see_older };

	older_skipped = 0;
	if (lw_hooks_class(LW_BUFFER))
		older_skipped = lw_files_walk(&walk) ? -1 : (int)walk.skipped;
}

int lw_holders_older_skipped(void)
{
	return older_skipped;
}

static int compare_known(const void *a, const void *b)
{
	const struct known *one = a, *two = b;

	return (one->is > two->is) - (one->is < two->is);
}

static const struct known *find_known(const struct walk *walk, const void *is)
{
	const struct known key = { .is = is };

	return bsearch(&key, walk->known, walk->nr_known, sizeof(key), compare_known);
}

/* Under spinlocks: what there is no room for is counted. */
static void see_holder(struct lw_files *files, struct file *file, unsigned long from,
		       unsigned long to)
{
	struct walk *walk = container_of(files, struct walk, files);
	struct lw_holders *holders = walk->holders;
	const struct known *known = find_known(walk, file);
	struct lw_held *held;
	unsigned int i;

	if (!known && walk->ion)
		known = find_known(walk, lw_file_ion(file));
	if (!known)
		return;
	i = holders->nr_holders++;
	if (i >= walk->max_holders)
		return;
	held = &holders->held[known->held];
	holders->holder[i] = (struct lw_holder){
		.from = from, .to = to, .pid = files->task->tgid, .next = held->first,
	};
	memcpy(holders->holder[i].comm, files->comm, TASK_COMM_LEN);
	held->first = i;
	if (to)
		held->maps++;
	else
		held->fds++;
}

static void reset(struct lw_holders *holders)
{
	unsigned int i;

	holders->nr_holders = 0;
	for (i = 0; i < holders->nr; i++) {
		holders->held[i].fds = 0;
		holders->held[i].maps = 0;
		holders->held[i].first = LW_NO_HOLDER;
	}
}

/* What the kernel holds is counted last, and what was released meanwhile is found by that. */
static void settle(struct lw_holders *holders)
{
	struct lw_held *held;
	unsigned int i;

	for (i = 0; i < holders->nr; i++) {
		held = &holders->held[i];
		held->refs = lw_buffer_refs(held->at, held->buffer.id);
		held->gone = held->refs < 0;
		if (held->buffer.is.ion)
			continue;
		if (!held->refs)
			held->buffer.is.file = NULL;	/* it is gone by now */
		held->refs = max(held->refs - (long)held->fds - (long)held->maps, 0L);
	}
}

/* Once, with as much room as it takes. */
static int look(struct walk *walk)
{
	struct lw_holders *holders = walk->holders;
	int i, err = -ENOMEM;

	for (i = 0; i < GROW_MAX; i++) {
		kvfree(holders->holder);
		reset(holders);
		holders->holder = kvmalloc_array(walk->max_holders, sizeof(*holders->holder),
						 GFP_KERNEL);
		err = holders->holder ? lw_files_walk(&walk->files) : -ENOMEM;
		if (err || holders->nr_holders <= walk->max_holders)
			break;
		walk->max_holders = holders->nr_holders + holders->nr_holders / 4;
	}
	holders->skipped = walk->files.skipped + (holders->nr_holders > walk->max_holders);
	holders->exiting = walk->files.exiting;
	settle(holders);
	return err;
}

static bool is_alone(const struct lw_held *held)
{
	return !held->gone && !held->fds && !held->maps && !(held->buffer.is.ion && held->refs);
}

/* Return: how long to wait until one looks again, in ms; 0 if all buffers have somebody. */
static unsigned int note_alone(struct lw_holders *holders)
{
	struct lw_held *held;
	unsigned int i, ms = 0;

	for (i = 0; i < holders->nr; i++) {
		held = &holders->held[i];
		held->alone = is_alone(held);
		if (held->alone)
			ms = max_t(unsigned int, ms, held->refs ? AGAIN_MS : CLOSED_MS);
	}
	return ms;
}

/* What has no references is on its way out, if its last holder may be, too. */
static void doubt(struct lw_holders *holders)
{
	struct lw_held *held;
	unsigned int i;

	for (i = 0; i < holders->nr; i++) {
		held = &holders->held[i];
		held->unsure = is_alone(held) && (!held->alone || holders->skipped ||
						  (!held->refs && holders->exiting));
	}
}

static int find_holders(struct lw_holders *holders, bool sure)
{
	struct walk walk = {
		.files.see = see_holder, .holders = holders,
		.max_holders = max(2 * holders->nr, HOLDERS_MIN),
	};
	unsigned int i, ms;
	int err;

	holders->walked = true;
	if (!holders->nr)	/* nobody holds anything */
		return 0;
	walk.known = kvmalloc_array(holders->nr, sizeof(*walk.known), GFP_KERNEL);
	if (!walk.known)
		return -ENOMEM;
	for (i = 0; i < holders->nr; i++) {
		const struct lw_dmabuf *is = &holders->held[i].buffer.is;

		walk.ion = walk.ion || is->ion;
		if (is->file || is->ion)
			walk.known[walk.nr_known++] = (struct known){
				.is = is->ion ?: is->file, .held = i,
			};
	}
	sort(walk.known, walk.nr_known, sizeof(*walk.known), compare_known, NULL);
	err = look(&walk);
	ms = err || !sure ? 0 : note_alone(holders);
	if (ms) {
		msleep(ms);
		err = look(&walk);
		doubt(holders);
	}
	kvfree(walk.known);
	return err;
}

static enum lw_alive alive(const struct lw_actor *by)
{
	enum lw_alive is = LW_ALIVE_DEAD;
	struct task_struct *task;

	if (!by->tgid)
		return LW_ALIVE_UNKNOWN;
	rcu_read_lock();
	task = pid_task(find_pid_ns(by->tgid, &init_pid_ns), PIDTYPE_PID);
	if (task && lw_task_start(task) != by->start)
		is = LW_ALIVE_REUSED;
	else if (task && atomic_read(&task->signal->live))
		is = LW_ALIVE;
	rcu_read_unlock();
	return is;
}

static bool same_actor(const struct lw_actor *one, const struct lw_actor *two)
{
	return one->tgid == two->tgid && one->start == two->start;
}

void lw_makers_get(u32 site, struct lw_makers *makers)
{
	struct lw_buffer *oldest = &makers->oldest, buffer;
	unsigned int at;

	*makers = (struct lw_makers){};
	for (at = 0; lw_buffers_next(&at, &buffer); at++) {
		if (buffer.site != site)
			continue;
		if (oldest->id) {
			makers->heaps |= buffer.heap != oldest->heap;
			makers->others |= !same_actor(&buffer.by, &oldest->by);
		}
		if (!oldest->id || buffer.id < oldest->id)
			*oldest = buffer;
	}
	makers->alive = alive(&oldest->by);
}

static int compare_ids(const void *a, const void *b)
{
	const struct lw_held *one = a, *two = b;

	return (one->buffer.id > two->buffer.id) - (one->buffer.id < two->buffer.id);
}

/* Return: whether there was room for all. */
static bool copy_into(struct lw_holders *holders, unsigned int max)
{
	struct lw_held *held = holders->held;
	struct lw_buffer buffer;
	unsigned int at;

	for (at = 0; lw_buffers_next(&at, &buffer); at++) {
		if (holders->nr == max)
			return false;
		held->buffer = buffer;
		held->at = at;
		held->alive = alive(&buffer.by);
		held->first = LW_NO_HOLDER;
		held++;
		holders->nr++;
	}
	return true;
}

/* Buffers may come while they are copied. */
static int copy_records(struct lw_holders *holders)
{
	unsigned int max = min(lw_buffers_nr() + 64, lw_buffers_max());

	for (;; max = min(2 * max, lw_buffers_max())) {
		holders->held = kvcalloc(max, sizeof(*holders->held), GFP_KERNEL);
		if (max && !holders->held)
			return -ENOMEM;
		if (copy_into(holders, max))
			break;
		kvfree(holders->held);
		holders->nr = 0;
	}
	sort(holders->held, holders->nr, sizeof(*holders->held), compare_ids, NULL);
	return 0;
}

struct lw_holders *lw_holders_get(bool sure)
{
	struct lw_holders *holders = kzalloc(sizeof(*holders), GFP_KERNEL);
	int err;

	if (!holders)
		return NULL;
	err = copy_records(holders);
	if (!err && lw_watch_on() && lw_hooks_class(LW_BUFFER))
		err = find_holders(holders, sure);
	if (err) {
		lw_holders_put(holders);
		return NULL;
	}
	return holders;
}

void lw_holders_put(struct lw_holders *holders)
{
	kvfree(holders->holder);
	kvfree(holders->held);
	kfree(holders);
}

enum lw_reason lw_reason(const struct lw_held *held)
{
	if (held->gone || held->unsure)
		return LW_NO_ORPHAN;
	if (held->buffer.is.ion) {
		if (!held->refs)
			return held->fds || held->maps ? LW_REASON_CLIENT : LW_REASON_KERNEL;
	} else if (!held->buffer.is.file) {
		return LW_REASON_CLOSED;
	} else if (!held->fds && !held->maps) {
		return LW_REASON_KERNEL;
	}
	return held->alive == LW_ALIVE_DEAD || held->alive == LW_ALIVE_REUSED ?
	       LW_REASON_DIED : LW_NO_ORPHAN;
}

static int compare_likes(const void *first, const void *second)
{
	const struct lw_orphans *one = first, *two = second;
	const struct lw_buffer *a = &one->like->buffer, *b = &two->like->buffer;

	if (a->is.bytes != b->is.bytes)
		return a->is.bytes > b->is.bytes ? -1 : 1;
	if (a->heap != b->heap)
		return a->heap - b->heap;
	if (a->by.tgid != b->by.tgid)
		return a->by.tgid - b->by.tgid;
	if (a->by.start != b->by.start)
		return a->by.start < b->by.start ? -1 : 1;
	return (int)one->reason - (int)two->reason ?: strcmp(a->by.comm, b->by.comm);
}

static int compare_groups(const void *a, const void *b)
{
	const struct lw_orphans *one = a, *two = b;
	u64 bytes = one->count * one->like->buffer.is.bytes;
	u64 than = two->count * two->like->buffer.is.bytes;

	if (bytes != than)
		return bytes > than ? -1 : 1;
	return compare_likes(one, two);
}

struct lw_orphans *lw_orphans_get(const struct lw_holders *holders, unsigned int *nr)
{
	struct lw_orphans *group = kvcalloc(holders->nr + 1, sizeof(*group), GFP_KERNEL);
	unsigned int i, last = 0;
	enum lw_reason reason;

	*nr = 0;
	if (!group)
		return NULL;
	for (i = 0; holders->walked && i < holders->nr; i++) {
		reason = lw_reason(&holders->held[i]);
		if (reason != LW_NO_ORPHAN)
			group[(*nr)++] = (struct lw_orphans){ &holders->held[i], reason, 1 };
	}
	sort(group, *nr, sizeof(*group), compare_likes, NULL);
	for (i = 1; i < *nr; i++) {
		if (compare_likes(&group[i], &group[last])) {
			group[++last] = group[i];
			continue;
		}
		group[last].count++;
		if (group[i].like->buffer.id < group[last].like->buffer.id)
			group[last].like = group[i].like;
	}
	if (*nr)
		*nr = last + 1;
	sort(group, *nr, sizeof(*group), compare_groups, NULL);
	return group;
}

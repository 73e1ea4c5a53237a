// SPDX-License-Identifier: GPL-2.0
#include <linux/ctype.h>
#include <linux/hash.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <compat/task.h>
#include <leakwatch/buffers.h>
#include <leakwatch/clock.h>
#include <leakwatch/door.h>
#include <leakwatch/stats.h>

#define SIZES	256	/* sizes that have sites of their own */

/*
 * A record is found by @key: the dentry, or what ION calls a buffer. What is deferred has that, a
 * size and a heap, and an id of 0: nobody sees it. A buffer that lives comes before it, where there
 * is no room for both.
 */
struct slot {
	struct lw_buffer buffer;
	struct hlist_node node;
	const void *key;
	bool deferred;
	union {
		struct slot *next_free;
		struct hlist_node next_deferred;
	};
};

static DEFINE_RAW_SPINLOCK(lock);	/* of all below */

static struct {
	unsigned int max;
	unsigned int nr;
	unsigned int nr_ion;
	bool defers_unknown;	/* what was deferred at some time, there is no telling how much */
	u32 mask;		/* of a bucket's number */
	u32 last_id;
	struct slot *slot;
	struct slot *free;
	struct hlist_head deferred;
	struct hlist_head *bucket;
	struct lw_event *event;
	u64 event_end;		/* the number of the next */
	u64 event_begin;	/* none before it is shown: they were cleared */
	u64 loaded;		/* jiffies then, */
	u64 loaded_ms;		/* and the time */
} table;

static struct lw_heap heaps[LW_HEAPS] = { [LW_HEAPS - 1] = { .name = "(other)" } };
static char heap_names[LW_HEAPS][LW_HEAP_NAME];		/* as they were given */

static u32 sizes[2 * SIZES];	/* by hash, in pages; none is ever removed */
static unsigned int nr_sizes;

DECLARE_WAIT_QUEUE_HEAD(lw_events_wait);

/* By a constant shift: kernels that check the others spend as much on that as on the rest. */
static struct hlist_head *bucket_of(const void *key)
{
	u64 hash = (unsigned long)key * GOLDEN_RATIO_64;

	return &table.bucket[(u32)(hash >> 32) & table.mask];
}

/* In line, as what follows for the same reason: what is short costs as much again by a call. */
static __always_inline struct slot *find_any(const void *key)
{
	struct slot *slot;

	hlist_for_each_entry(slot, bucket_of(key), node)
		if (slot->key == key)
			return slot;
	return NULL;
}

/* A record. */
static __always_inline struct slot *find(const void *key)
{
	struct slot *slot = find_any(key);

	return slot && likely(!slot->deferred) ? slot : NULL;
}

static void link(struct slot *slot, const void *key)
{
	slot->key = key;
	hlist_add_head(&slot->node, bucket_of(key));
}

/* Readers see a name that is being written as none, or cut short. */
static noinline u8 new_heap(unsigned int i, const char *name)
{
	char *to = heaps[i].name;

	if (i == LW_HEAPS - 1)
		return i;
	strscpy(heap_names[i], name, sizeof(heap_names[i]));
	strscpy(to, *name ? name : "-", sizeof(heaps[i].name));
	for (; *to; to++)
		if (!isgraph(*to))
			*to = '_';
	return i;
}

/* As far as there is room for it. */
static __always_inline bool is_heap(unsigned int i, const char *name)
{
	const char *known = heap_names[i];
	unsigned int n;

	for (n = 0; known[n] == name[n]; n++)	/* the last of what is known is 0 */
		if (!name[n])
			return true;
	return n == LW_HEAP_NAME - 1;
}

static u8 heap_of(const char *name)
{
	unsigned int i;

	for (i = 0; i < LW_HEAPS - 1 && heaps[i].name[0]; i++)
		if (is_heap(i, name))
			return i;
	return new_heap(i, name);
}

static void wake(struct irq_work *work)
{
	wake_up_interruptible(&lw_events_wait);
}

/* Doors may be where nothing may be woken: under a spinlock, or where x86 handles a breakpoint. */
static struct irq_work waker;

static __always_inline void note_of(const struct lw_buffer *buffer, enum lw_event_type type)
{
	struct lw_event *event = &table.event[table.event_end & (LW_EVENTS - 1)];

	event->when = jiffies;
	event->bytes = buffer->is.bytes;
	event->id = buffer->id;
	event->pid = current->tgid;
	memcpy(event->comm, current->comm, sizeof(event->comm));
	event->type = type;
	event->heap = buffer->heap;
	table.event_end++;
	/* who begins to wait after this looks for events first, and takes the lock for that */
	if (waitqueue_active(&lw_events_wait))
		irq_work_queue(&waker);
}

static __always_inline void note(struct slot *slot, enum lw_event_type type)
{
	slot->buffer.last = type;
	note_of(&slot->buffer, type);
}

long lw_buffer_units(u32 site, u64 bytes)
{
	return lw_what_major(lw_sites[site].what) ? 1 : PAGE_ALIGN(bytes) >> PAGE_SHIFT;
}

static void put_back(struct slot *slot)
{
	hlist_del(&slot->node);
	slot->buffer.id = 0;
	slot->next_free = table.free;
	table.free = slot;
}

static void drop(struct slot *slot)
{
	struct lw_buffer *buffer = &slot->buffer;

	if (buffer->site != LW_SITE_NOBODY)
		lw_site_uncharge(buffer->site, lw_buffer_units(buffer->site, buffer->is.bytes));
	heaps[buffer->heap].bytes -= buffer->is.bytes;
	table.nr_ion -= !!buffer->is.ion;
	table.nr--;
	put_back(slot);
}

static void end_deferred(struct slot *slot)
{
	heaps[slot->buffer.heap].deferred -= slot->buffer.is.bytes;
	slot->deferred = false;
	hlist_del(&slot->next_deferred);
	put_back(slot);
}

/* For what lives. Who frees what is deferred may be an idle thread, not to be heard of for long. */
static noinline struct slot *room_of_deferred(void)
{
	if (!hlist_empty(&table.deferred)) {
		table.defers_unknown = true;
		end_deferred(hlist_entry(table.deferred.first, struct slot, next_deferred));
	}
	return table.free;
}

static noinline void drop_unheard(struct slot *slot)
{
	if (slot->deferred)
		return end_deferred(slot);
	if (slot->buffer.site != LW_SITE_NOBODY)
		atomic_inc(&lw_flaws[slot->buffer.site].missed);
	lw_stat_inc(LW_MISSED_BUFFERS);
	drop(slot);
}

/* What has the address of one that is there: that one was freed, and nobody said so. */
static __always_inline void drop_missed(const void *key)
{
	struct slot *slot = find_any(key);

	if (unlikely(slot))
		drop_unheard(slot);
}

static noinline void lose(u32 site, u64 bytes)
{
	lw_stat_inc(LW_LOST_BUFFERS);
	if (site != LW_SITE_NOBODY)
		atomic_add(lw_buffer_units(site, bytes), &lw_flaws[site].lost);
}

static __always_inline struct slot *add(const struct lw_dmabuf *is, u32 site)
{
	struct slot *slot = likely(table.free) ? table.free : room_of_deferred();
	struct lw_buffer *buffer;
	struct lw_heap *heap;

	if (!slot) {
		lose(site, is->bytes);
		return NULL;
	}
	table.free = slot->next_free;
	table.nr++;
	buffer = &slot->buffer;
	buffer->is = *is;
	buffer->site = site;
	buffer->tick = lw_clock_now();
	buffer->heap = heap_of(is->heap);
	buffer->last = LW_EVENT_ALLOC;
	buffer->older = false;
	WRITE_ONCE(buffer->id, ++table.last_id);	/* lw_buffers_next() has a glance at it */
	if (is->file)
		buffer->is.ion = NULL;		/* it is known as a DMA-BUF alone */
	link(slot, is->file ? is->dentry : is->ion);
	heap = &heaps[buffer->heap];
	heap->bytes += is->bytes;
	heap->peak = max(heap->peak, heap->bytes);
	return slot;
}

static void sign(struct lw_actor *by)
{
	by->pid = current->pid;
	by->tgid = current->tgid;
	by->start = lw_task_start(current->group_leader);
	memcpy(by->comm, current->comm, sizeof(by->comm));
}

/* Where the size is among the sizes, or where there is room for it. */
static u32 *size_at(u32 pages)
{
	unsigned int i = hash_32(pages, ilog2(ARRAY_SIZE(sizes)));

	while (READ_ONCE(sizes[i]) && READ_ONCE(sizes[i]) != pages)
		i = (i + 1) % ARRAY_SIZE(sizes);
	return &sizes[i];
}

static noinline bool new_size(u32 pages)
{
	unsigned long flags;
	u32 *at;

	raw_spin_lock_irqsave(&lock, flags);
	at = size_at(pages);
	if (!*at && nr_sizes < SIZES) {
		nr_sizes++;
		WRITE_ONCE(*at, pages);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	return *at;
}

static lw_what_t what_of(u64 bytes)
{
	u64 pages = PAGE_ALIGN(bytes) >> PAGE_SHIFT;

	if (!pages || pages >= 1U << (32 - PAGE_SHIFT))	/* a site has 32 bits for the size */
		return lw_what_buffer(0);
	return lw_what_buffer(likely(READ_ONCE(*size_at(pages))) || new_size(pages) ? pages : 0);
}

static u32 told(u32 site, lw_what_t what)
{
	if (site == LW_SITE_NOBODY) {
		lw_stat_inc(LW_LOST_SITES_FULL);
	} else if (!lw_what_major(what)) {
		WRITE_ONCE(lw_flaws[site].folded, 1);
		lw_stat_inc(LW_FOLDED);
	}
	return site;
}

u32 lw_buffer_site(u64 bytes, struct pt_regs *regs)
{
	lw_what_t what = what_of(bytes);

	return told(lw_site_at(what, regs), what);
}

u32 lw_buffer_site_from(u64 bytes, unsigned long from)
{
	lw_what_t what = what_of(bytes);

	return told(lw_site_from(what, from), what);
}

/* Is it one more way to hand on a buffer that has a record? */
static __always_inline struct slot *find_ion(const void *ion)
{
	struct slot *slot = ion && table.nr_ion ? find(ion) : NULL;

	return slot && slot->buffer.is.ion == ion ? slot : NULL;
}

/* One that somebody has just made. */
static __always_inline struct slot *add_made(const struct lw_dmabuf *is, u32 site)
{
	struct slot *slot = add(is, site);

	if (site != LW_SITE_NOBODY)
		lw_site_charge(site, lw_buffer_units(site, is->bytes));
	if (slot) {
		sign(&slot->buffer.by);
		note(slot, LW_EVENT_ALLOC);
	}
	return slot;
}

void lw_ion_add(const struct lw_dmabuf *is, u32 site)
{
	unsigned long flags;
	struct slot *slot;

	raw_spin_lock_irqsave(&lock, flags);
	drop_missed(is->ion);
	slot = add_made(is, site);
	if (slot) {
		table.nr_ion++;
		slot->buffer.handles = 1;
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

bool lw_ion_event(const void *ion, enum lw_event_type type, int handles)
{
	unsigned long flags;
	struct slot *slot;

	raw_spin_lock_irqsave(&lock, flags);
	slot = find_ion(ion);
	if (slot) {
		slot->buffer.handles = max(slot->buffer.handles + handles, 0);
		note(slot, type);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	return slot;
}

void lw_ion_client(enum lw_event_type type)
{
	static const struct lw_buffer none;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	note_of(&none, type);
	raw_spin_unlock_irqrestore(&lock, flags);
}

static void release(struct slot *slot)
{
	note(slot, LW_EVENT_RELEASE);
	drop(slot);
}

void lw_ion_defer(const struct lw_dmabuf *is)
{
	unsigned long flags;
	struct slot *slot;

	raw_spin_lock_irqsave(&lock, flags);
	slot = find_ion(is->ion);
	if (slot)
		release(slot);
	else
		drop_missed(is->ion);
	slot = is->bytes ? table.free : NULL;
	if (slot) {
		table.free = slot->next_free;
		slot->buffer.is = *is;
		slot->buffer.heap = heap_of(is->heap);
		slot->deferred = true;
		hlist_add_head(&slot->next_deferred, &table.deferred);
		link(slot, is->ion);
		heaps[slot->buffer.heap].deferred += is->bytes;
	} else {
		table.defers_unknown = true;
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

void lw_ion_free(const void *ion)
{
	unsigned long flags;
	struct slot *slot;

	raw_spin_lock_irqsave(&lock, flags);
	slot = find_any(ion);
	if (slot && slot->deferred)
		end_deferred(slot);
	else if (slot && slot->buffer.is.ion == ion)
		release(slot);
	raw_spin_unlock_irqrestore(&lock, flags);
}

bool lw_buffers_defers_known(void)
{
	return !READ_ONCE(table.defers_unknown);
}

void lw_buffer_add(const struct lw_dmabuf *is, u32 site)
{
	unsigned long flags;
	struct slot *slot;

	raw_spin_lock_irqsave(&lock, flags);
	slot = find_ion(is->ion);
	if (slot) {
		note(slot, LW_EVENT_FD);
	} else {
		drop_missed(is->dentry);
		add_made(is, site);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

void lw_buffer_add_older(const struct lw_dmabuf *is)
{
	unsigned long flags;
	struct slot *slot;

	raw_spin_lock_irqsave(&lock, flags);
	if (!find(is->dentry) && !find_ion(is->ion)) {
		slot = add(is, LW_SITE_NOBODY);
		if (slot) {
			slot->buffer.older = true;
			slot->buffer.by = (struct lw_actor){};
		}
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

void lw_buffer_event(const struct file *file, enum lw_event_type type)
{
	unsigned long flags;
	struct slot *slot;

	if (!file)
		return;
	raw_spin_lock_irqsave(&lock, flags);
	slot = find(file->f_path.dentry);
	if (slot)
		note(slot, type);
	raw_spin_unlock_irqrestore(&lock, flags);
}

/* By a file, if it is one, whose inode is @inode. */
static noinline struct slot *find_by_file(const void *inode, const struct file *file)
{
	const void *dentry = NULL;
	struct slot *slot;

	lw_read_kernel(&dentry, &file->f_path.dentry, sizeof(dentry));
	slot = find(dentry);
	return slot && slot->buffer.is.file == file && slot->buffer.is.inode == inode ? slot : NULL;
}

void lw_buffer_free(const void *first, const void *second)
{
	unsigned long flags;
	struct slot *slot;

	raw_spin_lock_irqsave(&lock, flags);
	slot = find(first) ?: find_by_file(first, second);
	if (slot) {
		release(slot);
	} else if (!table.nr_ion) {	/* else it may be one of those without a record */
		lw_stat_inc(LW_UNMATCHED_BUFFERS);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

/*
 * How many references the file of a buffer has; 0 if it is gone. It may be, while the dentry is
 * there. What lies where the file was is the file if it has the dentry, as no other ever has; and
 * a file keeps its last count, which is 0, until its memory is somebody else's.
 */
static noinline_for_stack long refs_of(const struct lw_dmabuf *is)
{
	struct file file;

	if (!is->file || lw_read_kernel(&file, is->file, sizeof(file)) ||
	    file.f_path.dentry != is->dentry)
		return 0;
	return max_t(long, file_count(&file), 0);
}

bool lw_buffers_next(unsigned int *at, struct lw_buffer *to)
{
	unsigned long flags;

	for (; *at < table.max; ++*at) {
		/* a glance, that holds nobody up */
		if (!READ_ONCE(table.slot[*at].buffer.id))
			continue;
		raw_spin_lock_irqsave(&lock, flags);
		*to = table.slot[*at].buffer;
		if (to->id && !refs_of(&to->is))
			to->is.file = NULL;
		raw_spin_unlock_irqrestore(&lock, flags);
		if (to->id)
			return true;
	}
	return false;
}

long lw_buffer_refs(unsigned int at, u32 id)
{
	const struct lw_buffer *buffer = &table.slot[at].buffer;
	long refs = -ENOENT;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	if (buffer->id == id)
		refs = buffer->is.ion ? buffer->handles : refs_of(&buffer->is);
	raw_spin_unlock_irqrestore(&lock, flags);
	return refs;
}

const struct lw_heap *lw_heap(unsigned int nr)
{
	return &heaps[nr];
}

const char *lw_event_name(enum lw_event_type type)
{
	static const char * const names[] = {
		[LW_EVENT_ALLOC] = "alloc", [LW_EVENT_FD] = "fd", [LW_EVENT_IMPORT] = "import",
		[LW_EVENT_MAP] = "map", [LW_EVENT_ATTACH] = "attach",
		[LW_EVENT_DETACH] = "detach", [LW_EVENT_PUT] = "put",
		[LW_EVENT_RELEASE] = "release", [LW_EVENT_CLIENT] = "client",
		[LW_EVENT_CLOSE] = "close",
	};

	static_assert(ARRAY_SIZE(names) == LW_NR_EVENTS);
	return names[type];
}

/* Jiffies are what the clock was at its last tick; where they have 32 bits, the rest is known. */
u64 lw_event_ms(const struct lw_event *event)
{
	u64 now = get_jiffies_64(), when = now - ((unsigned long)now - event->when);

	return table.loaded_ms + div_u64((when - table.loaded) * MSEC_PER_SEC, HZ);
}

bool lw_events_any(u64 at)
{
	unsigned long flags;
	bool any;

	raw_spin_lock_irqsave(&lock, flags);
	any = max(at, table.event_begin) < table.event_end;
	raw_spin_unlock_irqrestore(&lock, flags);
	return any;
}

bool lw_events_take(u64 *at, struct lw_event *to, u64 *lost)
{
	unsigned long flags;
	u64 first;
	bool got;

	raw_spin_lock_irqsave(&lock, flags);
	first = table.event_end > LW_EVENTS ? table.event_end - LW_EVENTS : 0;
	*lost = *at < first ? first - max(*at, min(table.event_begin, first)) : 0;
	*at = max3(*at, first, table.event_begin);
	got = *at < table.event_end;
	if (got)
		*to = table.event[(*at)++ & (LW_EVENTS - 1)];
	raw_spin_unlock_irqrestore(&lock, flags);
	return got;
}

unsigned int lw_buffers_max(void)
{
	return table.max;
}

unsigned int lw_buffers_nr(void)
{
	return READ_ONCE(table.nr);
}

static unsigned long nr_buckets(void)
{
	return table.mask + 1UL;
}

unsigned long lw_buffers_bytes(void)
{
	if (!table.max)
		return 0;
	return table.max * sizeof(*table.slot) + nr_buckets() * sizeof(*table.bucket) +
	       LW_EVENTS * sizeof(*table.event);
}

void lw_buffers_clear(void)
{
	unsigned int i;

	if (!table.max)
		return;
	memset(table.slot, 0, table.max * sizeof(*table.slot));
	memset(table.bucket, 0, nr_buckets() * sizeof(*table.bucket));
	table.free = NULL;
	INIT_HLIST_HEAD(&table.deferred);
	table.nr = 0;
	table.nr_ion = 0;
	table.defers_unknown = false;
	for (i = table.max; i--; table.free = &table.slot[i])
		table.slot[i].next_free = table.free;
	for (i = 0; i < LW_HEAPS; i++) {
		heaps[i].bytes = 0;
		heaps[i].peak = 0;
		heaps[i].deferred = 0;
	}
	table.event_begin = table.event_end;
}

int lw_buffers_init(unsigned int nr)
{
	init_irq_work(&waker, wake);
	if (!nr)
		return 0;
	table.max = nr;
	table.mask = 2 * roundup_pow_of_two(nr) - 1;
	table.slot = vzalloc(nr * sizeof(*table.slot));
	table.bucket = vzalloc(nr_buckets() * sizeof(*table.bucket));
	table.event = vzalloc(LW_EVENTS * sizeof(*table.event));
	if (!table.slot || !table.bucket || !table.event) {
		lw_buffers_exit();
		return -ENOMEM;
	}
	table.loaded = get_jiffies_64();
	table.loaded_ms = ktime_to_ms(ktime_get());
	lw_buffers_clear();
	return 0;
}

/* The waker may be on its way: its hooks are detached, so after this it is not. */
void lw_buffers_exit(void)
{
	irq_work_sync(&waker);
	vfree(table.event);
	vfree(table.bucket);
	vfree(table.slot);
	memset(&table, 0, sizeof(table));
}

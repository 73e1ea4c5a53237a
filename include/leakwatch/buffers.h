/* SPDX-License-Identifier: GPL-2.0 */
/*
 * buffers: a record of every DMA-BUF, from its export to its release, and the last events of all.
 *
 * Buffers are few and big, so each has a full record. A record is found by the address of the
 * dentry of the buffer's file: with that the buffer goes. The file can be gone before, and nobody
 * says so: who asks looks whether what is there is still the file.
 *
 * ION's buffers, until 4.11, live from their allocation on and may be handed on as several
 * DMA-BUFs, or none. Their records are found by the address of what ION calls a buffer
 * (hook/ion.c), have no file, and stand for the DMA-BUFs as well.
 *
 * A heap of ION's may free what is released in its own time. What it has not freed yet is no record
 * any more, but counts as the heap's.
 *
 * Locking: one raw spinlock, innermost of all, held for a search of the hash and a copy of one
 * record or event. Doors are called in process context, on some kernels with interrupts off. The
 * hash has twice as many buckets as there can be records.
 *
 * Invariant: a record's dentry has not been freed, as long as the hooks are attached: the hook of
 * the release takes the lock before it goes. So no other file has that dentry, and the references
 * of a file may be counted without holding one.
 */
#ifndef LEAKWATCH_BUFFERS_H
#define LEAKWATCH_BUFFERS_H

#include <linux/sched.h>
#include <linux/wait.h>
#include <compat/dmabuf.h>
#include <leakwatch/site.h>

#define LW_BUFFERS_MIN	64U
#define LW_BUFFERS_MAX	65536U
#define LW_HEAPS	32U	/* what there are more of is one, "(other)" */
#define LW_EVENTS	2048U	/* a power of two */

/**
 * enum lw_event_type - what happened, to a buffer but for the last two
 * @LW_EVENT_ALLOC: it was exported
 * @LW_EVENT_FD: a driver asked for one more descriptor of it
 * @LW_EVENT_IMPORT: a driver took a reference by a descriptor
 * @LW_EVENT_MAP: a process asks to map it
 * @LW_EVENT_ATTACH: a device was attached to it
 * @LW_EVENT_DETACH: and detached
 * @LW_EVENT_PUT: a client of ION's gave up its handle
 * @LW_EVENT_RELEASE: the exporter frees it
 * @LW_EVENT_CLIENT: no buffer: a client of ION's comes
 * @LW_EVENT_CLOSE: and goes, with all its handles
 * @LW_NR_EVENTS: how many there are
 */
enum lw_event_type {
	LW_EVENT_ALLOC,
	LW_EVENT_FD,
	LW_EVENT_IMPORT,
	LW_EVENT_MAP,
	LW_EVENT_ATTACH,
	LW_EVENT_DETACH,
	LW_EVENT_PUT,
	LW_EVENT_RELEASE,
	LW_EVENT_CLIENT,
	LW_EVENT_CLOSE,
	LW_NR_EVENTS
};

/**
 * struct lw_actor - a process, told from those that had or will have its pid
 * @pid: the thread
 * @tgid: the process; 0 if nobody knows
 * @start: when that was started, in ns
 * @comm: the thread's name, which may have anything in it
 */
struct lw_actor {
	int pid;
	int tgid;
	u64 start;
	char comm[TASK_COMM_LEN];
};

/**
 * struct lw_buffer - a record
 * @is: the buffer; @is.file is NULL in a copy if it is gone, and @is.heap is not to be read
 * @id: its number; 0 if the record is free. None is used twice
 * @site: who asked for it, LW_SITE_NOBODY if not known
 * @tick: when it was exported (clock.h)
 * @heap: its heap's number
 * @last: its last event, enum lw_event_type
 * @older: it is older than the module: of the above, only @is is known
 * @handles: of one of ION's, how many clients have it
 * @by: who exported it
 */
struct lw_buffer {
	struct lw_dmabuf is;
	u32 id;
	u32 site;
	u32 tick;
	u8 heap;
	u8 last;
	bool older;
	int handles;
	struct lw_actor by;
};

/**
 * struct lw_heap - a heap, or what an exporter calls itself
 * @name: its name, without blanks
 * @bytes: how much of it is live,
 * @peak: and was at most
 * @deferred: how much was released, and the heap is still to free it
 */
struct lw_heap {
	char name[LW_HEAP_NAME];
	u64 bytes;
	u64 peak;
	u64 deferred;
};

/**
 * struct lw_event - an event
 * @when: when, in jiffies
 * @bytes: the buffer's size
 * @id: the buffer; 0 if it is of none: then it has no size and no heap
 * @pid: the process that was at it,
 * @comm: and its name, which may have anything in it
 * @type: what it was
 * @heap: the buffer's heap
 */
struct lw_event {
	unsigned long when;
	u64 bytes;
	u32 id;
	int pid;
	char comm[TASK_COMM_LEN];
	u8 type;
	u8 heap;
};

/**
 * lw_buffers_init() - take the memory
 * @nr: how many records; 0 for none, where the class is not wanted
 *
 * Process context. Return: 0 or -ENOMEM.
 */
int lw_buffers_init(unsigned int nr);

/** lw_buffers_exit() - give it back; the hooks are detached. Process context. */
void lw_buffers_exit(void);

/** lw_buffers_clear() - forget all records and events; the hooks are detached */
void lw_buffers_clear(void);

/** lw_buffers_bytes() - Return: the memory that records and events take */
unsigned long lw_buffers_bytes(void);

/** lw_buffers_max() - Return: how many records there can be */
unsigned int lw_buffers_max(void);

/** lw_buffers_nr() - Return: how many there are */
unsigned int lw_buffers_nr(void);

/* The doors. Any context but NMI, but for a breakpoint (path.h). */

/**
 * lw_buffer_site() - the site of an export, at the entry of the function that exports
 * @bytes: the size
 * @regs: where it was stopped
 *
 * Size is part of what is asked for, as programs get all their buffers by the same path. After
 * the first few hundred sizes the rest share a site that counts pages.
 *
 * Return: the site's number, LW_SITE_NOBODY if there is no room.
 */
u32 lw_buffer_site(u64 bytes, struct pt_regs *regs);

/** lw_buffer_site_from() - the same by an event of that function; @from is lw_walk_here() there */
u32 lw_buffer_site_from(u64 bytes, unsigned long from);

/** lw_buffer_add() - a buffer was exported by @site, and the current process */
void lw_buffer_add(const struct lw_dmabuf *is, u32 site);

/** lw_buffer_add_older() - here is a buffer whose export was not seen, if it has no record yet */
void lw_buffer_add_older(const struct lw_dmabuf *is);

/** lw_buffer_event() - something happened to the buffer of @file, if there is one with a record */
void lw_buffer_event(const struct file *file, enum lw_event_type type);

/**
 * lw_buffer_free() - a buffer is about to be freed
 * @first: its dentry, or, until 5.7, the inode of its file
 * @second: until 5.7 the file; after that it means nothing
 *
 * Which it is needs no test: a record knows its dentry, or both its inode and its file.
 */
void lw_buffer_free(const void *first, const void *second);

/**
 * lw_ion_add() - an ION buffer was allocated by @site, and the current process
 * @is: it; @is->ion is its address, and it has no file
 * @site: the site
 *
 * Its first handle is its client's. It goes by lw_ion_free().
 */
void lw_ion_add(const struct lw_dmabuf *is, u32 site);

/**
 * lw_ion_event() - something happened to an ION buffer
 * @ion: its address; may be of something else
 * @type: what
 * @handles: how many clients have it more, or less, than before
 *
 * Return: whether it has a record.
 */
bool lw_ion_event(const void *ion, enum lw_event_type type, int handles);

/** lw_ion_client() - the current process has got a client of ION's, or has lost it: @type */
void lw_ion_client(enum lw_event_type type);

/**
 * lw_ion_defer() - an ION buffer is given to its heap, which will free it later: it is released
 * @is: it; its address, its size and the heap's name; a size of 0 if they are not known
 */
void lw_ion_defer(const struct lw_dmabuf *is);

/** lw_ion_free() - what is at @ion, which may be an ION buffer with a record or not, is freed */
void lw_ion_free(const void *ion);

/**
 * lw_buffer_units() - how much a buffer counts at its site
 * @site: the site
 * @bytes: of the buffer
 *
 * Any context. Return: 1, or its pages where a site is of buffers of all sizes.
 */
long lw_buffer_units(u32 site, u64 bytes);

/* Reading. Any context but NMI. */

/**
 * lw_buffers_next() - copy the next record
 * @at: where to look from, in the table's own order; left where it was found
 * @to: the copy
 *
 * Return: whether there is one.
 */
bool lw_buffers_next(unsigned int *at, struct lw_buffer *to);

/**
 * lw_buffer_refs() - how many references the file of a buffer has
 * @at: its record, by lw_buffers_next()
 * @id: its number
 *
 * Only while the hooks are attached. Of one of ION's: how many clients have it.
 *
 * Return: how many, 0 if the file is gone, or -ENOENT if the buffer is.
 */
long lw_buffer_refs(unsigned int at, u32 id);

/** lw_heap() - Return: heap @nr below LW_HEAPS; its name is empty if there are not as many */
const struct lw_heap *lw_heap(unsigned int nr);

/** lw_buffers_defers_known() - Return: whether all that was deferred is in its heap's @deferred */
bool lw_buffers_defers_known(void);

/** lw_event_name() - Return: what events calls @type */
const char *lw_event_name(enum lw_event_type type);

/** lw_event_ms() - Return: when it was, in ms since boot, without sleep; to the tick */
u64 lw_event_ms(const struct lw_event *event);

/* Who waits for an event. */
extern wait_queue_head_t lw_events_wait;

/** lw_events_any() - Return: whether there is an event of number @at or later */
bool lw_events_any(u64 at);

/**
 * lw_events_take() - copy one event
 * @at: its number; moved behind it, or behind what is lost
 * @to: the copy
 * @lost: how many before it are not there any more
 *
 * Return: whether it has happened yet.
 */
bool lw_events_take(u64 *at, struct lw_event *to, u64 *lost);

#endif

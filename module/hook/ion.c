// SPDX-License-Identifier: GPL-2.0
/*
 * The hooks of ION as it was until 4.11, whose clients have handles of buffers: by the events that
 * some boards' 3.10 has, else at its functions. What later ones make are DMA-BUFs and nothing else
 * (buffer.c); they have no ion_client_create(), though functions of the same names. Of all, what a
 * heap has yet to free.
 *
 * With the events, allocations of clients in the kernel are not heard, and an import that finds its
 * client to have a handle already counts as one more until the next handle is given up.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/string.h>
#include <compat/ion.h>
#include <compat/percpu.h>
#include <compat/regs.h>
#include <leakwatch/buffers.h>
#include <leakwatch/hook.h>
#include <leakwatch/stats.h>
#include <leakwatch/walk.h>

enum { FREE, PUT, ALLOC, IMPORT, MAP, CREATE, CLOSE, DESTROY, DEFER, NR_HOOKS };

static DEFINE_PER_CPU(unsigned long, events[NR_HOOKS]);

#define event(nr) lw_count_inc(events[nr])

static void add(const void *ion, u64 bytes, const char *heap, u32 site)
{
	struct lw_dmabuf is = { .ion = ion, .bytes = bytes, .heap = heap };

	lw_ion_add(&is, site);
}

static void alloc_event(void *data, size_t bytes, size_t align, unsigned int heaps,
			unsigned int flags, unsigned int handle, void *ion)
{
	event(ALLOC);
	bytes = PAGE_ALIGN(bytes);
	add(ion, bytes, lw_ion_heap(ion, bytes) ?: "ion",
	    lw_buffer_site_from(bytes, lw_walk_here()));
}

/*
 * struct ion_handle *ion_alloc(struct ion_client *client, size_t bytes, size_t align,
 *				unsigned int heaps, unsigned int flags)
 */
struct alloc {
	size_t bytes;
	u32 site;
};

static void alloc_enter(void *data, struct pt_regs *regs)
{
	struct alloc *alloc = data;

	alloc->bytes = PAGE_ALIGN(lw_regs_arg(regs, 1));
	alloc->site = lw_buffer_site(alloc->bytes, regs);
}

static void alloc_leave(void *data, struct pt_regs *regs)
{
	const void *at = (const void *)lw_regs_result(regs), *ion;
	const struct alloc *alloc = data;
	struct lw_ion_handle handle;
	const char *heap;

	if (IS_ERR_OR_NULL(at))
		return;
	ion = lw_ion_handle_read(at, &handle) ?
	      lw_ion_handle_buffer(&handle, alloc->bytes, &heap) : NULL;
	if (ion)
		add(ion, alloc->bytes, heap, alloc->site);
	else
		lw_stat_inc(LW_LOST_ION);
}

static void free_event(void *data, void *ion)
{
	event(FREE);
	lw_ion_free(ion);
}

/* void ion_buffer_destroy(struct ion_buffer *buffer) */
static void destroy(unsigned long ion, unsigned long unused1, unsigned long unused2)
{
	lw_ion_free((const void *)ion);
}

/*
 * void ion_heap_freelist_add(struct ion_heap *heap, struct ion_buffer *buffer), until 5.10: what is
 * in that list is freed by ion_buffer_destroy(), in Android's 5.4 ion_buffer_release(). Each is
 * called from the other's file, so that neither is inlined
 */
static void defer(unsigned long heap, unsigned long ion, unsigned long unused)
{
	struct lw_dmabuf is = { .ion = (const void *)ion };

	is.heap = lw_ion_in_heap(is.ion, (const void *)heap, &is.bytes);
	if (!is.heap)
		is.bytes = 0;
	lw_ion_defer(&is);
}

static void put_event(void *data, unsigned int handle, int left, void *ion)
{
	event(PUT);
	lw_ion_event(ion, LW_EVENT_PUT, left > 0 ? -1 : INT_MIN / 2);
}

/* The buffer of a handle is the one that has a record. */
static void handle_event(const void *at, enum lw_event_type type, int handles)
{
	struct lw_ion_handle handle;
	int i;

	if (!lw_ion_handle_read(at, &handle))
		return;
	if (type == LW_EVENT_IMPORT && !lw_ion_handle_new(&handle))
		handles = 0;
	for (i = 0; i < LW_ION_WORDS; i++)
		if (lw_ion_event(handle.word[i], type, handles))
			return;
}

/* static void ion_handle_destroy(struct kref *kref), the first field of a handle */
static void put_entry(unsigned long handle, unsigned long unused1, unsigned long unused2)
{
	handle_event((const void *)handle, LW_EVENT_PUT, -1);
}

static void import_event(void *data, unsigned int handle, int fd)
{
	event(IMPORT);
	lw_ion_event(lw_fd_ion(fd), LW_EVENT_IMPORT, 1);
}

/* struct ion_handle *ion_import_dma_buf(struct ion_client *client, ...) */
static void import_enter(void *data, struct pt_regs *regs)
{
}

static void import_leave(void *data, struct pt_regs *regs)
{
	const void *handle = (const void *)lw_regs_result(regs);

	if (!IS_ERR_OR_NULL(handle))
		handle_event(handle, LW_EVENT_IMPORT, 1);
}

/* As a function, this is dma_buf_export() (buffer.c), which has told of it where it is heard. */
static void map_event(void *data, unsigned int handle, int fd)
{
	event(MAP);
	if (!lw_export_heard())
		lw_ion_event(lw_fd_ion(fd), LW_EVENT_FD, 0);
}

static void create_event(void *data, struct task_struct *task, pid_t pid)
{
	event(CREATE);
	lw_ion_client(LW_EVENT_CLIENT);
}

/* struct ion_client *ion_client_create(struct ion_device *dev, ...) */
static void create_entry(unsigned long dev, unsigned long unused1, unsigned long unused2)
{
	lw_ion_client(LW_EVENT_CLIENT);
}

static void close_event(void *data, struct task_struct *task, pid_t pid)
{
	event(CLOSE);
	lw_ion_client(LW_EVENT_CLOSE);
}

/* void ion_client_destroy(struct ion_client *client), which gives up all of its handles */
static void close_entry(unsigned long client, unsigned long unused1, unsigned long unused2)
{
	lw_ion_client(LW_EVENT_CLOSE);
}

#define BESIDE	.class = LW_BUFFER, .ion = true, .beside = "ion_client_create"

struct lw_hook lw_ion_hooks[] = {
	[FREE] = {
		.events = &events[FREE], BESIDE,
		.name = "ion_free_buffer", .type = LW_ENTRY, .frees = true, .needed = true,
		.trace = free_event, .symbol = { "ion_buffer_destroy" }, .entry = destroy,
	},
	[PUT] = {
		.events = &events[PUT], BESIDE,
		.name = "ion_free_handle", .type = LW_ENTRY, .frees = true, .needed = true,
		.trace = put_event, .symbol = { "ion_handle_destroy" }, .entry = put_entry,
	},
	[ALLOC] = {
		.events = &events[ALLOC], BESIDE,
		.name = "ion_alloc", .type = LW_RETURN, .needed = true,
		.trace = alloc_event, .symbol = { "ion_alloc" },
		.enter = alloc_enter, .leave = alloc_leave, .data = sizeof(struct alloc),
	},
	[IMPORT] = {
		.events = &events[IMPORT], BESIDE,
		.name = "ion_import", .type = LW_RETURN,
		.trace = import_event, .symbol = { "ion_import_dma_buf" },
		.enter = import_enter, .leave = import_leave,
	},
	[MAP] = {
		.events = &events[MAP], BESIDE,
		.name = "ion_map", .type = LW_ENTRY, .trace = map_event,
	},
	[CREATE] = {
		.events = &events[CREATE], BESIDE,
		.name = "ion_client_creat", .type = LW_ENTRY,	/* the event is spelt so */
		.trace = create_event, .symbol = { "ion_client_create" }, .entry = create_entry,
	},
	[CLOSE] = {
		.events = &events[CLOSE], BESIDE,
		.name = "ion_client_free", .type = LW_ENTRY,
		.trace = close_event, .symbol = { "ion_client_destroy" }, .entry = close_entry,
	},
	[DESTROY] = {
		.events = &events[DESTROY], .class = LW_BUFFER,
		.name = "ion_buffer_destroy", .type = LW_ENTRY, .frees = true,
		.beside = "ion_heap_freelist_add",
		.symbol = { "ion_buffer_release", "ion_buffer_destroy" }, .entry = destroy,
	},
	[DEFER] = {
		.events = &events[DEFER], .class = LW_BUFFER,
		.name = "ion_heap_freelist_add", .type = LW_ENTRY, .frees = true,
		.beside = "ion_buffer_destroy",
		.symbol = { "ion_heap_freelist_add" }, .entry = defer,
	},
};

const unsigned int lw_nr_ion_hooks = NR_HOOKS;

bool lw_ion_defers(void)
{
	return lw_ion_hooks[DESTROY].attached && lw_ion_hooks[DEFER].attached;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * oldion: functions by the names, and with the structures, that ION had until 4.11, for kernels
 * that have it no more. All by writes to /sys/kernel/debug/oldion/, for two clients, 0 and 1:
 *
 *   alloc	a size in bytes: client 0 gets a handle of a new buffer
 *   share	the number of a buffer, in the order of their making: it becomes a DMA-BUF once more
 *   import	the number of a buffer that is shared: client 1 gets a handle, or its handle again
 *   put	client * 100 + buffer: its handle has a reference less
 *   close	the number of a buffer: its DMA-BUFs go
 *   defer	1 or 0: whether the heap keeps what nobody has any more in a list
 *   drain	anything: the heap frees what is in the list
 *   odd		1 or 0: whether buffers have a structure that nobody knows
 *   client	1 or 0: a client without buffers comes or goes
 *
 * Whatever is left goes when this does. oldion_events.c is the same with events, and what is shared
 * or imported is then a descriptor of the process that writes, as it was by ION's ioctl.
 */
#include <linux/debugfs.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <compat/dmabuf.h>
#include "oldion.h"

#ifdef OLDION_EVENTS
#define HAS_EVENTS true
#else
#define HAS_EVENTS false
#define trace_ion_alloc(bytes, align, heaps, flags, handle, buffer)	do { } while (0)
#define trace_ion_free_handle(handle, left, buffer)			do { } while (0)
#define trace_ion_free_buffer(buffer)					do { } while (0)
#define trace_ion_map(handle, fd)					do { } while (0)
#define trace_ion_import(handle, fd)					do { } while (0)
#define trace_ion_client_creat(task, pid)				do { } while (0)
#define trace_ion_client_free(task, pid)				do { } while (0)
#endif

#define CLIENTS	2
#define BUFFERS	32
#define SHARES	4
#define DEFER	4UL	/* among the flags of a heap */

struct ion_device {
	int unused;
};

struct ion_heap {
	long node[5];		/* a plist_node */
	struct ion_device *dev;
	long type;
	void *ops;
	unsigned long flags;
	unsigned long id;
	const char *name;
	struct list_head free_list;
	long more[3];
};

struct ion_buffer {
	struct kref ref;
	union {
		struct rb_node node;
		struct list_head list;
	};
	struct ion_device *dev;
	struct ion_heap *heap;
	unsigned long flags;
	unsigned long private_flags;
	size_t size;
	long more[8];
	int handle_count;
	struct dma_buf *share[SHARES];
};

struct ion_client {
	int unused;
};

struct ion_handle {
	struct kref ref;
	struct ion_client *client;
	struct ion_buffer *buffer;
	struct rb_node node;
	unsigned int kmap_cnt;
	int id;
};

static struct ion_device *device;
static struct ion_heap *heap;
static struct ion_client *clients[CLIENTS], *more_client;
static struct ion_handle *handles[CLIENTS][BUFFERS];
static struct ion_buffer *buffers[BUFFERS];
static unsigned int nr_buffers;
static bool odd;
static struct dentry *dir;
static DEFINE_MUTEX(lock);

noinline struct ion_client *ion_client_create(struct ion_device *dev, const char *name)
{
	trace_ion_client_creat(current, current->tgid);
	return kzalloc(sizeof(struct ion_client), GFP_KERNEL);
}

noinline void ion_client_destroy(struct ion_client *client)
{
	trace_ion_client_free(current, current->tgid);
	kfree(client);
}

noinline void ion_buffer_destroy(struct ion_buffer *buffer)
{
	unsigned int i;

	for (i = 0; i < nr_buffers; i++)
		if (buffers[i] == buffer)
			buffers[i] = NULL;
	kfree(buffer);
}

noinline void ion_heap_freelist_add(struct ion_heap *to, struct ion_buffer *buffer)
{
	list_add(&buffer->list, &to->free_list);
}

static void release_buffer(struct kref *kref)
{
	struct ion_buffer *buffer = container_of(kref, struct ion_buffer, ref);

	trace_ion_free_buffer(buffer);
	if (buffer->heap->flags & DEFER)
		ion_heap_freelist_add(buffer->heap, buffer);
	else
		ion_buffer_destroy(buffer);
}

static void drain(void)
{
	struct ion_buffer *buffer, *next;

	list_for_each_entry_safe(buffer, next, &heap->free_list, list)
		ion_buffer_destroy(buffer);
	INIT_LIST_HEAD(&heap->free_list);
}

noinline void ion_handle_destroy(struct kref *kref)
{
	struct ion_handle *handle = container_of(kref, struct ion_handle, ref);

	handles[handle->client == clients[1]][handle->id] = NULL;
	handle->buffer->handle_count--;
	trace_ion_free_handle(handle->id, handle->buffer->handle_count, handle->buffer);
	kref_put(&handle->buffer->ref, release_buffer);
	kfree(handle);
}

static struct ion_handle *make_handle(struct ion_client *client, struct ion_buffer *buffer, int id)
{
	struct ion_handle *handle = kzalloc(sizeof(*handle), GFP_KERNEL);

	if (!handle)
		return ERR_PTR(-ENOMEM);
	kref_init(&handle->ref);
	kref_get(&buffer->ref);
	handle->client = client;
	handle->buffer = buffer;
	handle->id = id;
	buffer->handle_count++;
	handles[client == clients[1]][id] = handle;
	return handle;
}

noinline struct ion_handle *ion_alloc(struct ion_client *client, size_t len, size_t align,
				      unsigned int heap_id_mask, unsigned int flags)
{
	struct ion_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	struct ion_handle *handle;

	if (!buffer)
		return ERR_PTR(-ENOMEM);
	kref_init(&buffer->ref);
	buffer->dev = device;
	buffer->heap = heap;
	buffer->size = PAGE_ALIGN(len) + odd;
	handle = make_handle(client, buffer, nr_buffers);
	if (!IS_ERR(handle))
		buffers[nr_buffers++] = buffer;
	kref_put(&buffer->ref, release_buffer);
	return handle;
}

noinline struct ion_handle *ion_import_dma_buf(struct ion_client *client, struct dma_buf *dmabuf)
{
	struct ion_buffer *buffer = dmabuf->priv;
	unsigned int i;

	for (i = 0; i < nr_buffers && buffers[i] != buffer; i++)
		;
	if (!handles[client == clients[1]][i])
		return make_handle(client, buffer, i);
	kref_get(&handles[client == clients[1]][i]->ref);
	return handles[client == clients[1]][i];
}

static struct sg_table *map_dma(struct dma_buf_attachment *attach, enum dma_data_direction to)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static void unmap_dma(struct dma_buf_attachment *attach, struct sg_table *table,
		      enum dma_data_direction to)
{
}

static void ion_dma_buf_release(struct dma_buf *dmabuf)
{
	struct ion_buffer *buffer = dmabuf->priv;

	kref_put(&buffer->ref, release_buffer);
}

static const struct dma_buf_ops ops = {
	.map_dma_buf = map_dma, .unmap_dma_buf = unmap_dma, .release = ion_dma_buf_release,
};

static int do_alloc(u64 bytes)
{
	struct ion_handle *handle;

	if (nr_buffers == BUFFERS)
		return -ENOSPC;
	handle = ion_alloc(clients[0], bytes, PAGE_SIZE, 1, 0);
	if (!IS_ERR(handle))
		trace_ion_alloc(bytes, PAGE_SIZE, 1, 0, handle->id, handle->buffer);
	return PTR_ERR_OR_ZERO(handle);
}

/* One more descriptor of it, the current process's; without events none is wanted. */
static int describe(struct dma_buf *dmabuf)
{
	int fd;

	if (!HAS_EVENTS)
		return 0;
	get_dma_buf(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

static int do_share(u64 nr)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct ion_buffer *buffer = buffers[nr];
	struct dma_buf *dmabuf;
	int i, fd;

	for (i = 0; i < SHARES && buffer->share[i]; i++)
		;
	if (i == SHARES)
		return -ENOSPC;
	info.exp_name = "ion";
	info.ops = &ops;
	info.size = buffer->size;
	info.flags = O_RDWR;
	info.priv = buffer;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	kref_get(&buffer->ref);
	buffer->share[i] = dmabuf;
	fd = describe(dmabuf);
	if (fd >= 0)
		trace_ion_map(nr, fd);
	return min(fd, 0);
}

static int do_import(u64 nr)
{
	struct ion_handle *handle;
	int fd;

	if (!buffers[nr]->share[0])
		return -EINVAL;
	fd = describe(buffers[nr]->share[0]);
	if (fd < 0)
		return fd;
	handle = ion_import_dma_buf(clients[1], buffers[nr]->share[0]);
	if (!IS_ERR(handle))
		trace_ion_import(handle->id, fd);
	return PTR_ERR_OR_ZERO(handle);
}

static int do_close(u64 nr)
{
	struct dma_buf *share[SHARES];
	int i;

	memcpy(share, buffers[nr]->share, sizeof(share));
	memset(buffers[nr]->share, 0, sizeof(share));
	for (i = 0; i < SHARES; i++)
		if (share[i])
			dma_buf_put(share[i]);
	return 0;
}

static int do_put(u64 value)
{
	struct ion_handle *handle = handles[value / 100][value % 100];

	if (!handle)
		return -EINVAL;
	kref_put(&handle->ref, ion_handle_destroy);
	return 0;
}

static int do_defer(u64 value)
{
	heap->flags = value ? DEFER : 0;
	return 0;
}

static int do_drain(u64 value)
{
	drain();
	return 0;
}

static int do_odd(u64 value)
{
	odd = value;
	return 0;
}

static int do_client(u64 value)
{
	if (!value == !more_client)
		return -EINVAL;
	if (more_client)
		ion_client_destroy(more_client);
	more_client = value ? ion_client_create(device, "more") : NULL;
	return value && !more_client ? -ENOMEM : 0;
}

/* A value below @limit names a buffer, which has to be there; there is none if @limit is 0. */
static int with_lock(int (*what)(u64 value), u64 value, u64 limit)
{
	unsigned int nr = value % 100;
	int err = -EINVAL;

	mutex_lock(&lock);
	if (!limit || (value < limit && nr < nr_buffers && buffers[nr]))
		err = what(value);
	mutex_unlock(&lock);
	return err;
}

#define DEFINE_DO(name, limit)							\
static int name##_set(void *unused, u64 value)					\
{										\
	return with_lock(do_##name, value, limit);				\
}										\
DEFINE_DEBUGFS_ATTRIBUTE(name##_fops, NULL, name##_set, "%llu\n")

DEFINE_DO(alloc, 0);
DEFINE_DO(share, 100);
DEFINE_DO(import, 100);
DEFINE_DO(put, 100 * CLIENTS);
DEFINE_DO(close, 100);
DEFINE_DO(defer, 0);
DEFINE_DO(drain, 0);
DEFINE_DO(odd, 0);
DEFINE_DO(client, 0);

static void free_all(void)
{
	unsigned int i;

	if (more_client)
		ion_client_destroy(more_client);
	for (i = 0; i < CLIENTS; i++)
		if (clients[i])
			ion_client_destroy(clients[i]);
	kfree(heap);
	kfree(device);
}

static int __init oldion_init(void)
{
	device = kzalloc(sizeof(*device), GFP_KERNEL);
	heap = kzalloc(sizeof(*heap), GFP_KERNEL);
	clients[0] = ion_client_create(device, "first");
	clients[1] = ion_client_create(device, "second");
	if (!device || !heap || !clients[0] || !clients[1]) {
		free_all();
		return -ENOMEM;
	}
	heap->dev = device;
	heap->name = "old heap";
	INIT_LIST_HEAD(&heap->free_list);
	dir = debugfs_create_dir("oldion", NULL);
	debugfs_create_file("alloc", 0200, dir, NULL, &alloc_fops);
	debugfs_create_file("share", 0200, dir, NULL, &share_fops);
	debugfs_create_file("import", 0200, dir, NULL, &import_fops);
	debugfs_create_file("put", 0200, dir, NULL, &put_fops);
	debugfs_create_file("close", 0200, dir, NULL, &close_fops);
	debugfs_create_file("defer", 0200, dir, NULL, &defer_fops);
	debugfs_create_file("drain", 0200, dir, NULL, &drain_fops);
	debugfs_create_file("odd", 0200, dir, NULL, &odd_fops);
	debugfs_create_file("client", 0200, dir, NULL, &client_fops);
	return 0;
}

static void __exit oldion_exit(void)
{
	unsigned int nr, client;

	debugfs_remove_recursive(dir);
	for (nr = 0; nr < nr_buffers; nr++) {
		if (buffers[nr])
			do_close(nr);
		for (client = 0; client < CLIENTS; client++)
			while (handles[client][nr])
				kref_put(&handles[client][nr]->ref, ion_handle_destroy);
	}
	drain();
	free_all();
}

module_init(oldion_init);
module_exit(oldion_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("ION as it was until 4.11, as far as somebody may look at it");
LW_IMPORT_DMA_BUF;

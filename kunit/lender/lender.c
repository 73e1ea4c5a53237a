// SPDX-License-Identifier: GPL-2.0
/*
 * lender: a driver that exports DMA-BUFs where the kernel has no heap, and that keeps references of
 * any, as a driver that leaks them does. All by writes to /sys/kernel/debug/lender/:
 *
 *   alloc	a size in bytes; the write returns the descriptor
 *   keep	a descriptor: take a reference of the buffer, for ever
 *   attach	a descriptor: attach a device to the buffer, and detach it
 *   busy	anything: the writer's address space is locked, as while it is changed, until "drop"
 *   drop	anything: give all back
 */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <compat/dmabuf.h>

#define KEPT_MAX	64

static bool ion;
module_param(ion, bool, 0444);
MODULE_PARM_DESC(ion, "its buffers look like ION's");

/* What ION's have, as far as somebody may look at it. */
struct fake_heap {
	unsigned long node[5];
	const void *device;
	int type;
	const void *ops;
	unsigned long flags;
	unsigned int id;
	const char *name;
	unsigned long more[6];
};

struct lender_buffer {
	unsigned long node[3];
	const void *device;
	struct fake_heap *heap;
	unsigned long flags;
	unsigned long private_flags;
	size_t size;
	void *pages;
	unsigned long more[4];
};

static struct fake_heap fake_heap = { .device = THIS_MODULE, .name = "fake_heap" };

static struct dentry *dir;
static struct device *device;
static struct dma_buf *kept[KEPT_MAX];
static int nr_kept;
static DEFINE_MUTEX(lock);
static unsigned int nr_drops;
static DECLARE_WAIT_QUEUE_HEAD(dropped);

static struct sg_table *lender_map(struct dma_buf_attachment *attach, enum dma_data_direction to)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static void lender_unmap(struct dma_buf_attachment *attach, struct sg_table *table,
			 enum dma_data_direction to)
{
}

static int lender_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct lender_buffer *buffer = dmabuf->priv;

	return remap_vmalloc_range(vma, buffer->pages, vma->vm_pgoff);
}

static void lender_free(struct lender_buffer *buffer)
{
	if (buffer)
		vfree(buffer->pages);
	kfree(buffer);
}

static void lender_release(struct dma_buf *dmabuf)
{
	lender_free(dmabuf->priv);
}

static const struct dma_buf_ops lender_ops = {
	.map_dma_buf = lender_map,
	.unmap_dma_buf = lender_unmap,
	.mmap = lender_mmap,
	.release = lender_release,
};

static noinline int lender_alloc(size_t bytes)
{
	struct lender_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;
	int fd;

	info.ops = &lender_ops;
	info.size = PAGE_ALIGN(bytes);
	info.flags = O_RDWR | O_CLOEXEC;
	info.priv = buffer;
	if (ion)
		info.exp_name = "ion";
	if (buffer)
		buffer->pages = vmalloc_user(info.size);
	if (!buffer || !buffer->pages) {
		lender_free(buffer);
		return -ENOMEM;
	}
	buffer->device = THIS_MODULE;
	buffer->heap = &fake_heap;
	buffer->size = info.size;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		lender_free(buffer);
		return PTR_ERR(dmabuf);
	}
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

static int lender_keep(int fd)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	mutex_lock(&lock);
	if (nr_kept < KEPT_MAX) {
		kept[nr_kept++] = dmabuf;
		dmabuf = NULL;
	}
	mutex_unlock(&lock);
	if (!dmabuf)
		return 0;
	dma_buf_put(dmabuf);
	return -ENOSPC;
}

static int lender_attach(int fd)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);
	struct dma_buf_attachment *attach;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	attach = dma_buf_attach(dmabuf, device);
	if (!IS_ERR(attach))
		dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	return PTR_ERR_OR_ZERO(attach);
}

static void lender_drop(void)
{
	mutex_lock(&lock);
	while (nr_kept)
		dma_buf_put(kept[--nr_kept]);
	mutex_unlock(&lock);
	WRITE_ONCE(nr_drops, nr_drops + 1);
	wake_up(&dropped);
}

static int lender_busy(void)
{
	unsigned int before = READ_ONCE(nr_drops);
	int err;

	mmap_write_lock(current->mm);
	err = wait_event_interruptible(dropped, READ_ONCE(nr_drops) != before);
	mmap_write_unlock(current->mm);
	return err;
}

/* Even a descriptor of 0 is written by somebody: standard input has it. */
static ssize_t alloc_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	unsigned long bytes;
	int err = kstrtoul_from_user(from, len, 0, &bytes);

	return err ?: lender_alloc(bytes);
}

static ssize_t keep_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	int fd, err = kstrtoint_from_user(from, len, 0, &fd);

	return err ?: lender_keep(fd) ?: len;
}

static ssize_t attach_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	int fd, err = kstrtoint_from_user(from, len, 0, &fd);

	return err ?: lender_attach(fd) ?: len;
}

static ssize_t busy_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	return lender_busy() ?: len;
}

static ssize_t drop_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	lender_drop();
	return len;
}

#define DEFINE_FOPS(name)							\
static const struct file_operations name##_fops = {				\
	.owner = THIS_MODULE,							\
	.open = simple_open,							\
	.write = name##_write,							\
	.llseek = noop_llseek,							\
}

DEFINE_FOPS(alloc);
DEFINE_FOPS(keep);
DEFINE_FOPS(attach);
DEFINE_FOPS(busy);
DEFINE_FOPS(drop);

static int __init lender_init(void)
{
	device = root_device_register("lender");
	if (IS_ERR(device))
		return PTR_ERR(device);
	dir = debugfs_create_dir("lender", NULL);
	debugfs_create_file("alloc", 0200, dir, NULL, &alloc_fops);
	debugfs_create_file("keep", 0200, dir, NULL, &keep_fops);
	debugfs_create_file("attach", 0200, dir, NULL, &attach_fops);
	debugfs_create_file("busy", 0200, dir, NULL, &busy_fops);
	debugfs_create_file("drop", 0200, dir, NULL, &drop_fops);
	return 0;
}

/* It cannot be unloaded while there are buffers of its own. */
static void __exit lender_exit(void)
{
	debugfs_remove_recursive(dir);
	lender_drop();
	root_device_unregister(device);
}

module_init(lender_init);
module_exit(lender_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Exports DMA-BUFs and keeps references of them, on purpose");
LW_IMPORT_DMA_BUF;

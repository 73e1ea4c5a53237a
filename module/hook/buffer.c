// SPDX-License-Identifier: GPL-2.0
/*
 * The hooks of class buffer. Every DMA-BUF, ION's since 4.12 among them, is made by
 * dma_buf_export() and goes by dma_buf_release(); what happens to it between has events in 7.x,
 * functions before.
 */
#include <linux/slab.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <compat/dmabuf.h>
#include <compat/dmabuf_events.h>
#include <compat/percpu.h>
#include <compat/regs.h>
#include <leakwatch/buffers.h>
#include <leakwatch/hook.h>
#include <leakwatch/walk.h>

enum { RELEASE, EXPORT, FD, GET, MMAP, ATTACH, DETACH, NR_HOOKS };

static DEFINE_PER_CPU(unsigned long, events[NR_HOOKS]);

#define event(nr) lw_count_inc(events[nr])

/*
 * struct dma_buf *dma_buf_export(const struct dma_buf_export_info *info), until 4.0
 * dma_buf_export_named(void *priv, const struct dma_buf_ops *ops, size_t bytes, ...)
 */
static void export_enter(void *data, struct pt_regs *regs)
{
	*(u32 *)data = lw_buffer_site(lw_export_bytes(regs), regs);
}

static void export_leave(void *data, struct pt_regs *regs)
{
	const struct dma_buf *dmabuf = (const struct dma_buf *)lw_regs_result(regs);
	struct lw_dmabuf is;

	if (!lw_dmabuf_file(dmabuf))
		return;
	lw_dmabuf_read(dmabuf, &is);
	lw_site_saw_late(*(u32 *)data);
	lw_buffer_add(&is, *(u32 *)data);
}

static void export_event(void *data, struct dma_buf *dmabuf)
{
	struct lw_dmabuf is;

	event(EXPORT);
	lw_dmabuf_read(dmabuf, &is);
	lw_buffer_add(&is, lw_buffer_site_from(is.bytes, lw_walk_here()));
}

/* void dma_buf_release(struct dentry *dentry), until 5.7 (struct inode *, struct file *) */
static void release(unsigned long first, unsigned long second, unsigned long unused)
{
	lw_buffer_free((const void *)first, (const void *)second);
}

static void happens(const struct dma_buf *dmabuf, enum lw_event_type type)
{
	lw_buffer_event(lw_dmabuf_file(dmabuf), type);
}

/* int dma_buf_fd(struct dma_buf *dmabuf, int flags) */
static void fd_entry(unsigned long dmabuf, unsigned long flags, unsigned long unused)
{
	happens((const struct dma_buf *)dmabuf, LW_EVENT_FD);
}

static void fd_event(void *data, struct dma_buf *dmabuf, int fd)
{
	event(FD);
	happens(dmabuf, LW_EVENT_FD);
}

/* struct dma_buf *dma_buf_get(int fd) */
static void get_enter(void *data, struct pt_regs *regs)
{
}

static void get_leave(void *data, struct pt_regs *regs)
{
	happens((const struct dma_buf *)lw_regs_result(regs), LW_EVENT_IMPORT);
}

static void get_event(void *data, struct dma_buf *dmabuf, int fd)
{
	event(GET);
	happens(dmabuf, LW_EVENT_IMPORT);
}

/* int dma_buf_mmap_internal(struct file *file, struct vm_area_struct *vma) */
static void mmap_entry(unsigned long file, unsigned long vma, unsigned long unused)
{
	lw_buffer_event((const struct file *)file, LW_EVENT_MAP);
}

static void mmap_event(void *data, struct dma_buf *dmabuf)
{
	event(MMAP);
	happens(dmabuf, LW_EVENT_MAP);
}

/* struct dma_buf_attachment *dma_buf_dynamic_attach(struct dma_buf *dmabuf, ...) */
static void attach_entry(unsigned long dmabuf, unsigned long dev, unsigned long unused)
{
	happens((const struct dma_buf *)dmabuf, LW_EVENT_ATTACH);
}

static void attach_event(void *data, struct dma_buf *dmabuf, struct dma_buf_attachment *attach,
			 bool is_dynamic, struct device *dev)
{
	event(ATTACH);
	happens(dmabuf, LW_EVENT_ATTACH);
}

/* void dma_buf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach) */
static void detach_entry(unsigned long dmabuf, unsigned long attach, unsigned long unused)
{
	happens((const struct dma_buf *)dmabuf, LW_EVENT_DETACH);
}

static void detach_event(void *data, struct dma_buf *dmabuf, struct dma_buf_attachment *attach,
			 bool is_dynamic, struct device *dev)
{
	event(DETACH);
	happens(dmabuf, LW_EVENT_DETACH);
}

struct lw_hook lw_buffer_hooks[] = {
	[RELEASE] = {
		.events = &events[RELEASE],
		.name = "dma_buf_release", .type = LW_ENTRY, .class = LW_BUFFER, .frees = true,
		.needed = true, .symbol = { "dma_buf_release" }, .entry = release,
	},
	[EXPORT] = {
		.events = &events[EXPORT],
		.name = "dma_buf_export", .type = LW_RETURN, .class = LW_BUFFER, .needed = true,
		.trace = LW_DMA_BUF_EVENT(dma_buf_export, export_event),
		.symbol = { "dma_buf_export", "dma_buf_export_named" },
		.enter = export_enter, .leave = export_leave, .data = sizeof(u32),
	},
	[FD] = {
		.events = &events[FD],
		.name = "dma_buf_fd", .type = LW_ENTRY, .class = LW_BUFFER,
		.trace = LW_DMA_BUF_EVENT(dma_buf_fd, fd_event),
		.symbol = { "dma_buf_fd" }, .entry = fd_entry,
	},
	[GET] = {
		.events = &events[GET],
		.name = "dma_buf_get", .type = LW_RETURN, .class = LW_BUFFER,
		.trace = LW_DMA_BUF_EVENT(dma_buf_get, get_event),
		.symbol = { "dma_buf_get" }, .enter = get_enter, .leave = get_leave,
	},
	[MMAP] = {
		.events = &events[MMAP],
		.name = "dma_buf_mmap_internal", .type = LW_ENTRY, .class = LW_BUFFER,
		.trace = LW_DMA_BUF_EVENT(dma_buf_mmap_internal, mmap_event),
		.symbol = { "dma_buf_mmap_internal" }, .entry = mmap_entry,
	},
	[ATTACH] = {
		.events = &events[ATTACH],
		.name = "dma_buf_dynamic_attach", .type = LW_ENTRY, .class = LW_BUFFER,
		.trace = LW_DMA_BUF_EVENT(dma_buf_dynamic_attach, attach_event),
		.symbol = { "dma_buf_dynamic_attach", "dma_buf_attach" }, .entry = attach_entry,
	},
	[DETACH] = {
		.events = &events[DETACH],
		.name = "dma_buf_detach", .type = LW_ENTRY, .class = LW_BUFFER,
		.trace = LW_DMA_BUF_EVENT(dma_buf_detach, detach_event),
		.symbol = { "dma_buf_detach" }, .entry = detach_entry,
	},
};

const unsigned int lw_nr_buffer_hooks = NR_HOOKS;

bool lw_export_heard(void)
{
	return lw_buffer_hooks[EXPORT].attached;
}

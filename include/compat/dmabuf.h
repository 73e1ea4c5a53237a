/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a DMA-BUF is made of, by the kernel's own header; nothing of DMA-BUF is linked to, so the
 * module loads where it is not there.
 */
#ifndef COMPAT_DMABUF_H
#define COMPAT_DMABUF_H

#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/ptrace.h>
#include <linux/string.h>
#include <linux/version.h>
#include <compat/access.h>
#include <compat/regs.h>

#define LW_HEAP_NAME	24

/**
 * struct lw_dmabuf - a DMA-BUF, as far as it matters here
 * @file: its file, of which descriptors and mappings hold references
 * @dentry: the file's,
 * @inode: and the file's inode: one for all buffers until 5.2
 * @release: the function of the exporter that frees it
 * @ion: what ION, until 4.11, calls a buffer, of which this is one way to hand it on; else NULL
 * @bytes: its size
 * @heap: the heap's name, or, of other exporters, the exporter's; empty if it says nothing. Whoever
 *	exported it keeps it as long as the buffer is there
 */
struct lw_dmabuf {
	struct file *file;
	const void *dentry;
	const void *inode;
	const void *release;
	const void *ion;
	u64 bytes;
	const char *heap;
};

#if defined(LW_HAVE_DMA_BUF) && IS_ENABLED(CONFIG_DMA_SHARED_BUFFER)

#include <linux/dma-buf.h>
#include <uapi/linux/magic.h>

#ifndef DMA_BUF_MAGIC
#define DMA_BUF_MAGIC	0x444d4142
#endif

/** lw_export_bytes() - Return: the size that dma_buf_export(), being entered, is asked to export */
static inline u64 lw_export_bytes(struct pt_regs *regs)
{
#ifdef LW_HAVE_EXPORT_INFO
	return ((const struct dma_buf_export_info *)lw_regs_arg(regs, 0))->size;
#else
	return lw_regs_arg(regs, 2);
#endif
}

/** lw_heap_name() - Return: @name, of which nobody knows whether it is one; NULL if it is not */
static inline const char *lw_heap_name(const char *name)
{
	char text[LW_HEAP_NAME];
	unsigned int i;

	if (lw_read_kernel(text, name, sizeof(text)))
		return NULL;
	text[LW_HEAP_NAME - 1] = 0;
	for (i = 0; isprint(text[i]) && isascii(text[i]); i++)
		;
	return i && !text[i] ? name : NULL;
}

/** lw_ion_heap_of() - Return: the name of an ION heap that is @device's; NULL if it is none */
static inline const char *lw_ion_heap_of(const void *heap, unsigned long device)
{
	const unsigned int behind = 5;	/* words, from the device to the name */
	unsigned long word[16];
	unsigned int i;

	if (lw_read_kernel(word, heap, sizeof(word)))
		return NULL;
	for (i = 2; i < ARRAY_SIZE(word) - behind && word[i] != device; i++)
		;
	if (i == ARRAY_SIZE(word) - behind)
		return NULL;
	return lw_heap_name((const char *)word[i + behind]);
}

/**
 * lw_ion_heap() - the name of the heap that an ION buffer comes from
 * @buffer: the buffer; its structure is in no header that a module is built with
 * @bytes: its size
 *
 * From 3.10 to 5.10 a buffer has its device, its heap, two words of flags and its size, one behind
 * the other, and a heap its device, type, operations, flags, id and name. So the heap is where it
 * is thought to be if the size is the buffer's and both devices are the same. What forks have
 * made of it is told by that. Any context.
 *
 * Return: the name, or NULL if it was not found.
 */
static inline const char *lw_ion_heap(const void *buffer, u64 bytes)
{
	unsigned long word[12];
	unsigned int i;

	if (lw_read_kernel(word, buffer, sizeof(word)))
		return NULL;
	for (i = 4; i < ARRAY_SIZE(word) && word[i] != bytes; i++)
		;
	if (i == ARRAY_SIZE(word))
		return NULL;
	return lw_ion_heap_of((const void *)word[i - 3], word[i - 4]);
}

/**
 * lw_ion_in_heap() - the same of a buffer of which the heap is known, and the size is not
 * @buffer: the buffer
 * @heap: its heap
 * @bytes: set to its size
 *
 * Return: the heap's name, or NULL if the buffer is not what it is thought to be.
 */
static inline const char *lw_ion_in_heap(const void *buffer, const void *heap, u64 *bytes)
{
	unsigned long word[12];
	unsigned int i;

	if (lw_read_kernel(word, buffer, sizeof(word)))
		return NULL;
	for (i = 4; i < ARRAY_SIZE(word) && word[i - 3] != (unsigned long)heap; i++)
		;
	if (i == ARRAY_SIZE(word) || !word[i] || word[i] % PAGE_SIZE)
		return NULL;
	*bytes = word[i];
	return lw_ion_heap_of(heap, word[i - 4]);
}

/**
 * lw_helped_heap() - the same of a buffer that heap helpers made, which 5.6 to 5.10 have
 * @buffer: the buffer: its heap, which begins with its name, its dma_buf, and its size
 * @bytes: its size
 *
 * Any context. Return: the name, or NULL if it was not found.
 */
static inline const char *lw_helped_heap(const void *buffer, u64 bytes)
{
	unsigned long word[3], name;

	if (lw_read_kernel(word, buffer, sizeof(word)) || word[2] != bytes ||
	    lw_read_kernel(&name, (const void *)word[0], sizeof(name)))
		return NULL;
	return lw_heap_name((const char *)name);
}

/** lw_exporter() - Return: what the exporter of @dmabuf calls itself */
static inline const char *lw_exporter(const struct dma_buf *dmabuf)
{
	const char *name = dmabuf->exp_name ?: "";

#ifndef LW_HAVE_EXPORT_INFO
	name = kbasename(name);		/* it was the source file */
#endif
	return name;
}

/** lw_dmabuf_ion() - Return: the ION buffer that @dmabuf stands for, NULL if it is not ION's */
static inline const void *lw_dmabuf_ion(const struct dma_buf *dmabuf)
{
	const char *exporter = lw_exporter(dmabuf);

	if (exporter[0] != 'i' || (strcmp(exporter, "ion") && strcmp(exporter, "ion.c")))
		return NULL;
	return dmabuf->priv;
}

/** lw_dmabuf_read() - what @dmabuf is, which somebody holds. Any context. */
static inline void lw_dmabuf_read(const struct dma_buf *dmabuf, struct lw_dmabuf *to)
{
	to->file = dmabuf->file;
	to->dentry = dmabuf->file->f_path.dentry;
	to->inode = file_inode(dmabuf->file);
	to->release = dmabuf->ops->release;
	to->bytes = dmabuf->size;
	to->heap = lw_exporter(dmabuf);
	to->ion = lw_dmabuf_ion(dmabuf);
	if (to->ion)
		to->heap = lw_ion_heap(to->ion, dmabuf->size) ?: "ion";
	else if (to->heap[0] == 'h' && !strcmp(to->heap, "heap_helpers"))
		to->heap = lw_helped_heap(dmabuf->priv, dmabuf->size) ?: to->heap;
}

/** lw_dmabuf_file() - Return: the file of @dmabuf, or NULL if it is none but an error */
static inline const struct file *lw_dmabuf_file(const struct dma_buf *dmabuf)
{
	return IS_ERR_OR_NULL(dmabuf) ? NULL : dmabuf->file;
}

/** lw_file_dmabuf() - Return: the DMA-BUF whose file @file is, which somebody holds, or NULL */
static inline const struct dma_buf *lw_file_dmabuf(const struct file *file)
{
	const struct dentry *dentry = file->f_path.dentry;
	const struct dma_buf *dmabuf = file->private_data;

	/* it has a file system of its own since 5.3 */
	if (dentry->d_sb->s_magic != DMA_BUF_MAGIC &&
	    (dentry->d_sb->s_magic != ANON_INODE_FS_MAGIC ||
	     strcmp(dentry->d_name.name, "dmabuf")))
		return NULL;
	return dmabuf && dmabuf->file == file ? dmabuf : NULL;
}

/** lw_file_ion() - Return: the ION buffer whose file @file is, which somebody holds, or NULL */
static inline const void *lw_file_ion(const struct file *file)
{
	const struct dma_buf *dmabuf = lw_file_dmabuf(file);

	return dmabuf ? lw_dmabuf_ion(dmabuf) : NULL;
}

/* For a module that is linked to it; since 5.16 its functions are in a namespace. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define LW_IMPORT_DMA_BUF	MODULE_IMPORT_NS("DMA_BUF")
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 16, 0)
#define LW_IMPORT_DMA_BUF	MODULE_IMPORT_NS(DMA_BUF)
#else
#define LW_IMPORT_DMA_BUF	MODULE_INFO(dma_buf, "no namespace")
#endif

#else

struct dma_buf;

static inline u64 lw_export_bytes(struct pt_regs *regs)
{
	return 0;
}

static inline void lw_dmabuf_read(const struct dma_buf *dmabuf, struct lw_dmabuf *to)
{
	*to = (struct lw_dmabuf){};
}

static inline const struct file *lw_dmabuf_file(const struct dma_buf *dmabuf)
{
	return NULL;
}

static inline const struct dma_buf *lw_file_dmabuf(const struct file *file)
{
	return NULL;
}

static inline const void *lw_file_ion(const struct file *file)
{
	return NULL;
}

static inline const char *lw_ion_heap(const void *buffer, u64 bytes)
{
	return NULL;
}

static inline const char *lw_ion_in_heap(const void *buffer, const void *heap, u64 *bytes)
{
	return NULL;
}

#endif

#endif

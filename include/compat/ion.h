/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ION until 4.11: clients with handles of buffers. Its headers are in no package, and forks have
 * changed them, so what is read of its structures is believed only if it is what it has to be.
 */
#ifndef COMPAT_ION_H
#define COMPAT_ION_H

#include <linux/file.h>
#include <linux/mm.h>
#include <compat/access.h>
#include <compat/dmabuf.h>

#define LW_ION_WORDS	8	/* of a handle that are looked at */

/** struct lw_ion_handle - the beginning of a handle: a count of references, then pointers */
struct lw_ion_handle {
	const void *word[LW_ION_WORDS];
};

/** lw_ion_handle_read() - Return: whether what is at @handle could be read. Any context. */
static inline bool lw_ion_handle_read(const void *handle, struct lw_ion_handle *to)
{
	return handle && !lw_read_kernel(to, handle, sizeof(*to));
}

/** lw_ion_handle_new() - Return: whether it has one reference, as one has that was just made */
static inline bool lw_ion_handle_new(const struct lw_ion_handle *handle)
{
	return *(const int *)handle == 1;
}

/**
 * lw_ion_handle_buffer() - the buffer that a new handle is of
 * @handle: the handle
 * @bytes: the buffer's size
 * @heap: set to the name of its heap
 *
 * Return: it, which has that size, a heap, and a device that is the heap's; NULL if none has.
 */
static inline const void *lw_ion_handle_buffer(const struct lw_ion_handle *handle, u64 bytes,
					       const char **heap)
{
	int i;

	for (i = 0; i < LW_ION_WORDS; i++) {
		if (!virt_addr_valid(handle->word[i]))
			continue;
		*heap = lw_ion_heap(handle->word[i], bytes);
		if (*heap)
			return handle->word[i];
	}
	return NULL;
}

/** lw_fd_ion() - Return: the buffer that a descriptor of this process is of, NULL if of none */
static inline const void *lw_fd_ion(int fd)
{
	struct file *file = fget(fd);
	const void *ion;

	if (!file)
		return NULL;
	ion = lw_file_ion(file);
	fput(file);
	return ion;
}

#endif

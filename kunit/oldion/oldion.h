/* SPDX-License-Identifier: GPL-2.0 */
/* What ION's own headers said. */
#ifndef OLDION_H
#define OLDION_H

#include <linux/types.h>

struct dma_buf;
struct ion_buffer;
struct ion_client;
struct ion_device;
struct ion_handle;
struct ion_heap;
struct kref;

struct ion_client *ion_client_create(struct ion_device *dev, const char *name);
void ion_client_destroy(struct ion_client *client);
struct ion_handle *ion_alloc(struct ion_client *client, size_t len, size_t align,
			     unsigned int heap_id_mask, unsigned int flags);
struct ion_handle *ion_import_dma_buf(struct ion_client *client, struct dma_buf *dmabuf);
void ion_handle_destroy(struct kref *kref);
void ion_buffer_destroy(struct ion_buffer *buffer);
void ion_heap_freelist_add(struct ion_heap *to, struct ion_buffer *buffer);

#endif

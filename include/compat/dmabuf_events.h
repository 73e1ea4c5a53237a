/* SPDX-License-Identifier: GPL-2.0 */
/* The trace events of DMA-BUF, where the kernel has them. */
#ifndef COMPAT_DMABUF_EVENTS_H
#define COMPAT_DMABUF_EVENTS_H

#include <compat/trace.h>

struct device;
struct dma_buf;
struct dma_buf_attachment;

#if defined(LW_HAVE_DMA_BUF_EVENTS) && defined(CONFIG_DMA_SHARED_BUFFER)
#include <trace/events/dma_buf.h>

#define LW_DMA_BUF_EVENT(event, fn)	LW_ADAPTER_1(event, fn)
#else
/* not called, but not unused either */
#define LW_DMA_BUF_EVENT(event, fn)	__builtin_choose_expr(1, NULL, (void *)(fn))
#endif

#endif

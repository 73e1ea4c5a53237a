/* SPDX-License-Identifier: GPL-2.0 */
/* The events that ION has on some boards' 3.10, with the parameters that they have there. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ion

#if !defined(ION_EVENTS_H) || defined(TRACE_HEADER_MULTI_READ)
#define ION_EVENTS_H

#include <linux/sched.h>
#include <linux/tracepoint.h>

TRACE_EVENT(ion_alloc,
	TP_PROTO(size_t len, size_t align, unsigned int heap_id_mask, unsigned int flags,
		 unsigned int handle_id, void *buffer),
	TP_ARGS(len, align, heap_id_mask, flags, handle_id, buffer),
	TP_STRUCT__entry(__field(size_t, len)),
	TP_fast_assign(__entry->len = len;),
	TP_printk("len %zu", __entry->len)
);

TRACE_EVENT(ion_free_handle,
	TP_PROTO(unsigned int handle_id, int handle_count, void *buffer),
	TP_ARGS(handle_id, handle_count, buffer),
	TP_STRUCT__entry(__field(unsigned int, handle_id)),
	TP_fast_assign(__entry->handle_id = handle_id;),
	TP_printk("handle %u", __entry->handle_id)
);

TRACE_EVENT(ion_free_buffer,
	TP_PROTO(void *buffer),
	TP_ARGS(buffer),
	TP_STRUCT__entry(__field(void *, buffer)),
	TP_fast_assign(__entry->buffer = buffer;),
	TP_printk("buffer %p", __entry->buffer)
);

DECLARE_EVENT_CLASS(ion_fd,
	TP_PROTO(unsigned int handle_id, int fd),
	TP_ARGS(handle_id, fd),
	TP_STRUCT__entry(__field(int, fd)),
	TP_fast_assign(__entry->fd = fd;),
	TP_printk("fd %d", __entry->fd)
);

DEFINE_EVENT(ion_fd, ion_map,
	TP_PROTO(unsigned int handle_id, int fd),
	TP_ARGS(handle_id, fd)
);

DEFINE_EVENT(ion_fd, ion_import,
	TP_PROTO(unsigned int handle_id, int fd),
	TP_ARGS(handle_id, fd)
);

DECLARE_EVENT_CLASS(ion_client,
	TP_PROTO(struct task_struct *task, pid_t pid),
	TP_ARGS(task, pid),
	TP_STRUCT__entry(__field(pid_t, pid)),
	TP_fast_assign(__entry->pid = pid;),
	TP_printk("pid %d", __entry->pid)
);

DEFINE_EVENT(ion_client, ion_client_creat,
	TP_PROTO(struct task_struct *task, pid_t pid),
	TP_ARGS(task, pid)
);

DEFINE_EVENT(ion_client, ion_client_free,
	TP_PROTO(struct task_struct *task, pid_t pid),
	TP_ARGS(task, pid)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE ion_events
#include <trace/define_trace.h>

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which adapter fits a trace event: the compiler knows.
 *
 * For each event the kernel's header defines check_trace_callback_type_<event>(), which takes a
 * pointer to a probe of the event's exact type. An adapter fits if a pointer to it is of that
 * type. If none of those given does, the initializer is of a type that does not exist, so the
 * build stops at the line that names the event: write an adapter for the shape that the kernel's
 * include/trace/events/ has now and add it there.
 */
#ifndef COMPAT_TRACE_H
#define COMPAT_TRACE_H

#include <linux/tracepoint.h>

struct lw_no_adapter_fits_this_event;	/* never completed */

#define LW_FITS(event, fn)							\
	__builtin_types_compatible_p(typeof(check_trace_callback_type_##event),	\
				     void (typeof(fn) *))

#define LW_ADAPTER_1(event, a)							\
	__builtin_choose_expr(LW_FITS(event, a), (void *)(a),			\
			      *(struct lw_no_adapter_fits_this_event *)NULL)
#define LW_ADAPTER_2(event, a, b)						\
	__builtin_choose_expr(LW_FITS(event, a), (void *)(a), LW_ADAPTER_1(event, b))
#define LW_ADAPTER_3(event, a, b, c)						\
	__builtin_choose_expr(LW_FITS(event, a), (void *)(a), LW_ADAPTER_2(event, b, c))

#endif

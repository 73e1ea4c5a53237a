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

#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/rcupdate.h>
#include <linux/tracepoint.h>
#include <linux/version.h>

struct lw_no_adapter_fits_add_one_here;	/* never completed */

#define LW_FITS(event, fn)							\
	__builtin_types_compatible_p(typeof(check_trace_callback_type_##event),	\
				     void (typeof(fn) *))

#define LW_ADAPTER_1(event, a)							\
	__builtin_choose_expr(LW_FITS(event, a), (void *)(a),			\
			      *(struct lw_no_adapter_fits_add_one_here *)NULL)
#define LW_ADAPTER_2(event, a, b)						\
	__builtin_choose_expr(LW_FITS(event, a), (void *)(a), LW_ADAPTER_1(event, b))
#define LW_ADAPTER_3(event, a, b, c)						\
	__builtin_choose_expr(LW_FITS(event, a), (void *)(a), LW_ADAPTER_2(event, b, c))

#if defined(CONFIG_TRACEPOINTS) && LINUX_VERSION_CODE >= KERNEL_VERSION(3, 15, 0)

/** lw_trace_each() - call @see for each of the kernel's tracepoints. Process context. */
static inline void lw_trace_each(void (*see)(struct tracepoint *tp, void *arg), void *arg)
{
	for_each_kernel_tracepoint(see, arg);
}

/**
 * lw_trace_attach() - let a tracepoint call a function
 * @tp: the tracepoint
 * @name: its name, in the caller's own memory: until 3.14 @tp may have gone with its module
 * @probe: the function
 *
 * Process context. Return: 0 or an error.
 */
static inline int lw_trace_attach(struct tracepoint *tp, const char *name, void *probe)
{
	return tracepoint_probe_register(tp, probe, NULL);
}

/**
 * lw_trace_detach() - no more; calls may still be under way
 * @tp: the tracepoint
 * @name: its name
 * @probe: the function
 *
 * Where others listen, too, kernels before 5.10 or so want memory for that, and without it nothing
 * has changed: it is waited for, as what is called is about to go. Process context.
 */
static inline void lw_trace_detach(struct tracepoint *tp, const char *name, void *probe)
{
	while (tracepoint_probe_unregister(tp, probe, NULL) == -ENOMEM)
		msleep(20);
}

#elif defined(CONFIG_TRACEPOINTS)

/*
 * Until 3.14 they were known by name, and registering with a name that none has was no error. So
 * here, too, a name counts for nothing that is not among those that the kernel has.
 */
static inline void lw_trace_each(void (*see)(struct tracepoint *tp, void *arg), void *arg)
{
	struct tracepoint_iter at;

	tracepoint_iter_reset(&at);
	for (tracepoint_iter_start(&at); at.tracepoint; tracepoint_iter_next(&at))
		see(*at.tracepoint, arg);
	tracepoint_iter_stop(&at);
}

static inline int lw_trace_attach(struct tracepoint *tp, const char *name, void *probe)
{
	return tracepoint_probe_register(name, probe, NULL);
}

static inline void lw_trace_detach(struct tracepoint *tp, const char *name, void *probe)
{
	while (tracepoint_probe_unregister(name, probe, NULL) == -ENOMEM)
		msleep(20);
}

#else

static inline void lw_trace_each(void (*see)(struct tracepoint *tp, void *arg), void *arg)
{
}

static inline int lw_trace_attach(struct tracepoint *tp, const char *name, void *probe)
{
	return -ENOENT;
}

static inline void lw_trace_detach(struct tracepoint *tp, const char *name, void *probe)
{
}

#endif

#if defined(CONFIG_TRACEPOINTS) && defined(CONFIG_MODULES) &&			\
	LINUX_VERSION_CODE >= KERNEL_VERSION(3, 15, 0)

#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 19, 0)
#define tracepoint_ptr_deref(at)	(*(at))
#endif

struct lw_trace_of_modules {
	struct notifier_block nb;
	void (*see)(struct tracepoint *tp, struct module *owner);
};

static inline int lw_trace_of_module(struct notifier_block *nb, unsigned long state, void *data)
{
	const struct lw_trace_of_modules *of = container_of(nb, struct lw_trace_of_modules, nb);
	struct module *owner = ((struct tp_module *)data)->mod;
	unsigned int i;

	for (i = 0; state == MODULE_STATE_COMING && i < owner->num_tracepoints; i++)
		of->see(tracepoint_ptr_deref(owner->tracepoints_ptrs + i), owner);
	return NOTIFY_OK;
}

/**
 * lw_trace_each_of_modules() - call @see for each tracepoint of the modules that are loaded
 * @see: may hold the module; it cannot go meanwhile
 *
 * Until 3.14 those are among the kernel's (lw_trace_each()), and are known by name, whether their
 * module is there or not. Process context.
 */
static inline void lw_trace_each_of_modules(void (*see)(struct tracepoint *tp,
							struct module *owner))
{
	struct lw_trace_of_modules of = { .nb.notifier_call = lw_trace_of_module, .see = see };

	/* who begins to listen is told of what is there */
	if (!register_tracepoint_module_notifier(&of.nb))
		unregister_tracepoint_module_notifier(&of.nb);
}

#else

static inline void lw_trace_each_of_modules(void (*see)(struct tracepoint *tp,
							struct module *owner))
{
}

#endif

/**
 * lw_hooks_wait() - wait until nobody is inside of what a tracepoint or a probe called
 *
 * What is called with interrupts or preemption off, or, by a tracepoint of 7.x, in an SRCU section.
 * Process context, sleeps.
 */
static inline void lw_hooks_wait(void)
{
#if defined(CONFIG_TRACEPOINTS)
	tracepoint_synchronize_unregister();
#elif LINUX_VERSION_CODE < KERNEL_VERSION(5, 1, 0)
	synchronize_sched();
#else
	synchronize_rcu();
#endif
}

#endif

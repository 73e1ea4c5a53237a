/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hook: where the kernel tells us of its events.
 *
 * A hook is a tracepoint, found by its name at run time, or the entry of a function that frees, or
 * entry and return of one that allocates, without an event. Each is an adapter that turns the
 * kernel's parameters into a call of a door (door.h) and does nothing else. A hook that the kernel
 * does not have is left out and says so; if a class lacks one that it cannot do without, the class
 * is off. Where there are no tracepoints, the allocators' own functions stand in for them
 * (function.c); the rest is the same.
 *
 * Order: hooks of frees are attached first and detached last, so no allocation is ever stored
 * whose free is not listened for.
 *
 * Locking: attach and detach are called under lw_lock (report.h), never at once.
 */
#ifndef LEAKWATCH_HOOK_H
#define LEAKWATCH_HOOK_H

#include <linux/kprobes.h>
#include <linux/tracepoint.h>
#include <compat/ftrace.h>
#include <leakwatch/site.h>

/**
 * enum lw_hook_type - how it is hooked
 * @LW_TRACE: by a tracepoint
 * @LW_ENTRY: at the entry of a function, by ftrace if the kernel can, else by a kprobe (probe.c)
 * @LW_RETURN: at its entry and its return, by a kretprobe
 */
enum lw_hook_type {
	LW_TRACE,
	LW_ENTRY,
	LW_RETURN,
};

#define LW_HOOK_SYMBOLS	4

/**
 * struct lw_hook - a hook
 * @name: the tracepoint's, or what status calls it
 * @type: how it is hooked; what has a function as well as a tracepoint, where that is absent
 * @class: whose events these are
 * @frees: it tells of frees, so it is attached before those that tell of allocations
 * @needed: the class is off without it
 * @instead: it is a function that stands in for a tracepoint
 * @late: it is a tracepoint that tells too late, so its function stands in for it in any case
 * @ion: it is one of ION's, which come and go without those of DMA-BUF
 * @beside: a function without which @symbol and @trace are something else; NULL if there is none
 * @symbol: for functions, the names that the function has had, newest first
 * @trace: for a tracepoint, the adapter in exact mode, and
 * @sampled: in sampled mode; @trace if NULL
 * @entry: for LW_ENTRY, the adapter; it gets the function's first arguments
 * @enter: for LW_RETURN, the adapter at the entry; it may leave something in @data for
 * @leave: the adapter at the return
 * @data: how many bytes that is
 * @attached: it is live now
 * @err: why it is not, if it was tried
 * @tp: the tracepoint, once found
 * @owner: the module that has it, held as long as it is attached; NULL if the kernel has it
 * @probe: which of the two adapters is attached to it
 * @by_ftrace: it is ftrace that calls @entry, by
 * @ops: its handle; otherwise
 * @kp: the kprobe; for LW_RETURN, one that keeps others from being optimised, where it takes that
 * @rp: for LW_RETURN, the kretprobe
 * @events: how often it was called, per CPU; a tracepoint's adapter counts, for others probe.c does
 * @missed: of what a change of mode detaches, how often it was not, before the last one
 */
struct lw_hook {
	const char *name;
	enum lw_hook_type type;
	enum lw_class class;
	bool frees;
	bool needed;
	bool instead;
	bool late;
	bool ion;
	const char *beside;
	const char *symbol[LW_HOOK_SYMBOLS];
	void *trace;
	void *sampled;
	void (*entry)(unsigned long arg0, unsigned long arg1, unsigned long arg2);
	void (*enter)(void *data, struct pt_regs *regs);
	void (*leave)(void *data, struct pt_regs *regs);
	size_t data;
	bool attached;
	int err;
	struct tracepoint *tp;
	struct module *owner;
	void *probe;
	bool by_ftrace;
#ifdef LW_HAVE_FTRACE
	struct ftrace_ops ops;
#endif
	struct kprobe kp;
	struct kretprobe rp;
	unsigned long __percpu *events;
	unsigned long missed;
};

extern struct lw_hook lw_kmem_hooks[], lw_page_hooks[], lw_function_hooks[], lw_buffer_hooks[],
	lw_ion_hooks[];
extern const unsigned int lw_nr_kmem_hooks, lw_nr_page_hooks, lw_nr_function_hooks,
	lw_nr_buffer_hooks, lw_nr_ion_hooks;

/* Which page was allocated last on a CPU, as bulk allocation then tells of it again (page.c). */
DECLARE_PER_CPU(struct page *, lw_page_last);

/**
 * enum lw_backend - how the allocators are hooked
 * @LW_AUTO: by tracepoints if the kernel has those that are needed, else by kprobes
 * @LW_TRACEPOINTS: by their events
 * @LW_KPROBES: at their functions (function.c)
 */
enum lw_backend {
	LW_AUTO,
	LW_TRACEPOINTS,
	LW_KPROBES,
};

/** lw_hook_type() - Return: how @hook is hooked on this kernel */
static inline enum lw_hook_type lw_hook_type(const struct lw_hook *hook)
{
	return hook->tp ? LW_TRACE : hook->type;
}

/**
 * lw_hooks_init() - find the hooks
 * @classes: a bit for each enum lw_class that is wanted
 * @backend: how the allocators shall be hooked
 * @without: names of hooks to leave out, separated by commas; may be empty
 *
 * Process context. Return: 0, -ENOMEM, or -EINVAL if @without names a hook that does not exist.
 */
int lw_hooks_init(unsigned int classes, enum lw_backend backend, const char *without);

/** lw_hooks_backend() - Return: how the allocators are hooked: LW_TRACEPOINTS or LW_KPROBES */
enum lw_backend lw_hooks_backend(void);

/**
 * lw_hooks_attach() - attach every hook of the classes that are wanted
 *
 * Process context, may sleep. Return: 0, or -EOPNOTSUPP if no class has what it needs.
 */
int lw_hooks_attach(void);

/**
 * lw_hooks_pause() - detach the hooks of allocations, and wait until nobody is inside
 *
 * A change of mode begins with it. Frees are heard throughout. Process context, may sleep.
 */
void lw_hooks_pause(void);

/**
 * lw_hooks_turn() - let frees come in as the mode now is; between pause and resume
 *
 * When it returns nobody is inside of a hook who came before it began. Process context, may
 * sleep.
 *
 * Return: 0 or an error: then some come in by the old way, and watching has to end.
 */
int lw_hooks_turn(void);

/** lw_hooks_resume() - attach the hooks of allocations again. Return: 0 or an error, as above. */
int lw_hooks_resume(void);

/** lw_hooks_detach() - detach all, and wait until nobody is inside. Process context, may sleep. */
void lw_hooks_detach(void);

/**
 * lw_probes_begin() - before hooks are attached: is ftrace there to be attached to?
 *
 * Process context, may sleep.
 */
void lw_probes_begin(void);

/**
 * lw_probe_attach() - attach a hook of type LW_ENTRY or LW_RETURN
 * @hook: the hook
 * @symbol: the function
 *
 * One of type LW_RETURN is not called before lw_probe_listen(). Process context, may sleep.
 *
 * Return: 0, -ENOENT if there is no such function, or an error.
 */
int lw_probe_attach(struct lw_hook *hook, const char *symbol);

/** lw_probe_exists() - Return: whether the kernel has a function. Process context, may sleep. */
bool lw_probe_exists(const char *symbol);

/** lw_probe_listen() - let a hook of type LW_RETURN be called. May sleep. Return: 0 or an error. */
int lw_probe_listen(struct lw_hook *hook);

/** lw_probe_detach() - detach it, and wait until nobody is inside. Process context, may sleep. */
void lw_probe_detach(struct lw_hook *hook);

/** lw_hooks_clear() - set the counts of events to 0; the hooks are detached */
void lw_hooks_clear(void);

/** lw_hook_left_out() - Return: whether this kernel has it, and it is not heard all the same */
static inline bool lw_hook_left_out(const struct lw_hook *hook)
{
	return !hook->attached && hook->err && hook->err != -ENOENT;
}

/** lw_hooks_class() - Return: whether @class is being watched; if stopped, whether it was */
bool lw_hooks_class(enum lw_class class);

/** lw_hooks_classes() - Return: a bit for each class of which that holds */
unsigned int lw_hooks_classes(void);

/** lw_export_heard() - Return: whether it is heard when a DMA-BUF is exported */
bool lw_export_heard(void);

/** lw_ion_defers() - Return: whether it is heard when heaps of ION's free later */
bool lw_ion_defers(void);

/** lw_hooks_each() - call @see for each hook. Process context. */
void lw_hooks_each(void (*see)(const struct lw_hook *hook, void *arg), void *arg);

/** lw_hook_events() - Return: how often @hook was called */
unsigned long lw_hook_events(const struct lw_hook *hook);

/**
 * lw_hook_missed() - how often the kernel could not call a hook
 * @hook: the hook
 *
 * Probes nested in probes, no kretprobe instance left. What ftrace calls is never missed.
 *
 * Return: how often.
 */
unsigned long lw_hook_missed(const struct lw_hook *hook);

#endif

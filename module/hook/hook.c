// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <compat/ftrace.h>
#include <compat/trace.h>
#include <leakwatch/door.h>
#include <leakwatch/hook.h>
#include <leakwatch/sample.h>

#define MODAL	(BIT(LW_SLAB) | BIT(LW_PAGE))	/* classes that can be sampled */

/* Beside the classes: ION, which is of class buffer, but needs nothing of what DMA-BUF needs. */
#define ION	BIT(LW_NR_CLASSES)

static unsigned int wanted;	/* classes asked for, a bit each, and ION */
static unsigned int watched;	/* those that have what they need; if stopped, had */

static enum lw_backend backend = LW_TRACEPOINTS;

static const struct {
	struct lw_hook *hook;
	const unsigned int *nr;
} tables[] = {
	{ lw_kmem_hooks, &lw_nr_kmem_hooks },
	{ lw_page_hooks, &lw_nr_page_hooks },
	{ lw_function_hooks, &lw_nr_function_hooks },
	{ lw_buffer_hooks, &lw_nr_buffer_hooks },
	{ lw_ion_hooks, &lw_nr_ion_hooks },
};

/* Functions stand in for tracepoints that are not used, and only then. */
static bool is_used(const struct lw_hook *hook)
{
	return backend == LW_KPROBES ? hook->type != LW_TRACE : !hook->instead && !hook->late;
}

/* The first hook in use from @hook on; NULL if there is none. */
static struct lw_hook *hook_from(unsigned int table, struct lw_hook *hook)
{
	while (hook == tables[table].hook + *tables[table].nr || !is_used(hook)) {
		if (hook < tables[table].hook + *tables[table].nr)
			hook++;
		else if (++table < ARRAY_SIZE(tables))
			hook = tables[table].hook;
		else
			return NULL;
	}
	return hook;
}

static struct lw_hook *next_hook(struct lw_hook *hook)
{
	unsigned int table = 0;

	while (hook < tables[table].hook || hook >= tables[table].hook + *tables[table].nr)
		table++;
	return hook_from(table, hook + 1);
}

#define for_each_hook(hook)							\
	for (hook = hook_from(0, tables[0].hook); hook; hook = next_hook(hook))

static unsigned int bit_of(const struct lw_hook *hook)
{
	return hook->ion ? ION : BIT(hook->class);
}

static void match(struct tracepoint *tp, void *unused)
{
	struct lw_hook *hook;

	for_each_hook(hook)
		if (hook->trace && !strcmp(hook->name, tp->name))
			hook->tp = tp;
}

/* ION alone may be a module that has events. */
static void match_of_module(struct tracepoint *tp, struct module *owner)
{
	struct lw_hook *hook;

	for_each_hook(hook)
		if (hook->ion && hook->trace && !hook->tp && !strcmp(hook->name, tp->name) &&
		    try_module_get(owner)) {
			hook->tp = tp;
			hook->owner = owner;
		}
}

static void let_go(struct lw_hook *hook)
{
	if (!hook->owner)
		return;
	module_put(hook->owner);
	hook->owner = NULL;
	hook->tp = NULL;
}

static void *adapter(const struct lw_hook *hook)
{
	return lw_sampled() && hook->sampled ? hook->sampled : hook->trace;
}

static void attach(struct lw_hook *hook)
{
	int i;

	if (hook->err == -ECANCELED)	/* left out by the user */
		return;
	if (hook->beside && hook->err)
		return;
	hook->err = -ENOENT;
	if (hook->tp) {
		hook->probe = adapter(hook);
		hook->err = lw_trace_attach(hook->tp, hook->name, hook->probe);
	} else {
		for (i = 0; i < LW_HOOK_SYMBOLS && hook->symbol[i] && hook->err == -ENOENT; i++)
			hook->err = lw_probe_attach(hook, hook->symbol[i]);
	}
	hook->attached = !hook->err;
}

static void detach(struct lw_hook *hook)
{
	if (!hook->attached)
		return;
	hook->attached = false;
	if (hook->tp)
		lw_trace_detach(hook->tp, hook->name, hook->probe);
	else
		lw_probe_detach(hook);
}

/*
 * Teardown. Who may still be inside of a door when this begins, and why nobody is when it ends:
 *
 *  - a tracepoint's probe, on any CPU, preempted or interrupted:
 *    lw_hooks_wait() waits for every caller that may have seen the probe (RCU,
 *    and SRCU where probes can be preempted);
 *  - what ftrace calls: unregister_ftrace_function() waits until no task can be in the trampoline
 *    that calls it, even preempted (RCU tasks); but not if it is of the kernel's own data, as when
 *    this is built in: then we do;
 *  - a kprobe's handler: unregister_kprobe() waits for a grace period;
 *  - a kretprobe's return handler, of a function that was entered before: after
 *    unregister_kretprobe() such a function returns through the kernel's trampoline, which calls
 *    nothing of ours.
 *
 * Allocations go first. What is allocated from here on is not stored; what is freed is still
 * removed until the second pass, so the tables stay right up to the moment they freeze.
 */
static void detach_some(unsigned int classes, bool frees)
{
	struct lw_hook *hook;

	for_each_hook(hook)
		if (hook->frees == frees && classes & bit_of(hook))
			detach(hook);
	lw_hooks_wait();
#ifndef MODULE
	lw_ftrace_wait();
#endif
}

static void detach_classes(unsigned int classes)
{
	detach_some(classes, false);
	detach_some(classes, true);
}

void lw_hooks_detach(void)
{
	struct lw_hook *hook;

	detach_classes(~0U);
	for_each_hook(hook)
		let_go(hook);
}

/*
 * Frees first. Then the probes of allocations, which listen when all are there, before their
 * tracepoints: registering a kretprobe allocates, and that is not to be seen.
 */
enum turn { FREES, PROBES, LISTEN, TRACEPOINTS, NR_TURNS };

static bool in_turn(const struct lw_hook *hook, enum turn turn)
{
	if (hook->frees)
		return turn == FREES;
	if (hook->type == LW_TRACE)
		return turn == TRACEPOINTS;
	if (turn == LISTEN)
		return hook->attached && lw_hook_type(hook) == LW_RETURN;
	return turn == PROBES;
}

static void take_turn(struct lw_hook *hook, enum turn turn)
{
	if (turn != LISTEN)
		return attach(hook);
	hook->err = lw_probe_listen(hook);
	if (hook->err)
		detach(hook);
}

/* Return: the classes that lack a hook which they need; the others are attached. */
static unsigned int attach_classes(unsigned int classes, enum turn first)
{
	unsigned int lacking = 0;
	struct lw_hook *hook;
	enum turn turn;

	for (turn = first; turn < NR_TURNS; turn++)
		for_each_hook(hook)
			if (in_turn(hook, turn) && classes & ~lacking & bit_of(hook)) {
				take_turn(hook, turn);
				if (hook->needed && !hook->attached)
					lacking |= bit_of(hook);
			}
	return lacking;
}

static const char *why(const struct lw_hook *hook)
{
	return hook->err == -ECANCELED ? "left out" : hook->err == -ENOENT ? "absent" : "refused";
}

/* A kernel that does not say which functions it has would have every one. */
static bool is_there(const char *symbol)
{
	return lw_probe_exists(symbol) && !lw_probe_exists("no function is called that");
}

/* What most kernels do not have is not worth a word there. */
static bool is_in_the_way(const struct lw_hook *hook)
{
	if (!hook->needed || !hook->err || !(wanted & bit_of(hook)))
		return false;
	if (hook->ion)
		return !(watched & ION) && is_there(hook->beside);
	return !lw_hooks_class(hook->class);
}

int lw_hooks_attach(void)
{
	unsigned int lacking;
	struct lw_hook *hook;

	if (wanted & ION)
		lw_trace_each_of_modules(match_of_module);
	for_each_hook(hook)
		if (hook->beside && hook->err != -ECANCELED)
			hook->err = lw_probe_exists(hook->beside) ? 0 : -ENOENT;
	lw_probes_begin();
	watched = wanted;
	lw_pages_on = lw_hooks_class(LW_PAGE);
	lacking = attach_classes(wanted, FREES);
	detach_classes(lacking);
	for_each_hook(hook)
		if (!hook->attached)
			let_go(hook);
	watched = wanted & ~lacking;
	lw_pages_on = lw_hooks_class(LW_PAGE);
	for_each_hook(hook)
		if (watched && is_in_the_way(hook))
			pr_warn("%s%s is off: its hook %s is %s (%d)\n", hook->ion ? "" : "class ",
				hook->ion ? "ION" : lw_class_name(hook->class), hook->name,
				why(hook), hook->err);
	return watched ? 0 : -EOPNOTSUPP;
}

void lw_hooks_pause(void)
{
	struct lw_hook *hook;

	for_each_hook(hook)
		if (!hook->frees && hook->attached && MODAL & bit_of(hook))
			hook->missed = lw_hook_missed(hook);
	detach_some(MODAL, false);
}

/* The new adapter comes before the old one goes, so whichever is first takes what is freed. */
int lw_hooks_turn(void)
{
	struct lw_hook *hook;
	int err = 0;

	for_each_hook(hook) {
		if (err || !hook->frees || !hook->attached || hook->type != LW_TRACE ||
		    hook->probe == adapter(hook))
			continue;
		err = lw_trace_attach(hook->tp, hook->name, adapter(hook));
		if (err)
			continue;
		lw_trace_detach(hook->tp, hook->name, hook->probe);
		hook->probe = adapter(hook);
	}
	lw_hooks_wait();
	lw_ftrace_wait();
	return err;
}

int lw_hooks_resume(void)
{
	unsigned int lacking = attach_classes(watched & MODAL, PROBES);
	struct lw_hook *hook;
	int err = 0;

	for_each_hook(hook)
		if (lacking & bit_of(hook) && hook->needed && !hook->attached)
			err = hook->err;
	return err;
}

void lw_hooks_clear(void)
{
	struct lw_hook *hook;
	int cpu;

	for_each_hook(hook) {
		hook->missed = 0;
		hook->kp.nmissed = 0;
		hook->rp.nmissed = 0;
		hook->rp.kp.nmissed = 0;
		for_each_possible_cpu(cpu)
			WRITE_ONCE(*per_cpu_ptr(hook->events, cpu), 0);
	}
}

bool lw_hooks_class(enum lw_class class)
{
	return watched & (class == LW_BUFFER ? BIT(class) | ION : BIT(class));
}

unsigned int lw_hooks_classes(void)
{
	unsigned int class, classes = 0;

	for (class = 0; class < LW_NR_CLASSES; class++)
		classes |= lw_hooks_class(class) ? BIT(class) : 0;
	return classes;
}

void lw_hooks_each(void (*see)(const struct lw_hook *hook, void *arg), void *arg)
{
	struct lw_hook *hook;

	for_each_hook(hook)
		see(hook, arg);
}

unsigned long lw_hook_events(const struct lw_hook *hook)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(hook->events, cpu));
	return sum;
}

unsigned long lw_hook_missed(const struct lw_hook *hook)
{
	switch (lw_hook_type(hook)) {
	case LW_ENTRY:
		return hook->missed + (hook->by_ftrace ? 0 : hook->kp.nmissed);
	case LW_RETURN:
		return hook->missed + hook->rp.nmissed + hook->rp.kp.nmissed;
	default:
		return 0;
	}
}

static int leave_out(const char *names)
{
	char *copy, *rest, *name;
	struct lw_hook *hook;
	bool found = true;

	copy = kstrdup(names, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	rest = copy;
	while (found && (name = strsep(&rest, ","))) {
		found = !*name;
		for_each_hook(hook)
			if (!strcmp(hook->name, name)) {
				hook->err = -ECANCELED;
				found = true;
			}
		if (!found)
			pr_err("without: no hook is named '%s'; status lists them\n", name);
	}
	kfree(copy);
	return found ? 0 : -EINVAL;
}

enum lw_backend lw_hooks_backend(void)
{
	return backend;
}

static bool lacks_tracepoints(void)
{
	struct lw_hook *hook;

	for_each_hook(hook)
		if (hook->type == LW_TRACE && hook->needed && !hook->tp &&
		    wanted & bit_of(hook))
			return true;
	return false;
}

int lw_hooks_init(unsigned int classes, enum lw_backend asked, const char *without)
{
	wanted = classes & BIT(LW_BUFFER) ? classes | ION : classes;
	lw_trace_each(match, NULL);
	backend = asked ?: lacks_tracepoints() ? LW_KPROBES : LW_TRACEPOINTS;
	return leave_out(without);
}

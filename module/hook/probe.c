// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that are hooked where no tracepoint is.
 *
 * A kprobe is not called while another one is at work on that CPU, not even in an interrupt that
 * comes in between: the kernel only counts it (nmissed). Disabling interrupts in the handler would
 * not help, they would come right behind it, while the kprobe still is at work. A free that is
 * missed is a phantom, so frees are hooked by ftrace itself where the kernel can: it has no such
 * rule. An allocation that is missed is not in the tables and its free is unmatched; there is no
 * other way to a function's return than the kretprobe.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <compat/percpu.h>
#include <compat/regs.h>
#include <compat/stack.h>
#include <leakwatch/hook.h>

#ifdef LW_HAVE_FTRACE
static void called(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
		   struct ftrace_regs *fregs)
{
	const struct lw_hook *hook = container_of(ops, struct lw_hook, ops);

	lw_count_inc(*hook->events);
	hook->entry(lw_ftrace_arg(fregs, 0), lw_ftrace_arg(fregs, 1), lw_ftrace_arg(fregs, 2));
}

static void forget_filter(struct ftrace_ops *ops)
{
	ftrace_set_filter(ops, NULL, 0, 1);
}

static bool is_off;

#ifdef LW_FTRACE_MAY_BE_OFF
static void hear(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
		 struct ftrace_regs *fregs)
{
	is_off = false;
}

/* By a call of our own. Who switches it off later takes along all hooks that stand on it. */
void lw_probes_begin(void)
{
	static struct ftrace_ops ops = { .func = hear, .flags = LW_FTRACE_FLAGS };
	unsigned char name[] = "si_meminfo";
	struct sysinfo info;

	is_off = true;
	if (!ftrace_set_filter(&ops, name, strlen(name), 1) && !register_ftrace_function(&ops)) {
		si_meminfo(&info);
		unregister_ftrace_function(&ops);
	}
	forget_filter(&ops);
}
#else
void lw_probes_begin(void)
{
}
#endif

static int attach_ftrace(struct lw_hook *hook, const char *symbol)
{
	unsigned char name[64];
	int err;

	if (is_off)
		return -EBUSY;
	strscpy((char *)name, symbol, sizeof(name));
	hook->ops.func = called;
	hook->ops.flags |= LW_FTRACE_FLAGS;
	/* without a filter it would be called for every function there is */
	err = ftrace_set_filter(&hook->ops, name, strlen(symbol), 1);
	if (err)
		return err;
	err = register_ftrace_function(&hook->ops);
	if (err)
		forget_filter(&hook->ops);
	return err;
}

static void detach_ftrace(struct lw_hook *hook)
{
	unregister_ftrace_function(&hook->ops);
	forget_filter(&hook->ops);
}
#else
void lw_probes_begin(void)
{
}

static int attach_ftrace(struct lw_hook *hook, const char *symbol)
{
	return -EOPNOTSUPP;
}

static void detach_ftrace(struct lw_hook *hook)
{
}
#endif

static int entered(struct kprobe *kp, struct pt_regs *regs)
{
	const struct lw_hook *hook = container_of(kp, struct lw_hook, kp);

	lw_count_inc(*hook->events);
	hook->entry(lw_regs_arg(regs, 0), lw_regs_arg(regs, 1), lw_regs_arg(regs, 2));
	return 0;
}

/* NULL if it is being unregistered at this very moment. */
static const struct lw_hook *hook_of(struct kretprobe_instance *ri)
{
	struct kretprobe *rp = lw_kretprobe(ri);

	return likely(rp) ? container_of(rp, struct lw_hook, rp) : NULL;
}

static int entered_for_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct lw_hook *hook = hook_of(ri);

	if (!hook)
		return 1;	/* its return is none of ours */
	hook->enter(ri->data, regs);
	return 0;
}

static int returned(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct lw_hook *hook = hook_of(ri);

	if (hook) {
		lw_count_inc(*hook->events);
		hook->leave(ri->data, regs);
	}
	return 0;
}

/* How many calls may be under way at once: they sleep in the allocator. */
static int instances(void)
{
	return 64 + 4 * num_possible_cpus();
}

static void stepped(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

/* Where a kprobe wants to know what comes after the instruction, none is optimised. */
static int attach_guard(struct lw_hook *hook, const char *symbol)
{
	hook->kp = (struct kprobe) {
		.symbol_name = symbol,
		.post_handler = stepped,
	};
	return register_kprobe(&hook->kp);
}

static int attach_entry(struct lw_hook *hook, const char *symbol, unsigned int offset)
{
	hook->kp = (struct kprobe) {
		.symbol_name = symbol,
		.offset = offset,
		.pre_handler = entered,
		.post_handler = LW_ENTRY_IN_DETOUR ? NULL : stepped,
	};
	return register_kprobe(&hook->kp);
}

int lw_probe_attach(struct lw_hook *hook, const char *symbol)
{
	int err = 0;

	hook->by_ftrace = hook->type == LW_ENTRY && !attach_ftrace(hook, symbol);
	if (hook->by_ftrace)
		return 0;
	if (!IS_ENABLED(CONFIG_KPROBES))
		return lw_has_function(symbol) ? -EOPNOTSUPP : -ENOENT;
	if (hook->type == LW_RETURN) {
		if (!LW_STACK_IN_DETOUR)
			err = attach_guard(hook, symbol);
		if (err)
			return err;
		hook->rp = (struct kretprobe) {
			.kp.symbol_name = symbol,
			.kp.flags = KPROBE_FLAG_DISABLED,
			.entry_handler = entered_for_return,
			.handler = returned,
			.maxactive = instances(),
			.data_size = hook->data,
		};
		err = register_kretprobe(&hook->rp);
		if (err && !LW_STACK_IN_DETOUR)
			unregister_kprobe(&hook->kp);
		return err;
	}
	err = attach_entry(hook, symbol, LW_ENTRY_FIRST);
	if (err == -EINVAL && LW_ENTRY_NEXT > 0)
		err = attach_entry(hook, symbol, LW_ENTRY_NEXT);
	return err;
}

bool lw_probe_exists(const char *symbol)
{
	struct kprobe kp = { .symbol_name = symbol, .flags = KPROBE_FLAG_DISABLED };
	int err;

	if (!IS_ENABLED(CONFIG_KPROBES))
		return lw_has_function(symbol);
	err = register_kprobe(&kp);
	if (!err)
		unregister_kprobe(&kp);
	/* of what is there the first instruction may be one that cannot be probed */
	return err != -ENOENT;
}

int lw_probe_listen(struct lw_hook *hook)
{
	return enable_kretprobe(&hook->rp);
}

void lw_probe_detach(struct lw_hook *hook)
{
	if (hook->type == LW_RETURN) {
		unregister_kretprobe(&hook->rp);
		if (!LW_STACK_IN_DETOUR)
			unregister_kprobe(&hook->kp);
	} else if (hook->by_ftrace) {
		detach_ftrace(hook);
	} else {
		unregister_kprobe(&hook->kp);
	}
}

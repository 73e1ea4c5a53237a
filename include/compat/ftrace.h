/* SPDX-License-Identifier: GPL-2.0 */
/* Being called at the entry of a function, with its arguments, by ftrace. */
#ifndef COMPAT_FTRACE_H
#define COMPAT_FTRACE_H

#include <linux/ftrace.h>
#include <linux/rcupdate.h>
#include <linux/version.h>
#include <compat/regs.h>

/*
 * Before 4.13 or so, and until 5.10 where there is no trampoline for each who listens, as only x86
 * has it, a kernel that can be preempted calls modules from a walk over all who listen, at whose
 * end the task can be preempted, while it still counts as walking. What the scheduler then frees,
 * of the task before, nobody is called for: a phantom. So there kprobes do it (LW_ENTRY_FIRST).
 */
#if defined(CONFIG_PREEMPT) && \
	(LINUX_VERSION_CODE < KERNEL_VERSION(4, 13, 0) || \
	 (!defined(CONFIG_X86) && LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)))
#define LW_FTRACE_LOSES
#endif

#if defined(CONFIG_FUNCTION_TRACER) && !defined(LW_FTRACE_LOSES) && \
	(defined(CONFIG_DYNAMIC_FTRACE_WITH_REGS) || defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS))
#define LW_HAVE_FTRACE

/* All registers, where there is no way to get at the arguments alone; x86 always has these. */
#if defined(CONFIG_X86_64) && defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS)
#define LW_FTRACE_HAS_REGS
#define LW_FTRACE_REGS	0
#else
#define LW_FTRACE_REGS	(FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_SAVE_REGS_IF_SUPPORTED)
#endif

/*
 * A handler here cannot meet itself, so it wants no protection from that: until 5.10 one says so,
 * after that one says nothing. And nobody may switch it off by sysctl, where that can be asked for.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 5, 0)
#define LW_FTRACE_FLAGS	(LW_FTRACE_REGS | FTRACE_OPS_FL_RECURSION_SAFE)
#elif LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
#define LW_FTRACE_FLAGS	(LW_FTRACE_REGS | FTRACE_OPS_FL_RECURSION_SAFE | FTRACE_OPS_FL_PERMANENT)
#else
#define LW_FTRACE_FLAGS	(LW_FTRACE_REGS | FTRACE_OPS_FL_PERMANENT)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
#define ftrace_regs		pt_regs
#define lw_ftrace_regs(fregs)	(fregs)
#elif defined(LW_FTRACE_HAS_REGS) && defined(arch_ftrace_regs)
#define lw_ftrace_regs(fregs)	(&arch_ftrace_regs(fregs)->regs)
#elif defined(LW_FTRACE_HAS_REGS)
#define lw_ftrace_regs(fregs)	(&(fregs)->regs)
#else
#define lw_ftrace_regs(fregs)	ftrace_get_regs(fregs)
#endif

/* Before 5.5 a kernel lets one listen while ftrace is switched off, and then calls nobody. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 5, 0)
#define LW_FTRACE_MAY_BE_OFF
#endif

/** lw_ftrace_arg() - Return: argument @nr (0 to 3) of the function that is being entered */
static __always_inline unsigned long lw_ftrace_arg(struct ftrace_regs *fregs, unsigned int nr)
{
	struct pt_regs *regs = lw_ftrace_regs(fregs);

#ifdef CONFIG_DYNAMIC_FTRACE_WITH_REGS
	return lw_regs_arg(regs, nr);
#else
	return regs ? lw_regs_arg(regs, nr) : ftrace_regs_get_argument(fregs, nr);
#endif
}

/**
 * lw_ftrace_wait() - wait until nobody is inside of what ftrace called, who may be preempted
 *
 * Where there is nothing to wait by, a module is only called with preemption off (before 4.13 or
 * so): lw_hooks_wait() does.
 */
static inline void lw_ftrace_wait(void)
{
#if defined(CONFIG_TASKS_RCU) || defined(synchronize_rcu_tasks)
	synchronize_rcu_tasks();
#endif
}

#else

static inline void lw_ftrace_wait(void)
{
}

#endif

#endif

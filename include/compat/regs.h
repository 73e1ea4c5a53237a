/* SPDX-License-Identifier: GPL-2.0 */
/* What a kprobe at the entry of a function, or at its return, reads from the registers. */
#ifndef COMPAT_REGS_H
#define COMPAT_REGS_H

#include <linux/kprobes.h>
#include <linux/ptrace.h>

/** lw_regs_arg() - Return: argument @nr (0 to 5) of the function that is being entered */
static inline unsigned long lw_regs_arg(struct pt_regs *regs, unsigned int nr)
{
#if defined(CONFIG_ARM)
	return nr < 4 ? regs->uregs[nr] : ((unsigned long *)regs->ARM_sp)[nr - 4];
#elif defined(CONFIG_ARM64)
	return regs->regs[nr];
#else
	return regs_get_kernel_argument(regs, nr);
#endif
}

/** lw_regs_result() - Return: what the function that returns, returns */
static inline unsigned long lw_regs_result(struct pt_regs *regs)
{
#ifdef CONFIG_ARM
	return regs->ARM_r0;
#else
	return regs_return_value(regs);
#endif
}

/** lw_regs_caller() - Return: where the function that is being entered will return to */
static inline unsigned long lw_regs_caller(struct pt_regs *regs)
{
#if defined(CONFIG_ARM)
	return regs->ARM_lr;
#elif defined(CONFIG_ARM64)
	return regs->regs[30];
#else
	return *(unsigned long *)kernel_stack_pointer(regs);
#endif
}

/** lw_kretprobe() - Return: the kretprobe that a call was hooked by; NULL while it goes */
static inline struct kretprobe *lw_kretprobe(struct kretprobe_instance *ri)
{
#ifdef LW_HAVE_GET_KRETPROBE
	return get_kretprobe(ri);
#else
	return ri->rp;
#endif
}

#endif

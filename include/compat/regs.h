/* SPDX-License-Identifier: GPL-2.0 */
/* What a kprobe at the entry of a function, or at its return, reads from the registers. */
#ifndef COMPAT_REGS_H
#define COMPAT_REGS_H

#include <linux/ptrace.h>

/** lw_regs_arg() - Return: argument @nr (0 to 3) of the function that is being entered */
static inline unsigned long lw_regs_arg(struct pt_regs *regs, unsigned int nr)
{
#ifdef CONFIG_ARM
	return regs->uregs[nr];
#else
	return regs_get_kernel_argument(regs, nr);
#endif
}

/** lw_regs_arg5() - Return: the sixth argument, where registers hold it (arm: from the stack) */
static inline unsigned long lw_regs_arg5(struct pt_regs *regs)
{
#ifdef CONFIG_ARM
	return ((unsigned long *)regs->ARM_sp)[1];
#else
	return regs_get_kernel_argument(regs, 5);
#endif
}

/** lw_regs_arg4() - Return: the fifth argument */
static inline unsigned long lw_regs_arg4(struct pt_regs *regs)
{
#ifdef CONFIG_ARM
	return ((unsigned long *)regs->ARM_sp)[0];
#else
	return regs_get_kernel_argument(regs, 4);
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

#endif

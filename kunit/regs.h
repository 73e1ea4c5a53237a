/* SPDX-License-Identifier: GPL-2.0 */
/* regs: registers as they would be at the entry of a function, or at its return. */
#ifndef LEAKWATCH_KUNIT_REGS_H
#define LEAKWATCH_KUNIT_REGS_H

#include <linux/ptrace.h>
#include <linux/string.h>

/* @caller: on the stack, where the function would return to */
static inline struct pt_regs *regs_at_entry(struct pt_regs *regs, unsigned long function,
					    unsigned long *caller)
{
	memset(regs, 0, sizeof(*regs));
	instruction_pointer_set(regs, function);
#ifdef CONFIG_ARM
	regs->ARM_sp = (unsigned long)caller;
	regs->ARM_lr = *caller;
#else
	regs->sp = (unsigned long)caller;
#endif
#ifdef CONFIG_ARM64
	regs->regs[30] = *caller;
#endif
	return regs;
}

/* Argument @nr, of the first six; on arm the last two are on the stack, which has room for them. */
static inline void regs_set_arg(struct pt_regs *regs, unsigned int nr, unsigned long value)
{
#ifdef CONFIG_ARM64
	regs->regs[nr] = value;
#elif defined(CONFIG_ARM)
	if (nr < 4)
		regs->uregs[nr] = value;
	else
		((unsigned long *)regs->ARM_sp)[nr - 4] = value;
#elif defined(CONFIG_X86_64)
	unsigned long *arg[] = { &regs->di, &regs->si, &regs->dx, &regs->cx, &regs->r8, &regs->r9 };

	*arg[nr] = value;
#endif
}

/* What the function that returns, returns. */
static inline void regs_set_result(struct pt_regs *regs, unsigned long value)
{
#ifdef CONFIG_ARM64
	regs->regs[0] = value;
#elif defined(CONFIG_ARM)
	regs->ARM_r0 = value;
#elif defined(CONFIG_X86_64)
	regs->ax = value;
#endif
}

static inline struct pt_regs *regs_at_return(struct pt_regs *regs, const void *result)
{
	memset(regs, 0, sizeof(*regs));
	regs_set_result(regs, (unsigned long)result);
	return regs;
}

#endif

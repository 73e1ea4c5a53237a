/* SPDX-License-Identifier: GPL-2.0 */
/* What a kprobe at the entry of a function, or at its return, reads from the registers. */
#ifndef COMPAT_REGS_H
#define COMPAT_REGS_H

#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>
#include <linux/version.h>
#include <compat/access.h>

/** lw_regs_arg() - Return: argument @nr (0 to 5) of the function that is being entered */
static inline unsigned long lw_regs_arg(struct pt_regs *regs, unsigned int nr)
{
#if defined(CONFIG_ARM)
	return nr < 4 ? regs->uregs[nr] : ((unsigned long *)regs->ARM_sp)[nr - 4];
#elif defined(CONFIG_ARM64)
	return regs->regs[nr];
#elif defined(CONFIG_UML)
	return 0;	/* nobody is hooked */
#elif defined(CONFIG_X86_64)
	const unsigned long arg[] = { regs->di, regs->si, regs->dx, regs->cx, regs->r8, regs->r9 };

	return arg[nr];
#else
	return regs_get_kernel_argument(regs, nr);	/* since 4.20 */
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
#elif defined(CONFIG_UML)
	return 0;
#else
	return *(unsigned long *)kernel_stack_pointer(regs);
#endif
}

/**
 * lw_regs_callers_caller() - where the caller of the function that is being entered will return to
 * @regs: the registers; x29, or rbp, still points to the caller's frame record, if it has one
 *
 * Return: it, where frame records are kept; 0 elsewhere.
 */
static inline unsigned long lw_regs_callers_caller(struct pt_regs *regs)
{
#if defined(CONFIG_ARM64)
	const void *at = (const void *)regs->regs[29];
#elif defined(CONFIG_X86) && defined(CONFIG_FRAME_POINTER)
	const void *at = (const void *)regs->bp;
#else
	const void *at = NULL;
#endif
	unsigned long record[2];

	if (!at || lw_read_kernel(record, at, sizeof(record)))
		return 0;
	return record[1];
}

/*
 * Where a function is probed. Before 4.13 not at its first instruction where that is ftrace's, who
 * would then call the probe, and lose calls if the kernel can be preempted (ftrace.h); what is
 * there leaves arguments and stack alone.
 */
#if defined(CONFIG_X86_64) && defined(CONFIG_HAVE_FENTRY) && defined(CONFIG_FUNCTION_TRACER) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(4, 13, 0)
#define LW_ENTRY_FIRST	5
#else
#define LW_ENTRY_FIRST	0
#endif

/*
 * The second instruction of a function, for where the first cannot be probed: on arm64 that may be
 * one that turns interrupts off, and what cannot be probed there leaves arguments and stack alone.
 */
#ifdef CONFIG_ARM64
#define LW_ENTRY_NEXT	4
#else
#define LW_ENTRY_NEXT	0
#endif

/** lw_has_function() - Return: whether the kernel has it; true if it does not let a module know */
static inline bool lw_has_function(const char *name)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 7, 0)
	return kallsyms_lookup_name(name);
#else
	return true;
#endif
}

/** lw_kretprobe() - Return: the kretprobe that a call was hooked by; NULL while it goes */
static inline struct kretprobe *lw_kretprobe(struct kretprobe_instance *ri)
{
#if !defined(CONFIG_KRETPROBES)
	return NULL;	/* nobody is hooked */
#elif defined(LW_HAVE_GET_KRETPROBE)
	return get_kretprobe(ri);
#else
	return ri->rp;
#endif
}

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* Reading kernel memory that may not be there, and pointers without their tag. */
#ifndef COMPAT_ACCESS_H
#define COMPAT_ACCESS_H

#include <linux/uaccess.h>
#include <linux/version.h>
#ifdef LW_HAVE_TAGS
#include <linux/kasan.h>
#endif

/**
 * lw_read_kernel() - copy kernel memory that may not be there
 * @to: where to put it
 * @from: where it is, if it is
 * @size: how many bytes
 *
 * Any context. Return: 0 or -EFAULT; this always under User Mode Linux, where the kernel's own
 * function reads without a net, and what is not there is a panic.
 */
static inline long lw_read_kernel(void *to, const void *from, size_t size)
{
#if defined(CONFIG_UML)
	return -EFAULT;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 8, 0)
	return copy_from_kernel_nofault(to, from, size);
#else
	return probe_kernel_read(to, from, size);
#endif
}

/** lw_untag() - the address in a pointer, whatever tag KASAN or MTE gave it */
static inline unsigned long lw_untag(const void *pointer)
{
#ifdef LW_HAVE_TAGS
	return (unsigned long)kasan_reset_tag(pointer);
#else
	return (unsigned long)pointer;
#endif
}

#endif

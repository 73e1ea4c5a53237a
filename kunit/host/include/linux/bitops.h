/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_BITOPS_H
#define HOST_LINUX_BITOPS_H

#include <linux/compiler.h>

#define BITS_TO_LONGS(nr)	(((nr) + 63UL) / 64)

/* Relaxed, as in the kernel: they order nothing. */
static inline int test_bit(unsigned long nr, const unsigned long *at)
{
	HOST_POINT();
	return __atomic_load_n(&at[nr / 64], __ATOMIC_RELAXED) >> nr % 64 & 1;
}

static inline void set_bit(unsigned long nr, unsigned long *at)
{
	HOST_POINT();
	__atomic_fetch_or(&at[nr / 64], 1UL << nr % 64, __ATOMIC_RELAXED);
}

#endif

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_LOG2_H
#define HOST_LINUX_LOG2_H

/* The least n with 2^n >= x; 0 for 0, as in the kernel. */
#define order_base_2(x)	((x) > 1 ? 64 - __builtin_clzll((x) - 1ULL) : 0)

#define ilog2(x)	(63 - __builtin_clzll(x))

#endif

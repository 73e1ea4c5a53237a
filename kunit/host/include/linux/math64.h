/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_MATH64_H
#define HOST_LINUX_MATH64_H

#include <linux/types.h>

#define div_u64(a, b)	((u64)(a) / (b))
#define div_s64(a, b)	((s64)(a) / (s32)(b))

#endif

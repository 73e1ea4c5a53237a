/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_HASH_H
#define HOST_LINUX_HASH_H

#include <linux/types.h>

#define GOLDEN_RATIO_32	0x61c88647
#define GOLDEN_RATIO_64	0x61c8864680b583ebULL

static inline u32 hash_long(unsigned long val, unsigned int bits)
{
	return val * GOLDEN_RATIO_64 >> (64 - bits);
}

#endif

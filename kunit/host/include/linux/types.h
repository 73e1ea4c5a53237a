/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's names for types. u64 is long long, as in the kernel. */
#ifndef HOST_LINUX_TYPES_H
#define HOST_LINUX_TYPES_H

#include <endian.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* The C library defines both and compares; the kernel defines the one that it is. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#undef __BIG_ENDIAN
#else
#undef __LITTLE_ENDIAN
#endif

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long counter;
} atomic_long_t;

#endif

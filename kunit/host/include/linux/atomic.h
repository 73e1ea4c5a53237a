/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_ATOMIC_H
#define HOST_LINUX_ATOMIC_H

#include <linux/compiler.h>
#include <linux/types.h>

#define ATOMIC_INIT(i)		{ (i) }

/* Relaxed, as in the kernel: they order nothing. */
#define atomic_read(v) ({							\
	HOST_POINT();								\
	__atomic_load_n(&(v)->counter, __ATOMIC_RELAXED); })
#define atomic_set(v, i)	__atomic_store_n(&(v)->counter, i, __ATOMIC_RELAXED)
#define atomic_long_read	atomic_read
#define atomic_long_set		atomic_set
#define atomic_long_add(n, v)	((void)__atomic_fetch_add(&(v)->counter, n, __ATOMIC_RELAXED))

#define atomic_cmpxchg(v, old, new)	cmpxchg(&(v)->counter, old, new)
#define atomic_try_cmpxchg(v, old, new)	try_cmpxchg(&(v)->counter, old, new)

#endif

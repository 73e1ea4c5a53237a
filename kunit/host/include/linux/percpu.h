/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Per-CPU memory: HOST_CPUS copies, HOST_UNIT bytes apart. As in the kernel the pointer that is
 * handed around is the first copy's, and the distance is the same for all of them.
 *
 * A thread runs on the CPU that host_cpu says. Several may share one, so this_cpu_add() is
 * atomic, as it is in the kernel towards whatever interrupts it.
 */
#ifndef HOST_LINUX_PERCPU_H
#define HOST_LINUX_PERCPU_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/vmalloc.h>

#define HOST_CPUS	4
#define HOST_UNIT	16384

extern __thread int host_cpu;

/* By the linker: what is not constant, and what of it each CPU has of its own. */
extern char __data_start[], _end[], __start_host_percpu[], __stop_host_percpu[];

#define __percpu

/* The compiler must not think that it knows which object that is. */
#define per_cpu_ptr(p, cpu) ({							\
	char *at_ = (char *)(p);						\
	asm("" : "+r" (at_));							\
	(typeof(p))(at_ + (long)(cpu) * HOST_UNIT); })
#define raw_cpu_ptr(p)		per_cpu_ptr(p, host_cpu)
#define per_cpu(var, cpu)	(*per_cpu_ptr(&(var), cpu))
#define this_cpu_add(var, n)							\
	__atomic_fetch_add(per_cpu_ptr(&(var), host_cpu), n, __ATOMIC_RELAXED)
#define this_cpu_inc(var)	this_cpu_add(var, 1)
#define this_cpu_read(var)							\
	__atomic_load_n(per_cpu_ptr(&(var), host_cpu), __ATOMIC_RELAXED)
#define this_cpu_write(var, n)							\
	__atomic_store_n(per_cpu_ptr(&(var), host_cpu), n, __ATOMIC_RELAXED)
#define raw_cpu_read		this_cpu_read
#define __this_cpu_read		this_cpu_read
#define __this_cpu_write	this_cpu_write

#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < HOST_CPUS; (cpu)++)
#define num_possible_cpus()		HOST_CPUS

#define DECLARE_PER_CPU(type, name)	extern type name
/* All copies in one object, on pages of its own; the linker knows it by the declared name. */
#define DEFINE_PER_CPU(type, name)						\
	static_assert(sizeof(type) <= HOST_UNIT);				\
	char name##_units[HOST_CPUS * HOST_UNIT] asm(#name)		\
		__attribute__((aligned(4096), section("host_percpu")))

#define alloc_percpu(type) ({							\
	static_assert(sizeof(type) <= HOST_UNIT);				\
	type *first_ = vzalloc((HOST_CPUS - 1) * HOST_UNIT + sizeof(type));	\
	first_; })
#define free_percpu(p)		vfree(p)

#endif

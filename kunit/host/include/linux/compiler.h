/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Single accesses to memory and barriers, as C11 has them, so that TSan understands them.
 *
 * READ_ONCE() is consume, which GCC makes an acquire: the kernel guarantees that what is reached by
 * way of a pointer or number that was read this way is seen as it was when that was published.
 * So TSan reports plain accesses that race and publication without release; it does not report a
 * barrier that is missing between two READ_ONCE()s.
 *
 * HOST_POINT() comes before every access that another CPU can see: a program that includes
 * this may define it, to decide who runs next (order_host.c).
 */
#ifndef HOST_LINUX_COMPILER_H
#define HOST_LINUX_COMPILER_H

#ifndef HOST_POINT
#define HOST_POINT()	((void)0)
#endif

#define READ_ONCE(x)		({ HOST_POINT(); __atomic_load_n(&(x), __ATOMIC_CONSUME); })
#define WRITE_ONCE(x, val)	({ HOST_POINT(); __atomic_store_n(&(x), (val), __ATOMIC_RELAXED); })

/* A plain read, which the compiler may repeat or leave out; TSan is not to look at it. */
#ifdef __SANITIZE_THREAD__
#define data_race(x)		({ HOST_POINT(); __atomic_load_n(&(x), __ATOMIC_RELAXED); })
#else
#define data_race(x)		({ HOST_POINT(); (x); })
#endif

#define smp_load_acquire(p)	({ HOST_POINT(); __atomic_load_n(p, __ATOMIC_ACQUIRE); })
#define smp_store_release(p, v)	({ HOST_POINT(); __atomic_store_n(p, v, __ATOMIC_RELEASE); })
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)

/* A cmpxchg that fails orders nothing in the kernel but what depends on the value that it read. */
#define try_cmpxchg(p, old, new) ({						\
	HOST_POINT();								\
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_CONSUME); })
#define cmpxchg(p, old, new) ({							\
	typeof(*(p)) was_ = (old);						\
	try_cmpxchg(p, &was_, new);						\
	was_; })
#define cmpxchg64		cmpxchg
#define xchg(p, v)		({ HOST_POINT(); __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST); })

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define noinline		__attribute__((noinline))
#define fallthrough		__attribute__((fallthrough))
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#define __aligned(n)		__attribute__((aligned(n)))
#undef __always_inline		/* the C library has it as well */
#define __always_inline		inline __attribute__((always_inline))

#define OPTIMIZER_HIDE_VAR(v)	__asm__ ("" : "+r" (v))

#define barrier()	__asm__ __volatile__("" ::: "memory")

#endif

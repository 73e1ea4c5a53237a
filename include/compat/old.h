/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What older kernels lack, by the names that later ones have for it. Included before everything
 * else in each file (Kbuild.include), so that none has to know; from 5.10 on there is nothing left.
 */
#ifndef COMPAT_OLD_H
#define COMPAT_OLD_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)

/* as those have it who print */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/compiler.h>
#include <linux/dcache.h>
#include <linux/hardirq.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/poll.h>
#include <linux/ptrace.h>
#include <linux/random.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#ifndef static_assert
#define static_assert(expr)	_Static_assert(expr, #expr)
#endif

#ifndef fallthrough
#define fallthrough	__attribute__((__fallthrough__))
#endif

#ifndef data_race
#define data_race(expr)	(expr)
#endif

#ifndef BIT_ULL
#define BIT_ULL(nr)	(1ULL << (nr))
#endif

#ifndef U32_MAX
#define U16_MAX		((u16)~0U)
#define U32_MAX		((u32)~0U)
#define S64_MAX		((s64)(~0ULL >> 1))
#define S64_MIN		((s64)(-S64_MAX - 1))
#endif

#ifndef READ_ONCE
#define READ_ONCE(x)		ACCESS_ONCE(x)
#define WRITE_ONCE(x, value)	({ ACCESS_ONCE(x) = (value); })
#endif
#ifndef READ_ONCE_NOCHECK
#define READ_ONCE_NOCHECK(x)	READ_ONCE(x)
#endif

#ifndef OPTIMIZER_HIDE_VAR
#define OPTIMIZER_HIDE_VAR(var)	__asm__ ("" : "+r" (var))
#endif

#ifndef raw_cpu_ptr
#define raw_cpu_ptr(ptr)		__this_cpu_ptr(ptr)
#define raw_cpu_read(pcp)		__this_cpu_read(pcp)
#define raw_cpu_write(pcp, value)	__this_cpu_write(pcp, value)
#endif

#ifndef GOLDEN_RATIO_64
#define GOLDEN_RATIO_32		0x61c88647
#define GOLDEN_RATIO_64		0x61c8864680b583ebull
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 0, 0)
#define totalram_pages()	(totalram_pages)
#endif

#ifndef in_task
#define in_task()	(!(in_nmi() || in_irq() || in_serving_softirq()))
#endif

#ifndef atomic_try_cmpxchg
static inline bool lw_atomic_try_cmpxchg(atomic_t *at, int *seen, int new)
{
	int was = atomic_cmpxchg(at, *seen, new);
	bool same = was == *seen;

	*seen = was;
	return same;
}

#define atomic_try_cmpxchg(at, seen, new)	lw_atomic_try_cmpxchg(at, seen, new)
#endif

#if !defined(mul_u64_u64_shr) && LINUX_VERSION_CODE < KERNEL_VERSION(4, 4, 0)
/* (a * b) >> shift, which is at most 32 */
static inline u64 mul_u64_u64_shr(u64 a, u64 b, unsigned int shift)
{
	u64 low = (u64)(u32)a * (u32)b, middle = (a >> 32) * (u32)b + (low >> 32);
	u64 other = (u32)middle + (u64)(u32)a * (b >> 32);
	u64 high = (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32);

	low = (u32)low | other << 32;
	return shift ? low >> shift | high << (64 - shift) : low;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(3, 17, 0)
#define ktime_get_ns()	((u64)ktime_to_ns(ktime_get()))
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 3, 0)
#define ktime_get_boottime_seconds()	div_s64(ktime_to_ns(ktime_get_boottime()), NSEC_PER_SEC)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 20, 0) && !defined(LW_HAVE_INT_SQRT64)
/* the largest number whose square is not above @x, bit by bit */
static inline u32 int_sqrt64(u64 x)
{
	u32 root = 0, bit;

	for (bit = 1U << 31; bit; bit >>= 1)
		if ((u64)(root | bit) * (root | bit) <= x)
			root |= bit;
	return root;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 18, 0)
/* the array at the end of a structure: no caller here comes near an overflow */
#ifndef struct_size
#define struct_size(at, member, nr)	(sizeof(*(at)) + (nr) * sizeof(*(at)->member))
#endif
#define kvcalloc(nr, size, gfp)		lw_kvmalloc((nr) * (size), (gfp) | __GFP_ZERO)
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 12, 0)
static inline void *lw_kvmalloc(size_t size, gfp_t gfp)
{
	void *memory = NULL;

	if (size <= PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER)
		memory = kmalloc(size, gfp | __GFP_NOWARN | __GFP_NORETRY);
	return memory ?: __vmalloc(size, gfp | __GFP_HIGHMEM, PAGE_KERNEL);
}

#define kvmalloc(size, gfp)		lw_kvmalloc(size, gfp)
#define kvzalloc(size, gfp)		lw_kvmalloc(size, (gfp) | __GFP_ZERO)
#define kvmalloc_array(nr, size, gfp)	lw_kvmalloc((nr) * (size), gfp)
#else
#define lw_kvmalloc(size, gfp)		kvmalloc(size, gfp)
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(3, 15, 0) && !defined(LW_HAVE_KVFREE)
static inline void kvfree(const void *memory)
{
	if (is_vmalloc_addr(memory))
		vfree(memory);
	else
		kfree(memory);
}
#endif

#ifndef EPOLLIN
#define EPOLLIN		POLLIN
#define EPOLLRDNORM	POLLRDNORM
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 16, 0)
typedef unsigned int __poll_t;
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 11, 0)
static inline u64 get_random_u64(void)
{
	u64 word;

	get_random_bytes(&word, sizeof(word));
	return word;
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 4, 0)
#define compound_nr(page)	(1UL << compound_order(page))
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 1, 0)
#define d_inode(dentry)	((dentry)->d_inode)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 8, 0) && defined(CONFIG_ARM64)
#define kernel_stack_pointer(regs)	((regs)->sp)
#endif

#ifndef DEFINE_SHOW_ATTRIBUTE
#define DEFINE_SHOW_ATTRIBUTE(name)						\
static int name##_open(struct inode *inode, struct file *file)			\
{										\
	return single_open(file, name##_show, inode->i_private);		\
}										\
										\
static const struct file_operations name##_fops = {				\
	.owner = THIS_MODULE,							\
	.open = name##_open,							\
	.read = seq_read,							\
	.llseek = seq_lseek,							\
	.release = single_release,						\
}
#endif

#ifndef llist_for_each_safe
#define llist_for_each_safe(at, next, node)					\
	for ((at) = (node); (at) && ((next) = (at)->next, true); (at) = (next))
#endif

#ifndef TASK_IDLE
#define TASK_IDLE	TASK_INTERRUPTIBLE
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 9, 0)
#define tasklet_setup(tasklet, fn)						\
	tasklet_init(tasklet, (void (*)(unsigned long))(void *)(fn), (unsigned long)(tasklet))
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 13, 0)
#define cpus_read_lock()	get_online_cpus()
#define cpus_read_unlock()	put_online_cpus()
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(3, 13, 0)
#define reinit_completion(at)	INIT_COMPLETION(*(at))
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(4, 4, 0)
/* Those of then do not take a pointer to const on arm64. */
#undef smp_load_acquire
#undef smp_store_release
#define smp_load_acquire(at)						\
({									\
	typeof(*(at) + 0) lw_value = READ_ONCE(*(at));			\
									\
	smp_mb();	/* behind which comes what is acquired */	\
	lw_value;							\
})
#define smp_store_release(at, value)					\
do {									\
	smp_mb();	/* before which is what is released */		\
	WRITE_ONCE(*(at), value);					\
} while (0)

static inline long atomic_long_add_return_release(long nr, atomic_long_t *at)
{
	return atomic_long_add_return(nr, at);
}

static inline long atomic_long_read_acquire(const atomic_long_t *at)
{
	long value = atomic_long_read((atomic_long_t *)at);

	smp_mb();	/* behind which comes what is acquired */
	return value;
}

static inline ssize_t lw_strscpy(char *to, const char *from, size_t size)
{
	size_t len = strlcpy(to, from, size);

	return len < size ? len : -E2BIG;
}

#define strscpy(to, from, size)	lw_strscpy(to, from, size)
#endif

#endif

#endif

// SPDX-License-Identifier: GPL-2.0
/*
 * Pairs of allocation and free on several CPUs at once, for scripts/bench-lines.
 *
 * A load of this module has a kthread on each of so many CPUs make PAIRS pairs with interrupts off,
 * a warm-up before, and then begin together. All of one call site, or each of its own. An object is
 * freed on the CPU that allocated it; PLACES are kept back and take turns, so that pairs go to as
 * many addresses on each CPU.
 *
 * What that costs is counted from outside, by a plugin of QEMU (scripts/tests/lines.c). It is told
 * by three instructions that do nothing: it counts this CPU from here, to here, and all are done.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#define CPUS	4
#define PLACES	64
#define PAIRS	(PLACES * 256)

static unsigned int cpus = 1;
module_param(cpus, uint, 0444);
MODULE_PARM_DESC(cpus, "how many CPUs, 1 to 4");

static bool one_site;
module_param(one_site, bool, 0444);
MODULE_PARM_DESC(one_site, "all allocate at one call site, not each at its own");

static bool pages;
module_param(pages, bool, 0444);
MODULE_PARM_DESC(pages, "movable pages, not objects of 128 bytes");

static bool one_count;
module_param(one_count, bool, 0444);
MODULE_PARM_DESC(one_count, "each pair counts where all do: what must be seen");

/* nopl 0x6c6b7701(%rax); movz xzr, #0x7701 */
#ifdef CONFIG_ARM64
#define MARK_CODE(nr)	".inst 0xd280001f | (0x7700 + " #nr ") << 5"
#else
#define MARK_CODE(nr)	".byte 0x0f, 0x1f, 0x80; .long 0x6c6b7700 + " #nr
#endif

static __always_inline void mark_begin(void)
{
	asm volatile(MARK_CODE(1) ::: "memory");
}

static __always_inline void mark_end(void)
{
	asm volatile(MARK_CODE(2) ::: "memory");
}

static __always_inline void mark_done(void)
{
	asm volatile(MARK_CODE(3) ::: "memory");
}

#define SITE(name, nr, allocate)						\
static noinline __noclone void *name##_##nr(void)				\
{										\
	void *what = allocate;							\
										\
	OPTIMIZER_HIDE_VAR(what);						\
	return what;								\
}

#define OBJECT(nr)	SITE(object, nr, kmalloc(128, GFP_ATOMIC))
#define PAGE(nr)	SITE(page, nr, alloc_page(GFP_ATOMIC | __GFP_MOVABLE | __GFP_HIGHMEM))

OBJECT(0)
OBJECT(1)
OBJECT(2)
OBJECT(3)
PAGE(0)
PAGE(1)
PAGE(2)
PAGE(3)

static void *(*const object_at[CPUS])(void) = { object_0, object_1, object_2, object_3 };
static void *(*const page_at[CPUS])(void) = { page_0, page_1, page_2, page_3 };

/* Each CPU its own, so that it is not this module whose lines they share. */
struct one {
	unsigned int site;
	unsigned int count;
	void *kept[PLACES];
	struct task_struct *task;
	struct completion over;
} ____cacheline_aligned;

static struct one crowd[CPUS];
static atomic_t missing;	/* CPUs that have not warmed up yet */
static atomic_t counted ____cacheline_aligned;

static noinline void free_one(void *what)
{
	if (pages && what)
		__free_page(what);
	else if (!pages)
		kfree(what);
}

static noinline void pairs(struct one *one)
{
	void *(*get)(void) = pages ? page_at[one->site] : object_at[one->site];
	unsigned int n;
	void *what;

	for (n = 0; n < PAIRS; n++) {
		what = get();
		if (!(++one->count % (PAIRS / PLACES)))
			swap(what, one->kept[one->count / (PAIRS / PLACES) % PLACES]);
		free_one(what);
		if (one_count)
			atomic_inc(&counted);
	}
}

static int crowd_thread(void *data)
{
	struct one *one = data;
	unsigned long flags;

	local_irq_save(flags);
	pairs(one);
	local_irq_restore(flags);
	atomic_dec(&missing);
	while (atomic_read(&missing))
		cond_resched();
	local_irq_save(flags);
	mark_begin();
	pairs(one);
	mark_end();
	local_irq_restore(flags);
	complete(&one->over);
	return 0;
}

static void empty(struct one *one)
{
	int i;

	for (i = 0; i < PLACES; i++) {
		free_one(one->kept[i]);
		one->kept[i] = NULL;
	}
}

static int __init crowd_init(void)
{
	unsigned int i, nr;

	if (cpus < 1 || cpus > min_t(unsigned int, CPUS, num_online_cpus())) {
		pr_err("crowd: cpus is %u, not 1 to %u\n", cpus,
		       min_t(unsigned int, CPUS, num_online_cpus()));
		return -EINVAL;
	}
	for (nr = 0; nr < cpus; nr++) {
		struct one *one = &crowd[nr];

		one->site = one_site ? 0 : nr;
		init_completion(&one->over);
		one->task = kthread_create(crowd_thread, one, "crowd/%u", nr);
		if (IS_ERR(one->task))
			break;
		kthread_bind(one->task, nr);
	}
	atomic_set(&missing, nr);
	for (i = 0; i < nr; i++)
		wake_up_process(crowd[i].task);
	for (i = 0; i < nr; i++)
		wait_for_completion(&crowd[i].over);
	mark_done();
	for (i = 0; i < nr; i++)
		empty(&crowd[i]);
	return nr < cpus ? PTR_ERR(crowd[nr].task) : 0;
}

static void __exit crowd_exit(void)
{
}

module_init(crowd_init);
module_exit(crowd_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Pairs of allocation and free on several CPUs at once");

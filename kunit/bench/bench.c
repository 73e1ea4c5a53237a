// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions a pair of allocation and free, for scripts/bench.
 *
 * Under QEMU's -icount shift=0 the guest's cycle counter counts the instructions of its one CPU
 * exactly. A load of this module runs each loop ROUNDS times with interrupts off and keeps the last
 * round, when everything has been met before. The parameter result then reads
 * "<loop> <instructions a pair, times 100>" a line.
 *
 * User Mode Linux has no such counter: there it is time, in nanoseconds, and others take some of
 * it: of more rounds the least counts.
 *
 * With probes=1 each of the four events has a probe that counts, and does nothing else: what is
 * more than that is what is done with an event.
 */
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#if defined(CONFIG_UML)
#include <linux/ktime.h>
#elif defined(CONFIG_ARM64)
#include <asm/sysreg.h>
#else
#include <asm/msr.h>
#endif

#define PLACES	1024
#define PAIRS	(PLACES * 256)
#ifdef CONFIG_UML
#define ROUNDS	11
#define PATHS	(PAIRS / 64)	/* its walker looks at each word of a stack */
#define STACKS	PATHS
#else
#define ROUNDS	2
#define PATHS	PAIRS
#define STACKS	(PAIRS / 16)
#endif

static unsigned int fill;
module_param(fill, uint, 0444);
MODULE_PARM_DESC(fill, "objects to allocate beforehand, so that tables are as full as they would be");

static bool probes;
module_param(probes, bool, 0444);
MODULE_PARM_DESC(probes, "a probe that counts on each of the events");

static unsigned int share = 1;
module_param(share, uint, 0444);
MODULE_PARM_DESC(share, "of all pairs one in so many: for what takes long and always the same");

static LIST_HEAD(filled);

static u64 counter(void)
{
#if defined(CONFIG_UML)
	return ktime_get_ns();
#elif defined(CONFIG_ARM64)
	isb();
	return read_sysreg(pmccntr_el0);
#else
	return rdtsc_ordered();
#endif
}

static void counter_on(void *unused)
{
#ifdef CONFIG_ARM64
	write_sysreg(0, pmccfiltr_el0);
	write_sysreg(BIT(31), pmcntenset_el0);
	write_sysreg(BIT(0) | BIT(2) | BIT(6), pmcr_el0);
#endif
}

static noinline void nothing(void)
{
	barrier();
}

/*
 * The allocator hands out the object that was freed last, so one is kept now and then: the pairs go
 * to PLACES addresses, each with a place of its own in any table.
 */
static void *kept[PLACES];

static noinline void kmalloc_128(void)
{
	static unsigned int count;
	void *object = kmalloc(128, GFP_ATOMIC);

	OPTIMIZER_HIDE_VAR(object);
	if (!(++count % (PAIRS / PLACES))) {
		unsigned int place = count / (PAIRS / PLACES) % PLACES;

		swap(object, kept[place]);
	}
	kfree(object);
}

static noinline void page_kernel(void)
{
	struct page *page = alloc_page(GFP_ATOMIC);

	if (page)
		__free_page(page);
}

static noinline void page_movable(void)
{
	struct page *page = alloc_page(GFP_ATOMIC | __GFP_MOVABLE | __GFP_HIGHMEM);

	if (page)
		__free_page(page);
}

static noinline void stack_trace(void)
{
	unsigned long frame[16];

	stack_trace_save(frame, ARRAY_SIZE(frame), 0);
	OPTIMIZER_HIDE_VAR(frame[0]);
}

static struct {
	const char *name;
	void (*run)(void);
	unsigned int times;
	u64 count;
} loops[] = {
	{ "nothing", nothing, PAIRS },
	{ "kmalloc_128", kmalloc_128, PAIRS },
	{ "page_kernel", page_kernel, PATHS },
	{ "page_movable", page_movable, PAIRS },
	{ "stack_trace_save", stack_trace, STACKS },
};

static unsigned int times(int loop)
{
	return max(loops[loop].times / max(share, 1U), 1U);
}

/* The event's own prototype, whatever it is on this kernel, need not be known: nothing is read. */
static unsigned long hits;

static void hit(void *data)
{
	hits++;
}

static struct {
	const char *name;
	struct tracepoint *event;
} events[] = {
	{ "kmalloc" }, { "kfree" }, { "mm_page_alloc" }, { "mm_page_free" },
};

static void find_event(struct tracepoint *event, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (!strcmp(event->name, events[i].name))
			events[i].event = event;
}

static void detach(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i].event)
			tracepoint_probe_unregister(events[i].event, hit, NULL);
	tracepoint_synchronize_unregister();
}

static int attach(void)
{
	int i, err;

	for_each_kernel_tracepoint(find_event, NULL);
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		err = events[i].event ? tracepoint_probe_register(events[i].event, hit, NULL) :
		      -ENOENT;
		if (err) {
			detach();
			return err;
		}
	}
	return 0;
}

static void measure(void)
{
	unsigned long flags;
	unsigned int n;
	int i, round;
	u64 from, count;

	counter_on(NULL);
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < ARRAY_SIZE(loops); i++) {
			local_irq_save(flags);
			from = counter();
			for (n = 0; n < times(i); n++)
				loops[i].run();
			count = counter() - from;
			local_irq_restore(flags);
			if (round < 2 || count < loops[i].count)
				loops[i].count = count;
		}
}

static int result_get(char *text, const struct kernel_param *kp)
{
	int i, at = 0;

	for (i = 1; i < ARRAY_SIZE(loops); i++)
		at += sysfs_emit_at(text, at, "%s %llu\n", loops[i].name,
				    loops[i].count * 100 / times(i) -
				    loops[0].count * 100 / times(0));
	return at;
}

static const struct kernel_param_ops result_ops = { .get = result_get };
module_param_cb(result, &result_ops, NULL, 0444);

static void empty(void)
{
	struct list_head *at, *next;
	int i;

	list_for_each_safe(at, next, &filled)
		kfree(at);
	for (i = 0; i < PLACES; i++)
		kfree(kept[i]);
}

static int __init bench_init(void)
{
	struct list_head *one;
	int err;

	for (; fill; fill--) {
		one = kmalloc(64, GFP_KERNEL);
		if (!one) {
			empty();
			return -ENOMEM;
		}
		list_add(one, &filled);
	}
	err = probes ? attach() : 0;
	if (err) {
		empty();
		return err;
	}
	measure();
	if (probes)
		detach();
	return 0;
}

static void __exit bench_exit(void)
{
	empty();
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Instructions a pair of allocation and free");

// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that forgets to unmap, as the drivers did of which the guide tells.
 *
 *  - careless_reset() maps registers by a helper that careless_poll() uses, too, and much more
 *    often; careless_poll() unmaps them.
 *  - careless_clear() maps pages in order to clear them, by vm_map_ram(), and forgets
 *    vm_unmap_ram(): its addresses are never used again, nor are the page tables that they need.
 *    careless_copy() does the same and unmaps.
 *  - careless_lookup() fills a cache up to a number of entries.
 *
 * What it mapped it unmaps when it goes.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#define TICK_MS		10
#define ENTRY_SIZE	512

static unsigned long regs;
module_param(regs, ulong, 0444);
MODULE_PARM_DESC(regs, "physical address of some registers, which are not touched");

static unsigned int reset_ms;
module_param(reset_ms, uint, 0444);
MODULE_PARM_DESC(reset_ms, "careless_reset() every so many ms, 0: never (default 0)");

static unsigned int poll_ms;
module_param(poll_ms, uint, 0444);
MODULE_PARM_DESC(poll_ms, "careless_poll() every so many ms, 0: never (default 0)");

static unsigned int clear_ms;
module_param(clear_ms, uint, 0444);
MODULE_PARM_DESC(clear_ms, "careless_clear() every so many ms, 0: never (default 0)");

static unsigned int copy_ms;
module_param(copy_ms, uint, 0444);
MODULE_PARM_DESC(copy_ms, "careless_copy() every so many ms, 0: never (default 0)");

static unsigned int clear_pages = 512;
module_param(clear_pages, uint, 0444);
MODULE_PARM_DESC(clear_pages, "pages that careless_clear() and careless_copy() map at once, 1..4096 (default 512)");

static unsigned int lookup_ms;
module_param(lookup_ms, uint, 0444);
MODULE_PARM_DESC(lookup_ms, "careless_lookup() every so many ms, 0: never (default 0)");

static unsigned int lookups = 1000;
module_param(lookups, uint, 0444);
MODULE_PARM_DESC(lookups, "entries up to which careless_lookup() fills its cache (default 1000)");

/* What was mapped and not unmapped, or cached; in room that is there from the start. */
struct careless_thing {
	void (*free)(void *at);
	void *at;
};

#define THINGS		65536U

static struct careless_thing *careless_things;
static unsigned int careless_nr, careless_cached;
static struct page *careless_page, **careless_pages;
static struct task_struct *careless_task;

static void careless_keep(void *at, void (*free)(void *at))
{
	careless_things[careless_nr++] = (struct careless_thing){ free, at };
}

static noinline void __iomem *careless_map_regs(unsigned long from)
{
	void __iomem *at = ioremap(regs + from, PAGE_SIZE);

	barrier();	/* no tail call: this function is to be on the stack */
	return at;
}

static void careless_unmap_regs(void *at)
{
	iounmap((void __iomem *)at);
}

static noinline void careless_reset(void)
{
	void __iomem *at = careless_map_regs(0);

	if (at)
		careless_keep((__force void *)at, careless_unmap_regs);
}

static noinline void careless_poll(void)
{
	void __iomem *at = careless_map_regs(PAGE_SIZE);

	if (at)
		iounmap(at);
}

static noinline void *careless_map_pages(void)
{
	void *at = vm_map_ram(careless_pages, clear_pages, NUMA_NO_NODE);

	barrier();
	return at;
}

static void careless_unmap_pages(void *at)
{
	vm_unmap_ram(at, clear_pages);
}

static noinline void careless_clear(void)
{
	void *at = careless_map_pages();

	if (!at)
		return;
	memset(at, 0, PAGE_SIZE);
	careless_keep(at, careless_unmap_pages);
}

static noinline void careless_copy(void)
{
	void *at = careless_map_pages();

	if (at)
		vm_unmap_ram(at, clear_pages);
}

static void careless_drop(void *at)
{
	kfree(at);
}

static noinline void careless_lookup(void)
{
	void *entry;

	if (careless_cached >= lookups)
		return;
	entry = kmalloc(ENTRY_SIZE, GFP_KERNEL);
	if (!entry)
		return;
	careless_cached++;
	careless_keep(entry, careless_drop);
}

/* As often as it is due at @ms. */
static void careless_do(void (*what)(void), unsigned int every, unsigned long ms)
{
	unsigned long n = every ? ms / every - (ms - TICK_MS) / every : 0;

	while (n-- && careless_nr < THINGS)
		what();
}

static int careless_thread(void *unused)
{
	unsigned long ms = 0;

	while (!kthread_should_stop()) {
		msleep(TICK_MS);
		ms += TICK_MS;
		careless_do(careless_reset, reset_ms, ms);
		careless_do(careless_poll, poll_ms, ms);
		careless_do(careless_clear, clear_ms, ms);
		careless_do(careless_copy, copy_ms, ms);
		careless_do(careless_lookup, lookup_ms, ms);
	}
	return 0;
}

static int __init careless_init(void)
{
	unsigned int i;

	if (((reset_ms || poll_ms) && !regs) || !clear_pages || clear_pages > 4096)
		return -EINVAL;
	careless_things = vmalloc(THINGS * sizeof(*careless_things));
	careless_pages = kcalloc(clear_pages, sizeof(*careless_pages), GFP_KERNEL);
	careless_page = alloc_page(GFP_KERNEL);
	if (!careless_things || !careless_pages || !careless_page)
		goto out;
	for (i = 0; i < clear_pages; i++)
		careless_pages[i] = careless_page;
	careless_task = kthread_run(careless_thread, NULL, "careless");
	if (!IS_ERR(careless_task))
		return 0;
out:
	if (careless_page)
		__free_page(careless_page);
	kfree(careless_pages);
	vfree(careless_things);
	return -ENOMEM;
}

static void __exit careless_exit(void)
{
	kthread_stop(careless_task);
	while (careless_nr--)
		careless_things[careless_nr].free(careless_things[careless_nr].at);
	__free_page(careless_page);
	kfree(careless_pages);
	vfree(careless_things);
}

module_init(careless_init);
module_exit(careless_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A driver that forgets to unmap");

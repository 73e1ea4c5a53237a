// SPDX-License-Identifier: GPL-2.0
/* leakwatch: which place in the kernel leaks memory. Loading, parameters, unloading. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <compat/init.h>
#include <leakwatch/buffers.h>
#include <leakwatch/cache.h>
#include <leakwatch/dir.h>
#include <leakwatch/door.h>
#include <leakwatch/frame.h>
#include <leakwatch/history.h>
#include <leakwatch/hook.h>
#include <leakwatch/live.h>
#include <leakwatch/lock.h>
#include <leakwatch/mark.h>
#include <leakwatch/name.h>
#include <leakwatch/pages.h>
#include <leakwatch/path.h>
#include <leakwatch/report.h>
#include <leakwatch/sample.h>

#define SITES_DEFAULT_MIN	1024U
#define SITES_DEFAULT_MAX	65536U
#define SITES_STEP		256U	/* in which a default is looked for */
#define BUFFERS_DEFAULT_MIN	512U
#define BUFFERS_DEFAULT_MAX	16384U

/* Few sites have much; of caches there are seldom more. */
#define SITES_A_HISTORY		16U
#define HISTORIES_MIN		512U

/* The table of objects grows at this load, in percent; that is looked at so often, in jiffies. */
#define GROW_LOAD		70
#define GROW_INTERVAL		HZ

/* Then a part of it is looked through for what can be forgotten: all of it in about a minute. */
#define FORGET_PARTS		64

LW_OWN_TEXT(lw_text_begin)

static unsigned long objects;
module_param(objects, ulong, 0444);
MODULE_PARM_DESC(objects, "objects that can be live at once, 512 to 268435456, 8 bytes each (0: RAM / 2048, or what the span of memory takes)");

static unsigned int grow = 4;
module_param(grow, uint, 0444);
MODULE_PARM_DESC(grow, "how many times as large as at load the table of objects may become when it fills: 1 (it does not grow), 2, 4 or 8 (4)");

static unsigned int sites;
module_param(sites, uint, 0444);
MODULE_PARM_DESC(sites, "call sites and paths, 64 to 131072, about 210 bytes each and 16 a CPU (0: what the other tables leave of 1 % of RAM)");

static unsigned int buffers;
module_param(buffers, uint, 0444);
MODULE_PARM_DESC(buffers, "DMA-BUFs that can be live at once, 64 to 65536, about 200 bytes each (0: RAM / 524288)");

static unsigned int depth = 16;
module_param(depth, uint, 0444);
MODULE_PARM_DESC(depth, "frames of a path, 1 to 32 (16)");

static char *stacks = "";
module_param(stacks, charp, 0444);
MODULE_PARM_DESC(stacks, "all: whole paths; off: slab objects by call site alone; zoom: the same, with paths for call sites that grow (all, zoom where paths are dear)");

static char *mode = "exact";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "exact: every event; sampled: some, drawn at random, the rest estimated (exact)");

static unsigned long sample_bytes;
module_param(sample_bytes, ulong, 0444);
MODULE_PARM_DESC(sample_bytes, "sampled mode: of so many bytes one draw, a power of two, 4096 to 1073741824 (0: RAM / 131072, 16384 at least); of pages 32 times as many");

static char *classes = "slab,page,buffer";
module_param(classes, charp, 0444);
MODULE_PARM_DESC(classes, "what to watch: some of slab, page, buffer, separated by commas (all)");

module_param_named(movable, lw_movable, bool, 0444);
MODULE_PARM_DESC(movable, "watch movable pages, which are user memory and page cache (1)");

static char *proc = "";
module_param(proc, charp, 0444);
MODULE_PARM_DESC(proc, "directory in /proc for the files, where debugfs cannot be used (none: they are in debugfs)");

static char *without = "";
module_param(without, charp, 0444);
MODULE_PARM_DESC(without, "hooks to leave out, by their names in status, separated by commas (none)");

static char *backend = "auto";
module_param(backend, charp, 0444);
MODULE_PARM_DESC(backend, "how allocators are hooked: tracepoints; kprobes; auto: kprobes if there are no tracepoints (auto)");

static bool check_range(const char *name, unsigned long value, unsigned long min, unsigned long max)
{
	if (value >= min && value <= max)
		return true;
	pr_err("%s=%lu is out of range (%lu to %lu)\n", name, value, min, max);
	return false;
}

static unsigned int class_bits(void)
{
	const char *at = classes;
	unsigned int bits = 0;
	enum lw_class class;
	size_t len;

	for (;; at++) {
		len = strcspn(at, ",");
		for (class = 0; class < LW_NR_CLASSES; class++)
			if (strlen(lw_class_name(class)) == len &&
			    !strncmp(lw_class_name(class), at, len))
				break;
		if (class == LW_NR_CLASSES) {
			pr_err("classes=%s is not some of slab, page, buffer\n", classes);
			return 0;
		}
		bits |= BIT(class);
		at += len;
		if (!*at)
			return bits;
	}
}

/* Return: what was asked for, or a negative error. */
static int which_backend(void)
{
	static const char * const names[] = {
		[LW_AUTO] = "auto", [LW_TRACEPOINTS] = "tracepoints", [LW_KPROBES] = "kprobes",
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(backend, names[i]))
			return i;
	pr_err("backend=%s is none of auto, tracepoints, kprobes\n", backend);
	return -EINVAL;
}

static int check_parameters(void)
{
	if (!buffers)
		buffers = clamp_t(unsigned long, totalram_pages() >> (19 - PAGE_SHIFT),
				  BUFFERS_DEFAULT_MIN, BUFFERS_DEFAULT_MAX);
	if ((objects && !check_range("objects", objects, LW_LIVE_MIN, LW_LIVE_MAX)) ||
	    (sites && !check_range("sites", sites, LW_SITES_MIN, LW_MAX_SITES)) ||
	    !check_range("buffers", buffers, LW_BUFFERS_MIN, LW_BUFFERS_MAX) ||
	    !check_range("depth", depth, 1, LW_DEPTH_MAX) ||
	    !check_range("grow", grow, 1, 1 << LW_LIVE_ANNEXES))
		return -EINVAL;
	if (*stacks && lw_stacks_of_name(stacks) < 0) {
		pr_err("stacks=%s is none of all, zoom, off\n", stacks);
		return -EINVAL;
	}
	if (strcmp(mode, "exact") && strcmp(mode, "sampled")) {
		pr_err("mode=%s is none of exact, sampled\n", mode);
		return -EINVAL;
	}
	lw_settings.rate = sample_bytes ? lw_rate_of_bytes(sample_bytes) :
					  lw_rate_of_memory(totalram_pages());
	if (!lw_settings.rate) {
		pr_err("sample_bytes=%lu is not " LW_SAMPLE_RANGE "\n", sample_bytes);
		return -EINVAL;
	}
	lw_sample_init(get_random_u64());
	lw_sample_set(*mode == 's' ? lw_settings.rate : 0);
	if (!*stacks)
		stacks = (char *)lw_stacks_name(LW_STACKS_DEFAULT);
	lw_stacks = lw_stacks_of_name(stacks);
	lw_depth = depth;
	return 0;
}

static bool chunk_exists(unsigned long pfn)
{
	unsigned long i;

	for (i = 0; i < LW_CHUNK_FRAMES; i++)
		if (pfn_valid(pfn + i))
			return true;
	return false;
}

/* @span bytes of the direct map from @base: where objects can be; none if nobody asks for them. */
static int init_objects(unsigned long base, unsigned long span)
{
	int err;

	if (!objects)
		objects = max(totalram_pages() << (PAGE_SHIFT - 11), lw_live_least(span));
	err = lw_live_init(objects, base, span);
	lw_live_may_grow(grow);
	if (err == -ERANGE)
		pr_err("objects=%lu is too few for %lu MB of memory, it takes at least %lu\n",
		       objects, span >> 20, lw_live_least(span));
	return err;
}

static unsigned int histories_of(unsigned int nr)
{
	return HISTORIES_MIN + nr / SITES_A_HISTORY;
}

/* As many as fit in what the other tables leave of one percent of RAM. */
static unsigned int sites_default(void)
{
	unsigned long most = totalram_pages() * (PAGE_SIZE / 4) / 25;
	unsigned int nr = SITES_DEFAULT_MAX;

	while (nr > SITES_DEFAULT_MIN &&
	       lw_memory_bytes(nr, histories_of(nr)) + nr * sizeof(struct lw_mark) > most)
		nr -= SITES_STEP;
	return nr;
}

static int init_tables(unsigned int bits)
{
	unsigned long first = ULONG_MAX, end = 0, base;
	int node, err;

	for_each_online_node(node) {
		if (!node_spanned_pages(node))
			continue;
		first = min(first, node_start_pfn(node));
		end = max(end, node_end_pfn(node));
	}
	base = (unsigned long)__va((phys_addr_t)first << PAGE_SHIFT);
	if (bits & BIT(LW_SLAB))
		err = init_objects(base, (unsigned long)high_memory - base);
	else
		err = lw_live_init(LW_LIVE_MIN, base, 0);
	if (err)
		return err;
	err = lw_pages_init(bits & BIT(LW_PAGE) ? end : 0, chunk_exists);
	if (err)
		return err;
	err = lw_buffers_init(bits & BIT(LW_BUFFER) ? buffers : 0);
	if (err)
		return err;
	if (!sites)
		sites = sites_default();
	err = lw_sites_init(sites);
	if (err)
		return err;
	err = lw_mark_init();
	if (err)
		return err;
	err = lw_history_init(histories_of(sites));
	if (err)
		return err;
	return lw_cache_init();
}

static void exit_tables(void)
{
	lw_cache_exit();
	lw_history_exit();
	lw_mark_exit();
	lw_sites_exit();
	lw_buffers_exit();
	lw_pages_exit();
	lw_live_exit();
}

static void look_at_load(struct work_struct *unused);
static DECLARE_DELAYED_WORK(grower, look_at_load);

static void grow_if_needed(void)
{
	static bool said;
	unsigned int load = lw_live_load();
	int err;

	if (load < GROW_LOAD) {
		said = false;
		return;
	}
	err = lw_live_grow();
	if (!err)
		pr_info("the table of objects was %u %% full and has grown to %lu\n", load,
			lw_live_slots());
	else if (!said)
		pr_warn("the table of objects is %u %% full, and %s: what finds no room is counted\n",
			load, err == -ENOMEM ? "there is no memory for it to grow" :
			"as large as it may be");
	said = err;
}

static void look_at_load(struct work_struct *unused)
{
	static unsigned long at;

	mutex_lock(&lw_lock);
	if (lw_watch_on()) {
		lw_live_forget(&at, lw_live_slots() / FORGET_PARTS);
		grow_if_needed();
	}
	mutex_unlock(&lw_lock);
	schedule_delayed_work(&grower, GROW_INTERVAL);
}

static int __init leakwatch_init(void)
{
	unsigned int bits = class_bits();
	int err = bits ? check_parameters() : -EINVAL;
	int by = which_backend();

	if (err || by < 0)
		return err ?: by;
	err = init_tables(bits);
	if (err)
		goto tables;
	err = lw_hooks_init(bits, by, without);
	if (err)
		goto tables;
	err = lw_names_init();
	if (err)
		goto tables;
	mutex_lock(&lw_lock);
	err = lw_start();
	mutex_unlock(&lw_lock);
	if (err) {
		pr_err("nothing to watch: the kernel offers no hooks for what was asked (%s)\n",
		       classes);
		goto names;
	}
	err = lw_report_init(proc);
	if (err)
		goto report;
	lw_watch_figures();
	lw_history_run();
	schedule_delayed_work(&grower, GROW_INTERVAL);
	pr_info("watching, read %s/top\n", lw_dir_path());
	return 0;
report:
	lw_history_halt();	/* whoever found a file may have set it going */
	lw_stop();
names:
	lw_names_exit();
tables:
	exit_tables();
	return err;
}

/*
 * The files go first: nobody starts, stops or reads any more. Then the sampler, and who lets the
 * table of objects grow. Then the hooks, after which nobody is inside of a door (hook.c), and the
 * notifier, after which nobody looks at paths. Then the memory.
 */
static void __exit leakwatch_exit(void)
{
	lw_report_exit();
	lw_history_halt();
	cancel_delayed_work_sync(&grower);
	lw_stop();
	lw_names_exit();
	exit_tables();
}

lw_initcall(leakwatch_init);
module_exit(leakwatch_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Which place in the kernel leaks memory, on the kernel as it is");

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of frame and path: from real stacks of real allocations to the frames of a site.
 *
 * The probes here are on the events and functions that the module hooks; they take the path of what
 * the test itself does, and of nothing else.
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/kprobes.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>
#include <compat/regs.h>

/* In leakwatch all of the module's own code is glue; here it also has the callers, lw_test_*(). */
static bool is_own_code(unsigned long ip, const struct module *module)
{
	char symbol[KSYM_SYMBOL_LEN];

	if (!within_module_core(ip, module))
		return false;
	sprint_symbol_no_offset(symbol, ip - 1);
	return strncmp(symbol, "lw_test_", 8);
}

#define within_module_core is_own_code
#include "regs.h"
#include "../module/track/frame.c"
#undef within_module_core
#include "../module/track/path.c"

#define MAGIC_BYTES	1789	/* nobody else asks for as many */

static struct task_struct *armed;	/* whose events these are */
static bool armed_irq;			/* or those in hard interrupts, */
static unsigned int irq_order;		/* and of pages those of that order */
static unsigned int nr_paths;
static struct lw_path got;		/* the first of them */

static bool wanted(void)
{
	return (in_hardirq() ? READ_ONCE(armed_irq) : READ_ONCE(armed) == current) && !nr_paths;
}

static void see_kmalloc(void *data, unsigned long call_site, const void *object, size_t req,
			size_t bytes, gfp_t gfp, int node)
{
	if (req == MAGIC_BYTES && wanted()) {
		lw_path_like_call(&got, call_site, 0);
		nr_paths++;
	}
}

static void see_pages(void *data, struct page *page, unsigned int order, gfp_t gfp, int type)
{
	/* in the interrupt others ask too (kmemleak, before the object's own event) */
	if (page && (!in_hardirq() || order == READ_ONCE(irq_order)) && wanted()) {
		lw_path_like_pages(&got, 0);
		nr_paths++;
	}
}

static struct event {
	const char *name;
	void *probe;
	struct tracepoint *tp;
	bool attached;
} events[] = {
	{ "kmalloc", see_kmalloc },
	{ "mm_page_alloc", see_pages },
};

static void find_event(struct tracepoint *tp, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (!strcmp(tp->name, events[i].name))
			events[i].tp = tp;
}

static void attach(struct kunit *test, const char *name)
{
	int i;

	for_each_kernel_tracepoint(find_event, NULL);
	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (!strcmp(name, events[i].name)) {
			KUNIT_ASSERT_NOT_NULL(test, events[i].tp);
			KUNIT_ASSERT_EQ(test, 0, tracepoint_probe_register(events[i].tp,
									   events[i].probe, NULL));
			events[i].attached = true;
		}
}

static void detach(void)
{
	int i;

	armed = NULL;
	armed_irq = false;
	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i].attached) {
			tracepoint_probe_unregister(events[i].tp, events[i].probe, NULL);
			events[i].attached = false;
		}
	tracepoint_synchronize_unregister();
}

static int path_test_init(struct kunit *test)
{
	lw_stats_clear();
	nr_paths = 0;
	return 0;
}

static void path_test_exit(struct kunit *test)
{
	detach();
	lw_depth = 16;
}

/* Is frame @i of the path a call in function @name? */
static void __expect_in(struct kunit *test, const struct lw_path *path, unsigned int i,
			const char *name)
{
	char symbol[KSYM_SYMBOL_LEN];

	KUNIT_ASSERT_LT(test, i, path->nr);
	sprint_symbol_no_offset(symbol, path->frame[i] - 1);
	strreplace(symbol, ' ', '\0');
	strreplace(symbol, '.', '\0');
	KUNIT_EXPECT_STREQ_MSG(test, symbol, name, "frame %u", i);
}

#define expect_in(test, i, name)	__expect_in(test, &got, i, name)

static bool path_has(const char *name)
{
	char symbol[KSYM_SYMBOL_LEN];
	unsigned int i;

	for (i = 0; i < got.nr; i++) {
		sprint_symbol_no_offset(symbol, got.frame[i] - 1);
		if (!strncmp(symbol, name, strlen(name)))
			return true;
	}
	return false;
}

/*
 * The chain: outer -> middle -> leaf -> the allocator. Each does something behind its call, which
 * therefore is no jump.
 */
static __always_inline void *behind(void *object)
{
	OPTIMIZER_HIDE_VAR(object);
	return object;
}

enum ask {
	BY_KMALLOC, BY_KMALLOC_NODE, BY_KZALLOC_ARRAY, BY_KMEMDUP, BY_KREALLOC, BY_KVMALLOC,
	BY_KASPRINTF, BY_KSTRDUP,
	BY_PAGES, BY_GET_PAGES, BY_ZEROED_PAGE, BY_PAGES_EXACT, BY_LARGE_KMALLOC, BY_NEW_SLAB,
	NR_ASKS
};

static enum ask ask_by;
static char text[MAGIC_BYTES];
static struct kmem_cache *fresh;

static noinline __noclone void *lw_test_leaf(void)
{
	switch (ask_by) {
	case BY_KMALLOC:
		return behind(kmalloc(MAGIC_BYTES, GFP_KERNEL));
	case BY_KMALLOC_NODE:
		return behind(kmalloc_node(MAGIC_BYTES, GFP_KERNEL, 0));
	case BY_KZALLOC_ARRAY:
		return behind(kcalloc(1, MAGIC_BYTES, GFP_KERNEL));
	case BY_KMEMDUP:
		return behind(kmemdup(text, MAGIC_BYTES, GFP_KERNEL));
	case BY_KREALLOC:
		return behind(krealloc(NULL, MAGIC_BYTES, GFP_KERNEL));
	case BY_KVMALLOC:
		return behind(kvmalloc(MAGIC_BYTES, GFP_KERNEL));
	case BY_KASPRINTF:
		return behind(kasprintf(GFP_KERNEL, "%s", text));
	case BY_KSTRDUP:
		return behind(kstrdup(text, GFP_KERNEL));
	case BY_PAGES:
		return behind(page_address(alloc_pages(GFP_KERNEL, 2)));
	case BY_GET_PAGES:
		return behind((void *)__get_free_pages(GFP_KERNEL, 2));
	case BY_ZEROED_PAGE:
		return behind((void *)get_zeroed_page(GFP_KERNEL));
	case BY_PAGES_EXACT:
		return behind(alloc_pages_exact(4 * PAGE_SIZE, GFP_KERNEL));
	case BY_LARGE_KMALLOC:
		return behind(kmalloc(4 * KMALLOC_MAX_CACHE_SIZE, GFP_KERNEL));
	case BY_NEW_SLAB:
		return behind(kmem_cache_alloc(fresh, GFP_KERNEL));
	default:
		return NULL;
	}
}

static void give_back(void *object)
{
	switch (ask_by) {
	case BY_PAGES:
	case BY_GET_PAGES:
		free_pages((unsigned long)object, 2);
		break;
	case BY_ZEROED_PAGE:
		free_page((unsigned long)object);
		break;
	case BY_PAGES_EXACT:
		free_pages_exact(object, 4 * PAGE_SIZE);
		break;
	case BY_NEW_SLAB:
		kmem_cache_free(fresh, object);
		break;
	default:
		kfree(object);
	}
}

static noinline __noclone void *lw_test_middle(void)
{
	return behind(lw_test_leaf());
}

static noinline __noclone void *lw_test_outer(void)
{
	return behind(lw_test_middle());
}

static noinline __noclone void *lw_test_deep(unsigned int depth)
{
	return behind(depth ? lw_test_deep(depth - 1) : lw_test_leaf());
}

static noinline void ask(struct kunit *test, enum ask by, unsigned int deep)
{
	void *object;

	ask_by = by;
	nr_paths = 0;
	memset(&got, 0, sizeof(got));
	memset(text, 'x', sizeof(text) - 1);
	WRITE_ONCE(armed, current);
	object = deep ? lw_test_deep(deep) : lw_test_outer();
	WRITE_ONCE(armed, NULL);
	KUNIT_ASSERT_NOT_NULL(test, object);
	give_back(object);
	KUNIT_ASSERT_GT(test, nr_paths, 0);
}

static const struct known {
	const char *name;
	enum lw_frame kind;
} known[] = {
	/* every kind, whole names and beginnings */
	{ "kfree", LW_FRAME_CALLER },
	{ "tcp_sendmsg", LW_FRAME_CALLER },
	{ "__kmalloc", LW_FRAME_ALLOC },
	{ "__kmalloc_node_track_caller", LW_FRAME_ALLOC },
	{ "kmalloc_trace", LW_FRAME_ALLOC },
	{ "kmem_cache_alloc_lru", LW_FRAME_ALLOC },
	{ "kmem_cache_alloc_bulk", LW_FRAME_ALLOC },
	{ "kvmalloc_node", LW_FRAME_ALLOC },
	{ "kasprintf", LW_FRAME_ALLOC },
	{ "kstrndup", LW_FRAME_ALLOC },
	{ "__alloc_pages", LW_FRAME_ALLOC },
	{ "alloc_pages_exact", LW_FRAME_ALLOC },
	{ "get_zeroed_page", LW_FRAME_ALLOC },
	{ "dma_alloc_attrs", LW_FRAME_ALLOC },
	{ "__vmalloc_node_range", LW_FRAME_ALLOC },
	{ "kmalloc_large", LW_FRAME_BACKING },
	{ "kmalloc_large_node", LW_FRAME_BACKING },
	{ "__kmalloc_large_node", LW_FRAME_BACKING },
	{ "kmalloc_order_trace", LW_FRAME_BACKING },
	{ "allocate_slab", LW_FRAME_BACKING },
	{ "___slab_alloc", LW_FRAME_BACKING },
	{ "__traceiter_kmalloc", LW_FRAME_GLUE },
	{ "asm_exc_page_fault", LW_FRAME_END },
	{ "__sysvec_apic_timer_interrupt", LW_FRAME_END },
	{ "entry_SYSCALL_64_after_hwframe", LW_FRAME_END },
	{ "ret_from_fork_asm", LW_FRAME_END },
	{ "el1h_64_irq", LW_FRAME_END },
	{ "el0t_64_sync", LW_FRAME_END },
	{ "__do_softirq", LW_FRAME_END },
	/* what compilers and allocation profiling add */
	{ "allocate_slab.isra.0", LW_FRAME_BACKING },
	{ "new_slab.constprop.0", LW_FRAME_BACKING },
	{ "___slab_alloc.part.0", LW_FRAME_BACKING },
	{ "___slab_alloc.constprop.0.isra.0", LW_FRAME_BACKING },
	{ "vmemdup_user_noprof", LW_FRAME_ALLOC },
	{ "kmalloc_noprof", LW_FRAME_ALLOC },
	{ "__kmalloc_large_node_noprof", LW_FRAME_BACKING },
	{ "vma_alloc_folio_noprof.part.0", LW_FRAME_ALLOC },
	{ "kvasprintf_const.cold", LW_FRAME_ALLOC },
	/* what only looks like one of them */
	{ "my_kmalloc", LW_FRAME_CALLER },
	{ "kstrndup_more", LW_FRAME_CALLER },
	{ "kasprintf_strarray", LW_FRAME_CALLER },
	{ "new_slabs", LW_FRAME_CALLER },
	{ "allocate_slab_noprofit", LW_FRAME_CALLER },
	{ "get_zeroed_page_of", LW_FRAME_CALLER },
	{ "cache_grow_more", LW_FRAME_CALLER },
	{ "do_IRQ_work", LW_FRAME_CALLER },
	{ "alloc", LW_FRAME_CALLER },
	{ "", LW_FRAME_CALLER },
};

static void frame_names(struct kunit *test)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		KUNIT_EXPECT_EQ_MSG(test, lw_frame_of_name(known[i].name), known[i].kind, "%s",
				    known[i].name);
}

/* A core function by its name, a module's never; and again when another took its place. */
static void frame_kinds(struct kunit *test)
{
	unsigned long alloc = (unsigned long)__kmalloc + 8, caller = (unsigned long)kfree + 8;
	unsigned long other;
	int i;

	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, lw_frame_kind(alloc), LW_FRAME_ALLOC);
		KUNIT_EXPECT_EQ(test, lw_frame_kind(caller), LW_FRAME_CALLER);
		KUNIT_EXPECT_EQ(test, lw_frame_kind((unsigned long)frame_kinds + 8), LW_FRAME_GLUE);
		KUNIT_EXPECT_EQ(test, lw_frame_kind(PAGE_SIZE), LW_FRAME_GLUE);
	}
	/* an address that falls on the same place */
	for (other = caller; hash_long(++other, LW_FRAME_BITS) != hash_long(alloc, LW_FRAME_BITS);)
		if (other - caller > 1UL << 24)
			kunit_skip(test, "no two addresses share a place");
	KUNIT_EXPECT_EQ(test, lw_frame_kind(alloc), LW_FRAME_ALLOC);
	lw_frame_kind(other);
	KUNIT_EXPECT_EQ(test, lw_frame_kind(alloc), LW_FRAME_ALLOC);
}

/* The call site first, then its callers in order, the thread's beginning last. */
static void expect_chain(struct kunit *test, const char *own)
{
	expect_in(test, 0, "lw_test_leaf");
	expect_in(test, 1, "lw_test_middle");
	expect_in(test, 2, "lw_test_outer");
	expect_in(test, 3, "ask");
	expect_in(test, 4, own);
	expect_in(test, got.nr - 1, "ret_from_fork");
	KUNIT_EXPECT_LT(test, got.nr, 16);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_WALK_SHORT), 0);
}

static void objects(struct kunit *test)
{
	enum ask by;

	attach(test, "kmalloc");
	for (by = BY_KMALLOC; by <= BY_KSTRDUP; by++) {
		ask(test, by, 0);
		expect_chain(test, "objects");
		KUNIT_EXPECT_FALSE(test, got.backing);
	}
}

static void pages(struct kunit *test)
{
	enum ask by;

	attach(test, "mm_page_alloc");
	for (by = BY_PAGES; by <= BY_PAGES_EXACT; by++) {
		ask(test, by, 0);
		expect_chain(test, "pages");
		KUNIT_EXPECT_FALSE(test, got.backing);
	}
}

/* Pages that the slab allocator asks for, for itself or a large kmalloc, are told from others. */
static void never_merged(void *object)
{
}

static void backing(struct kunit *test)
{
	attach(test, "mm_page_alloc");
	ask(test, BY_LARGE_KMALLOC, 0);
	KUNIT_EXPECT_TRUE(test, got.backing);
	expect_chain(test, "backing");

	fresh = kmem_cache_create("leakwatch_path_test", 1000, 0, 0, never_merged);
	KUNIT_ASSERT_NOT_NULL(test, fresh);
	ask(test, BY_NEW_SLAB, 0);
	KUNIT_EXPECT_TRUE(test, got.backing);
	expect_chain(test, "backing");
	kmem_cache_destroy(fresh);
}

static void depth(struct kunit *test)
{
	unsigned long frame[LW_DEPTH_MAX];
	unsigned int i;

	attach(test, "kmalloc");
	lw_depth = LW_DEPTH_MAX;
	ask(test, BY_KMALLOC, 2 * LW_DEPTH_MAX);
	KUNIT_EXPECT_EQ(test, got.nr, LW_DEPTH_MAX);
	expect_in(test, 0, "lw_test_leaf");
	for (i = 1; i < LW_DEPTH_MAX; i++)
		expect_in(test, i, "lw_test_deep");
	memcpy(frame, got.frame, sizeof(frame));
	/* a shorter one is the beginning of a longer one */
	for (i = LW_DEPTH_MAX - 1; i; i--) {
		lw_depth = i;
		ask(test, BY_KMALLOC, 2 * LW_DEPTH_MAX);
		KUNIT_EXPECT_EQ(test, got.nr, i);
		KUNIT_EXPECT_EQ(test, memcmp(got.frame, frame, i * sizeof(*frame)), 0);
	}
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_WALK_SHORT), 0);
}

/* A call site that is not on the stack is kept alone, and that is counted. */
static void short_walk(struct kunit *test)
{
	unsigned long caller = (unsigned long)kfree + 8;
	struct pt_regs regs;

	lw_path_like_call(&got, (unsigned long)kfree + 8, 0);
	KUNIT_EXPECT_EQ(test, got.nr, 1);
	KUNIT_EXPECT_EQ(test, got.frame[0], (unsigned long)kfree + 8);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_WALK_SHORT), 1);
	if (IS_ENABLED(CONFIG_ARM))	/* its walker begins with whatever registers it is given */
		return;
	lw_path_like_entry(&got, 0, regs_at_entry(&regs, (unsigned long)kfree, &caller));
	KUNIT_EXPECT_EQ(test, got.nr, 1);
	KUNIT_EXPECT_EQ(test, got.frame[0], caller);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_WALK_SHORT), 2);
}

/* From an interrupt: the callback first, the entry of the interrupt last, nothing of the task. */
static struct hrtimer timer;
static bool in_irq_pages;
static void *irq_object;

static noinline __noclone enum hrtimer_restart lw_test_tick(struct hrtimer *timer)
{
	irq_object = behind(in_irq_pages ? page_address(alloc_pages(GFP_ATOMIC, 2)) :
			    kmalloc(MAGIC_BYTES, GFP_ATOMIC));
	return HRTIMER_NORESTART;
}

static noinline __noclone void lw_test_interrupted(void)
{
	ktime_t end = ktime_add_ms(ktime_get(), 2000);

	while (!READ_ONCE(irq_object) && ktime_before(ktime_get(), end))
		cpu_relax();
}

static void interrupts(struct kunit *test)
{
	int i;

	attach(test, "kmalloc");
	attach(test, "mm_page_alloc");
	for (i = 0; i < 2; i++) {
		in_irq_pages = i;
		irq_order = i ? 2 : UINT_MAX;
		irq_object = NULL;
		nr_paths = 0;
		hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
		timer.function = lw_test_tick;
		WRITE_ONCE(armed_irq, true);
		migrate_disable();
		hrtimer_start(&timer, ms_to_ktime(5), HRTIMER_MODE_REL_PINNED_HARD);
		lw_test_interrupted();
		migrate_enable();
		hrtimer_cancel(&timer);
		WRITE_ONCE(armed_irq, false);
		KUNIT_ASSERT_NOT_NULL(test, irq_object);
		if (in_irq_pages)
			free_pages((unsigned long)irq_object, 2);
		else
			kfree(irq_object);

		KUNIT_ASSERT_EQ(test, nr_paths, 1);
		expect_in(test, 0, "lw_test_tick");
		KUNIT_EXPECT_TRUE(test, path_has("hrtimer_interrupt"));
		KUNIT_EXPECT_EQ(test, lw_frame_kind(got.frame[got.nr - 1]), LW_FRAME_END);
		KUNIT_EXPECT_LT(test, got.nr, 16);
		KUNIT_EXPECT_FALSE(test, path_has("lw_test_interrupted"));
		KUNIT_EXPECT_FALSE(test, path_has("interrupts"));
		KUNIT_EXPECT_FALSE(test, path_has("kthread"));
		KUNIT_EXPECT_FALSE(test, path_has("ret_from_fork"));
	}
}

/*
 * A kprobe at the entry of a function: who called it is frame 0, wherever the architecture keeps
 * that; of a function of ours, where the kernel puts a breakpoint, and of one of the kernel's,
 * where it may use ftrace.
 */
static unsigned int lw_test_caller(unsigned int again);

/* Calls back its own caller, @again times: the same call is on the stack more than once. */
static noinline __noclone unsigned int lw_test_probed(unsigned int again)
{
	unsigned int ret = again;

	OPTIMIZER_HIDE_VAR(ret);
	if (again)
		ret += lw_test_caller(again - 1);
	OPTIMIZER_HIDE_VAR(ret);
	return ret;
}

static noinline __noclone unsigned int lw_test_caller(unsigned int again)
{
	unsigned int ret = lw_test_probed(again);

	OPTIMIZER_HIDE_VAR(ret);
	return ret;
}

static noinline __noclone unsigned int lw_test_callers_caller(unsigned int again)
{
	unsigned int ret = lw_test_caller(again);

	OPTIMIZER_HIDE_VAR(ret);
	return ret;
}

static noinline __noclone unsigned int lw_test_shrinks(void)
{
	unsigned int ret = kmem_cache_shrink(fresh);

	OPTIMIZER_HIDE_VAR(ret);
	return ret;
}

static unsigned int result;		/* else nobody would need the calls */
static unsigned int skip_entries;	/* the path of the first entries is not wanted */

static void see_entry(struct pt_regs *regs)
{
	/* a breakpoint counts as an interrupt on x86 */
	if (READ_ONCE(armed) != current || nr_paths || (skip_entries && skip_entries--))
		return;
	lw_path_like_entry(&got, 0, regs);
	nr_paths++;
}

static int on_entry(struct kprobe *kp, struct pt_regs *regs)
{
	see_entry(regs);
	return 0;
}

static int on_entry_ret(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	see_entry(regs);
	return 0;
}

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return 0;
}

static noinline void call_probed(unsigned int again)
{
	nr_paths = 0;
	memset(&got, 0, sizeof(got));
	WRITE_ONCE(armed, current);
	WRITE_ONCE(result, lw_test_callers_caller(again));
	WRITE_ONCE(armed, NULL);
}

static void entry(struct kunit *test)
{
	struct kprobe kp = { .symbol_name = "lw_test_probed", .pre_handler = on_entry };

	KUNIT_ASSERT_EQ(test, register_kprobe(&kp), 0);
	call_probed(0);
	unregister_kprobe(&kp);
	KUNIT_ASSERT_EQ(test, nr_paths, 1);
	expect_in(test, 0, "lw_test_caller");
	expect_in(test, 1, "lw_test_callers_caller");
	expect_in(test, 2, "call_probed");
	expect_in(test, 3, "entry");
	expect_in(test, got.nr - 1, "ret_from_fork");
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_WALK_SHORT), 0);
}

static void entry_of_kernel(struct kunit *test)
{
	struct kprobe kp = { .symbol_name = "kmem_cache_shrink", .pre_handler = on_entry };

	fresh = kmem_cache_create("leakwatch_path_test", 1000, 0, 0, never_merged);
	KUNIT_ASSERT_NOT_NULL(test, fresh);
	KUNIT_ASSERT_EQ(test, register_kprobe(&kp), 0);
	WRITE_ONCE(armed, current);
	WRITE_ONCE(result, lw_test_shrinks());
	WRITE_ONCE(armed, NULL);
	unregister_kprobe(&kp);
	kmem_cache_destroy(fresh);
	KUNIT_ASSERT_EQ(test, nr_paths, 1);
	expect_in(test, 0, "lw_test_shrinks");
	expect_in(test, 1, "entry_of_kernel");
	expect_in(test, got.nr - 1, "ret_from_fork");
}

/* The same call on the stack more than once: no frame between is lost. */
static void entry_again(struct kunit *test)
{
	struct kprobe kp = { .symbol_name = "lw_test_probed", .pre_handler = on_entry };

	KUNIT_ASSERT_EQ(test, register_kprobe(&kp), 0);
	WRITE_ONCE(skip_entries, 2);
	call_probed(2);
	WRITE_ONCE(skip_entries, 0);
	unregister_kprobe(&kp);
	KUNIT_ASSERT_EQ(test, nr_paths, 1);
	expect_in(test, 0, "lw_test_caller");
	expect_in(test, 1, "lw_test_probed");
	expect_in(test, 2, "lw_test_caller");
	expect_in(test, 3, "lw_test_probed");
	expect_in(test, 4, "lw_test_caller");
	expect_in(test, 5, "lw_test_callers_caller");
	expect_in(test, 6, "call_probed");
}

static void entry_of_kretprobe(struct kunit *test)
{
	struct kretprobe rp = {
		.kp.symbol_name = "lw_test_probed",
		.entry_handler = on_entry_ret, .handler = on_return, .maxactive = 8,
	};

	KUNIT_ASSERT_EQ(test, register_kretprobe(&rp), 0);
	call_probed(0);
	unregister_kretprobe(&rp);
	KUNIT_ASSERT_EQ(test, nr_paths, 1);
	expect_in(test, 0, "lw_test_caller");
	expect_in(test, 1, "lw_test_callers_caller");
	expect_in(test, 2, "call_probed");
}

/*
 * Somebody else's kretprobe on the function has put a trampoline where it returns to: the path
 * begins with the caller if the walker can tell it, or else with the trampoline, and is counted as
 * short. Never does it begin with somebody who did not call. Behind a trampoline arm's walker does
 * not go on.
 */
static noinline void beside_kretprobe(struct kunit *test, const char *function,
				      unsigned int (*call)(void))
{
	struct kretprobe rp = {
		.kp.symbol_name = function,
		.entry_handler = on_entry_ret, .handler = on_return, .maxactive = 8,
	};
	struct kretprobe other = {
		.kp.symbol_name = function, .handler = on_return, .maxactive = 8,
	};

	KUNIT_ASSERT_EQ(test, register_kretprobe(&rp), 0);
	KUNIT_ASSERT_EQ(test, register_kretprobe(&other), 0);
	nr_paths = 0;
	memset(&got, 0, sizeof(got));
	WRITE_ONCE(armed, current);
	WRITE_ONCE(result, call());
	WRITE_ONCE(armed, NULL);
	unregister_kretprobe(&other);
	unregister_kretprobe(&rp);
	KUNIT_ASSERT_EQ(test, nr_paths, 1);
	KUNIT_ASSERT_GT(test, got.nr, IS_ENABLED(CONFIG_ARM) ? 0 : 1);
}

static noinline __noclone unsigned int lw_test_calls(void)
{
	unsigned int ret = lw_test_caller(0);

	OPTIMIZER_HIDE_VAR(ret);
	return ret;
}

static void expect_caller_or_short(struct kunit *test, const char *caller)
{
	bool is_short = lw_frame_kind(got.frame[0]) == LW_FRAME_TRAMPOLINE;

	if (!is_short)
		expect_in(test, 0, caller);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_WALK_SHORT), is_short);
	if (IS_ENABLED(CONFIG_ARM) && is_short)
		return;
	KUNIT_EXPECT_TRUE(test, path_has("beside_kretprobe"));
	expect_in(test, got.nr - 1, "ret_from_fork");
}

static void entry_beside_kretprobe(struct kunit *test)
{
	beside_kretprobe(test, "lw_test_probed", lw_test_calls);
	expect_caller_or_short(test, "lw_test_caller");
}

static void entry_of_kernel_beside_kretprobe(struct kunit *test)
{
	fresh = kmem_cache_create("leakwatch_path_test", 1000, 0, 0, never_merged);
	KUNIT_ASSERT_NOT_NULL(test, fresh);
	beside_kretprobe(test, "kmem_cache_shrink", lw_test_shrinks);
	kmem_cache_destroy(fresh);
	expect_caller_or_short(test, "lw_test_shrinks");
}

/*
 * Steps are written by one CPU at a time, and none of an era that is over: somebody who is late
 * leaves those of the present one alone.
 */
static void settling_late(struct kunit *test)
{
	unsigned long frame = 16;
	struct capture by = { .depth = 1, .era = lw_walk_now() };
	struct lw_site *site;

	if (!by.era)
		kunit_skip(test, "there is no fast walk here");
	KUNIT_ASSERT_EQ(test, lw_sites_init(LW_SITES_MIN), 0);
	site = &lw_sites[lw_site_get(lw_what_kmalloc(64, 0), &frame, 1, NULL)];
	by.first.ip = frame;
	settling = 1;			/* another CPU is at it */
	settle(site, &by);
	KUNIT_EXPECT_EQ(test, site->era, 0);
	KUNIT_EXPECT_TRUE(test, is_new(site, by.era));
	settling = 0;
	lw_walk_doubt();
	settle(site, &by);
	KUNIT_EXPECT_EQ(test, site->era, 0);
	KUNIT_EXPECT_EQ(test, site->tried, 0);
	by.era = lw_walk_now();
	settle(site, &by);
	KUNIT_EXPECT_EQ(test, site->era, by.era);
	KUNIT_EXPECT_FALSE(test, is_new(site, by.era));
	KUNIT_EXPECT_EQ(test, settling, 0);
	lw_sites_exit();
}

static struct kunit_case path_cases[] = {
	KUNIT_CASE(settling_late),
	KUNIT_CASE(frame_names),
	KUNIT_CASE(frame_kinds),
	KUNIT_CASE(objects),
	KUNIT_CASE(pages),
	KUNIT_CASE(backing),
	KUNIT_CASE(depth),
	KUNIT_CASE(short_walk),
	KUNIT_CASE(interrupts),
	KUNIT_CASE(entry),
	KUNIT_CASE(entry_of_kernel),
	KUNIT_CASE(entry_again),
	KUNIT_CASE(entry_of_kretprobe),
	KUNIT_CASE(entry_beside_kretprobe),
	KUNIT_CASE(entry_of_kernel_beside_kretprobe),
	{}
};

static struct kunit_suite path_suite = {
	.name = "leakwatch_path",
	.init = path_test_init,
	.exit = path_test_exit,
	.test_cases = path_cases,
};

kunit_test_suite(path_suite);

MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
#include <linux/hash.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>
#include <leakwatch/frame.h>

/*
 * Names match from their beginning; one that ends with '$' matches whole, but for what compilers
 * add (.isra.0, .part.0, .constprop.0) and the _noprof of 6.10 and later. The first match counts.
 */
static const struct {
	const char *name;
	enum lw_frame kind;
} names[] = {
	{ "__traceiter_", LW_FRAME_GLUE },
	{ "save_stack_trace", LW_FRAME_GLUE },		/* before 5.2 it is among the frames */
	{ "walk_stackframe$", LW_FRAME_GLUE },
	{ "dma_buf_export", LW_FRAME_GLUE },		/* whose event it is; else it is a caller */

	{ "arch_rethook_trampoline$", LW_FRAME_TRAMPOLINE },
	{ "arch_kretprobe_trampoline$", LW_FRAME_TRAMPOLINE },
	{ "__kretprobe_trampoline$", LW_FRAME_TRAMPOLINE },
	{ "kretprobe_trampoline$", LW_FRAME_TRAMPOLINE },
	{ "return_to_handler$", LW_FRAME_TRAMPOLINE },

	/* The slab allocators' own pages, 3.10 to 7.x; "kmalloc_large" before "kmalloc". */
	{ "allocate_slab$", LW_FRAME_BACKING },
	{ "alloc_slab_page$", LW_FRAME_BACKING },
	{ "new_slab$", LW_FRAME_BACKING },
	{ "___slab_alloc$", LW_FRAME_BACKING },
	{ "__slab_alloc$", LW_FRAME_BACKING },
	{ "refill_objects$", LW_FRAME_BACKING },
	{ "cache_grow_begin$", LW_FRAME_BACKING },
	{ "cache_grow$", LW_FRAME_BACKING },
	{ "kmem_getpages$", LW_FRAME_BACKING },
	{ "cache_alloc_refill$", LW_FRAME_BACKING },
	{ "kmalloc_large", LW_FRAME_BACKING },
	{ "__kmalloc_large", LW_FRAME_BACKING },
	{ "___kmalloc_large", LW_FRAME_BACKING },
	{ "kmalloc_order", LW_FRAME_BACKING },

	/* include/linux/slab.h, string.h, mempool.h, device/devres.h */
	{ "__kmalloc", LW_FRAME_ALLOC },
	{ "__do_kmalloc", LW_FRAME_ALLOC },
	{ "kmalloc", LW_FRAME_ALLOC },
	{ "_kmalloc_nolock", LW_FRAME_ALLOC },
	{ "kmem_cache_alloc", LW_FRAME_ALLOC },
	{ "__kmem_cache_alloc", LW_FRAME_ALLOC },
	{ "slab_alloc", LW_FRAME_ALLOC },
	{ "krealloc", LW_FRAME_ALLOC },
	{ "__do_krealloc", LW_FRAME_ALLOC },
	{ "kvmalloc", LW_FRAME_ALLOC },
	{ "__kvmalloc", LW_FRAME_ALLOC },
	{ "kvrealloc", LW_FRAME_ALLOC },
	{ "kzalloc", LW_FRAME_ALLOC },
	{ "kmemdup", LW_FRAME_ALLOC },
	{ "kvmemdup", LW_FRAME_ALLOC },
	{ "kstrdup", LW_FRAME_ALLOC },
	{ "kstrndup$", LW_FRAME_ALLOC },
	{ "kasprintf$", LW_FRAME_ALLOC },
	{ "kvasprintf", LW_FRAME_ALLOC },
	{ "memdup_user", LW_FRAME_ALLOC },
	{ "vmemdup_user$", LW_FRAME_ALLOC },
	{ "strndup_user$", LW_FRAME_ALLOC },
	{ "mempool_alloc", LW_FRAME_ALLOC },
	{ "mempool_kmalloc$", LW_FRAME_ALLOC },
	{ "devm_kmalloc", LW_FRAME_ALLOC },
	{ "devm_krealloc$", LW_FRAME_ALLOC },
	{ "devm_kmemdup", LW_FRAME_ALLOC },
	{ "devm_kstrdup", LW_FRAME_ALLOC },
	{ "devm_kasprintf$", LW_FRAME_ALLOC },
	{ "devm_kvasprintf$", LW_FRAME_ALLOC },
	{ "devres_alloc", LW_FRAME_ALLOC },
	{ "__devres_alloc", LW_FRAME_ALLOC },
	{ "alloc_dr$", LW_FRAME_ALLOC },

	/* include/linux/gfp.h, cma.h, dma-mapping.h */
	{ "__alloc_pages", LW_FRAME_ALLOC },
	{ "alloc_pages", LW_FRAME_ALLOC },
	{ "__alloc_frozen_pages", LW_FRAME_ALLOC },
	{ "alloc_frozen_pages", LW_FRAME_ALLOC },
	{ "alloc_page_interleave$", LW_FRAME_ALLOC },
	{ "__get_free_pages$", LW_FRAME_ALLOC },
	{ "get_free_pages$", LW_FRAME_ALLOC },
	{ "get_zeroed_page$", LW_FRAME_ALLOC },
	{ "__folio_alloc", LW_FRAME_ALLOC },
	{ "folio_alloc", LW_FRAME_ALLOC },
	{ "vma_alloc_folio$", LW_FRAME_ALLOC },
	{ "make_alloc_exact$", LW_FRAME_ALLOC },
	{ "page_frag_alloc", LW_FRAME_ALLOC },
	{ "__page_frag", LW_FRAME_ALLOC },
	{ "alloc_contig_", LW_FRAME_ALLOC },
	{ "__alloc_contig_", LW_FRAME_ALLOC },
	{ "cma_alloc", LW_FRAME_ALLOC },
	{ "__cma_alloc", LW_FRAME_ALLOC },
	{ "dma_alloc_", LW_FRAME_ALLOC },
	{ "dmam_alloc_", LW_FRAME_ALLOC },
	{ "dma_direct_alloc", LW_FRAME_ALLOC },
	{ "__dma_direct_alloc_pages", LW_FRAME_ALLOC },

	/* include/linux/vmalloc.h */
	{ "vmalloc", LW_FRAME_ALLOC },
	{ "__vmalloc", LW_FRAME_ALLOC },
	{ "vzalloc", LW_FRAME_ALLOC },
	{ "vm_area_alloc_pages$", LW_FRAME_ALLOC },
	{ "module_alloc$", LW_FRAME_ALLOC },

	/* Entries: of soft interrupts, x86, arm64, arm. */
	{ "__do_softirq$", LW_FRAME_END },
	{ "handle_softirqs$", LW_FRAME_END },
	{ "common_interrupt", LW_FRAME_END },
	{ "__common_interrupt$", LW_FRAME_END },
	{ "sysvec_", LW_FRAME_END },
	{ "__sysvec_", LW_FRAME_END },
	{ "asm_", LW_FRAME_END },
	{ "exc_", LW_FRAME_END },
	{ "do_IRQ$", LW_FRAME_END },
	{ "do_syscall_64$", LW_FRAME_END },
	{ "do_int80", LW_FRAME_END },
	{ "__do_fast_syscall_32$", LW_FRAME_END },
	{ "entry_SYSCALL", LW_FRAME_END },
	{ "entry_INT80", LW_FRAME_END },
	{ "ret_from_fork", LW_FRAME_END },
	{ "gic_handle_irq$", LW_FRAME_END },
	{ "call_on_irq_stack$", LW_FRAME_END },
	{ "do_interrupt_handler$", LW_FRAME_END },
	{ "cpu_switch_to$", LW_FRAME_END },	/* el0_svc, too, where local names are not known */
	{ "el0", LW_FRAME_END },
	{ "el1", LW_FRAME_END },
	{ "__irq_svc$", LW_FRAME_END },
	{ "__irq_usr$", LW_FRAME_END },
	{ "__dabt_svc$", LW_FRAME_END },
	{ "__dabt_usr$", LW_FRAME_END },
	{ "ret_fast_syscall$", LW_FRAME_END },
	{ "__entry_text_start$", LW_FRAME_END },	/* arm: right before it */
};

static bool matches(const char *name, const char *pattern)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] != '$')
		return !strncmp(name, pattern, len);
	len--;
	if (strncmp(name, pattern, len))
		return false;
	name += len;
	if (!strncmp(name, "_noprof", 7))
		name += 7;
	return !*name || *name == '.';
}

enum lw_frame lw_frame_of_name(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (matches(name, names[i].name))
			return names[i].kind;
	return LW_FRAME_CALLER;
}

static noinline enum lw_frame look_up(unsigned long ip)
{
	char symbol[KSYM_SYMBOL_LEN];
	char *end;

	if (lw_frame_own(ip))
		return LW_FRAME_GLUE;
	/* A function's first address is no return address: it was put there. */
	sprint_symbol(symbol, ip);
	if (strstr(symbol, "+0x0/")) {
		*strchr(symbol, '+') = 0;
		if (lw_frame_of_name(symbol) == LW_FRAME_TRAMPOLINE)
			return LW_FRAME_TRAMPOLINE;
	}
	sprint_symbol_no_offset(symbol, ip - 1);	/* the call may be a function's last word */
	if (symbol[0] == '0')
		return LW_FRAME_GLUE;			/* no name: a trampoline */
	end = strchr(symbol, ' ');
	if (end)
		return LW_FRAME_CALLER;			/* " [module]" follows */
	return lw_frame_of_name(symbol);
}

u64 lw_frame_memo[1 << LW_FRAME_BITS];

enum lw_frame lw_frame_look_up(unsigned long ip)
{
	enum lw_frame kind = look_up(ip);

	WRITE_ONCE(lw_frame_memo[hash_long(ip, LW_FRAME_BITS)], (u64)ip << LW_FRAME_KIND | kind);
	return kind;
}

/* BPF and the trampolines of ftrace and kprobes are shown as if they were modules. */
bool lw_frame_stays(unsigned long ip)
{
	char symbol[KSYM_SYMBOL_LEN];
	const char *module;

	sprint_symbol_no_offset(symbol, ip - 1);
	if (symbol[0] == '0')
		return false;
	module = strchr(symbol, '[');
	return !module || (strcmp(module, "[bpf]") && strncmp(module, "[__builtin__", 12));
}

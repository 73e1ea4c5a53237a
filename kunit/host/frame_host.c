// SPDX-License-Identifier: GPL-2.0
/* frame: what a return address is, by the name of its function. */
#include "host.h"
#include "../../module/track/frame.c"

/*
 * A made-up kernel: each function has 16 bytes, function n is at 16 * n. The first 16 bytes have no
 * name; what lies above is this module.
 */
static const char * const functions[] = {
	"", "kmalloc_trace", "some_driver_probe", "kmalloc_large_node", "kstrdup [other]",
	"asm_sysvec_apic_timer_interrupt", "__alloc_pages_noprof", "new_slab", "new_slab_objects",
	"arch_rethook_trampoline",
};

static unsigned int lookups;

int sprint_symbol_no_offset(char *buffer, unsigned long address)
{
	unsigned long nr = address / 16;

	__atomic_fetch_add(&lookups, 1, __ATOMIC_RELAXED);
	return nr ? sprintf(buffer, "%s", functions[nr % ARRAY_SIZE(functions)]) :
		    sprintf(buffer, "0x%lx", address);
}

int sprint_symbol(char *buffer, unsigned long address)
{
	unsigned long nr = address / 16;

	return nr ? sprintf(buffer, "%s+0x%lx/0x10", functions[nr % ARRAY_SIZE(functions)],
			    address % 16) : sprintf(buffer, "0x%lx", address);
}

bool within_module_core(unsigned long addr, const struct module *mod)
{
	return addr >= ARRAY_SIZE(functions) * 16;
}

static void known_names(void)
{
	static const struct {
		const char *name;
		enum lw_frame kind;
	} want[] = {
		{ "__kmalloc", LW_FRAME_ALLOC },
		{ "__kmalloc_node_track_caller", LW_FRAME_ALLOC },
		{ "kmalloc_trace", LW_FRAME_ALLOC },
		{ "kmalloc_large", LW_FRAME_BACKING },
		{ "kmalloc_order_trace", LW_FRAME_BACKING },
		{ "___slab_alloc", LW_FRAME_BACKING },
		{ "___slab_alloc.constprop.0", LW_FRAME_BACKING },
		{ "___slab_alloc_and_more", LW_FRAME_CALLER },
		{ "new_slab", LW_FRAME_BACKING },
		{ "new_slab.isra.0", LW_FRAME_BACKING },
		{ "new_slab_noprof", LW_FRAME_BACKING },
		{ "new_slab_objects", LW_FRAME_CALLER },
		{ "new_slab_noprof.isra.0", LW_FRAME_BACKING },
		{ "arch_rethook_trampoline", LW_FRAME_TRAMPOLINE },
		{ "kmem_cache_alloc_lru_noprof", LW_FRAME_ALLOC },
		{ "__alloc_pages_bulk", LW_FRAME_ALLOC },
		{ "get_zeroed_page", LW_FRAME_ALLOC },
		{ "dma_alloc_attrs", LW_FRAME_ALLOC },
		{ "__traceiter_kmalloc", LW_FRAME_GLUE },
		{ "do_syscall_64", LW_FRAME_END },
		{ "asm_common_interrupt", LW_FRAME_END },
		{ "el0t_64_sync", LW_FRAME_END },
		{ "ret_from_fork_asm", LW_FRAME_END },
		{ "ext4_alloc_inode", LW_FRAME_CALLER },
		{ "my_kmalloc", LW_FRAME_CALLER },
		{ "k", LW_FRAME_CALLER },
		{ "", LW_FRAME_CALLER },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(want); i++)
		expect(lw_frame_of_name(want[i].name) == want[i].kind, "%s is %d", want[i].name,
		       lw_frame_of_name(want[i].name));
}

/* No pattern is in vain: none before it takes its name for something else. */
static void no_pattern_is_shadowed(void)
{
	char name[64];
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		strcpy(name, names[i].name);
		if (strchr(name, '$'))
			*strchr(name, '$') = 0;
		expect(lw_frame_of_name(name) == names[i].kind, "\"%s\" is %d", names[i].name,
		       lw_frame_of_name(name));
	}
}

/* The call is before the address that it returns to; to a trampoline one returns without a call. */
static enum lw_frame right(unsigned long ip)
{
	static const enum lw_frame kind[] = {
		LW_FRAME_GLUE, LW_FRAME_ALLOC, LW_FRAME_CALLER, LW_FRAME_BACKING, LW_FRAME_CALLER,
		LW_FRAME_END, LW_FRAME_ALLOC, LW_FRAME_BACKING, LW_FRAME_CALLER,
		LW_FRAME_TRAMPOLINE,
	};
	unsigned long nr = (ip - 1) / 16;

	if (ip / 16 >= ARRAY_SIZE(functions))
		return LW_FRAME_GLUE;
	return ip / 16 == 9 ? LW_FRAME_TRAMPOLINE : kind[nr];
}

static void addresses(void)
{
	unsigned long ip;
	unsigned int before;

	for (ip = 1; ip < 400; ip++)
		expect(lw_frame_kind(ip) == right(ip), "%#lx is %d", ip, lw_frame_kind(ip));
	before = lookups;
	for (ip = 1; ip < 400; ip++)
		expect(lw_frame_kind(ip) == right(ip), "%#lx is %d", ip, lw_frame_kind(ip));
	expect(lookups - before < 40, "%u of 399 were looked up again", lookups - before);
}

static void look_up_all(int nr, void *arg)
{
	u64 state = nr;
	unsigned long ip;
	int n;

	host_give_way = 100;
	for (n = 0; n < 50000; n++) {
		ip = 1 + host_below(&state, 400);
		expect(lw_frame_kind(ip) == right(ip), "%#lx is %d", ip, lw_frame_kind(ip));
	}
}

static void racing_look_ups(void)
{
	memset(lw_frame_memo, 0, sizeof(lw_frame_memo));
	host_threads(8, look_up_all, NULL);
}

int main(void)
{
	return host_run((struct host_test[]){
		{ "names of the kernel's functions", known_names },
		{ "no name is shadowed by one before it", no_pattern_is_shadowed },
		{ "addresses, and again from lw_frame_memory", addresses },
		{ "racing look-ups agree", racing_look_ups },
		{}
	});
}

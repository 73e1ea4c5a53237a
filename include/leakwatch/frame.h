/* SPDX-License-Identifier: GPL-2.0 */
/*
 * frame: what a return address on a stack is, told by the name of its function.
 *
 * The name is looked up once an address, by the kernel's own table of symbols, and remembered in a
 * small cache of one word an entry that is simply overwritten on a collision. Names are matched
 * for core kernel functions only; what is in a module is always a caller, this one's own code
 * excepted.
 *
 * Any context; no lock but what sprint_symbol() takes, which is none.
 */
#ifndef LEAKWATCH_FRAME_H
#define LEAKWATCH_FRAME_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/hash.h>
#include <linux/module.h>
#include <linux/types.h>

/**
 * enum lw_frame - what an address is
 * @LW_FRAME_CALLER: a function that may be the one who asked
 * @LW_FRAME_ALLOC: the allocator's interface, and its helpers that only pass a request on
 * @LW_FRAME_BACKING: the slab allocator getting pages for itself, or for a large kmalloc
 * @LW_FRAME_GLUE: what stands between the allocator and this module
 * @LW_FRAME_TRAMPOLINE: what somebody's probe or tracer has put in the place of a return address
 * @LW_FRAME_END: the entry of an interrupt, exception or system call: a path ends with it
 */
enum lw_frame {
	LW_FRAME_CALLER,
	LW_FRAME_ALLOC,
	LW_FRAME_BACKING,
	LW_FRAME_GLUE,
	LW_FRAME_TRAMPOLINE,
	LW_FRAME_END,
};

/*
 * The cache: one word an entry, the address, shifted over bits that all kernel addresses share, and
 * its kind.
 */
#define LW_FRAME_BITS	13
#define LW_FRAME_KIND	3

static_assert(LW_FRAME_END < 1 << LW_FRAME_KIND);

extern u64 lw_frame_memo[1 << LW_FRAME_BITS];

/* The half of lw_frame_kind() that is rarely needed. */
enum lw_frame lw_frame_look_up(unsigned long ip);

/** lw_frame_kind() - Return: what the return address @ip is */
static __always_inline enum lw_frame lw_frame_kind(unsigned long ip)
{
	u64 seen = READ_ONCE(lw_frame_memo[hash_long(ip, LW_FRAME_BITS)]) ^
		   (u64)ip << LW_FRAME_KIND;

	return likely(seen <= LW_FRAME_END) ? seen : lw_frame_look_up(ip);
}

/**
 * lw_frame_stays() - is a return address in the kernel itself or in a module?
 * @ip: the address
 *
 * If not it may go at any time, without notice, and its address then be another's.
 *
 * Return: whether it is.
 */
bool lw_frame_stays(unsigned long ip);

/*
 * Built into the kernel, our own functions are those between the first and the last of the
 * objects that Kbuild lists, where these define LW_OWN_TEXT.
 */
#ifdef MODULE
#define LW_OWN_TEXT(bound)
#else
#define LW_OWN_TEXT(bound)	void bound(void) { }

void lw_text_begin(void);
void lw_text_end(void);
#endif

/** lw_frame_own() - Return: whether @ip is in leakwatch itself */
static inline bool lw_frame_own(unsigned long ip)
{
#ifdef MODULE
	return within_module_core(ip, THIS_MODULE);
#else
	return ip > (unsigned long)lw_text_begin && ip < (unsigned long)lw_text_end;
#endif
}

/** lw_frame_bytes() - Return: the memory that the cache takes */
static inline unsigned long lw_frame_bytes(void)
{
	return sizeof(lw_frame_memo);
}

/** lw_frame_of_name() - Return: what a core kernel function of that name is */
enum lw_frame lw_frame_of_name(const char *name);

#endif

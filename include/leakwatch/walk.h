/* SPDX-License-Identifier: GPL-2.0 */
/*
 * walk: return addresses from a stack. The kernel's own walker, behind one function, so that a
 * cheaper one can take its place.
 */
#ifndef LEAKWATCH_WALK_H
#define LEAKWATCH_WALK_H

#include <linux/stacktrace.h>

/**
 * lw_walk() - the return addresses on the current stack, innermost first
 * @frames: where to put them
 * @max: how many there is room for
 *
 * Includes this module's own frames. Any context but NMI; allocates nothing.
 *
 * Return: how many there are.
 */
static __always_inline unsigned int lw_walk(unsigned long *frames, unsigned int max)
{
	return stack_trace_save(frames, max, 0);
}

#endif

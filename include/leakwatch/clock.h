/* SPDX-License-Identifier: GPL-2.0 */
/*
 * clock: the coarse time that entries carry.
 *
 * A tick is the smallest power of two of jiffies that lasts at least a second, so a hook reads it
 * with one load and one shift. An entry has room for LW_AGE_BITS of it: ages wrap after 17 years.
 * Where jiffies have 32 bits they have fewer ticks, and ages wrap when they do: after 198 days with
 * HZ=250, 497 with HZ=100.
 */
#ifndef LEAKWATCH_CLOCK_H
#define LEAKWATCH_CLOCK_H

#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <leakwatch/entry.h>

#define LW_TICK_SHIFT	order_base_2(HZ)
#define LW_TICK_BITS	(BITS_PER_LONG - LW_TICK_SHIFT < LW_AGE_BITS ? \
			 BITS_PER_LONG - LW_TICK_SHIFT : LW_AGE_BITS)
#define LW_TICK_MASK	((1U << LW_TICK_BITS) - 1)

/** lw_clock_now() - Return: the tick that it is now. Any context. */
static inline u32 lw_clock_now(void)
{
	unsigned long now = jiffies;

	return (u32)(now >> LW_TICK_SHIFT) & LW_TICK_MASK;
}

/** lw_clock_seconds() - Return: the seconds that have passed from tick @then to tick @now */
static inline u32 lw_clock_seconds(u32 then, u32 now)
{
	return div_u64((u64)((now - then) & LW_TICK_MASK) << LW_TICK_SHIFT, HZ);
}

#endif

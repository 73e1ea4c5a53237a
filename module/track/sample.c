// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/hash.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <leakwatch/sample.h>

#define LOG_BITS	20			/* of the fraction of a logarithm */
#define LN_2		1488522236ULL		/* ln 2, times 2^31 */
#define ONE		(1ULL << 32)

u32 lw_sample_rate __read_mostly;
DEFINE_PER_CPU(long, lw_sample_at);
DEFINE_PER_CPU(u64, lw_sample_state);

/* xorshift64 (Marsaglia): the upper half is the better one. Interrupts are off. */
static u32 some_bits(void)
{
	u64 x = __this_cpu_read(lw_sample_state);

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	__this_cpu_write(lw_sample_state, x);
	return x >> 32;
}

/* -log2 of (@r + 1/2) / 2^32, times 2^LOG_BITS: the fraction bit by bit, by squaring. */
static u64 minus_log2(u32 r)
{
	u64 x = 2ULL * r + 1;
	unsigned int power = ilog2(x), bit;
	u64 log = power;

	x <<= 31 - min(power, 31U);		/* now 1 <= x < 2, times 2^31 */
	x >>= power > 31;
	for (bit = 0; bit < LOG_BITS; bit++) {
		x = x * x >> 31;
		log = 2 * log + (x >> 32);
		x >>= x >> 32;
	}
	return (33ULL << LOG_BITS) - log;
}

/* To the byte on which the next point falls: 1 is the very next. */
static long distance(u32 rate)
{
	return (minus_log2(some_bits()) * LN_2 >> (31 + LOG_BITS - LW_RATE_SHIFT - rate)) + 1;
}

bool lw_sample_take(void)
{
	unsigned long flags;
	bool due;

	local_irq_save(flags);
	due = __this_cpu_read(lw_sample_at) >= 0;
	if (due)
		__this_cpu_write(lw_sample_at, -distance(lw_sample_rate));
	local_irq_restore(flags);
	return due;
}

static long distance_now(u32 rate)
{
	unsigned long flags;
	long bytes;

	local_irq_save(flags);
	bytes = distance(rate);
	local_irq_restore(flags);
	return bytes;
}

bool lw_draw_begin(struct lw_draw *draw, unsigned long bytes)
{
	draw->rate = READ_ONCE(lw_sample_rate);
	if (!draw->rate)
		return true;
	draw->at = -distance_now(draw->rate);
	return draw->at + (long)bytes >= 0;
}

bool lw_draw_next(struct lw_draw *draw, unsigned long bytes)
{
	if (!draw->rate)
		return true;
	draw->at += bytes;
	if (draw->at < 0)
		return false;
	draw->at = -distance_now(draw->rate);
	return true;
}

void lw_sample_init(u64 seed)
{
	int cpu;

	for_each_possible_cpu(cpu)
		per_cpu(lw_sample_state, cpu) = (seed ^ (cpu + 1) * GOLDEN_RATIO_64) ?: 1;
}

void lw_sample_set(u32 rate)
{
	int cpu;

	WRITE_ONCE(lw_sample_rate, rate);
	if (rate)
		for_each_possible_cpu(cpu)
			per_cpu(lw_sample_at, cpu) = -distance_now(rate);
}

u32 lw_rate_of_bytes(unsigned long bytes)
{
	u32 rate;

	for (rate = LW_RATE_MIN; rate <= LW_RATE_MAX; rate++)
		if (bytes == lw_rate_bytes(rate))
			return rate;
	return 0;
}

u32 lw_rate_of_memory(unsigned long pages)
{
	unsigned int shift = order_base_2(pages >> (LW_RATE_MEMORY - PAGE_SHIFT));

	return clamp(shift, LW_RATE_DEFAULT + LW_RATE_SHIFT, LW_RATE_MAX + LW_RATE_SHIFT) -
	       LW_RATE_SHIFT;
}

/*
 * With x = bytes / sample_bytes, 1 / p is 1 / (1 - exp(-x)), and the same is (1 / x) * h, where
 * h = x / (1 - exp(-x)) = 1 + x/2 + x^2/12 - x^4/720 + ..., which is short for an x of 1/2 or less.
 * A larger x is halved until it is that, and p doubled back: p(2x) = 2 p(x) - p(x)^2.
 */
u64 lw_sample_weight(unsigned long bytes, u32 rate)
{
	unsigned int shift = rate + LW_RATE_SHIFT, halved = 0;
	u64 x, square, h, p;

	if (!rate || !bytes || bytes >> shift >= 16)
		return LW_WEIGHT_ONE;
	x = ((u64)bytes << 32) >> shift;
	for (; x > ONE / 2; x /= 2)
		halved++;
	square = x * x >> 32;
	h = ONE + x / 2 + div_u64(square, 12) - div_u64(square * square >> 32, 720);
	if (!halved)
		return div64_u64(h << shift, (u64)bytes << (32 - LW_WEIGHT_SHIFT));
	p = div64_u64(x << 32, h);
	while (halved--)
		p = 2 * p - (p * p >> 32);
	return div64_u64(ONE << LW_WEIGHT_SHIFT, p);
}

u64 lw_site_weight(const struct lw_site *site)
{
	u32 rate = lw_what_rate(site->what);

	if (lw_what_class(site->what) == LW_PAGE)
		return lw_sample_weight(lw_page_bytes(1UL << lw_what_order(site->what)), rate);
	return lw_sample_weight(site->size, rate);
}

s64 lw_weigh(s64 nr, u64 weight)
{
	if (weight == LW_WEIGHT_ONE)
		return nr;
	return nr < 0 ? -(s64)mul_u64_u64_shr(-nr, weight, LW_WEIGHT_SHIFT) :
			mul_u64_u64_shr(nr, weight, LW_WEIGHT_SHIFT);
}

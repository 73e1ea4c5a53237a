// SPDX-License-Identifier: GPL-2.0
/* sample: distances, draws and weights, beside what the C library computes in floating point. */
#include <math.h>
#include "host.h"
#include <leakwatch/filter.h>
#include "../../module/track/sample.c"

#define DRAWS	host_many(2000000UL)

static u64 seed = 1;

/* Of any one number, to 1 in a million of the mean. */
static void logarithms(void)
{
	u64 i;

	for (i = 0; i < host_many(1000000); i++) {
		u32 r = i < 1000 ? i : i < 2000 ? ~0U - (i - 1000) : host_random(&seed) >> 32;
		double want = -log2((r + .5) / 4294967296.), got = minus_log2(r) / 1048576.;

		expect(fabs(got - want) < 0.000002, "%u: %f, not %f", r, got, want);
	}
}

/* Every weight, to 1 in 30000: that is the last bit of a weight of one. */
static void weights(void)
{
	u64 i;

	for (i = 0; i < host_many(1000000); i++) {
		u32 rate = LW_RATE_MIN + host_below(&seed, LW_RATE_MAX);
		unsigned long bytes = 1 + (host_random(&seed) >> (37 + host_below(&seed, 27)));
		double want = -1 / expm1(-(double)bytes / lw_rate_bytes(rate));
		double got = lw_sample_weight(bytes, rate) / (double)LW_WEIGHT_ONE;

		expect(fabs(got / want - 1) < 1 / 30000., "%lu at %lu: %f, not %f", bytes,
		       lw_rate_bytes(rate), got, want);
	}
}

/* Mean and variance of the distance are those of the exponential distribution. */
static void distances(void)
{
	u32 rate;

	for (rate = LW_RATE_MIN; rate <= LW_RATE_MAX; rate += 6) {
		double sum = 0, squares = 0, s = lw_rate_bytes(rate);
		unsigned long i;

		for (i = 0; i < DRAWS; i++) {
			double one = distance(rate) / s;

			sum += one;
			squares += one * one;
		}
		/* half a byte more, as the byte is counted on which a point falls */
		expect(fabs(sum / DRAWS - 1 - .5 / s) < 4 / sqrt(DRAWS), "mean %f", sum / DRAWS);
		expect(fabs(squares / DRAWS - 2 - 2 / s) < 4 * sqrt(20. / DRAWS), "square %f",
		       squares / DRAWS);
	}
}

/*
 * Mixed sizes on all CPUs, some of it freed: what is left is told without bias, and the estimate of
 * the variance is that of the estimates. Each round gives one deviation, in standard errors.
 */
static void estimates(void)
{
	static const unsigned long sizes[] = { 8, 32, 192, 1000, 4096, 9000, 40000 };
	int rounds = 400, round, at;
	double sum = 0, squares = 0;

	lw_sample_set(2);
	for (round = 0; round < rounds; round++) {
		double truth = 0, estimate = 0, variance = 0;
		int i;

		for (i = 0; i < 20000; i++) {
			unsigned long bytes = sizes[host_below(&seed, ARRAY_SIZE(sizes))];
			bool stays = !host_below(&seed, 3);
			double w = lw_sample_weight(bytes, 2) / (double)LW_WEIGHT_ONE;

			host_cpu = host_below(&seed, HOST_CPUS);
			truth += stays * bytes;
			if (!lw_sample_due(bytes) || !lw_sample_take() || !stays)
				continue;
			estimate += w * bytes;
			variance += w * (w - 1) * bytes * bytes;
		}
		sum += (estimate - truth) / sqrt(variance);
		squares += (estimate - truth) * (estimate - truth) / variance;
	}
	host_cpu = 0;
	expect(fabs(sum / rounds) < 4 / sqrt(rounds), "bias %f", sum / rounds);
	expect(fabs(squares / rounds - 1) < 4 * sqrt(2. / rounds) + .02, "variance %f",
	       squares / rounds);
	/* each size by itself, so that no bias of one hides that of another */
	for (at = 0; at < ARRAY_SIZE(sizes); at++) {
		double p = -expm1(-(double)sizes[at] / 8192), drawn = 0;
		unsigned long i;

		for (i = 0; i < DRAWS; i++) {
			drawn += lw_sample_due(sizes[at]) && lw_sample_take();
			if (lw_sample_due(sizes[i % ARRAY_SIZE(sizes)]))
				lw_sample_take();
		}
		expect(fabs(drawn / DRAWS - p) < 4 * sqrt(p * (1 - p) / DRAWS), "%lu: %f, not %f",
		       sizes[at], drawn / DRAWS, p);
	}
	lw_sample_set(0);
}

/* What comes in one call, of which most calls need not look at each. */
static void bulks(void)
{
	double p = -expm1(-200. / 8192), drawn = 0;
	struct lw_draw draw;
	unsigned long i;
	int one;

	lw_sample_set(2);
	for (i = 0; i < DRAWS / 16; i++)
		if (lw_draw_begin(&draw, 16 * 200))
			for (one = 0; one < 16; one++)
				drawn += lw_draw_next(&draw, 200);
	lw_sample_set(0);
	expect(fabs(drawn / (DRAWS / 16 * 16) - p) < 4 * sqrt(p * (1 - p) / DRAWS), "%f, not %f",
	       drawn / DRAWS, p);
}

/* So that what is drawn of an eighth of the memory fills a quarter of the filter. */
static void defaults(void)
{
	unsigned long mb, drawn;

	expect(lw_rate_of_memory(0) == LW_RATE_DEFAULT, "got %u", lw_rate_of_memory(0));
	for (mb = 64; mb <= 1UL << 20; mb += mb / 16) {
		u32 rate = lw_rate_of_memory(mb << (20 - PAGE_SHIFT));

		drawn = (mb << 20) / 8 / lw_rate_bytes(rate);
		expect(drawn <= 1UL << (LW_FILTER_BITS - 2), "%lu of %lu MB", drawn, mb);
		expect(rate == LW_RATE_DEFAULT || drawn >= 1UL << (LW_FILTER_BITS - 3),
		       "%lu of %lu MB", drawn, mb);
	}
	expect(lw_rate_of_memory(ULONG_MAX) == LW_RATE_MAX, "got %u", lw_rate_of_memory(ULONG_MAX));
}

int main(void)
{
	lw_sample_init(1);
	return host_run((struct host_test[]){
		{ "logarithms are right to six digits", logarithms },
		{ "weights are right to the last bit", weights },
		{ "distances are exponential", distances },
		{ "estimates have no bias, and the variance that they say", estimates },
		{ "draws in bulk have none either", bulks },
		{ "by default the filter is a quarter full of an eighth of the memory", defaults },
		{}
	});
}

// SPDX-License-Identifier: GPL-2.0
/*
 * replay: in sampled mode, is a slow leak found beside a load, and how soon? Half an hour of both
 * goes through the draws and the judgement as they are in the module, as fast as this machine can;
 * between them is what the sampler does, every ten seconds (history.c).
 *
 * A point of the draws falls on whatever is allocated, and what came before does not matter to the
 * next. So many leaks are replayed without a load, to see how often they are found; and one with,
 * a GB a second from sites of all sizes and lives, to see that it is no other, and that what is
 * said of each is as near to the truth as it claims.
 */
#define HOST_POINT()	((void)0)	/* nothing here is shared */
#include "host.h"
#include <math.h>
#include "../../module/track/sample.c"
#include "../../module/judge/trend.c"
#include "../../module/judge/verdict.c"

#define SECONDS		1800
#define INTERVAL	10
#define TIMES		1000
#define MB		1048576.
#define RATE_LAST	8U		/* 512 KB, where such leaks are not seen any more */

static u64 seed = 1;

static double exponential(double mean)
{
	return -mean * log(((host_random(&seed) >> 11) + 0.5) / (1ULL << 53));
}

struct series {
	struct lw_point point[LW_POINTS];
	unsigned int nr, shift, passes;
};

/* As history.c: from the first pass with something live; of a full ring every second goes. */
static void sampled(struct series *series, u32 second, u32 live)
{
	unsigned int i;

	if (!series->nr && !live)
		return;
	if (series->passes++ & ((1U << series->shift) - 1))
		return;
	if (series->nr == LW_POINTS) {
		for (i = 1; i < LW_POINTS / 2; i++)
			series->point[i] = series->point[2 * i];
		series->nr = LW_POINTS / 2;
		series->shift++;
	}
	series->point[series->nr++] = (struct lw_point){ second * LW_CLOCK_HZ, live };
}

static void judge(const struct series *from, u32 size, u32 old, struct lw_judgement *judged)
{
	struct lw_series series = { .point = from->point, .nr = from->nr, .old = old };
	struct lw_trend trend;

	lw_trend_of(from->point, from->nr, &trend);
	lw_judge(&series, &trend, size, judged);
}

/* A leak alone. Return: the verdict after SECONDS, and what was drawn. */
static enum lw_verdict leak_alone(u32 rate, double mb_an_hour, u32 size, unsigned int *drawn)
{
	double due = 0, each = mb_an_hour * MB / 3600 / size;
	u64 weight = lw_sample_weight(size, rate);
	struct series series = {};
	struct lw_judgement judged;
	u32 second;

	for (*drawn = 0, second = 1; second <= SECONDS; second++) {
		for (due += each; due >= 1; due--)
			*drawn += lw_sample_due(size) && lw_sample_take();
		if (!(second % INTERVAL))
			sampled(&series, second, lw_weigh(*drawn, weight));
	}
	judge(&series, size, LW_OLD_UNKNOWN, &judged);
	return judged.verdict;
}

/* Of TIMES, how many are called a leak, and how many that or growing. */
static void leaks_alone(void)
{
	static const double mb[] = { 1, 2, 4, 8, 16, 32 };
	unsigned int leak, found, drawn, i, n;
	u32 rate;

	printf("# of %d leaks of 128 bytes, called leak, and leak or growing, after %d min\n",
	       (int)host_many(TIMES), SECONDS / 60);
	printf("# %-12s", "sample_bytes");
	for (i = 0; i < ARRAY_SIZE(mb); i++)
		printf("  %5.0f MB/h", mb[i]);
	printf("\n");
	for (rate = LW_RATE_DEFAULT; rate <= RATE_LAST; rate++) {
		lw_sample_set(rate);
		printf("# %-12lu", lw_rate_bytes(rate));
		for (i = 0; i < ARRAY_SIZE(mb); i++) {
			double sum = 0, mean = mb[i] * MB * SECONDS / 3600 / lw_rate_bytes(rate);

			for (leak = found = n = 0; n < host_many(TIMES); n++) {
				enum lw_verdict verdict = leak_alone(rate, mb[i], 128, &drawn);

				leak += verdict == LW_LEAK;
				found += verdict >= LW_GROWING;
				sum += drawn;
			}
			printf("  %4u %4u", leak, found);
			expect(fabs(sum / n - mean) < 4 * sqrt(mean / n) + .01 * mean,
			       "%f draws of %f", sum / n, mean);
			/* by so many draws; and by one or none it cannot be */
			if (mean >= 16)
				expect(leak >= n * (mean >= 32 ? .85 : .7), "%u of %u", leak, n);
			if (mean <= 1)
				expect(leak <= n / 100, "%u of %u", leak, n);
		}
		printf("\n");
	}
	lw_sample_set(0);
}

/* With a load */

#define SITES		40		/* the first leaks */
#define RATE		1000000000.	/* bytes a second */
#define MIX		65536

static struct churn {
	u32 size;
	double life;			/* seconds, on average */
	u64 allocs, drawn;
	unsigned int live;
	struct series series;
	unsigned int born[SECONDS + 1];	/* of what is live, when */
} churn[SITES];

/* What goes in a second, and when it came. */
static struct going {
	unsigned int nr, room;
	struct { u16 site, born; } *one;
} going[SECONDS + 1];

static void drawn(unsigned int nr, u32 second)
{
	struct churn *site = &churn[nr];
	double end = nr ? second + (host_random(&seed) >> 11) / 9007199254740992. +
			  exponential(site->life) : SECONDS + 1;
	struct going *to;

	site->drawn++;
	if (end < second + 1)
		return;
	site->live++;
	site->born[second]++;
	if (end >= SECONDS + 1)
		return;
	to = &going[(u32)end];
	if (to->nr == to->room) {
		to->room = 2 * to->room + 64;
		to->one = realloc(to->one, to->room * sizeof(*to->one));
	}
	to->one[to->nr].site = nr;
	to->one[to->nr++].born = second;
}

static void take_away(struct going *from)
{
	unsigned int i;

	for (i = 0; i < from->nr; i++) {
		churn[from->one[i].site].live--;
		churn[from->one[i].site].born[from->one[i].born]--;
	}
	free(from->one);
	*from = (struct going){};
}

static u32 old_of(const struct churn *site)
{
	u32 second, old = 0, half = site->series.point[site->series.nr / 2].at / LW_CLOCK_HZ;

	for (second = 0; second <= half; second++)
		old += site->born[second];
	return old;
}

static void beside_a_load(u32 rate, double mb_an_hour)
{
	static u16 mix[MIX];
	struct lw_judgement judged[SITES];
	unsigned int i, at = 0, first = SITES, leaks = 0;
	double due = 0, worst = 0;
	u32 second;

	memset(churn, 0, sizeof(churn));
	for (i = 0; i < SITES; i++) {
		churn[i].size = i ? 256 << i % 8 : 128;
		churn[i].life = pow(10, i / 8) / 1000;	/* 1 ms to 10 s */
	}
	for (i = 0; i < MIX; i++)	/* as many bytes of each size */
		do
			mix[i] = 1 + host_below(&seed, SITES - 1);
		while (host_below(&seed, churn[mix[i]].size) >= 256);
	lw_sample_set(rate);
	for (second = 1; second <= SECONDS; second++) {
		double bytes = 0;

		take_away(&going[second]);
		for (due += mb_an_hour * MB / 3600 / 128; due >= 1; due--) {
			churn[0].allocs++;
			if (lw_sample_due(128) && lw_sample_take())
				drawn(0, second);
		}
		for (; bytes < RATE; bytes += churn[i].size) {
			i = mix[at++ % MIX];
			churn[i].allocs++;
			if (lw_sample_due(churn[i].size) && lw_sample_take())
				drawn(i, second);
		}
		for (i = 0; i < SITES && !(second % INTERVAL); i++)
			sampled(&churn[i].series, second,
				lw_weigh(churn[i].live, lw_sample_weight(churn[i].size, rate)));
	}
	lw_sample_set(0);
	for (i = 0; i < SITES; i++) {
		double w = lw_sample_weight(churn[i].size, rate) / (double)LW_WEIGHT_ONE, off;
		u64 weight = lw_sample_weight(churn[i].size, rate);

		judge(&churn[i].series, churn[i].size, lw_weigh(old_of(&churn[i]), weight),
		      &judged[i]);
		leaks += i && judged[i].verdict == LW_LEAK;
		if (first == SITES || lw_judgement_order(&judged[i], &judged[first]) < 0)
			first = i;
		off = (churn[i].drawn * w - churn[i].allocs) / sqrt(churn[i].allocs * (w - 1));
		worst = fabs(off) > worst ? fabs(off) : worst;
		expect(fabs(off) < 4.5, "site %u: %g standard errors", i, off);
	}
	printf("# %-12lu %5llu %-8s %6.2f %-5s %13u %13.1f\n", lw_rate_bytes(rate), churn[0].drawn,
	       lw_verdict_name(judged[0].verdict), judged[0].growth / MB, first ? "no" : "yes",
	       leaks, worst);
	expect(!leaks, "%u others", leaks);
	if (churn[0].drawn >= 16)
		expect(judged[0].verdict == LW_LEAK && !first, "%s",
		       lw_verdict_name(judged[0].verdict));
}

/* 1 MB an hour in a GB a second. With sanitizers that would take an hour. */
static void loaded(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	printf("# sample_bytes drawn verdict    MB/h first others, leaks largest error\n");
	beside_a_load(LW_RATE_DEFAULT, 1);
	beside_a_load(LW_RATE_DEFAULT + 2, 1);
	beside_a_load(RATE_LAST, 1);
#endif
}

int main(void)
{
	lw_sample_init(1);
	return host_run((struct host_test[]){
		{ "a slow leak is found as soon as there are draws enough", leaks_alone },
		{ "it is the first suspect beside a load of a GB a second", loaded },
		{}
	});
}

// SPDX-License-Identifier: GPL-2.0
/*
 * judge: trends and verdicts, against what is known by hand, and against series that were recorded
 * in guests (scripts/series): every site that changed in each scenario.
 *
 * A series is a leak if the driver's function that leaks asked for it, in a scenario where it
 * does. What the kernel asked for on its behalf (the areas of a vmalloc) is both, and left out.
 * Everything else is none, however it grew. Those in series/seen were there to look at when the
 * rule was made; those in series/judging were recorded after that, and only judge it.
 */
#define HOST_POINT()	((void)0)	/* nothing here is shared */
#include "host.h"
#include <glob.h>
#include <math.h>
#include "../../module/judge/trend.c"
#include "../../module/judge/verdict.c"

/* trend, said again in floating point */

static int compare_doubles(const void *a, const void *b)
{
	return (*(double *)a > *(double *)b) - (*(double *)a < *(double *)b);
}

static double slope_again(const struct lw_point *point, unsigned int nr)
{
	static double slope[LW_PAIRS];
	unsigned int i, j, n = 0;

	for (i = 0; i < nr; i++)
		for (j = i + 1; j < nr; j++)
			if (point[j].at > point[i].at)
				slope[n++] = ((double)point[j].live - point[i].live) * 36000 /
					     (point[j].at - point[i].at);
	qsort(slope, n, sizeof(*slope), compare_doubles);
	return !n ? 0 : n & 1 ? slope[n / 2] : (slope[n / 2] + slope[n / 2 - 1]) / 2;
}

static double z_again(const struct lw_point *point, unsigned int nr)
{
	double s = 0, var = nr * (nr - 1.0) * (2 * nr + 5), t;
	unsigned int i, j;

	for (i = 0; i < nr; i++) {
		for (t = 0, j = 0; j < nr; j++) {
			t += point[i].live == point[j].live;
			if (j > i)
				s += (point[j].live > point[i].live) -
				     (point[j].live < point[i].live);
		}
		var -= (t - 1) * (2 * t + 5);
	}
	return s ? (s - (s > 0 ? 1 : -1)) / sqrt(var / 18) : 0;
}

static u64 seed = 1;

static void random_trends(void)
{
	struct lw_point point[LW_POINTS];
	struct lw_trend trend;
	unsigned int n, i, nr;
	double z, slope;

	for (n = 0; n < 20000; n++) {
		u32 step = 1 + host_below(&seed, 100), range = 1 + host_below(&seed, 1 << (n % 31));
		u32 at = host_below(&seed, 1000);
		int drift = host_below(&seed, 3);

		nr = 2 + host_below(&seed, LW_POINTS - 1);
		for (i = 0; i < nr; i++) {
			point[i].at = at;
			point[i].live = host_below(&seed, range) + i * drift * (range / 40);
			at += host_below(&seed, 20) ? step : 0;
		}
		lw_trend_of(point, nr, &trend);
		z = z_again(point, nr);
		slope = slope_again(point, nr);
		expect(fabs(trend.z - 1000 * z) < 2 + fabs(z) * 10, "z %d, not %g", trend.z, z);
		expect(fabs((double)trend.slope / 256 - slope) <= 1 + fabs(slope) / 1000,
		       "slope %lld/256, not %g", trend.slope, slope);
		if (abs(trend.z) >= 10)
			expect(fabs(trend.confidence - 50 * (1 + erf(fabs(z) / sqrt(2)))) < 1.1 ||
			       trend.confidence == 99, "%u%% for %g", trend.confidence, z);
	}
}

/* The rule, by hand: made series, a figure a point, a point every 10 s. */

enum { LINE, LATE, STEP, PLATEAU, SAW, FLAT, NOISE, FALL, CHURN_LEAK, SAW_LEAK };

static u32 made(int shape, unsigned int i, unsigned int nr)
{
	switch (shape) {
	case LINE:
		return 100 + 3 * i;
	case LATE:
		return i < nr / 3 ? 100 : 100 + 7 * (i - nr / 3);
	case STEP:
		return i < nr / 2 ? 10 : 2000;
	case PLATEAU:
		return i < nr / 4 ? 100 * i : 100 * (nr / 4) + (i & 1);
	case SAW:
		return 100 + 80 * (i % 8);
	case FLAT:
		return 77;
	case NOISE:
		return 500 + host_below(&seed, 100);
	case FALL:
		return 1000 - 10 * i;
	case CHURN_LEAK:
		return 500 + 6 * i + host_below(&seed, 40);
	case SAW_LEAK:
		return 100 + 10 * i + 80 * (i % 4);
	}
	return 0;
}

static void made_series(void)
{
	static const struct {
		int shape;
		const char *name;
		enum lw_verdict want;
	} all[] = {
		{ LINE, "line", LW_LEAK }, { LATE, "late leak", LW_LEAK },
		{ CHURN_LEAK, "leak in churn", LW_LEAK },
		{ SAW_LEAK, "leak under bursts", LW_LEAK },
		{ STEP, "step", LW_STEADY }, { PLATEAU, "plateau", LW_STEADY },
		{ SAW, "bursts", LW_BURSTY }, { FLAT, "flat", LW_STEADY },
		{ NOISE, "noise", LW_STEADY }, { FALL, "fall", LW_STEADY },
	};
	struct lw_point point[LW_POINTS];
	struct lw_judgement judged;
	struct lw_trend trend;
	unsigned int i, n, nr;

	for (nr = 32; nr <= LW_POINTS; nr++)
		for (n = 0; n < ARRAY_SIZE(all); n++) {
			struct lw_series series = {
				.point = point, .nr = nr, .old = LW_OLD_UNKNOWN
			};

			for (i = 0; i < nr; i++)
				point[i] = (struct lw_point){ 100 * i, made(all[n].shape, i, nr) };
			lw_trend_of(point, nr, &trend);
			lw_judge(&series, &trend, 64, &judged);
			/* noise may be taken for something now and then, not for a leak */
			expect(judged.verdict == all[n].want ||
			       (judged.verdict < LW_GROWING && all[n].want < LW_GROWING) ||
			       (all[n].shape == NOISE && judged.verdict == LW_GROWING),
			       "%s, %u points: %s", all[n].name, nr,
			       lw_verdict_name(judged.verdict));
			if (all[n].want != LW_LEAK)
				continue;
			series.back = true;
			lw_judge(&series, &trend, 64, &judged);
			expect(judged.verdict == LW_GROWING, "%s, given back", all[n].name);
			series.back = false;
			series.old = 0;		/* a queue: what is there is young */
			lw_judge(&series, &trend, 64, &judged);
			expect(judged.verdict == LW_GROWING, "%s, young", all[n].name);
		}
}

static void few_points(void)
{
	struct lw_point point[LW_POINTS];
	struct lw_judgement judged;
	struct lw_trend trend;
	unsigned int i, nr;

	for (nr = 0; nr <= LW_POINTS_LEAK; nr++) {
		struct lw_series series = { .point = point, .nr = nr, .old = LW_OLD_UNKNOWN };

		for (i = 0; i < nr; i++)
			point[i] = (struct lw_point){ 100 * i, 10 * i };
		lw_trend_of(point, nr, &trend);
		lw_judge(&series, &trend, 1024, &judged);
		expect(judged.verdict == (nr < LW_POINTS_MIN ? LW_UNKNOWN :
					  nr < LW_POINTS_LEAK ? LW_GROWING : LW_LEAK),
		       "%u points: %s", nr, lw_verdict_name(judged.verdict));
		if (nr > 1)
			expect(judged.growth == 3600 * 1024, "%lld bytes/h", judged.growth);
	}
}

/* What was recorded */

#define LINES	20000
#define FIRST	3	/* how many rows a person looks at, of a sorted table */

struct line {
	int scenario;
	char class[8];
	unsigned int id;
	u32 size;
	u32 old;
	bool back;
	unsigned int nr;
	struct lw_point point[LW_POINTS];
	char name[64];
	int label;		/* 1: a leak, 0: none, -1: neither */
	bool caller;
	bool judging;
	struct lw_judgement judged;
	bool naive[2];
};

static struct line *line;
static int lines, scenarios;
static char scenario_name[100][32];
static bool leaks_here;		/* the driver leaks in this scenario, and does not free it all */

static int label_of(const struct line *line)
{
	if (!strncmp(line->name, "leaky_leak_", 11))
		return leaks_here;
	if (leaks_here && (!strncmp(line->name, "__pte_alloc_kernel", 18) ||
			   !strncmp(line->name, "alloc_vmap_area", 15) ||
			   !strncmp(line->name, "__get_vm_area_node", 18)))
		return -1;
	return 0;
}

static bool read_line(char *text, struct line *to)
{
	char verdict[16], old[16], back[8], points[4096], *at = points;
	int used;

	if (sscanf(text, "%7s %u %15s %u %15s %7s %4095s %n", to->class, &to->id, verdict,
		   &to->size, old, back, points, &used) != 7)
		return false;
	text[strcspn(text, "\n")] = 0;
	snprintf(to->name, sizeof(to->name), "%.63s", text + used);
	to->old = *old == '-' ? LW_OLD_UNKNOWN : atoi(old);
	to->back = *back == 'y' || lw_hangs_on_others(to->name);
	for (to->nr = 0; at && *at && to->nr < LW_POINTS; to->nr++) {
		to->point[to->nr].at = strtoul(at, &at, 10);
		to->point[to->nr].live = strtoul(at + 1, &at, 10);
		at += *at == ',';
	}
	to->label = label_of(to);
	return !strcmp(to->class, "slab") || !strcmp(to->class, "page");
}

static void read_file(const char *name, bool judging)
{
	FILE *file = fopen(name, "r");
	unsigned int before = 0;
	char text[8192];
	bool caller = true;

	while (file && fgets(text, sizeof(text), file) && lines < LINES) {
		if (sscanf(text, "series: begin %31s", scenario_name[scenarios + 1]) == 1) {
			scenarios++;
			leaks_here = strstr(text, "rate=");
			caller = true;
			before = 0;
		} else if (read_line(text, &line[lines])) {
			line[lines].scenario = scenarios;
			line[lines].judging = judging;
			/* paths follow call sites, each in the order of their numbers */
			caller &= line[lines].id > before;
			before = line[lines].id;
			line[lines++].caller = caller;
		}
	}
	if (file)
		fclose(file);
}

static double size_at(const struct line *line, unsigned int i)
{
	return (double)line->point[i].live * line->size;
}

static double naive(const struct line *line, int rule)
{
	unsigned int last = line->nr - 1;

	return rule ? size_at(line, last) - size_at(line, last / 2) : size_at(line, last);
}

/* The first rows of each scenario, by size, or by growth between two reads of the table. */
static void judge_naively(int rule)
{
	int s, n, i;

	for (s = 1; s <= scenarios; s++)
		for (n = 0; n < FIRST; n++) {
			struct line *best = NULL;

			for (i = 0; i < lines; i++)
				if (line[i].scenario == s && line[i].caller &&
				    !line[i].naive[rule] &&
				    (!best || naive(&line[i], rule) > naive(best, rule)))
					best = &line[i];
			if (best)
				best->naive[rule] = true;
		}
}

/* In how many scenarios with a leak is that the first suspect, and how many without have one? */
static void count_suspects(bool judging)
{
	int with = 0, right = 0, without = 0, wrong = 0, s, i;

	for (s = 1; s <= scenarios; s++) {
		struct line *first = NULL;
		bool leaks = false, here = false;

		for (i = 0; i < lines; i++) {
			struct line *l = &line[i];

			if (l->scenario != s || l->judging != judging || !l->caller)
				continue;
			here = true;
			leaks |= l->label == 1;
			if (l->judged.verdict == LW_LEAK &&
			    (!first || l->judged.growth * l->judged.confidence >
			     first->judged.growth * first->judged.confidence))
				first = l;
		}
		with += leaks;
		right += leaks && first && first->label == 1;
		without += here && !leaks;
		wrong += here && !leaks && first;
	}
	printf("# %s: the leak is the first suspect in %d of %d; of %d without, %d name one\n",
	       judging ? "judging" : "seen", right, with, without, wrong);
	expect(right == with, "%d of %d", right, with);
}

struct score {
	int right, wrong, missed, neither;
};

static void count(struct score *score, int label, bool said)
{
	if (label < 0)
		score->neither++;
	else if (said)
		++*(label ? &score->right : &score->wrong);
	else
		score->missed += label;
}

static double part(int a, int b)
{
	return a + b ? (double)a / (a + b) : 0;
}

static void print_score(const char *half, const char *rule, const struct score *score)
{
	printf("# %-8s %-43s %5d %5d %6d %7.3f %9.3f\n", half, rule, score->right, score->wrong,
	       score->missed, part(score->right, score->missed), part(score->right, score->wrong));
}

static void recorded(void)
{
	struct score score[2][4] = {};
	struct lw_trend trend;
	int i, half, leaks[2] = {}, others[2] = {};
	glob_t files;
	bool said;

	line = calloc(LINES, sizeof(*line));
	for (half = 0; half < 2; half++) {
		if (!glob(half ? "series/judging/*.txt" : "series/seen/*.txt", 0, NULL, &files))
			for (i = 0; i < files.gl_pathc; i++)
				read_file(files.gl_pathv[i], half);
		globfree(&files);
	}
	judge_naively(0);
	judge_naively(1);
	for (i = 0; i < lines; i++) {
		struct line *l = &line[i];
		struct lw_series series = {
			.point = l->point, .nr = l->nr, .old = l->old, .back = l->back
		};

		half = l->judging;
		lw_trend_of(l->point, l->nr, &trend);
		lw_judge(&series, &trend, l->size, &l->judged);
		leaks[half] += l->label == 1;
		others[half] += l->label == 0;
		count(&score[half][0], l->label, l->judged.verdict == LW_LEAK);
		if (l->caller) {
			count(&score[half][1], l->label, l->judged.verdict == LW_LEAK);
			count(&score[half][2], l->label, l->naive[0]);
			count(&score[half][3], l->label, l->naive[1]);
		}
		said = l->judged.verdict == LW_LEAK;
		if (l->label >= 0 && l->label != said)
			printf("# %s: %s %u %s: %s, z %d\n", half ? "judging" : "seen",
			       scenario_name[l->scenario], l->id, l->name,
			       lw_verdict_name(l->judged.verdict), trend.z);
	}
	printf("# %d scenarios; seen: %d leaks, %d others; judging: %d leaks, %d others\n",
	       scenarios, leaks[0], others[0], leaks[1], others[1]);
	printf("# %-8s %-43s %5s %5s %6s %7s %9s\n", "half", "rule", "right", "wrong", "missed",
	       "recall", "precision");
	for (half = 0; half < 2; half++) {
		const char *name = half ? "judging" : "seen";

		print_score(name, "verdict leak, call sites and paths", &score[half][0]);
		print_score(name, "verdict leak, call sites", &score[half][1]);
		print_score(name, "the three largest call sites", &score[half][2]);
		print_score(name, "the three that grew most between two reads", &score[half][3]);
	}
	count_suspects(false);
	count_suspects(true);
	expect(lines >= 40 && leaks[1] >= 20, "%d lines, %d leaks to judge", lines, leaks[1]);
	for (i = 0; i < 2; i++) {
		expect(part(score[1][i].right, score[1][i].missed) >= 0.95, "recall");
		expect(part(score[1][i].right, score[1][i].wrong) >= 0.95, "precision");
	}
	free(line);
}

int main(void)
{
	return host_run((struct host_test[]){
		{ "random trends are those of floating point", random_trends },
		{ "made series get the verdict that a person gives", made_series },
		{ "few points say little", few_points },
		{ "recorded series: recall and precision", recorded },
		{}
	});
}

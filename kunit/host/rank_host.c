// SPDX-License-Identifier: GPL-2.0
/* rank: which row behaves most like a leak. The rule is in include/leakwatch/rank.h. */
#include "host.h"
#include "../../module/judge/rank.c"
#include "../../module/judge/verdict.c"

#define ROWS	300

static u64 seed = 1;

/* Small numbers, so that every kind of tie comes up; now and then large ones. */
static long some(void)
{
	long limit = host_below(&seed, 4) ? 4 : 1L << 30;

	return (long)host_below(&seed, 2 * limit + 1) - limit;
}

static struct lw_row random_row(u32 site)
{
	struct lw_row row = { .site = site, .grown = some(), .live = some() };

	row.size = 512 << host_below(&seed, 4);		/* a page is 1 to 8 of them */
	row.freed = labs(some());
	if (!host_below(&seed, 8))
		row.freed += 1ULL << 63;	/* more than a long can say */
	row.judged.verdict = host_below(&seed, 2 * LW_NR_VERDICTS);
	if (row.judged.verdict >= LW_NR_VERDICTS)
		row.judged.verdict = LW_UNKNOWN;
	row.judged.growth = some();
	row.judged.confidence = 95 + host_below(&seed, 3);
	return row;
}

static struct lw_rows *random_rows(unsigned int nr)
{
	struct lw_rows *rows = calloc(1, sizeof(*rows) + nr * sizeof(*rows->row));

	rows->nr = nr;
	while (nr--)
		rows->row[nr] = random_row(nr + 1);
	return rows;
}

/* The rule, said again. */
static int group_of(const struct lw_row *row)
{
	bool churns = row->grown < 0 || row->freed > (u64)row->grown;
	bool a_page = (s64)row->grown * row->size >= 4096;

	if (row->grown <= 0)
		return 3;
	return a_page && !churns ? 1 : 2;
}

static s64 weight_of(const struct lw_row *row)
{
	return row->judged.verdict < LW_GROWING ? 0 : row->judged.growth * row->judged.confidence;
}

static int judged_of(const struct lw_row *row)
{
	return max(row->judged.verdict, LW_GROWING - 1);
}

static bool precedes(const struct lw_row *a, const struct lw_row *b)
{
	s64 by_a = (s64)a->grown * a->size, by_b = (s64)b->grown * b->size;
	s64 has_a = (s64)a->live * a->size, has_b = (s64)b->live * b->size;

	if (judged_of(a) != judged_of(b))
		return judged_of(a) > judged_of(b);
	if (weight_of(a) != weight_of(b))
		return weight_of(a) > weight_of(b);
	if (group_of(a) != group_of(b))
		return group_of(a) < group_of(b);
	if (by_a != by_b)
		return by_a > by_b;
	if (has_a != has_b)
		return has_a > has_b;
	return a->site < b->site;
}

static void the_rule(void)
{
	struct lw_rows *rows;
	bool seen[ROWS + 1];
	int n, i;

	for (n = 0; n < 300; n++) {
		rows = random_rows(host_below(&seed, ROWS + 1));
		memset(seen, 0, sizeof(seen));
		lw_rank(rows);
		for (i = 0; i < rows->nr; i++) {
			expect(rows->row[i].site && !seen[rows->row[i].site], "row %d twice", i);
			seen[rows->row[i].site] = true;
			if (i)
				expect(precedes(&rows->row[i - 1], &rows->row[i]),
				       "site %u comes before site %u", rows->row[i - 1].site,
				       rows->row[i].site);
		}
		free(rows);
	}
}

static int sign(int order)
{
	return (order > 0) - (order < 0);
}

static void total_order(void)
{
	struct lw_rows *rows = random_rows(80);
	const struct lw_row *r = rows->row;
	int a, b, c;

	for (a = 0; a < rows->nr; a++)
		for (b = 0; b < rows->nr; b++) {
			if (a == b)
				continue;
			expect(compare(&r[a], &r[b]) && sign(compare(&r[a], &r[b])) ==
			       -sign(compare(&r[b], &r[a])), "rows %d and %d", a, b);
			for (c = 0; c < rows->nr; c++)
				if (c != a && c != b && compare(&r[a], &r[b]) < 0 &&
				    compare(&r[b], &r[c]) < 0)
					expect(compare(&r[a], &r[c]) < 0, "rows %d, %d, %d", a, b,
					       c);
		}
	free(rows);
}

static void same_from_any_order(void)
{
	struct lw_rows *rows = random_rows(ROWS);
	struct lw_row *first = malloc(sizeof(*first) * ROWS), swap;
	int n, i, j;

	lw_rank(rows);
	memcpy(first, rows->row, sizeof(*first) * ROWS);
	for (n = 0; n < 20; n++) {
		for (i = ROWS - 1; i; i--) {
			j = host_below(&seed, i + 1);
			swap = rows->row[i];
			rows->row[i] = rows->row[j];
			rows->row[j] = swap;
		}
		lw_rank(rows);
		for (i = 0; i < ROWS; i++)
			expect(rows->row[i].site == first[i].site, "place %d, shuffle %d", i, n);
	}
	free(first);
	free(rows);
}

/* What a person would expect of the table, one site a line, in this order. */
static void tiers(void)
{
	static const struct lw_row want[] = {
		/* judged: how fast times how sure, whatever has grown since the mark */
		{ .site = 13, .size = 8, .judged = { LW_LEAK, 99, 5000, 100 } },
		{ .site = 14, .size = 8, .judged = { LW_LEAK, 90, 5400, 100 }, .grown = 99999 },
		{ .site = 15, .size = 8, .judged = { LW_GROWING, 99, 999999, 100 } },
		/* kept all, or as much as it freed: a leak */
		{ .site = 9, .grown = 1000, .freed = 0, .live = 1000, .size = 128 },
		{ .site = 8, .grown = 500, .freed = 500, .live = 900, .size = 128 },
		{ .site = 5, .grown = 32, .freed = 0, .live = 32, .size = 128 },
		/* grew by more bytes, but by freeing more than it kept */
		{ .site = 2, .grown = 90000, .freed = 90001, .live = 90000, .size = 4096 },
		/* by far, and by more than a long can say */
		{ .site = 3, .grown = 80000, .freed = 1ULL << 63, .live = 80000, .size = 4096 },
		/* grew by less than a page, whether it churns or not */
		{ .site = 4, .grown = 31, .freed = 0, .live = 31, .size = 128 },
		{ .site = 7, .grown = 10, .freed = 10000000, .live = 10, .size = 64 },
		{ .site = 1, .grown = 1, .freed = 0, .live = 1, .size = 8 },
		/* did not grow, however much it is: the largest first */
		{ .site = 12, .grown = 0, .freed = 5, .live = 100000, .size = 4096 },
		{ .site = 10, .grown = 0, .freed = 0, .live = 100, .size = 4096 },
		{ .site = 11, .grown = 0, .freed = 0, .live = 100, .size = 4096 },
		/* shrank, though it churns */
		{ .site = 6, .grown = -7, .freed = 900, .live = 99999, .size = 4096 },
	};
	struct lw_rows *rows = malloc(sizeof(*rows) + sizeof(want));
	int i;

	rows->nr = ARRAY_SIZE(want);
	for (i = 0; i < ARRAY_SIZE(want); i++)
		rows->row[i] = want[ARRAY_SIZE(want) - 1 - i];
	lw_rank(rows);
	for (i = 0; i < ARRAY_SIZE(want); i++)
		expect(rows->row[i].site == want[i].site, "place %d has site %u, not %u", i,
		       rows->row[i].site, want[i].site);
	rows->nr = 0;
	lw_rank(rows);
	free(rows);
}

int main(void)
{
	return host_run((struct host_test[]){
		{ "random rows come out by the rule", the_rule },
		{ "the comparison is a total order", total_order },
		{ "the order does not depend on the order before", same_from_any_order },
		{ "leaks, then churn, then what stays", tiers },
		{}
	});
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sort.h>
#include <leakwatch/rank.h>

static int tier(const struct lw_row *row)
{
	if (row->grown <= 0)
		return 2;
	return row->freed > (u64)row->grown || lw_row_grown(row) < PAGE_SIZE;
}

int lw_rank_bytes(s64 grown_a, s64 bytes_a, s64 grown_b, s64 bytes_b)
{
	if (grown_a != grown_b)
		return grown_a > grown_b ? -1 : 1;
	if (bytes_a != bytes_b)
		return bytes_a > bytes_b ? -1 : 1;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct lw_row *one = a, *two = b;
	int order = lw_judgement_order(&one->judged, &two->judged);

	if (!order)
		order = tier(one) - tier(two);
	if (!order)
		order = lw_rank_bytes(lw_row_grown(one), lw_row_bytes(one),
				      lw_row_grown(two), lw_row_bytes(two));
	return order ?: (one->site > two->site) - (one->site < two->site);
}

void lw_rank(struct lw_rows *rows)
{
	sort(rows->row, rows->nr, sizeof(*rows->row), compare, NULL);
}

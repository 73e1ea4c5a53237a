/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rank: which row behaves most like a leak.
 *
 * The rule, here and in lw_rank() alone: first leaks, then what grows, as judged (verdict.h), each
 * by how fast it grows times how sure that is. Then what has grown since the mark by a page or
 * more and does not churn, then all else that has grown, then what has not. A site churns if since
 * the mark it has freed more than it has kept. Among equals the one that has grown by more bytes
 * is first, then the larger, then the one with the lower number. So what frees nothing is above
 * what churns, but a single object that stays is not above a leak behind a helper that everybody
 * calls.
 */
#ifndef LEAKWATCH_RANK_H
#define LEAKWATCH_RANK_H

#include <leakwatch/row.h>

/** lw_rank() - sort the rows, most like a leak first. Process context. */
void lw_rank(struct lw_rows *rows);

/** lw_rank_bytes() - compare what ranks equal: Return: below, above or 0, as for sort() */
int lw_rank_bytes(s64 grown_a, s64 bytes_a, s64 grown_b, s64 bytes_b);

#endif

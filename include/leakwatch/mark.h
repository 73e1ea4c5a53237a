/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mark: the baseline of every MARK column.
 *
 * Set when watching begins, and whenever the user says so. All under lw_lock.
 */
#ifndef LEAKWATCH_MARK_H
#define LEAKWATCH_MARK_H

#include <linux/types.h>

/**
 * struct lw_mark - what a site had done when the mark was set
 * @allocs: objects or pages allocated and stored
 * @frees: of those, freed
 */
struct lw_mark {
	unsigned long allocs;
	unsigned long frees;
};

/** lw_mark_init() - take the memory for marks. Process context. Return: 0 or -ENOMEM. */
int lw_mark_init(void);

/** lw_mark_exit() - give it back */
void lw_mark_exit(void);

/** lw_marks_bytes() - Return: the memory that marks take */
unsigned long lw_marks_bytes(void);

/** lw_mark_of() - Return: the mark of @site */
const struct lw_mark *lw_mark_of(u32 site);

/** lw_mark_set() - the baseline is now */
void lw_mark_set(void);

/** lw_mark_seconds() - Return: how long ago that was, or how long before we stopped watching */
u64 lw_mark_seconds(void);

/** lw_mark_is_start() - Return: whether it is still the one that was set when watching began */
bool lw_mark_is_start(void);

/** lw_mark_clear() - forget marks and times: all counts are 0 again */
void lw_mark_clear(void);

/** lw_watch_start() - watching begins, with a mark */
void lw_watch_start(void);

/** lw_watch_turn() - the mode has just changed */
void lw_watch_turn(void);

/** lw_watch_turned() - Return: whether it has since watching began */
bool lw_watch_turned(void);

/** lw_watch_mode_seconds() - Return: how long the mode has been what it is, while watching */
u64 lw_watch_mode_seconds(void);

/** lw_watch_stop() - watching ends; figures and ages stay as they are */
void lw_watch_stop(void);

/** lw_watch_on() - Return: whether we are watching */
bool lw_watch_on(void);

/** lw_watch_seconds() - Return: how long we have been watching, or had until we stopped */
u64 lw_watch_seconds(void);

/** lw_watch_now() - Return: the tick that ages are told from: now, or when watching ended */
u32 lw_watch_now(void);

#endif

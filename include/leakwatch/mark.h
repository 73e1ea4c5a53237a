/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mark: the baselines of all MARK columns.
 *
 * There is always the default one: set when watching begins, and whenever the user says so without
 * a name. Others have names, LW_MARKS at once with it. The columns show the growth since one of
 * them, the chosen: that which was set last, until another is chosen. All under lw_lock.
 *
 * What a named mark takes is allocated when it is set, as nothing that hooks do needs it.
 */
#ifndef LEAKWATCH_MARK_H
#define LEAKWATCH_MARK_H

#include <linux/types.h>
#include <leakwatch/figure.h>
#include <leakwatch/process.h>

#define LW_MARKS	8	/* at once: each takes 24 bytes a site, and 136 a process */
#define LW_MARK_NAME	16	/* bytes of a name, its end included */
#define LW_MARK_DEFAULT	"default"

/**
 * struct lw_mark - what a site had done when the mark was set
 * @allocs: objects or pages allocated and stored
 * @frees: of those, freed
 * @lost: pages of it that were lost (census.h)
 */
struct lw_mark {
	unsigned long allocs;
	unsigned long frees;
	unsigned long lost;
};

/** lw_mark_init() - take the memory for the default mark. Process context. Return: 0 or -ENOMEM. */
int lw_mark_init(void);

/** lw_mark_exit() - give back what all marks take */
void lw_mark_exit(void);

/** lw_marks_bytes() - Return: the memory that marks take */
unsigned long lw_marks_bytes(void);

/** lw_mark_of() - Return: what the chosen mark has of @site */
const struct lw_mark *lw_mark_of(u32 site);

/** lw_mark_figures() - Return: what the chosen mark has of the figures */
const struct lw_figures *lw_mark_figures(void);

/** lw_mark_processes() - Return: the processes at the chosen mark; NULL if there are none */
struct lw_processes *lw_mark_processes(void);

/**
 * lw_mark_set() - the default mark is now, and is chosen
 *
 * Process context: takes a census.
 *
 * Return: 0, or -ENOMEM: all is as it was.
 */
int lw_mark_set(void);

/**
 * lw_mark_is_name() - can a mark be called that?
 * @text: the name
 *
 * Return: whether it is of 1 to 15 letters, digits and ``_.-``, begins with a letter, and is
 *	neither "latest" nor "drop", which mean something to control.
 */
bool lw_mark_is_name(const char *text);

/**
 * lw_mark_set_named() - a mark of that name is now, and is chosen
 * @name: its name; LW_MARK_DEFAULT is lw_mark_set()
 *
 * Process context: takes a census.
 *
 * Return: 0, or all is as it was: -EINVAL if it is no name, -ENOSPC if there are LW_MARKS others,
 *	-ENOMEM.
 */
int lw_mark_set_named(const char *name);

/**
 * lw_mark_choose() - show growth since a mark
 * @name: its name; NULL for that which was set last
 *
 * Return: 0, or -ENOENT if there is none of that name.
 */
int lw_mark_choose(const char *name);

/** lw_mark_drop() - forget a mark with a name. Return: 0, -ENOENT, or -EINVAL for the default. */
int lw_mark_drop(const char *name);

/** lw_mark_chosen() - Return: the name of the mark that is chosen */
const char *lw_mark_chosen(void);

/**
 * lw_marks_each() - show each mark, in the order in which they were set
 * @see: is given its name, how long ago it was set, whether that was when watching began, and
 *	whether it is chosen
 * @arg: passed on
 */
void lw_marks_each(void (*see)(const char *name, u64 seconds, bool at_start, bool chosen,
			       void *arg), void *arg);

/** lw_mark_seconds() - Return: how long ago it was, or how long before we stopped watching */
u64 lw_mark_seconds(void);

/** lw_mark_is_start() - Return: whether it is still the one that was set when watching began */
bool lw_mark_is_start(void);

/** lw_mark_clear() - forget times and sites of marks, all counts are 0 again; none has a name */
void lw_mark_clear(void);

/**
 * lw_marks_keep() - shall marks with names survive lw_mark_clear(), from now on?
 * @wanted: whether
 *
 * They keep their times and figures; of sites they have nothing, as all of that is forgotten.
 */
void lw_marks_keep(bool wanted);

/** lw_watch_start() - watching begins, with a mark. Process context: takes a census. */
void lw_watch_start(void);

/** lw_watch_turn() - the mode has just changed; for @ms no allocation was heard */
void lw_watch_turn(unsigned int ms);

/** lw_watch_deaf_ms() - Return: how long that was the last time, since watching began; else 0 */
unsigned int lw_watch_deaf_ms(void);

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

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * suspect: which call sites are worth a look at their paths (zoom.h): those that have grown most,
 * by their histories.
 *
 * That is no verdict: it is earlier than any, and costs but a few paths if it was wrong.
 */
#ifndef LEAKWATCH_SUSPECT_H
#define LEAKWATCH_SUSPECT_H

#include <linux/types.h>

/**
 * lw_suspects_get() - find the call sites of slab objects that have grown most, in bytes
 * @site: set to their numbers, the first has grown most
 * @max: how many there is room for
 *
 * Since the middle of its history; of those that have points enough to tell. Process context,
 * under lw_lock.
 *
 * Return: how many there are.
 */
unsigned int lw_suspects_get(u32 *site, unsigned int max);

/** lw_suspects_zoom() - zoom at the suspects if that is the setting, else at none; as above */
void lw_suspects_zoom(void);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * name: frames as text, also those of code that is gone.
 *
 * When a module has been unloaded, or the init section of one freed, its addresses mean nothing or
 * soon something else. So at that moment, when they can still be resolved, every frame in that
 * code is replaced in every path by the number of a saved name. Such a path can never be met
 * again, a new path by the same addresses makes a new site.
 *
 * Locking: all under lw_lock (lock.h). Hooks compare frames meanwhile, which is harmless: a number
 * is no address.
 */
#ifndef LEAKWATCH_NAME_H
#define LEAKWATCH_NAME_H

#include <linux/types.h>

#define LW_FRAME_TEXT	256

/** lw_names_init() - watch modules come and go. Process context. Return: 0 or an error. */
int lw_names_init(void);

/** lw_names_exit() - stop that, and free the names. Process context. */
void lw_names_exit(void);

/**
 * lw_frame_text() - the name of a frame
 * @text: where to put it, LW_FRAME_TEXT long
 * @frame: the frame, of a path
 *
 * As "function+0x1/0x2 [module]".
 */
void lw_frame_text(char *text, unsigned long frame);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * audit: is what the live tables hold still there? The kernel's own state of each page knows.
 *
 * An object whose page is no slab any more, or one of another cache, and a frame that is free, are
 * gone: their frees were missed. They are dropped, and counted under the site that holds them. The
 * reverse cannot be told: an object that was freed in a page that is still its cache's.
 *
 * Proof: an entry carries the tick of its allocation. If it is older than the present tick, it is
 * the same before and after its page is looked at, and frees are heard before they happen, then
 * it is the same object throughout, and the page tells. What is younger is left for the next audit.
 * A page's state is read without locks, and until 5.16 some frees are heard just after they happen:
 * so whatever seems gone is looked at again, LW_AUDIT_PAUSE_MS later, before it is dropped.
 */
#ifndef LEAKWATCH_AUDIT_H
#define LEAKWATCH_AUDIT_H

#include <linux/types.h>

#define LW_AUDIT_PAUSE_MS	100	/* many times what a state lasts that is seen by accident */

/**
 * struct lw_audit - what audits have found since watching began
 * @runs: how many there were
 * @objects: how many objects the last one looked at,
 * @pages: and how many frames
 * @ms: how long it took, in milliseconds
 * @at: when it ended, in jiffies
 */
struct lw_audit {
	unsigned long runs;
	unsigned long objects;
	unsigned long pages;
	unsigned int ms;
	unsigned long at;
};

/**
 * lw_audit_run() - look at every entry, drop what is gone
 *
 * Beside the hooks; reschedules. It takes one walk over both tables, and a pause for each
 * 32768 entries that seem gone. Process context, under lw_lock, while watching.
 *
 * Return: 0, -EINTR if the process is being killed, -ENOMEM.
 */
int lw_audit_run(void);

/** lw_audit_last() - Return: what was found; under lw_lock */
const struct lw_audit *lw_audit_last(void);

/** lw_audit_clear() - watching begins */
void lw_audit_clear(void);

#endif

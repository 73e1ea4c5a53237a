// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/sched.h>
#include <leakwatch/history.h>
#include <leakwatch/path.h>
#include <leakwatch/suspect.h>
#include <leakwatch/zoom.h>

#define POINTS_MIN	3

/* By how many bytes a call site has grown since the middle of its history; 0 if it has not. */
static u64 growth_of(u32 id)
{
	const struct lw_site *site = &lw_sites[id];
	const struct lw_point *point;
	unsigned int nr;

	if (!lw_site_live(site) || site->parent != id || site->nr_frames != 1 ||
	    lw_what_class(site->what) != LW_SLAB || site->state & LW_SITE_UNLOADED)
		return 0;
	point = lw_history_points(lw_history_site(id), &nr);
	if (nr < POINTS_MIN || point[nr - 1].live <= point[nr / 2].live)
		return 0;
	return (u64)(point[nr - 1].live - point[nr / 2].live) * site->size;
}

unsigned int lw_suspects_get(u32 *site, unsigned int max)
{
	u64 grown[LW_ZOOM_SITES], growth;
	unsigned int nr = 0, at;
	u32 id;

	max = min(max, LW_ZOOM_SITES);
	for (id = 1; id < lw_sites_end(); id++) {
		if (!(id % 1024))
			cond_resched();
		growth = growth_of(id);
		if (!growth || !max || (nr == max && growth <= grown[nr - 1]))
			continue;
		/* what is less moves on, the last may drop out */
		nr = min(nr + 1, max);
		for (at = nr - 1; at && grown[at - 1] < growth; at--) {
			grown[at] = grown[at - 1];
			site[at] = site[at - 1];
		}
		grown[at] = growth;
		site[at] = id;
	}
	return nr;
}

void lw_suspects_zoom(void)
{
	u32 site[LW_ZOOM_SITES];

	lw_zoom_set(site, lw_stacks == LW_STACKS_ZOOM ? lw_suspects_get(site, LW_ZOOM_SITES) : 0);
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <leakwatch/history.h>
#include <leakwatch/process.h>
#include <leakwatch/triage.h>

static_assert(LW_NR_PLACES <= LW_PLACES);
static_assert(LW_PLACE_SLAB == (int)LW_SLAB && LW_PLACE_PAGE == (int)LW_PAGE &&
	      LW_PLACE_BUFFER == (int)LW_BUFFER);

const char *lw_place_name(unsigned int place)
{
	static const char * const names[LW_NR_PLACES] = {
		[LW_PLACE_SLAB] = "slab", [LW_PLACE_PAGE] = "page", [LW_PLACE_BUFFER] = "buffer",
		[LW_PLACE_USER_JAVA] = "user-java", [LW_PLACE_USER_NATIVE] = "user-native",
		[LW_PLACE_USER_SHMEM] = "user-shmem",
	};

	return names[place];
}

/* What leaks in a place is added up. */
static void add_leak(struct lw_finding *finding, s64 bytes, const struct lw_judgement *judged,
		     s64 *most)
{
	struct lw_judgement *sum = &finding->judged;

	if (sum->verdict != LW_LEAK) {
		*sum = (struct lw_judgement){ .verdict = LW_LEAK };
		finding->bytes = 0;
		*most = S64_MIN;
	}
	finding->bytes += bytes;
	sum->growth += judged->growth;
	sum->confidence = max(sum->confidence, judged->confidence);
	if (judged->growth > *most) {
		*most = judged->growth;
		sum->since = judged->since;
	}
}

static void add_sites(enum lw_place_id place, const struct lw_rows *rows,
		      struct lw_finding *finding)
{
	const struct lw_row *row;
	s64 most;

	for (row = rows->row; row < rows->row + rows->nr; row++)
		if (row->judged.verdict == LW_LEAK &&
		    (int)lw_what_class(lw_sites[row->site].what) == place)
			add_leak(finding, lw_row_bytes(row), &row->judged, &most);
}

static void add_processes(enum lw_place_id place, const struct lw_growers *growers,
			  struct lw_finding *finding)
{
	const struct lw_grower *grower;
	s64 most;

	for (grower = growers->grower; grower < growers->grower + growers->nr; grower++)
		if (grower->judged.verdict == LW_LEAK &&
		    LW_PLACE_USER_JAVA + grower->part == (int)place)
			add_leak(finding, grower->member->kb[grower->part] << 10, &grower->judged,
				 &most);
}

void lw_place_find(enum lw_place_id place, const struct lw_rows *rows,
		   const struct lw_growers *growers, unsigned int on, struct lw_finding *finding)
{
	bool by_site = place < (int)LW_NR_CLASSES;
	u32 key = lw_history_whole(place);

	*finding = (struct lw_finding){ .bytes = -1 };
	if (by_site && !(on & BIT(place))) {
		finding->why = "its class is off";
		return;
	}
	if (lw_history_points(key, &finding->samples))
		finding->bytes = (s64)lw_history_last(key) << 10;
	else if (place == LW_PLACE_USER_JAVA)
		finding->why = "in user-native";
	lw_history_judge(key, 1024, LW_OLD_UNKNOWN, &finding->judged);
	finding->grown = finding->judged.growth;
	if (by_site)
		add_sites(place, rows, finding);
	else
		add_processes(place, growers, finding);
}

static long live_of(u32 id)
{
	struct lw_count count;

	lw_site_counts(id, &count);
	return count.allocs - count.frees;
}

u32 lw_suspect_path(u32 site)
{
	struct lw_judgement judged, worst = {};
	u32 id, found = site;
	int order;

	for (id = 1; id < lw_sites_end(); id++) {
		if (!lw_site_live(&lw_sites[id]) || lw_sites[id].parent != site ||
		    lw_sites[id].nr_frames < 2 || live_of(id) <= 0)
			continue;
		lw_history_judge(lw_history_site(id), lw_sites[id].size, LW_OLD_UNKNOWN, &judged);
		order = lw_judgement_order(&judged, &worst);
		if (found == site || order < 0 || (!order && live_of(id) > live_of(found))) {
			worst = judged;
			found = id;
		}
	}
	return found;
}

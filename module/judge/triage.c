// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <leakwatch/history.h>
#include <leakwatch/triage.h>

static_assert(LW_NR_PLACES <= LW_WHOLES);
static_assert(LW_PLACE_SLAB == (int)LW_SLAB && LW_PLACE_PAGE == (int)LW_PAGE &&
	      LW_PLACE_BUFFER == (int)LW_BUFFER);

static bool watched[LW_NR_PLACES];

void lw_place_watch(enum lw_place place, u64 (*kb)(void))
{
	lw_history_watch(place, kb);
	watched[place] = kb;
}

const char *lw_place_name(unsigned int place)
{
	static const char * const names[LW_NR_PLACES] = {
		[LW_PLACE_SLAB] = "slab", [LW_PLACE_PAGE] = "page", [LW_PLACE_BUFFER] = "buffer",
		[LW_PLACE_USER_JAVA] = "user-java", [LW_PLACE_USER_NATIVE] = "user-native",
		[LW_PLACE_USER_SHMEM] = "user-shmem",
	};

	return names[place];
}

/* If call sites of the place leak, what is found is their sum. */
static void add_leaks(enum lw_place place, const struct lw_rows *rows, struct lw_finding *finding)
{
	struct lw_judgement *sum = &finding->judged;
	s64 bytes = 0, most = 0;
	unsigned int i;
	u32 since = 0;

	for (i = 0; i < rows->nr; i++) {
		const struct lw_row *row = &rows->row[i];

		if (row->judged.verdict != LW_LEAK ||
		    (int)lw_what_class(lw_sites[row->site].what) != place)
			continue;
		if (!since)
			*sum = (struct lw_judgement){ .verdict = LW_LEAK };
		bytes += lw_row_bytes(row);
		sum->growth += row->judged.growth;
		sum->confidence = max(sum->confidence, row->judged.confidence);
		if (!since || row->judged.growth > most) {
			most = row->judged.growth;
			since = row->judged.since;
		}
	}
	if (!since)
		return;
	sum->since = since;
	finding->bytes = bytes;
}

void lw_place_find(enum lw_place place, const struct lw_rows *rows, unsigned int on,
		   struct lw_finding *finding)
{
	bool by_site = place < (int)LW_NR_CLASSES;
	u32 key = lw_history_whole(place);
	const struct lw_point *point;

	*finding = (struct lw_finding){ .bytes = -1 };
	if (by_site && !(on & BIT(place))) {
		finding->why = "its class is off";
		return;
	}
	if (!by_site && !watched[place]) {
		finding->why = "nothing here watches it";
		return;
	}
	point = lw_history_points(key, &finding->samples);
	if (point)
		finding->bytes = (s64)point[finding->samples - 1].live << 10;
	lw_history_judge(key, 1024, LW_OLD_UNKNOWN, &finding->judged);
	if (by_site)
		add_leaks(place, rows, finding);
}

u32 lw_suspect_path(u32 site)
{
	u32 id, found = site;
	struct lw_count count;
	long live, most = 0;

	for (id = 1; id < lw_sites_end(); id++) {
		if (!lw_site_live(&lw_sites[id]) || lw_sites[id].parent != site)
			continue;
		lw_site_counts(id, &count);
		live = count.allocs - count.frees;
		if (live > most && lw_sites[id].nr_frames > 1) {
			most = live;
			found = id;
		}
	}
	return found;
}

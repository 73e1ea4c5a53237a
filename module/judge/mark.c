// SPDX-License-Identifier: GPL-2.0
#include <linux/ctype.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <leakwatch/clock.h>
#include <leakwatch/door.h>
#include <leakwatch/mark.h>
#include <leakwatch/site.h>

/*
 * A mark. It is there if it has a name; only then it has @sites.
 * @order says which was set last.
 */
struct baseline {
	char name[LW_MARK_NAME];
	u64 set;			/* seconds since boot */
	unsigned long order;
	bool at_start;
	struct lw_mark *sites;
	struct lw_figures figures;
	struct lw_processes *processes;
};

static struct baseline marks[LW_MARKS];	/* the first is the default */
static struct baseline *chosen = marks;
static unsigned long nr_set;
static bool on, keep;
static u64 started, turned, stopped;	/* seconds since boot; turned: 0 if never */
static unsigned int deaf_ms;		/* when it turned */
static u32 stopped_tick;

static int make(struct baseline *mark, const char *name)
{
	mark->sites = vzalloc(lw_sites_max() * sizeof(*mark->sites));
	if (!mark->sites)
		return -ENOMEM;
	strscpy(mark->name, name, sizeof(mark->name));
	return 0;
}

static void drop(struct baseline *mark)
{
	vfree(mark->sites);
	lw_processes_put(mark->processes);
	*mark = (struct baseline){};
}

static struct baseline *find(const char *name)
{
	int i;

	for (i = 0; i < LW_MARKS; i++)
		if (!strcmp(marks[i].name, name))
			return &marks[i];
	return NULL;
}

/* The first that was set after another was. */
static struct baseline *find_after(unsigned long order)
{
	struct baseline *first = NULL;
	int i;

	for (i = 0; i < LW_MARKS; i++)
		if (marks[i].name[0] && marks[i].order > order &&
		    (!first || marks[i].order < first->order))
			first = &marks[i];
	return first;
}

static struct baseline *find_latest(void)
{
	struct baseline *latest = marks;
	int i;

	for (i = 1; i < LW_MARKS; i++)
		if (marks[i].name[0] && marks[i].order > latest->order)
			latest = &marks[i];
	return latest;
}

int lw_mark_init(void)
{
	return make(&marks[0], LW_MARK_DEFAULT);
}

void lw_mark_exit(void)
{
	int i;

	for (i = 0; i < LW_MARKS; i++)
		drop(&marks[i]);
	chosen = marks;
}

static unsigned long bytes_of(const struct baseline *mark)
{
	return lw_sites_max() * sizeof(*mark->sites) +
	       (mark->processes ? struct_size(mark->processes, process, mark->processes->nr) : 0);
}

unsigned long lw_marks_bytes(void)
{
	unsigned long bytes = 0;
	int i;

	for (i = 0; i < LW_MARKS; i++)
		if (marks[i].name[0])
			bytes += bytes_of(&marks[i]);
	return bytes;
}

const struct lw_mark *lw_mark_of(u32 site)
{
	return &chosen->sites[site];
}

const struct lw_figures *lw_mark_figures(void)
{
	return &chosen->figures;
}

struct lw_processes *lw_mark_processes(void)
{
	return chosen->processes;
}

/* What is lost of each site: what was at the mark before is forgotten when there is news. */
struct counting {
	struct lw_mark *sites;
	bool begun;
};

static void begin(struct counting *counting)
{
	u32 id;

	for (id = 0; !counting->begun && id < lw_sites_max(); id++)
		counting->sites[id].lost = 0;
	counting->begun = true;
}

static void see_lost(u64 entry, void *arg)
{
	struct counting *counting = arg;

	begin(counting);
	counting->sites[lw_entry_site(entry)].lost++;
}

static void choose(struct baseline *mark)
{
	mark->set = ktime_get_boottime_seconds();
	mark->order = ++nr_set;
	chosen = mark;
}

/* Words that mean something to those who write marks and choose them. */
static bool is_reserved(const char *name)
{
	return !strcmp(name, "latest") || !strcmp(name, "drop");
}

/* No more memory for the list than it takes. */
static void take_processes(struct baseline *mark)
{
	struct lw_processes *all = lw_processes_get();
	size_t size = all ? struct_size(all, process, all->nr) : 0;

	lw_processes_put(mark->processes);
	mark->processes = all ? kvmalloc(size, GFP_KERNEL) : NULL;
	if (mark->processes)
		memcpy(mark->processes, all, size);
	lw_processes_put(all);
}

static void forget_figures(struct baseline *mark)
{
	int i;

	for (i = 0; i < LW_NR_FIGURES; i++)
		mark->figures.kb[i] = LW_NO_FIGURE;
}

/* Figures that could not be had are no figures. */
static void take_figures(struct baseline *mark, const struct lw_census *census)
{
	if (!census || lw_figures_get(&mark->figures, census))
		forget_figures(mark);
	take_processes(mark);
}

/* In place: memory that is taken or given back for it would be growth since. */
static int take(struct baseline *mark)
{
	struct counting counting = { .sites = mark->sites };
	struct lw_census census;
	struct lw_count count;
	int err;
	u32 id;

	if (on)
		lw_pages_settle();
	err = lw_census_take(&census, see_lost, &counting);
	if (err)
		return err;
	begin(&counting);
	for (id = 1; id < lw_sites_end(); id++) {
		lw_site_counts(id, &count);
		mark->sites[id].allocs = count.allocs - atomic_read(&lw_flaws[id].lost);
		mark->sites[id].frees = count.frees;
	}
	take_figures(mark, &census);
	mark->at_start = false;
	choose(mark);
	return 0;
}

int lw_mark_set(void)
{
	return take(&marks[0]);
}

bool lw_mark_is_name(const char *text)
{
	size_t i;

	if (!isalpha(text[0]))
		return false;
	for (i = 0; text[i]; i++)
		if (i == LW_MARK_NAME - 1 || (!isalnum(text[i]) && !strchr("_.-", text[i])))
			return false;
	return !is_reserved(text);
}

int lw_mark_set_named(const char *name)
{
	struct baseline *mark = find(name), *made = NULL;
	int err = 0;

	if (!lw_mark_is_name(name))
		return -EINVAL;
	if (!mark) {
		made = find("");
		err = made ? make(made, name) : -ENOSPC;
	}
	err = err ?: take(mark ?: made);
	if (err && made)
		drop(made);
	return err;
}

int lw_mark_choose(const char *name)
{
	struct baseline *mark = name ? find(name) : find_latest();

	if (!mark || !mark->name[0])
		return -ENOENT;
	chosen = mark;
	return 0;
}

int lw_mark_drop(const char *name)
{
	struct baseline *mark = find(name);

	if (!mark || !mark->name[0])
		return -ENOENT;
	if (mark == marks)
		return -EINVAL;
	drop(mark);
	if (chosen == mark)
		chosen = find_latest();
	return 0;
}

const char *lw_mark_chosen(void)
{
	return chosen->name;
}

static u64 seconds_since(u64 set)
{
	return (on ? ktime_get_boottime_seconds() : stopped) - set;
}

void lw_marks_each(void (*see)(const char *name, u64 seconds, bool at_start, bool chosen,
			       void *arg), void *arg)
{
	const struct baseline *mark = find_after(0);

	for (; mark; mark = find_after(mark->order))
		see(mark->name, seconds_since(mark->set), mark->at_start, mark == chosen, arg);
}

u64 lw_mark_seconds(void)
{
	return seconds_since(chosen->set);
}

bool lw_mark_is_start(void)
{
	return chosen->at_start;
}

void lw_marks_keep(bool wanted)
{
	keep = wanted;
}

void lw_mark_clear(void)
{
	int i;

	for (i = 0; i < LW_MARKS; i++)
		if (i && !keep)
			drop(&marks[i]);
		else if (marks[i].name[0])
			memset(marks[i].sites, 0, lw_sites_max() * sizeof(*marks[i].sites));
	forget_figures(marks);
	lw_processes_put(marks->processes);
	marks->processes = NULL;
	choose(marks);
	marks->at_start = true;
	started = marks->set;
	turned = 0;
	stopped = marks->set;
}

void lw_watch_start(void)
{
	struct lw_census census;

	lw_mark_clear();
	take_figures(marks, lw_census_take(&census, NULL, NULL) ? NULL : &census);
	on = true;
}

void lw_watch_turn(unsigned int ms)
{
	turned = ktime_get_boottime_seconds();
	deaf_ms = ms;
}

unsigned int lw_watch_deaf_ms(void)
{
	return turned ? deaf_ms : 0;
}

bool lw_watch_turned(void)
{
	return turned;
}

u64 lw_watch_mode_seconds(void)
{
	return (on ? ktime_get_boottime_seconds() : stopped) - (turned ?: started);
}

void lw_watch_stop(void)
{
	lw_pages_settle();
	on = false;
	stopped = ktime_get_boottime_seconds();
	stopped_tick = lw_clock_now();
}

bool lw_watch_on(void)
{
	return on;
}

u64 lw_watch_seconds(void)
{
	return (on ? ktime_get_boottime_seconds() : stopped) - started;
}

u32 lw_watch_now(void)
{
	return on ? lw_clock_now() : stopped_tick;
}

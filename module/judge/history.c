// SPDX-License-Identifier: GPL-2.0
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include <leakwatch/cache.h>
#include <leakwatch/clock.h>
#include <leakwatch/door.h>
#include <leakwatch/history.h>
#include <leakwatch/lock.h>
#include <leakwatch/mark.h>
#include <leakwatch/name.h>
#include <leakwatch/sample.h>
#include <leakwatch/site.h>
#include <leakwatch/suspect.h>
#include <leakwatch/zoom.h>

/* Looking for pages that hold objects is a walk over all frames: not at each pass. */
#define SETTLE_PASSES	8
/* How many histories may change hands in one pass; before each is a look at all of them. */
#define EVICTIONS	32

/**
 * struct slot - what a key has
 * @live: at this pass
 * @was: at the one before
 * @place: its history, by number; 0 for none
 * @said: a whole that has a figure at this pass
 */
struct slot {
	u32 live;
	u32 was;
	u16 place;
	bool said;
};

/**
 * struct history - a history
 * @key: whose; @nr is 0 if nobody's
 * @pass: the pass at which it got its first point
 * @nr: how many points it has
 * @shift: it gets a point every 2^shift passes
 * @judged: @trend is that of the points
 * @back: the kernel gives it back when it needs memory
 * @trend: as of the last judgement
 * @point: the points
 */
struct history {
	u32 key;
	u32 pass;
	u8 nr;
	u8 shift;
	bool judged;
	bool back;
	struct lw_trend trend;
	struct lw_point point[LW_POINTS];
};

unsigned int lw_interval = 10;

static struct slot *slots;
static struct history *pool;		/* the first is nobody's */
static unsigned int pool_max, pool_used, next_free, refused, took_us;
static u32 passes, last_at, last_tick;	/* how many, and when the last was */
static void (*source)(void);		/* says figures */
static u64 class_bytes[LW_NR_CLASSES];	/* of sites with a path: user memory is none */

u32 lw_history_site(u32 site)
{
	return site;
}

u32 lw_history_cache(u32 cache)
{
	return lw_sites_max() + cache;
}

u32 lw_history_whole(unsigned int whole)
{
	return lw_sites_max() + LW_MAX_CACHES + whole;
}

static u32 nr_keys(void)
{
	return lw_sites_max() + LW_MAX_CACHES + LW_WHOLES;
}

static u32 size_of(u32 key)
{
	if (key >= lw_history_whole(0))
		return 1024;
	return key >= lw_sites_max() ? lw_cache_size(key - lw_sites_max()) : lw_sites[key].size;
}

static struct history *history_of(u32 key)
{
	return key < nr_keys() && slots[key].place ? &pool[slots[key].place] : NULL;
}

/* Summing up */

static void add(u32 key, long live)
{
	slots[key].live += live;
}

static void sum_site(u32 id)
{
	const struct lw_site *site = &lw_sites[id];
	struct lw_count count;
	long live;

	if (!lw_site_live(site))
		return;
	lw_site_counts(id, &count);
	live = count.allocs - count.frees - atomic_read(&lw_flaws[id].lost);
	if (live <= 0)		/* no snapshot: another CPU has just allocated it */
		return;
	live = lw_weigh(live, lw_site_weight(site));
	add(id, live);
	if (site->parent != id)
		add(site->parent, live);
	if (site->nr_frames)
		class_bytes[lw_what_class(site->what)] += (u64)live * site->size;
	if (site->cache)
		add(lw_history_cache(site->cache), live);
}

static void sum_up(void)
{
	u32 key, end = lw_sites_end();
	unsigned int whole;

	memset(class_bytes, 0, sizeof(class_bytes));

	if (!(passes % SETTLE_PASSES))
		lw_pages_settle();
	for (key = 0; key < nr_keys(); key++) {
		slots[key].was = slots[key].live;
		slots[key].live = 0;
		slots[key].said = false;
	}
	for (key = 1; key < end; key++) {
		sum_site(key);
		if (!(key % 1024))
			cond_resched();
	}
	for (whole = 0; whole < LW_NR_CLASSES; whole++)
		lw_history_say(whole, class_bytes[whole] >> 10);
	if (source)
		source();
}

/* Points */

static void drop_every_second(struct history *history)
{
	unsigned int i;

	for (i = 1; i < LW_POINTS / 2; i++)
		history->point[i] = history->point[2 * i];
	history->nr = LW_POINTS / 2;
	history->shift++;
}

static void add_point(struct history *history, u32 now)
{
	if ((passes - history->pass) & ((1U << history->shift) - 1))
		return;
	/* the next would be at an even place: it is kept */
	if (history->nr == LW_POINTS)
		drop_every_second(history);
	history->point[history->nr++] = (struct lw_point){ now, slots[history->key].live };
	history->judged = false;
}

/* Places */

static u64 bytes_of(u32 key)
{
	return (u64)slots[key].live * size_of(key);
}

/*
 * Of what has nothing now and had nothing at its last point, or has not grown, the one that has
 * least. Return: its number, 0 if there is none.
 */
static unsigned int find_weakest(void)
{
	unsigned int i, found = 0;

	for (i = 1; i < pool_max; i++) {
		u32 key = pool[i].key, live = slots[key].live;

		if (key >= lw_history_whole(0) ||
		    (live ? live > pool[i].point[0].live : pool[i].point[pool[i].nr - 1].live))
			continue;
		if (!found || bytes_of(key) < bytes_of(pool[found].key))
			found = i;
	}
	return found;
}

static bool hangs_on_others(const struct lw_site *site)
{
	char text[LW_FRAME_TEXT];

	if (!site->nr_frames)
		return false;
	lw_frame_text(text, lw_site_frames(site)[0]);
	return lw_hangs_on_others(text);
}

static bool is_given_back(u32 key)
{
	const struct lw_site *site = &lw_sites[key];

	/* a place and a cache: a leak is said of sites and of processes */
	if (key >= lw_history_whole(0))
		return key < lw_history_whole(LW_PLACES);
	if (key >= lw_sites_max())
		return true;
	if (lw_what_class(site->what) == LW_BUFFER)
		return false;
	if (hangs_on_others(site))
		return true;
	if (lw_what_class(site->what) == LW_SLAB)
		return site->cache && lw_cache_reclaimable(site->cache);
	/* kinds: user memory, page cache, pages that are counted as objects */
	return !site->nr_frames ||
	       lw_what_major(site->what) & (__force u32)(__GFP_MOVABLE | __GFP_RECLAIMABLE);
}

static void give_place(unsigned int place, u32 key, u32 now)
{
	pool_used++;
	slots[key].place = place;
	pool[place] = (struct history){
		.key = key, .pass = passes, .back = is_given_back(key),
	};
	add_point(&pool[place], now);
	cond_resched();
}

/* A whole has a history when there is nothing, too: that is steady. */
static bool is_there(u32 key)
{
	return slots[key].live || slots[key].said;
}

/* A whole of which nothing is said any more is somebody else's when it comes back. */
static bool is_over(u32 key)
{
	return key >= lw_history_whole(0) && !slots[key].said;
}

static void take_place(unsigned int place)
{
	slots[pool[place].key].place = 0;
	pool[place].nr = 0;
	pool_used--;
}

/* Return: one that is nobody's. There is one. */
static unsigned int find_free(void)
{
	while (pool[next_free].nr)
		next_free = next_free % (pool_max - 1) + 1;
	return next_free;
}

static void give_places(u32 now)
{
	unsigned int weakest = 0, left = EVICTIONS;
	bool looked = false;
	u32 key;

	refused = 0;
	/* wholes and caches first: they are few */
	for (key = nr_keys() - 1; key; key--) {
		if (!is_there(key) || slots[key].place)
			continue;
		if (pool_used < pool_max - 1) {
			give_place(find_free(), key, now);
			continue;
		}
		if (!looked)
			weakest = find_weakest();
		looked = true;
		if (!weakest || slots[key].live <= slots[key].was ||
		    bytes_of(pool[weakest].key) >= bytes_of(key) / 2) {
			refused++;
			continue;
		}
		take_place(weakest);
		give_place(weakest, key, now);
		weakest = --left ? find_weakest() : 0;
	}
}

void lw_history_sample(u32 now)
{
	unsigned int i;

	if (passes && (s32)(now - last_at) < 0)
		now = last_at;
	last_at = now;
	last_tick = lw_clock_now();
	sum_up();
	for (i = 1; i < pool_max; i++)
		if (pool[i].nr && is_over(pool[i].key))
			take_place(i);
		else if (pool[i].nr)
			add_point(&pool[i], now);
	give_places(now);
	passes++;
}

/* The sampler */

static void work(struct work_struct *unused);
static DECLARE_DELAYED_WORK(sampler, work);

static u32 now(void)
{
	return div_u64((get_jiffies_64() - INITIAL_JIFFIES) * LW_CLOCK_HZ, HZ);
}

static void work(struct work_struct *unused)
{
	ktime_t begin;

	mutex_lock(&lw_lock);
	begin = ktime_get();
	if (lw_watch_on()) {
		/* areas that were given back wait to be so, by the thousand: that is no growth */
		vm_unmap_aliases();
		lw_history_sample(now());
		lw_suspects_zoom();
		took_us = ktime_us_delta(ktime_get(), begin);
	}
	schedule_delayed_work(&sampler, lw_interval * HZ);
	mutex_unlock(&lw_lock);
}

void lw_history_run(void)
{
	schedule_delayed_work(&sampler, lw_interval * HZ);
}

void lw_history_halt(void)
{
	cancel_delayed_work_sync(&sampler);
}

void lw_history_pace(unsigned int seconds)
{
	lw_interval = seconds;
	lw_history_clear();
	cancel_delayed_work(&sampler);
	schedule_delayed_work(&sampler, seconds * HZ);
}

/* What others ask */

void lw_history_watch(void (*say)(void))
{
	source = say;
}

void lw_history_say(unsigned int whole, u64 kb)
{
	struct slot *slot = &slots[lw_history_whole(whole)];

	slot->live = min_t(u64, kb, U32_MAX);
	slot->said = true;
}

void lw_history_say_again(unsigned int whole)
{
	struct slot *slot = &slots[lw_history_whole(whole)];

	slot->live = slot->was;
	slot->said = slot->place;
}

u32 lw_history_last(u32 key)
{
	return slots[key].live;
}

const struct lw_point *lw_history_points(u32 key, unsigned int *nr)
{
	struct history *history = history_of(key);

	*nr = history ? history->nr : 0;
	return history ? history->point : NULL;
}

bool lw_history_half(u32 key, u32 *tick)
{
	struct history *history = history_of(key);
	u64 ago;

	if (!history)
		return false;
	ago = last_at - history->point[history->nr / 2].at;
	*tick = (last_tick - (u32)(div_u64(ago * HZ, LW_CLOCK_HZ) >> LW_TICK_SHIFT)) & LW_TICK_MASK;
	return true;
}

bool lw_history_back(u32 key)
{
	struct history *history = history_of(key);

	return history && history->back;
}

void lw_history_judge(u32 key, u32 size, u32 old, struct lw_judgement *judgement)
{
	struct history *history = history_of(key);
	struct lw_series series = { .old = old };

	*judgement = (struct lw_judgement){ .verdict = LW_UNKNOWN };
	if (!history)
		return;
	if (!history->judged)
		lw_trend_of(history->point, history->nr, &history->trend);
	history->judged = true;
	series.point = history->point;
	series.nr = history->nr;
	series.back = lw_history_back(key);
	lw_judge(&series, &history->trend, size, judgement);
}

unsigned int lw_history_used(void)
{
	return pool_used;
}

unsigned int lw_history_max(void)
{
	return pool_max - 1;
}

unsigned int lw_history_refused(void)
{
	return refused;
}

unsigned int lw_history_passes(void)
{
	return passes;
}

unsigned int lw_history_took(void)
{
	return took_us;
}

unsigned long lw_history_bytes(unsigned int nr, unsigned int sites)
{
	return (sites + LW_MAX_CACHES + LW_WHOLES) * sizeof(*slots) + (nr + 1) * sizeof(*pool);
}

void lw_history_clear(void)
{
	unsigned int i;

	memset(slots, 0, nr_keys() * sizeof(*slots));
	for (i = 0; i < pool_max; i++)
		pool[i].nr = 0;
	pool_used = 0;
	next_free = 1;
	refused = 0;
	passes = 0;
	lw_zoom_set(NULL, 0);	/* what is forgotten is no suspect */
}

int lw_history_init(unsigned int nr)
{
	pool_max = nr + 1;
	slots = vzalloc(nr_keys() * sizeof(*slots));
	pool = vzalloc(pool_max * sizeof(*pool));
	if (!slots || !pool) {
		lw_history_exit();
		return -ENOMEM;
	}
	lw_history_clear();
	return 0;
}

void lw_history_exit(void)
{
	vfree(slots);
	vfree(pool);
	slots = NULL;
	pool = NULL;
}

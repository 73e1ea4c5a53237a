// SPDX-License-Identifier: GPL-2.0
/* site: a place where memory is asked for. Interning alone, and by many threads at once. */
#include "host.h"
#include "../../module/track/site.c"
#include "../../module/track/stats.c"

/* The caches that there are: number n has objects of 100 * n bytes, an object at n is from it. */
u32 lw_cache_size(u32 nr)
{
	return 100 * nr;
}

u32 lw_cache_of_object(const void *object)
{
	return (unsigned long)object;
}

static bool init(unsigned int nr)
{
	lw_stats_clear();
	return expect(!lw_sites_init(nr), "no table of %u", nr);
}

static bool live(u32 id)
{
	return lw_site_live(&lw_sites[id]);
}

/* All numbers that were given are sites, or were spoilt. */
static void expect_numbers(unsigned long sites)
{
	unsigned long nr = 0;
	u32 id;

	for (id = LW_SITE_GONE + 1; id < lw_sites_end(); id++)
		nr += live(id);
	expect(nr == sites, "%lu sites are live, should be %lu", nr, sites);
	expect(lw_sites_end() - LW_SITE_GONE - 1 == sites + lw_stat_read(LW_SITES_SPOILT),
	       "%u numbers, %lu sites, %lu spoilt", lw_sites_end() - LW_SITE_GONE - 1, sites,
	       lw_stat_read(LW_SITES_SPOILT));
	expect(lw_sites_end() <= lw_sites_max(), "%u of %u", lw_sites_end(), lw_sites_max());
}

static void fields(void)
{
	unsigned long path[] = { 0xc0de0001, 0xc0de0002, 0xc0de0003 };
	struct lw_site *site;
	lw_what_t what;
	u32 call, other_call, kind;

	if (!init(LW_SITES_MIN))
		return;
	expect(live(LW_SITE_SLAB_PAGES) && live(LW_SITE_MIGRATION), "known sites are missing");
	expect(!live(LW_SITE_NOBODY) && !live(LW_SITE_GONE), "nobody is a site");

	site = &lw_sites[lw_site_get(lw_what_kmalloc(192, 5), path, 3, (void *)7)];
	call = lw_site_get(lw_what_kmalloc(192, 5), path, 1, NULL);
	expect(site->parent == call && call != site - lw_sites, "parent is %u, not %u",
	       site->parent, call);
	expect(lw_sites[call].parent == call, "parent of a call site is %u", lw_sites[call].parent);
	expect(site->size == 192 && site->cache == 7 && site->nr_frames == 3 && site->pid_min < 0,
	       "size %u, cache %u, %u frames", site->size, site->cache, site->nr_frames);
	expect(!memcmp(lw_site_frames(site), path, sizeof(path)), "other frames");
	expect(site->call == path[0] && lw_entry_site(site->entry) == site - lw_sites &&
	       lw_entry_state(site->entry) == LW_FIRST, "call %lx, entry %llx", site->call,
	       site->entry);
	what = lw_what_kmalloc(192, 5);
	expect(lw_site_is_call(lw_site_met(what, path[0]), what, path[0]) &&
	       lw_site_met(what, path[0]) == &lw_sites[call], "not found at once");

	/* what is asked for is part of what it is */
	other_call = lw_site_get(lw_what_kmalloc(192, 6), path, 1, NULL);
	expect(other_call != call, "two types are one site");
	other_call = lw_site_get(lw_what_cache(192), path, 1, NULL);
	expect(other_call != call && lw_sites[other_call].size == 19200 &&
	       lw_sites[other_call].cache == 192, "size %u of a cache", lw_sites[other_call].size);
	kind = lw_site_get(lw_what_pages(2, 0x100cca), path, 0, NULL);
	expect(!lw_sites[kind].nr_frames && !lw_sites[kind].call && lw_sites[kind].parent == kind &&
	       lw_sites[kind].size == PAGE_SIZE, "%u frames", lw_sites[kind].nr_frames);
	expect_numbers(5);
	expect(lw_sites_bytes(LW_SITES_MIN) >= LW_SITES_MIN * sizeof(*lw_sites), "%lu bytes",
	       lw_sites_bytes(LW_SITES_MIN));
	lw_sites_exit();
}

/* Keys: what is asked for and a path; by number, so that they need no memory. */
struct key {
	lw_what_t what;
	unsigned int nr;
	unsigned long frame[LW_DEPTH_MAX];
};

static void key_of(struct key *key, unsigned int number)
{
	u64 seed = number / 3;		/* three paths to one call site, one of them that itself */
	unsigned int i;

	key->what = number % 2 ? lw_what_kmalloc(64 + 8 * (number % 5), number % 7) :
		    lw_what_pages(number % 4, number % 11);
	key->nr = number % 3 ? 2 + host_below(&seed, 14) : 1;
	for (i = 0; i < key->nr; i++) {
		key->frame[i] = 0xffffffff81000000UL + host_below(&seed, 1 << 20);
		if (i)
			seed += number;
	}
}

static u32 get(unsigned int number)
{
	struct key key;

	key_of(&key, number);
	return lw_site_get(key.what, key.frame, key.nr, NULL);
}

static void check_site(unsigned int number, u32 id)
{
	struct lw_site *site = &lw_sites[id], *parent = &lw_sites[site->parent];
	struct key key;

	key_of(&key, number);
	expect(site->what == key.what && site->nr_frames == key.nr &&
	       !memcmp(lw_site_frames(site), key.frame, key.nr * sizeof(*key.frame)),
	       "key %u is not site %u", number, id);
	expect(parent->nr_frames == 1 && parent->call == key.frame[0] && parent->what == key.what,
	       "key %u has parent %u", number, site->parent);
}

#define KEYS	3000

static void interning(void)
{
	u32 *id = calloc(KEYS, sizeof(*id)), again;
	bool *taken = calloc(LW_MAX_SITES, sizeof(*taken));
	unsigned int i, nr = 0;

	if (!init(4 * KEYS))
		return;
	for (i = 0; i < KEYS; i++) {
		id[i] = get(i);
		check_site(i, id[i]);
		expect(!taken[id[i]] || i % 3 == 0, "site %u has two keys", id[i]);
		taken[id[i]] = taken[lw_sites[id[i]].parent] = true;
	}
	for (i = 0; i < KEYS; i++) {
		again = get(i);
		expect(again == id[i], "key %u was site %u, is %u", i, id[i], again);
	}
	for (i = 0; i < LW_MAX_SITES; i++)
		nr += taken[i];
	expect_numbers(nr);
	expect(!lw_stat_read(LW_FOLDED), "%lu folded", lw_stat_read(LW_FOLDED));
	lw_sites_exit();
	free(taken);
	free(id);
}

/* Paths fill 7/8 of the table, call sites the rest; then there is nobody. */
static void folding(void)
{
	unsigned long path[2] = { 0x1000, 0 }, folded = 0, events = 0, sum = 0, i;
	lw_what_t what = lw_what_kmalloc(64, 0);
	u32 call, id, first = 0, limit = LW_SITES_MIN - LW_SITES_MIN / 8;
	struct lw_count count;

	if (!init(LW_SITES_MIN))
		return;
	call = lw_site_get(what, path, 1, NULL);
	for (i = 1; i <= 2 * LW_SITES_MIN; i++) {
		path[1] = i;
		id = lw_site_get(what, path, 2, NULL);
		if (!expect(id != LW_SITE_NOBODY, "path %lu has no site", i))
			break;
		if (id == call) {
			folded++;
			first = first ?: lw_sites_end();
		}
		lw_site_charge(id, 3);
		lw_site_charge_one(&lw_sites[id]);
		events += 4;
	}
	expect(first == limit, "the first was folded at %u, not %u", first, limit);
	expect(folded == lw_stat_read(LW_FOLDED), "%lu folded, counted %lu", folded,
	       lw_stat_read(LW_FOLDED));
	path[1] = 1;
	expect(lw_site_get(what, path, 2, NULL) != call, "the first path is not found any more");

	/* call sites go on, also those of new paths */
	for (i = lw_sites_end(); i < LW_SITES_MIN; i++) {
		path[0]++;
		id = lw_site_get(what, path, 2, NULL);
		expect(id == i && lw_sites[id].nr_frames == 1, "call site %u, not %lu", id, i);
	}
	path[0]++;
	expect(lw_site_get(what, path, 1, NULL) == LW_SITE_NOBODY, "there is still room");
	expect(lw_site_get(what, path, 2, NULL) == LW_SITE_NOBODY, "there is still room for paths");
	expect(lw_site_get(what, path, 0, NULL) == LW_SITE_NOBODY, "there is still room for kinds");
	expect_numbers(LW_SITES_MIN - LW_SITE_GONE - 1);

	for (id = 0; id < lw_sites_end(); id++) {
		lw_site_counts(id, &count);
		sum += count.allocs;
	}
	expect(sum == events, "charged %lu, counted %lu", events, sum);
	lw_sites_clear();
	lw_site_counts(call, &count);
	expect(!count.allocs && live(call), "counts are not cleared, or the site is");
	lw_sites_exit();
}

/* Long paths use up the frames before the numbers; call sites still find some. */
static void frames_run_out(void)
{
	unsigned long path[LW_DEPTH_MAX] = {}, i;
	lw_what_t what = lw_what_kmalloc(64, 0);
	u32 call;

	if (!init(LW_SITES_MIN))
		return;
	call = lw_site_get(what, path, 1, NULL);
	for (i = 1; i < LW_SITES_MIN; i++) {
		path[LW_DEPTH_MAX - 1] = i;
		if (lw_site_get(what, path, LW_DEPTH_MAX, NULL) == call)
			break;
	}
	expect(i < LW_SITES_MIN / 2 && lw_stat_read(LW_FOLDED) == 1, "%lu long paths", i);
	for (i = lw_sites_end(); i < LW_SITES_MIN; i++) {
		path[0]++;
		expect(lw_site_get(what, path, 1, NULL) == i, "call site %lu found no frame", i);
	}
	lw_sites_exit();
}

/* No slot of the hash is near enough: a path is charged to its call site, and that is counted. */
static void no_slot(void)
{
	unsigned long path[2] = { 0x1000, 0x2000 };
	lw_what_t what = lw_what_kmalloc(64, 0);
	unsigned int probe, before;
	u32 call, hash;

	if (!init(256))
		return;
	call = lw_site_get(what, path, 1, NULL);
	hash = hash_of(what, path, 2);
	for (probe = 0; probe < PROBES; probe++)
		if (!*slot_of(hash, probe))
			*slot_of(hash, probe) = LW_SITE_SLAB_PAGES;
	before = lw_sites_end();
	expect(lw_site_get(what, path, 2, NULL) == call, "the path has a site");
	expect(lw_sites_end() == before, "%u numbers were lost", lw_sites_end() - before);
	expect(lw_stat_read(LW_FOLDED) == 1, "%lu folded", lw_stat_read(LW_FOLDED));
	lw_sites_exit();
}

/* What is retired is not met again, and what stands behind it in the hash still is. */
static void retiring(void)
{
	u32 *id = calloc(KEYS, sizeof(*id)), again;
	unsigned int i;

	if (!init(4 * KEYS))
		return;
	for (i = 0; i < KEYS; i++)
		id[i] = get(i);
	for (i = 0; i < KEYS; i += 2)
		lw_site_retire(id[i]);
	for (i = 1; i < KEYS; i += 2)
		expect(get(i) == id[i], "key %u is not found any more", i);
	for (i = 0; i < KEYS; i += 2) {
		again = get(i);
		expect(again != id[i], "key %u is found again", i);
		expect(again == get(i), "key %u changes", i);
		check_site(i, again);
	}
	for (i = 1; i < KEYS; i += 2)
		expect(get(i) == id[i], "key %u is not found any more, after all", i);
	lw_sites_exit();
	free(id);
}

static void no_memory(void)
{
	int n, ret;

	for (n = 1; n <= 5; n++) {
		host_fail = n;
		ret = lw_sites_init(2 * LW_COUNT_SITES);
		expect(ret == -ENOMEM && !host_allocated, "allocation %d failed: %d, %d left", n,
		       ret, host_allocated);
	}
	host_fail = 0;
	if (init(2 * LW_COUNT_SITES))
		lw_sites_exit();
}

/*
 * Threads that all meet the same new sites at once, and charge them. Another one reads the
 * whole table meanwhile.
 */
#define SHARED_KEYS	400
#define ROUNDS		20

struct shared {
	int threads, running;
	u32 id[16][SHARED_KEYS];
};

static void intern_shared(int nr, void *arg)
{
	struct shared *shared = arg;
	unsigned int i, n, number;
	u64 seed = nr;
	u32 id;

	host_give_way = 10;
	if (nr == shared->threads) {
		unsigned long frames = 0;

		while (__atomic_load_n(&shared->running, __ATOMIC_RELAXED))
			for (id = 1; id < lw_sites_end(); id++)
				if (live(id)) {
					HOST_POINT();
					frames += lw_sites[id].nr_frames +
						  *lw_site_frames(&lw_sites[id]);
				}
		return;
	}
	for (i = 0; i < SHARED_KEYS; i++) {
		/* all begin at the same end, so that they meet */
		number = i ^ host_below(&seed, 4);
		id = get(number);
		shared->id[nr][number] = id;
		if (id != LW_SITE_NOBODY)
			lw_site_charge_one(&lw_sites[id]);
	}
	host_give_way = 1000;
	for (n = 0; n < ROUNDS; n++)
		for (i = 0; i < SHARED_KEYS; i++) {
			id = get(i);
			expect(!shared->id[nr][i] || shared->id[nr][i] == id,
			       "key %u was %u, is %u", i, shared->id[nr][i], id);
			shared->id[nr][i] = id;
			lw_site_charge_one(&lw_sites[id]);
			lw_site_saw(&lw_sites[id]);
			if (host_below(&seed, 2))
				lw_site_uncharge_one(id);
			else
				lw_site_charge(id, -1);
		}
	__atomic_fetch_sub(&shared->running, 1, __ATOMIC_RELAXED);
}

static void race(int threads)
{
	struct shared *shared = calloc(1, sizeof(*shared));
	unsigned long allocs = 0, frees = 0;
	struct lw_count count;
	unsigned int i, sites = 0;
	struct lw_site *site;
	int t;
	u32 id;

	shared->threads = threads;
	shared->running = threads;
	if (!init(16 * SHARED_KEYS))
		return;
	host_threads(threads + 1, intern_shared, shared);
	for (i = 0; i < SHARED_KEYS; i++) {
		for (t = 1; t < threads; t++)
			expect(shared->id[t][i] == shared->id[0][i], "key %u is %u and %u", i,
			       shared->id[0][i], shared->id[t][i]);
		site = &lw_sites[shared->id[0][i]];
		check_site(i, site - lw_sites);
		expect(site->pid_min == 1000 && site->pid_span == threads - 1, "pid %d + %u",
		       site->pid_min, site->pid_span);
	}
	for (id = LW_SITE_GONE + 1; id < lw_sites_end(); id++) {
		sites += live(id);
		lw_site_counts(id, &count);
		allocs += count.allocs;
		frees += count.frees;
	}
	/* what was charged at first stays, all else was freed or taken back */
	expect(allocs - frees == (unsigned long)threads * SHARED_KEYS, "%lu - %lu are live", allocs,
	       frees);
	expect_numbers(sites);
	printf("# %d threads: %u sites, %lu numbers spoilt\n", threads, sites,
	       lw_stat_read(LW_SITES_SPOILT));
	lw_sites_exit();
	free(shared);
}

static void races(void)
{
	race(2);
	race(4);
	race(8);
	race(16);
}

/* The same with a table that is soon full: what finds no site is counted, nothing is lost. */
static unsigned long nobodies;

static void fill_shared(int nr, void *arg)
{
	unsigned int i;
	u32 id;

	host_give_way = 50;
	for (i = 0; i < 20 * SHARED_KEYS; i++) {
		id = get(i % SHARED_KEYS);
		if (id == LW_SITE_NOBODY)
			__atomic_fetch_add(&nobodies, 1, __ATOMIC_RELAXED);
		else
			lw_site_charge_one(&lw_sites[id]);
	}
}

static void races_full(void)
{
	unsigned long sum = 0;
	struct lw_count count;
	u32 id;

	if (!init(LW_SITES_MIN))
		return;
	nobodies = 0;
	host_threads(8, fill_shared, NULL);
	for (id = 0; id < lw_sites_end(); id++) {
		lw_site_counts(id, &count);
		sum += count.allocs;
	}
	expect(sum + nobodies == 8 * 20 * SHARED_KEYS, "%lu charged, %lu nobody's", sum, nobodies);
	expect(nobodies && lw_stat_read(LW_FOLDED), "the table was not full: %lu, %lu", nobodies,
	       lw_stat_read(LW_FOLDED));
	expect(lw_sites_end() <= LW_SITES_MIN, "%u of %u", lw_sites_end(), LW_SITES_MIN);
	lw_sites_exit();
}

/* The pid is that of the process that asked, if one did. */
static void pids(void)
{
	unsigned long frame = 1;
	struct lw_site *site;

	if (!init(LW_SITES_MIN))
		return;
	site = &lw_sites[lw_site_get(lw_what_kmalloc(8, 0), &frame, 1, NULL)];
	host_irq = true;
	host_task.pid = 5;
	lw_site_saw(site);
	expect(site->pid_min == -1 && !site->pid_span, "an interrupt has a pid");
	host_irq = false;
	lw_site_saw(site);
	expect(site->pid_min == 5 && !site->pid_span, "%d + %u", site->pid_min, site->pid_span);
	host_task.pid = 0;
	lw_site_saw(site);
	host_task.pid = 4194304;
	lw_site_saw(site);
	host_task.pid = 77;
	lw_site_saw(site);
	expect(site->pid_min == 0 && site->pid_span == 4194304, "%d + %u", site->pid_min,
	       site->pid_span);
	lw_sites_exit();
}

/* Every cause has a name of its own, and is summed over all CPUs. */
static void stats(void)
{
	enum lw_stat stat, before;

	lw_stats_clear();
	for (stat = 0; stat < LW_NR_STATS; stat++) {
		for (host_cpu = 0; host_cpu < HOST_CPUS; host_cpu++)
			lw_stat_add(stat, 1000 * stat + host_cpu);
		expect(lw_stat_read(stat) == HOST_CPUS * 1000UL * stat +
		       HOST_CPUS * (HOST_CPUS - 1) / 2, "%s is %lu", lw_stat_name(stat),
		       lw_stat_read(stat));
		for (before = 0; before < stat; before++)
			expect(strcmp(lw_stat_name(before), lw_stat_name(stat)),
			       "two are called %s", lw_stat_name(stat));
	}
	host_cpu = 0;
	lw_stats_clear();
	for (stat = 0; stat < LW_NR_STATS; stat++)
		expect(!lw_stat_read(stat), "%s is not cleared", lw_stat_name(stat));
}

int main(void)
{
	return host_run((struct host_test[]){
		{ "what a site says", fields },
		{ "each key has one site and keeps it", interning },
		{ "paths fold into call sites, then there is nobody", folding },
		{ "frames run out before numbers", frames_run_out },
		{ "no slot of the hash is near enough", no_slot },
		{ "what is retired is not met again", retiring },
		{ "no memory leaves nothing behind", no_memory },
		{ "2, 4, 8, 16 threads make the same sites", races },
		{ "8 threads and a table that is full", races_full },
		{ "pids", pids },
		{ "stats have names and sums", stats },
		{}
	});
}

// SPDX-License-Identifier: GPL-2.0
/*
 * live: what happens when CPUs meet in the midst of things, in every order that matters.
 *
 * Here a CPU is a thread that runs only while it has the turn, and before every access to the table
 * (HOST_POINT()) the turn may pass to another. So an order is a list of turns, "CPU 1 for 17
 * accesses", and can be repeated. Accesses take effect at once, in program order: this is about the
 * steps of live.c, not about weakly ordered memory.
 *
 * Orders are chosen in two ways. Where one CPU moves an object and another one uses that very
 * object: all with two changes of turn, and for each a third one somewhere. And at random: programs
 * on a few objects in a table that is full, in any order.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>

static void order_point(void);
static void order_lock(pthread_mutex_t *lock);

#define HOST_POINT()		order_point()
#define HOST_LOCK(lock)		order_lock(lock)

#include "host.h"
#include "../../module/track/live.c"
#include "../../module/track/stats.c"
#include "live_model.h"
#include <semaphore.h>

#define CPUS	3
#define TURNS	8

struct turn {
	int cpu;
	unsigned int accesses;
};

static struct {
	void (*program[CPUS])(void);	/* NULL for none */
	struct turn turn[TURNS];
	unsigned int nr, at;	/* turns, and the next */
	unsigned int left;	/* accesses before the turn passes */
	unsigned int used[CPUS];
	bool done[CPUS];
	sem_t go[CPUS], over;
} order;

static __thread int me = -1;

/* Whose turn is it now? Never that of who is done, nor of who @waits for another. */
static int next_cpu(int waits)
{
	int cpu, i;

	while (order.at < order.nr) {
		cpu = order.turn[order.at].cpu;
		order.left = order.turn[order.at++].accesses;
		if (!order.done[cpu] && cpu != waits && order.left)
			return cpu;
	}
	order.left = UINT_MAX;
	for (i = 1; i <= CPUS; i++) {
		cpu = (waits + i) % CPUS;	/* in turn: two may wait for the third */
		if (!order.done[cpu] && cpu != waits)
			return cpu;
	}
	return -1;
}

static void pass_turn(int cpu)
{
	bool done = order.done[me];	/* not ours to read once the turn has passed */

	if (cpu == me)
		return;
	sem_post(cpu < 0 ? &order.over : &order.go[cpu]);
	while (!done && sem_wait(&order.go[me]))
		;
}

static void order_point(void)
{
	if (me < 0)
		return;
	while (!order.left)
		pass_turn(next_cpu(-1));
	order.left--;
	order.used[me]++;
}

static void order_lock(pthread_mutex_t *lock)
{
	while (pthread_mutex_trylock(lock))
		pass_turn(next_cpu(me));
}

static void *cpu_main(void *arg)
{
	me = (long)arg;
	host_cpu = me % HOST_CPUS;
	for (;;) {
		while (sem_wait(&order.go[me]))
			;
		if (!order.program[me])
			return NULL;
		order.program[me]();
		order.done[me] = true;
		pass_turn(next_cpu(-1));
	}
}

/* Run the programs, those that are not NULL, in the order that is set. */
static void run_order(void)
{
	int cpu;

	for (cpu = 0; cpu < CPUS; cpu++) {
		order.done[cpu] = !order.program[cpu];
		order.used[cpu] = 0;
	}
	order.at = 0;
	cpu = next_cpu(-1);
	sem_post(&order.go[cpu]);
	while (sem_wait(&order.over))
		;
}

static pthread_t cpus[CPUS];

static void start_cpus(void)
{
	long cpu;

	sem_init(&order.over, 0, 0);
	for (cpu = 0; cpu < CPUS; cpu++) {
		sem_init(&order.go[cpu], 0, 0);
		if (pthread_create(&cpus[cpu], NULL, cpu_main, (void *)cpu))
			abort();
	}
}

static void stop_cpus(void)
{
	int cpu;

	for (cpu = 0; cpu < CPUS; cpu++) {
		order.program[cpu] = NULL;
		sem_post(&order.go[cpu]);
		pthread_join(cpus[cpu], NULL);
	}
}

/* What is wrong after one order is said with the order. */
static bool bad_order(const char *name, int complaints)
{
	unsigned int i;

	if (host_complaints == complaints)
		return false;
	printf("# after %s, in the order", name);
	for (i = 0; i < order.nr; i++)
		printf(" %d:%u", order.turn[i].cpu, order.turn[i].accesses);
	printf("\n");
	return true;
}

/*
 * The stage: four buckets. Bucket 0 is full; all in it but @moved have come from elsewhere and
 * cannot be moved. CPU 1 adds @added, whose buckets 0 and 1 are full: @moved is moved to bucket 3.
 */
#define BASE	0x100000000UL
#define SLOTS_4	(4 * SLOTS)
#define SPAN	(4UL << (LW_TAG_BITS + OBJECT_SHIFT))

static struct object object[3 * SLOTS_4], *moved, *added, *in_place, *in_way;
static unsigned int nr_objects;
static unsigned long next_addr;

/* Another address with these two buckets. */
static unsigned long addr_in(unsigned int first, unsigned int other_one)
{
	struct lw_place at;
	unsigned long nr;

	for (;; next_addr += 8) {
		if (!lw_live_place(next_addr, &at))
			abort();
		nr = (at.slot - lw_live.slot) / SLOTS;
		if (nr == first && other(lw_live.mask, nr, lw_place_left(&at)) == other_one)
			break;
	}
	next_addr += 8;
	return next_addr - 8;
}

/* Put an object into slot @i of @bucket_nr, where 4 to 7 are those of the annex. */
static struct object *put(unsigned int bucket_nr, int i, unsigned int first, unsigned int other_one,
			  enum object_state state)
{
	struct object *it = &object[nr_objects++];
	struct lw_place at = {};
	u64 *slot = bucket_nr < 4 ? &bucket(bucket_nr)[i] :
		    &lw_live.annex[0][(bucket_nr - 4) * SLOTS + i], entry;

	*it = (struct object){ .addr = addr_in(first, other_one), .state = state,
			       .site = nr_objects };
	if (state == OUT)
		return it;
	lw_live_place(it->addr, &at);
	entry = lw_place_entry(&at) | lw_entry(0, it->site, 0);
	if (bucket_nr % 4 != first)
		entry = lw_entry_as(entry, LW_SECOND);
	if (bucket_nr != first)
		spill(bucket(first));
	if (state == GIVEN)
		entry = lw_entry_given(entry, 0);
	*slot = entry;
	return it;
}

/*
 * With an annex its buckets 0 and 1 are full, so that there is no room for @added there either, but
 * for @moved there is, in bucket 3.
 */
static bool annexed;

static void stage_annex(void)
{
	int i;

	expect(!lw_live_grow(), "it does not grow");
	for (i = 0; i < SLOTS; i++) {
		put(4, i, 0, 1, LIVE);
		put(5, i, 1, 0, LIVE);
	}
}

/* @at: where in bucket 0 @moved stands; @room: how many slots of bucket 3 are free, the first */
static void stage(enum object_state state, int at, int room)
{
	int i;

	lw_live_clear();
	lw_stats_clear();
	nr_objects = 0;
	next_addr = BASE;
	for (i = 0; i < SLOTS; i++) {
		if (i == at)
			moved = put(0, i, 0, 3, state);
		else
			put(0, i, 1, 0, LIVE);
	}
	for (i = 0; i < SLOTS; i++)
		put(1, i, 0, 1, LIVE);
	for (i = room; i < SLOTS; i++)
		put(3, i, 2, 3, LIVE);
	if (annexed)
		stage_annex();
	added = put(0, 0, 0, 1, OUT);
	in_place = put(0, 0, 0, 1, OUT);
	in_way = put(0, 0, 3, 2, OUT);
}

/* One letter an operation: an owner adds, takes or gives; what makes no sense is left out. */
static bool missing;	/* frees may be missed, or not shown */

static void operate(struct object *it, char operation)
{
	switch (operation) {
	case 'a':
		if (it->state == OUT || missing)
			object_add(it, 1 + it->site % 1000);
		break;
	case 't':
		if (it->state != OUT)
			object_take(it);
		break;
	case 'g':
		if (it->state == LIVE || it->state == LOST)
			object_give(it);
		break;
	}
}

static const char *operations;
static unsigned long in_annexes;	/* how often @moved got there */

/* P adds another object, where @moved was; W and w add and take one in its second bucket. */
static void use_moved(void)
{
	const char *operation;

	for (operation = operations; *operation; operation++)
		switch (*operation) {
		case 'P':
			operate(in_place, 'a');
			break;
		case 'W':
			operate(in_way, 'a');
			break;
		case 'w':
			operate(in_way, 't');
			break;
		default:
			operate(moved, *operation);
			in_annexes += annexed && *operation == 'a' &&
				      lw_entry_state(lw_live.annex[0][3 * SLOTS]) == LW_SECOND;
		}
}

static void add_added(void)
{
	operate(added, 'a');
}

static void check_at_rest(void)
{
	objects_compare(object, nr_objects);
	expect(!lw_stat_read(LW_LOST_MOVE), "%lu lost in moves", lw_stat_read(LW_LOST_MOVE));
}

/*
 * Orders of CPU 0, which uses the object that is moved, and CPU 1, which moves it: the first runs
 * for any number of accesses, the other for any number, the first for some, and then the other.
 */
#ifdef __SANITIZE_THREAD__
#define STEP	5
#else
#define STEP	1
#endif

static unsigned long orders;

static void all_orders(const char *name, enum object_state state, int at, int room, int first)
{
	int complaints = host_complaints;
	unsigned int most[2], i, j;
	u64 seed = 1;

	order.program[0] = use_moved;
	order.program[1] = add_added;
	order.program[2] = NULL;
	/* how many accesses are there when nobody is in the way? */
	stage(state, at, room);
	order.nr = 0;
	run_order();
	most[0] = order.used[0];
	most[1] = order.used[1];
	for (i = 0; i <= most[first]; i += STEP)
		for (j = 1; j <= most[!first]; j += annexed ? 5 * STEP : STEP) {
			stage(state, at, room);
			order.turn[0] = (struct turn){ first, i };
			order.turn[1] = (struct turn){ !first, j };
			order.turn[2].cpu = first;
			order.turn[2].accesses = 1 + host_below(&seed, 2 * most[first]);
			order.turn[3] = (struct turn){ !first, UINT_MAX };
			order.nr = 4;
			run_order();
			check_at_rest();
			orders++;
			if (bad_order(name, complaints))
				return;		/* one is enough */
		}
}

static void meet(const char *what, enum object_state state)
{
	static const struct {
		int at, room;
	} stages[] = { { 0, 1 }, { 5, SLOTS } };
	char name[64];
	int i, first;

	operations = what;
	for (i = 0; i < ARRAY_SIZE(stages); i++)
		for (first = 0; first < 2; first++) {
			snprintf(name, sizeof(name), "\"%s\", slot %d, %d free", what, stages[i].at,
				 stages[i].room);
			all_orders(name, state, stages[i].at, stages[i].room, first);
		}
}

/* Frees, and allocations of what was freed. */
static void meets_free(void)
{
	orders = 0;
	meet("t", LIVE);
	meet("ta", LIVE);
	meet("tat", LIVE);
	meet("tata", LIVE);
	printf("# %lu orders\n", orders);
}

/* The object is given up, and then freed. */
static void meets_give(void)
{
	orders = 0;
	meet("g", LIVE);
	meet("gt", LIVE);
	meet("gtat", LIVE);
	meet("t", GIVEN);
	printf("# %lu orders\n", orders);
}

/* The address is handed out again: the free was missed, or not shown. */
static void meets_miss(void)
{
	orders = 0;
	missing = true;
	meet("a", LIVE);
	meet("at", LIVE);
	meet("a", GIVEN);
	meet("at", GIVEN);
	meet("ga", LIVE);
	meet("gat", LIVE);
	missing = false;
	printf("# %lu orders\n", orders);
}

/*
 * The object is freed and allocated again while its place is taken and its second bucket full, so
 * it goes to the annex; the mover, who had seen it before, may still make a copy, and erase that.
 */
static void meets_annex(void)
{
	static const char * const programs[] = { "tPWawt", "tPWawta", "tPWawgt", "tPWawat" };
	int i;

	orders = 0;
	in_annexes = 0;
	annexed = true;
	for (i = 0; i < ARRAY_SIZE(programs); i++) {
		operations = programs[i];
		missing = i == 3;
		all_orders(operations, LIVE, 0, 1, 1);
	}
	missing = false;
	annexed = false;
	expect(in_annexes > orders / 2, "only %lu of %lu went to the annex", in_annexes, orders);
	printf("# %lu orders, %lu times in the annex\n", orders, in_annexes);
}

/*
 * Somebody who is not its owner removes its entry: as its free was missed, or as it was given up
 * long ago. There is room in its first bucket, and another slot of it would be taken first.
 */
static unsigned long removed, left_alone;

static void remove_moved(void)
{
	unsigned long at = 0, addr, seen = 0;
	u64 entry;

	if (lw_live_forget(&at, ULONG_MAX))
		seen++;
	for (at = 0; lw_live_next(&at, &addr, &entry); at++)
		if (addr == moved->addr && !lw_entry_age(entry))
			seen += lw_live_drop(addr, entry);
	removed += seen;
	left_alone += !seen;
}

static void stage_removal(enum object_state state)
{
	struct lw_place at = {};
	unsigned long addr;

	lw_live_clear();
	lw_stats_clear();
	nr_objects = 0;
	next_addr = BASE;
	addr = addr_in(0, 3);
	lw_live_place(addr, &at);
	next_addr = addr;
	moved = put(0, (at.slot - lw_live.slot + 3) % SLOTS, 0, 3, state);
	moved->old = true;
	in_place = put(0, 0, 0, 1, OUT);
	in_way = put(0, 0, 3, 2, OUT);
}

static void meet_removal(const char *what, enum object_state state)
{
	unsigned int most[2], i, j;
	int complaints = host_complaints, first;

	operations = what;
	order.program[0] = use_moved;
	order.program[1] = remove_moved;
	order.program[2] = NULL;
	stage_removal(state);
	order.nr = 0;
	run_order();
	most[0] = order.used[0];
	/* what is gone is not looked for twice: so many if nobody is in the way */
	most[1] = 3 * lw_live_slots();
	for (first = 0; first < 2; first++)
		for (i = 0; i <= most[first]; i += STEP)
			for (j = 1; j <= most[!first]; j += STEP) {
				stage_removal(state);
				order.turn[0] = (struct turn){ first, i };
				order.turn[1] = (struct turn){ !first, j };
				order.turn[2] = (struct turn){ first, UINT_MAX };
				order.nr = 3;
				run_order();
				check_at_rest();
				orders++;
				if (bad_order(what, complaints))
					return;
			}
}

static void meets_removal(void)
{
	static const char * const programs[] = { "a", "at", "aa", "ata", "aat", "ta", "taa", "tgt",
						 "aPat", "agt" };
	int i;

	orders = 0;
	removed = 0;
	left_alone = 0;
	missing = true;
	jiffies = (unsigned long)(2 * LW_GIVEN_TICKS) << LW_TICK_SHIFT;
	for (i = 0; i < ARRAY_SIZE(programs); i++) {
		meet_removal(programs[i], LIVE);
		meet_removal(programs[i], GIVEN);
	}
	missing = false;
	expect(removed > orders / 10 && left_alone > orders / 10, "%lu of %lu removed", removed,
	       orders);
	printf("# %lu orders, removed in %lu\n", orders, removed);
}

/*
 * At random: three CPUs, each with a few objects in a table that is nearly full, do a few
 * operations each.
 */
#define OWN		3
#define OPERATIONS	5

static struct {
	struct object *object[OPERATIONS];
	char operation[OPERATIONS];
} program[CPUS];

static void run_program(void)
{
	int i;

	for (i = 0; i < OPERATIONS; i++)
		operate(program[me].object[i], program[me].operation[i]);
}

static unsigned long unused_address(u64 *seed, unsigned int after)
{
	unsigned long addr;
	unsigned int i;

	do {
		addr = BASE + (host_below(seed, SPAN / 8) << 3);
		for (i = after + 1; i < nr_objects && object[i].addr != addr; i++)
			;
	} while (i < nr_objects);
	return addr;
}

static void random_case(u64 seed)
{
	u64 number = seed;
	int i, cpu, complaints = host_complaints;
	struct object *it;
	char name[64];

	lw_live_clear();
	lw_stats_clear();
	if (annexed)
		expect(!lw_live_grow(), "it does not grow");
	/* what nobody uses fills the table, then half of what the CPUs own finds room or not */
	nr_objects = lw_live_slots() + (annexed ? SLOTS : 0) + host_below(&seed, CPUS * OWN);
	for (i = nr_objects - 1; i >= 0; i--) {
		object[i] = (struct object){ .addr = unused_address(&seed, i), .site = i + 1 };
		if (i >= CPUS * OWN || host_below(&seed, 2))
			operate(&object[i], 'a');
	}
	/* else nothing can be moved: where the annex is full the table is, too */
	for (i = 0; annexed && i < SLOTS; i++)
		operate(&object[CPUS * OWN + host_below(&seed, SLOTS_4)], 't');
	for (cpu = 0; cpu < CPUS; cpu++) {
		order.program[cpu] = run_program;
		for (i = 0; i < OPERATIONS; i++) {
			it = &object[cpu * OWN + host_below(&seed, OWN)];
			program[cpu].object[i] = it;
			program[cpu].operation[i] = "attag"[host_below(&seed, 5)];
		}
	}
	order.nr = TURNS;
	for (i = 0; i < TURNS; i++) {
		order.turn[i].cpu = host_below(&seed, CPUS);
		order.turn[i].accesses = host_below(&seed, 1U << (1 + host_below(&seed, 8)));
	}
	run_order();
	check_at_rest();
	snprintf(name, sizeof(name), "random case %llu", number);
	if (bad_order(name, complaints))
		for (cpu = 0; cpu < CPUS; cpu++)
			printf("# CPU %d: %.*s\n", cpu, OPERATIONS, program[cpu].operation);
}

#ifdef __SANITIZE_THREAD__
#define CASES	4000
#else
#define CASES	20000
#endif

/* Is anything that a CPU owns in the annex? */
static bool own_in_annex(void)
{
	struct lw_place at = {}, in;
	bool any = false;
	u64 *to;
	int i;

	for (i = 0; annexed && i < CPUS * OWN; i++) {
		lw_live_place(object[i].addr, &at);
		in = in_annex(0, &at, &to);
		any |= entries_in(1, lw_place_bucket(&in), object[i].addr) ||
		       entries_in(1, to, object[i].addr);
	}
	return any;
}

static unsigned long cases_moved, cases_annexed;

static void random_cases(void)
{
	int complaints = host_complaints;
	unsigned long least;
	u64 n;

	cases_moved = 0;
	cases_annexed = 0;
	for (n = 1; n <= CASES && host_complaints < complaints + 4; n++) {
		random_case(n);
		cases_moved += !!lw_stat_read(LW_MOVED);
		cases_annexed += own_in_annex();
	}
	/* where there is an annex nothing is moved unless that is full, too */
	least = annexed ? 0 : CASES / 20;
	expect(cases_moved > least, "only %lu of %d moved anything", cases_moved, CASES);
	expect(annexed == (cases_annexed > CASES / 20), "%lu of %d used the annex", cases_annexed,
	       CASES);
	printf("# %d cases, %lu with moves, %lu in the annex at the end\n", CASES, cases_moved,
	       cases_annexed);
}

static void random_cases_miss(void)
{
	missing = true;
	random_cases();
	missing = false;
}

static void random_cases_annex(void)
{
	annexed = true;
	random_cases();
	random_cases_miss();
	annexed = false;
}

/* All on one processor, where the turn passes with less ado. */
static void begin(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	expect(!lw_live_init(SLOTS_4, BASE, SPAN), "no table");
	lw_live_may_grow(2);
	start_cpus();
}

static void end(void)
{
	stop_cpus();
	lw_live_exit();
}

#define TEST(fn)	static void test_##fn(void) { begin(); fn(); end(); }

TEST(meets_free)
TEST(meets_give)
TEST(meets_miss)
TEST(meets_annex)
TEST(meets_removal)
TEST(random_cases)
TEST(random_cases_miss)
TEST(random_cases_annex)

int main(void)
{
	return host_run((struct host_test[]){
		{ "what is moved is freed, and allocated again", test_meets_free },
		{ "what is moved is given up, and freed", test_meets_give },
		{ "what is moved is allocated though it was not freed", test_meets_miss },
		{ "what was moved is allocated again into an annex", test_meets_annex },
		{ "what is allocated again is removed by somebody else", test_meets_removal },
		{ "random programs in random orders", test_random_cases },
		{ "random programs that miss frees", test_random_cases_miss },
		{ "random programs in a table that has grown", test_random_cases_annex },
		{}
	});
}

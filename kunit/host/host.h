/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every program here starts from: the state behind the shims (include/linux/), results as
 * KTAP, random numbers, threads. Included once, first, by a program that then includes the .c
 * files under test, so that their statics are in reach.
 *
 *	static void adds(void)
 *	{
 *		expect(1 + 1 == 2, "got %d", 1 + 1);
 *	}
 *
 *	int main(void)
 *	{
 *		return host_run((struct host_test[]){ { "one and one is two", adds }, {} });
 *	}
 */
#ifndef HOST_H
#define HOST_H

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The threads are many and the processors few, so that they would seldom meet in the midst of
 * things: a thread gives way before one in host_give_way accesses to what is shared; 0 for never.
 */
#ifndef HOST_POINT
static __thread unsigned int host_give_way, host_accesses;

#define HOST_POINT()								\
	({									\
		if (host_give_way && host_some() % host_give_way == 0)		\
			sched_yield();						\
	})

/* In another order in each thread. */
static inline unsigned int host_some(void)
{
	return (host_accesses++ + ((unsigned long)&host_accesses >> 4)) * 2654435761U >> 16;
}
#endif

#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/types.h>

unsigned long jiffies;
int host_allocated, host_fail;
__thread int host_cpu;
__thread bool host_nmi, host_irq;
__thread struct task_struct host_task;

/* A test fails if any expect() in it does. The first few say so; from any thread. */
#define HOST_MAX_COMPLAINTS	8

static int host_complaints;

#define expect(condition, ...)							\
	({									\
		bool met_ = (condition);					\
		if (!met_)							\
			host_complain(__FILE__, __LINE__, #condition, __VA_ARGS__); \
		met_;								\
	})

static __printf(4, 5)
void host_complain(const char *file, int line, const char *condition, const char *format, ...)
{
	char text[256];
	va_list args;

	if (__atomic_fetch_add(&host_complaints, 1, __ATOMIC_RELAXED) >= HOST_MAX_COMPLAINTS)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# %s:%d: not so: %s: %s\n", strrchr(file, '/') ? strrchr(file, '/') + 1 : file,
	       line, condition, text);
}

struct host_test {
	const char *name;
	void (*run)(void);
};

/* Run the tests up to one without a name. Return: what main() is to return. */
static inline int host_run(const struct host_test *test)
{
	int nr = 0, failed = 0, i;

	while (test[nr].name)
		nr++;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..%d\n", nr);
	for (i = 0; i < nr; i++) {
		host_complaints = 0;
		jiffies = 0;
		test[i].run();
		expect(!host_allocated, "%d pieces of memory are left", host_allocated);
		host_allocated = 0;
		failed += !!host_complaints;
		printf("%s %d %s\n", host_complaints ? "not ok" : "ok", i + 1, test[i].name);
	}
	return !!failed;
}

/* How often: TSan takes ten times as long, and looks for other things. */
#ifdef __SANITIZE_THREAD__
#define host_many(n)	((n) / 5)
#else
#define host_many(n)	(n)
#endif

/* Random numbers: the same in every run, but for what threads make of them. splitmix64. */
static inline u64 host_random(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static inline u64 host_below(u64 *state, u64 limit)
{
	return (host_random(state) >> 32) * limit >> 32;
}

/* Run @fn in @nr threads, let go at once, with their number and @arg; wait for all. */
struct host_thread {
	pthread_t id;
	int nr;
	pthread_barrier_t *start;
	void (*fn)(int nr, void *arg);
	void *arg;
};

static inline void *host_thread_main(void *arg)
{
	struct host_thread *thread = arg;

	host_cpu = thread->nr % HOST_CPUS;
	host_task.pid = 1000 + thread->nr;
	pthread_barrier_wait(thread->start);
	thread->fn(thread->nr, thread->arg);
	return NULL;
}

static inline void host_threads(int nr, void (*fn)(int nr, void *arg), void *arg)
{
	struct host_thread thread[nr];
	pthread_barrier_t start;
	int i;

	pthread_barrier_init(&start, NULL, nr);
	for (i = 0; i < nr; i++) {
		thread[i] = (struct host_thread){ .nr = i, .start = &start, .fn = fn, .arg = arg };
		if (pthread_create(&thread[i].id, NULL, host_thread_main, &thread[i]))
			abort();
	}
	for (i = 0; i < nr; i++)
		pthread_join(thread[i].id, NULL);
	pthread_barrier_destroy(&start);
}

#endif

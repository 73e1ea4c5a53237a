/* SPDX-License-Identifier: GPL-2.0 */
/* race: run a function in several threads that begin at once, and wait for all of them. */
#ifndef LEAKWATCH_KUNIT_RACE_H
#define LEAKWATCH_KUNIT_RACE_H

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#define RACE_MAX	8

/* So many, or fewer where all is slower and checked more closely. */
static inline unsigned long race_many(unsigned long nr)
{
	return IS_ENABLED(CONFIG_KASAN) ? nr / 8 : nr;
}

struct racer {
	void (*run)(void *arg);
	void *arg;
	struct completion *go;
	atomic_t *missing;
	struct completion done;
	struct task_struct *task;
};

static int race_thread(void *arg)
{
	struct racer *racer = arg;

	wait_for_completion(racer->go);
	atomic_dec(racer->missing);
	while (atomic_read(racer->missing) > 0)
		cond_resched();
	racer->run(racer->arg);
	complete(&racer->done);
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* Run @run in @nr threads, each on its own of the @nr elements of @args, @size bytes each. */
static __maybe_unused void race(struct kunit *test, unsigned int nr, void (*run)(void *arg),
				void *args, size_t size)
{
	DECLARE_COMPLETION_ONSTACK(go);
	struct racer *racer = kunit_kcalloc(test, nr, sizeof(*racer), GFP_KERNEL);
	atomic_t missing = ATOMIC_INIT(0);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, racer);
	for (i = 0; i < nr; i++) {
		racer[i].missing = &missing;
		racer[i].run = run;
		racer[i].arg = args + i * size;
		racer[i].go = &go;
		init_completion(&racer[i].done);
		racer[i].task = kthread_run(race_thread, &racer[i], "racer/%u", i);
		if (!IS_ERR(racer[i].task))
			atomic_inc(&missing);
	}
	complete_all(&go);
	for (i = 0; i < nr; i++) {
		if (IS_ERR(racer[i].task))
			continue;
		wait_for_completion(&racer[i].done);
		kthread_stop(racer[i].task);
	}
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_FALSE(test, IS_ERR(racer[i].task));
}

#endif

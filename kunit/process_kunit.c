// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of process: who is who at two moments, and what there is now. */
#include <kunit/test.h>
#include <linux/module.h>
#include "../module/judge/process.c"

static struct lw_processes *list(struct kunit *test)
{
	struct lw_processes *all;

	all = kunit_kzalloc(test, struct_size(all, process, 16), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, all);
	return all;
}

static void put(struct lw_processes *all, pid_t pid, u64 start, const char *comm, s64 anon)
{
	struct lw_process *process = &all->process[all->nr++];

	*process = (struct lw_process){ .pid = pid, .nr = 1, .start = start, .anon = anon };
	strscpy(process->comm, comm, sizeof(process->comm));
}

static void expect(struct kunit *test, const struct lw_process *process, pid_t pid,
		   const char *comm, unsigned int nr, s64 kb, s64 grown)
{
	KUNIT_EXPECT_EQ(test, process->pid, pid);
	KUNIT_EXPECT_STREQ(test, process->comm, comm);
	KUNIT_EXPECT_EQ(test, process->nr, nr);
	KUNIT_EXPECT_EQ(test, lw_process_kb(process), kb);
	KUNIT_EXPECT_EQ(test, process->grown, grown);
}

/* What was there is compared with itself, ranked by growth. */
static void stayed(struct kunit *test)
{
	struct lw_processes *then = list(test), *now = list(test);

	put(then, 1, 10, "init", 100);
	put(then, 5, 20, "server", 300);
	put(then, 7, 30, "app", 50);
	put(now, 1, 10, "init", 90);
	put(now, 5, 20, "server", 300);
	put(now, 7, 30, "app", 80);
	now->process[2].swap = 7;
	now->process[2].shmem = 3;
	lw_processes_since(now, then);
	KUNIT_ASSERT_EQ(test, now->nr, 3);
	expect(test, &now->process[0], 7, "app", 1, 90, 40);
	expect(test, &now->process[1], 5, "server", 1, 300, 0);
	expect(test, &now->process[2], 1, "init", 1, 90, -10);
}

/* What is new is one row a name, and stands for those that have gone. */
static void born(struct kunit *test)
{
	struct lw_processes *then = list(test), *now = list(test);

	put(then, 3, 10, "sh", 100);
	put(then, 5, 20, "daemon", 300);
	put(then, 6, 20, "gone", 999);
	put(now, 3, 10, "sh", 100);
	put(now, 8, 50, "daemon", 350);		/* started again */
	put(now, 9, 60, "sh", 10);
	put(now, 11, 61, "sh", 20);
	put(now, 12, 62, "one", 5);
	lw_processes_since(now, then);
	KUNIT_ASSERT_EQ(test, now->nr, 4);
	expect(test, &now->process[0], 8, "daemon", 1, 350, 50);
	expect(test, &now->process[1], 0, "sh", 2, 30, 30);
	expect(test, &now->process[2], 12, "one", 1, 5, 5);
	expect(test, &now->process[3], 3, "sh", 1, 100, 0);
}

/* A number that came back is another process. */
static void number_again(struct kunit *test)
{
	struct lw_processes *then = list(test), *now = list(test);

	put(then, 5, 20, "old", 300);
	put(now, 5, 90, "new", 40);
	lw_processes_since(now, then);
	KUNIT_ASSERT_EQ(test, now->nr, 1);
	expect(test, &now->process[0], 5, "new", 1, 40, 40);
	/* and nobody at all is no trouble */
	now->nr = 0;
	lw_processes_since(now, then);
	KUNIT_EXPECT_EQ(test, now->nr, 0);
}

/* The first process is there, in the order of numbers, and no kernel thread is. */
static void there(struct kunit *test)
{
	struct lw_processes *all = lw_processes_get();
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, all);
	KUNIT_ASSERT_GT(test, all->nr, 1);
	KUNIT_EXPECT_EQ(test, all->process[0].pid, 1);
	KUNIT_EXPECT_GT(test, all->process[0].anon, 0);
	for (i = 0; i < all->nr; i++) {
		KUNIT_EXPECT_NE(test, all->process[i].pid, 2);
		if (i)
			KUNIT_EXPECT_GT(test, all->process[i].pid, all->process[i - 1].pid);
	}
	KUNIT_EXPECT_EQ(test, all->left_out, 0);
	lw_processes_put(all);
}

static struct kunit_case process_cases[] = {
	KUNIT_CASE(stayed),
	KUNIT_CASE(born),
	KUNIT_CASE(number_again),
	KUNIT_CASE(there),
	{}
};

static struct kunit_suite process_suite = {
	.name = "leakwatch_process",
	.test_cases = process_cases,
};

kunit_test_suite(process_suite);

MODULE_LICENSE("GPL");

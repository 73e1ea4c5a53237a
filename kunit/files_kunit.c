// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of files: who shares a table is walked once. */
#include <kunit/test.h>
#include <linux/module.h>
#include "../module/judge/files.c"

static void each_once(struct kunit *test)
{
	struct task_struct *tasks = kunit_kcalloc(test, 2, sizeof(*tasks), GFP_KERNEL);
	struct lw_files_owner owner[4];
	struct lw_files walk = { .owner = owner, .task = tasks };
	struct files_struct *files = (void *)owner;
	struct mm_struct *mm = (void *)tasks;

	KUNIT_ASSERT_NOT_NULL(test, tasks);
	tasks[0].files = files;
	tasks[0].mm = mm;
	KUNIT_EXPECT_TRUE(test, is_new(&walk, files));
	KUNIT_EXPECT_TRUE(test, is_new(&walk, mm));
	/* a process that shares both */
	walk.task = &tasks[1];
	KUNIT_EXPECT_FALSE(test, is_new(&walk, files));
	KUNIT_EXPECT_FALSE(test, is_new(&walk, mm));
	/* the first has ended: what is there now is the second's own */
	tasks[0].files = NULL;
	tasks[0].mm = NULL;
	KUNIT_EXPECT_TRUE(test, is_new(&walk, files));
	KUNIT_EXPECT_TRUE(test, is_new(&walk, mm));
	KUNIT_EXPECT_EQ(test, walk.nr_owners, 4);
}

static struct kunit_case files_cases[] = {
	KUNIT_CASE(each_once),
	{}
};

static struct kunit_suite files_suite = {
	.name = "leakwatch_files",
	.test_cases = files_cases,
};

kunit_test_suite(files_suite);

MODULE_LICENSE("GPL");

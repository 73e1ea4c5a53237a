// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of files: who shares a table is walked once. */
#include <kunit/test.h>
#include <linux/module.h>
#include "../module/judge/files.c"

static void each_once(struct kunit *test)
{
	const void *owner[2];
	struct lw_files walk = { .owner = owner };

	KUNIT_EXPECT_TRUE(test, is_new(&walk, &owner[0]));
	KUNIT_EXPECT_TRUE(test, is_new(&walk, &owner[1]));
	KUNIT_EXPECT_FALSE(test, is_new(&walk, &owner[0]));
	KUNIT_EXPECT_FALSE(test, is_new(&walk, &owner[1]));
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

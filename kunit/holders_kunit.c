// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of holders: which buffers are orphans, how they are grouped, who is dead. */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include "../module/judge/holders.c"

static char file;

static struct lw_held held_by(unsigned int fds, unsigned int maps, enum lw_alive is)
{
	return (struct lw_held){
		.buffer.is = { .file = (struct file *)&file, .bytes = 4096 },
		.buffer.by = { .tgid = 7, .comm = "maker" },
		.fds = fds, .maps = maps, .alive = is,
	};
}

static void reasons(struct kunit *test)
{
	struct lw_held held = held_by(1, 0, LW_ALIVE);

	KUNIT_EXPECT_EQ(test, lw_reason(&held), LW_NO_ORPHAN);
	held = held_by(0, 1, LW_ALIVE);
	KUNIT_EXPECT_EQ(test, lw_reason(&held), LW_NO_ORPHAN);
	held = held_by(0, 1, LW_ALIVE_UNKNOWN);		/* older than the module */
	KUNIT_EXPECT_EQ(test, lw_reason(&held), LW_NO_ORPHAN);
	held = held_by(1, 0, LW_ALIVE_DEAD);
	KUNIT_EXPECT_EQ(test, lw_reason(&held), LW_REASON_DIED);
	held = held_by(1, 0, LW_ALIVE_REUSED);
	KUNIT_EXPECT_EQ(test, lw_reason(&held), LW_REASON_DIED);
	held = held_by(0, 0, LW_ALIVE);
	KUNIT_EXPECT_EQ(test, lw_reason(&held), LW_REASON_KERNEL);
	held.buffer.is.file = NULL;
	KUNIT_EXPECT_EQ(test, lw_reason(&held), LW_REASON_CLOSED);
	held.gone = true;
	KUNIT_EXPECT_EQ(test, lw_reason(&held), LW_NO_ORPHAN);
	/* ION's until 4.11, which have no file */
	held = held_by(1, 0, LW_ALIVE);
	held.buffer.is.file = NULL;
	held.buffer.is.ion = &file;
	KUNIT_EXPECT_EQ(test, lw_reason(&held), LW_REASON_CLIENT);
	held.fds = 0;
	KUNIT_EXPECT_EQ(test, lw_reason(&held), LW_REASON_KERNEL);
	held.refs = 1;
	KUNIT_EXPECT_EQ(test, lw_reason(&held), LW_NO_ORPHAN);
	held.alive = LW_ALIVE_DEAD;
	KUNIT_EXPECT_EQ(test, lw_reason(&held), LW_REASON_DIED);
}

/* What was without holders once is an orphan if it is so again, and all were looked at. */
static void looked_twice(struct kunit *test)
{
	struct lw_held held[4];
	struct lw_holders holders = { .nr = ARRAY_SIZE(held), .held = held };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(held); i++)
		held[i] = held_by(0, 0, LW_ALIVE);
	held[0].refs = 1;
	held[1].fds = 1;
	held[2].gone = true;
	held[3].buffer.is.ion = &file;
	held[3].refs = 1;
	KUNIT_EXPECT_EQ(test, note_alone(&holders), AGAIN_MS);
	KUNIT_EXPECT_TRUE(test, held[0].alone);
	for (i = 1; i < ARRAY_SIZE(held); i++)
		KUNIT_EXPECT_FALSE(test, held[i].alone);
	doubt(&holders);
	KUNIT_EXPECT_EQ(test, lw_reason(&held[0]), LW_REASON_KERNEL);
	/* it was passed on between the two looks */
	held[1].fds = 0;
	held[1].refs = 1;
	doubt(&holders);
	KUNIT_EXPECT_TRUE(test, held[1].unsure);
	KUNIT_EXPECT_EQ(test, lw_reason(&held[1]), LW_NO_ORPHAN);
	KUNIT_EXPECT_FALSE(test, held[0].unsure);
	/* somebody could not be looked at */
	holders.skipped = 1;
	doubt(&holders);
	KUNIT_EXPECT_EQ(test, lw_reason(&held[0]), LW_NO_ORPHAN);
	holders.skipped = 0;
	/* who ends keeps no references, but does not hide those of others */
	holders.exiting = 1;
	doubt(&holders);
	KUNIT_EXPECT_FALSE(test, held[0].unsure);
	held[0].refs = 0;
	doubt(&holders);
	KUNIT_EXPECT_TRUE(test, held[0].unsure);
	KUNIT_EXPECT_EQ(test, note_alone(&holders), CLOSED_MS);
}

static void groups(struct kunit *test)
{
	struct lw_held held[7];
	struct lw_holders holders = { .walked = true, .nr = ARRAY_SIZE(held), .held = held };
	struct lw_orphans *group;
	unsigned int i, nr;

	for (i = 0; i < ARRAY_SIZE(held); i++)
		held[i] = held_by(0, 0, LW_ALIVE_DEAD);
	held[1].buffer.is.bytes = 3 * 4096 + 1;	/* one that is more than three of 4096 */
	held[3].buffer.by.start = 1;		/* another process with that pid */
	held[4].buffer.heap = 1;
	held[5] = held_by(1, 0, LW_ALIVE);	/* no orphan */
	group = lw_orphans_get(&holders, &nr);
	KUNIT_ASSERT_NOT_NULL(test, group);
	KUNIT_ASSERT_EQ(test, nr, 4);
	KUNIT_EXPECT_EQ(test, group[0].count, 1);
	KUNIT_EXPECT_PTR_EQ(test, group[0].like, &held[1]);
	KUNIT_EXPECT_EQ(test, group[1].count, 3);
	KUNIT_EXPECT_EQ(test, group[1].like->buffer.is.bytes, 4096);
	KUNIT_EXPECT_EQ(test, group[2].count, 1);
	KUNIT_EXPECT_EQ(test, group[3].count, 1);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_PTR_NE(test, group[i].like, &held[5]);
	kvfree(group);
	/* who has not looked knows of none */
	holders.walked = false;
	group = lw_orphans_get(&holders, &nr);
	KUNIT_EXPECT_EQ(test, nr, 0);
	kvfree(group);
	holders = (struct lw_holders){ .walked = true };
	group = lw_orphans_get(&holders, &nr);
	KUNIT_EXPECT_NOT_NULL(test, group);
	KUNIT_EXPECT_EQ(test, nr, 0);
	kvfree(group);
}

static int idle(void *unused)
{
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return 0;
}

static void who_lives(struct kunit *test)
{
	struct task_struct *task = kthread_run(idle, NULL, "idle");
	struct lw_actor by = {};

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	KUNIT_EXPECT_EQ(test, alive(&by), LW_ALIVE_UNKNOWN);
	by.tgid = task->tgid;
	by.start = lw_task_start(task);
	KUNIT_EXPECT_EQ(test, alive(&by), LW_ALIVE);
	by.start--;
	KUNIT_EXPECT_EQ(test, alive(&by), LW_ALIVE_REUSED);
	by.start++;
	get_task_struct(task);
	kthread_stop(task);
	put_task_struct(task);
	msleep(100);
	KUNIT_EXPECT_EQ(test, alive(&by), LW_ALIVE_DEAD);
}

static void who_holds(struct kunit *test)
{
	struct lw_held held[2] = { held_by(0, 0, LW_ALIVE), held_by(0, 0, LW_ALIVE) };
	struct lw_holder holder[4];
	struct lw_holders holders = { .nr = 2, .held = held, .holder = holder };
	struct known known[2] = { { &held[0], 0 }, { &held[1], 1 } };
	struct walk walk = {
		.files.task = current, .files.comm = current->comm, .holders = &holders,
		.known = known, .nr_known = 2,
		.max_holders = 4,
	};

	reset(&holders);
	see_holder(&walk.files, (struct file *)&held[0], 3, 0);
	see_holder(&walk.files, (struct file *)&held[0], 4, 0);
	see_holder(&walk.files, (struct file *)&holders, 5, 0);	/* nobody's */
	see_holder(&walk.files, (struct file *)&held[0], 3, 0);
	see_holder(&walk.files, (struct file *)&held[1], 0x1000, 0x2000);
	KUNIT_EXPECT_EQ(test, holders.nr_holders, 4);
	KUNIT_EXPECT_EQ(test, held[0].fds, 3);
	KUNIT_EXPECT_EQ(test, held[0].maps, 0);
	KUNIT_EXPECT_EQ(test, held[1].fds, 0);
	KUNIT_EXPECT_EQ(test, held[1].maps, 1);
	KUNIT_EXPECT_EQ(test, holder[held[1].first].to, 0x2000);
	KUNIT_EXPECT_EQ(test, holder[held[1].first].pid, current->tgid);
	/* no room: counted, so that the walk is repeated with more */
	see_holder(&walk.files, (struct file *)&held[1], 0x3000, 0x4000);
	KUNIT_EXPECT_EQ(test, holders.nr_holders, 5);
	KUNIT_EXPECT_EQ(test, held[1].maps, 1);
}

static struct kunit_case holders_cases[] = {
	KUNIT_CASE(reasons),
	KUNIT_CASE(looked_twice),
	KUNIT_CASE(groups),
	KUNIT_CASE(who_lives),
	KUNIT_CASE(who_holds),
	{}
};

static struct kunit_suite holders_suite = {
	.name = "leakwatch_holders",
	.test_cases = holders_cases,
};

kunit_test_suite(holders_suite);

MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of process: who is who at two moments, and what there is now. */
#include <kunit/test.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <leakwatch/cache.h>
#include <leakwatch/site.h>
#include "../module/judge/process.c"

/*
 * Pages of its own in a mapping of insmod, which a suite begins in, as each of these was written
 * to. The first crosses page tables, not from a border, the other whole levels that are empty.
 */
static const unsigned long dense[] = { 0, PAGE_SIZE, SZ_2M, SZ_4M + PAGE_SIZE, SZ_16M - PAGE_SIZE };
#ifdef CONFIG_64BIT
#define SPARSE	SZ_32G
static const unsigned long sparse[] = { SZ_2M, SZ_4G, SZ_32G - SZ_1G, SZ_32G - PAGE_SIZE };
#else
#define SPARSE	SZ_512M
static const unsigned long sparse[] = { SZ_2M, SZ_32M, SZ_256M, SZ_512M - PAGE_SIZE };
#endif
static unsigned long dense_own[ARRAY_SIZE(dense)], sparse_own[ARRAY_SIZE(sparse)];

static unsigned long own_pages_at(unsigned long addr)
{
	struct vm_area_struct *vma;
	unsigned long pages;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, addr);
	pages = lw_vma_own_pages(vma);
	mmap_read_unlock(current->mm);
	return pages;
}

static int write_to(unsigned long bytes, const unsigned long *at, unsigned long *own, int nr)
{
	unsigned long addr, before;
	int i, err = 0;

	addr = vm_mmap(NULL, 0, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0);
	if (IS_ERR_VALUE(addr))
		return addr;
	before = own_pages_at(addr);	/* a neighbour may be one with it */
	for (i = 0; i < nr && !err; i++) {
		err = put_user(1, (char __user *)(addr + at[i]));
		own[i] = own_pages_at(addr) - before;
	}
	vm_munmap(addr, bytes);
	return err;
}

static int process_suite_init(struct kunit_suite *suite)
{
	set_bit(MMF_DISABLE_THP, &current->mm->flags);	/* pages are to be told apart */
	return write_to(SZ_16M, dense, dense_own, ARRAY_SIZE(dense)) ?:
	       write_to(SPARSE, sparse, sparse_own, ARRAY_SIZE(sparse));
}

static int process_test_init(struct kunit *test)
{
	return lw_sites_init(512) ?: lw_cache_init() ?: lw_history_init(64);
}

static void process_test_exit(struct kunit *test)
{
	memset(members, 0, sizeof(members));
	lw_history_watch(NULL);
	lw_history_exit();
	lw_cache_exit();
	lw_sites_exit();
}

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

	*process = (struct lw_process){
		.pid = pid, .nr = 1, .start = start, .anon = anon, .member = LW_MEMBERS,
	};
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
	now->process[2].walked = true;
	then->process[2].walked = true;
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

/* What is shared is no growth where one of the two looks could not see it. */
static void busy_at_the_mark(struct kunit *test)
{
	struct lw_processes *then = list(test), *now = list(test);
	unsigned int i;

	for (i = 0; i < 4; i++) {
		put(then, 5 + i, 20, "app", 100);
		put(now, 5 + i, 20, "app", 110);
	}
	then->process[1].walked = true;
	now->process[2].walked = true;
	now->process[2].shmem = 1500;
	then->process[3].walked = true;
	then->process[3].shmem = 1000;
	now->process[3].walked = true;
	now->process[3].shmem = 1500;
	lw_processes_since(now, then);
	KUNIT_ASSERT_EQ(test, now->nr, 4);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, now->process[i].grown, now->process[i].pid == 8 ? 510 : 10);
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

/* As if @nr of them had been read at a pass. */
static void sample(const struct lw_process *process, unsigned int nr)
{
	unsigned int i;

	members_begin();
	for (i = 0; i < nr; i++)
		add_to_member(&process[i]);
	say_members();
}

static const struct lw_process *sampled;
static unsigned int nr_sampled;

static void say_sampled(void)
{
	sample(sampled, nr_sampled);
}

static struct lw_process made(pid_t pid, u64 age, const char *comm, s64 anon, s64 shmem)
{
	struct lw_process process = {
		.pid = pid, .nr = 1, .start = ktime_get_ns() - age * NSEC_PER_SEC, .anon = anon,
		.shmem = shmem, .member = LW_MEMBERS, .walked = true,
	};

	strscpy(process.comm, comm, sizeof(process.comm));
	return process;
}

/* Who has lived for long is a member, the young of a name are one together. */
static void members_of(struct kunit *test)
{
	struct lw_process process[] = {
		made(7, 100000, "server", 100, 5), made(8, 1, "sh", 10, 0), made(9, 2, "sh", 20, 3),
		made(10, 3, "server", 1, 0),
	};
	const struct lw_member *server, *sh;

	sample(process, ARRAY_SIZE(process));
	server = find_member(7, process[0].start, "");
	KUNIT_ASSERT_NOT_NULL(test, server);
	KUNIT_EXPECT_EQ(test, server->kb[LW_PART_OWN], 100);
	KUNIT_EXPECT_EQ(test, server->kb[LW_PART_SHARED], 5);
	KUNIT_EXPECT_STREQ(test, server->comm, "server");
	KUNIT_EXPECT_NULL(test, find_member(8, process[1].start, "sh"));
	sh = find_member(0, 0, "sh");
	KUNIT_ASSERT_NOT_NULL(test, sh);
	KUNIT_EXPECT_EQ(test, sh->nr, 2);
	KUNIT_EXPECT_EQ(test, sh->kb[LW_PART_OWN], 30);
	KUNIT_EXPECT_EQ(test, sh->kb[LW_PART_SHARED], 3);
	/* the number again, of another */
	KUNIT_EXPECT_NULL(test, find_member(7, process[0].start + 1, "server"));
	/* grown up, and by another name; those that have gone are no more */
	process[1].start -= 100000ULL * NSEC_PER_SEC;
	strscpy(process[1].comm, "daemon", sizeof(process[1].comm));
	sample(&process[1], 1);
	KUNIT_EXPECT_NULL(test, find_member(7, process[0].start, ""));
	KUNIT_EXPECT_NULL(test, find_member(0, 0, "sh"));
	KUNIT_ASSERT_NOT_NULL(test, find_member(8, process[1].start, ""));
	KUNIT_EXPECT_STREQ(test, find_member(8, process[1].start, "")->comm, "daemon");
}

/* What was busy is as it was; a Java heap is not told twice. */
static void members_busy(struct kunit *test)
{
	struct lw_process process = made(7, 100000, "app", 1000, 50);
	const struct lw_member *app;

	process.java = 600;
	sample(&process, 1);
	app = find_member(7, process.start, "");
	KUNIT_ASSERT_NOT_NULL(test, app);
	KUNIT_EXPECT_EQ(test, app->kb[LW_PART_JAVA], 600);
	KUNIT_EXPECT_EQ(test, app->kb[LW_PART_OWN], 400);
	process.walked = false;
	process.java = 0;
	process.shmem = 0;
	process.anon = 1100;
	sample(&process, 1);
	KUNIT_EXPECT_EQ(test, app->kb[LW_PART_JAVA], 600);
	KUNIT_EXPECT_EQ(test, app->kb[LW_PART_OWN], 500);
	KUNIT_EXPECT_EQ(test, app->kb[LW_PART_SHARED], 50);
}

/* Each of several that were busy is as they were on average, not as they were together. */
static void members_busy_together(struct kunit *test)
{
	struct lw_process process[] = {
		made(8, 1, "sh", 10, 30), made(9, 1, "sh", 20, 30), made(10, 1, "sh", 30, 60),
	};
	const struct lw_member *sh;

	sample(process, ARRAY_SIZE(process));
	sh = find_member(0, 0, "sh");
	KUNIT_ASSERT_NOT_NULL(test, sh);
	KUNIT_EXPECT_EQ(test, sh->kb[LW_PART_SHARED], 120);
	process[0].walked = false;
	process[1].walked = false;
	sample(process, ARRAY_SIZE(process));
	KUNIT_EXPECT_EQ(test, sh->kb[LW_PART_SHARED], 40 + 40 + 60);
	KUNIT_EXPECT_EQ(test, sh->kb[LW_PART_OWN], 60);
}

/* Whose mapping is of which kind. */
static void kinds(struct kunit *test)
{
	static struct dentry heap = { .d_name = QSTR_INIT("dev/ashmem/dalvik-main space", 28) };
	static struct dentry plain = { .d_name = QSTR_INIT("libc.so", 7) };
	static struct file java = { .f_path.dentry = &heap };
	static struct file library = { .f_path.dentry = &plain };
	struct mm_struct *mm = kunit_kzalloc(test, sizeof(*mm), GFP_KERNEL);
	struct vm_area_struct vma = { .vm_mm = mm, .vm_start = 0x1000, .vm_end = 0x3000 };
	struct lw_process process;

	KUNIT_ASSERT_NOT_NULL(test, mm);
	mm->start_stack = 0x8000;
	KUNIT_EXPECT_PTR_EQ(test, kind_of(&process, &vma), &process.native);
	mm->start_stack = 0x2ff8;
	KUNIT_EXPECT_PTR_EQ(test, kind_of(&process, &vma), &process.stack);
	vma.vm_file = &library;
	KUNIT_EXPECT_NULL(test, kind_of(&process, &vma));
	vma.vm_file = &java;
	KUNIT_EXPECT_PTR_EQ(test, kind_of(&process, &vma), &process.java);
	KUNIT_EXPECT_TRUE(test, begins("dalvik-main space (region space)", "dalvik-"));
	KUNIT_EXPECT_FALSE(test, begins(NULL, "dalvik-"));
}

/* What has been written to is the process's own, wherever it is; what has not, is not there. */
static void own_pages(struct kunit *test)
{
	unsigned int i;

	if (IS_ENABLED(CONFIG_HIGHPTE))
		kunit_skip(test, "page tables can be in high memory");
	for (i = 0; i < ARRAY_SIZE(dense); i++)
		KUNIT_EXPECT_EQ(test, dense_own[i], i + 1);
	for (i = 0; i < ARRAY_SIZE(sparse); i++)
		KUNIT_EXPECT_EQ(test, sparse_own[i], i + 1);
}

/* Where a step ends: at a border, at the end if that is first, and at the last address there is. */
static void ends(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, lw_end_of(0x1000, SZ_2M, SZ_4M), SZ_2M);
	KUNIT_EXPECT_EQ(test, lw_end_of(SZ_2M, SZ_2M, SZ_4M), SZ_4M);
	KUNIT_EXPECT_EQ(test, lw_end_of(SZ_2M, SZ_2M, SZ_2M + 0x1000), SZ_2M + 0x1000);
	KUNIT_EXPECT_EQ(test, lw_end_of(-0x3000UL, SZ_2M, -0x1000UL), -0x1000UL);
	KUNIT_EXPECT_EQ(test, lw_end_of(-0x3000UL, SZ_2M, 0), 0);
}

/* More than there is room for: by name while there is a name, then counted. */
static void members_full(struct kunit *test)
{
	struct lw_process *process;
	char comm[TASK_COMM_LEN];
	unsigned int i;

	process = kunit_kcalloc(test, LW_MEMBERS + 3, sizeof(*process), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, process);
	for (i = 0; i < LW_MEMBERS + 3; i++) {
		snprintf(comm, sizeof(comm), "p%u", i);
		process[i] = made(100 + i, i ? 100000 : 1, i < 10 ? "p0" : comm, 4, 0);
	}
	sample(process, LW_MEMBERS + 3);
	KUNIT_EXPECT_EQ(test, lw_processes_refused(), 3);
	strscpy(process[LW_MEMBERS].comm, "p0", sizeof(process[0].comm));
	sample(process, LW_MEMBERS + 1);
	KUNIT_EXPECT_EQ(test, lw_processes_refused(), 0);
	KUNIT_EXPECT_EQ(test, find_member(0, 0, "p0")->nr, 2);
}

/* Whose histories leak is told, and where. */
static void who_grows(struct kunit *test)
{
	struct lw_process process[] = {
		made(7, 100000, "mixer", 1000, 64), made(8, 100000, "video", 500, 64),
		made(9, 100000, "idle", 90000, 64),
	};
	struct lw_processes *now = list(test);
	struct lw_growers *growers;
	unsigned int i, time = 100;

	sampled = process;
	nr_sampled = ARRAY_SIZE(process);
	lw_history_watch(say_sampled);
	for (i = 0; i < 40; i++, time += 10 * LW_CLOCK_HZ) {
		process[0].anon += 16;
		process[1].shmem += 160;
		lw_history_sample(time);
	}
	growers = lw_growers_get();
	KUNIT_ASSERT_NOT_NULL(test, growers);
	KUNIT_ASSERT_EQ(test, growers->nr, 2);
	KUNIT_EXPECT_EQ(test, growers->grower[0].member->pid, 8);
	KUNIT_EXPECT_EQ(test, growers->grower[0].part, LW_PART_SHARED);
	KUNIT_EXPECT_EQ(test, growers->grower[0].judged.verdict, LW_LEAK);
	KUNIT_EXPECT_EQ(test, growers->grower[0].judged.growth, 160 * 360 * 1024);
	KUNIT_EXPECT_EQ(test, growers->grower[1].member->pid, 7);
	KUNIT_EXPECT_EQ(test, growers->grower[1].part, LW_PART_OWN);
	kvfree(growers);
	/* and without a mark the table is ranked by that */
	for (i = 0; i < ARRAY_SIZE(process); i++)
		now->process[now->nr++] = process[i];
	lw_processes_since(now, NULL);
	KUNIT_EXPECT_EQ(test, now->nr, 3);
	KUNIT_EXPECT_EQ(test, now->process[0].pid, 8);
	KUNIT_EXPECT_EQ(test, now->process[0].judged.growth, 160 * 360 * 1024);
	KUNIT_EXPECT_EQ(test, now->process[1].pid, 7);
	KUNIT_EXPECT_EQ(test, now->process[2].judged.verdict, LW_STEADY);
}

/* A file is charged once to each that has it, whole; one that is on no tmpfs is not. */
static void shared_files(struct kunit *test)
{
	struct file *file = shmem_file_setup("leakwatch", 64 * PAGE_SIZE, 0);
	struct lw_processes *all = list(test);
	struct walk walk = { .files.task = current, .all = all };

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	walk.shared = kvcalloc(SHARED_SLOTS, sizeof(*walk.shared), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, walk.shared);
	put(all, current->tgid, 0, "me", 0);
	file_inode(file)->i_blocks += 16;	/* 8 KB, of which no page is there: in swap */
	see_file(&walk.files, file, 3, 0);
	see_file(&walk.files, file, 0x1000, 0x2000);
	KUNIT_EXPECT_EQ(test, all->process[0].shmem, 8);
	KUNIT_EXPECT_EQ(test, all->shmem_swap, 8);
	/* one more that has it, too: what is in swap is there once */
	find_shared(&walk, file_inode(file))->pid = 0;
	see_file(&walk.files, file, 3, 0);
	KUNIT_EXPECT_EQ(test, all->process[0].shmem, 16);
	KUNIT_EXPECT_EQ(test, all->shmem_swap, 8);
	/* one beyond those there is room for is said, and charged to nobody */
	memset(walk.shared, 0, SHARED_SLOTS * sizeof(*walk.shared));
	walk.nr_shared = SHARED_MAX;
	see_file(&walk.files, file, 3, 0);
	KUNIT_EXPECT_EQ(test, all->files_left_out, 1);
	KUNIT_EXPECT_EQ(test, all->process[0].shmem, 16);
	file_inode(file)->i_blocks -= 16;
	kvfree(walk.shared);
	fput(file);
}

/* Once a process, whole, whoever else holds it; what was released meanwhile does not count. */
static void holds(struct kunit *test)
{
	struct lw_holder holder[] = {
		{ .from = 3, .pid = 5, .next = 1 },
		{ .from = 0x1000, .to = 0x2000, .pid = 5, .next = 2 },
		{ .from = 3, .pid = 9, .next = LW_NO_HOLDER },
		{ .from = 4, .pid = 9, .next = 4 }, { .from = 4, .pid = 7, .next = LW_NO_HOLDER },
		{ .from = 5, .pid = 5, .next = LW_NO_HOLDER },
	};
	struct lw_held held[] = {
		{ .buffer.is.bytes = 8192, .first = 0 }, { .buffer.is.bytes = 4096, .first = 3 },
		{ .buffer.is.bytes = 65536, .first = 5, .gone = true },
		{ .buffer.is.bytes = 65536, .first = LW_NO_HOLDER },
	};
	struct lw_holders holders = { .walked = true, .nr = 4, .held = held, .holder = holder };
	struct lw_processes *now = list(test);

	put(now, 5, 10, "one", 0);
	put(now, 6, 10, "none", 0);
	put(now, 9, 10, "two", 0);	/* 7 has gone */
	lw_processes_hold(now, &holders);
	KUNIT_EXPECT_EQ(test, now->process[0].dmabuf, 8192);
	KUNIT_EXPECT_EQ(test, now->process[1].dmabuf, 0);
	KUNIT_EXPECT_EQ(test, now->process[2].dmabuf, 12288);
	KUNIT_EXPECT_EQ(test, lw_process_kb(&now->process[2]), 0);
}

static struct kunit_case process_cases[] = {
	KUNIT_CASE(stayed),
	KUNIT_CASE(born),
	KUNIT_CASE(busy_at_the_mark),
	KUNIT_CASE(number_again),
	KUNIT_CASE(there),
	KUNIT_CASE(members_of),
	KUNIT_CASE(members_busy),
	KUNIT_CASE(members_busy_together),
	KUNIT_CASE(kinds),
	KUNIT_CASE(own_pages),
	KUNIT_CASE(ends),
	KUNIT_CASE(members_full),
	KUNIT_CASE(who_grows),
	KUNIT_CASE(shared_files),
	KUNIT_CASE(holds),
	{}
};

static struct kunit_suite process_suite = {
	.name = "leakwatch_process",
	.suite_init = process_suite_init,
	.init = process_test_init,
	.exit = process_test_exit,
	.test_cases = process_cases,
};

kunit_test_suite(process_suite);

MODULE_LICENSE("GPL");

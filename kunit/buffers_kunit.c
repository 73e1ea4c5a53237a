// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of buffers: records, by which addresses they are found, heaps, events, sites. */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "race.h"
#include "../module/track/buffers.c"

#define RECORDS	64

static struct file *files;	/* nobody opened them, but they can be looked into */
static char dentries[2 * RECORDS], inodes[2 * RECORDS];

/* As one that is open once. */
static void open_again(unsigned int nr, const struct file *like)
{
	files[nr] = *like;
	files[nr].f_path.dentry = (void *)&dentries[nr];
}

static int buffers_test_init(struct kunit *test)
{
	struct file *root = filp_open("/", O_RDONLY, 0);
	unsigned int i;

	if (IS_ERR(root))
		return PTR_ERR(root);
	files = kcalloc(2 * RECORDS, sizeof(*files), GFP_KERNEL);
	for (i = 0; files && i < 2 * RECORDS; i++)
		open_again(i, root);
	filp_close(root, NULL);
	lw_stats_clear();
	memset(sizes, 0, sizeof(sizes));
	nr_sizes = 0;
	memset(heaps, 0, sizeof(heaps) - sizeof(heaps[0]));
	return files ? lw_sites_init(512) ?: lw_buffers_init(RECORDS) : -ENOMEM;
}

static void buffers_test_exit(struct kunit *test)
{
	lw_buffers_exit();
	lw_sites_exit();
	kfree(files);
}

static struct lw_dmabuf fake(unsigned int nr, u64 bytes)
{
	return (struct lw_dmabuf){
		.file = &files[nr], .dentry = &dentries[nr], .inode = &inodes[nr],
		.bytes = bytes, .heap = "system",
	};
}

static u32 site_of_call(unsigned long call, u64 bytes)
{
	return lw_site_get(what_of(bytes), &call, 1, NULL);
}

static void export(unsigned int nr, u64 bytes)
{
	struct lw_dmabuf is = fake(nr, bytes);

	lw_buffer_add(&is, site_of_call(0x1000, bytes));
}

static long live_of(u32 site)
{
	struct lw_count count;

	lw_site_counts(site, &count);
	return count.allocs - count.frees - atomic_read(&lw_flaws[site].lost);
}

/* The record of a file, as readers see it; id 0 if there is none. */
static struct lw_buffer record_of(unsigned int nr)
{
	struct lw_buffer buffer;
	unsigned int at;

	for (at = 0; lw_buffers_next(&at, &buffer); at++)
		if (buffer.is.dentry == &dentries[nr])
			return buffer;
	return (struct lw_buffer){};
}

static void a_life(struct kunit *test)
{
	struct lw_buffer buffer;
	u32 site;

	export(1, 8192);
	export(2, 4096);
	site = site_of_call(0x1000, 8192);
	buffer = record_of(1);
	KUNIT_EXPECT_EQ(test, buffer.id, 1);
	KUNIT_EXPECT_EQ(test, buffer.site, site);
	KUNIT_EXPECT_EQ(test, buffer.is.bytes, 8192);
	KUNIT_EXPECT_EQ(test, buffer.by.tgid, current->tgid);
	KUNIT_EXPECT_EQ(test, buffer.by.start, lw_task_start(current->group_leader));
	KUNIT_EXPECT_FALSE(test, buffer.older);
	KUNIT_EXPECT_EQ(test, live_of(site), 1);
	KUNIT_EXPECT_EQ(test, lw_sites[site].size, 8192);
	lw_buffer_event(&files[1], LW_EVENT_MAP);
	KUNIT_EXPECT_EQ(test, record_of(1).last, LW_EVENT_MAP);
	KUNIT_EXPECT_EQ(test, record_of(2).last, LW_EVENT_ALLOC);
	KUNIT_EXPECT_PTR_EQ(test, record_of(1).is.file, &files[1]);
	KUNIT_EXPECT_EQ(test, lw_buffer_refs(0, 1), 1);
	memset(&files[1], 0, sizeof(files[1]));		/* it is closed */
	KUNIT_EXPECT_PTR_EQ(test, record_of(1).is.file, NULL);
	KUNIT_EXPECT_EQ(test, lw_buffer_refs(0, 1), 0);
	KUNIT_EXPECT_EQ(test, lw_buffer_refs(0, 3), -ENOENT);
	lw_buffer_free(&dentries[1], (void *)1);
	KUNIT_EXPECT_EQ(test, record_of(1).id, 0);
	KUNIT_EXPECT_EQ(test, record_of(2).id, 2);
	KUNIT_EXPECT_EQ(test, live_of(site), 0);
	KUNIT_EXPECT_EQ(test, lw_buffers_nr(), 1);
	KUNIT_EXPECT_EQ(test, lw_stats_lost(), 0);
}

/* The release of old kernels names the inode, which all files share, and the file. */
static void release_by_file(struct kunit *test)
{
	struct lw_dmabuf one = fake(1, 4096), two = fake(2, 4096);

	two.inode = one.inode;
	lw_buffer_add(&one, site_of_call(0x1000, 4096));
	lw_buffer_add(&two, site_of_call(0x1000, 4096));
	lw_buffer_free(&inodes[3], &files[1]);	/* what follows a dentry that is not known */
	KUNIT_EXPECT_EQ(test, lw_buffers_nr(), 2);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_UNMATCHED_BUFFERS), 1);
	lw_buffer_free(&inodes[1], &files[2]);
	KUNIT_EXPECT_EQ(test, record_of(2).id, 0);
	KUNIT_EXPECT_NE(test, record_of(1).id, 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_UNMATCHED_BUFFERS), 1);
}

/* ION's until 4.11: one record, whatever it is shared as, with or without a client. */
static void old_ion(struct kunit *test)
{
	struct lw_dmabuf ion = { .ion = &dentries[7], .bytes = 4096, .heap = "system" };
	u32 site = site_of_call(0x2000, 4096);
	struct lw_dmabuf share = fake(1, 4096);
	unsigned int at = 0;
	struct lw_buffer buffer;

	share.ion = ion.ion;
	lw_ion_add(&ion, site);
	lw_buffer_add(&share, site_of_call(0x1000, 4096));
	lw_buffer_add_older(&share);
	KUNIT_EXPECT_EQ(test, lw_buffers_nr(), 1);
	KUNIT_EXPECT_EQ(test, live_of(site), 1);
	KUNIT_EXPECT_EQ(test, live_of(site_of_call(0x1000, 4096)), 0);
	KUNIT_EXPECT_FALSE(test, lw_ion_event(&dentries[8], LW_EVENT_PUT, -1));
	KUNIT_EXPECT_TRUE(test, lw_ion_event(ion.ion, LW_EVENT_IMPORT, 1));
	KUNIT_ASSERT_TRUE(test, lw_buffers_next(&at, &buffer));
	KUNIT_EXPECT_EQ(test, lw_buffer_refs(at, buffer.id), 2);
	lw_ion_event(ion.ion, LW_EVENT_PUT, -5);
	KUNIT_EXPECT_EQ(test, lw_buffer_refs(at, buffer.id), 0);
	lw_buffer_free(share.inode, share.file);	/* of what it was shared as */
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_UNMATCHED_BUFFERS), 0);
	lw_ion_free(ion.ion);
	KUNIT_EXPECT_EQ(test, lw_buffers_nr(), 0);
	KUNIT_EXPECT_EQ(test, live_of(site), 0);
	/* once it is gone, so is what it was known by */
	lw_buffer_add(&share, site_of_call(0x1000, 4096));
	KUNIT_EXPECT_FALSE(test, lw_ion_event(ion.ion, LW_EVENT_PUT, -1));
	KUNIT_EXPECT_EQ(test, record_of(1).last, LW_EVENT_ALLOC);
}

/* What its heap frees later is no buffer any more, and the heap's until then. */
static void deferred(struct kunit *test)
{
	struct lw_dmabuf ion = { .ion = &dentries[7], .bytes = 4096, .heap = "system" };
	u32 site = site_of_call(0x2000, 4096);
	struct lw_dmabuf is = fake(7, 8192);
	struct lw_buffer buffer;
	unsigned int at = 0, i;

	/* with a record */
	lw_ion_add(&ion, site);
	lw_ion_defer(&ion);
	KUNIT_EXPECT_EQ(test, lw_buffers_nr(), 0);
	KUNIT_EXPECT_FALSE(test, lw_buffers_next(&at, &buffer));
	KUNIT_EXPECT_EQ(test, live_of(site), 0);
	KUNIT_EXPECT_EQ(test, lw_heap(0)->bytes, 0);
	KUNIT_EXPECT_EQ(test, lw_heap(0)->deferred, 4096);
	KUNIT_EXPECT_FALSE(test, lw_ion_event(ion.ion, LW_EVENT_PUT, -1));
	lw_ion_free(ion.ion);
	lw_ion_free(ion.ion);	/* by two hooks, or of something else */
	KUNIT_EXPECT_EQ(test, lw_heap(0)->deferred, 0);
	/* without, as since 4.12; once more, where the end of the first was missed */
	lw_ion_defer(&ion);
	ion.bytes = 8192;
	lw_ion_defer(&ion);
	KUNIT_EXPECT_EQ(test, lw_heap(0)->deferred, 8192);
	lw_buffer_free(ion.ion, NULL);	/* no dentry */
	KUNIT_EXPECT_EQ(test, lw_heap(0)->deferred, 8192);
	/* and where its address comes back as another buffer's */
	lw_buffer_add(&is, site_of_call(0x1000, 8192));
	KUNIT_EXPECT_EQ(test, lw_heap(0)->deferred, 0);
	KUNIT_EXPECT_EQ(test, lw_heap(0)->bytes, 8192);
	lw_buffer_free(is.dentry, NULL);
	KUNIT_EXPECT_EQ(test, lw_heap(0)->bytes, 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_MISSED_BUFFERS), 0);
	/* what finds no room, or has no size, is not known */
	for (i = 0; i < RECORDS; i++) {
		ion.ion = &inodes[i];
		lw_ion_defer(&ion);
	}
	KUNIT_EXPECT_TRUE(test, lw_buffers_defers_known());
	ion.ion = &inodes[i];
	lw_ion_defer(&ion);
	KUNIT_EXPECT_FALSE(test, lw_buffers_defers_known());
	KUNIT_EXPECT_EQ(test, lw_heap(0)->deferred, RECORDS * 8192);
	lw_buffers_clear();
	/* but what lives finds room: that of one of them */
	for (i = 0; i < RECORDS; i++) {
		ion.ion = &inodes[i];
		lw_ion_defer(&ion);
	}
	lw_buffer_add(&is, site_of_call(0x1000, 8192));
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_LOST_BUFFERS), 0);
	KUNIT_EXPECT_EQ(test, lw_buffers_nr(), 1);
	KUNIT_EXPECT_FALSE(test, lw_buffers_defers_known());
	KUNIT_EXPECT_EQ(test, lw_heap(0)->deferred, (RECORDS - 1) * 8192);
	for (i = 0; i < RECORDS; i++)
		lw_ion_free(&inodes[i]);
	KUNIT_EXPECT_EQ(test, lw_heap(0)->deferred, 0);
	KUNIT_EXPECT_EQ(test, lw_buffers_nr(), 1);
	lw_buffer_free(is.dentry, NULL);
	KUNIT_EXPECT_EQ(test, lw_heap(0)->bytes, 0);
	lw_buffers_clear();
	KUNIT_EXPECT_TRUE(test, lw_buffers_defers_known());
	KUNIT_EXPECT_EQ(test, lw_heap(0)->deferred, 0);
	ion.bytes = 0;
	lw_ion_defer(&ion);
	KUNIT_EXPECT_FALSE(test, lw_buffers_defers_known());
}

/* A file's address comes back while the first buffer's dentry is still held. */
static void file_again(struct kunit *test)
{
	struct lw_dmabuf again = fake(2, 4096);

	export(1, 8192);
	files[1].f_path.dentry = (void *)&dentries[2];
	again.file = &files[1];
	lw_buffer_add(&again, site_of_call(0x1000, 4096));
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_MISSED_BUFFERS), 0);
	KUNIT_EXPECT_EQ(test, lw_buffers_nr(), 2);
	lw_buffer_event(&files[1], LW_EVENT_IMPORT);
	KUNIT_EXPECT_EQ(test, record_of(1).last, LW_EVENT_ALLOC);
	KUNIT_EXPECT_PTR_EQ(test, record_of(1).is.file, NULL);
	KUNIT_EXPECT_EQ(test, record_of(2).last, LW_EVENT_IMPORT);
	lw_buffer_free(&dentries[1], NULL);
	KUNIT_EXPECT_EQ(test, record_of(2).id, 2);
	KUNIT_EXPECT_PTR_EQ(test, record_of(2).is.file, &files[1]);
}

static void missed_release(struct kunit *test)
{
	u32 site = site_of_call(0x1000, 4096);

	export(1, 4096);
	export(1, 4096);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_MISSED_BUFFERS), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&lw_flaws[site].missed), 1);
	KUNIT_EXPECT_EQ(test, live_of(site), 1);
	KUNIT_EXPECT_EQ(test, lw_buffers_nr(), 1);
	KUNIT_EXPECT_EQ(test, record_of(1).id, 2);
}

static void older(struct kunit *test)
{
	struct lw_dmabuf is = fake(1, 4096);

	lw_buffer_add_older(&is);
	lw_buffer_add_older(&is);	/* by another descriptor */
	KUNIT_EXPECT_EQ(test, lw_buffers_nr(), 1);
	KUNIT_EXPECT_TRUE(test, record_of(1).older);
	KUNIT_EXPECT_EQ(test, record_of(1).by.tgid, 0);
	KUNIT_EXPECT_EQ(test, record_of(1).site, LW_SITE_NOBODY);
	export(2, 4096);
	is = fake(2, 4096);
	lw_buffer_add_older(&is);
	KUNIT_EXPECT_FALSE(test, record_of(2).older);
	lw_buffer_free(&dentries[1], NULL);
	KUNIT_EXPECT_EQ(test, lw_buffers_nr(), 1);
	KUNIT_EXPECT_EQ(test, live_of(LW_SITE_NOBODY), 0);
}

static void full(struct kunit *test)
{
	u32 site = site_of_call(0x1000, 4096);
	unsigned int i;

	for (i = 0; i < RECORDS + 10; i++)
		export(i, 4096);
	KUNIT_EXPECT_EQ(test, lw_buffers_nr(), RECORDS);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_LOST_BUFFERS), 10);
	KUNIT_EXPECT_EQ(test, live_of(site), RECORDS);
	for (i = 0; i < RECORDS + 10; i++)
		lw_buffer_free(&dentries[i], NULL);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_UNMATCHED_BUFFERS), 10);
	KUNIT_EXPECT_EQ(test, live_of(site), 0);
	export(0, 4096);
	KUNIT_EXPECT_EQ(test, lw_buffers_nr(), 1);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_LOST_BUFFERS), 10);
}

/* Bytes come out even whatever the sizes are. */
static void many_sizes(struct kunit *test)
{
	u64 bytes = 0, counted = 0;
	unsigned int i;
	u32 id;

	for (i = 1; i <= SIZES + 10; i++)
		what_of((u64)i << PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, lw_what_major(what_of(PAGE_SIZE)), 1);
	KUNIT_EXPECT_EQ(test, lw_what_major(what_of(1)), 1);
	KUNIT_EXPECT_EQ(test, lw_what_major(what_of((SIZES + 1) * PAGE_SIZE)), 0);
	KUNIT_EXPECT_EQ(test, lw_what_major(what_of(5ULL << 30)), 0);
	KUNIT_EXPECT_EQ(test, lw_what_major(what_of(0)), 0);
	KUNIT_EXPECT_EQ(test, nr_sizes, SIZES);
	for (i = 0; i < RECORDS; i++) {
		u64 size = i % 3 ? (u64)(SIZES - 30 + i) << PAGE_SHIFT : 5ULL << 30;

		export(i, size);
		bytes += size;
	}
	for (id = LW_SITE_GONE + 1; id < lw_sites_end(); id++)
		counted += (u64)live_of(id) * lw_sites[id].size;
	KUNIT_EXPECT_EQ(test, counted, bytes);
	for (i = 0; i < RECORDS; i++)
		lw_buffer_free(&dentries[i], NULL);
	for (id = LW_SITE_GONE + 1; id < lw_sites_end(); id++)
		KUNIT_EXPECT_EQ(test, live_of(id), 0);
}

static void heaps_of_all(struct kunit *test)
{
	struct lw_dmabuf is;
	char name[40];
	unsigned int i;

	export(0, 4096);
	export(1, 8192);
	lw_buffer_free(&dentries[1], NULL);
	KUNIT_EXPECT_STREQ(test, lw_heap(0)->name, "system");
	KUNIT_EXPECT_EQ(test, lw_heap(0)->bytes, 4096);
	KUNIT_EXPECT_EQ(test, lw_heap(0)->peak, 12288);
	for (i = 1; i < 40; i++) {
		is = fake(i, 4096);
		snprintf(name, sizeof(name), "heap %u", i);
		is.heap = name;
		lw_buffer_add(&is, LW_SITE_NOBODY);
	}
	KUNIT_EXPECT_STREQ(test, lw_heap(1)->name, "heap_1");
	KUNIT_EXPECT_STREQ(test, lw_heap(LW_HEAPS - 1)->name, "(other)");
	KUNIT_EXPECT_EQ(test, lw_heap(1)->bytes, 4096);
	KUNIT_EXPECT_EQ(test, lw_heap(LW_HEAPS - 1)->bytes, (40 - LW_HEAPS + 1) * 4096);
}

/* Names are one if they are alike as far as they are kept; none is one, too. */
static void heaps_by_name(struct kunit *test)
{
	static const char * const names[] = {
		"system", "system-uncached", "sys", "", "of twenty-three letters",
		"of twenty-three letters more",
		"system",
	};
	static const u8 want[] = { 0, 1, 2, 3, 4, 4, 0 };
	struct lw_dmabuf is;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		is = fake(i, 4096);
		is.heap = names[i];
		lw_buffer_add(&is, LW_SITE_NOBODY);
		KUNIT_EXPECT_EQ(test, record_of(i).heap, want[i]);
	}
	KUNIT_EXPECT_STREQ(test, lw_heap(3)->name, "-");
	KUNIT_EXPECT_STREQ(test, lw_heap(4)->name, "of_twenty-three_letters");
	KUNIT_EXPECT_STREQ(test, lw_heap(5)->name, "");
}

static void events_in_order(struct kunit *test)
{
	u64 at = 0, lost, before;
	struct lw_event event;
	unsigned int i;

	msleep(20);
	before = ktime_to_ms(ktime_get());
	KUNIT_EXPECT_FALSE(test, lw_events_take(&at, &event, &lost));
	export(1, 4096);
	lw_buffer_event(&files[2], LW_EVENT_MAP);	/* nobody's */
	lw_buffer_event(&files[1], LW_EVENT_MAP);
	KUNIT_ASSERT_TRUE(test, lw_events_take(&at, &event, &lost));
	KUNIT_EXPECT_EQ(test, event.type, LW_EVENT_ALLOC);
	KUNIT_EXPECT_EQ(test, event.pid, current->tgid);
	/* by ticks, which are late where the host is busy */
	KUNIT_EXPECT_GE(test, lw_event_ms(&event) + 100, before);
	KUNIT_EXPECT_LE(test, lw_event_ms(&event), ktime_to_ms(ktime_get()) + 100);
	KUNIT_ASSERT_TRUE(test, lw_events_take(&at, &event, &lost));
	KUNIT_EXPECT_EQ(test, event.type, LW_EVENT_MAP);
	KUNIT_EXPECT_EQ(test, event.id, record_of(1).id);
	KUNIT_EXPECT_EQ(test, lost, 0);
	KUNIT_EXPECT_FALSE(test, lw_events_take(&at, &event, &lost));
	for (i = 0; i < LW_EVENTS + 3; i++)
		lw_buffer_event(&files[1], LW_EVENT_IMPORT);
	KUNIT_ASSERT_TRUE(test, lw_events_take(&at, &event, &lost));
	KUNIT_EXPECT_EQ(test, lost, 3);
	for (i = 1; lw_events_take(&at, &event, &lost); i++)
		KUNIT_EXPECT_EQ(test, lost, 0);
	KUNIT_EXPECT_EQ(test, i, LW_EVENTS);
	/* what was cleared is not lost */
	lw_buffer_event(&files[1], LW_EVENT_IMPORT);
	lw_buffers_clear();
	KUNIT_EXPECT_FALSE(test, lw_events_take(&at, &event, &lost));
	KUNIT_EXPECT_EQ(test, lost, 0);
	KUNIT_EXPECT_FALSE(test, lw_events_any(0));
	lw_buffer_event(&files[1], LW_EVENT_IMPORT);	/* without a record: none */
	KUNIT_EXPECT_FALSE(test, lw_events_any(at));
	lw_ion_client(LW_EVENT_CLIENT);
	KUNIT_EXPECT_TRUE(test, lw_events_any(at));
	KUNIT_ASSERT_TRUE(test, lw_events_take(&at, &event, &lost));
	KUNIT_EXPECT_EQ(test, event.type, LW_EVENT_CLIENT);
	KUNIT_EXPECT_EQ(test, event.id, 0);
	KUNIT_EXPECT_FALSE(test, lw_events_any(at));
}

/* Several threads export and release, one more file each; the last of them reads all the while. */
struct life {
	struct kunit *test;
	unsigned int nr;
	unsigned int nr_racers;
	unsigned long bad;
};

static unsigned long rounds;

static void live_or_read(void *arg)
{
	struct life *life = arg;
	struct lw_buffer buffer;
	struct lw_event event;
	unsigned long i;
	u64 at_event = 0, lost;
	unsigned int at;

	for (i = 0; i < rounds; i++) {
		if (life->nr < life->nr_racers - 1) {
			export(life->nr, 4096 << (i & 3));
			lw_buffer_event(&files[life->nr], LW_EVENT_MAP);
			lw_buffer_free(&dentries[life->nr], NULL);
			continue;
		}
		for (at = 0; lw_buffers_next(&at, &buffer); at++) {
			life->bad += !buffer.id || buffer.is.bytes < 4096;
			lw_buffer_refs(at, buffer.id);
		}
		while (lw_events_take(&at_event, &event, &lost))
			life->bad += event.type >= LW_NR_EVENTS || !event.id;
		cond_resched();
	}
}

static void races(struct kunit *test)
{
	static const unsigned int nr_racers[] = { 2, 4, 8 };
	struct life life[RACE_MAX];
	unsigned int i, j;
	u32 id;

	rounds = race_many(20000);
	for (i = 0; i < ARRAY_SIZE(nr_racers); i++) {
		for (j = 0; j < nr_racers[i]; j++)
			life[j] = (struct life){ test, j, nr_racers[i], 0 };
		race(test, nr_racers[i], live_or_read, life, sizeof(life[0]));
		for (j = 0; j < nr_racers[i]; j++)
			KUNIT_EXPECT_EQ(test, life[j].bad, 0);
		KUNIT_EXPECT_EQ(test, lw_buffers_nr(), 0);
		KUNIT_EXPECT_EQ(test, lw_stats_lost(), 0);
		KUNIT_EXPECT_EQ(test, lw_stat_read(LW_UNMATCHED_BUFFERS), 0);
		for (id = LW_SITE_GONE + 1; id < lw_sites_end(); id++)
			KUNIT_EXPECT_EQ(test, live_of(id), 0);
		KUNIT_EXPECT_EQ(test, lw_heap(0)->bytes, 0);
	}
}

static struct kunit_case buffers_cases[] = {
	KUNIT_CASE(a_life),
	KUNIT_CASE(release_by_file),
	KUNIT_CASE(old_ion),
	KUNIT_CASE(deferred),
	KUNIT_CASE(file_again),
	KUNIT_CASE(missed_release),
	KUNIT_CASE(older),
	KUNIT_CASE(full),
	KUNIT_CASE(many_sizes),
	KUNIT_CASE(heaps_of_all),
	KUNIT_CASE(heaps_by_name),
	KUNIT_CASE(events_in_order),
	KUNIT_CASE(races),
	{}
};

static struct kunit_suite buffers_suite = {
	.name = "leakwatch_buffers",
	.init = buffers_test_init,
	.exit = buffers_test_exit,
	.test_cases = buffers_cases,
};

kunit_test_suite(buffers_suite);

MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of walk: the fast walk goes where the kernel's goes, or says that it cannot.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kprobes.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>
#include <leakwatch/path.h>
#include "../module/track/walk.c"
#include "race.h"

#define FRAMES	48

/* The fast and the slow walk of one stack, from the function that both were called in. */
static struct {
	unsigned long fast[FRAMES];
	unsigned long slow[FRAMES];
	unsigned long kernel[FRAMES];
	unsigned int nr_fast;
	unsigned int nr_slow;
	unsigned int nr_kernel;
	bool whole;		/* the fast one came to an end frame */
	bool begun;
} seen;

static __always_inline void go_fast(void)
{
	struct lw_walk walk;
	u64 word;

	seen.nr_fast = 0;
	seen.whole = false;
	seen.begun = lw_walk_begin(&walk, lw_walk_here());
	if (!seen.begun)
		return;
	while (seen.nr_fast < FRAMES) {
		word = lw_walk_see(&walk);
		if (lw_walk_kind(&walk, word) == LW_FRAME_TRAMPOLINE)
			break;
		seen.fast[seen.nr_fast++] = walk.ip;
		if (lw_walk_kind(&walk, word) == LW_FRAME_END) {
			seen.whole = true;
			break;
		}
		if (!lw_walk_next(&walk, word))
			break;
	}
}

/*
 * A path, where it lies, and whether that of the last capture was this one; and the last capture,
 * as it may be known by then.
 */
static struct known {
	unsigned long frame[FRAMES];
	u16 step[FRAMES];
	unsigned int nr;
	bool met;
} known, last;

/* Whether it could be known if one of its addresses were another. */
static bool garbled;

/* A path as the kernel sees it, and whether it is recognised by the steps that are found for it. */
static struct {
	unsigned long frame[FRAMES];
	u16 step[FRAMES];
	unsigned int nr;
	bool settled;
	bool met;
} behind;

static __always_inline void go_by(void)
{
	static unsigned long other[FRAMES];
	static u16 step[FRAMES];
	struct lw_walk walk;
	bool begun = lw_walk_begin(&walk, lw_walk_here());

	known.met = begun && known.nr && walk.ip == known.frame[0] &&
		    lw_walk_by(&walk, known.frame, known.step, known.nr);
	memcpy(last.frame, seen.fast, sizeof(last.frame));
	last.nr = seen.nr_fast;
	if (!begun || !lw_walk_steps(&walk, last.frame, last.step, last.nr, FRAMES))
		last.nr = 0;
	memcpy(other, last.frame, sizeof(other));
	other[1] = 0x1234567;
	garbled = begun && lw_walk_steps(&walk, other, step, seen.nr_fast, FRAMES);
	behind.settled = begun && behind.nr &&
			 lw_walk_steps(&walk, behind.frame, behind.step, behind.nr, FRAMES);
	behind.met = begun && behind.nr &&
		     lw_walk_by(&walk, behind.frame, behind.step, behind.nr);
}

static noinline __noclone void capture(void)
{
	go_fast();
	go_by();
	seen.nr_kernel = stack_trace_save(seen.kernel, FRAMES, 0);
	seen.nr_slow = lw_walk_slow(seen.slow, FRAMES);
	barrier();
}

/* Some shapes of frames; each does something behind its call, which therefore is no jump. */

static noinline __noclone void lw_test_plain(void)
{
	capture();
	barrier();
}

static noinline __noclone void lw_test_saves(unsigned long a, unsigned long b, unsigned long c)
{
	OPTIMIZER_HIDE_VAR(a);
	OPTIMIZER_HIDE_VAR(b);
	OPTIMIZER_HIDE_VAR(c);
	lw_test_plain();
	asm volatile ("" : : "r" (a), "r" (b), "r" (c));
}

static noinline __noclone void lw_test_varies(unsigned int bytes)
{
	u8 *room = __builtin_alloca(bytes);

	OPTIMIZER_HIDE_VAR(room);
	room[0] = 1;
	lw_test_saves(bytes, bytes + 1, bytes + 2);
	asm volatile ("" : : "r" (room));
}

static noinline __noclone void lw_test_aligns(unsigned int bytes)
{
	u8 room[64] __aligned(64);
	u8 *at = room;

	OPTIMIZER_HIDE_VAR(at);
	at[0] = 1;
	lw_test_varies(bytes);
	asm volatile ("" : : "r" (at));
}

/* One that is aligned, and nothing else that varies. */
static __maybe_unused noinline __noclone void lw_test_line(void)
{
	u8 room[64] __aligned(64);
	u8 *at = room;

	OPTIMIZER_HIDE_VAR(at);
	at[0] = 1;
	lw_test_plain();
	asm volatile ("" : : "r" (at));
}

/* The same path, wherever it is. */
static __maybe_unused noinline __noclone void lw_test_line_below(unsigned int bytes)
{
	u8 *room = __builtin_alloca(bytes);

	OPTIMIZER_HIDE_VAR(room);
	room[0] = 1;
	lw_test_line();
	asm volatile ("" : : "r" (room));
}

static noinline __noclone void lw_test_deep(unsigned int depth, unsigned int bytes)
{
	if (depth)
		lw_test_deep(depth - 1, bytes);
	else
		lw_test_aligns(bytes);
	barrier();
}

static noinline void learn(void)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		lw_test_deep(i % 3, 8 + i % 7 * 24);
}

/* Always from the same place; the first times teach. */
static __maybe_unused noinline __noclone void lw_test_often(void (*call)(void))
{
	int i;

	for (i = 0; i < 6; i++) {
		call();
		barrier();
	}
}

static __maybe_unused noinline __noclone void lw_test_aligns_80(void)
{
	lw_test_aligns(80);
	barrier();
}

static noinline __noclone void lw_test_varies_40(void)
{
	lw_test_varies(40);
	barrier();
}

/* What the fast walk has seen is what the slow one has, which begins with own frames. */
static void expect_same(struct kunit *test)
{
	unsigned int i, own = 0;

	while (seen.nr_fast && own < 3 && seen.slow[own] != seen.fast[0])
		own++;
	for (i = 0; i < seen.nr_fast; i++)
		KUNIT_EXPECT_EQ_MSG(test, seen.fast[i], seen.slow[i + own], "frame %u", i);
}

static int walk_test_init(struct kunit *test)
{
	lw_stats_clear();
	memset(&seen, 0, sizeof(seen));
	memset(&known, 0, sizeof(known));
	memset(&last, 0, sizeof(last));
	return 0;
}

static void need_fast(struct kunit *test)
{
#if !defined(LW_STACK_ORC) && !defined(LW_STACK_RECORDS)
	kunit_skip(test, "there is no fast walk here");
#endif
}

/* The slow walk is the kernel's. */
static void slow_is_kernels(struct kunit *test)
{
	unsigned int i;

	learn();
	KUNIT_ASSERT_GE(test, seen.nr_slow, seen.nr_kernel);
	KUNIT_ASSERT_LE(test, seen.nr_slow, seen.nr_kernel + 1);
	KUNIT_ASSERT_GT(test, seen.nr_kernel, 6);
	for (i = 1; i < seen.nr_kernel; i++)	/* the first is where capture() calls either */
		KUNIT_EXPECT_EQ(test, seen.slow[seen.nr_slow - i], seen.kernel[seen.nr_kernel - i]);
	KUNIT_EXPECT_EQ(test, lw_walk_slow(seen.slow, 3), 3);
}

static void all_shapes(struct kunit *test)
{
	unsigned int i;

	need_fast(test);
	learn();
	for (i = 0; i < 64; i++) {
		lw_test_deep(i % 5, 8 + i * 13);
		KUNIT_EXPECT_TRUE(test, seen.begun);
		KUNIT_EXPECT_TRUE(test, seen.whole || i < 8);
		expect_same(test);
	}
}

static enum hrtimer_restart in_timer(struct hrtimer *timer)
{
	lw_test_saves(1, 2, 3);
	WRITE_ONCE(timer->function, NULL);
	return HRTIMER_NORESTART;
}

/* In an interrupt, on a stack of its own or on the task's: up to the interrupt's entry. */
static void interrupts(struct kunit *test)
{
	struct hrtimer timer;
	unsigned int i;

	need_fast(test);
	if (!IS_ENABLED(CONFIG_X86_64) && !IS_ENABLED(CONFIG_VMAP_STACK))
		kunit_skip(test, "it is not known where the interrupt stack is");
	for (i = 0; i < 8; i++) {
		migrate_disable();
		hrtimer_init_on_stack(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
		timer.function = in_timer;
		hrtimer_start(&timer, ns_to_ktime(100000), HRTIMER_MODE_REL_PINNED_HARD);
		while (READ_ONCE(timer.function))
			cpu_relax();
		hrtimer_cancel(&timer);
		destroy_hrtimer_on_stack(&timer);
		expect_same(test);
		migrate_enable();
	}
	/* 8 are enough, wherever each was */
	KUNIT_EXPECT_TRUE(test, seen.whole);
	KUNIT_EXPECT_EQ(test, lw_frame_kind(seen.fast[seen.nr_fast - 1]), LW_FRAME_END);
}

/* One capture in so many is checked, fewer later. */
static void checks_are_due(struct kunit *test)
{
	unsigned int i, due;

	migrate_disable();
	this_cpu_write(checks, 0);
	this_cpu_write(lw_walk_left, 1);
	for (i = due = 0; i < 1 + LW_CHECK_YOUNG * CHECKS_YOUNG; i++)
		due += lw_walk_due();
	KUNIT_EXPECT_GE(test, due, CHECKS_YOUNG);
	for (i = due = 0; i < 8 * LW_CHECK_OLD; i++)
		due += lw_walk_due();
	KUNIT_EXPECT_GE(test, due, 7);
	KUNIT_EXPECT_LE(test, due, 9);
	this_cpu_write(checks, 0);
	migrate_enable();
}

static struct lw_path path;

static noinline __noclone void lw_test_path(unsigned long call_site)
{
	lw_path_like_call(&path, call_site, 0);
	barrier();
}

static noinline __noclone void lw_test_asks(void)
{
	lw_test_path(_THIS_IP_);	/* not on the stack: found by no walk */
	lw_test_path((unsigned long)_RET_IP_);
	barrier();
}

static __maybe_unused noinline __noclone void lw_test_asks_once(void)
{
	lw_test_path((unsigned long)_RET_IP_);
	barrier();
}

/* An event is checked, counted, and its path is the kernel's. */
static void is_checked(struct kunit *test)
{
	unsigned int i;

	need_fast(test);
	migrate_disable();
	for (i = 0; i < 5; i++) {
		if (i == 4) {
			lw_stats_clear();
			this_cpu_write(lw_walk_left, 1);
		}
		lw_test_asks();
	}
	migrate_enable();
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_WALK_CHECKED), 1);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_WALK_WRONG), 0);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_WALK_SLOW), 1);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_WALK_SHORT), 1);
}

static int on_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return 0;
}

/* Behind a trampoline only the kernel can see, and it is not learned. */
static void trampoline(struct kunit *test)
{
	struct kretprobe rp = {
		.kp.symbol_name = "lw_test_saves", .handler = on_return, .maxactive = 8,
	};
	unsigned int i;

	need_fast(test);
	learn();
	KUNIT_ASSERT_EQ(test, register_kretprobe(&rp), 0);
	for (i = 0; i < 4; i++) {
		lw_test_varies(40);
		KUNIT_EXPECT_FALSE(test, seen.whole);
		expect_same(test);
	}
	unregister_kretprobe(&rp);
	lw_test_often(lw_test_varies_40);
	KUNIT_EXPECT_TRUE(test, seen.whole);
	expect_same(test);
}

#ifdef LW_STACK_ORC

static noinline __noclone void lw_test_saves_three(void)
{
	lw_test_saves(1, 2, 3);
	barrier();
}

/*
 * What is behind a trampoline is recognised all the same, where the kernel has a list of what
 * trampolines replaced; but no other path is taken for it.
 */
static void behind_trampoline(struct kunit *test)
{
	struct kretprobe rp = {
		.kp.symbol_name = "lw_test_plain", .handler = on_return, .maxactive = 8,
	};
	unsigned int i, at;

	need_fast(test);
	if (!IS_ENABLED(CONFIG_KRETPROBE_ON_RETHOOK))
		kunit_skip(test, "this kernel has no list of them");
	learn();
	lw_test_often(lw_test_saves_three);
	KUNIT_ASSERT_EQ(test, register_kretprobe(&rp), 0);
	lw_test_often(lw_test_saves_three);
	for (at = 0; at < seen.nr_kernel && seen.kernel[at] != seen.fast[0]; at++)
		;
	KUNIT_EXPECT_GT(test, seen.nr_kernel, at + 3);
	behind.nr = 4;	/* to lw_test_often() */
	memcpy(behind.frame, &seen.kernel[at], behind.nr * sizeof(long));
	lw_test_often(lw_test_saves_three);
	KUNIT_EXPECT_TRUE(test, behind.settled);
	KUNIT_EXPECT_TRUE(test, behind.step[0]);
	KUNIT_EXPECT_TRUE(test, behind.met);
	/* each address counts, that which the trampoline has replaced, too; 0 stands for none */
	for (i = 1; i < behind.nr; i++) {
		unsigned long right = behind.frame[i];

		behind.frame[i] = i % 2 ? right + 1 : 0;
		lw_test_often(lw_test_saves_three);
		KUNIT_EXPECT_FALSE(test, behind.settled);
		KUNIT_EXPECT_FALSE(test, behind.met);
		behind.frame[i] = right;
	}
	unregister_kretprobe(&rp);
	/* and without it the steps are plain ones */
	lw_test_often(lw_test_saves_three);
	KUNIT_EXPECT_TRUE(test, behind.settled && behind.met);
	KUNIT_EXPECT_FALSE(test, behind.step[0]);
	behind.nr = 0;
}

static u64 word_of(unsigned long ip)
{
	u64 *at = place_of(ip);
	u64 word = at ? READ_ONCE(*at) : 0;

	return word >> 32 == (u32)ip ? word : 0;
}

/* A word that has settled is not written any more; the table is as it was. */
static void settles(struct kunit *test)
{
	unsigned int i, nr = 0;
	unsigned long ip[FRAMES];
	u64 before[FRAMES];

	learn();
	lw_test_often(lw_test_plain);
	for (; nr < seen.nr_fast; nr++) {
		ip[nr] = seen.fast[nr];
		before[nr] = word_of(ip[nr]);
		KUNIT_EXPECT_NE(test, before[nr], 0);
	}
	learn();
	lw_test_often(lw_test_plain);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_EQ(test, before[i], word_of(ip[i]));
	/* what lw_test_saves() and lw_test_varies() called */
	lw_test_often(lw_test_aligns_80);
	KUNIT_EXPECT_LT(test, word_of(seen.fast[1]) & U32_MAX, LW_SHAPE_VARIES);
	KUNIT_EXPECT_TRUE(test, word_of(seen.fast[2]) & LW_SHAPE_VARIES);
}

static void bars(struct kunit *test)
{
	unsigned long ip;

	learn();
	lw_test_often(lw_test_plain);
	ip = seen.slow[2];
	lw_walk_bar(&ip, 1);
	lw_test_often(lw_test_plain);
	KUNIT_EXPECT_FALSE(test, seen.whole);
	KUNIT_EXPECT_EQ(test, seen.nr_fast, 1);
	learn();
	lw_test_often(lw_test_plain);
	KUNIT_EXPECT_FALSE(test, seen.whole);
	lw_walk_forget(THIS_MODULE, false);
	learn();
	lw_test_often(lw_test_plain);
	KUNIT_EXPECT_TRUE(test, seen.whole);
}

/* Return: whether the last capture can be known. */
static bool know(void)
{
	known = last;
	return known.nr;
}

/* Three times from one place: met the second time only. */
static noinline __noclone void thrice(struct kunit *test, void (*after_second)(void))
{
	unsigned int i, nr = 3;

	OPTIMIZER_HIDE_VAR(nr);
	for (i = 0; i < nr; i++) {
		lw_test_often(lw_test_plain);
		KUNIT_EXPECT_EQ_MSG(test, known.met, i == 1, "time %u", i);
		if (i == 1)
			after_second();
		else
			KUNIT_EXPECT_TRUE(test, know());
	}
}

static void another_step(void)
{
	known.step[2]++;
}

static void beyond_the_end(void)
{
	known.step[known.nr - 1] = U16_MAX;
}

/* A path is recognised by its steps where it is, and nowhere else. */
static void steps(struct kunit *test)
{
	learn();
	thrice(test, another_step);
	thrice(test, beyond_the_end);	/* not read */
	lw_test_often(lw_test_plain);
	KUNIT_EXPECT_TRUE(test, know());
	KUNIT_EXPECT_EQ(test, known.step[0], 0);
	/* nor where an address is not known */
	KUNIT_EXPECT_FALSE(test, garbled);
}

/* However they are rounded up, with KASAN to 32, there are two that are not the same. */
static const unsigned int bytes_below[] = { 16, 16, 48, 64, 48, 16 };

/* The first 64 times teach. */
static noinline __noclone unsigned int bytes_of(unsigned int time)
{
	return time < 64 ? 8 + time % 6 * 8 : bytes_below[(time - 64) % ARRAY_SIZE(bytes_below)];
}

static int by_bp(void)
{
	int i;

	for (i = 1; i < known.nr; i++)
		if (known.step[i] & STEP_BY_BP)
			return i;
	return 0;
}

/* After a round each of what would make it another path. */
static void spoil(unsigned int round)
{
	switch (round) {
	case 1:
		known.step[by_bp()] ^= 1 << STEP_GUESS;
		break;
	case 2:
		known.step[by_bp()]++;
		break;
	case 3:
		known.step[by_bp()] |= STEP_WORDS;	/* beyond the end: not read */
		break;
	case 4:
		known.step[by_bp()] &= ~STEP_WORDS;	/* below where the walk began: nor that */
		break;
	case 5:
		known.step[by_bp() + 1]++;
		break;
	case 6:
		known.step[known.nr - 1] = STEP_BY_BP - 1;
		break;
	case 7:
		known.frame[known.nr - 1]++;
		break;
	}
}

#define SPOILT	8

static noinline __noclone void after_aligned(struct kunit *test, unsigned int time)
{
	unsigned int round;

	if (time < 64)
		return;
	KUNIT_EXPECT_TRUE(test, seen.whole);
	expect_same(test);
	time -= 64;
	round = time / ARRAY_SIZE(bytes_below);
	KUNIT_EXPECT_EQ_MSG(test, known.met, time && !round, "time %u", time);
	round = (time + 1) / ARRAY_SIZE(bytes_below);	/* the next time's */
	if (time && !round)
		return;
	KUNIT_EXPECT_TRUE(test, know());
	KUNIT_EXPECT_GT(test, by_bp(), 0);
	spoil(round);
}

/* One with a frame that is aligned, and one that makes room as it likes, is recognised anywhere. */
static void aligned_steps(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 64 + SPOILT * ARRAY_SIZE(bytes_below); i++) {
		lw_test_line_below(bytes_of(i));
		after_aligned(test, i);
	}
	KUNIT_EXPECT_TRUE(test, word_of(seen.fast[1]) & LW_SHAPE_VARIES);
	KUNIT_EXPECT_NE(test, known.step[0], 0);
}

/* What proves something wrong that steps go by begins an era; what only adds to it does not. */
static void eras(struct kunit *test)
{
	unsigned long words[32] = {};
	struct frame frame = {
		.at = (unsigned long)words, .end = (unsigned long)&words[ARRAY_SIZE(words)],
		.bp = (unsigned long)&words[6],
	};
	unsigned long ip = _THIS_IP_;
	u32 era;

	learn();
	era = lw_walk_now();
	KUNIT_EXPECT_NE(test, era, 0);
	learn();
	teach(ip, &frame, frame.at + 64, frame.bp, atomic_read(&forgotten));
	teach(ip, &frame, frame.at + 64, frame.bp, atomic_read(&forgotten));
	KUNIT_EXPECT_EQ(test, word_of(ip) & (LW_SHAPE_WORDS | LW_SHAPE_VARIES), 8);
	KUNIT_EXPECT_EQ(test, lw_walk_now(), era);
	frame.bp += 2 * sizeof(long);
	teach(ip, &frame, frame.at + 80, frame.bp, atomic_read(&forgotten));
	KUNIT_EXPECT_NE(test, lw_walk_now(), era);
	era = lw_walk_now();
	frame.bp += 2 * sizeof(long);
	teach(ip, &frame, frame.at + 96, frame.bp, atomic_read(&forgotten));
	KUNIT_EXPECT_EQ(test, lw_walk_now(), era);
	KUNIT_EXPECT_TRUE(test, rely(ip, lw_walk_shape(ip)));
	KUNIT_EXPECT_TRUE(test, rely(ip, lw_walk_shape(ip)));
	KUNIT_EXPECT_FALSE(test, rely(ip, lw_walk_shape(ip) ^ LW_SHAPE_RELIED ^ 1));
	KUNIT_EXPECT_TRUE(test, word_of(ip) & LW_SHAPE_RELIED);
	teach(ip, &frame, frame.at + 96, frame.bp, atomic_read(&forgotten));
	KUNIT_EXPECT_EQ(test, lw_walk_now(), era);
	/* rbp is another */
	teach(ip, &frame, frame.at + 96, frame.at, atomic_read(&forgotten));
	KUNIT_EXPECT_NE(test, lw_walk_now(), era);
	KUNIT_EXPECT_FALSE(test, word_of(ip) & LW_SHAPE_RELIED);
	era = lw_walk_now();
	/* nobody goes by it */
	teach(ip, &frame, frame.at + 64, frame.at, atomic_read(&forgotten));
	KUNIT_EXPECT_EQ(test, lw_walk_now(), era);
	lw_walk_bar(&ip, 1);
	KUNIT_EXPECT_NE(test, lw_walk_now(), era);
	lw_walk_era = U32_MAX;
	lw_walk_doubt();
	KUNIT_EXPECT_NE(test, lw_walk_now(), 0);
	lw_walk_forget(THIS_MODULE, false);
}

static struct lw_path right;
static u32 met;

static noinline __noclone void lw_test_path_like(lw_what_t what, unsigned long call_site)
{
	met = lw_path_like_call(&path, call_site, what);
	barrier();
}

static noinline __noclone void lw_test_asks_like(lw_what_t what)
{
	lw_test_path_like(what, (unsigned long)_RET_IP_);
	barrier();
}

static u32 id;
static u64 word;

static noinline __noclone void before_time(struct kunit *test, unsigned int time)
{
	this_cpu_write(lw_walk_left, time == 6 ? 1 : 1000);
	switch (time) {
	case 7:
		KUNIT_EXPECT_EQ(test, lw_sites[id].era, lw_walk_now());
		/* the word is not looked at any more, or the kernel would be asked */
		word = word_of(right.frame[1]);
		*place_of(right.frame[1]) |= LW_SHAPE_BARRED;
		lw_stats_clear();
		break;
	case 8:
		KUNIT_EXPECT_EQ(test, lw_stat_read(LW_WALK_SLOW), 0);
		lw_depth_set(lw_depth);
		break;
	case 9:
		KUNIT_EXPECT_EQ(test, lw_stat_read(LW_WALK_SLOW), 1);
		*place_of(right.frame[1]) = word;
		break;
	}
}

static noinline __noclone void after_time(struct kunit *test, lw_what_t what, unsigned int time)
{
	if (time < 5 && met == LW_SITE_NOBODY) {
		right = path;
		id = lw_site_get(what, path.frame, path.nr, NULL);
		lw_site_meet_path(&lw_sites[id], path.place);
	} else if (time >= 5) {
		KUNIT_EXPECT_EQ_MSG(test, met, time == 8 ? LW_SITE_NOBODY : id, "time %u", time);
	}
}

/* Once a path was checked it is recognised by its steps alone, until there is a doubt. */
static void settled(struct kunit *test)
{
	lw_what_t what = lw_what_kmalloc(64, 0);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, lw_sites_init(LW_SITES_MIN), 0);
	migrate_disable();
	for (i = 0; i < 10; i++) {
		before_time(test, i);
		lw_test_asks_like(what);
		after_time(test, what, i);
	}
	migrate_enable();
	KUNIT_EXPECT_GT(test, right.nr, 3);
	lw_sites_exit();
	lw_walk_forget(THIS_MODULE, false);
}

/* Before the sixth time the caller's frame is made as long as two. */
static noinline __noclone void make_wrong(struct kunit *test, unsigned int time)
{
	if (time == 5) {
		right = path;
		KUNIT_ASSERT_GT(test, right.nr, 3);
		KUNIT_ASSERT_LT(test, word_of(right.frame[0]) & U32_MAX, LW_SHAPE_VARIES);
		*place_of(right.frame[0]) += word_of(right.frame[1]) & LW_SHAPE_WORDS;
		lw_stats_clear();
		this_cpu_write(lw_walk_left, 1);
	}
	memset(&path, 0, sizeof(path));
}

/* From then on it is slow, and right. */
static noinline __noclone void expect_right(struct kunit *test, unsigned int time)
{
	if (time < 5)
		return;
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_WALK_WRONG), 1);
	KUNIT_EXPECT_EQ(test, path.nr, right.nr);
	KUNIT_EXPECT_EQ(test, memcmp(path.frame, right.frame, right.nr * sizeof(long)), 0);
	KUNIT_EXPECT_TRUE(test, word_of(right.frame[0]) & LW_SHAPE_BARRED);
}

/* A wrong word is found by the check, counted and barred; the path is the kernel's. */
static void wrong(struct kunit *test)
{
	unsigned int i;

	migrate_disable();
	for (i = 0; i < 8; i++) {
		make_wrong(test, i);
		lw_test_asks_once();
		expect_right(test, i);
	}
	migrate_enable();
	KUNIT_EXPECT_EQ(test, lw_stats_lost(), 1);
	lw_walk_forget(THIS_MODULE, false);
}

/* Whatever the words are: no fault, and no step outside of the stack. */
static void poison(struct kunit *test)
{
	unsigned long low = (unsigned long)task_stack_page(current);
	struct rnd_state random;
	unsigned int i, k, nr;
	unsigned long ip[FRAMES];
	u64 was[FRAMES];

	prandom_seed_state(&random, 4711);
	learn();
	lw_test_often(lw_test_aligns_80);
	nr = seen.nr_fast;
	KUNIT_ASSERT_GT(test, nr, 5);
	for (i = 0; i < nr; i++) {
		ip[i] = seen.fast[i];
		was[i] = word_of(ip[i]);
	}
	for (k = 0; k < 5000; k++) {
		u32 mask = prandom_u32_state(&random);
		struct lw_walk walk;
		unsigned int step = 0;
		u64 word;

		if (k % 4)		/* few bits */
			mask &= prandom_u32_state(&random) & prandom_u32_state(&random);
		i = prandom_u32_state(&random) % nr;
		for (; i < nr; i += 1 + prandom_u32_state(&random) % 4)
			*place_of(ip[i]) = (was[i] >> 32) << 32 | ((u32)was[i] ^ mask);
		lw_walk_begin(&walk, lw_walk_here());
		while (step++ < FRAMES) {
			word = lw_walk_see(&walk);
			if (!lw_walk_next(&walk, word))
				break;
			if (walk.at < low || walk.at > low + THREAD_SIZE || walk.at & 7)
				KUNIT_FAIL(test, "outside: %lx", walk.at);
		}
		capture();
		for (i = 0; i < nr; i++)
			*place_of(ip[i]) = was[i];
	}
}

/* What is no address is not known. */
static void garbage(struct kunit *test)
{
	static const unsigned long ips[] = {
		0, 1, 0x500000000, 0xffffffff00000000, ~0UL, 0x1234567
	};
	struct lw_walk walk;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ips); i++) {
		KUNIT_ASSERT_TRUE(test, lw_walk_begin(&walk, lw_walk_here()));
		walk.ip = ips[i];
		KUNIT_EXPECT_EQ(test, lw_walk_kind(&walk, lw_walk_see(&walk)), LW_FRAME_TRAMPOLINE);
		KUNIT_EXPECT_FALSE(test, lw_walk_next(&walk, lw_walk_see(&walk)));
	}
	KUNIT_EXPECT_FALSE(test, lw_frame_stays(0x1234567));
	KUNIT_EXPECT_TRUE(test, lw_frame_stays((unsigned long)kfree + 5));
	KUNIT_EXPECT_TRUE(test, lw_frame_stays(_THIS_IP_));
}

/* Code that goes is forgotten, all other is not; a walk on its way meanwhile leaves nothing. */
static void forgets(struct kunit *test)
{
	unsigned long words[16] = {};
	struct frame frame = {
		.at = (unsigned long)words, .end = (unsigned long)&words[ARRAY_SIZE(words)],
	};
	unsigned int i, own = 0;
	int epoch;

	learn();
	lw_test_often(lw_test_plain);
	KUNIT_ASSERT_TRUE(test, seen.whole);
	lw_walk_forget(THIS_MODULE, true);
	for (i = 0; i < seen.nr_fast; i++)
		KUNIT_EXPECT_NE(test, word_of(seen.fast[i]), 0);
	epoch = atomic_read(&forgotten);
	lw_walk_forget(THIS_MODULE, false);
	for (i = 0; i < seen.nr_fast; i++) {
		if (within_module_core(seen.fast[i], THIS_MODULE)) {
			KUNIT_EXPECT_EQ(test, word_of(seen.fast[i]), 0);
			own++;
		} else {
			KUNIT_EXPECT_NE(test, word_of(seen.fast[i]), 0);
		}
	}
	KUNIT_EXPECT_GT(test, own, 1);
	teach(seen.fast[0], &frame, frame.at + 64, 0, epoch);
	KUNIT_EXPECT_EQ(test, word_of(seen.fast[0]), 0);
	teach(seen.fast[0], &frame, frame.at + 64, 0, epoch + 1);
	KUNIT_EXPECT_EQ(test, word_of(seen.fast[0]) & LW_SHAPE_WORDS, 8);
	lw_walk_forget(THIS_MODULE, false);
}

/* No room where an address would go: it stays with the slow walk. */
static void no_room(struct kunit *test)
{
	unsigned int i, slot;
	u64 was[PROBES];

	learn();
	lw_test_often(lw_test_plain);
	lw_walk_forget(THIS_MODULE, false);
	slot = lw_shape_slot(seen.slow[1]);
	for (i = 0; i < PROBES; i++) {
		u64 *at = &lw_shapes[(slot + i) & SLOT_MASK];

		was[i] = *at;
		if (!*at)
			*at = (u64)(i + 1) << 32 | NOT_KNOWN;
	}
	lw_test_often(lw_test_plain);
	KUNIT_EXPECT_FALSE(test, seen.whole);
	expect_same(test);
	for (i = 0; i < PROBES; i++)
		if (!was[i])
			lw_shapes[(slot + i) & SLOT_MASK] = 0;
	lw_test_often(lw_test_plain);
	KUNIT_EXPECT_TRUE(test, seen.whole);
}

/*
 * Several threads walk, and are recognised, while shapes are forgotten and taught again and eras
 * begin: what a fast walk says is what the slow one does, or it says nothing.
 */
struct walker {
	unsigned int nr;
	unsigned int of;
	unsigned long rounds;
	lw_what_t what;
	unsigned long whole;
	unsigned long known;
	unsigned long wrong;
	struct lw_path path;
	unsigned long slow[LW_DEPTH_MAX + LW_INNER_MAX];
};

static atomic_t walking;

/* Is that the stack from @call_site on, as far as it goes? */
static bool is_path(const struct walker *w, unsigned int nr_slow, unsigned long call_site,
		    const unsigned long *frame, unsigned int nr)
{
	unsigned int at = 0;

	while (at < nr_slow && w->slow[at] != call_site)
		at++;
	return nr && at + nr <= nr_slow && !memcmp(&w->slow[at], frame, nr * sizeof(long));
}

static noinline __noclone void race_capture(struct walker *w, unsigned long call_site)
{
	u32 site = lw_path_like_call(&w->path, call_site, w->what);
	unsigned int nr = lw_walk_slow(w->slow, ARRAY_SIZE(w->slow));

	if (site != LW_SITE_NOBODY) {
		w->known++;
		w->wrong += !is_path(w, nr, call_site, lw_site_frames(&lw_sites[site]),
				     lw_sites[site].nr_frames);
		return;
	}
	w->wrong += !is_path(w, nr, call_site, w->path.frame, w->path.nr);
	if (w->path.place == LW_PLACE_NONE)
		return;
	w->whole++;
	site = lw_site_get(w->what, w->path.frame, w->path.nr, NULL);
	lw_site_meet_path(&lw_sites[site], w->path.place);
}

static noinline __noclone void race_plain(struct walker *w)
{
	race_capture(w, _RET_IP_);
	barrier();
}

static noinline __noclone void race_aligns(struct walker *w)
{
	u8 room[64] __aligned(64);
	u8 *at = room;

	OPTIMIZER_HIDE_VAR(at);
	at[0] = 1;
	race_plain(w);
	asm volatile ("" : : "r" (at));
}

static noinline __noclone void race_varies(struct walker *w, unsigned int bytes)
{
	u8 *room = __builtin_alloca(bytes);

	OPTIMIZER_HIDE_VAR(room);
	room[0] = 1;
	if (bytes & 8)
		race_aligns(w);
	else
		race_plain(w);
	asm volatile ("" : : "r" (room));
}

static void walk_or_forget(void *arg)
{
	struct walker *w = arg;
	unsigned long i;

	if (w->nr) {
		for (i = 0; i < w->rounds; i++) {
			race_varies(w, 8 + i % 9 * 8);
			if (!(i % 16))
				cond_resched();
		}
		atomic_dec(&walking);
		return;
	}
	for (i = 0; atomic_read(&walking); i++) {
		if (i % 2)
			lw_walk_doubt();
		else
			lw_walk_forget(THIS_MODULE, false);
		usleep_range(100, 2000);
	}
	w->whole = i;
}

static void races(struct kunit *test)
{
	struct walker *w = kunit_kcalloc(test, 5, sizeof(*w), GFP_KERNEL);
	unsigned long whole = 0;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, w);
	KUNIT_ASSERT_EQ(test, lw_sites_init(1024), 0);
	for (i = 0; i < 5; i++)
		w[i] = (struct walker){ .nr = i, .of = 5, .rounds = race_many(20000),
					.what = lw_what_kmalloc(64, 0) };
	atomic_set(&walking, 4);
	race(test, 5, walk_or_forget, w, sizeof(*w));
	for (i = 1; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, w[i].wrong, 0);
		whole += w[i].whole;	/* they have the same paths: who is first walks it */
		KUNIT_EXPECT_GT(test, w[i].known, w[i].rounds / 10);
	}
	kunit_info(test, "%lu times disturbed; of %lu walks %lu known, of all %lu walked fast\n",
		   w[0].whole, w[1].rounds, w[1].known, whole);
	KUNIT_EXPECT_GT(test, whole, 0);
	KUNIT_EXPECT_GT(test, w[0].whole, 4);
	KUNIT_EXPECT_EQ(test, lw_stat_read(LW_WALK_WRONG), 0);
	lw_sites_exit();
	lw_walk_forget(THIS_MODULE, false);
}

#endif

#if defined(LW_STACK_ORC) || defined(LW_STACK_RECORDS)

static void doubt_often(void *arg)
{
	unsigned long i, *nr = arg;
	u32 era, before = lw_walk_now();

	for (i = 0; i < race_many(20000); i++) {
		lw_walk_doubt();
		era = lw_walk_now();
		*nr += era - before - 1 < U32_MAX / 2;	/* it has gone on */
		before = era;
	}
}

/* However many doubt at once: each has an era of its own, and none comes back. */
static void doubts(struct kunit *test)
{
	unsigned long forward[4] = {}, i;
	u32 era = lw_walk_now();

	race(test, ARRAY_SIZE(forward), doubt_often, forward, sizeof(*forward));
	for (i = 0; i < ARRAY_SIZE(forward); i++)
		KUNIT_EXPECT_EQ(test, forward[i], race_many(20000));
	KUNIT_EXPECT_EQ(test, lw_walk_now() - era, 4 * race_many(20000));
}

#endif

#ifdef LW_STACK_RECORDS

/*
 * Frame records as nobody keeps them: misaligned, in a ring, pointing below where the walk began or
 * beyond the end. Nothing outside of the stack is read, and whoever goes on gets to an end.
 */
static void bad_records(struct kunit *test)
{
	unsigned long record[8] = {}, at = (unsigned long)&record[2], low = (unsigned long)record;
	struct lw_walk walk, begun;
	unsigned int i, n;
	struct {
		unsigned long next;
		bool goes_on;
	} cases[] = {
		{ at, true },			/* itself */
		{ at - 2 * sizeof(long), true },	/* one before, which leads back */
		{ at + 1, true },		/* within, but misaligned */
		{ at + 4, true },
		{ low - 2 * sizeof(long), false },
		{ 0, false },
		{ ~0UL, false },
		{ ~0UL - 7, false },
		{ 0, false },			/* behind the last record that there can be */
	};

	KUNIT_ASSERT_TRUE(test, lw_walk_begin(&begun, lw_walk_here()));
	cases[ARRAY_SIZE(cases) - 1].next = begun.end + 1;
	begun.low = low;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		record[0] = at;
		record[1] = 0x1234567;
		record[2] = cases[i].next;
		record[3] = 0x1234567;
		barrier();
		walk = begun;
		walk.at = at;
		KUNIT_EXPECT_TRUE(test, lw_walk_next(&walk, 0));
		KUNIT_EXPECT_EQ(test, walk.at, cases[i].next);
		KUNIT_EXPECT_EQ(test, lw_walk_next(&walk, 0), cases[i].goes_on);
		for (n = 0; n < 4 * LW_DEPTH_MAX && lw_walk_next(&walk, 0); n++)
			;
	}
	/* the greatest depth ends what goes round and round */
	record[2] = at;
	barrier();
	walk = begun;
	walk.at = at;
	walk.ip = 0x1234567;
	for (i = 0; i < LW_DEPTH_MAX; i++)
		known.frame[i] = lw_stack_strip(record[3]);
	KUNIT_EXPECT_TRUE(test, lw_walk_by(&walk, known.frame, known.step, LW_DEPTH_MAX));
	known.frame[LW_DEPTH_MAX - 1]++;
	KUNIT_EXPECT_FALSE(test, lw_walk_by(&walk, known.frame, known.step, LW_DEPTH_MAX));
}

#endif

static struct kunit_case walk_cases[] = {
	KUNIT_CASE(slow_is_kernels),
	KUNIT_CASE(all_shapes),
	KUNIT_CASE(interrupts),
	KUNIT_CASE(checks_are_due),
	KUNIT_CASE(is_checked),
	KUNIT_CASE(trampoline),
#ifdef LW_STACK_ORC
	KUNIT_CASE(behind_trampoline),
	KUNIT_CASE(settles),
	KUNIT_CASE(steps),
	KUNIT_CASE(aligned_steps),
	KUNIT_CASE(eras),
	KUNIT_CASE(settled),
	KUNIT_CASE(bars),
	KUNIT_CASE(wrong),
	KUNIT_CASE(poison),
	KUNIT_CASE(garbage),
	KUNIT_CASE(forgets),
	KUNIT_CASE(no_room),
	KUNIT_CASE(races),
#endif
#if defined(LW_STACK_ORC) || defined(LW_STACK_RECORDS)
	KUNIT_CASE(doubts),
#endif
#ifdef LW_STACK_RECORDS
	KUNIT_CASE(bad_records),
#endif
	{}
};

static struct kunit_suite walk_suite = {
	.name = "leakwatch_walk",
	.init = walk_test_init,
	.test_cases = walk_cases,
};

kunit_test_suite(walk_suite);

MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of control: the lines that one writes there, and the filter. */
#include <kunit/test.h>
#include <linux/module.h>
#undef pr_fmt
#include "../module/report/control.c"

/* Starting and stopping, which need hooks, are only noted; and fail when a test says so. */
static unsigned int nr_starts, nr_stops, nr_forgets;
static int start_error;

/* So is a change of mode, which needs them too. */
int lw_mode_set(u32 rate)
{
	lw_sample_set(rate);
	return 0;
}

int lw_start(void)
{
	nr_starts++;
	if (!start_error)
		lw_watch_start();
	return start_error;
}

void lw_stop(void)
{
	if (!lw_watch_on())
		return;
	nr_stops++;
	lw_watch_stop();
}

void lw_forget(void)
{
	nr_forgets++;
}

static const struct lw_settings defaults = { .rows = 40, .rate = LW_RATE_DEFAULT };

static int control_test_init(struct kunit *test)
{
	lw_settings = defaults;
	lw_sample_set(0);
	lw_stacks = LW_STACKS_ALL;
	lw_depth = 16;
	nr_starts = 0;
	nr_stops = 0;
	nr_forgets = 0;
	start_error = 0;
	lw_interval = 10;
	return lw_sites_init(512) ?: lw_mark_init() ?: lw_history_init(8);
}

static void control_test_exit(struct kunit *test)
{
	lw_history_halt();
	lw_history_exit();
	lw_mark_exit();
	lw_sites_exit();
}

/* As a write of it: without what surrounds it. */
static int tell(const char *text)
{
	char line[LINE_MAX];

	strscpy(line, text, sizeof(line));
	return obey(strim(line));
}

static void good_lines(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tell("stacks off"), 0);
	KUNIT_EXPECT_EQ(test, lw_stacks, LW_STACKS_OFF);
	KUNIT_EXPECT_EQ(test, tell("  stacks \t all\n"), 0);
	KUNIT_EXPECT_EQ(test, lw_stacks, LW_STACKS_ALL);
	KUNIT_EXPECT_EQ(test, tell("depth 1"), 0);
	KUNIT_EXPECT_EQ(test, lw_depth, 1);
	KUNIT_EXPECT_EQ(test, tell("depth\t32\n"), 0);
	KUNIT_EXPECT_EQ(test, lw_depth, 32);
	KUNIT_EXPECT_EQ(test, tell("rows 0"), 0);
	KUNIT_EXPECT_EQ(test, lw_settings.rows, 0);
	KUNIT_EXPECT_EQ(test, tell("rows 131072"), 0);
	KUNIT_EXPECT_EQ(test, lw_settings.rows, 131072);
	KUNIT_EXPECT_EQ(test, tell("interval 3600"), 0);
	KUNIT_EXPECT_EQ(test, lw_interval, 3600);
	KUNIT_EXPECT_EQ(test, tell("interval 1"), 0);
	KUNIT_EXPECT_EQ(test, lw_interval, 1);
	KUNIT_EXPECT_EQ(test, tell("site 3"), 0);
	KUNIT_EXPECT_EQ(test, lw_settings.site, 3);
	KUNIT_EXPECT_EQ(test, tell("site 0"), 0);
	KUNIT_EXPECT_EQ(test, lw_settings.site, 0);
}

static void modes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tell("mode sampled"), 0);
	KUNIT_EXPECT_EQ(test, lw_sample_rate, LW_RATE_DEFAULT);
	KUNIT_EXPECT_EQ(test, tell("mode sampled"), 0);
	KUNIT_EXPECT_EQ(test, tell("sample_bytes 4096"), 0);
	KUNIT_EXPECT_EQ(test, lw_sample_rate, 1);
	KUNIT_EXPECT_EQ(test, tell("mode exact"), 0);
	KUNIT_EXPECT_EQ(test, lw_sample_rate, 0);
	/* not drawn at until the mode says so */
	KUNIT_EXPECT_EQ(test, tell("sample_bytes 8192"), 0);
	KUNIT_EXPECT_EQ(test, lw_sample_rate, 0);
	KUNIT_EXPECT_EQ(test, tell("mode sampled"), 0);
	KUNIT_EXPECT_EQ(test, lw_sample_rate, 2);
}

static void good_filters(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tell("filter cache kmalloc-128"), 0);
	KUNIT_EXPECT_EQ(test, lw_settings.filter, 'c');
	KUNIT_EXPECT_STREQ(test, lw_settings.text, "kmalloc-128");
	KUNIT_EXPECT_EQ(test, tell("filter cache a name"), 0);
	KUNIT_EXPECT_STREQ(test, lw_settings.text, "a name");
	KUNIT_EXPECT_EQ(test, tell("filter module 1234567890123456789012345678901"), 0);
	KUNIT_EXPECT_EQ(test, lw_settings.filter, 'm');
	KUNIT_EXPECT_EQ(test, strlen(lw_settings.text), 31);
	KUNIT_EXPECT_EQ(test, tell("filter pid 0"), 0);
	KUNIT_EXPECT_EQ(test, lw_settings.filter, 'p');
	KUNIT_EXPECT_EQ(test, lw_settings.number, 0);
	KUNIT_EXPECT_EQ(test, tell("filter size 2147483647"), 0);
	KUNIT_EXPECT_EQ(test, lw_settings.filter, 's');
	KUNIT_EXPECT_EQ(test, lw_settings.number, INT_MAX);
	KUNIT_EXPECT_EQ(test, tell("filter none"), 0);
	KUNIT_EXPECT_EQ(test, lw_settings.filter, 0);
}

static const char * const bad_lines[] = {
	"", "x", "deep 3", "Depth 3", "depths 3", "=", "depth=3",
	"stacks", "stacks on", "stacks all off", "stacks ALL", "stacks 1",
	"depth", "depth 0", "depth 33", "depth -1", "depth 4x", "depth x", "depth 0x10",
	"depth 4 5", "depth 99999999999999999999", "depth 4294967297",
	"mode", "mode some", "mode Exact", "mode exact now", "mode sampled 4096",
	"sample_bytes", "sample_bytes 0", "sample_bytes 2048", "sample_bytes 5000",
	"sample_bytes 2147483648", "sample_bytes -4096", "sample_bytes 4k", "sample_bytes 4096 1",
	"rows", "rows -1", "rows 131073", "rows all", "rows 1 2",
	"interval", "interval 0", "interval 3601", "interval 5 s", "interval -1", "interval fast",
	"site", "site 511", "site -1", "site 1 2", "site x",
	"filter", "filter none x", "filter cache", "filter module", "filter pid", "filter size",
	"filter pid -1", "filter pid x", "filter pid 1 2", "filter size 2147483648", "filter gfp 3",
	"filter cache 12345678901234567890123456789012",
	"mark", "mark nosuch", "mark drop", "mark drop nosuch", "mark drop default",
	"mark default now",
	"start now", "stop it", "clear all", "audit now", "starts", "star",
};

/* A bad line is refused, and nothing has changed. */
static void refusals(struct kunit *test)
{
	int i, round;

	for (round = 0; round < 2; round++) {
		struct lw_settings before = lw_settings;
		unsigned int depth = lw_depth;
		unsigned int stacks = lw_stacks;

		for (i = 0; i < ARRAY_SIZE(bad_lines); i++) {
			const char *line = bad_lines[i];

			KUNIT_EXPECT_EQ_MSG(test, tell(line), -EINVAL, "'%s'", line);
			KUNIT_EXPECT_EQ_MSG(test, memcmp(&lw_settings, &before, sizeof(before)), 0,
					    "'%s'", line);
			KUNIT_EXPECT_EQ_MSG(test, lw_depth, depth, "'%s'", line);
			KUNIT_EXPECT_EQ_MSG(test, lw_stacks, stacks, "'%s'", line);
			KUNIT_EXPECT_EQ_MSG(test, nr_starts + nr_stops, 0, "'%s'", line);
		}
		KUNIT_ASSERT_EQ(test, tell("filter pid 12"), 0);
		KUNIT_ASSERT_EQ(test, tell("stacks off") + tell("depth 3"), 0);
	}
}

static void verbs_and_state(struct kunit *test)
{
	lw_watch_stop();
	KUNIT_EXPECT_EQ(test, tell("start"), 0);
	KUNIT_EXPECT_TRUE(test, lw_watch_on());
	KUNIT_EXPECT_EQ(test, nr_starts, 1);
	KUNIT_EXPECT_EQ(test, tell("start\n"), 0);	/* it is started: nothing is forgotten */
	KUNIT_EXPECT_EQ(test, nr_starts, 1);
	KUNIT_EXPECT_EQ(test, tell("clear"), 0);
	KUNIT_EXPECT_TRUE(test, lw_watch_on());
	KUNIT_EXPECT_EQ(test, nr_starts, 2);
	KUNIT_EXPECT_EQ(test, nr_stops, 1);
	KUNIT_EXPECT_EQ(test, tell("stop"), 0);
	KUNIT_EXPECT_FALSE(test, lw_watch_on());
	KUNIT_EXPECT_EQ(test, tell("stop"), 0);
	KUNIT_EXPECT_EQ(test, nr_stops, 2);
	/* what is cleared when stopped stays stopped, and no hook sees an instant of it */
	KUNIT_EXPECT_EQ(test, nr_forgets, 0);
	KUNIT_EXPECT_EQ(test, tell("clear"), 0);
	KUNIT_EXPECT_FALSE(test, lw_watch_on());
	KUNIT_EXPECT_EQ(test, nr_forgets, 1);
	KUNIT_EXPECT_EQ(test, nr_starts, 2);
	KUNIT_EXPECT_EQ(test, nr_stops, 2);
	/* frees were not heard: nothing can be proven of what is in the tables */
	KUNIT_EXPECT_EQ(test, tell("audit"), -EINVAL);
}

static void start_fails(struct kunit *test)
{
	lw_watch_stop();
	start_error = -EOPNOTSUPP;
	KUNIT_EXPECT_EQ(test, tell("start"), -EOPNOTSUPP);
	KUNIT_EXPECT_FALSE(test, lw_watch_on());
	start_error = 0;
	KUNIT_EXPECT_EQ(test, tell("start"), 0);
	start_error = -EOPNOTSUPP;
	KUNIT_EXPECT_EQ(test, tell("clear"), -EOPNOTSUPP);
	KUNIT_EXPECT_FALSE(test, lw_watch_on());
}

/* What can be read in control can be written there. */
static void shown(struct kunit *test)
{
	char *buf = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	struct seq_file seq = { .buf = buf, .size = PAGE_SIZE };

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_EQ(test, tell("filter cache kmalloc-64"), 0);
	KUNIT_ASSERT_EQ(test, tell("depth 7") + tell("rows 3"), 0);
	KUNIT_EXPECT_EQ(test, control_show(&seq, NULL), 0);
	KUNIT_EXPECT_LT(test, seq.count, PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, strstr(buf, LW_FORMAT "control: "), buf);
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "\nstacks       all  "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "\ndepth        7  "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "\nrows         3  "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "\nfilter       cache kmalloc-64  "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, "\n# start: "));
}

/* A mark is set while watching, and only then. */
static void mark_file(struct kunit *test)
{
	char *buf = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	struct seq_file seq = { .buf = buf, .size = PAGE_SIZE };

	KUNIT_ASSERT_NOT_NULL(test, buf);
	lw_watch_start();
	KUNIT_EXPECT_TRUE(test, lw_mark_is_start());
	KUNIT_EXPECT_EQ(test, mark_write(NULL, NULL, 7, NULL), -EFAULT);
	KUNIT_EXPECT_TRUE(test, lw_mark_is_start());
	/* too long for a name */
	KUNIT_EXPECT_EQ(test, mark_write(NULL, NULL, LINE_MAX, NULL), LINE_MAX);
	KUNIT_EXPECT_FALSE(test, lw_mark_is_start());
	KUNIT_EXPECT_EQ(test, mark_show(&seq, NULL), 0);
	KUNIT_EXPECT_PTR_EQ(test, strstr(buf, LW_FORMAT "mark: "), buf);
	KUNIT_EXPECT_NOT_NULL(test, strstr(buf, " by a write\n"));
	lw_watch_start();
	lw_watch_stop();
	KUNIT_EXPECT_EQ(test, mark_write(NULL, NULL, LINE_MAX, NULL), -EINVAL);
	KUNIT_EXPECT_TRUE(test, lw_mark_is_start());
}

static u32 site(lw_what_t what, unsigned long frame)
{
	return lw_site_get(what, &frame, 1, NULL);
}

static void filters(struct kunit *test)
{
	u32 here = site(lw_what_kmalloc(64, 0), (unsigned long)filters + 4);
	u32 core = site(lw_what_kmalloc(96, 0), (unsigned long)kfree + 4);
	u32 large = site(lw_what_kmalloc(4 * KMALLOC_MAX_CACHE_SIZE, 0),
			 (unsigned long)kfree + 4);
	u32 page = site(lw_what_pages(0, 0), (unsigned long)filters + 4);

	KUNIT_EXPECT_TRUE(test, lw_wanted(here) && lw_wanted(core) && lw_wanted(page));
	KUNIT_ASSERT_EQ(test, tell("filter module " KBUILD_MODNAME), 0);
	KUNIT_EXPECT_TRUE(test, lw_wanted(here) && lw_wanted(page));
	KUNIT_EXPECT_FALSE(test, lw_wanted(core));
	/* the whole name, not its beginning */
	KUNIT_ASSERT_EQ(test, tell("filter module leakwatch"), 0);
	KUNIT_EXPECT_FALSE(test, lw_wanted(here));
	KUNIT_ASSERT_EQ(test, tell("filter size 96"), 0);
	KUNIT_EXPECT_TRUE(test, lw_wanted(core));
	KUNIT_EXPECT_FALSE(test, lw_wanted(here) || lw_wanted(page));
	KUNIT_ASSERT_EQ(test, tell("filter cache (large)"), 0);
	KUNIT_EXPECT_TRUE(test, lw_wanted(large));
	KUNIT_EXPECT_FALSE(test, lw_wanted(here) || lw_wanted(page));
	KUNIT_ASSERT_EQ(test, tell("filter pid 100"), 0);
	KUNIT_EXPECT_FALSE(test, lw_wanted(here) || lw_wanted(core));	/* nobody asked */
	lw_site_widen(&lw_sites[here], 90);
	lw_site_widen(&lw_sites[here], 110);
	lw_site_widen(&lw_sites[core], 101);
	KUNIT_EXPECT_TRUE(test, lw_wanted(here));
	KUNIT_EXPECT_FALSE(test, lw_wanted(core));
	KUNIT_ASSERT_EQ(test, tell("filter pid 111"), 0);
	KUNIT_EXPECT_FALSE(test, lw_wanted(here));
	KUNIT_ASSERT_EQ(test, tell("filter none"), 0);
	KUNIT_EXPECT_TRUE(test, lw_wanted(here) && lw_wanted(core) && lw_wanted(page));
}

static struct kunit_case control_cases[] = {
	KUNIT_CASE(good_lines),
	KUNIT_CASE(modes),
	KUNIT_CASE(good_filters),
	KUNIT_CASE(refusals),
	KUNIT_CASE(verbs_and_state),
	KUNIT_CASE(start_fails),
	KUNIT_CASE(shown),
	KUNIT_CASE(mark_file),
	KUNIT_CASE(filters),
	{}
};

static struct kunit_suite control_suite = {
	.name = "leakwatch_control",
	.init = control_test_init,
	.exit = control_test_exit,
	.test_cases = control_cases,
};

kunit_test_suite(control_suite);

MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of name: frames as text, and of modules that go.
 *
 * The module that goes is a made-up one that owns a part of this one's code.
 */
#include <kunit/test.h>
#include <linux/module.h>

/* A suite is run by a notifier of modules: none can be added meanwhile. */
static struct notifier_block *added;

static int add_notifier(struct notifier_block *notifier)
{
	added = notifier;
	return 0;
}

static void remove_notifier(struct notifier_block *notifier)
{
	added = added == notifier ? NULL : ERR_PTR(-ENOENT);
}

#undef pr_fmt
#define register_module_notifier	add_notifier
#define unregister_module_notifier	remove_notifier
#include "../module/track/name.c"

#define MOD	"[" KBUILD_MODNAME "]"

static struct module *leaver;

static int name_test_init(struct kunit *test)
{
	leaver = kunit_kzalloc(test, sizeof(*leaver), GFP_KERNEL);
	if (!leaver)
		return -ENOMEM;
	strscpy(leaver->name, "leaver", sizeof(leaver->name));
	return lw_sites_init(512) ?: lw_names_init();
}

static void name_test_exit(struct kunit *test)
{
	lw_names_exit();
	KUNIT_EXPECT_NULL(test, added);
	KUNIT_EXPECT_NULL(test, names);
	full = false;
	lw_sites_exit();
}

/* Code to have frames in: three functions that stay and three that go. */
#define CODE(name)								\
	static noinline void name(void) { asm volatile (".skip 64, 0x90"); }

CODE(stays_one)
CODE(goes_one)
CODE(goes_two)

static unsigned long in(void (*function)(void))
{
	return (unsigned long)function + 5;
}

/* A frame of the core kernel. */
static unsigned long core(void)
{
	return (unsigned long)kfree + 5;
}

static void owns(bool init, void (*function)(void))
{
	struct module_layout *layout = init ? &leaver->init_layout : &leaver->core_layout;

	layout->base = (void *)function;
	layout->size = 64;
}

static u32 site_of(unsigned long a, unsigned long b, unsigned long c)
{
	unsigned long frames[] = { a, b, c };

	return lw_site_get(lw_what_kmalloc(64, 0), frames, 3, NULL);
}

static const char *text_of(struct kunit *test, u32 site, unsigned int i)
{
	char *text = kunit_kzalloc(test, LW_FRAME_TEXT, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, text);
	lw_frame_text(text, lw_site_frames(&lw_sites[site])[i]);
	return text;
}

static bool unloaded(u32 site)
{
	return lw_sites[site].state & LW_SITE_UNLOADED;
}

static void texts(struct kunit *test)
{
	char text[LW_FRAME_TEXT];

	KUNIT_EXPECT_PTR_EQ(test, added, &notifier);
	lw_frame_text(text, core());
	KUNIT_EXPECT_EQ(test, strncmp(text, "kfree+0x5/", 10), 0);
	KUNIT_EXPECT_NULL(test, strchr(text, '['));
	lw_frame_text(text, in(goes_one));
	KUNIT_EXPECT_EQ(test, strncmp(text, "goes_one+0x5/", 13), 0);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, MOD));
	/* numbers of names that there are not */
	lw_frame_text(text, 0);
	KUNIT_EXPECT_STREQ(test, text, "(unloaded code)");
	lw_frame_text(text, 1);
	KUNIT_EXPECT_STREQ(test, text, "(unloaded code)");
	lw_frame_text(text, NAMES_MAX - 1);
	KUNIT_EXPECT_STREQ(test, text, "(unloaded code)");
}

/* A module's frames keep their text, and are no addresses any more. */
static void going(struct kunit *test)
{
	u32 own = site_of(in(goes_one), core(), core());
	u32 below = site_of(core(), in(goes_one), in(stays_one));
	u32 other = site_of(in(stays_one), in(goes_one), core());
	u32 none = site_of(in(stays_one), core(), core());
	u32 call = lw_sites[own].parent;
	char *before = kunit_kzalloc(test, LW_FRAME_TEXT, GFP_KERNEL);
	lw_what_t what;

	KUNIT_ASSERT_NOT_NULL(test, before);
	lw_frame_text(before, in(goes_one));
	owns(false, goes_one);
	added->notifier_call(added, MODULE_STATE_GOING, leaver);

	KUNIT_EXPECT_TRUE(test, unloaded(own));
	KUNIT_EXPECT_TRUE(test, unloaded(call));
	KUNIT_EXPECT_TRUE(test, unloaded(below));	/* the kernel asked on its behalf */
	KUNIT_EXPECT_FALSE(test, unloaded(other));	/* another module's, that it called */
	KUNIT_EXPECT_FALSE(test, unloaded(none));
	KUNIT_EXPECT_STREQ(test, text_of(test, own, 0), before);
	KUNIT_EXPECT_STREQ(test, text_of(test, below, 1), before);
	KUNIT_EXPECT_STREQ(test, text_of(test, other, 1), before);
	KUNIT_EXPECT_LT(test, lw_site_frames(&lw_sites[own])[0], NAMES_MAX);
	KUNIT_EXPECT_EQ(test, lw_site_frames(&lw_sites[own])[1], core());
	KUNIT_EXPECT_EQ(test, lw_site_frames(&lw_sites[none])[0], in(stays_one));
	KUNIT_EXPECT_EQ(test, nr_names, 1);
	KUNIT_EXPECT_EQ(test, names[0].ip, 0);

	/* what has the same addresses next is another site, what has not is the same */
	KUNIT_EXPECT_NE(test, site_of(in(goes_one), core(), core()), own);
	KUNIT_EXPECT_NE(test, site_of(core(), in(goes_one), in(stays_one)), below);
	what = lw_what_kmalloc(64, 0);
	KUNIT_EXPECT_FALSE(test, lw_site_is_call(lw_site_met(what, 1), what, 1));
	KUNIT_EXPECT_EQ(test, site_of(in(stays_one), core(), core()), none);
}

/* The init section of a module that has come up goes alone, and that unloads nothing. */
static void coming_up(struct kunit *test)
{
	u32 init = site_of(in(goes_one), core(), core());
	u32 stays = site_of(in(goes_two), core(), core());

	owns(true, goes_one);
	owns(false, goes_two);
	added->notifier_call(added, MODULE_STATE_COMING, leaver);
	KUNIT_EXPECT_EQ(test, lw_site_frames(&lw_sites[init])[0], in(goes_one));
	added->notifier_call(added, MODULE_STATE_LIVE, leaver);
	KUNIT_EXPECT_LT(test, lw_site_frames(&lw_sites[init])[0], NAMES_MAX);
	KUNIT_EXPECT_EQ(test, lw_site_frames(&lw_sites[stays])[0], in(goes_two));
	KUNIT_EXPECT_FALSE(test, unloaded(init));
	KUNIT_EXPECT_FALSE(test, unloaded(stays));
	KUNIT_EXPECT_EQ(test, strncmp(text_of(test, init, 0), "goes_one+0x5/", 13), 0);

	/* then the module goes: what its init section asked for was its own too */
	memset(&leaver->init_layout, 0, sizeof(leaver->init_layout));
	added->notifier_call(added, MODULE_STATE_GOING, leaver);
	KUNIT_EXPECT_TRUE(test, unloaded(stays));
	KUNIT_EXPECT_EQ(test, nr_names, 2);
}

static void twice(struct kunit *test)
{
	u32 own = site_of(in(goes_one), in(goes_two), core());

	owns(false, goes_one);
	added->notifier_call(added, MODULE_STATE_GOING, leaver);
	KUNIT_EXPECT_EQ(test, lw_site_frames(&lw_sites[own])[1], in(goes_two));
	owns(false, goes_two);
	added->notifier_call(added, MODULE_STATE_GOING, leaver);
	KUNIT_EXPECT_EQ(test, strncmp(text_of(test, own, 0), "goes_one+0x5/", 13), 0);
	KUNIT_EXPECT_EQ(test, strncmp(text_of(test, own, 1), "goes_two+0x5/", 13), 0);
	KUNIT_EXPECT_EQ(test, nr_names, 2);
	KUNIT_EXPECT_TRUE(test, unloaded(own));
}

/* This module's own going is no news. */
static void itself(struct kunit *test)
{
	u32 own = site_of(in(goes_one), core(), core());

	added->notifier_call(added, MODULE_STATE_GOING, THIS_MODULE);
	KUNIT_EXPECT_EQ(test, lw_site_frames(&lw_sites[own])[0], in(goes_one));
	KUNIT_EXPECT_FALSE(test, unloaded(own));
}

/* Without room for names frames are replaced nevertheless. */
static void too_many(struct kunit *test)
{
	unsigned long frame;
	unsigned int i;
	u32 own = 0;

	if (IS_ENABLED(CONFIG_KASAN))
		kunit_skip(test, "40 s, as each name is compared with all before");
	lw_sites_exit();
	KUNIT_ASSERT_EQ(test, lw_sites_init(32768), 0);
	for (i = 0; i < NAMES_MAX + 10; i++) {
		frame = (unsigned long)goes_one + i;
		own = lw_site_get(lw_what_kmalloc(64, 0), &frame, 1, NULL);
	}
	owns(false, goes_one);
	leaver->core_layout.size = NAMES_MAX + 10;
	added->notifier_call(added, MODULE_STATE_GOING, leaver);
	KUNIT_EXPECT_EQ(test, nr_names, NAMES_MAX - 1);
	KUNIT_EXPECT_STREQ(test, text_of(test, own, 0), "(unloaded code)");
	KUNIT_EXPECT_TRUE(test, unloaded(own));
}

static struct kunit_case name_cases[] = {
	KUNIT_CASE(texts),
	KUNIT_CASE(going),
	KUNIT_CASE(coming_up),
	KUNIT_CASE(twice),
	KUNIT_CASE(itself),
	KUNIT_CASE(too_many),
	{}
};

static struct kunit_suite name_suite = {
	.name = "leakwatch_name",
	.init = name_test_init,
	.exit = name_test_exit,
	.test_cases = name_cases,
};

kunit_test_suite(name_suite);

MODULE_LICENSE("GPL");

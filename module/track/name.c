// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <leakwatch/frame.h>
#include <leakwatch/lock.h>
#include <leakwatch/name.h>
#include <leakwatch/sample.h>
#include <leakwatch/site.h>
#include <leakwatch/walk.h>

#define NAMES_MAX	16384U	/* as frames, below any address */
#define NAMES_A_STEP	64U

struct name {
	unsigned long ip;	/* while its module is being looked at, then 0 */
	char *text;
};

static struct name *names;
static unsigned int nr_names;
static bool full;

DEFINE_MUTEX(lw_lock);		/* see lock.h */

void lw_frame_text(char *text, unsigned long frame)
{
	const char *saved = "(unloaded code)";

	if (frame && frame <= nr_names)
		saved = names[frame - 1].text;
	if (frame < NAMES_MAX)
		strscpy(text, saved, LW_FRAME_TEXT);
	else if (lw_frame_kind(frame) == LW_FRAME_TRAMPOLINE)
		/* not called from anywhere */
		snprintf(text, LW_FRAME_TEXT, "%pS", (void *)frame);
	else
		snprintf(text, LW_FRAME_TEXT, "%pB", (void *)frame);
}

/* Return: what stands for @ip from now on. */
static unsigned long save(unsigned long ip)
{
	char text[LW_FRAME_TEXT];
	struct name *more;
	unsigned int i;

	for (i = nr_names; i && names[i - 1].ip; i--)
		if (names[i - 1].ip == ip)
			return i;
	if (nr_names == NAMES_MAX - 1)
		goto fail;
	if (!(nr_names % NAMES_A_STEP)) {
		more = krealloc(names, (nr_names + NAMES_A_STEP) * sizeof(*names), GFP_KERNEL);
		if (!more)
			goto fail;
		names = more;
	}
	lw_frame_text(text, ip);
	names[nr_names].ip = ip;
	names[nr_names].text = kstrdup(text, GFP_KERNEL);
	if (!names[nr_names].text)
		goto fail;
	return ++nr_names;
fail:
	if (!full)
		pr_warn("no room for the names of unloaded code, some frames will have none\n");
	full = true;
	return 0;	/* "(unloaded code)" */
}

static bool covers(struct module *mod, bool init_only, unsigned long ip)
{
	return within_module_init(ip, mod) || (!init_only && within_module_core(ip, mod));
}

static bool is_covered(unsigned long frame, struct module *mod, bool init_only)
{
	return frame >= NAMES_MAX && covers(mod, init_only, frame);
}

static bool in_a_module(unsigned long frame)
{
	char text[LW_FRAME_TEXT];

	lw_frame_text(text, frame);
	return strchr(text, '[');
}

/*
 * Save the names of what is about to go. What then has the same addresses is another site.
 *
 * Return: whether the site is the module's: the innermost frame on its path that belongs to any
 * module belongs to this one.
 */
static bool save_site(struct lw_site *site, struct module *mod, bool init_only)
{
	unsigned long *frame = lw_site_frames(site);
	unsigned int first, i;
	bool own = true;

	for (first = 0; first < site->nr_frames; first++)
		if (is_covered(frame[first], mod, init_only))
			break;
	if (first == site->nr_frames)
		return false;
	for (i = 0; i < first && own; i++)
		own = !in_a_module(frame[i]);
	lw_site_retire(site - lw_sites);
	for (i = first; i < site->nr_frames; i++)
		if (is_covered(frame[i], mod, init_only))
			WRITE_ONCE(frame[i], save(frame[i]));
	WRITE_ONCE(site->call, frame[0]);
	return own;
}

static void gone(struct module *mod, bool init_only)
{
	long objects = 0, bytes = 0, pages = 0, buffers = 0;
	bool estimated = false;
	struct lw_count count;
	struct lw_site *site;
	unsigned int i;
	long live;
	u32 id;

	for (id = 1; id < lw_sites_end(); id++) {
		site = &lw_sites[id];
		if (!lw_site_live(site) || !save_site(site, mod, init_only) || init_only)
			continue;
		WRITE_ONCE(site->state, LW_SITE_READY | LW_SITE_UNLOADED);
		lw_site_counts(id, &count);
		live = count.allocs - count.frees - atomic_read(&lw_flaws[id].lost);
		estimated |= live && lw_what_rate(site->what);
		live = lw_weigh(live, lw_site_weight(site));
		if (lw_what_class(site->what) == LW_PAGE) {
			pages += live;
		} else if (lw_what_class(site->what) == LW_BUFFER) {
			buffers += live * site->size >> PAGE_SHIFT;
		} else {
			objects += live;
			bytes += live * site->size;
		}
	}
	for (i = nr_names; i && names[i - 1].ip; i--)
		names[i - 1].ip = 0;
	if (objects || pages)
		pr_warn("module %s was unloaded and left %s%ld objects (%ld KB) and %ld pages (%ld KB)\n",
			mod->name, estimated ? "about " : "", objects, bytes >> 10, pages,
			pages << (PAGE_SHIFT - 10));
	if (buffers)
		pr_warn("module %s was unloaded and left buffers of %ld KB\n", mod->name,
			buffers << (PAGE_SHIFT - 10));
}

static int notify(struct notifier_block *nb, unsigned long state, void *mod)
{
	bool init_only = state == MODULE_STATE_LIVE;

	/* of our own only the init section: before the rest goes, we do not listen any more */
	if (state == MODULE_STATE_GOING && mod == THIS_MODULE)
		return NOTIFY_DONE;
	mutex_lock(&lw_lock);
	/* also when it comes: who was on his way out of what was there may have been met since */
	lw_walk_forget(mod, init_only);
	if (state == MODULE_STATE_LIVE || state == MODULE_STATE_GOING)
		gone(mod, init_only);
	mutex_unlock(&lw_lock);
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = notify };

int lw_names_init(void)
{
	return register_module_notifier(&notifier);
}

void lw_names_exit(void)
{
	unregister_module_notifier(&notifier);
	while (nr_names)
		kfree(names[--nr_names].text);
	kfree(names);
	names = NULL;
}

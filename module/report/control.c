// SPDX-License-Identifier: GPL-2.0
/* The two files that are written: control and mark. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/ratelimit.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <leakwatch/audit.h>
#include <leakwatch/buffers.h>
#include <leakwatch/history.h>
#include <leakwatch/lock.h>
#include <leakwatch/mark.h>
#include <leakwatch/name.h>
#include <leakwatch/path.h>
#include <leakwatch/report.h>
#include <leakwatch/sample.h>
#include <leakwatch/suspect.h>
#include <leakwatch/zoom.h>

#define ROWS_MAX	LW_MAX_SITES
#define LINE_MAX	65	/* with its ends, '\n' and 0 */

struct lw_settings lw_settings = { .rows = 40, .rate = LW_RATE_DEFAULT };

bool lw_wanted(u32 id)
{
	const struct lw_site *site = &lw_sites[id];
	char text[LW_FRAME_TEXT], suffix[sizeof(lw_settings.text) + 3];
	unsigned int i;

	switch (lw_settings.filter) {
	case 'c':
		return lw_what_class(site->what) == LW_SLAB &&
		       !strcmp(lw_site_cache(site), lw_settings.text);
	case 'm':
		snprintf(suffix, sizeof(suffix), "[%s]", lw_settings.text);
		for (i = 0; i < site->nr_frames; i++) {
			lw_frame_text(text, lw_site_frames(site)[i]);
			if (strstr(text, suffix))
				return true;
		}
		return false;
	case 'p':
		return site->pid_min >= 0 && lw_settings.number >= site->pid_min &&
		       lw_settings.number - site->pid_min <= site->pid_span;
	case 's':
		return site->size == lw_settings.number;
	case 'h':	/* which of them, buffers/live says */
		return lw_what_class(site->what) == LW_BUFFER;
	case 'b':
		return id == lw_settings.buffer_site;
	default:
		return true;
	}
}

/* Each setting: read what it is, write it, say what it may be. */

static int set_number(const char *value, unsigned int min, unsigned int max, unsigned int *to)
{
	unsigned int number;

	if (!value || kstrtouint(value, 10, &number) || number < min || number > max)
		return -EINVAL;
	WRITE_ONCE(*to, number);
	return 0;
}

static void show_stacks(struct seq_file *seq)
{
	seq_puts(seq, lw_stacks_name(lw_stacks));
}

static int set_stacks(char *value, char *rest)
{
	int stacks = rest || !value ? -EINVAL : lw_stacks_of_name(value);

	if (stacks < 0)
		return -EINVAL;
	WRITE_ONCE(lw_stacks, stacks);
	lw_suspects_zoom();
	return 0;
}

static void show_zoom(struct seq_file *seq)
{
	seq_printf(seq, "%u", lw_zoom_rate);
}

static int set_zoom(char *value, char *rest)
{
	return rest ? -EINVAL : set_number(value, 0, LW_ZOOM_RATE_MAX, &lw_zoom_rate);
}

static void show_mode(struct seq_file *seq)
{
	seq_puts(seq, lw_sampled() ? "sampled" : "exact");
}

/* Without hooks watching has ended. */
static int say_stopped(int err)
{
	if (err)
		pr_err("control: stopped, as hooks could not be attached (%d)\n", err);
	return err;
}

static int set_rate(u32 rate)
{
	return say_stopped(rate == lw_sample_rate ? 0 : lw_mode_set(rate));
}

static int set_mode(char *value, char *rest)
{
	if (rest || !value || (strcmp(value, "exact") && strcmp(value, "sampled")))
		return -EINVAL;
	return set_rate(*value == 's' ? lw_settings.rate : 0);
}

static void show_sample_bytes(struct seq_file *seq)
{
	seq_printf(seq, "%lu", lw_rate_bytes(lw_settings.rate));
}

static int set_sample_bytes(char *value, char *rest)
{
	unsigned long bytes;
	u32 rate;

	if (rest || !value || kstrtoul(value, 10, &bytes))
		return -EINVAL;
	rate = lw_rate_of_bytes(bytes);
	if (!rate)
		return -EINVAL;
	lw_settings.rate = rate;
	return lw_sampled() ? set_rate(rate) : 0;
}

static void show_depth(struct seq_file *seq)
{
	seq_printf(seq, "%u", lw_depth);
}

static int set_depth(char *value, char *rest)
{
	unsigned int depth;

	if (rest || set_number(value, 1, LW_DEPTH_MAX, &depth))
		return -EINVAL;
	lw_depth_set(depth);
	return 0;
}

static void show_rows(struct seq_file *seq)
{
	seq_printf(seq, "%u", lw_settings.rows);
}

static int set_rows(char *value, char *rest)
{
	return rest ? -EINVAL : set_number(value, 0, ROWS_MAX, &lw_settings.rows);
}

static void show_interval(struct seq_file *seq)
{
	seq_printf(seq, "%u", lw_interval);
}

/* What was sampled at another pace is forgotten. */
static int set_interval(char *value, char *rest)
{
	unsigned int seconds;

	if (rest || set_number(value, LW_INTERVAL_MIN, LW_INTERVAL_MAX, &seconds))
		return -EINVAL;
	if (seconds != lw_interval)
		lw_history_pace(seconds);
	return 0;
}

static void show_site(struct seq_file *seq)
{
	seq_printf(seq, "%u", lw_settings.site);
}

static int set_site(char *value, char *rest)
{
	return rest ? -EINVAL : set_number(value, 0, lw_sites_end() - 1, &lw_settings.site);
}

void lw_print_filter(struct seq_file *seq)
{
	switch (lw_settings.filter) {
	case 'c':
		seq_printf(seq, "cache %s", lw_settings.text);
		break;
	case 'm':
		seq_printf(seq, "module %s", lw_settings.text);
		break;
	case 'p':
		seq_printf(seq, "pid %d", lw_settings.number);
		break;
	case 's':
		seq_printf(seq, "size %d", lw_settings.number);
		break;
	case 'h':
		seq_printf(seq, "heap %s", lw_settings.text);
		break;
	case 'b':
		seq_printf(seq, "buffer %d", lw_settings.number);
		break;
	default:
		seq_puts(seq, "none");
	}
}

static bool is_heap(const char *name)
{
	unsigned int i;

	for (i = 0; i < LW_HEAPS; i++)
		if (!strcmp(lw_heap(i)->name, name))
			return true;
	return false;
}

/* Return: whether there is a buffer of that number; its site is noted. */
static bool find_buffer(unsigned int id)
{
	struct lw_buffer buffer;
	unsigned int at;

	for (at = 0; lw_buffers_next(&at, &buffer); at++)
		if (buffer.id == id) {
			lw_settings.buffer_site = buffer.site;
			return true;
		}
	return false;
}

static int set_filter(char *by, char *value)
{
	unsigned int number = 0;
	char filter = 0;

	if (!by)
		return -EINVAL;
	if (!strcmp(by, "none") && !value)
		filter = 0;
	else if ((!strcmp(by, "cache") || !strcmp(by, "module")) && value && *value &&
		 strlen(value) < sizeof(lw_settings.text))
		filter = *by;
	else if ((!strcmp(by, "pid") || !strcmp(by, "size")) &&
		 !set_number(value, 0, INT_MAX, &number))
		filter = *by;
	else if ((!strcmp(by, "heap") && value && *value && is_heap(value)) ||
		 (!strcmp(by, "buffer") && !set_number(value, 1, INT_MAX, &number) &&
		  find_buffer(number)))
		filter = *by;
	else
		return -EINVAL;
	lw_settings.filter = filter;
	lw_settings.number = number;
	strscpy(lw_settings.text, value ?: "", sizeof(lw_settings.text));
	return 0;
}

static void show_mark(struct seq_file *seq)
{
	seq_puts(seq, lw_mark_chosen());
}

static int set_mark(char *value, char *rest)
{
	if (!value || (rest && strcmp(value, "drop")))
		return -EINVAL;
	/* whatever is wrong with a name, it is not in the range */
	if (rest ? lw_mark_drop(rest) :
	    lw_mark_choose(strcmp(value, "latest") ? value : NULL))
		return -EINVAL;
	return 0;
}

static const struct setting {
	const char *name;
	const char *range;
	void (*show)(struct seq_file *seq);
	int (*set)(char *value, char *rest);
} settings[] = {
	{ "stacks", "all: whole paths; off: slab by call site alone; zoom: paths of what grows",
	  show_stacks, set_stacks },
	{ "zoom", "0 to 100000: paths a second, with stacks zoom", show_zoom, set_zoom },
	{ "mode", "exact: every event; sampled: some, drawn at random, the rest estimated",
	  show_mode, set_mode },
	{ "sample_bytes", LW_SAMPLE_RANGE, show_sample_bytes, set_sample_bytes },
	{ "depth", "1 to 32: frames of a path", show_depth, set_depth },
	{ "rows", "0 to 131072: rows of top, 0 for all", show_rows, set_rows },
	{ "interval", "1 to 3600: seconds between two samples; a change forgets those taken",
	  show_interval, set_interval },
	{ "site", "0 for all, or an ID of a call site: stacks show its paths alone", show_site,
	  set_site },
	{ "filter",
	  "none, cache <name>, module <name>, pid <number>, size <bytes>, heap <HEAP of buffers/heaps>, buffer <ID of buffers/live>",
	  lw_print_filter, set_filter },
	{ "mark", "latest, default, a name in mark, drop <name>: what MARK columns are since",
	  show_mark, set_mark },
};

static int do_stop(void)
{
	lw_stop();
	return 0;
}

static int do_start(void)
{
	return lw_watch_on() ? 0 : say_stopped(lw_start());
}

static int do_clear(void)
{
	bool on = lw_watch_on();

	lw_stop();
	if (on)
		return say_stopped(lw_start());
	lw_forget();
	return 0;
}

static int do_clear_keep(void)
{
	int err;

	lw_marks_keep(true);
	err = do_clear();
	lw_marks_keep(false);
	return err;
}

static int do_audit(void)
{
	if (lw_watch_on())
		return lw_audit_run();
	pr_err_ratelimited("control: stopped; an audit is made while watching\n");
	return -EINVAL;
}

static const struct verb {
	const char *name;
	const char *about;
	int (*run)(void);
} verbs[] = {
	{ "start", "attach the hooks; forgets what was, as frees went unseen meanwhile", do_start },
	{ "stop", "detach all hooks; tables stay as they are", do_stop },
	{ "audit", "drop what is provably gone, as its free was missed; see status", do_audit },
	{ "clear", "forget everything but the numbers of sites", do_clear },
	{ "clear-but-marks", "the same, but marks keep their times and all but sites",
	  do_clear_keep },
};

static int control_show(struct seq_file *seq, void *unused)
{
	int i;

	mutex_lock(&lw_lock);
	seq_puts(seq, LW_FORMAT "control: echo \"<name> <value>\" or one of the words below > control\n");
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		seq_printf(seq, "# %s: %s\n", verbs[i].name, verbs[i].about);
	seq_printf(seq, "%-12s %-24s %s\n", "NAME", "VALUE", "RANGE");
	seq_printf(seq, "%-12s %-24s %s\n", "state", lw_watch_on() ? "started" : "stopped",
		   "read only");
	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		size_t before = seq->count;

		seq_printf(seq, "%-12s ", settings[i].name);
		before = seq->count;
		settings[i].show(seq);
		seq_printf(seq, "%*s %s\n", (int)max_t(long, 0, 24 - (long)(seq->count - before)),
			   "", settings[i].range);
	}
	mutex_unlock(&lw_lock);
	return 0;
}

/* Take one line from user space, without what surrounds it. */
static char *take_line(const char __user *from, size_t count, char line[LINE_MAX])
{
	if (!count || count >= LINE_MAX)
		return ERR_PTR(-EINVAL);
	if (copy_from_user(line, from, count))
		return ERR_PTR(-EFAULT);
	line[count] = 0;
	/* a second line, or what is behind a NUL, would be part of a name, or nothing */
	if (strlen(line) != count)
		return ERR_PTR(-EINVAL);
	line = strim(line);
	return strchr(line, '\n') || strlen(line) > LINE_MAX - 2 ? ERR_PTR(-EINVAL) : line;
}

static int obey(char *line)
{
	char *name = strsep(&line, " \t"), *value;
	int i, err;

	if (line)
		line = skip_spaces(line);
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(name, verbs[i].name)) {
			if (!line)
				return verbs[i].run();
			pr_err_ratelimited("control: %s takes no value, there is '%s'\n", name,
					   line);
			return -EINVAL;
		}
	value = strsep(&line, " \t");
	if (line)
		line = skip_spaces(line);
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (!strcmp(name, settings[i].name)) {
			err = settings[i].set(value, line);
			if (err != -EINVAL)
				return err;
			pr_err_ratelimited("control: %s: '%s%s%s' is not in its range: %s\n", name,
					   value ?: "", line ? " " : "", line ?: "",
					   settings[i].range);
			return -EINVAL;
		}
	pr_err_ratelimited("control: there is no '%s'; read control for what there is\n", name);
	return -EINVAL;
}

static ssize_t control_write(struct file *file, const char __user *from, size_t count, loff_t *pos)
{
	char buf[LINE_MAX], *line = take_line(from, count, buf);
	int err;

	if (IS_ERR(line)) {
		pr_err_ratelimited("control: expected one line of 1 to %d characters\n",
				   LINE_MAX - 2);
		return PTR_ERR(line);
	}
	mutex_lock(&lw_lock);
	err = obey(line);
	mutex_unlock(&lw_lock);
	return err ?: count;
}

static int control_open(struct inode *inode, struct file *file)
{
	return single_open(file, control_show, NULL);
}

const struct file_operations lw_control_fops = {
	.owner = THIS_MODULE,
	.open = control_open,
	.read = seq_read,
	.write = control_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static void show_one_mark(const char *name, u64 seconds, bool at_start, bool chosen, void *arg)
{
	seq_printf(arg, "%-8llu %-15s %-6s %s\n", seconds, name, chosen ? "yes" : "no",
		   at_start ? "at the start" : "by a write");
}

static int mark_show(struct seq_file *seq, void *unused)
{
	mutex_lock(&lw_lock);
	seq_puts(seq, LW_FORMAT "mark: write a name, or anything else, and a baseline of MARK columns is now\n");
	seq_printf(seq, "# a name is of 1 to %d letters, digits, _, . and -, the first a letter; all else is for \"default\"\n",
		   LW_MARK_NAME - 1);
	seq_printf(seq, "%-8s %-15s %-6s %s\n", "AGE-S", "NAME", "CHOSEN", "SET");
	lw_marks_each(show_one_mark, seq);
	mutex_unlock(&lw_lock);
	return 0;
}

/* What is no name is for the default mark, as is "now". Return: 0 or an error, and it is logged. */
static int set_mark_now(const char *name)
{
	int err = 0;

	if (!lw_watch_on()) {
		pr_err_ratelimited("mark: stopped; a mark is set while watching\n");
		return -EINVAL;
	}
	if (lw_mark_is_name(name) && strcmp(name, "now"))
		err = lw_mark_set_named(name);
	else
		err = lw_mark_set();
	if (err == -ENOSPC) {
		pr_err_ratelimited("mark: there are %d marks; echo mark drop <name> > control\n",
				   LW_MARKS);
		return -EINVAL;
	}
	return err;
}

static ssize_t mark_write(struct file *file, const char __user *from, size_t count, loff_t *pos)
{
	char buf[LINE_MAX], *line = take_line(from, count, buf);
	int err;

	if (line == ERR_PTR(-EFAULT))
		return -EFAULT;
	mutex_lock(&lw_lock);
	err = set_mark_now(IS_ERR(line) ? "" : line);
	mutex_unlock(&lw_lock);
	return err ?: count;
}

static int mark_open(struct inode *inode, struct file *file)
{
	return single_open(file, mark_show, NULL);
}

const struct file_operations lw_mark_fops = {
	.owner = THIS_MODULE,
	.open = mark_open,
	.read = seq_read,
	.write = mark_write,
	.llseek = seq_lseek,
	.release = single_release,
};

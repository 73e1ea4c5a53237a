// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/poll.h>
#include <linux/string.h>
#include <compat/debugfs.h>
#include <compat/proc.h>
#include <leakwatch/dir.h>

#define NAME_MAX_LEN	32

static struct lw_dir top;
static unsigned int refused;
static char path[sizeof("/sys/kernel/debug/leakwatch") + NAME_MAX_LEN];

/*
 * In /proc one set of operations serves all files: each carries its own. A file that is open holds
 * the module, as in debugfs; /proc alone would let it go and wait for who is reading.
 */
static const struct file_operations *ops_of(const struct file *file)
{
	return lw_proc_data(file_inode(file));
}

static int proc_open_file(struct inode *inode, struct file *file)
{
	int err;

	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	err = ops_of(file)->open(inode, file);
	if (err)
		module_put(THIS_MODULE);
	return err;
}

static int proc_release_file(struct inode *inode, struct file *file)
{
	const struct file_operations *ops = ops_of(file);
	int err = ops->release ? ops->release(inode, file) : 0;

	module_put(THIS_MODULE);
	return err;
}

static ssize_t proc_read_file(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	const struct file_operations *ops = ops_of(file);

	return ops->read ? ops->read(file, to, size, pos) : -EINVAL;
}

static ssize_t proc_write_file(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	const struct file_operations *ops = ops_of(file);

	return ops->write ? ops->write(file, from, size, pos) : -EINVAL;
}

static loff_t proc_seek_file(struct file *file, loff_t to, int whence)
{
	const struct file_operations *ops = ops_of(file);

	return ops->llseek ? ops->llseek(file, to, whence) : -ESPIPE;
}

static __poll_t proc_poll_file(struct file *file, struct poll_table_struct *wait)
{
	const struct file_operations *ops = ops_of(file);

	return ops->poll ? ops->poll(file, wait) : DEFAULT_POLLMASK;
}

static const struct lw_proc_ops proc_ops = {
	.LW_PROC_OP(open) = proc_open_file,
	.LW_PROC_OP(release) = proc_release_file,
	.LW_PROC_OP(read) = proc_read_file,
	.LW_PROC_OP(write) = proc_write_file,
	.LW_PROC_OP(poll) = proc_poll_file,
	.LW_PROC_SEEK = proc_seek_file,
};

/* What the tables say about the kernel's addresses and processes is for root alone. */
struct lw_dir lw_dir_make(const char *name, const struct lw_dir *in)
{
	struct lw_dir dir = {};

	if (in->proc) {
		dir.proc = proc_mkdir_mode(name, 0700, in->proc);
		refused += !dir.proc;
	} else if (!IS_ERR_OR_NULL(in->debug)) {
		dir.debug = debugfs_create_dir(name, in->debug);
		if (!IS_ERR_OR_NULL(dir.debug))
			d_inode(dir.debug)->i_mode = S_IFDIR | 0700;
		else
			refused++;
	}
	return dir;
}

void lw_dir_file(const char *name, umode_t mode, const struct lw_dir *in,
		 const struct file_operations *fops)
{
	if (in->proc)
		refused += !proc_create_data(name, mode, in->proc, &proc_ops, (void *)fops);
	else if (!IS_ERR_OR_NULL(in->debug))
		refused += IS_ERR_OR_NULL(lw_debugfs_file(name, mode, in->debug, fops));
}

unsigned int lw_dir_refused(void)
{
	return refused;
}

/* /proc itself takes a second one of a name for a bug, and says so. */
static bool is_there(const char *name)
{
	struct path at;

	if (kern_path(name, 0, &at))
		return false;
	path_put(&at);
	return true;
}

static int init_proc(const char *name)
{
	if (strlen(name) > NAME_MAX_LEN || strchr(name, '/') || name[0] == '.') {
		pr_err("proc=%s is no name for a directory (1 to %d characters, no '/')\n", name,
		       NAME_MAX_LEN);
		return -EINVAL;
	}
	snprintf(path, sizeof(path), "/proc/%s", name);
	if (!is_there(path))
		top.proc = proc_mkdir_mode(name, 0700, NULL);
	if (top.proc)
		return 0;
	pr_err("no files: %s cannot be made, is there one?\n", path);
	return -EEXIST;
}

static int init_debug(void)
{
	int err;

	top.debug = debugfs_create_dir("leakwatch", NULL);
	if (IS_ERR_OR_NULL(top.debug)) {
		err = top.debug ? PTR_ERR(top.debug) : -ENOMEM;
		pr_err("no files: debugfs refused them (%d); proc=leakwatch puts them in /proc/leakwatch\n",
		       err);
		return err;
	}
	d_inode(top.debug)->i_mode = S_IFDIR | 0700;
	snprintf(path, sizeof(path), "/sys/kernel/debug/leakwatch");
	return 0;
}

int lw_dir_init(const char *proc, struct lw_dir *root)
{
	int err = *proc ? init_proc(proc) : init_debug();

	*root = top;
	return err;
}

void lw_dir_exit(void)
{
	if (top.proc)
		proc_remove(top.proc);
	else
		debugfs_remove_recursive(top.debug);
}

const char *lw_dir_path(void)
{
	return path;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * buffers/events: the life of buffers as it happens. Each reader has a place of its own among the
 * events; one that is slower than the ring is long is told how many it has lost.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <leakwatch/buffers.h>
#include <leakwatch/report.h>

#define LINE	160

/**
 * struct reader - who has the file open
 * @lock: of the rest
 * @at: the number of the next event for it
 * @line: what it is being given,
 * @len: how long that is,
 * @given: and how much of it has been given
 */
struct reader {
	struct mutex lock;	/* of the rest, as threads may share it */
	u64 at;
	char line[3 * LINE];
	size_t len;
	size_t given;
};

static void print(struct reader *reader, const struct lw_event *event, u64 lost)
{
	char comm[TASK_COMM_LEN];
	u32 ms;
	u64 s = div_u64_rem(lw_event_ms(event), MSEC_PER_SEC, &ms);

	reader->len = 0;
	reader->given = 0;
	if (lost)
		reader->len = scnprintf(reader->line, LINE, "# %llu events were lost here\n", lost);
	reader->len += scnprintf(reader->line + reader->len, LINE, "%9llu.%03u %7d %-15s %-7s ",
				 s, ms, event->pid, lw_comm_text(event->comm, comm),
				 lw_event_name(event->type));
	if (event->id)
		reader->len += scnprintf(reader->line + reader->len, LINE, "%6u %11llu %s\n",
					 event->id, event->bytes, lw_heap(event->heap)->name);
	else
		reader->len += scnprintf(reader->line + reader->len, LINE, "%6s %11s -\n",
					 "-", "-");
}

/* Return: whether there is something to give. */
static bool fill(struct reader *reader)
{
	struct lw_event event;
	u64 lost;

	if (reader->given < reader->len)
		return true;
	if (!lw_events_take(&reader->at, &event, &lost))
		return false;
	print(reader, &event, lost);
	return true;
}

/* As many lines as there are and fit; the rest of one that does not is given next time. */
static ssize_t give(struct reader *reader, char __user *to, size_t size)
{
	size_t done = 0, nr;

	while (done < size && fill(reader)) {
		nr = min(size - done, reader->len - reader->given);
		if (copy_to_user(to + done, reader->line + reader->given, nr))
			return done ?: -EFAULT;
		reader->given += nr;
		done += nr;
	}
	return done;
}

static bool is_ready(struct reader *reader)
{
	return READ_ONCE(reader->given) < READ_ONCE(reader->len) ||
	       lw_events_any(READ_ONCE(reader->at));
}

static ssize_t events_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	struct reader *reader = file->private_data;
	ssize_t done;

	if (!size)
		return 0;
	for (;;) {
		if (mutex_lock_interruptible(&reader->lock))
			return -ERESTARTSYS;
		done = give(reader, to, size);
		mutex_unlock(&reader->lock);
		if (done)
			return done;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(lw_events_wait, is_ready(reader)))
			return -ERESTARTSYS;
	}
}

static __poll_t events_poll(struct file *file, poll_table *wait)
{
	poll_wait(file, &lw_events_wait, wait);
	return is_ready(file->private_data) ? EPOLLIN | EPOLLRDNORM : 0;
}

static int events_open(struct inode *inode, struct file *file)
{
	struct reader *reader = kzalloc(sizeof(*reader), GFP_KERNEL);

	if (!reader)
		return -ENOMEM;
	mutex_init(&reader->lock);
	reader->len = scnprintf(reader->line, sizeof(reader->line), LW_FORMAT
				"buffers/events: the life of DMA-BUFs as it happens\n"
				"%13s %7s %-15s %-7s %6s %11s %s\n", "TIME", "PID", "COMM",
				"EVENT", "ID", "SIZE-B", "HEAP");
	file->private_data = reader;
	return nonseekable_open(inode, file);
}

static int events_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

const struct file_operations lw_buffers_events_fops = {
	.owner = THIS_MODULE,
	.open = events_open,
	.read = events_read,
	.poll = events_poll,
	.llseek = noop_llseek,
	.release = events_release,
};

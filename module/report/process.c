// SPDX-License-Identifier: GPL-2.0
/* user/processes: which process holds how much memory of its own. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <leakwatch/lock.h>
#include <leakwatch/mark.h>
#include <leakwatch/process.h>
#include <leakwatch/report.h>

static void print_process(struct seq_file *seq, const struct lw_process *process, bool walked,
			  bool marked)
{
	char text[TASK_COMM_LEN], growth[24];

	if (process->pid)
		seq_printf(seq, "%7d ", process->pid);
	else
		seq_printf(seq, "%7s ", "-");
	seq_printf(seq, "%-15s %9lld %9lld %9lld ", lw_comm_text(process->comm, text),
		   process->anon, process->swap, process->shmem);
	if (walked)
		seq_printf(seq, "%9llu ", process->dmabuf >> 10);
	else
		seq_printf(seq, "%9s ", "-");
	seq_printf(seq, "%11s ", lw_growth_text(&process->judged, growth, sizeof(growth)));
	if (marked)
		seq_printf(seq, "%9lld ", process->grown);
	else
		seq_printf(seq, "%9s ", "-");
	seq_printf(seq, "%5u %-7s ", process->nr, lw_verdict_name(process->judged.verdict));
	if (process->walked && !IS_ENABLED(CONFIG_HIGHPTE))
		seq_printf(seq, "%8lld %9lld %8lld\n", process->java, process->native,
			   process->stack);
	else
		seq_printf(seq, "%8s %9s %8s\n", "-", "-", "-");
}

static int processes_show(struct seq_file *seq, void *unused)
{
	struct lw_processes *now, *then;
	struct lw_holders *holders;
	unsigned int i, nr;
	bool walked;

	mutex_lock(&lw_lock);
	now = lw_processes_get();
	if (!now) {
		mutex_unlock(&lw_lock);
		return -ENOMEM;
	}
	nr = now->nr;
	holders = lw_holders_get(false);
	walked = holders && holders->walked;
	if (walked)
		lw_processes_hold(now, holders);
	then = lw_mark_processes();
	lw_processes_since(now, then);
	lw_print_head(seq, "user/processes", "memory that processes have for themselves");
	seq_printf(seq, "# %u processes; those younger than mark and %u samples: a row a name\n",
		   nr, LW_POINTS_MIN);
	if (walked && holders->skipped)
		seq_printf(seq, LW_SKIPPED, holders->skipped);
	if (now->left_out)
		seq_printf(seq, "# %u more: there was no room for them\n", now->left_out);
	if (now->skipped)
		seq_printf(seq, "# %u were busy: what they share is missing\n", now->skipped);
	if (then && then->skipped)
		seq_printf(seq, "# %u were busy at the mark: MARK-KB is without what they share\n",
			   then->skipped);
	if (now->files_left_out)
		seq_printf(seq, "# %u files in memory had no room: SHMEM-KB is too low\n",
			   now->files_left_out);
	if (lw_processes_refused())
		seq_printf(seq, "# %u have no history: there was no room for them\n",
			   lw_processes_refused());
	seq_printf(seq, "%7s %-15s %9s %9s %9s %9s %11s %9s %5s VERDICT %8s %9s %8s\n", "PID",
		   "COMM", "ANON-KB", "SWAP-KB", "SHMEM-KB", "DMABUF-KB", "GROWTH-KB/H", "MARK-KB",
		   "COUNT", "JAVA-KB", "NATIVE-KB", "STACK-KB");
	for (i = 0; i < now->nr; i++)
		print_process(seq, &now->process[i], walked, then);
	mutex_unlock(&lw_lock);
	if (holders)
		lw_holders_put(holders);
	lw_processes_put(now);
	return 0;
}

static int processes_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, processes_show, NULL, 64 << 10);
}

const struct file_operations lw_user_processes_fops = {
	.owner = THIS_MODULE,
	.open = processes_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

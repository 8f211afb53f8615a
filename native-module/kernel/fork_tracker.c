// SPDX-License-Identifier: GPL-2.0
#include "fork_tracker.h"

#include <linux/sched.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "overlay.h"

static struct tracepoint *fork_tracepoint;

static void forked(void *unused, struct task_struct *parent, struct task_struct *task)
{
	if (!task->mm || task->mm == current->mm)
		return;
	mitosis_overlay_forked(task);
}

static void find(struct tracepoint *tracepoint, void *found)
{
	if (!strcmp(tracepoint->name, "sched_process_fork"))
		*(struct tracepoint **)found = tracepoint;
}

int mitosis_fork_tracker_init(void)
{
	for_each_kernel_tracepoint(find, &fork_tracepoint);
	if (!fork_tracepoint) {
		pr_err("the kernel has no tracepoint sched_process_fork\n");
		return -ENOENT;
	}
	return tracepoint_probe_register(fork_tracepoint, forked, NULL);
}

void mitosis_fork_tracker_exit(void)
{
	tracepoint_probe_unregister(fork_tracepoint, forked, NULL);
	tracepoint_synchronize_unregister();
}

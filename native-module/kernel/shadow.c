// SPDX-License-Identifier: GPL-2.0
/*
 * Only kernel_clone() copies an mm, and it creates a process with it. Here the
 * arguments make the allocation of the pid fail, which comes after the copy of the
 * memory: the process is never visible, never runs and need not be reaped. A kprobe
 * takes a reference to the mm in between, where the registers are copied.
 */
#include "shadow.h"

#include <linux/kprobes.h>
#include <linux/ptrace.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "symbols.h"

struct shadow_clone {
	struct kernel_clone_args args;
	struct mm_struct *shadow;
};

/* Runs only if the kernel allocated a pid after all; then prepare fails. */
static int kill_clone(void *unused)
{
	send_sig(SIGKILL, current, 1);
	return 0;
}

/* Probe of copy_thread(task, args), which every clone of a process or thread calls. */
static int on_copy_thread(struct kprobe *probe, struct pt_regs *regs)
{
	struct task_struct *task = (void *)regs_get_kernel_argument(regs, 0);
	struct kernel_clone_args *args = (void *)regs_get_kernel_argument(regs, 1);

	if (args->fn == kill_clone) {
		mmget(task->mm);
		container_of(args, struct shadow_clone, args)->shadow = task->mm;
	}
	return 0;
}

/* Of the types that the probe takes its arguments as. */
static_assert(__same_type(copy_thread,
			  int(struct task_struct *, const struct kernel_clone_args *)));

static struct kprobe registers_probe = {
	.symbol_name = "copy_thread",
	.pre_handler = on_copy_thread,
};

struct mm_struct *mitosis_shadow_create(void)
{
	struct shadow_clone clone = {
		.args = {
			.flags = CLONE_FS | CLONE_FILES | CLONE_UNTRACED,
			.fn = kill_clone,
			/* More pids than the deepest PID namespace has: -EINVAL. */
			.set_tid_size = MAX_PID_NS_LEVEL + 2,
		},
	};
	pid_t pid = mitosis_clone(&clone.args);

	if (WARN_ON_ONCE(pid > 0)) {
		if (clone.shadow)
			mmput(clone.shadow);
		return ERR_PTR(-ENODEV);
	}
	if (clone.shadow)
		return clone.shadow;
	if (pid != -EINVAL)
		return ERR_PTR(pid);
	pr_err_ratelimited("prepare needs kprobes and ftrace: switch them on "
			   "(/sys/kernel/debug/kprobes/enabled, sysctl kernel.ftrace_enabled)\n");
	return ERR_PTR(-ENODEV);
}

int mitosis_shadow_init(void)
{
	int err = register_kprobe(&registers_probe);

	if (err)
		pr_err("cannot probe the kernel function copy_thread: error %d\n", err);
	return err;
}

void mitosis_shadow_exit(void)
{
	unregister_kprobe(&registers_probe);
}

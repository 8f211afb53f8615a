// SPDX-License-Identifier: GPL-2.0
/*
 * An mm is copied by kernel_clone() and nothing else, which makes a process for
 * it. This one is refused its pid, the next step after its memory: nobody sees
 * it, nobody has to reap it, and it never runs. Its mm is taken in between, when
 * its registers are copied.
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

/* Where a kernel gives it a pid after all: nothing can be prepared there. */
static int die(void *unused)
{
	send_sig(SIGKILL, current, 1);
	return 0;
}

/* copy_thread(task, args), which is called for every process and thread. */
static int copies_registers(struct kprobe *probe, struct pt_regs *regs)
{
	struct task_struct *task = (void *)regs_get_kernel_argument(regs, 0);
	struct kernel_clone_args *args = (void *)regs_get_kernel_argument(regs, 1);

	if (args->fn == die) {
		mmget(task->mm);
		container_of(args, struct shadow_clone, args)->shadow = task->mm;
	}
	return 0;
}

static struct kprobe registers_probe = {
	.symbol_name = "copy_thread",
	.pre_handler = copies_registers,
};

struct mm_struct *mitosis_shadow_create(void)
{
	struct shadow_clone clone = {
		.args = {
			.flags = CLONE_FS | CLONE_FILES | CLONE_UNTRACED,
			.fn = die,
			/* No namespace is so deep that a process has as many pids. */
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
	pr_err_ratelimited("no memory was copied: are kprobes or ftrace switched off (debug/kprobes/enabled, kernel.ftrace_enabled)?\n");
	return ERR_PTR(-ENODEV);
}

int mitosis_shadow_init(void)
{
	int err = register_kprobe(&registers_probe);

	if (err)
		pr_err("this kernel has no function copy_thread, or no kprobes (%d)\n",
		       err);
	return err;
}

void mitosis_shadow_exit(void)
{
	unregister_kprobe(&registers_probe);
}

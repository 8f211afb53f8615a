// SPDX-License-Identifier: GPL-2.0
/*
 * An mm is copied by kernel_clone() and nothing else, so a shadow is born as a
 * process. A worker is its parent, not the caller, who would have to reap it:
 * workers ignore SIGCHLD, so that the newborn's end leaves no zombie. It never
 * runs in user mode; its mm is taken before it runs at all.
 */
#include "shadow.h"

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/workqueue.h>

#include "births.h"
#include "symbols.h"

struct birth {
	struct work_struct work;
	struct completion done;
	struct mm_struct *parent;
	struct mm_struct *shadow;
	int error;
};

static struct workqueue_struct *midwives;

static int die(void *unused)
{
	spin_lock_irq(&current->sighand->siglock);
	/* Inherited from the worker, which ignores every signal. */
	current->sighand->action[SIGKILL - 1].sa.sa_handler = SIG_DFL;
	spin_unlock_irq(&current->sighand->siglock);
	send_sig(SIGKILL, current, 1);
	return 0;
}

static void give_birth(struct work_struct *work)
{
	struct birth *birth = container_of(work, struct birth, work);
	struct kernel_clone_args args = {
		.flags = CLONE_FS | CLONE_FILES | CLONE_UNTRACED,
		.exit_signal = SIGCHLD,
		.fn = die,
	};
	pid_t pid;

	kthread_use_mm(birth->parent);
	pid = mitosis_clone(&args);
	kthread_unuse_mm(birth->parent);
	birth->error = pid < 0 ? pid : 0;
	complete(&birth->done);	/* and `birth` is no more */
}

/* The newborn exists, and has not run. Called by whoever forked it. */
void mitosis_shadow_born(struct task_struct *newborn)
{
	struct work_struct *work = current_work();
	struct birth *birth;

	if (!work || work->func != give_birth)
		return;
	birth = container_of(work, struct birth, work);
	/* Bound to this CPU as its worker is, it would die before we go on. */
	set_cpus_allowed_ptr(newborn, cpu_possible_mask);
	mmget(newborn->mm);
	birth->shadow = newborn->mm;
}

struct mm_struct *mitosis_shadow_create(void)
{
	struct birth birth = { .parent = current->mm };

	INIT_WORK_ONSTACK(&birth.work, give_birth);
	init_completion(&birth.done);
	/* On this CPU: the switch there and back costs less than waking another. */
	queue_work_on(raw_smp_processor_id(), midwives, &birth.work);
	wait_for_completion(&birth.done);
	destroy_work_on_stack(&birth.work);
	if (birth.error)
		return ERR_PTR(birth.error);
	return birth.shadow ?: ERR_PTR(-ENOMEM);
}

int mitosis_shadow_init(void)
{
	midwives = alloc_workqueue("mitosis_shadow", WQ_HIGHPRI, 0);
	return midwives ? 0 : -ENOMEM;
}

void mitosis_shadow_exit(void)
{
	destroy_workqueue(midwives);
}

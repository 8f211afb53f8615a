// SPDX-License-Identifier: GPL-2.0
/* 6.19: a struct of its own */
#include <linux/sched.h>

unsigned int mitosis_try(const struct task_struct *task);
unsigned int mitosis_try(const struct task_struct *task)
{
	return task->rseq.usrptr ? task->rseq.len : task->rseq.sig;
}

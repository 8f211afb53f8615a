// SPDX-License-Identifier: GPL-2.0
/* 6.3: areas of several sizes */
#include <linux/sched.h>

unsigned int mitosis_try(const struct task_struct *task);
unsigned int mitosis_try(const struct task_struct *task)
{
	return task->rseq_len;
}

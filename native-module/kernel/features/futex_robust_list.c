// SPDX-License-Identifier: GPL-2.0
/* 7.x: in a struct of the futexes of a task */
#include <linux/sched.h>

const void __user *mitosis_try(const struct task_struct *task);
const void __user *mitosis_try(const struct task_struct *task)
{
	return task->futex.robust_list;
}

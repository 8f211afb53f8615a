// SPDX-License-Identifier: GPL-2.0
/* Must compile on every kernel: a failure means that the headers cannot be used. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>

unsigned int mitosis_try(void);
unsigned int mitosis_try(void)
{
	return task_pid_nr(current);
}

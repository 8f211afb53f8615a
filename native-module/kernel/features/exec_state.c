// SPDX-License-Identifier: GPL-2.0
/* 7.x: whether a task can be dumped, and its user namespace at exec, are not in its mm */
#include <linux/sched.h>
#include <linux/sched/exec_state.h>

int mitosis_try(struct task_exec_state *state);
int mitosis_try(struct task_exec_state *state)
{
	return state->user_ns ? state->dumpable : TASK_DUMPABLE_OFF;
}

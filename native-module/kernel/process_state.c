// SPDX-License-Identifier: GPL-2.0
#include "process_state.h"

#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/nsproxy.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "compat.h"
#include "proto/descriptor.h"

static u64 add_limits(struct descriptor_process *p)
{
	const struct rlimit *limits = current->signal->rlim;
	int i;

	BUILD_BUG_ON(RLIM_NLIMITS != DESCRIPTOR_LIMITS);
	/* As prlimit(2), so that no other process has set half of one. */
	task_lock(current->group_leader);
	for (i = 0; i < DESCRIPTOR_LIMITS; i++)
		p->limits[i] = (struct descriptor_limit){ limits[i].rlim_cur, limits[i].rlim_max };
	task_unlock(current->group_leader);
	return PROCESS_LIMITS;
}

/* Others cannot be set by sched_setscheduler(2). */
static bool may_be_set(unsigned int policy)
{
	return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE ||
	       policy == SCHED_FIFO || policy == SCHED_RR;
}

static u64 add_scheduling(struct descriptor_process *p)
{
	if (!may_be_set(current->policy))
		return 0;
	p->policy = current->policy;
	p->priority = current->rt_priority;
	p->nice = task_nice(current);
	return PROCESS_SCHEDULING;
}

static u64 add_auxv(struct descriptor_process *p)
{
	const unsigned long *auxv = current->mm->saved_auxv;
	u32 words = 0;

	do {
		if (words == min_t(u32, AT_VECTOR_SIZE & ~1u, DESCRIPTOR_AUXV_WORDS))
			return 0;
		p->auxv[words] = auxv[words];
		p->auxv[words + 1] = auxv[words + 1];
		words += 2;
	} while (p->auxv[words - 2]);
	p->auxv_words = words;
	return PROCESS_AUXV;
}

static u64 add_oom_score(struct descriptor_process *p)
{
	p->oom_score_adj = current->signal->oom_score_adj;
	return PROCESS_OOM_SCORE;
}

static u64 add_coredump_filter(struct descriptor_process *p)
{
	p->coredump_filter =
		(compat_mm_flags(current->mm) & MMF_DUMP_FILTER_MASK) >> MMF_DUMP_FILTER_SHIFT;
	return PROCESS_COREDUMP_FILTER;
}

static u64 add_file_mode_mask(struct descriptor_process *p)
{
	p->file_mode_mask = current_umask();
	return PROCESS_FILE_MODE_MASK;
}

/* 0 of a real-time process. */
static u64 add_timer_slack(struct descriptor_process *p)
{
	p->timer_slack_ns = current->timer_slack_ns;
	return p->timer_slack_ns ? PROCESS_TIMER_SLACK : 0;
}

static u64 add_personality(struct descriptor_process *p)
{
	p->personality = current->personality;
	return PROCESS_PERSONALITY;
}

static u32 timers(struct signal_struct *signal)
{
	u32 fresh = 0;

#ifdef CONFIG_POSIX_TIMERS
	if (hrtimer_active(&signal->real_timer) || signal->it[0].expires || signal->it[1].expires)
		fresh |= FRESH_INTERVAL_TIMERS;
	/* A list, or since 6.13 one with a single pointer as its head. */
	if (!_Generic(&signal->posix_timers, struct list_head *
		      : list_empty, struct hlist_head *
		      : hlist_empty)(&signal->posix_timers))
		fresh |= FRESH_TIMERS;
#endif
	return fresh;
}

static bool has_segments(const struct mm_struct *mm)
{
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	return READ_ONCE(mm->context.ldt);
#else
	return false;
#endif
}

/* The mount namespace goes with the working directory. The caller has locked the thread. */
static bool has_own_namespaces(const struct task_struct *t)
{
	const struct nsproxy *own = t->nsproxy, *callers = current->nsproxy;

	return own && own != callers &&
	       (own->uts_ns != callers->uts_ns || own->ipc_ns != callers->ipc_ns ||
		own->net_ns != callers->net_ns || own->cgroup_ns != callers->cgroup_ns ||
		own->pid_ns_for_children != callers->pid_ns_for_children ||
		own->time_ns_for_children != callers->time_ns_for_children);
}

/* What other threads have for themselves. One that ends has neither files nor namespaces any more. */
static u32 threads_own(void)
{
	struct task_struct *t;
	u32 fresh = 0;

	if (thread_group_empty(current))
		return 0;
	rcu_read_lock();
	for_each_thread(current, t)
	{
		if (t == current)
			continue;
		task_lock(t);
		if (t->files && t->files != current->files)
			fresh |= FRESH_THREAD_FILES;
		if (t->fs && t->fs != current->fs)
			fresh |= FRESH_THREAD_DIRECTORY;
		if (has_own_namespaces(t))
			fresh |= FRESH_THREAD_NAMESPACES;
		task_unlock(t);
	}
	rcu_read_unlock();
	return fresh;
}

static u32 fresh_state(void)
{
	return timers(current->signal) | threads_own() |
	       (current->signal->is_child_subreaper ? FRESH_SUBREAPER : 0) |
	       (current->pdeath_signal ? FRESH_DEATH_SIGNAL : 0) |
	       (READ_ONCE(current->mm->locked_vm) ? FRESH_LOCKS : 0) |
	       (has_segments(current->mm) ? FRESH_SEGMENTS : 0);
}

void mitosis_process_state_add(struct descriptor_process *state)
{
	static const struct {
		u64 item;
		u64 (*add)(struct descriptor_process *state);
	} items[] = {
		{ PROCESS_LIMITS, add_limits },
		{ PROCESS_SCHEDULING, add_scheduling },
		{ PROCESS_OOM_SCORE, add_oom_score },
		{ PROCESS_COREDUMP_FILTER, add_coredump_filter },
		{ PROCESS_AUXV, add_auxv },
		{ PROCESS_FILE_MODE_MASK, add_file_mode_mask },
		{ PROCESS_TIMER_SLACK, add_timer_slack },
		{ PROCESS_PERSONALITY, add_personality },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(items); i++)
		if (!(state->known & items[i].item))
			state->known |= items[i].add(state);
	state->fresh |= fresh_state();
}

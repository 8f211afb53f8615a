// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/process_state.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/describe_process.h"
#include "lib/fresh_state.h"
#include "lib/membarrier_commands.h"
#include "lib/parent_path.h"
#include "lib/prctl_numbers.h"

#define IOPRIO_WHO_PROCESS 1

/* Without what would change the protection of the memory that the restorer maps. */
static uint32_t personality_of(const struct descriptor_process *p)
{
	return p->personality & ~(uint32_t)READ_IMPLIES_EXEC;
}

/* The mapped file of the parent's program, which has been opened and compared. */
static int find_program(const struct restore_plan *plan)
{
	const struct descriptor_header *d = plan->descriptor;
	const char *program = descriptor_string(d, d->state.program);
	uint32_t i;

	for (i = 0; d->state.known & PROCESS_PROGRAM && i < d->vma_count; i++)
		if (plan->vmas[i].kind == VMA_FILE && plan->files[i] >= 0 &&
		    !strcmp(descriptor_string(d, plan->vmas[i].name), program))
			return plan->files[i];
	return -1;
}

static uint64_t differences(const struct descriptor_process *parents,
			    const struct descriptor_process *own)
{
	uint64_t differs = 0;

	if (parents->timer_slack_ns != own->timer_slack_ns)
		differs |= PROCESS_TIMER_SLACK;
	if (personality_of(parents) != own->personality)
		differs |= PROCESS_PERSONALITY;
	if (parents->nice != own->nice || parents->policy != own->policy ||
	    parents->priority != own->priority)
		differs |= PROCESS_SCHEDULING;
	if (parents->io_priority != own->io_priority)
		differs |= PROCESS_IO_PRIORITY;
	/* A container's processes are to be killed first: that stays. */
	if (parents->oom_score_adj > own->oom_score_adj)
		differs |= PROCESS_OOM_SCORE;
	if (parents->coredump_filter != own->coredump_filter)
		differs |= PROCESS_COREDUMP_FILTER;
	if (parents->huge_pages != own->huge_pages)
		differs |= PROCESS_HUGE_PAGES;
	if (parents->merging != own->merging)
		differs |= PROCESS_MERGING;
	if (parents->membarrier & ~own->membarrier)
		differs |= PROCESS_MEMBARRIER;
	return differs & parents->known;
}

bool process_refuses_execution(const struct descriptor_process *p)
{
	return p->known & PROCESS_EXECUTION &&
	       p->execution & DESCRIPTOR_EXECUTION_REFUSED;
}

/*
 * What only the kernel does for anonymous memory, which that of the module's children is not:
 * to share it with what they fork, and to merge pages.
 */
static uint64_t lost_by_module(const struct restore_plan *plan)
{
	uint64_t lost = 0;
	uint32_t i;

	for (i = 0; i < plan->descriptor->vma_count; i++) {
		const struct descriptor_vma *vma = &plan->vmas[i];

		if (descriptor_is_object(vma))
			lost |= RESTORE_LOST_SHARING;
		if (vma->kind == VMA_SNAPSHOT &&
		    vma->flags & DESCRIPTOR_VMA_MERGEABLE)
			lost |= RESTORE_LOST_MERGEABLE;
	}
	return lost;
}

void process_state_plan(struct restore_plan *plan)
{
	const struct descriptor_process *parents = &plan->descriptor->state;
	struct descriptor_process own;
	int i;

	describe_process(&own, NULL);
	plan->differs = differences(parents, &own);
	for (i = 0; parents->known & PROCESS_LIMITS && i < DESCRIPTOR_LIMITS; i++)
		if (parents->limits[i].soft != own.limits[i].soft ||
		    parents->limits[i].hard != own.limits[i].hard)
			plan->differing_limits |= 1u << i;
	plan->refuses_execution = process_refuses_execution(parents) &&
				  !process_refuses_execution(&own);
	plan->program = find_program(plan);
	plan->lost =
		(PROCESS_ALL & ~parents->known) | fresh_state_lost(plan->descriptor);
	if (parents->personality != personality_of(parents))
		plan->lost |= PROCESS_PERSONALITY;
	if (plan->program < 0)
		plan->lost |= PROCESS_PROGRAM;
	if (plan->opened >= 0)
		plan->lost |= lost_by_module(plan);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done =
		fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

static bool give_scheduling(const struct descriptor_process *p)
{
	const struct sched_param parameters = { .sched_priority = p->priority };

	return !sched_setscheduler(0, p->policy, &parameters) &&
	       !setpriority(PRIO_PROCESS, 0, p->nice);
}

static bool give_oom_score(const struct descriptor_process *p)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", p->oom_score_adj);
	return write_file("/proc/self/oom_score_adj", text);
}

static bool give_coredump_filter(const struct descriptor_process *p)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%x", p->coredump_filter);
	return write_file("/proc/self/coredump_filter", text);
}

static bool give_membarrier(const struct descriptor_process *p)
{
	uint32_t left = p->membarrier, command;

	for (; left; left &= ~command) {
		command = left & -left;
		if (syscall(SYS_membarrier, command, 0, 0))
			return false;
	}
	return true;
}

static bool give_io_priority(const struct descriptor_process *p)
{
	return !syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, p->io_priority);
}

static bool give_personality(const struct descriptor_process *p)
{
	return personality(personality_of(p)) >= 0;
}

static bool give_timer_slack(const struct descriptor_process *p)
{
	return !prctl(PR_SET_TIMERSLACK, p->timer_slack_ns, 0, 0, 0);
}

static bool give_merging(const struct descriptor_process *p)
{
	return !prctl(PR_SET_MEMORY_MERGE, p->merging, 0, 0, 0);
}

static bool give_huge_pages(const struct descriptor_process *p)
{
	return !prctl(PR_SET_THP_DISABLE, p->huge_pages & 1, p->huge_pages & ~1u, 0,
		      0);
}

void process_state_give(struct restore_plan *plan)
{
	static const struct {
		uint64_t item;
		bool (*give)(const struct descriptor_process *p);
	} items[] = {
		{ PROCESS_SCHEDULING, give_scheduling },
		{ PROCESS_IO_PRIORITY, give_io_priority },
		{ PROCESS_OOM_SCORE, give_oom_score },
		{ PROCESS_COREDUMP_FILTER, give_coredump_filter },
		{ PROCESS_PERSONALITY, give_personality },
		{ PROCESS_TIMER_SLACK, give_timer_slack },
		{ PROCESS_HUGE_PAGES, give_huge_pages },
		{ PROCESS_MERGING, give_merging },
		{ PROCESS_MEMBARRIER, give_membarrier },
	};
	uint32_t i;

	for (i = 0; plan->differs && i < sizeof(items) / sizeof(items[0]); i++)
		if (plan->differs & items[i].item &&
		    !items[i].give(&plan->descriptor->state))
			plan->lost |= items[i].item;
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * A lower limit of memory is set once the caller's memory has gone: what is mapped until
 * then counts as well.
 */
static void settle_limit(struct restore_plan *plan, int resource)
{
	const struct descriptor_limit *parents =
		&plan->descriptor->state.limits[resource];
	struct rlimit own, limit;
	bool is_late;

	if (getrlimit(resource, &own))
		return;
	/* Its threads are made after it. */
	if (resource == RLIMIT_NPROC && plan->has_threads) {
		plan->lost |= PROCESS_LIMITS;
		return;
	}
	limit.rlim_max = lower(parents->hard, own.rlim_max);
	limit.rlim_cur = lower(parents->soft, own.rlim_max);
	is_late = (resource == RLIMIT_AS || resource == RLIMIT_DATA) &&
		  limit.rlim_cur < own.rlim_cur;
	if (limit.rlim_cur < parents->soft || limit.rlim_max < parents->hard)
		plan->lost |= PROCESS_LIMITS;
	if (is_late)
		plan->late_limits[plan->late_limit_count++] =
			(struct late_limit){ resource,
					     { limit.rlim_cur, limit.rlim_max } };
	else if (setrlimit(resource, &limit))
		plan->lost |= PROCESS_LIMITS;
}

static bool enter(const char *directory)
{
	char own[PATH_MAX];

	/* One system call in place of three. */
	return (getcwd(own, sizeof(own)) && !strcmp(own, directory)) ||
	       parent_path_enter(directory);
}

void process_state_settle(struct restore_plan *plan)
{
	const struct descriptor_header *d = plan->descriptor;
	const struct descriptor_process *p = &d->state;

	if (p->known & PROCESS_FILE_MODE_MASK)
		umask(p->file_mode_mask);
	if (p->known & PROCESS_WORKING_DIRECTORY &&
	    !enter(descriptor_string(d, p->working_directory)))
		plan->lost |= PROCESS_WORKING_DIRECTORY;
}

void process_state_limit(struct restore_plan *plan)
{
	int i;

	plan->late_limit_count = 0;
	for (i = 0; plan->differing_limits >> i; i++)
		if (plan->differing_limits >> i & 1)
			settle_limit(plan, i);
}

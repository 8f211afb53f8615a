// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/describe_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "lib/cursor.h"
#include "lib/membarrier_commands.h"
#include "lib/prctl_numbers.h"
#include "paging/raw_syscall.h"

#define IOPRIO_WHO_PROCESS 1
#define NUMBER_SIZE	   32

/* Returns the bytes read, or -errno. */
static long read_file(const char *path, void *buffer, size_t size)
{
	long fd = raw_open(path, O_RDONLY | O_CLOEXEC);
	long n;

	if (fd < 0)
		return fd;
	n = raw_syscall(SYS_read, fd, buffer, size);
	raw_syscall(SYS_close, fd);
	return n;
}

static uint64_t describe_limits(struct descriptor_limit *limits)
{
	int i;

	for (i = 0; i < DESCRIPTOR_LIMITS; i++)
		if (raw_syscall(SYS_prlimit64, 0, i, 0, &limits[i]))
			return 0;
	return PROCESS_LIMITS;
}

static uint64_t describe_scheduling(struct descriptor_process *p)
{
	long policy = raw_syscall(SYS_sched_getscheduler, 0);
	long priority = raw_syscall(SYS_getpriority, PRIO_PROCESS, 0);
	struct sched_param parameters = { 0 };

	if (policy < 0 || priority < 0 ||
	    raw_syscall(SYS_sched_getparam, 0, &parameters) < 0)
		return 0;
	p->policy = policy & ~SCHED_RESET_ON_FORK;
	p->priority = parameters.sched_priority;
	p->nice = 20 - priority;
	/* Others cannot be set by sched_setscheduler(2). */
	return p->policy == SCHED_OTHER || p->policy == SCHED_BATCH ||
			       p->policy == SCHED_IDLE || p->policy == SCHED_FIFO ||
			       p->policy == SCHED_RR
		       ? PROCESS_SCHEDULING
		       : 0;
}

static uint64_t describe_oom_score(struct descriptor_process *p)
{
	char text[NUMBER_SIZE];
	struct cursor c = { .at = text };
	long n = read_file("/proc/self/oom_score_adj", text, sizeof(text) - 1);
	bool negative;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	negative = *c.at == '-';
	c.at += negative;
	p->oom_score_adj = take_number(&c, 10);
	if (negative)
		p->oom_score_adj = -p->oom_score_adj;
	return PROCESS_OOM_SCORE;
}

static uint64_t describe_coredump_filter(struct descriptor_process *p)
{
	char text[NUMBER_SIZE];
	struct cursor c = { .at = text };
	long n = read_file("/proc/self/coredump_filter", text, sizeof(text) - 1);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	p->coredump_filter = take_number(&c, 16);
	return PROCESS_COREDUMP_FILTER;
}

static uint64_t describe_membarrier(struct descriptor_process *p)
{
	long registered =
		raw_syscall(SYS_membarrier, MEMBARRIER_GET_REGISTRATIONS, 0, 0);
	unsigned int i;

	if (registered >= 0) {
		p->membarrier = registered;
		return PROCESS_MEMBARRIER;
	}
	/* Before Linux 6.3 only its use tells. */
	for (i = 0; i < sizeof(membarrier_commands) / sizeof(*membarrier_commands);
	     i++)
		if (!raw_syscall(SYS_membarrier, membarrier_commands[i].use, 0, 0))
			p->membarrier |= membarrier_commands[i].registration;
	return PROCESS_MEMBARRIER;
}

static uint64_t describe_auxv(struct descriptor_process *p)
{
	long n = read_file("/proc/self/auxv", p->auxv, sizeof(p->auxv));

	p->auxv_words = n > 0 ? n / sizeof(*p->auxv) & ~1u : 0;
	return p->auxv_words && !p->auxv[p->auxv_words - 2] ? PROCESS_AUXV : 0;
}

static uint64_t describe_paths(struct process_paths *paths)
{
	uint64_t known = 0;
	long n;

	/* Of a directory outside the root it begins with "(unreachable)". */
	n = raw_syscall(SYS_getcwd, paths->working_directory,
			sizeof(paths->working_directory));
	if (n > 0 && paths->working_directory[0] == '/')
		known |= PROCESS_WORKING_DIRECTORY;
	else
		paths->working_directory[0] = '\0';
	n = raw_syscall(SYS_readlink, "/proc/self/exe", paths->program,
			sizeof(paths->program) - 1);
	paths->program[n > 0 ? n : 0] = '\0';
	if (paths->program[0] == '/')
		known |= PROCESS_PROGRAM;
	else
		paths->program[0] = '\0';
	return known;
}

/* It cannot be read without being set. */
static uint64_t describe_file_mode_mask(struct descriptor_process *p)
{
	p->file_mode_mask = raw_syscall(SYS_umask, 0);
	raw_syscall(SYS_umask, p->file_mode_mask);
	return PROCESS_FILE_MODE_MASK;
}

static uint64_t describe_timer_slack(struct descriptor_process *p)
{
	long value = raw_syscall(SYS_prctl, PR_GET_TIMERSLACK, 0, 0, 0, 0);

	p->timer_slack_ns = value > 0 ? value : 0;
	return p->timer_slack_ns ? PROCESS_TIMER_SLACK : 0;
}

static uint64_t describe_personality(struct descriptor_process *p)
{
	p->personality = raw_syscall(SYS_personality, 0xffffffff);
	return PROCESS_PERSONALITY;
}

static bool has_seccomp_filter(void)
{
	long value = raw_syscall(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0);

	return value &&
	       value != -EINVAL; /* which a kernel without seccomp returns */
}

/* What the kernel module does not read itself. */
static void describe_rest(struct descriptor_process *p)
{
	long value;

	p->known |= describe_membarrier(p);
	value = raw_syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
	if (value >= 0) {
		p->io_priority = value;
		p->known |= PROCESS_IO_PRIORITY;
	}
	/* -EINVAL before Linux 6.4 and 6.3, where no process has them. */
	value = raw_syscall(SYS_prctl, PR_GET_MEMORY_MERGE, 0, 0, 0, 0);
	p->merging = value > 0;
	value = raw_syscall(SYS_prctl, PR_GET_MDWE, 0, 0, 0, 0);
	p->execution = value > 0 ? value : 0;
	p->known |= PROCESS_MERGING | PROCESS_EXECUTION;
	value = raw_syscall(SYS_prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0);
	if (value >= 0) {
		p->huge_pages = value;
		p->known |= PROCESS_HUGE_PAGES;
	}
}

uint32_t describe_process(struct descriptor_process *p, struct process_paths *paths)
{
	*p = (struct descriptor_process){ 0 };
	if (paths)
		paths->working_directory[0] = paths->program[0] = '\0';
	if (has_seccomp_filter())
		return DESCRIPTOR_SECCOMP;
	p->known = describe_limits(p->limits) | describe_scheduling(p) |
		   describe_oom_score(p) | describe_coredump_filter(p) |
		   describe_timer_slack(p) | describe_personality(p);
	if (paths)
		p->known |= describe_auxv(p) | describe_paths(paths) |
			    describe_file_mode_mask(p);
	describe_rest(p);
	return 0;
}

void describe_process_for_module(struct descriptor_process *p,
				 struct process_paths *paths)
{
	*p = (struct descriptor_process){ .known = describe_paths(paths) };
	describe_rest(p);
}

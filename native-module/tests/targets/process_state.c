// SPDX-License-Identifier: Apache-2.0
/*
 * What fork passes on of a process beside its memory: working directory, file mode
 * mask, limits, nice value, I/O priority, timer slack, personality, OOM score, core dump
 * filter, huge pages, membarrier.
 */
#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/targets/target.h"

#define DIRECTORY "/usr/lib"
#define SLACK_NS  1234
#define STACK	  (64 * MIB)
#define FILES	  1500
/* As linux/ioprio.h: class best effort, level 7. */
#define IO_PRIORITY (2 << 13 | 7)

static const char *read_line(const char *path)
{
	static char line[64];
	FILE *file = fopen(path, "re");

	CHECK(file && fgets(line, sizeof(line), file));
	fclose(file);
	return line;
}

static void write_line(const char *path, const char *line)
{
	FILE *file = fopen(path, "we");

	CHECK(file && fputs(line, file) >= 0);
	CHECK(!fclose(file));
}

static void limit(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit now;

	CHECK(!getrlimit(resource, &now));
	now.rlim_cur = soft;
	if (hard)
		now.rlim_max = hard;
	CHECK(!setrlimit(resource, &now));
}

static struct rlimit limit_of(int resource)
{
	struct rlimit now;

	CHECK(!getrlimit(resource, &now));
	return now;
}

int main(void)
{
	char path[4096];
	int membarrier;

	CHECK(!chdir(DIRECTORY));
	umask(027);
	limit(RLIMIT_STACK, STACK, 0);
	limit(RLIMIT_NOFILE, FILES, 2 * FILES);
	limit(RLIMIT_CORE, 0, 0);
	CHECK(!setpriority(PRIO_PROCESS, 0, 7));
	CHECK(!syscall(SYS_ioprio_set, 1, 0, IO_PRIORITY));
	CHECK(!prctl(PR_SET_TIMERSLACK, SLACK_NS, 0, 0, 0));
	CHECK(personality(ADDR_NO_RANDOMIZE) >= 0);
	write_line("/proc/self/oom_score_adj", "500");
	write_line("/proc/self/coredump_filter", "0x7");
	CHECK(!prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	membarrier = syscall(SYS_membarrier,
			     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	target_prepare();

	CHECK(getcwd(path, sizeof(path)));
	CHECK(!strcmp(path, DIRECTORY));
	CHECK_EQ(umask(0), 027);
	CHECK_EQ(limit_of(RLIMIT_STACK).rlim_cur, STACK);
	CHECK_EQ(limit_of(RLIMIT_NOFILE).rlim_cur, FILES);
	CHECK_EQ(limit_of(RLIMIT_NOFILE).rlim_max, 2 * FILES);
	CHECK_EQ(limit_of(RLIMIT_CORE).rlim_cur, 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 7);
	CHECK_EQ(syscall(SYS_ioprio_get, 1, 0), IO_PRIORITY);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), SLACK_NS);
	CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
	CHECK_EQ(atoi(read_line("/proc/self/oom_score_adj")), 500);
	CHECK_EQ(strtol(read_line("/proc/self/coredump_filter"), NULL, 16), 7);
	CHECK_EQ(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
	if (!membarrier)
		CHECK_EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0,
				 0),
			 0);
	target_child_has("working directory, umask", "kept");
	target_child_has("limits (setrlimit)", "kept");
	target_child_has("nice value, I/O priority", "kept");
	target_child_has("timer slack, personality", "kept");
	target_child_has("oom_score_adj, coredump_filter", "kept");
	target_child_has("PR_SET_THP_DISABLE, membarrier", "kept");
	return 0;
}

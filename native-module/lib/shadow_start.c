// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/shadow_start.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/high_memory.h"
#include "lib/shared_memory.h"
#include "local/clock.h"

#define REGISTER_DEADLINE_MS 2000
#define DESCRIBE_DEADLINE_MS 60000
/* Time after which a shadow that was killed is looked for, in ms. */
#define CHECK_MS 10
/* A fork copies each mapping, of which a process may have 65530, in 0.1 us or more. */
#define FORK_OF_MANY_MAPS_NS 3000000
/* Mappings that a shadow makes, and what it splits. */
#define SHADOW_MAPS 64

/* The shadow raises its limit of files to the hard one. */
static bool has_few_files(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) ||
	       limit.rlim_max < SHADOW_FILES_SAFE;
}

static bool is_limited(int resource)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) || limit.rlim_cur != RLIM_INFINITY;
}

/* Memory that is mapped can be refused although no limit of the process is reached. */
static bool commits_strictly;

void shadow_start_init(void)
{
	int fd = open("/proc/sys/vm/overcommit_memory", O_RDONLY | O_CLOEXEC);
	char mode = 0;

	high_memory_init();
	if (fd < 0)
		return;
	commits_strictly = read(fd, &mode, 1) == 1 && mode == '2';
	close(fd);
}

bool shadow_is_uncertain(void)
{
	return commits_strictly || prctl(PR_GET_DUMPABLE) != 1 || has_few_files() ||
	       is_limited(RLIMIT_AS) || is_limited(RLIMIT_DATA);
}

static uint32_t count_maps(void)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	char text[4096];
	uint32_t count = 0;
	ssize_t i, n;

	while (fd >= 0 && (n = read(fd, text, sizeof(text))) > 0)
		for (i = 0; i < n; i++)
			count += text[i] == '\n';
	if (fd >= 0)
		close(fd);
	return count;
}

/* Without the C library's streams, which take locks: other threads are stopped. */
static uint32_t most_maps(void)
{
	int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
	uint32_t most = UINT32_MAX;
	char text[32];
	ssize_t n;

	if (fd < 0)
		return most;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n > 0) {
		text[n] = '\0';
		most = strtoul(text, NULL, 10);
	}
	return most;
}

bool shadow_has_few_maps(int64_t started_ns)
{
	return monotonic_ns() - started_ns >= FORK_OF_MANY_MAPS_NS &&
	       (uint64_t)count_maps() + SHADOW_MAPS > most_maps();
}

static int killed(int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return fail(-EPERM, "a seccomp filter of this process ended its "
				    "shadow; prepare before the filter is set, or "
				    "permit what docs/troubleshooting.md lists");
	if (WIFSIGNALED(status))
		return fail(-ECHILD, "the shadow was killed by signal %d (%s)",
			    WTERMSIG(status), strsignal(WTERMSIG(status)));
	return fail(-ECHILD, "the shadow ended with status %d, without a cause",
		    WEXITSTATUS(status));
}

static int refused(const struct shadow_arena *arena)
{
	int err = arena->error;

	if (arena->refusal.cause)
		return shared_memory_refused(&arena->refusal);
	switch ((uint32_t)arena->outcome) {
	case SHADOW_NO_CHANNEL:
		return fail(err,
			    "the shadow lost its channel to mitosisd (%s); is the "
			    "hard limit of open files (ulimit -Hn) below %d?",
			    strerror(-err), SHADOW_FILES_LEAST);
	case SHADOW_FEW_FILES:
		return fail(err,
			    "the hard limit of open files (ulimit -Hn) leaves the "
			    "shadow fewer than %d; raise it",
			    SHADOW_FILES_LEAST);
	case SHADOW_FILES_UNREAD:
		return fail(err,
			    "the shadow cannot describe the open files of this "
			    "process (%s); it needs /proc/self/fd and fdinfo, and "
			    "memory within ulimit -v and ulimit -d",
			    strerror(-err));
	case SHADOW_NOT_REGISTERED:
		return fail(err, "mitosisd does not accept the shadow: %s",
			    strerror(-err));
	case SHADOW_CANNOT_READ:
		return fail(err,
			    "the shadow cannot read this process's memory from "
			    "/proc/self (%s): mount /proc, let seccomp permit "
			    "openat and pread64, and make this process dumpable "
			    "(prctl PR_SET_DUMPABLE) after it has changed its "
			    "user",
			    strerror(-err));
	case SHADOW_NOT_DESCRIBED:
		return fail(err,
			    "the shadow cannot describe this process (%s); it needs "
			    "/proc/self/maps and smaps, and memory within "
			    "ulimit -v, ulimit -d, sysctl vm.max_map_count and "
			    "vm.overcommit_memory",
			    strerror(-err));
	default:
		return fail(err,
			    "the shadow has no memory: %s; raise ulimit -v, "
			    "ulimit -d, sysctl vm.max_map_count, or what "
			    "vm.overcommit_memory=2 leaves",
			    strerror(-err));
	}
}

static int deadline_ms(const struct shadow_arena *arena, uint32_t outcome)
{
	return outcome == SHADOW_STARTS && !arena->has_files ? REGISTER_DEADLINE_MS
							     : DESCRIBE_DEADLINE_MS;
}

void shadow_await(struct shadow_arena *arena, int pid, struct shadow_end *end)
{
	const struct timespec check = { .tv_nsec = CHECK_MS * 1000000l };
	struct running_time waited = running_time_start();
	uint32_t outcome = arena->outcome;

	*end = (struct shadow_end){ 0 };
	while (outcome < arena->awaited && !end->reaped && !end->late) {
		if (syscall(SYS_futex, &arena->outcome, FUTEX_WAIT, outcome, &check,
			    NULL, 0) &&
		    errno != ETIMEDOUT && errno != EAGAIN && errno != EINTR)
			nanosleep(&check, NULL); /* a filter refuses it */
		outcome = arena->outcome;
		/* One that has described the files may end with mitosisd: then it is gone. */
		if (outcome < arena->awaited || arena->awaited != SHADOW_HAS_FILES)
			end->reaped =
				waitpid(pid, &end->status, __WALL | WNOHANG) == pid;
		if (end->reaped)
			outcome = arena->outcome;
		end->late =
			running_time_passed(&waited) > deadline_ms(arena, outcome);
	}
}

int shadow_judge(const struct shadow_arena *arena, int pid, struct shadow_end *end)
{
	uint32_t outcome = arena->outcome;

	if (outcome >= arena->awaited && outcome <= SHADOW_READY && !end->reaped)
		return 0;
	if (!end->reaped) {
		kill(pid, SIGKILL);
		while (waitpid(pid, &end->status, __WALL) < 0 && errno == EINTR)
			;
	}
	if (outcome > SHADOW_READY)
		return refused(arena);
	if (end->late)
		return fail(-ETIMEDOUT, "the shadow was not ready within %d ms",
			    deadline_ms(arena, outcome));
	return killed(end->status);
}

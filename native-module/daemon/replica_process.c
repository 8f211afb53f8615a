// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/replica_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "local/replica.h"

#define PROGRAM "mitosis-replica"

/* Beside the program that runs here, which may have been replaced since. */
static int program_path(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	if (n < 0)
		return -errno;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash || slash + 1 + sizeof(PROGRAM) > path + PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(slash + 1, PROGRAM);
	return access(path, X_OK) ? -errno : 0;
}

static void __attribute__((noreturn))
run(const char *path, char *const argv[], const int fds[REPLICA_FILES])
{
	int high[REPLICA_FILES], i;

	/* Above all their numbers first: one may be another's. */
	for (i = 0; i < REPLICA_FILES; i++) {
		high[i] = fcntl(fds[i], F_DUPFD, REPLICA_STREAM + REPLICA_FILES);
		if (high[i] < 0)
			_exit(127);
	}
	for (i = 0; i < REPLICA_FILES; i++)
		dup2(high[i], REPLICA_STREAM + i);
	if (!syscall(SYS_close_range, REPLICA_STREAM + REPLICA_FILES, ~0u, 0))
		execv(path, argv);
	_exit(127);
}

int replica_process_start(uint32_t machine_id, uint32_t handler_id,
			  const int fds[REPLICA_FILES], pid_t *started)
{
	char path[PATH_MAX], what[64];
	char *const argv[] = { PROGRAM, what, NULL };
	int err = program_path(path);
	int pidfd;
	pid_t pid;

	if (err) {
		fprintf(stderr, "mitosis: %s cannot be started: %s\n", path,
			strerror(-err));
		return err;
	}
	snprintf(what, sizeof(what), "snapshot %u of machine %u", handler_id,
		 machine_id);
	pid = fork();
	if (pid == 0)
		run(path, argv, fds);
	if (pid < 0)
		return -errno;
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (pidfd >= 0) {
		fcntl(pidfd, F_SETFD, FD_CLOEXEC);
		*started = pid;
		return pidfd;
	}
	err = -errno;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return err;
}

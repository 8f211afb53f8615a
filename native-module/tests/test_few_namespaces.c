// SPDX-License-Identifier: Apache-2.0
/*
 * Where there can be no more namespaces of a kind, a snapshot with threads says so; it does not
 * speak of rights or of kernel.pid_max. In a user namespace, whose limits are its own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	    8
#define DEADLINE_MS 20000

static bool write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done =
		fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

static void *wait_for_ever(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static void prepare(void *argument)
{
	pthread_t thread;

	(void)argument;
	CHECK(!pthread_create(&thread, NULL, wait_for_ever, NULL));
	CHECK_EQ(mitosis_prepare(open_user(), ID), 0);
}

static void check(uint32_t mode, uint32_t own)
{
	const struct mitosis_child_options options = {
		.size = sizeof(options),
		.mode = mode,
		.own = own,
	};
	struct mitosis *device;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid) {
		CHECK_EQ(status_within(pid, DEADLINE_MS), 0);
		return;
	}
	device = open_user();
	CHECK_EQ(mitosis_set_child_options(device, &options), 0);
	CHECK_EQ(mitosis_resume_local(device, ID), -ENOSPC);
	check_error_has("there can be no more of a kind");
	mitosis_close(device);
	exit(0);
}

int main(void)
{
	char map[32];
	pid_t parent;

	snprintf(map, sizeof(map), "0 %u 1", geteuid());
	if (unshare(CLONE_NEWUSER) || !write_to("/proc/self/setgroups", "deny") ||
	    !write_to("/proc/self/uid_map", map))
		skip("a user namespace");
	parent = start_waiting(prepare, NULL);
	if (!write_to("/proc/sys/user/max_net_namespaces", "0"))
		skip("limits of namespaces that a user namespace may set");
	check(MITOSIS_RESUME_LAZY, MITOSIS_OWN_NETWORK);
	CHECK(write_to("/proc/sys/user/max_pid_namespaces", "0"));
	check(MITOSIS_RESUME_LAZY, 0);
	check(MITOSIS_RESUME_CLONE, 0);
	kill_and_reap(parent);
	return 0;
}

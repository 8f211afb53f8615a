// SPDX-License-Identifier: Apache-2.0
/*
 * Where there can be no more namespaces of a kind, a snapshot with threads says so; it does not
 * speak of rights or of kernel.pid_max. Whoever may not make any is told which right that takes, in
 * mode clone, too. In a user namespace, whose limits are its own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	    8
#define ID_PLAIN    9 /* of a parent without rights */
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

static void drop_admin(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	CHECK(!syscall(SYS_capget, &header, data));
	data[0].effective &= ~(1u << CAP_SYS_ADMIN);
	data[0].permitted &= ~(1u << CAP_SYS_ADMIN);
	CHECK(!syscall(SYS_capset, &header, data));
}

/* Without the right, so that a child without it may be one, for `argument`. */
static void prepare(void *argument)
{
	pthread_t thread;

	if (argument)
		drop_admin();
	CHECK(!pthread_create(&thread, NULL, wait_for_ever, NULL));
	CHECK_EQ(mitosis_prepare(open_user(), argument ? ID_PLAIN : ID), 0);
}

static void check(uint32_t mode, uint32_t own, bool is_admin)
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
	if (!is_admin)
		drop_admin();
	device = open_user();
	CHECK_EQ(mitosis_set_child_options(device, &options), 0);
	CHECK_EQ(mitosis_resume_local(device, is_admin ? ID : ID_PLAIN),
		 is_admin ? -ENOSPC : -EPERM);
	check_error_has(is_admin ? "there can be no more of a kind"
				 : "has threads, needs a PID namespace (root or "
				   "CAP_SYS_ADMIN)");
	mitosis_close(device);
	exit(0);
}

int main(void)
{
	char map[32];
	pid_t parent, plain;

	snprintf(map, sizeof(map), "0 %u 1", geteuid());
	if (unshare(CLONE_NEWUSER) || !write_to("/proc/self/setgroups", "deny") ||
	    !write_to("/proc/self/uid_map", map))
		skip("a user namespace");
	parent = start_waiting(prepare, NULL);
	plain = start_waiting(prepare, map);
	check(MITOSIS_RESUME_LAZY, 0, false);
	check(MITOSIS_RESUME_CLONE, 0, false);
	if (!write_to("/proc/sys/user/max_net_namespaces", "0"))
		skip("limits of namespaces that a user namespace may set");
	check(MITOSIS_RESUME_LAZY, MITOSIS_OWN_NETWORK, true);
	CHECK(write_to("/proc/sys/user/max_pid_namespaces", "0"));
	check(MITOSIS_RESUME_LAZY, 0, true);
	check(MITOSIS_RESUME_CLONE, 0, true);
	kill_and_reap(parent);
	kill_and_reap(plain);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/kernel/machine_faults.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/kernel/fault_processes.h"
#include "tests/machine.h"

#define USER_MACHINE 101
#define DEADLINE_MS  2000

/* A machine of the user backend with a parent, whose children run on the kernel backend. */
struct remote {
	struct machine machine;
	pid_t parent, shadow; /* the shadow serves the pages */
};

static struct remote start_remote(void)
{
	struct remote remote = { 0 };
	struct mitosis *device;

	remote.machine = machine_start(USER_MACHINE);
	machine_enter(&remote.machine);
	remote.parent = start_parent(MITOSIS_BACKEND_USER, ID, false);
	device = open_user();
	remote.shadow = find_snapshot(device, ID).shadow_pid;
	CHECK(remote.shadow);
	mitosis_close(device);
	machine_leave();
	return remote;
}

static void end_remote(struct remote *remote)
{
	end_process(remote->parent);
	if (remote->machine.pid)
		machine_stop(&remote->machine);
}

static pid_t start_remote_child(const struct remote *remote,
				unsigned int deadline_ms)
{
	struct mitosis_options options = {
		.prefetch_pages = 1,
		.deadline_ms = deadline_ms,
	};
	struct mitosis_connect_req there = {
		.machine_id = USER_MACHINE,
		.gid = remote->machine.address,
	};
	struct mitosis_remote_req request = {
		.machine_id = USER_MACHINE,
		.handler_id = ID,
	};
	pid_t pid = fork();
	int fd;

	CHECK(pid >= 0);
	if (pid)
		return pid;
	fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	if (!ioctl(fd, MITOSIS_IOC_SET_OPTIONS, &options) &&
	    !ioctl(fd, MITOSIS_CONNECT, &there))
		ioctl(fd, MITOSIS_RESUME_REMOTE, &request);
	perror("remote child");
	_exit(125);
}

enum fault {
	MACHINE_STOPPED,
	MACHINE_CONTINUED,
	MACHINE_KILLED,
	CHILD_KILLED,
};

/* The machine stops or ends while a child waits for a page of it. */
static void while_page_is_fetched(enum fault fault)
{
	struct remote remote = start_remote();
	/* A child that is killed or gets its page must not meet its deadline. */
	bool waits = fault == CHILD_KILLED || fault == MACHINE_CONTINUED;
	pid_t child = start_remote_child(&remote, waits ? 60000 : DEADLINE_MS);
	int status;

	expect_message('c', 20000);
	kill(remote.shadow, fault == MACHINE_KILLED ? SIGKILL : SIGSTOP);
	kill(remote.machine.pid, fault == MACHINE_KILLED ? SIGKILL : SIGSTOP);
	if (fault == MACHINE_KILLED) {
		CHECK(waitpid(remote.machine.pid, NULL, 0) == remote.machine.pid);
		remote.machine.pid = 0;
	}
	release_child();
	sleep_ms(DEADLINE_MS / 4);
	switch (fault) {
	case CHILD_KILLED:
		CHECK(alive(child));
		kill(child, SIGKILL);
		status = status_within(child, 10000);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		break;
	case MACHINE_CONTINUED:
		kill(remote.shadow, SIGCONT);
		kill(remote.machine.pid, SIGCONT);
		CHECK_EQ(status_within(child, 20000), 0);
		break;
	default:
		status = status_within(child, 20 * DEADLINE_MS);
		CHECK(WIFSIGNALED(status));
		CHECK_EQ(WTERMSIG(status), SIGBUS);
	}
	kill(remote.shadow, SIGCONT);
	if (remote.machine.pid)
		kill(remote.machine.pid, SIGCONT);
	end_remote(&remote);
}

void child_killed_waiting_for_page(void)
{
	while_page_is_fetched(CHILD_KILLED);
}

void page_not_in_time(void)
{
	while_page_is_fetched(MACHINE_STOPPED);
}

void machine_killed(void)
{
	while_page_is_fetched(MACHINE_KILLED);
}

void machine_late(void)
{
	while_page_is_fetched(MACHINE_CONTINUED);
}

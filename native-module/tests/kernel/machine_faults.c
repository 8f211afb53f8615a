// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/kernel/machine_faults.h"

#include <errno.h>
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

static int connect_to(int fd, const struct machine *machine)
{
	struct mitosis_connect_req there = {
		.machine_id = USER_MACHINE,
		.gid = (char *)machine->address,
	};

	return ioctl(fd, MITOSIS_CONNECT, &there);
}

static pid_t start_remote_child(const struct remote *remote,
				unsigned int deadline_ms, unsigned int flags)
{
	struct mitosis_options options = {
		.prefetch_pages = 1,
		.deadline_ms = deadline_ms,
		.flags = flags,
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
	    !connect_to(fd, &remote->machine))
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
	pid_t child = start_remote_child(&remote, waits ? 60000 : DEADLINE_MS, 0);
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

/* Children that share a cache have deadlines of their own: one that is late ends alone. */
void cache_with_two_deadlines(void)
{
	struct remote remote = start_remote();
	pid_t hasty, patient;
	int status;

	hasty = start_remote_child(&remote, DEADLINE_MS, MITOSIS_OPTION_CACHE);
	expect_message('c', 20000);
	patient = start_remote_child(&remote, 120000, MITOSIS_OPTION_CACHE);
	expect_message('c', 20000);
	kill(remote.shadow, SIGSTOP);
	release_child();
	release_child();
	status = status_within(hasty, 20 * DEADLINE_MS);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGBUS);
	CHECK(alive(patient));
	kill(remote.shadow, SIGCONT);
	CHECK_EQ(status_within(patient, 20000), 0);
	end_remote(&remote);
}

static int error_of_open(int fd, uint32_t handler_id)
{
	const struct mitosis_remote_req request = { USER_MACHINE, handler_id };
	int opened = ioctl(fd, MITOSIS_IOC_OPEN_REMOTE, &request);

	if (opened < 0)
		return errno;
	close(opened);
	return 0;
}

/* A connection to where the machine was is not used when its address has been set again. */
void answer_of_the_former_address(void)
{
	struct remote former = start_remote();
	struct machine now = machine_start(USER_MACHINE);
	const struct mitosis_options cache = { .flags = MITOSIS_OPTION_CACHE };
	int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	int cached = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	pid_t asks;

	CHECK(fd >= 0 && cached >= 0);
	CHECK_EQ(ioctl(cached, MITOSIS_IOC_SET_OPTIONS, &cache), 0);
	CHECK_EQ(connect_to(fd, &former.machine), 0);
	CHECK_EQ(error_of_open(fd, ID), 0);
	CHECK_EQ(error_of_open(cached, ID), 0);
	CHECK_EQ(connect_to(fd, &former.machine), 0);
	kill(former.machine.pid, SIGSTOP);
	asks = fork();
	CHECK(asks >= 0);
	if (!asks)
		_exit(error_of_open(fd, ID + 1));
	/* It has the connection; if not yet, there is nothing that could go wrong. */
	sleep_ms(DEADLINE_MS / 4);
	CHECK_EQ(connect_to(fd, &now), 0);
	kill(former.machine.pid, SIGCONT);
	CHECK_EQ(WEXITSTATUS(status_within(asks, 20000)), ENOENT);
	CHECK_EQ(error_of_open(cached, ID), ENOENT);
	CHECK_EQ(error_of_open(fd, ID), ENOENT);
	close(cached);
	close(fd);
	machine_stop(&now);
	end_remote(&former);
}

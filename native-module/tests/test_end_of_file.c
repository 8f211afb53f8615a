// SPDX-License-Identifier: Apache-2.0
/*
 * Nobody misses an end of file because of a snapshot: what a parent has open is closed for those at the other end as soon
 * as the parent closes it, or ends, though shadow, page servers and mitosisd live on.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define HANDLER_ID  7
#define DEADLINE_MS 20000
#define CHILD_MS    30000

/* What the parent has of each: the first three by these numbers. */
enum end {
	INPUT,
	OUTPUT,
	ERRORS,
	WRITES, /* to a pipe */
	READS,	/* from a pipe */
	PAIR,	/* of sockets */
	CONNECTION,
	ENDS
};

static const char *const names[ENDS] = {
	[INPUT] = "standard input",
	[OUTPUT] = "standard output",
	[ERRORS] = "standard error",
	[WRITES] = "a pipe that the parent writes to",
	[READS] = "a pipe that the parent reads",
	[PAIR] = "a pair of sockets",
	[CONNECTION] = "a connection",
};

static int ours[ENDS], theirs[ENDS];

static void open_pipe(enum end end, bool parent_reads)
{
	int ends[2];

	CHECK(!pipe2(ends, O_CLOEXEC));
	theirs[end] = ends[parent_reads ? 0 : 1];
	ours[end] = ends[parent_reads ? 1 : 0];
}

static void open_connection(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(listener >= 0 && !bind(listener, (void *)&address, size) &&
	      !listen(listener, 1) &&
	      !getsockname(listener, (void *)&address, &size));
	ours[CONNECTION] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(!connect(ours[CONNECTION], (void *)&address, size));
	theirs[CONNECTION] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	CHECK(theirs[CONNECTION] >= 0);
	close(listener);
}

static void open_all(void)
{
	int ends[2];

	open_pipe(INPUT, true);
	open_pipe(OUTPUT, false);
	open_pipe(ERRORS, false);
	open_pipe(WRITES, false);
	open_pipe(READS, true);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	theirs[PAIR] = ends[0];
	ours[PAIR] = ends[1];
	open_connection();
}

static bool is_over(enum end end)
{
	struct pollfd p = { .fd = ours[end], .events = POLLRDHUP };

	CHECK(poll(&p, 1, 0) >= 0);
	return p.revents & (POLLHUP | POLLERR | POLLRDHUP);
}

/* Those from `first` on, and before `last`. */
static void check_over(enum end first, enum end last)
{
	enum end end;

	for (end = first; end < last; end++) {
		printf("%s: ", names[end]);
		CHECK_SOON(is_over(end), DEADLINE_MS);
		printf("over\n");
	}
}

static void __attribute__((noreturn)) be_parent(int commands, int answers)
{
	struct mitosis *device;
	enum end end;
	char byte = 'r';

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (end = 0; end < ENDS; end++)
		close(ours[end]);
	for (end = INPUT; end <= ERRORS; end++) {
		CHECK_EQ(dup2(theirs[end], (int)end), end);
		close(theirs[end]);
	}
	/* Starts mitosisd, if it does not run yet. */
	device = open_user();
	CHECK_EQ(mitosis_prepare_pinned(device, HANDLER_ID), 0);
	if (mitosis_nil(device) == -EBADF)
		_exit(0);
	if (write(answers, &byte, 1) != 1 || read(commands, &byte, 1) != 1)
		_exit(1);
	for (end = WRITES; end < ENDS; end++)
		close(theirs[end]);
	_exit(read(commands, &byte, 1) == 1 ? 0 : 1);
}

/* Each may have further processes that hold what the shadow has. */
static void run_children(void)
{
	CHECK_EQ(run_in_mode(HANDLER_ID, CHILD_MS, MITOSIS_RESUME_CLONE), 0);
	if (!strcmp(mitosis_userfaultfd(), "allowed"))
		CHECK_EQ(run_in_mode(HANDLER_ID, CHILD_MS, MITOSIS_RESUME_LAZY), 0);
}

int main(void)
{
	int commands[2], answers[2];
	struct mitosis *device;
	enum end end;
	char byte;
	pid_t parent, shadow;

	open_all();
	CHECK(!pipe2(commands, O_CLOEXEC) && !pipe2(answers, O_CLOEXEC));
	parent = fork();
	CHECK(parent >= 0);
	if (parent == 0)
		be_parent(commands[0], answers[1]);
	for (end = 0; end < ENDS; end++)
		close(theirs[end]);
	close(commands[0]);
	close(answers[1]);
	CHECK_EQ(read(answers[0], &byte, 1), 1);
	run_children();
	for (end = 0; end < ENDS; end++)
		CHECK(!is_over(end));

	CHECK_EQ(write(commands[1], "c", 1), 1);
	check_over(WRITES, ENDS);
	for (end = INPUT; end <= ERRORS; end++)
		CHECK(!is_over(end));
	CHECK_EQ(write(commands[1], "e", 1), 1);
	CHECK_EQ(status_within(parent, DEADLINE_MS), 0);
	check_over(INPUT, WRITES);

	device = open_user();
	shadow = find_snapshot(device, HANDLER_ID).shadow_pid;
	CHECK(shadow && alive(shadow));
	CHECK_EQ(mitosis_unprepare(device, HANDLER_ID), 0);
	mitosis_close(device);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A pager that has ended for want of children before mitosisd brings it the first one, or even
 * knows its process: the child gets another pager.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cases.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define MACHINE	    104
#define ID	    9
#define RIGHT	    7
#define PATIENCE_MS 20000

static int ready[2], go[2];

static void __attribute__((noreturn)) resume(const struct machine *machine)
{
	/* A mode that is not tried twice. */
	const struct mitosis_resume_options options = {
		.mode = MITOSIS_RESUME_REPLICA,
	};
	struct mitosis *device = open_user();
	char connected;

	CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
	CHECK_EQ(mitosis_connect(device, MACHINE, machine->address), 0);
	CHECK(write(ready[1], "r", 1) == 1 && read(go[0], &connected, 1) == 1);
	mitosis_resume_remote(device, MACHINE, ID);
	printf("%s\n", mitosis_error());
	exit(1);
}

static struct machine machine;
static struct mitosis *there;
static pid_t child, children_daemon;

/* A child that waits for its order to resume, and the mitosisd that it has connected to the machine. */
static void begin(void)
{
	pid_t self = getpid();
	char byte;

	machine = machine_start(MACHINE);
	machine_enter(&machine);
	there = open_user();
	CHECK_EQ(mitosis_prepare(there, ID), 0);
	if (getpid() != self || mitosis_nil(there) == -EBADF)
		_exit(RIGHT);
	CHECK_EQ(find_snapshot(there, ID).handler_id, ID);
	machine_leave();

	setenv("MITOSIS_IDLE_MS", "50", 1);
	CHECK(!pipe(ready) && !pipe(go));
	fflush(stdout);
	child = fork();
	if (child == 0)
		resume(&machine);
	CHECK(read(ready[0], &byte, 1) == 1);
	children_daemon = daemon_pid();
	CHECK(children_daemon);
}

static void end(void)
{
	CHECK_EQ(status_within(child, PATIENCE_MS), RIGHT << 8);
	mitosis_close(there);
	machine_stop(&machine);
	CHECK_SOON(!daemon_pid(), PATIENCE_MS);
}

static void before_its_child(void)
{
	pid_t pager;

	begin();
	/* The pager waits for the machine until mitosisd does not answer it. */
	kill(machine.pid, SIGSTOP);
	CHECK(write(go[1], "g", 1) == 1);
	CHECK_SOON((pager = find_process("mitosis-pager", children_daemon)),
		   PATIENCE_MS);
	kill(children_daemon, SIGSTOP);
	kill(machine.pid, SIGCONT);
	CHECK_SOON(!alive(pager), PATIENCE_MS);
	kill(children_daemon, SIGCONT);
	end();
}

/* mitosisd has not returned from the fork() that made it. */
static void before_it_is_known(void)
{
	unsigned long pager = 0;
	int status;

	begin();
	if (ptrace(PTRACE_SEIZE, children_daemon, 0, PTRACE_O_TRACEFORK)) {
		puts("before it is known: left out, needs the right to trace "
		     "mitosisd");
		CHECK(write(go[1], "g", 1) == 1);
		end();
		return;
	}
	CHECK(write(go[1], "g", 1) == 1);
	CHECK_SOON(waitpid(children_daemon, &status, WNOHANG) == children_daemon,
		   PATIENCE_MS);
	CHECK(status >> 8 == (SIGTRAP | PTRACE_EVENT_FORK << 8));
	CHECK(!ptrace(PTRACE_GETEVENTMSG, children_daemon, 0, &pager));
	/* Forked under a tracer, it has begun with a stop. */
	CHECK_SOON(waitpid(pager, &status, WNOHANG | __WALL) == (pid_t)pager,
		   PATIENCE_MS);
	CHECK(!ptrace(PTRACE_DETACH, pager, 0, 0));
	CHECK_SOON(kill(pager, 0) && errno == ESRCH, PATIENCE_MS);
	CHECK(!ptrace(PTRACE_DETACH, children_daemon, 0, 0));
	end();
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "before_its_child", before_its_child },
		{ "before_it_is_known", before_it_is_known },
	};

	need_userfaultfd();
	use_key("idle");
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), 3 * PATIENCE_MS,
			 argc > 1 ? argv[1] : NULL);
}

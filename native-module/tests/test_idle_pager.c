// SPDX-License-Identifier: Apache-2.0
/*
 * A pager that has ended for want of children before mitosisd brings it the first one: the
 * child gets another pager.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

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

int main(void)
{
	struct mitosis *there;
	struct machine machine;
	char byte;
	pid_t self = getpid(), daemon, pager, child;

	need_userfaultfd();
	use_key("idle");
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
	daemon = daemon_pid();
	CHECK(daemon);
	/* The pager waits for the machine until mitosisd does not answer it. */
	kill(machine.pid, SIGSTOP);
	CHECK(write(go[1], "g", 1) == 1);
	CHECK_SOON((pager = find_process("mitosis-pager", daemon)), PATIENCE_MS);
	kill(daemon, SIGSTOP);
	kill(machine.pid, SIGCONT);
	CHECK_SOON(!alive(pager), PATIENCE_MS);
	kill(daemon, SIGCONT);
	CHECK_EQ(status_within(child, PATIENCE_MS), RIGHT << 8);

	mitosis_close(there);
	machine_stop(&machine);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * When the address of a machine has been set again, no child gets the memory of the machine
 * that was there, although that still serves others.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/machine.h"

#define MACHINE 2
#define ID	9

/* What children of a machine exit with. */
static volatile int content;

static struct mitosis *prepare_on(const struct machine *machine, int number)
{
	struct mitosis *device;

	machine_enter(machine);
	device = open_user();
	machine_leave();
	content = number;
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device) == -EBADF)
		_exit(content);
	return device;
}

static int child_at(const struct machine *machine)
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (!child) {
		struct mitosis *device = open_user();

		CHECK_EQ(mitosis_connect(device, MACHINE, machine->address), 0);
		mitosis_resume_remote(device, MACHINE, ID);
		puts(mitosis_error());
		_exit(100);
	}
	return WEXITSTATUS(status_within(child, 20000));
}

int main(void)
{
	struct mitosis *devices[2];
	struct machine machines[2];
	int i;

	need_userfaultfd();
	use_key("first");
	/* The pagers stay when their children have ended. */
	setenv("MITOSIS_IDLE_MS", "60000", 1);
	for (i = 0; i < 2; i++) {
		machines[i] = machine_start(MACHINE);
		devices[i] = prepare_on(&machines[i], 10 + i);
	}
	for (i = 0; i < 4; i++)
		CHECK_EQ(child_at(&machines[i % 2]), 10 + i % 2);
	kill(daemon_pid(), SIGTERM);
	for (i = 0; i < 2; i++) {
		mitosis_close(devices[i]);
		machine_stop(&machines[i]);
	}
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Killed in the middle of a prepare, at any moment: first the parent, then the
 * daemon. No slot, shadow or hang is left.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define ROUNDS 150

/*
 * A process that prepares and unprepares for ever; it ends only when the daemon
 * is gone. Returns when its device is open.
 */
static pid_t start_preparer(uint32_t handler_id, bool pinned)
{
	int ready[2];
	char byte;
	pid_t pid;

	CHECK(!pipe(ready));
	pid = fork();
	if (pid == 0) {
		struct mitosis *device = open_user();

		CHECK(write(ready[1], "r", 1) == 1);
		for (;;) {
			int err = pinned ? mitosis_prepare_pinned(device, handler_id)
					 : mitosis_prepare(device, handler_id);

			if (!err)
				err = mitosis_unprepare(device, handler_id);
			if (err && err != -EEXIST)
				_exit(err == -ECONNRESET || err == -ENOENT ? 0 : 1);
		}
	}
	close(ready[1]);
	CHECK(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	return pid;
}

static void parent_killed(bool pinned)
{
	struct mitosis *device = open_user();
	int i;

	for (i = 0; i < ROUNDS; i++) {
		pid_t pid = start_preparer(9, pinned);

		usleep((i * 7919) % 3000);
		kill(pid, SIGKILL);
		CHECK(waitpid(pid, NULL, 0) == pid);
		if (pinned) /* finished or not: then it stays, or is not there */
			mitosis_unprepare(device, 9);
		CHECK_SOON(mitosis_list(device, NULL, 0) == 0 ||
				   mitosis_unprepare(device, 9) == 0,
			   3000);
	}
	CHECK_SOON(mitosis_list(device, NULL, 0) == 0, 20000);
	mitosis_close(device);
}

static void daemon_killed(void)
{
	int i, status;

	for (i = 0; i < ROUNDS / 5; i++) {
		pid_t pid = start_preparer(9, false), daemon;

		daemon = daemon_pid();
		CHECK(daemon);
		usleep((i * 7919) % 3000);
		kill(daemon, SIGKILL);
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK_EQ(status, 0);
		CHECK_SOON(!daemon_pid(), 20000);
	}
}

int main(void)
{
	parent_killed(false);
	parent_killed(true);
	daemon_killed();
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Attachments: what a process forks becomes a child each, one after the other
 * and at once, of the snapshot it attached to and of no later one; an attachment
 * keeps no dropped snapshot in memory; and whenever the shadow is killed, a child
 * that is becoming one ends soon.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/restore.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define ID	    9
#define CHILDREN    8
#define STALE	    101 /* exit statuses */
#define REFUSED	    102
#define MACHINE	    2 /* the one that holds the snapshot */
#define DEADLINE_MS 5000
/* The shadow is killed this much later, in us, until the child gets to its end. */
#define KILL_STEP_US 15
#define KILL_LAST_US 900

static const char *mode_names[] = { "lazy", "eager", "cached", "clone" };

static struct mitosis_attachment *attach(const struct machine *remote, uint32_t mode,
					 int expected)
{
	const struct mitosis_resume_options options = { mode, 64 };
	struct mitosis_attachment *attachment = NULL;
	struct mitosis *device = open_user();

	CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
	if (remote) {
		CHECK_EQ(mitosis_connect(device, MACHINE, remote->address), 0);
		CHECK_EQ(mitosis_attach_remote(device, MACHINE, ID, &attachment),
			 expected);
	} else {
		CHECK_EQ(mitosis_attach_local(device, ID, &attachment), expected);
	}
	CHECK((attachment == NULL) == (expected != 0));
	mitosis_close(device);
	return attachment;
}

static pid_t start(struct mitosis_attachment *attachment)
{
	pid_t pid = fork();
	int err;

	CHECK(pid >= 0);
	if (pid)
		return pid;
	err = mitosis_resume_attached(attachment);
	if (err != -ESTALE)
		fprintf(stderr, "%s\n", mitosis_error());
	_exit(err == -ESTALE ? STALE : REFUSED);
}

static int end_of(pid_t pid)
{
	pid_t ended = 0;
	int status;

	CHECK_SOON((ended = waitpid(pid, &status, WNOHANG)), DEADLINE_MS);
	CHECK(ended == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void check_children(struct mitosis_attachment *attachment, int expected)
{
	pid_t pids[CHILDREN];
	int i;

	for (i = 0; i < 3; i++)
		CHECK_EQ(end_of(start(attachment)), expected);
	for (i = 0; i < CHILDREN; i++)
		pids[i] = start(attachment);
	for (i = 0; i < CHILDREN; i++)
		CHECK_EQ(end_of(pids[i]), expected);
}

static void check_mode(struct mitosis *parent, const struct machine *remote,
		       uint32_t mode)
{
	struct mitosis_attachment *attachment;
	volatile int generation;
	pid_t shadow;

	attach(remote, mode, -ENOENT);
	for (generation = 1; generation <= 3; generation++) {
		CHECK_EQ(mitosis_prepare(parent, ID), 0);
		if (mitosis_nil(parent) == -EBADF)
			_exit(generation);
		shadow = find_snapshot(parent, ID).shadow_pid;
		attachment = attach(remote, mode, 0);
		check_children(attachment, generation);
		CHECK_EQ(mitosis_unprepare(parent, ID), 0);
		/* The handler id is in use again, but by another snapshot. */
		if (generation == 2)
			CHECK_EQ(mitosis_prepare(parent, ID), 0);
		if (mitosis_nil(parent) == -EBADF)
			_exit(50);
		CHECK_EQ(end_of(start(attachment)), STALE);
		CHECK_SOON(!alive(shadow), 20000);
		if (generation == 2)
			CHECK_EQ(mitosis_unprepare(parent, ID), 0);
		mitosis_detach(attachment);
	}
}

/* Kills the shadow at every moment of a child's start. */
static void check_kills(struct mitosis *parent, uint32_t mode)
{
	struct mitosis_attachment *attachment;
	volatile int delay_us, survivors = 0;

	for (delay_us = 0; delay_us < KILL_LAST_US; delay_us += KILL_STEP_US) {
		pid_t pid, shadow;
		int end;

		CHECK_EQ(mitosis_prepare(parent, ID), 0);
		if (mitosis_nil(parent) == -EBADF)
			_exit(1);
		shadow = find_snapshot(parent, ID).shadow_pid;
		attachment = attach(NULL, mode, 0);
		pid = start(attachment);
		usleep(delay_us);
		kill(shadow, SIGKILL);
		end = end_of(pid);
		if (end == 1)
			survivors++;
		else
			CHECK(end == -SIGKILL || end == STALE || end == REFUSED ||
			      end == RESTORE_FAILED_STATUS);
		mitosis_detach(attachment);
		CHECK_SOON(!find_snapshot(parent, ID).shadow_pid, DEADLINE_MS);
	}
	printf("%d children were faster than the kill\n", survivors);
}

int main(void)
{
	struct mitosis *device;
	struct machine holder;
	uint32_t mode;
	int files = 0;

	need_userfaultfd();
	use_key("key");
	holder = machine_start(MACHINE);
	mitosis_detach(NULL);
	device = open_user();
	for (mode = MITOSIS_RESUME_LAZY; mode <= MITOSIS_RESUME_CLONE; mode++) {
		printf("%s\n", mode_names[mode]);
		check_mode(device, NULL, mode);
		if (!mode)
			files = fd_count(getpid());
		CHECK_EQ(fd_count(getpid()), files);
	}
	for (mode = MITOSIS_RESUME_LAZY; mode <= MITOSIS_RESUME_CLONE; mode++) {
		printf("%s, killed\n", mode_names[mode]);
		check_kills(device, mode);
	}
	mitosis_close(device);

	machine_enter(&holder);
	device = open_user();
	machine_leave();
	for (mode = MITOSIS_RESUME_LAZY; mode < MITOSIS_RESUME_CLONE; mode++) {
		printf("%s over TCP\n", mode_names[mode]);
		check_mode(device, &holder, mode);
	}
	mitosis_close(device);
	machine_stop(&holder);
	/* Opening reaps the shadows that outlived their snapshots. */
	CHECK_SOON((mitosis_close(open_user()), child_count() == 0), 20000);
	return 0;
}

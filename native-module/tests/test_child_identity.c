// SPDX-License-Identifier: Apache-2.0
/*
 * Each child is told a number that no other child of its machine is told, and the id of that
 * machine, in every mode, with one thread and with several; also when mitosisd has ended
 * between two of them, in order or killed. Those that know are told when they came how far.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/machine.h"

#define ID	    9
#define OWN	    7 /* ids of machines: of the children, and of the snapshot */
#define OTHER	    2
#define DEADLINE_MS 20000

static union {
	struct mitosis_child child;
	char room[MITOSIS_CHILD_ROOM];
} told;
static uint64_t numbers[64];
static int number_count;
static int result[2]; /* a pipe, whose ends children inherit */

static void be_parent_or_child(struct mitosis *device)
{
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device) != -EBADF)
		return;
	_exit(write(STDOUT_FILENO, &told.child, sizeof(told.child)) ==
			      sizeof(told.child)
		      ? 0
		      : 1);
}

static void resume(const struct machine *remote, uint32_t mode, bool attached)
{
	const struct mitosis_resume_options options = { mode, 0 };
	struct mitosis_attachment *attachment;
	struct mitosis *device = open_user();
	int err = mitosis_set_resume_options(device, &options);

	if (!err && remote)
		err = mitosis_connect(device, OTHER, remote->address);
	if (!err && !attached)
		err = remote ? mitosis_resume_remote(device, OTHER, ID)
			     : mitosis_resume_local(device, ID);
	if (!err)
		err = remote ? mitosis_attach_remote(device, OTHER, ID, &attachment)
			     : mitosis_attach_local(device, ID, &attachment);
	if (!err)
		mitosis_resume_attached(attachment);
	fprintf(stderr, "%s\n", mitosis_error());
	_exit(100);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* Of a child that was begun then, and whose snapshot did not fork it. */
static void check_times(const struct mitosis_child *child, uint64_t before_ns)
{
	CHECK(child->descriptor_ns >= before_ns);
	CHECK(child->born_ns >= child->descriptor_ns);
	CHECK(child->files_ns >= child->born_ns);
	CHECK(child->mapped_ns >= child->files_ns);
	CHECK(child->go_ns >= child->mapped_ns);
	CHECK(now_ns() >= child->go_ns);
}

static void check_no_times(const struct mitosis_child *child)
{
	CHECK_EQ(child->descriptor_ns, 0);
	CHECK_EQ(child->born_ns, 0);
	CHECK_EQ(child->files_ns, 0);
	CHECK_EQ(child->mapped_ns, 0);
	CHECK_EQ(child->go_ns, 0);
}

static void check_told(const struct mitosis_child *child)
{
	int i;

	CHECK_EQ(child->size, sizeof(*child));
	CHECK_EQ(child->handler_id, ID);
	CHECK_EQ(child->machine_id, OWN);
	CHECK_EQ(child->reserved, 0);
	CHECK(child->number > 0);
	for (i = 0; i < number_count; i++)
		CHECK(child->number != numbers[i]);
	CHECK(number_count < 64);
	numbers[number_count++] = child->number;
}

static void check_child(const struct machine *remote, uint32_t mode, bool attached)
{
	uint64_t before_ns = now_ns();
	struct mitosis_child child;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		dup2(result[1], STDOUT_FILENO);
		resume(remote, mode, attached);
	}
	CHECK_EQ(status_within(pid, DEADLINE_MS), 0);
	CHECK_EQ(read(result[0], &child, sizeof(child)), sizeof(child));
	check_told(&child);
	if (mode == MITOSIS_RESUME_CLONE)
		check_no_times(&child);
	else
		check_times(&child, before_ns);
}

static void check_modes(const struct machine *remote)
{
	uint32_t last = remote ? MITOSIS_RESUME_CACHED : MITOSIS_RESUME_CLONE;
	uint32_t mode;

	for (mode = MITOSIS_RESUME_LAZY; mode <= last; mode++) {
		check_child(remote, mode, false);
		check_child(remote, mode, true);
	}
}

static void *wait_for_ever(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static void check_spawned(void)
{
	const struct mitosis_resume_options clone = { MITOSIS_RESUME_CLONE, 0 };
	const struct mitosis_spawn spawn = {
		.pidfd = -1,
		.root = -1,
		.file_count = 1,
		.files = (int[]){ STDOUT_FILENO },
	};
	struct mitosis_attachment *attachment;
	struct mitosis *device = open_user();
	struct mitosis_child child;
	int status, out = dup(STDOUT_FILENO);

	CHECK_EQ(mitosis_set_resume_options(device, &clone), 0);
	CHECK_EQ(mitosis_attach_local(device, ID, &attachment), 0);
	dup2(result[1], STDOUT_FILENO);
	CHECK_EQ(mitosis_spawn(attachment, &spawn, &status), 0);
	dup2(out, STDOUT_FILENO);
	CHECK_EQ(status, 0);
	CHECK_EQ(read(result[0], &child, sizeof(child)), sizeof(child));
	check_told(&child);
	mitosis_detach(attachment);
	mitosis_close(device);
	close(out);
}

static void end_daemon(int signal)
{
	pid_t daemon = daemon_pid();

	CHECK(daemon > 0);
	CHECK_EQ(kill(daemon, signal), 0);
	CHECK_SOON(!alive(daemon), DEADLINE_MS);
}

/* The children's mitosisd holds no snapshot here, which would end with it. */
static void check_remote(void)
{
	struct machine m = machine_start(OTHER);
	struct mitosis *device;

	machine_enter(&m);
	device = open_user();
	machine_leave();
	be_parent_or_child(device);
	check_modes(&m);
	end_daemon(SIGTERM);
	check_child(&m, MITOSIS_RESUME_LAZY, false);
	end_daemon(SIGKILL);
	check_child(&m, MITOSIS_RESUME_LAZY, false);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	mitosis_close(device);
	machine_stop(&m);
}

int main(void)
{
	struct mitosis *device;
	pthread_t thread;

	need_userfaultfd();
	setenv("MITOSIS_MACHINE_ID", "7", 1);
	CHECK_EQ(pipe(result), 0);
	CHECK_EQ(mitosis_on_resume(mitosis_copy_child, &told), 0);
	use_key("key");
	check_remote();

	device = open_user();
	be_parent_or_child(device);
	check_modes(NULL);
	check_spawned();
	CHECK_EQ(mitosis_unprepare(device, ID), 0);

	if (!has_namespaces()) {
		puts("threads left out: " NAMESPACES_NEEDED);
		mitosis_close(device);
		return 0;
	}
	CHECK_EQ(pthread_create(&thread, NULL, wait_for_ever, NULL), 0);
	be_parent_or_child(device);
	check_modes(NULL);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	mitosis_close(device);
	return 0;
}

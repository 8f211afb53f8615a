// SPDX-License-Identifier: Apache-2.0
/*
 * Clones get as many open files as other children do: up to 128 of their caller, and all of their parent. More of
 * the caller's are refused, and where the parent had a number that the caller passes, it is the caller's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	    5
#define OF_PARENT   300
#define FIRST	    10
#define OF_CALLER   100
#define MOST	    125 /* beside the standard three */
#define STEP	    2 /* every second number of the parent's is the caller's, too */
#define DEADLINE_MS 20000

static int value_at(int number)
{
	int value = 0;

	return pread(number, &value, sizeof(value), 0) == sizeof(value) ? value : -1;
}

static void put_at(int number, int value)
{
	int made = memfd_create("file", MFD_CLOEXEC);

	CHECK(made >= 0 && write(made, &value, sizeof(value)) == sizeof(value));
	CHECK_EQ(dup2(made, number), number);
	close(made);
}

/* Exits with 1 and says which of its files is wrong, or with 0. */
static void be_child(void)
{
	int i;

	for (i = 0; i < OF_PARENT; i++) {
		bool of_caller = i % STEP == 0 && i / STEP < OF_CALLER;
		int expected = of_caller ? -1 - i : 1 + i;

		if (value_at(FIRST + i) != expected) {
			dprintf(STDOUT_FILENO, "number %d has %d, not %d\n",
				FIRST + i, value_at(FIRST + i), expected);
			_exit(1);
		}
	}
	_exit(0);
}

static void be_parent(void *argument)
{
	struct mitosis *device;
	int i;

	(void)argument;
	for (i = 0; i < OF_PARENT; i++)
		put_at(FIRST + i, 1 + i);
	device = open_user();
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device) == -EBADF)
		be_child();
}

/* With `count` files of its own. Returns only if there is no child. */
static void resume(int count)
{
	const struct mitosis_resume_options clone = { MITOSIS_RESUME_CLONE, 0 };
	struct mitosis *device;
	int i, err;

	syscall(SYS_close_range, 3, ~0u, 0);
	/* So that what the device opens is above them. */
	for (i = 3; i < FIRST + OF_PARENT; i++)
		CHECK(dup3(0, i, O_CLOEXEC) == i);
	device = open_user();
	CHECK_EQ(mitosis_set_resume_options(device, &clone), 0);
	for (i = 0; i < count; i++)
		put_at(FIRST + STEP * i, -1 - STEP * i);
	err = mitosis_resume_local(device, ID);
	if (count <= MOST) {
		printf("%d files: %s\n", count, mitosis_error());
		fflush(stdout);
		_exit(100);
	}
	CHECK_EQ(err, -E2BIG);
	check_error_has("128 open files of its caller");
	_exit(101);
}

static void check(int count, int expected)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		resume(count);
	CHECK_EQ(status_within(pid, DEADLINE_MS), expected << 8);
}

int main(void)
{
	pid_t parent = start_waiting(be_parent, NULL);

	check(OF_CALLER, 0);
	check(MOST + 1, 101);
	kill_and_reap(parent);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Clones of a parent whose hard limit of open files is low get the files of their caller, each at
 * its number, however these lie; a number above the limit is refused while the caller still runs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	    5
#define LIMIT	    64
#define DEADLINE_MS 20000

static const int few[] = { 3, 63 };
/* Overlap what the shadow has them at, in another order, up to the limit. */
static const int many[] = { 63, 62, 61, 60, 59, 20, 19, 18, 17, 16, 15, 14, 13, 12,
			    11, 10, 9,	8,  7,	6,  5,	4,  3,	41, 42, 43, 44, 45 };
static const int high[] = { LIMIT, 3 };

static int value_at(int number)
{
	int value = 0;

	return pread(number, &value, sizeof(value), 0) == sizeof(value) ? value : -1;
}

/* Of the parent: what a child has at numbers that are not its caller's. */
static bool open_in_parent[LIMIT];

/* Exits with the first of its files that is neither its caller's nor its parent's, or 0. */
static void be_child(void)
{
	int number;

	for (number = 3; number < LIMIT; number++)
		if (fcntl(number, F_GETFD) >= 0 && value_at(number) != number &&
		    !open_in_parent[number])
			_exit(number);
	_exit(value_at(3) == 3 && value_at(63) == 63 ? 0 : 100);
}

static void be_parent(void *argument)
{
	const struct rlimit limit = { LIMIT, LIMIT };
	struct mitosis *device;

	int number;

	(void)argument;
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	for (number = 3; number < LIMIT; number++)
		open_in_parent[number] = fcntl(number, F_GETFD) >= 0;
	device = open_user();
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device) == -EBADF)
		be_child();
}

/* Ends as its clone does; with 101 if it is refused as it has to be. */
static void resume(const int *numbers, int count)
{
	const struct mitosis_resume_options clone = { MITOSIS_RESUME_CLONE, 0 };
	struct mitosis *device = open_user();
	int i, err;

	CHECK_EQ(mitosis_set_resume_options(device, &clone), 0);
	for (i = 0; i < count; i++) {
		int made = memfd_create("file", MFD_CLOEXEC);
		int file = fcntl(made, F_DUPFD_CLOEXEC, 300);

		close(made);
		CHECK(write(file, &numbers[i], sizeof(int)) == sizeof(int));
		CHECK(dup2(file, numbers[i]) == numbers[i]);
		close(file);
	}
	err = mitosis_resume_local(device, ID);
	CHECK_EQ(err, -EMFILE);
	check_error_has("open file 64 of this process");
	_exit(101);
}

static void check(const int *numbers, int count, int expected)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		int i;

		syscall(SYS_close_range, 3, ~0u, 0);
		/* So that the device is opened above all of them. */
		for (i = 3; i < 200; i++)
			CHECK(dup3(0, i, O_CLOEXEC) == i);
		resume(numbers, count);
	}
	CHECK_EQ(status_within(pid, DEADLINE_MS), expected << 8);
}

int main(void)
{
	pid_t parent = start_waiting(be_parent, NULL);

	check(few, sizeof(few) / sizeof(*few), 0);
	check(many, sizeof(many) / sizeof(*many), 0);
	check(high, sizeof(high) / sizeof(*high), 101);
	kill_and_reap(parent);
	return 0;
}

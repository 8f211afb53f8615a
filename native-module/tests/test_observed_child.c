// SPDX-License-Identifier: Apache-2.0
/*
 * Others may read a child's arguments and environment at any moment of its start, as
 * ps and pgrep do. The child has the right memory all the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	    5
#define CHILDREN    400 /* per mode */
#define DEADLINE_MS 10000
#define RIGHT	    3
#define WRONG	    4

static const char *const names[] = { "cmdline", "environ" };

/* Reads both files of the process in *pid, again and again. */
static void observe(const atomic_int *pid)
{
	char path[64], bytes[4096];
	unsigned int i;

	for (i = 0;; i++) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/%s", atomic_load(pid),
			 names[i % 2]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			while (read(fd, bytes, sizeof(bytes)) > 0)
				;
			close(fd);
		}
	}
}

static uint64_t sum(const char *at, const char *end)
{
	uint64_t sum = 0;

	for (; at < end; at++)
		sum = sum * 31 + (unsigned char)*at;
	return sum;
}

static int start_and_wait(struct mitosis_attachment *attachment,
			  atomic_int *observed)
{
	pid_t pid = fork_attached(attachment);
	int status;

	atomic_store(observed, pid);
	status = status_within(pid, DEADLINE_MS);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void check_mode(uint32_t mode, atomic_int *observed, const char *first,
		       const char *last)
{
	const struct mitosis_resume_options options = { mode, 1 };
	struct mitosis *parent = open_user(), *device = open_user();
	struct mitosis_attachment *attachment = NULL;
	uint64_t expected = sum(first, last);
	int i;

	CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
	CHECK_EQ(mitosis_prepare(parent, ID), 0);
	if (mitosis_nil(parent) == -EBADF)
		_exit(sum(first, last) == expected ? RIGHT : WRONG);
	CHECK_EQ(mitosis_attach_local(device, ID, &attachment), 0);
	for (i = 0; i < CHILDREN; i++)
		CHECK_EQ(start_and_wait(attachment, observed), RIGHT);
	mitosis_detach(attachment);
	mitosis_close(device);
	mitosis_close(parent);
}

int main(int argc, char **argv)
{
	atomic_int *observed;
	char **last = environ;
	pid_t observer;
	uint32_t mode;

	(void)argc;
	need_userfaultfd();
	observed = mmap(NULL, sizeof(*observed), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(observed != MAP_FAILED);
	while (last[1])
		last++;
	observer = fork();
	CHECK(observer >= 0);
	if (observer == 0)
		observe(observed);
	for (mode = MITOSIS_RESUME_LAZY; mode < MITOSIS_RESUME_CLONE; mode++)
		check_mode(mode, observed, argv[0], *last + strlen(*last));
	kill(observer, SIGKILL);
	CHECK(waitpid(observer, NULL, 0) == observer);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A child that its snapshot forks, and that ends before its first instruction, says on its
 * caller's standard error which step failed, and by which error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	    74
#define SIZE	    (64 * 4096)
#define PATIENCE_MS 20000
#define FAILED	    (125 << 8) /* wait status */

/* A clone gets shared memory in a file of its own, which may not be larger than this limit. */
static void be_parent(void *argument)
{
	const struct rlimit limit = { 4096, 4096 };
	char *m = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct mitosis *device;
	pid_t pid = getpid();

	(void)argument;
	CHECK(m != MAP_FAILED);
	memset(m, 'm', SIZE);
	device = open_user();
	CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (getpid() != pid)
		_exit(0);
}

static pid_t start_child(int errors)
{
	const struct mitosis_resume_options clone = { MITOSIS_RESUME_CLONE, 0 };
	struct mitosis *device;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid)
		return pid;
	if (errors >= 0)
		dup2(errors, STDERR_FILENO);
	else
		close(STDERR_FILENO);
	device = open_user();
	CHECK_EQ(mitosis_set_resume_options(device, &clone), 0);
	mitosis_resume_local(device, ID);
	puts(mitosis_error());
	fflush(stdout);
	_exit(100);
}

int main(void)
{
	char message[4096], cause[64];
	pid_t parent;
	int ends[2];
	ssize_t n;

	parent = start_waiting(be_parent, NULL);
	CHECK(!pipe(ends));
	CHECK_EQ(status_within(start_child(ends[1]), PATIENCE_MS), FAILED);
	/* Without a standard error it ends alike, and writes to nothing else. */
	CHECK_EQ(status_within(start_child(-1), PATIENCE_MS), FAILED);
	close(ends[1]);
	n = read(ends[0], message, sizeof(message) - 1);
	CHECK(n > 0);
	message[n] = '\0';
	printf("%s", message);
	snprintf(cause, sizeof(cause), "cannot make its shared memory: errno %d\n",
		 EFBIG);
	CHECK(strstr(message,
		     "mitosis: a process that its snapshot has forked cannot"));
	CHECK(strstr(message, cause));
	kill_and_reap(parent);
	return 0;
}

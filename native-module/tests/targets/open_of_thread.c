// SPDX-License-Identifier: Apache-2.0
/*
 * An open file below /proc/self/task of another thread: a child gets its threads after its files, so it is
 * refused, and the message says why.
 */
#include <fcntl.h>
#include <sys/syscall.h>

#include "tests/targets/target.h"
#include "tests/waiting_thread.h"

#define THING "open files of other threads (/proc/self/task)"

static struct waiting_thread other;
static pid_t tid;

static void *wait_for_end(void *argument)
{
	(void)argument;
	tid = syscall(SYS_gettid);
	waiting_thread_wait(&other);
	return NULL;
}

int main(void)
{
	char path[64];
	int fd;

	waiting_thread_start(&other, wait_for_end, NULL);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	target_may_be_refused(THING,
			      "it is of a thread, and a child gets its threads "
			      "after its files");
	target_prepare();

	CHECK_EQ(fcntl(fd, F_GETFD), -1);
	target_child_has(THING, "none");
	waiting_thread_end(&other);
	return 0;
}

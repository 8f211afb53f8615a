// SPDX-License-Identifier: Apache-2.0
/*
 * An open file below /proc/self/task of another thread: a child gets its threads after its files, so it is
 * refused, and the message says why.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "tests/targets/target.h"

#define THING "open files of other threads (/proc/self/task)"

static pthread_barrier_t started, ended;
static pid_t tid;

static void *wait_for_end(void *argument)
{
	(void)argument;
	tid = syscall(SYS_gettid);
	pthread_barrier_wait(&started);
	pthread_barrier_wait(&ended);
	return NULL;
}

int main(void)
{
	pthread_t thread;
	char path[64];
	int fd;

	CHECK(!pthread_barrier_init(&started, NULL, 2));
	CHECK(!pthread_barrier_init(&ended, NULL, 2));
	CHECK(!pthread_create(&thread, NULL, wait_for_end, NULL));
	pthread_barrier_wait(&started);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	target_may_be_refused(THING,
			      "it is of a thread, and a child gets its threads "
			      "after its files");
	target_prepare();

	CHECK_EQ(fcntl(fd, F_GETFD), -1);
	target_child_has(THING, "none");
	pthread_barrier_wait(&ended);
	return 0;
}

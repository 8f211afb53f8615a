// SPDX-License-Identifier: Apache-2.0
/* The first thread of the process ended before another one prepares: the child lives on in that. */
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

static pthread_t first;

static void *nothing(void *argument)
{
	return argument;
}

static void *prepare(void *argument)
{
	pid_t tid = syscall(SYS_gettid), process = getpid();
	pthread_t thread;
	void *result;

	(void)argument;
	CHECK_EQ(pthread_join(first, NULL), 0);
	target_prepare();
	CHECK_EQ(getpid(), process);
	CHECK_EQ(syscall(SYS_gettid), tid);
	CHECK_EQ(pthread_create(&thread, NULL, nothing, &first), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK(result == &first);
	exit(0);
}

int main(void)
{
	pthread_t thread;

	first = pthread_self();
	CHECK_EQ(pthread_create(&thread, NULL, prepare, NULL), 0);
	pthread_exit(NULL);
}

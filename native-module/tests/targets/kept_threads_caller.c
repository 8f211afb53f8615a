// SPDX-License-Identifier: Apache-2.0
/*
 * A thread that is not the first one of its process prepares, and goes on as that thread; the first
 * one waits for it.
 */
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

static pthread_t first;
static pid_t process, first_tid;
static __thread pid_t own;

static void *prepare(void *argument)
{
	pid_t tid = syscall(SYS_gettid);
	double value = 3;

	own = tid;
	(void)argument;
	CHECK(tid != first_tid);
	target_prepare();
	CHECK_EQ(getpid(), process);
	CHECK_EQ(syscall(SYS_gettid), tid);
	CHECK(value * 2 == 6);
	CHECK_EQ(own, tid);
	return (void *)73;
}

int main(void)
{
	pthread_t thread;
	void *result;

	first = pthread_self();
	process = getpid();
	first_tid = syscall(SYS_gettid);
	CHECK_EQ(pthread_create(&thread, NULL, prepare, NULL), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK(result == (void *)73);
	CHECK_EQ(syscall(SYS_gettid), first_tid);
	return 0;
}

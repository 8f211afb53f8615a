// SPDX-License-Identifier: Apache-2.0
/*
 * A thread may have open files of its own (unshare(2), CLONE_FILES). The threads of a child share those of
 * the thread that prepared, and a child is told of it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>

#include "tests/targets/thread_own.h"

#define THING "open files of a thread that shares none"

static pthread_barrier_t opened, prepared;
static int number; /* of the file that one thread has */

static void *have_own_files(void *argument)
{
	(void)argument;
	CHECK(!unshare(CLONE_FILES));
	number = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK(number >= 0);
	pthread_barrier_wait(&opened);
	pthread_barrier_wait(&prepared);
	CHECK_EQ(fcntl(number, F_GETFD), -1);
	CHECK(is_told("open files of a thread of its own: "));
	target_child_has(THING, "told");
	return NULL;
}

int main(void)
{
	pthread_t thread;

	need_comparison();
	CHECK(!pthread_barrier_init(&opened, NULL, 2));
	CHECK(!pthread_barrier_init(&prepared, NULL, 2));
	CHECK(!pthread_create(&thread, NULL, have_own_files, NULL));
	pthread_barrier_wait(&opened);
	CHECK_EQ(fcntl(number, F_GETFD), -1);
	target_prepare();

	CHECK_EQ(fcntl(number, F_GETFD), -1);
	CHECK(!is_told("working directory, root, umask of a thread"));
	CHECK(!is_told("user, groups, rights of a thread"));
	CHECK(!is_told("policy, nice value, timer slack, personality of a thread"));
	CHECK(!is_told("namespaces of a thread"));
	pthread_barrier_wait(&prepared);
	CHECK(!pthread_join(thread, NULL));
	return 0;
}

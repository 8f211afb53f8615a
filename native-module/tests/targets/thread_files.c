// SPDX-License-Identifier: Apache-2.0
/*
 * A thread may have open files of its own (unshare(2), CLONE_FILES). The threads of a child share those of
 * the thread that prepared.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>

#include "tests/targets/target.h"

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
	target_child_has(THING, fcntl(number, F_GETFD) < 0 ? "none" : "kept");
	return NULL;
}

int main(void)
{
	pthread_t thread;

	CHECK(!pthread_barrier_init(&opened, NULL, 2));
	CHECK(!pthread_barrier_init(&prepared, NULL, 2));
	CHECK(!pthread_create(&thread, NULL, have_own_files, NULL));
	pthread_barrier_wait(&opened);
	CHECK_EQ(fcntl(number, F_GETFD), -1);
	target_prepare();

	CHECK_EQ(fcntl(number, F_GETFD), -1);
	pthread_barrier_wait(&prepared);
	CHECK(!pthread_join(thread, NULL));
	return 0;
}

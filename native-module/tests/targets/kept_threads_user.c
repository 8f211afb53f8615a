// SPDX-License-Identifier: Apache-2.0
/*
 * One thread changes the group of all threads, over and over: glibc sends each of them a signal and waits
 * until all have handled it. Another one makes threads that end, or cancels them, and waits for their end. In a child
 * both go on doing so, wherever they were.
 *
 * What is cancelled waits in no system call: in glibc 2.36, a thread that is cancelled in one while it handles that
 * signal ends without an answer to it, and setresgid() waits for ever, snapshot or not.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "local/clock.h"
#include "tests/targets/target.h"

#define THREADS	    8
#define DEADLINE_MS 20000

static _Atomic unsigned int changes, ended, rounds[THREADS];

static void *change_group(void *argument)
{
	for (;;) {
		/* To what they are: also where a child is another user. */
		CHECK(!setresgid(-1, -1, -1));
		changes++;
		/* Half of the time: so that pages of others come before the next signal. */
		usleep(100);
	}
	return argument;
}

static void *wait_for_cancel(void *argument)
{
	for (;;) {
		pthread_testcancel();
		sched_yield();
	}
	return argument;
}

static void *end(void *argument)
{
	return argument;
}

static void *make_threads(void *argument)
{
	pthread_t thread;
	void *result;

	for (;;) {
		CHECK(!pthread_create(&thread, NULL, wait_for_cancel, NULL));
		CHECK(!pthread_cancel(thread));
		CHECK(!pthread_join(thread, &result));
		CHECK(result == PTHREAD_CANCELED);
		CHECK(!pthread_create(&thread, NULL, end, &ended));
		CHECK(!pthread_join(thread, &result));
		CHECK(result == &ended);
		ended++;
	}
	return argument;
}

static void *count(void *argument)
{
	_Atomic unsigned int *own = argument;

	for (;;) {
		(*own)++;
		usleep(100);
	}
	return argument;
}

/* By the clock: signals end each sleep early. */
static void check_progress(_Atomic unsigned int *counter)
{
	unsigned int before = *counter;
	int64_t end_ms = now_ms() + DEADLINE_MS;

	while (*counter - before < 3 && now_ms() < end_ms)
		usleep(1000);
	CHECK(*counter - before >= 3);
}

static void check_all(void)
{
	int i;

	check_progress(&changes);
	check_progress(&ended);
	for (i = 0; i < THREADS; i++)
		check_progress(&rounds[i]);
}

int main(void)
{
	pthread_t thread;
	int i;

	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&thread, NULL, count, &rounds[i]));
	CHECK(!pthread_create(&thread, NULL, make_threads, NULL));
	/* The last one to be stopped: others have stopped when it sends them its signals. */
	CHECK(!pthread_create(&thread, NULL, change_group, NULL));
	check_all();
	target_prepare();
	check_all();
	/* exit() takes away what a static program unwinds by, while another thread is being cancelled. */
	fflush(stdout);
	_exit(0);
}

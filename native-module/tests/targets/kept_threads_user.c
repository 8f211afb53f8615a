// SPDX-License-Identifier: Apache-2.0
/*
 * One thread changes the group of all threads, over and over: glibc sends each of them a signal and waits
 * until all have handled it. In a child it goes on doing so, wherever it was.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

#define THREADS	    8
#define DEADLINE_MS 20000

static _Atomic unsigned int changes, rounds[THREADS];

static void *change_group(void *argument)
{
	for (;;) {
		/* To what they are: also where a child is another user. */
		CHECK(!setresgid(-1, -1, -1));
		changes++;
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

static void check_progress(_Atomic unsigned int *counter)
{
	unsigned int before = *counter;
	int ms;

	for (ms = 0; ms < DEADLINE_MS && *counter - before < 3; ms++)
		usleep(1000);
	CHECK(*counter - before >= 3);
}

static void check_all(void)
{
	int i;

	check_progress(&changes);
	for (i = 0; i < THREADS; i++)
		check_progress(&rounds[i]);
}

int main(void)
{
	pthread_t thread;
	int i;

	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&thread, NULL, count, &rounds[i]));
	/* The last one to be stopped: others have stopped when it sends them its signals. */
	CHECK(!pthread_create(&thread, NULL, change_group, NULL));
	check_all();
	target_prepare();
	check_all();
	exit(0);
}

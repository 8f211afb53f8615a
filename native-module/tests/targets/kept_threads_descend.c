// SPDX-License-Identifier: Apache-2.0
/*
 * A child with threads prepares itself and is resumed in turn, with the same threads: its child sees
 * what each generation has added.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

#include "tests/targets/descend.h"

#define THREADS	    4
#define GENERATIONS 2

static _Atomic uint64_t generation;
static _Atomic int ready, answered[THREADS];

/* Adds one to its answer for each generation, in that generation's process. */
static void *follow(void *argument)
{
	const struct timespec tick = { .tv_nsec = 1000000 };
	_Atomic int *answer = argument;
	pid_t tid = syscall(SYS_gettid);
	uint64_t seen = 0;

	ready++;
	while (seen <= GENERATIONS) {
		nanosleep(&tick, NULL);
		if (generation == seen)
			continue;
		CHECK_EQ(generation, seen + 1);
		CHECK_EQ(syscall(SYS_gettid), tid);
		seen++;
		(*answer)++;
	}
	return argument;
}

static void next_generation(void)
{
	int i;

	generation++;
	for (i = 0; i < THREADS; i++)
		while (answered[i] < (int)generation)
			usleep(1000);
}

/* Goes on as a child of a snapshot of this process; the caller's part ends here. */
static void descend(uint32_t handler_id)
{
	struct mitosis *device;

	CHECK_EQ(mitosis_open(target_backend(), &device), 0);
	CHECK_EQ(mitosis_prepare(device, handler_id), 0);
	if (mitosis_nil(device)) {
		CHECK_EQ(mitosis_nil(device), -EBADF);
		mitosis_close(device);
		return;
	}
	descend_to_child(device, handler_id, NULL);
}

int main(void)
{
	pthread_t threads[THREADS];
	uint32_t unique;
	int i;

	for (i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, follow,
					(void *)&answered[i]),
			 0);
	while (ready < THREADS)
		usleep(1000);
	target_prepare();

	next_generation();
	/* All children have one id: what they were made at tells them apart. */
	for (i = 0; i < GENERATIONS; i++) {
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC, &now);
		unique = (uint32_t)now.tv_nsec >> 4;
		descend((uint32_t)(i + 1) << 28 | unique);
		next_generation();
	}
	for (i = 0; i < THREADS; i++) {
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
		CHECK_EQ(answered[i], 1 + GENERATIONS);
	}
	return 0;
}

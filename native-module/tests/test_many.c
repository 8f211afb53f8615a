// SPDX-License-Identifier: Apache-2.0
/*
 * One winner per handler id, a registry that can be filled, cycles that leave
 * nothing behind, and prepare beside other threads.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "local/registry.h"
#include "tests/harness.h"

#define RACERS 16
#define CYCLES 1000

static void *race(void *start)
{
	struct mitosis *device = open_user();
	int won;

	pthread_barrier_wait(start);
	won = mitosis_prepare_pinned(device, 5);
	CHECK(won == 0 || won == -EEXIST);
	mitosis_close(device);
	return won == 0 ? start : NULL;
}

static void one_winner(void)
{
	struct mitosis *device = open_user();
	pthread_barrier_t start;
	int round, i;

	for (round = 0; round < 20; round++) {
		pthread_t threads[RACERS];
		long winners = 0;

		pthread_barrier_init(&start, NULL, RACERS);
		for (i = 0; i < RACERS; i++)
			CHECK(!pthread_create(&threads[i], NULL, race, &start));
		for (i = 0; i < RACERS; i++) {
			void *won;

			pthread_join(threads[i], &won);
			winners += won != NULL;
		}
		CHECK_EQ(winners, 1);
		CHECK_EQ(mitosis_unprepare(device, 5), 0);
		pthread_barrier_destroy(&start);
	}
	mitosis_close(device);
}

static void full_registry(void)
{
	struct mitosis *device;
	uint32_t i;

	for (i = 0; i < REGISTRY_SLOTS; i++) {
		device = open_user();
		CHECK_EQ(mitosis_prepare_pinned(device, i), 0);
		mitosis_close(device);
	}
	device = open_user();
	CHECK_EQ(mitosis_prepare(device, i), -ENOSPC);
	CHECK_EQ(mitosis_list(device, NULL, 0), REGISTRY_SLOTS);
	for (i = 0; i < REGISTRY_SLOTS; i++)
		CHECK_EQ(mitosis_unprepare(device, i), 0);
	CHECK_EQ(mitosis_list(device, NULL, 0), 0);
	mitosis_close(device);
	/* Opening reaps the shadows of pinned snapshots that have ended. */
	device = open_user();
	CHECK_SOON((mitosis_close(open_user()), child_count() == 0), 20000);
	mitosis_close(device);
}

static void nothing_left(void)
{
	struct mitosis *device = open_user();
	int fds, daemon_fds, i;

	CHECK_EQ(mitosis_prepare(device, 1), 0);
	CHECK_EQ(mitosis_unprepare(device, 1), 0);
	fds = fd_count(getpid());
	sleep_ms(50); /* for the daemon to notice the end of the shadow */
	daemon_fds = fd_count(daemon_pid());
	for (i = 0; i < CYCLES; i++) {
		CHECK_EQ(mitosis_prepare(device, 1), 0);
		CHECK_EQ(mitosis_unprepare(device, 1), 0);
	}
	CHECK_EQ(fd_count(getpid()), fds);
	CHECK_SOON(fd_count(daemon_pid()) == daemon_fds, 20000);
	CHECK_EQ(child_count(), 0);
	mitosis_close(device);
}

int main(void)
{
	nothing_left();
	one_winner();
	full_registry();
	return 0;
}

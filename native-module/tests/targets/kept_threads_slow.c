// SPDX-License-Identifier: Apache-2.0
/*
 * A thread that runs only when nothing else does gives memory back, again and again. While such a call is
 * under way the kernel lets nobody put a page into the process: others, which need pages, wait for
 * it no longer than that, and get the right ones.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#include "tests/targets/target.h"

/* Each may wait for the slow thread, for long on a busy machine. */
#define PAGES 64

static _Atomic int in_child, rounds, ends;
static volatile char *given_back;

static void *give_back(void *argument)
{
	const struct timespec tick = { .tv_nsec = 2000000 };
	const struct sched_param none = { 0 };

	while (!in_child)
		nanosleep(&tick, NULL);
	CHECK_EQ(*given_back, 1);
	CHECK(!pthread_setschedparam(pthread_self(), SCHED_IDLE, &none));
	for (; !ends; rounds++) {
		CHECK(!madvise((void *)given_back, PAGE, MADV_DONTNEED));
		CHECK_EQ(*given_back, 0);
		*given_back = 2;
	}
	return argument;
}

int main(void)
{
	pthread_t thread;
	char *memory;
	int i;

	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	given_back = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED && given_back != MAP_FAILED);
	*given_back = 1;
	target_fill(memory, PAGES * PAGE, 1);
	target_overwrites(memory, PAGES * PAGE);
	CHECK(!pthread_create(&thread, NULL, give_back, NULL));
	target_prepare();

	in_child = 1;
	while (!rounds)
		sched_yield();
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(target_differs(memory, i * PAGE, PAGE, 1), -1);
	ends = 1;
	CHECK(!pthread_join(thread, NULL));
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "helpers/parent/threads.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "helpers/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room for the signal frame by which prepare stops a thread. */
#define STACK_SIZE (PTHREAD_STACK_MIN + (64u << 10))

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t running;

static void *wait_for_lock(void *argument)
{
	pthread_barrier_wait(&running);
	pthread_mutex_lock(&held);
	pthread_mutex_unlock(&held);
	return argument;
}

static void *compute(void *argument)
{
	volatile uint64_t sum = 0;

	pthread_barrier_wait(&running);
	for (;;)
		sum += sum ^ 1;
	return argument;
}

#define LIBRARY "libpthread.so.0"

/* NULL before glibc 2.34, unless the library of threads has been loaded. */
extern int old_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)
	__attribute__((weak));
__asm__(".symver old_create, pthread_create@GLIBC_2.2.5");

int threads_load(char **argv)
{
	const char *loaded = getenv("LD_PRELOAD");
	char libraries[PATH_MAX];

	if (old_create)
		return 0;
	if (loaded && strstr(loaded, LIBRARY))
		return -ENOSYS;
	if (snprintf(libraries, sizeof(libraries), "%s%s" LIBRARY, loaded ?: "",
		     loaded ? ":" : "") >= (int)sizeof(libraries) ||
	    setenv("LD_PRELOAD", libraries, 1))
		return -ENOMEM;
	execv("/proc/self/exe", argv);
	return -errno;
}

static pthread_t watch;
static _Atomic bool watch_runs, watch_ends;
static uint64_t longest_ns;

static void *watch_clock(void *argument)
{
	uint64_t before = now_ns(), now;

	longest_ns = 0;
	watch_runs = true;
	while (!watch_ends) {
		now = now_ns();
		if (now - before > longest_ns)
			longest_ns = now - before;
		before = now;
	}
	return argument;
}

int watch_start(void)
{
	int err;

	watch_runs = watch_ends = false;
	err = pthread_create(&watch, NULL, watch_clock, NULL);
	while (!err && !watch_runs)
		sched_yield();
	return -err;
}

uint64_t watch_end(void)
{
	watch_ends = true;
	pthread_join(watch, NULL);
	return longest_ns;
}

int threads_start(uint32_t count, bool busy)
{
	pthread_attr_t attributes;
	pthread_t thread;
	uint32_t i;
	int err;

	if (!count)
		return 0;
	pthread_mutex_lock(&held);
	pthread_barrier_init(&running, NULL, count + 1);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	for (i = 0; i < count; i++) {
		err = pthread_create(&thread, &attributes,
				     busy ? compute : wait_for_lock, NULL);
		if (err)
			return -err;
	}
	pthread_attr_destroy(&attributes);
	pthread_barrier_wait(&running);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * What the kernel and the C library know of threads by their ids: mutexes with priority
 * inheritance, held, waited for, and left by a thread that ends; cancellation; destructors of
 * thread-specific data; ids that change in all threads.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

#include "tests/targets/target.h"

static _Atomic int in_child, ready, destroyed, cleaned;
static pthread_mutex_t of_main, of_other, left;
static pthread_key_t key;
static sem_t never;
/* Of each thread, its own: a destructor runs when the thread has no stack of its function. */
static __thread pid_t own;

static void init(pthread_mutex_t *mutex, int robustness)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	CHECK_EQ(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT),
		 0);
	pthread_mutexattr_setrobust(&attributes, robustness);
	CHECK_EQ(pthread_mutex_init(mutex, &attributes), 0);
}

static void wait_for_child(void)
{
	const struct timespec tick = { .tv_nsec = 2000000 };

	while (!in_child)
		nanosleep(&tick, NULL);
}

static void destroy(void *value)
{
	CHECK_EQ(*(pid_t *)value, syscall(SYS_gettid));
	destroyed++;
}

/* Its value of the key is destroyed when it ends, in the child. */
static void keep_own(void)
{
	own = syscall(SYS_gettid);
	CHECK_EQ(pthread_setspecific(key, &own), 0);
	ready++;
}

static void *wait_for_main(void *argument)
{
	keep_own();
	CHECK_EQ(pthread_mutex_lock(&of_main), 0);
	CHECK(in_child);
	CHECK_EQ(pthread_mutex_unlock(&of_main), 0);
	return argument;
}

static void *hold(void *argument)
{
	CHECK_EQ(pthread_mutex_lock(&of_other), 0);
	keep_own();
	wait_for_child();
	CHECK_EQ(pthread_mutex_unlock(&of_other), 0);
	return argument;
}

static void *end_with_lock(void *argument)
{
	CHECK_EQ(pthread_mutex_lock(&left), 0);
	keep_own();
	wait_for_child();
	pthread_exit(argument);
}

static void clean(void *argument)
{
	(void)argument;
	cleaned++;
}

static void *be_cancelled(void *argument)
{
	pthread_cleanup_push(clean, NULL);
	keep_own();
	for (;;)
		sem_wait(&never);
	pthread_cleanup_pop(0);
	return argument;
}

static void *be_cancelled_while_it_computes(void *argument)
{
	volatile uint64_t rounds = 0;

	pthread_cleanup_push(clean, NULL);
	CHECK_EQ(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL), 0);
	keep_own();
	for (;;)
		rounds++;
	pthread_cleanup_pop(0);
	return argument;
}

int main(void)
{
	static void *(*const bodies[])(void *) = {
		wait_for_main,
		hold,
		end_with_lock,
		be_cancelled,
		be_cancelled_while_it_computes,
	};
	enum { WAITS, HOLDS, ENDS, CANCELLED, COMPUTES, COUNT };
	pthread_t threads[COUNT];
	void *result;
	int i;

	sem_init(&never, 0, 0);
	CHECK_EQ(pthread_key_create(&key, destroy), 0);
	init(&of_main, PTHREAD_MUTEX_STALLED);
	init(&of_other, PTHREAD_MUTEX_STALLED);
	init(&left, PTHREAD_MUTEX_ROBUST);
	CHECK_EQ(pthread_mutex_lock(&of_main), 0);
	for (i = 0; i < COUNT; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, bodies[i], NULL), 0);
	while (ready < COUNT)
		usleep(1000);
	usleep(10000);
	target_prepare();

	/* The C library has each thread change its own, by the signal that prepare uses. */
	CHECK_EQ(setresgid(-1, getegid(), -1), 0);
	in_child = 1;
	CHECK_EQ(pthread_mutex_unlock(&of_main), 0);
	CHECK_EQ(pthread_mutex_lock(&of_other), 0);
	CHECK_EQ(pthread_mutex_lock(&left), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(&left), 0);
	CHECK_EQ(pthread_mutex_unlock(&left), 0);
	CHECK_EQ(pthread_cancel(threads[CANCELLED]), 0);
	CHECK_EQ(pthread_cancel(threads[COMPUTES]), 0);
	for (i = 0; i < COUNT; i++) {
		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK_EQ(result == PTHREAD_CANCELED, i >= CANCELLED);
	}
	CHECK_EQ(cleaned, 2);
	CHECK_EQ(destroyed, COUNT);
	return 0;
}

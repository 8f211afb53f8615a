/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that does something and then waits, for test programs and targets. Include it behind their CHECK(). */
#ifndef TESTS_WAITING_THREAD_H
#define TESTS_WAITING_THREAD_H

#include <pthread.h>

struct waiting_thread {
	pthread_barrier_t ready, released;
	pthread_t thread;
};

/* Returns when the thread waits. */
static inline void waiting_thread_start(struct waiting_thread *w,
					void *(*run)(void *), void *argument)
{
	CHECK(!pthread_barrier_init(&w->ready, NULL, 2));
	CHECK(!pthread_barrier_init(&w->released, NULL, 2));
	CHECK(!pthread_create(&w->thread, NULL, run, argument));
	pthread_barrier_wait(&w->ready);
}

/* By the thread, once. */
static inline void waiting_thread_wait(struct waiting_thread *w)
{
	pthread_barrier_wait(&w->ready);
	pthread_barrier_wait(&w->released);
}

/* Lets it go on, and waits for its end. */
static inline void waiting_thread_end(struct waiting_thread *w)
{
	pthread_barrier_wait(&w->released);
	CHECK(!pthread_join(w->thread, NULL));
}

#endif /* TESTS_WAITING_THREAD_H */

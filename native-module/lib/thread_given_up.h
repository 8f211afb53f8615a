/* SPDX-License-Identifier: Apache-2.0 */
/* The message of a stop of all threads that has been given up. */
#ifndef LIB_THREAD_GIVEN_UP_H
#define LIB_THREAD_GIVEN_UP_H

#include <stdbool.h>
#include <stdint.h>

/* A thread that did not stop. */
struct late_thread {
	int32_t tid, listed; /* listed: in /proc */
	bool blocks;	     /* the signal, while the others stood */
};

/*
 * When all run again. `err` says why: -ETIMEDOUT the late one, -EDEADLK the C library was about to change all
 * threads, -E2BIG there are too many, or what the kernel said. Returns -errno, with the message.
 */
int thread_stop_given_up(int err, const struct late_thread *late, uint32_t stop_ms,
			 uint32_t signal);

#endif /* LIB_THREAD_GIVEN_UP_H */

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Something that is done once, by whichever thread comes first. pthread_once() would need
 * libpthread before glibc 2.34, whose mappings every process with the library, and each of its
 * children, would have.
 */
#ifndef LIB_ONCE_H
#define LIB_ONCE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct once {
	pthread_mutex_t lock;
	atomic_bool done;
};

#define ONCE_INIT                                                                   \
	{                                                                           \
		.lock = PTHREAD_MUTEX_INITIALIZER                                   \
	}

static inline void once_do(struct once *once, void (*what)(void))
{
	if (atomic_load_explicit(&once->done, memory_order_acquire))
		return;
	pthread_mutex_lock(&once->lock);
	if (!once->done)
		what();
	atomic_store_explicit(&once->done, true, memory_order_release);
	pthread_mutex_unlock(&once->lock);
}

#endif /* LIB_ONCE_H */

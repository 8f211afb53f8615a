/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads of this process, by their ids in /proc and by those that system calls take. The two differ where
 * /proc is that of another PID namespace, as in a container that has its host's. Without locks and malloc.
 */
#ifndef LIB_THREAD_LIST_H
#define LIB_THREAD_LIST_H

#include <stdbool.h>
#include <stdint.h>

struct thread_list {
	int fd; /* /proc/self/task */
	bool ids_differ;
	long size, at; /* of what is in the buffer */
	char buffer[4096] __attribute__((aligned(8)));
};

/* Returns 0 or -errno. */
int thread_list_open(struct thread_list *list);
void thread_list_close(struct thread_list *list);

/* Begins anew: with those that there are now. */
void thread_list_rewind(struct thread_list *list);

/* Returns 1 with the next one's id in /proc, 0 at the end, or -errno. */
int thread_list_next(struct thread_list *list, int32_t *listed);

/* Its id for system calls; 0: it has gone. */
int32_t thread_list_id(const struct thread_list *list, int32_t listed);

#endif /* LIB_THREAD_LIST_H */

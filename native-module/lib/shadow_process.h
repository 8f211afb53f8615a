/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the processes of a snapshot have in common: the shadow, its per-CPU page
 * servers and its clones. They run without libc, TLS and globals.
 */
#ifndef LIB_SHADOW_PROCESS_H
#define LIB_SHADOW_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/shadow_arena.h"

/*
 * Forks. The child calls `entry`, which must not return, on the stack that ends at
 * `stack_end`. Returns its pid or -errno. `pidfd` and `tid` are for CLONE_PIDFD and
 * CLONE_CHILD_*TID.
 */
long shadow_process_fork(char *stack_end, void (*entry)(void *), void *argument,
			 uint64_t flags, int *pidfd, void *tid);

/* The same by clone3(2), without a stack in its arguments. */
struct clone_args;
long shadow_process_fork_by(char *stack_end, void (*entry)(void *), void *argument,
			    const struct clone_args *args);

/* Maps private memory, zeroed. Returns NULL on an error. */
void *shadow_process_map(size_t size);

/* Closes all descriptors from `fd` on. */
void shadow_process_close_from(long fd);

void __attribute__((noreturn)) shadow_process_exit(void);

/* Tells the parent the state of its shadow, and wakes it if it waits. */
void shadow_process_tell(struct shadow_arena *arena, enum shadow_outcome outcome,
			 int error);

#endif /* LIB_SHADOW_PROCESS_H */

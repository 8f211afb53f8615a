/* SPDX-License-Identifier: Apache-2.0 */
/* The moment of prepare: the other threads are stopped and the shadow is forked. */
#ifndef LIB_TAKE_SNAPSHOT_H
#define LIB_TAKE_SNAPSHOT_H

#include "lib/shadow_arena.h"
#include "proto/descriptor.h"

/*
 * Forks the shadow whose channel and place in the registry are in the arena; waits for it where that is
 * needed. `maps` is as of shared_memory_exists(). Returns the shadow's pid, or -errno with a
 * message; then there is no shadow.
 */
int take_snapshot(struct shadow_arena *arena, int *maps,
		  const struct descriptor_thread *caller);

/*
 * Stops the other threads of this process, until thread_stop_release(), and notes them in the
 * arena. Returns 0, or -errno with a message when all run.
 */
int snapshot_stop_threads(struct shadow_arena *arena);

#endif /* LIB_TAKE_SNAPSHOT_H */

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shadow: a copy of the parent, made by fork, that holds a
 * snapshot's memory and serves it.
 *
 * It runs with all signals blocked, on a stack of its own, and writes to no
 * memory of the parent's: its data is in its arena, which is not part of the
 * snapshot. It ends when mitosisd closes its channel.
 */
#ifndef LIB_SHADOW_H
#define LIB_SHADOW_H

#include "lib/shadow_arena.h"

/*
 * Maps the memory of a shadow. The arguments are shared, so that the parent writes
 * them without a copy-on-write fault. The stack is private, because the device's
 * last shadow may still run on its copy, for the children it has. The mapping is not
 * merged with the program's own. Returns 0 or -errno.
 */
int shadow_arena_create(struct shadow_arena **arena);
void shadow_arena_destroy(struct shadow_arena *arena);

/*
 * Forks the calling process into a shadow that runs on the arena's stack. All
 * signals must be blocked. Returns the shadow's pid or -errno. The kernel sends
 * no signal when it ends; wait for it with __WALL.
 */
int shadow_fork(struct shadow_arena *arena);

#endif /* LIB_SHADOW_H */

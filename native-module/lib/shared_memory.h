/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared memory that has no file of its own: anonymous, memfd, System V segments, deleted
 * files. A forked process shares it, so a snapshot has a copy, which its shadow makes
 * while prepare waits; prepare waits only if this process has mapped such memory.
 */
#ifndef LIB_SHARED_MEMORY_H
#define LIB_SHARED_MEMORY_H

#include <stdbool.h>

#include "lib/shadow_arena.h"

/*
 * Whether a shared mapping is the library's own, which children do not share: the
 * registry, or the arena of a device. No C library.
 */
bool shared_memory_is_own(uint64_t start, uint64_t end, const char *name);

/*
 * Whether this process has mapped shared memory without a file, beside the `arena` (or NULL) of the
 * device that asks. True if unsure. Keeps what it reads open in *maps, which is -1 at
 * first.
 */
bool shared_memory_exists(int *maps, const struct shadow_arena *arena);

/* The message for a shadow that has refused memory: fail() of its arena's `refusal`. */
int shared_memory_refused(const struct shadow_refusal *refusal);

#endif /* LIB_SHARED_MEMORY_H */

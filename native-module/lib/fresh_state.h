/* SPDX-License-Identifier: Apache-2.0 */
/* What the parent has and what it forks begins without: FRESH_*, for the report of a child. */
#ifndef LIB_FRESH_STATE_H
#define LIB_FRESH_STATE_H

#include <stdint.h>

#include "lib/shadow_arena.h"

/* What this process alone can ask for; in the parent. */
uint32_t fresh_state_of_caller(void);
/* Of that, what the kernel module does not read itself. Not with a seccomp filter. */
uint32_t fresh_signals_of_caller(void);

/*
 * The same with what /proc has of the parent, while that goes on; in the shadow: no libc, no
 * globals.
 */
uint32_t fresh_state_of_parent(const struct shadow_arena *arena);

#endif /* LIB_FRESH_STATE_H */

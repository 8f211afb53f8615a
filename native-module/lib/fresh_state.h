/* SPDX-License-Identifier: Apache-2.0 */
/* What the parent has and what it forks begins without: FRESH_*, for the report of a child. */
#ifndef LIB_FRESH_STATE_H
#define LIB_FRESH_STATE_H

#include <stdint.h>

#include "lib/restore_plan.h"
#include "lib/shadow_arena.h"
#include "lib/shared_object.h"

/*
 * What this process alone can ask for; in the parent. Not with a seccomp filter, which might end
 * the process for a call that it does not know.
 */
uint32_t fresh_state_of_caller(void);
/* Of that, what the kernel module does not read itself. Not with a seccomp filter. */
uint32_t fresh_signals_of_caller(void);

/*
 * The same with what /proc has of the parent, while that goes on; in the shadow: no libc, no
 * globals.
 */
uint32_t fresh_state_of_parent(const struct shadow_arena *arena);

/* Of RESTORE_LOST_*, what is lost by any child but a clone. */
static inline uint64_t fresh_state_lost(const struct descriptor_header *d)
{
	const struct vma_list list = shared_object_vmas(d);

	return (uint64_t)d->state.fresh << RESTORE_LOST_FRESH |
	       (shared_object_has_segment(&list) ? RESTORE_LOST_ATTACHMENTS : 0);
}

/* The same in children that the shadow forks: it has the parent's segments of memory itself. */
static inline uint64_t fresh_state_lost_by_clones(const struct descriptor_header *d)
{
	return fresh_state_lost(d) &
	       ~((uint64_t)FRESH_SEGMENTS << RESTORE_LOST_FRESH);
}

#endif /* LIB_FRESH_STATE_H */

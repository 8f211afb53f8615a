/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a clone keeps beside the memory of its parent: by the plan at its start it can tell that
 * it is one, and what it lacks. No C library.
 */
#ifndef LIB_CLONE_AREA_H
#define LIB_CLONE_AREA_H

#include <stddef.h>
#include <stdint.h>

#include "lib/restore_plan.h"

/* In the process that forks clones. Returns zeroed memory, or NULL. */
void *clone_area_map(size_t size);

/* The plan in readable memory that starts at `start`; NULL: that is no clone's area. */
const struct restore_plan *clone_area_plan(uint64_t start);

#endif /* LIB_CLONE_AREA_H */

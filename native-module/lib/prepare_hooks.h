/* SPDX-License-Identifier: Apache-2.0 */
/* What a process asked to be called for when it is prepared: mitosis_on_prepare(). */
#ifndef LIB_PREPARE_HOOKS_H
#define LIB_PREPARE_HOOKS_H

#include <stdint.h>

/*
 * Calls what was registered to be called before, the last first, until one refuses. Returns 0,
 * or its -errno after the others have been called for that. *called becomes how many there were.
 */
int prepare_hooks_before(uint32_t handler_id, unsigned int *called);

/*
 * In the parent: the first `called`, by order of registration; those that have been registered since
 * were not called before. `result` is that of prepare.
 */
void prepare_hooks_after(uint32_t handler_id, unsigned int called, int result);

#endif /* LIB_PREPARE_HOOKS_H */

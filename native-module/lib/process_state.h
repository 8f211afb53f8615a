/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives a process that becomes a child what its parent had beside memory and rights: the
 * descriptor_process. Nothing is set that the caller could not set itself, and no limit
 * becomes higher than the caller's hard one. What cannot be set is in plan->lost.
 */
#ifndef LIB_PROCESS_STATE_H
#define LIB_PROCESS_STATE_H

#include <stdbool.h>

#include "lib/restore.h"

/*
 * Finds out what differs here, once for all children of a plan. A process that is
 * forked for a container has stricter limits, and keeps them.
 */
void process_state_plan(struct restore_plan *plan);

/* Whether its memory must not become executable (PR_SET_MDWE). */
bool process_refuses_execution(const struct descriptor_process *p);

/* What needs rights that the child may not get. */
void process_state_give(struct restore_plan *plan);

/* Directory and umask, in the child's own root directory, user and namespaces. */
void process_state_settle(struct restore_plan *plan);

/*
 * Its limits, once its files have their numbers: the parent may have lowered its limit of
 * them below a number that it had given.
 */
void process_state_limit(struct restore_plan *plan);

#endif /* LIB_PROCESS_STATE_H */

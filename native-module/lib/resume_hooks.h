/* SPDX-License-Identifier: Apache-2.0 */
/* What a process asked to be called for in its children: mitosis_on_resume(). */
#ifndef LIB_RESUME_HOOKS_H
#define LIB_RESUME_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/resume_times.h"
#include "proto/descriptor.h"

bool resume_hooks_exist(void);

/* Keeps what children are told, if there are hooks. Before a snapshot is taken. */
void resume_hooks_set_snapshot(uint32_t handler_id, uint64_t generation);

/*
 * Has a child run the hooks before it returns from prepare, if there are any. `thread`
 * holds its state just after the return.
 */
void resume_hooks_divert(struct descriptor_thread *thread);

/*
 * In a child: runs the hooks, by order of registration. `number` is the child's on the
 * machine with that id; 0: neither is known. `times` may be NULL.
 */
void resume_hooks_run(uint64_t number, uint32_t machine_id,
		      const struct resume_times *times);

#endif /* LIB_RESUME_HOOKS_H */

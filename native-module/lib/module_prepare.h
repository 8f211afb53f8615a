/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prepare by the kernel module. The module copies the memory and sees one thread; the process
 * stops its other threads itself, and tells the module of them, of its open files and of its
 * state, as a shadow of the user backend would describe them.
 */
#ifndef LIB_MODULE_PREPARE_H
#define LIB_MODULE_PREPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "local/registry.h"

struct prepare_settings;
struct restore_plan;
struct shadow_arena;

/* Of a device of the kernel module. */
struct module_parent {
	struct shadow_arena
		*arena; /* that forks do not get; NULL until it is needed */
	/* What a resumed child keeps of its restorer, which its own children do without. */
	const struct restore_plan *own_plan;
};

/*
 * Prepares this process. Returns 0, in children of the snapshot as well, or -errno with a
 * message. *refused is the module's own errno, or 0. If `tells`, the module passes each child its
 * number and machine id: a child finds these in *child, which is 0 in the parent.
 */
int module_prepare(struct module_parent *parent, int device, uint32_t handler_id,
		   uint32_t flags, const struct prepare_settings *settings,
		   bool tells, struct registry_child *child, int *refused);

void module_parent_destroy(struct module_parent *parent);

#endif /* LIB_MODULE_PREPARE_H */

/* SPDX-License-Identifier: Apache-2.0 */
/* Becoming a child by a plan: everything up to the point of no return. */
#ifndef LIB_RESUME_H
#define LIB_RESUME_H

#include "lib/resume_plan.h"
#include "local/registry.h"

/*
 * Becomes a child by a plan of this process or of the one it was forked from,
 * with its pages from `stream`, which it takes over. It is counted in the registry, unless NULL.
 * Returns only -errno, with a message; the plan can be used again then.
 */
int resume_run(struct restore_plan *plan, int stream, struct registry *registry,
	       const char *what);

/*
 * Makes a plan and runs it: becomes a child of the snapshot behind a stream, with
 * its pages as `settings` says. Takes the stream over. Returns only -errno, with a message
 * that names `what`.
 */
int resume_from(int stream, const struct resume_settings *settings,
		const struct parent_rights *parent, struct registry *registry,
		const char *what);

/*
 * The same with memory from the kernel module, which has opened the snapshot: takes both over.
 * The descriptor has been checked, and is freed.
 */
int resume_by_module(int opened, struct descriptor_header *descriptor,
		     const struct resume_settings *settings, const char *what);

#endif /* LIB_RESUME_H */

/* SPDX-License-Identifier: Apache-2.0 */
/* What a process needs to become a child: the restorer area, laid out, with the plan in it. */
#ifndef LIB_RESUME_PLAN_H
#define LIB_RESUME_PLAN_H

#include "lib/restore.h"
#include "lib/resume_settings.h"
#include "local/registry.h"

/*
 * Makes a plan to become a child of the snapshot behind a stream, with at most what
 * `parent` has, unless that is NULL or not known: fetches the descriptor, opens the
 * files and lays out the restorer area. Processes that are forked later can use the
 * plan, too. Returns 0 or -errno with a message that names `what`.
 */
int resume_plan_create(int stream, const struct resume_settings *settings,
		       const struct parent_rights *parent, const char *what,
		       struct restore_plan **plan);

/*
 * The same for a snapshot that the kernel module has opened. The descriptor, which was
 * there at `descriptor_ns`, has been checked, and is freed.
 */
int resume_plan_create_opened(int opened, struct descriptor_header *descriptor,
			      uint64_t descriptor_ns,
			      const struct resume_settings *settings,
			      const char *what, struct restore_plan **plan);

void resume_plan_destroy(struct restore_plan *plan);

/* A step of the child, which does not keep the file of the trace open. */
void resume_plan_trace(const struct restore_plan *plan, const char *step,
		       const char *what);

#endif /* LIB_RESUME_PLAN_H */

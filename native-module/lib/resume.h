/* SPDX-License-Identifier: Apache-2.0 */
/* Becoming a child: everything up to the point of no return. */
#ifndef LIB_RESUME_H
#define LIB_RESUME_H

#include "lib/restore.h"
#include "libmitosis.h"
#include "local/registry.h"

struct path_map;

/* How a device, or an attachment, resumes. */
struct resume_settings {
	struct mitosis_resume_options options;
	uint32_t files;				/* enum mitosis_files */
	uint32_t signals;			/* enum mitosis_signals */
	struct mitosis_confinement confinement; /* none: its function is NULL */
	struct mitosis_thread_confinement thread_confinement; /* likewise */
	uint32_t own;					      /* MITOSIS_OWN_* */
	char host_name[MITOSIS_HOST_NAME_SIZE];		      /* "": the caller's */
	struct path_map *paths; /* a plan uses it, too */
};

/* Whether the snapshot forks its children, which their callers wait for. */
static inline bool resume_forks(const struct resume_settings *settings)
{
	return settings->options.mode == MITOSIS_RESUME_CLONE ||
	       settings->options.mode == MITOSIS_RESUME_REPLICA;
}

/*
 * Prepares everything to become a child of the snapshot behind a stream, with at most what
 * `parent` has, unless that is NULL or not known: fetches the descriptor, opens the files and lays out the restorer area. Processes that are
 * forked later can use the plan, too. Returns 0 or -errno with a message that names
 * `what`.
 */
int resume_plan_create(int stream, const struct resume_settings *settings,
		       const struct parent_rights *parent, const char *what,
		       struct restore_plan **plan);
void resume_plan_destroy(struct restore_plan *plan);

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

/* SPDX-License-Identifier: Apache-2.0 */
/* One start: container, resume, exit, reap. */
#ifndef LAUNCHER_LAUNCH_H
#define LAUNCHER_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>

#include "helpers/launcher/container.h"
#include "libmitosis.h"

#define LAUNCH_MESSAGE_SIZE 2048 /* of an error message, bytes */

/* What is started. */
struct launch_plan {
	struct container container;
	struct mitosis_child_options options;
	/* As children are made, MITOSIS_RESUME_*: of the options, or what auto has chosen. */
	uint32_t mode;
	bool chooses_mode;		       /* auto was asked for */
	struct mitosis_attachment *attachment; /* NULL: not yet, or there are none */
	uint32_t handler_id;
	uint32_t machine_id;
	const char *address; /* of that machine, for messages; or NULL */
	int backend;
	bool remote;
	bool empty;	/* resume nothing */
	bool refused;	/* the snapshot has not forked the last child */
	int deadline_s; /* of one start */
	int report_read, error_read;
	int report_write, error_write; /* the first is REPORT_FD_DEFAULT */
};

/* Whether the snapshot forks the children, which then need no process that becomes one. */
static inline bool launch_forks(const struct launch_plan *plan)
{
	return plan->mode == MITOSIS_RESUME_CLONE ||
	       plan->mode == MITOSIS_RESUME_REPLICA;
}

/* Times in ns; 0 where nothing was resumed. */
struct launch_result {
	uint64_t startup_ns; /* request -> the child has been reaped */
	uint64_t resume_ns;  /* before resume -> first instruction */
	uint64_t execution_ns;
	uint64_t first_result_ns; /* before resume -> first result */
	uint64_t wrong;		  /* pages or results */
	uint64_t instruction_ns;  /* CLOCK_MONOTONIC: its first instruction */
	uint64_t result_ns;	  /* the same of its first result */
	/* Before resume -> what struct mitosis_child has; 0: the child did not say. */
	uint64_t descriptor_ns, born_ns, files_ns, mapped_ns, go_ns;
};

/* Makes the pipes. Returns 0 or -errno. */
int launch_init(struct launch_plan *plan);

/*
 * Starts one child and waits for its end, at most the deadline. Returns 0, or
 * -errno with an error message in `message`, of `size` bytes.
 */
int launch(struct launch_plan *plan, struct launch_result *result, char *message,
	   size_t size);

/*
 * The same for a child that fetches for itself what an attachment has in advance, as
 * mitosis-child does: all of its steps come after the call that resumes.
 */
int launch_alone(struct launch_plan *plan, struct launch_result *result,
		 char *message, size_t size);

#endif /* LAUNCHER_LAUNCH_H */

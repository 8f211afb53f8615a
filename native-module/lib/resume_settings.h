/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of how a device resumes, and setting it. Each returns 0 or -errno with a message. */
#ifndef LIB_RESUME_SETTINGS_H
#define LIB_RESUME_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "libmitosis.h"

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

/* Refuses what a child that the snapshot forks cannot have. */
int resume_settings_check(const struct resume_settings *settings);

int resume_settings_take_options(struct resume_settings *settings,
				 const struct mitosis_resume_options *options);

/* On an error the settings are as before. */
int resume_settings_take_all(struct resume_settings *settings,
			     const struct mitosis_child_options *options);

#endif /* LIB_RESUME_SETTINGS_H */

/* SPDX-License-Identifier: Apache-2.0 */
/* The control groups of a launcher's children, one in each hierarchy that matters. */
#ifndef HELPERS_LAUNCHER_CONTROL_GROUPS_H
#define HELPERS_LAUNCHER_CONTROL_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CGROUPS_MAX 16

struct control_groups {
	const char *version; /* "v1", "v2", "given" or "none" */
	int count;
	/* Open cgroup.procs files; behind the only one of version 2 its directory. */
	int procs[CGROUPS_MAX + 1];
	bool has_directory;
	/* Open directories, locked: another launcher removes a group that nobody has locked. */
	int locks[CGROUPS_MAX];
	char *paths[CGROUPS_MAX];
	uint64_t oom_kills; /* of them, as last counted */
};

/*
 * Makes them, and removes those of launchers that have been killed. `asked` is auto, none, or the path of a
 * control group to make one below. Returns 0, or -errno if a group that was asked for by its path cannot be made;
 * writes why there is none, if so, into `reason`, else "".
 */
int control_groups_create(struct control_groups *groups, const char *asked,
			  char *reason, size_t size);

/* Moves the calling process into them. Returns 0 or -errno. */
int control_groups_enter(const struct control_groups *groups);

/* Whether they have ended a process for want of memory since the last call. */
bool control_groups_ran_out_of_memory(struct control_groups *groups);

/* Their processes must have ended, or be about to. */
void control_groups_destroy(struct control_groups *groups);

#endif /* HELPERS_LAUNCHER_CONTROL_GROUPS_H */

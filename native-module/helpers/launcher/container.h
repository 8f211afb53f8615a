/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lean container: namespaces that a holder process keeps ready, control
 * groups that are made once, and a root directory. What this machine or user
 * does not allow is left out, and reported. A strict one is a boundary, too.
 */
#ifndef LAUNCHER_CONTAINER_H
#define LAUNCHER_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "helpers/launcher/control_groups.h"
#include "helpers/launcher/strict.h"
#include "libmitosis.h"

enum container_kind {
	CONTAINER_LEAN,
	CONTAINER_NONE, /* a plain process */
	CONTAINER_STRICT,
};

struct container {
	enum container_kind kind;
	struct strict strict;
	const char *root;
	pid_t holder; /* 0: none */
	int holder_pidfd;
	int orders;	/* to the holder of a strict one; -1: none */
	int root_fd;	/* the same directory as its namespaces have it; -1: none */
	int namespaces; /* CLONE_NEW* that a child joins */
	const char *namespace_names;
	struct control_groups groups;
	bool born_in_cgroup; /* of a process that container_fork() has made */
	char reason[256];    /* why it is weaker than asked; "" if it is not */
};

/*
 * Makes what all children of this launcher share. `cgroup` is auto, none, or
 * the path of a control group to make them below. Of its open files they get
 * `report` and the standard three, if strict. Returns 0, or -errno with the cause in
 * `reason`; only a strict one fails.
 */
int container_create(struct container *container, enum container_kind kind,
		     const char *cgroup, const char *root, int report);

/*
 * Forks a process that is to enter it: with the default action of every signal that is not
 * ignored, and in a control group of version 2 where the kernel can do both at once. Returns as
 * fork(2).
 */
pid_t container_fork(struct container *container);

/* Puts the calling process, a fresh child, into it. Returns 0 or -errno. */
int container_enter(const struct container *container);

/*
 * Ends what a child of a strict container, which has ended, has left in it. Returns 0, or
 * -ETIMEDOUT if something does not end.
 */
int container_clear(struct container *container);

/* Its name on the command line. */
const char *container_name(const struct container *container);

/* True if its root directory is another one than that of this process. */
bool container_has_own_root(const struct container *container);

/* The same for a child that a snapshot is to fork: where that is put. */
void container_describe(const struct container *container,
			struct mitosis_spawn *child);

/* Whether the kernel has killed in it for want of memory since last asked. */
bool container_ran_out_of_memory(struct container *container);

/* Removes what container_create() made. */
void container_destroy(struct container *container);

#endif /* LAUNCHER_CONTAINER_H */

/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller has asked for by mitosis_set_confinement(). */
#ifndef LIB_CONFINEMENT_H
#define LIB_CONFINEMENT_H

#include <linux/capability.h>
#include <stdbool.h>
#include <sys/types.h>

#include "libmitosis.h"

struct restore_plan;

/* A process with more than these is refused (EINVAL). */
#define FILE_USER_GROUPS_MAX 1024

/* The rights by which this process opened files before. */
struct file_user {
	bool changed;
	int group_count; /* supplementary groups, dropped meanwhile; 0: none were */
	gid_t groups[FILE_USER_GROUPS_MAX];
	uid_t user;
	gid_t group;
	int dumpable, parent_death_signal;
	bool capabilities_changed;
	struct __user_cap_data_struct capabilities[2];
};

/*
 * Has this thread open files with the rights that confined children may use; does
 * nothing without a confinement. Returns 0 or -errno. file_user_return() undoes it, after
 * an error, too.
 */
int file_user_become(struct file_user *before,
		     const struct mitosis_confinement *confinement);
void file_user_return(const struct file_user *before);

/*
 * Reads what a caller, of this release or another one, says. Returns 0 or -errno with a message.
 */
int thread_confinement_read(const struct mitosis_thread_confinement *given,
			    struct mitosis_thread_confinement *confinement);

/*
 * Confines this process for good, if asked to; but for what it needs to make threads, which the
 * restorer takes away, where it is to have some. Returns 0 or -errno with a message.
 */
int confine(struct restore_plan *plan, const char *what);

#endif /* LIB_CONFINEMENT_H */

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_CHILD_CREDENTIALS_H
#define LIB_CHILD_CREDENTIALS_H

#include <linux/capability.h>
#include <stdbool.h>

#include "lib/restore.h"
#include "proto/descriptor.h"

/*
 * Puts into a parent's descriptor what the kernel says that the parent has, where that is
 * less: the parent can write into its descriptor. `has` may be NULL, or not known. Returns
 * 0, or -EPERM with a message: the parent has a seccomp filter, and this process none.
 */
int child_credentials_check(struct descriptor_header *parent,
			    const struct parent_rights *has, const char *what);

/*
 * Takes from the calling process, which becomes a child and has its userfaultfd, what its
 * parent could not do: capabilities, in all sets; and gives it the parent's securebits,
 * and no_new_privs. Never gives a right. Where the rights are missing to
 * keep exec from giving something back, no_new_privs does. Returns 0 or -errno with a
 * message that names `what`; the caller may have lost some of them then. A child with
 * threads keeps what it needs to make them with their ids, until the plan drops it.
 */
int child_credentials_limit(const struct descriptor_header *parent,
			    struct restore_plan *plan, const char *what);

/* What a thread had before. */
struct file_rights {
	bool changed;
	struct __user_cap_data_struct capabilities[2];
};

/*
 * Until file_rights_return() the thread opens files by no capability that the parent has
 * not: what a descriptor names could be another user's. Returns 0 or -errno with a message.
 */
int file_rights_limit(const struct descriptor_header *parent,
		      struct file_rights *before, const char *what);
void file_rights_return(const struct file_rights *before);

/*
 * Gives the process its parent's undumpability. After it, a user's own files below
 * /proc/self are root's. Returns 0 or -errno with a message.
 */
int child_credentials_hide(const struct descriptor_header *parent, const char *what);

#endif /* LIB_CHILD_CREDENTIALS_H */

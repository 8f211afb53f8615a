/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_CHILD_CREDENTIALS_H
#define LIB_CHILD_CREDENTIALS_H

#include "lib/restore.h"
#include "proto/descriptor.h"

/*
 * Takes from the calling process, which becomes a child and has its userfaultfd, what its
 * parent could not do: capabilities, in all sets; and gives it the parent's securebits,
 * no_new_privs and undumpability. Never gives a right. Where the rights are missing to
 * keep exec from giving something back, no_new_privs does. Returns 0 or -errno with a
 * message that names `what`; the caller may have lost some of them then. A child with
 * threads keeps what it needs to make them with their ids, until the plan drops it.
 */
int child_credentials_limit(const struct descriptor_header *parent,
			    struct restore_plan *plan, const char *what);

#endif /* LIB_CHILD_CREDENTIALS_H */

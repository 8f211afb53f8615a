/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open files of a parent, made again for children that its shadow, or a replica, forks.
 * A process of its own makes them for each child, where the child will be and with the
 * parent's capabilities, and sends the call with them: a child's files are shared with no
 * other process, and the caller's own stay as they are.
 */
#ifndef LIB_CLONE_FILES_H
#define LIB_CLONE_FILES_H

#include <stdbool.h>

#include "lib/clone_call.h"
#include "proto/descriptor.h"

/* Of the parent. Zeros but for the first two, until clone_files_need(). */
struct clone_files {
	uint32_t policy; /* enum mitosis_files */
	struct parent_rights parent;
	bool needed;
	struct descriptor_header *descriptor; /* where they are made, else NULL */
};

/*
 * After the answer -ENOTEMPTY to a call: the parent had open files. A parent with a seccomp
 * filter might have been kept from opening what it names: its children have none. Returns
 * 0 or -errno with a message.
 */
int clone_files_need(struct clone_files *files, int stream, const char *what);

/*
 * Sends the call, with the files if they are needed. Returns 0; -ESTALE as
 * clone_call_send(); or another -errno with a message, after which nothing has been sent.
 */
int clone_files_send(const struct clone_files *files, const struct clone_call *call);

void clone_files_free(struct clone_files *files);

#endif /* LIB_CLONE_FILES_H */

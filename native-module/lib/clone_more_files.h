/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a clone that its call has no room for: SHADOW_CLONE_MORE of local/protocol.h. The clone itself
 * receives them, so that neither the shadow nor a pager ever has them open. No libc, no globals.
 */
#ifndef LIB_CLONE_MORE_FILES_H
#define LIB_CLONE_MORE_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/page_source.h"

/* What has been placed. Zeros: nothing. */
struct clone_more_files {
	int32_t *
		numbers; /* as in a SHADOW_CLONE, ascending, in a mapping of their own */
	uint32_t count;
};

/* The socket that brings them, among the files of a call; -1: there are no more. */
int clone_more_files_socket(const struct clone_request *request);

/*
 * Receives them and gives them their numbers, out of whose way `socket`, which it closes, and *lifeline go: -1 is
 * none. No other open file may have one of these numbers. Returns 0 or -errno.
 */
long clone_more_files_take(struct clone_more_files *files, int socket,
			   int *lifeline);

/* Whether the parent's file with this number is among them. */
bool clone_more_files_of_parent(const struct clone_more_files *files,
				uint32_t number);

/* Unmaps what it remembers. */
void clone_more_files_forget(struct clone_more_files *files);

#endif /* LIB_CLONE_MORE_FILES_H */

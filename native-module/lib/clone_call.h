/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a shadow, or a replica, to fork a child: SHADOW_CLONE of local/protocol.h. */
#ifndef LIB_CLONE_CALL_H
#define LIB_CLONE_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "local/protocol.h"
#include "local/registry.h"

/* The highest number of this process's own files that a clone can have. */
#define CLONE_NUMBER_MAX 4095

/* The open files that come with it. */
struct passed_fds {
	uint32_t count;
	uint32_t room;
	uint32_t own;	  /* that are the caller's, with a number in the child */
	int *fds;	  /* each with: */
	int32_t *numbers; /* as in a SHADOW_CLONE */
};

struct clone_call {
	int stream;
	const char *what; /* for messages */
	uint32_t namespaces;
	struct registry_child child;
	struct passed_fds passed;
};

/*
 * An fd below 0 is none. Returns 0 or -errno with a message: -E2BIG the child would have more than CHILD_FILES_MAX
 * files of its caller.
 */
int clone_call_pass(struct clone_call *call, int fd, int32_t number);

/* Adds the files that exec would keep. Returns 0 or -errno with a message. */
int clone_call_pass_own(struct clone_call *call);

/*
 * Sends it, once. `flags` are SHADOW_CLONE_WITH_FILES or none. Returns 0; -ESTALE: the
 * server has ended; or another -errno with a message.
 */
int clone_call_send(const struct clone_call *call, uint32_t flags);

/* Frees the list of its files, which stay open. */
void clone_call_free(struct clone_call *call);

/* The highest number that a passed file is to have; -1: there are none. */
int clone_call_highest(const struct clone_call *call);

#endif /* LIB_CLONE_CALL_H */

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
	int fds[SHADOW_CLONE_FILES_MAX];
	int32_t numbers[SHADOW_CLONE_FILES_MAX]; /* as in a SHADOW_CLONE */
};

struct clone_call {
	int stream;
	const char *what; /* for messages */
	uint32_t namespaces;
	struct registry_child child;
	struct passed_fds passed;
};

/* False if there is no room. An fd below 0 is none. */
bool clone_call_pass(struct clone_call *call, int fd, int32_t number);

/* Adds the files that exec would keep. Returns 0 or -errno. */
int clone_call_pass_own(struct clone_call *call);

/*
 * Sends it, once. `flags` are SHADOW_CLONE_WITH_FILES or none. Returns 0, or -ESTALE: the
 * server has ended.
 */
int clone_call_send(const struct clone_call *call, uint32_t flags);

/* The highest number that a passed file is to have; -1: there are none. */
int clone_call_highest(const struct clone_call *call);

#endif /* LIB_CLONE_CALL_H */

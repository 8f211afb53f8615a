/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of a shadow that is not part of its snapshot. */
#ifndef LIB_SHADOW_ARENA_H
#define LIB_SHADOW_ARENA_H

#include <stdint.h>
#include <sys/un.h>

#include "local/child_limits.h"
#include "local/protocol.h"
#include "proto/descriptor.h"

#define SHADOW_STACK_SIZE (64u << 10)

/* Files that a shadow needs for one child, and at most for what it does first. */
#define SHADOW_FILES_LEAST (SHADOW_OWN_FILES + 4)
/* A hard limit of files that certainly is enough. */
#define SHADOW_FILES_SAFE 64

/* How far a shadow has come. After SHADOW_READY: what it lacks; it has ended. */
enum shadow_outcome {
	SHADOW_STARTS,
	SHADOW_REGISTERED, /* describing itself takes as long as there are mappings */
	SHADOW_READY, /* has registered, read its memory, and described itself */
	SHADOW_NO_CHANNEL,
	SHADOW_FEW_FILES,
	SHADOW_NOT_REGISTERED,
	SHADOW_CANNOT_READ,
	SHADOW_NOT_DESCRIBED,
	SHADOW_NO_MEMORY,
};

/* The arguments that the parent passes to its shadow, then the stack. */
struct shadow_arena {
	struct descriptor_thread thread; /* of the caller of prepare */
	struct sockaddr_un daemon;	 /* its directory has the trace */
	int32_t channel;		 /* to mitosisd, reserved for this shadow */
	uint32_t slot;
	uint32_t handler_id; /* for the trace */
	uint64_t generation;
	uint64_t page_size;
	uint64_t arena_size;	   /* of this mapping */
	uint32_t descriptor_flags; /* DESCRIPTOR_* */
	int32_t owner_pid;
	uint32_t trace_level; /* as of paging/trace.h */
	struct child_limits limits;
	int32_t answer_ms; /* of other machines, as of paging/page_source.h */
	/* enum shadow_outcome, a futex that the parent may wait for */
	_Atomic uint32_t outcome;
	int32_t error;			 /* -errno of the outcome */
	uint32_t awaited;		 /* the parent waits */
	char name[DESCRIPTOR_NAME_SIZE]; /* the shadow's, from its parent */
	/* On pages of its own: see shadow_arena_create() in shadow.h. */
	char stack[SHADOW_STACK_SIZE] __attribute__((aligned(4096)));
};

#endif /* LIB_SHADOW_ARENA_H */

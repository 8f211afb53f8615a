/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of a shadow that is not part of its snapshot. */
#ifndef LIB_SHADOW_ARENA_H
#define LIB_SHADOW_ARENA_H

#include <stdint.h>
#include <sys/un.h>

#include "local/child_limits.h"
#include "proto/descriptor.h"

#define SHADOW_STACK_SIZE (64u << 10)

/* The arguments that the parent passes to its shadow, then the stack. */
struct shadow_arena {
	struct descriptor_thread thread; /* of the caller of prepare */
	struct sockaddr_un daemon;
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
	char name[DESCRIPTOR_NAME_SIZE]; /* the shadow's, from its parent */
	/* On pages of its own: see shadow_arena_create() in shadow.h. */
	char stack[SHADOW_STACK_SIZE] __attribute__((aligned(4096)));
};

#endif /* LIB_SHADOW_ARENA_H */

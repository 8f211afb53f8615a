/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of a shadow that is not part of its snapshot. */
#ifndef LIB_SHADOW_ARENA_H
#define LIB_SHADOW_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include "lib/own_files.h"
#include "lib/prepare_settings.h"
#include "lib/thread_stop.h"
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
	SHADOW_HAS_FILES, /* has described its parent's open files, and closed them */
	SHADOW_REGISTERED, /* describing itself takes as long as there are mappings */
	SHADOW_COPIED, /* what the parent shares with it: they have no more in common */
	SHADOW_READY, /* has registered, read its memory, and described itself */
	SHADOW_NO_CHANNEL,
	SHADOW_FILES_UNREAD,
	SHADOW_FEW_FILES,
	SHADOW_NOT_REGISTERED,
	SHADOW_CANNOT_READ,
	SHADOW_NOT_DESCRIBED,
	SHADOW_NO_MEMORY,
};

/* Why a shadow does not take this process's memory; `name` is of a mapping. */
enum shadow_refusal_cause {
	REFUSED_NOTHING,
	REFUSED_TOO_MUCH,
	REFUSED_FOREIGN,
	REFUSED_UNREADABLE,
	REFUSED_SERVED,
};

struct shadow_refusal {
	uint32_t cause;	    /* enum shadow_refusal_cause */
	uint32_t limit_mib; /* of shared memory: $MITOSIS_SHARED_MIB */
	uint64_t size;	    /* bytes of it; REFUSED_SERVED: its address */
	char name[128];
};

/* The arguments that the parent passes to its shadow, then the stack. */
struct shadow_arena {
	uint64_t magic; /* SHADOW_ARENA_MAGIC: see shared_memory_is_own() */
	struct descriptor_thread thread; /* of the caller of prepare */
	struct sockaddr_un daemon;	 /* its directory has the trace */
	int32_t channel;		 /* to mitosisd, reserved for this shadow */
	uint32_t slot;
	uint32_t handler_id; /* for the trace */
	uint64_t generation;
	uint64_t page_size;
	uint64_t arena_size; /* of this mapping */
	uint64_t registry;   /* where the device has mapped it */
	uint32_t cpu_features[CPU_FEATURE_WORDS];
	uint32_t descriptor_flags; /* DESCRIPTOR_* */
	int32_t owner_pid;
	int32_t process; /* the parent's id as it sees it */
	uint32_t fresh;	 /* FRESH_*: fresh_state_of_caller() */
	uint64_t boot;	 /* of the descriptor; 0: not looked up yet */
	struct stopped_threads others;
	uint32_t trace_level; /* as of paging/trace.h */
	struct child_limits limits;
	int32_t answer_ms; /* of other machines, as of paging/page_source.h */
	/* enum shadow_outcome, a futex that the parent may wait for */
	_Atomic uint32_t outcome;
	int32_t error;	    /* -errno of the outcome */
	uint32_t awaited;   /* the outcome that the parent waits for, or 0 */
	uint32_t has_files; /* that are not the library's own, from 3 on */
	bool served;	    /* the shadow's finding: by a userfaultfd, its memory */
	struct shadow_refusal refusal; /* of memory; its limit is an argument */
	struct prepare_settings settings;
	uint32_t own_file_count;
	struct own_file own_files[OWN_FILES_MAX]; /* not the program's */
	char name[DESCRIPTOR_NAME_SIZE];	  /* the shadow's, from its parent */
	/* On pages of its own: see shadow_arena_create() in shadow.h. */
	char stack[SHADOW_STACK_SIZE] __attribute__((aligned(4096)));
};

#define SHADOW_ARENA_MAGIC 0x616e657241774453ull /* "SDwArena" in memory */

#endif /* LIB_SHADOW_ARENA_H */

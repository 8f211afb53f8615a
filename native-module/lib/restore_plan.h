/* SPDX-License-Identifier: Apache-2.0 */
/* The data of the restorer: lib/restore.h. */
#ifndef LIB_RESTORE_PLAN_H
#define LIB_RESTORE_PLAN_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>

#include "lib/memory_limits.h"
#include "lib/resume_times.h"
#include "lib/told_files.h"
#include "local/protocol.h"
#include "local/replica.h"
#include "libmitosis.h"
#include "proto/descriptor.h"

struct path_map;

#define KERNEL_VMAS_MAX 8 /* vvar, vvar_vclock, vdso and what may come */

/*
 * The restorer area: code, then the plan, then the stack; these stay mapped in the
 * child. Above them lies what is unmapped at the end: the descriptor, the
 * files' numbers and the parked vdso.
 */
#define RESTORER_CODE_SIZE  12288u
#define RESTORER_PLAN_SIZE  4096u
#define RESTORER_STACK_SIZE 4096u
#define RESTORER_KEPT_SIZE                                                          \
	(RESTORER_CODE_SIZE + RESTORER_PLAN_SIZE + RESTORER_STACK_SIZE)

/* Of a replica: for what it does between the forks of its children. */
#define REPLICA_STACK_SIZE (64u << 10)

/* At the start of a plan; marks a process that is a child. */
#define RESTORE_PLAN_MAGIC 0x726f74736572544dull /* "MTrestor" in memory */

/* Beside PROCESS_*, in a plan's lost. */
#define RESTORE_LOST_SEALS	  (1ull << 32)
#define RESTORE_LOST_SHARED_FILES (1ull << 33)
#define RESTORE_LOST_SHARING	  (1ull << 34)
#define RESTORE_LOST_ATTACHMENTS  (1ull << 35)
#define RESTORE_LOST_MERGEABLE	  (1ull << 36)
/* Above it FRESH_*. */
#define RESTORE_LOST_FRESH 40

/* Open files beyond the standard three that a child gets from its caller. */
#define CHILD_FILES_MAX 128

/* Of a thread that goes on in C, before it has its own stack again: in words. */
#define CALLER_STACK_WORDS 128

/* Capabilities as capset(2) takes them. */
struct capability_sets {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[2];
};

/* Addresses, the end not included. */
struct restore_range {
	uint64_t start, end;
};

/* Numbers of open files, as close_range(2) has them. */
struct file_range {
	uint32_t first, last;
};

struct restore_plan {
	uint64_t magic;
	uint64_t restorer, restorer_size;
	const struct descriptor_header *descriptor; /* in the restorer area */
	const struct descriptor_vma *vmas;
	const char *strings;	   /* of the descriptor */
	int32_t *files;		   /* per VMA: what to map, or -1 */
	const int32_t *open_files; /* each of these once */
	uint32_t open_file_count;

	/* See lib/child_files.h: numbers in ascending order; what is closed. */
	uint32_t kept_file_count, closed_file_range_count;
	int32_t kept_files[CHILD_FILES_MAX];
	struct file_range closed_files[CHILD_FILES_MAX + 3];
	uint32_t files_policy; /* enum mitosis_files */

	/*
	 * /proc/PID/fd of a process that makes files for a clone, and is not where its
	 * child's /proc is; -1: this process becomes the child.
	 */
	int32_t maker_fds;

	/* As in struct resume_settings. The paths are of this process. */
	uint32_t own; /* MITOSIS_OWN_* */
	char host_name[MITOSIS_HOST_NAME_SIZE];
	const struct path_map *paths;

	uint64_t signals; /* which it sets: bits, 1 << (signal - 1) */
	struct descriptor_thread thread;
	struct resume_times times;
	/* The snapshot that the kernel module has opened, which gives the memory; or -1. */
	int32_t opened;
	int32_t uffd, stream;
	int32_t lifeline[2]; /* a pipe: our end and the server's */
	int32_t stderr_fd;   /* where the pager reports errors, or -1 */
	struct shadow_request page_request;
	bool eager;

	/* What is unmapped of this process. */
	uint32_t gap_count;
	struct restore_range gaps[2 + KERNEL_VMAS_MAX];

	/* This process's own vdso and vvar. */
	uint32_t kernel_vma_count;
	struct {
		uint64_t start, length;
	} kernel_vmas[KERNEL_VMAS_MAX];
	uint64_t park; /* where they are moved meanwhile; 0: not moved */

	/*
	 * Threads: those of the descriptor that are stopped, and the caller of prepare.
	 * Each sets itself up, counts `awaited_threads` down (a futex) and waits until
	 * `go` (another) is 1.
	 */
	bool has_threads;
	bool drops_capabilities; /* to `capabilities`, once all threads are made */
	uint32_t awaited_threads, go;
	struct capability_sets capabilities;
	/* Of system calls, for all threads at once; in the part that is unmapped. */
	const struct sock_filter *filter;
	uint32_t filter_length; /* instructions; 0: none */
	uint64_t caller_stack[CALLER_STACK_WORDS] __attribute__((aligned(16)));

	bool refuses_execution; /* sets PR_SET_MDWE once its memory is mapped */
	/* It goes on as a replica, not as the program. */
	bool becomes_replica;
	struct replica_start replica;

	uint64_t own_rseq; /* to be unregistered; 0: none */
	uint32_t own_rseq_size, own_rseq_signature;
	struct prctl_mm_map layout;

	/* See lib/process_state.h: PROCESS_* that differ, or could not be given. */
	uint64_t differs, lost;
	uint32_t differing_limits; /* bits: 1 << RLIMIT_* */
	struct told_files told;
	int32_t program; /* what /proc/self/exe is set to: one of files, or -1 */
	uint32_t late_limit_count;
	struct late_limit {
		uint32_t resource; /* RLIMIT_* */
		struct descriptor_limit limit;
	} late_limits[2];
	struct memory_need need;

	/* Forgotten before the child runs: addresses of this process. */
	struct mitosis_confinement confinement;
	struct mitosis_thread_confinement thread_confinement;

	uint64_t area_size; /* of a clone: lib/clone_area.h; else 0 */
};

_Static_assert(sizeof(struct restore_plan) <= RESTORER_PLAN_SIZE, "plan too large");

/* Exit status of a process that could not become a child. */
#define RESTORE_FAILED_STATUS 125

#endif /* LIB_RESTORE_PLAN_H */

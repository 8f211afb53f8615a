/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a thread may have for itself, and the threads of a child have of the one that prepared: open files, working
 * directory, rights, scheduling. Each stopped thread compares its own with that of the thread that prepares, by
 * system calls: /proc tells them of others, for about as long as it takes to stop a thread.
 */
#ifndef LIB_THREAD_DIFFERENCES_H
#define LIB_THREAD_DIFFERENCES_H

#include <linux/capability.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/descriptor.h"

/* Groups of a thread that are compared one by one. */
#define THREAD_GROUPS_MAX 64
/* Of struct sched_attr, version 2. */
#define THREAD_ATTRIBUTE_WORDS 7

/* As far as the kernel tells it to the thread itself. */
struct thread_own {
	long seccomp; /* PR_GET_SECCOMP; if it has a filter, nothing of the following */
	struct __user_cap_data_struct capabilities[2];
	uint32_t ids[8]; /* user and group: real, effective, saved, of files */
	long group_count;
	uint32_t groups[THREAD_GROUPS_MAX];
	long securebits, no_new_privs;
	long io_priority, timer_slack_ns, personality;
	uint64_t attributes[THREAD_ATTRIBUTE_WORDS];
};

/* Of the stops of a process, one after the other; begins as zeros. */
struct thread_differences {
	struct thread_own caller;
	int32_t caller_tid;
	_Atomic uint32_t fresh; /* FRESH_*, of any thread */
	_Atomic int32_t
		limited;  /* id of a thread with less rights; 0: there is none */
	bool is_filtered; /* it has a filter, and the caller has none */
	char name[DESCRIPTOR_NAME_SIZE]; /* of that thread */
};

/* By the thread that prepares, before the others stop. */
void thread_differences_begin(struct thread_differences *d);

/* By a stopped thread, which blocks the signals of `blocked` when it goes on. */
void thread_differences_add(struct thread_differences *d, uint64_t blocked);

/*
 * When all have stopped, of `count` threads with these ids in /proc: whether a child would have a thread with more rights than
 * its parent's had.
 */
bool thread_differences_refused(struct thread_differences *d, const int32_t *listed,
				uint32_t count);

/* When all run again. Returns -EPERM, with the message. */
int thread_differences_refuse(const struct thread_differences *d);

#endif /* LIB_THREAD_DIFFERENCES_H */

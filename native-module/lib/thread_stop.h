/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stopping the other threads of this process, so that a fork of it is a snapshot of all.
 *
 * Each is interrupted by a real-time signal (lib/stop_signal.h), and waits in its
 * handler. The kernel has written its registers, extended state, signal mask and
 * alternate stack to its stack by then; they go with the memory.
 */
#ifndef LIB_THREAD_STOP_H
#define LIB_THREAD_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/descriptor.h"

struct stopped_threads {
	/* In a mapping of their own, which the descriptor leaves out; not sorted. */
	const struct descriptor_stopped_thread *threads;
	uint64_t mapping_size; /* bytes, from `threads` on */
	uint64_t
		held; /* signals that the caller blocks until the release, and did not before */
	uint32_t count;
	uint32_t fresh;	   /* FRESH_* of any: thread_differences.h */
	bool leader_ended; /* as DESCRIPTOR_LEADER_ENDED */
};

/* Whether this process has other threads than the calling one. */
bool thread_stop_is_needed(void);

/*
 * Stops all threads but the calling one, which must not take a lock or call malloc before
 * thread_stop_release(). Returns 0; or -errno with a message, when all run: -ETIMEDOUT one did
 * not stop within `stop_ms` milliseconds, -E2BIG there are too many, -EBUSY another thread is preparing, too,
 * -EADDRINUSE the program uses the signal, -EPERM a child would have a thread with more rights than its parent's had. Of that time, a stop of the whole process counts for little.
 */
int thread_stop_all(uint32_t stop_ms, uint32_t signal,
		    struct stopped_threads *stopped);
void thread_stop_release(void);

#endif /* LIB_THREAD_STOP_H */

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/thread_given_up.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/error.h"
#include "lib/thread_status.h"
#include "proto/descriptor.h"

static int did_not_stop(const struct late_thread *late, uint32_t stop_ms,
			uint32_t signal)
{
	char name[32], letter[32], why[64];

	thread_status_word(late->listed, "Name:", name, sizeof(name));
	thread_status_word(late->listed, "State:", letter, sizeof(letter));
	if (late->blocks)
		snprintf(why, sizeof(why), ", because it blocks signal %u", signal);
	else
		snprintf(why, sizeof(why),
			 "; a thread in vfork(2) or under a debugger cannot");
	return fail(-ETIMEDOUT,
		    "thread %d ('%s', state %s) did not stop within %u ms%s; the "
		    "process goes on as before",
		    late->tid, name, letter, stop_ms, why);
}

int thread_stop_given_up(int err, const struct late_thread *late, uint32_t stop_ms,
			 uint32_t signal)
{
	if (err == -ETIMEDOUT)
		return did_not_stop(late, stop_ms, signal);
	if (err == -EDEADLK)
		return fail(-ETIMEDOUT,
			    "the C library has been about to change all threads of "
			    "this process (setuid(3), pthread_cancel(3)) for %u ms; "
			    "the process goes on as before",
			    stop_ms);
	if (err == -E2BIG)
		return fail(err, "a snapshot has at most %u threads",
			    DESCRIPTOR_THREADS_MAX);
	return fail(err,
		    "the other threads of this process cannot be stopped: %s; "
		    "/proc and rt_tgsigqueueinfo(2) are needed",
		    strerror(-err));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of deadlines, and of what is timed. */
#ifndef LOCAL_CLOCK_H
#define LOCAL_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Of CLOCK_MONOTONIC. */
static inline int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/*
 * The time for which a process waits in short steps. A step that took longer counts for RUNNING_STEP_MS_MAX: the
 * process itself was stopped (SIGSTOP, a debugger), and so had no time to see that the wait is over.
 */
struct running_time {
	int64_t last_ms, passed_ms;
};

#define RUNNING_STEP_MS_MAX 100

static inline struct running_time running_time_start(void)
{
	return (struct running_time){ .last_ms = now_ms() };
}

/* In ms since the start. To be called after each step. */
static inline int64_t running_time_passed(struct running_time *time)
{
	int64_t now = now_ms(), step = now - time->last_ms;

	time->last_ms = now;
	time->passed_ms += step < RUNNING_STEP_MS_MAX ? step : RUNNING_STEP_MS_MAX;
	return time->passed_ms;
}

/* Of CLOCK_MONOTONIC. */
static inline uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

#endif /* LOCAL_CLOCK_H */

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace: what parents, shadows, pagers, children and mitosisd do, for debugging.
 * $MITOSIS_TRACE is the level; unset or 0 is off, and costs one
 * comparison. Lines go to RUNTIME_TRACE in the runtime directory:
 *
 *	SECONDS PID ROLE: what name=value ...
 *
 * with the time of CLOCK_MONOTONIC. Each line is one write, so that lines of several
 * processes do not mix. Runs in shadows: no libc, no globals.
 */
#ifndef PAGING_TRACE_H
#define PAGING_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "local/runtime_dir.h"

#define TRACE_STEPS 1 /* of prepare, resume, clients and sessions */
#define TRACE_PAGES                                                                 \
	RUNTIME_TRACE_LEVEL_MAX /* and each fault and request for pages */

struct trace {
	uint32_t level; /* 0: off */
	int fd;
	const char *role;
	uint32_t handler_id; /* of the snapshot; 0 of mitosisd */
};

/* A number, in hexadecimal from 2^32 on, or a text. */
struct trace_value {
	const char *name; /* NULL behind the last value */
	uint64_t number;
	const char *text; /* or NULL */
};

/*
 * Opens the trace file in the directory of a path (the daemon's socket) if `level`
 * is not 0. Without the file it is off.
 */
void trace_open(struct trace *trace, uint32_t level, const char *path,
		const char *role, uint32_t handler_id);

/*
 * The same by the environment: level and runtime directory. Not in shadows. Off if
 * the level is not valid.
 */
void trace_open_by_environment(struct trace *trace, const char *role,
			       uint32_t handler_id);

void trace_close(struct trace *trace);

void trace_write(const struct trace *trace, const char *what,
		 const struct trace_value *values);

#define TRACE_NUMBER(name, value)                                                   \
	{                                                                           \
		name, (uint64_t)(value), NULL                                       \
	}
#define TRACE_TEXT(name, value)                                                     \
	{                                                                           \
		name, 0, value                                                      \
	}

/* trace(t, TRACE_PAGES, "serves a fault", TRACE_NUMBER("address", address)); */
#define trace(t, at_level, what, ...)                                               \
	do {                                                                        \
		const struct trace *t_ = (t);                                       \
                                                                                    \
		if (__builtin_expect(t_->level >= (at_level), 0))                   \
			trace_write(t_, what,                                       \
				    (const struct trace_value[]){ __VA_ARGS__,      \
								  { 0 } });         \
	} while (0)

#endif /* PAGING_TRACE_H */

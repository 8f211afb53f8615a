/* SPDX-License-Identifier: Apache-2.0 */
/* Which pages of a snapshot of another machine are worth copying. */
#ifndef DAEMON_REMOTE_RUNS_H
#define DAEMON_REMOTE_RUNS_H

#include <stdbool.h>

#include "proto/user/connection.h"

/* The runs of present pages that are known. */
struct remote_runs {
	uint64_t start, end; /* of the range that they are all of; equal: nothing */
	uint32_t count;
	struct wire_run all[WIRE_RUNS_MAX];
};

/* Whether it is known what comes from `start` on. */
bool remote_runs_know(const struct remote_runs *runs, uint64_t start);

/* Asks which pages of [start, end) are present. Returns 0 or -errno. */
int remote_runs_ask(struct remote_runs *runs, struct wire_connection *connection,
		    uint64_t page_size, uint64_t start, uint64_t end);

/*
 * As next_run() of a page_source, of what is known. -EAGAIN: it is not known what comes from the
 * new *start on.
 */
int remote_runs_next(const struct remote_runs *runs, uint64_t *start, uint64_t *end);

#endif /* DAEMON_REMOTE_RUNS_H */

/* SPDX-License-Identifier: Apache-2.0 */
/* Which pages of a snapshot of another machine are worth copying. */
#ifndef DAEMON_REMOTE_RUNS_H
#define DAEMON_REMOTE_RUNS_H

#include "daemon/remote_memory.h"

/* As next_run() of a page_source. */
int remote_runs_next(struct remote_memory *memory, uint64_t *start, uint64_t *end);

#endif /* DAEMON_REMOTE_RUNS_H */

/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a shadow that has been forked holds its snapshot: seen from its parent. */
#ifndef LIB_SHADOW_START_H
#define LIB_SHADOW_START_H

#include <stdbool.h>

#include "lib/shadow_arena.h"

/*
 * True if something of this process beside a seccomp filter can keep its shadow from the
 * snapshot: a limit, or that it may not be looked at. Then prepare waits for the shadow;
 * else it saves that time, as long as its whole fork of a small process.
 */
bool shadow_is_uncertain(void);

struct shadow_end {
	bool reaped, late;
	int status; /* its wait status, if it was reaped */
};

/*
 * Looks once at what does not change: when a device is opened, so that no prepare has to.
 */
void shadow_start_init(void);

/*
 * Whether a process that was forked from `started_ns` (monotonic_ns()) until now has almost
 * as many mappings as it may have, of which its shadow needs some.
 */
bool shadow_has_few_maps(int64_t started_ns);

/*
 * Waits for the outcome of a shadow that its arena names: at most 2 s until it has
 * registered, and a minute then, as describing many mappings takes time. The
 * caller's other threads may be stopped: it takes no lock.
 */
void shadow_await(struct shadow_arena *arena, int pid, struct shadow_end *end);

/*
 * Returns 0 if a shadow that was awaited has come as far as that. Else it has
 * ended and been reaped: -errno with the cause.
 */
int shadow_judge(const struct shadow_arena *arena, int pid, struct shadow_end *end);

#endif /* LIB_SHADOW_START_H */

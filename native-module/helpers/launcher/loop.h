/* SPDX-License-Identifier: Apache-2.0 */
/* Children that the launcher starts by itself: for some seconds, by a schedule, or so many. */
#ifndef LAUNCHER_LOOP_H
#define LAUNCHER_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "helpers/launcher/launch.h"

/* What is started, and how it is printed. */
struct loop_plan {
	uint64_t seconds; /* for how long; or 0 */
	uint64_t rate; /* so many a second by a schedule; 0: one after the other */
	const char *arrivals; /* file with the starts of a schedule; or NULL */
	uint64_t children;    /* so many, one after the other; or 0 */
	bool text;	      /* for readers, or a line for each child */
	bool gated;	      /* standard input says when */
};

/* Set by a signal: no further child is started. */
extern volatile sig_atomic_t loop_stopped;

/* Returns the exit status of the launcher. */
int loop_run(struct launch_plan *plan, const struct loop_plan *loop);

#endif /* LAUNCHER_LOOP_H */

/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of a process whose children are in strict containers: each checks there what it may. */
#ifndef TESTS_STRICT_THREADS_H
#define TESTS_STRICT_THREADS_H

#include <stdbool.h>

/* Starts them; they stay as long as the process. */
void strict_threads_start(void);

/*
 * In a child: writes a line to standard output for each thing that does not hold for one of its threads,
 * the calling one included. True if there is none. Without threads there is nothing to check.
 */
bool strict_threads_are_confined(void);

#endif /* TESTS_STRICT_THREADS_H */

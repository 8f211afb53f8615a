/* SPDX-License-Identifier: Apache-2.0 */
/* Further threads of a parent, which go on in its children. */
#ifndef PARENT_THREADS_H
#define PARENT_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#define THREADS_MAX 32768u

/*
 * Makes sure that this process can start threads. Before glibc 2.34 they are in a library of their
 * own, which parents without threads do not need: runs the program again with it. Returns 0 or -errno.
 */
int threads_load(char **argv);

/*
 * Starts `count` threads, with a page of their stack touched each: they wait for a lock, or compute if
 * `busy`. Returns 0 when all run, or -errno.
 */
int threads_start(uint32_t count, bool busy);

/*
 * Starts one more thread, which notes for how long it does not run at a time. Returns 0 when it runs, or -errno. The
 * other call ends it, and returns the longest such time, in ns.
 */
int watch_start(void);
uint64_t watch_end(void);

#endif /* PARENT_THREADS_H */

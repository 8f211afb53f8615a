/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PID namespace for a child whose threads have ids of their parent's: those that the
 * C library keeps in their memory.
 *
 *     caller (stand-in) ---fork---> init, pid 1
 *            \----------fork---> child, the parent's pid
 *
 * The caller stays and ends as the child does; it passes on signals that processes send to it.
 * init collects what the child leaves behind. The child has a /proc of its own. Everything in the
 * namespace ends with init, and init with the caller. It may have more of its own: child_surroundings.h.
 */
#ifndef LIB_CHILD_NAMESPACE_H
#define LIB_CHILD_NAMESPACE_H

#include <stdint.h>

#include "lib/child_surroundings.h"

/*
 * Calls `become` in a process with the id and the surroundings that `own` says, in a PID namespace of
 * its own. It is to become the child; it returns only -errno, with a message. Returns -errno with that
 * message, or with one of its own; and not at all if it has become the child.
 */
int child_namespace_run(const struct child_surroundings *own,
			int (*become)(void *argument), void *argument);

/*
 * Makes an empty PID namespace with an init process and a /proc, for a child that the shadow of `what`
 * forks into it. Returns a pidfd of init, which ends with this process; or -errno with a message.
 */
int child_namespace_open(const char *what);

/* Ends this process with the wait status of another one. */
void __attribute__((noreturn)) end_alike(int32_t status);

#endif /* LIB_CHILD_NAMESPACE_H */

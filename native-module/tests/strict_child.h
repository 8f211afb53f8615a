/* SPDX-License-Identifier: Apache-2.0 */
/* What a child in a strict container tries, each of which must fail. */
#ifndef TESTS_STRICT_CHILD_H
#define TESTS_STRICT_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct strict_outside {
	pid_t pid;	       /* of a process that is not in the container */
	uint16_t port;	       /* where something listens on the host's loopback */
	char socket_path[108]; /* where a socket of the host's is that all may use */
	const char *directory; /* the child is in, as its root names it */
};

/* Writes a line to standard output for each that does not hold. True if there is none. */
bool strict_child_is_confined(const struct strict_outside *outside);

#endif /* TESTS_STRICT_CHILD_H */

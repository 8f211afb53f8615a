/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a child with a PID namespace of its own gets of its own, too: a network, a host name,
 * a /tmp, and clocks that have not gone back since its parent read them.
 */
#ifndef LIB_CHILD_SURROUNDINGS_H
#define LIB_CHILD_SURROUNDINGS_H

#include <stdint.h>

struct mitosis_thread_confinement;

struct child_surroundings {
	int32_t process;       /* the child's id */
	uint32_t own;	       /* MITOSIS_OWN_* */
	const char *host_name; /* "": the caller's */
	/* The parent's clocks, in ns; 0: not known. */
	int64_t monotonic_ns, boottime_ns;
	/* NULL: it is not confined. Else the user namespace owns its PID namespace. */
	const struct mitosis_thread_confinement *confinement;
	const char *what; /* for messages */
};

/* CLONE_NEW* that the child is made with. */
uint64_t child_surroundings_flags(const struct child_surroundings *s);

/* In the child: makes what is its own. Returns 0 or -errno with a message. */
int child_surroundings_make(const struct child_surroundings *s);

/*
 * Has the processes that this one makes next in a time namespace whose clocks are not behind
 * the parent's, if those of this one are. Returns 0, or -errno with a message. `before` is for
 * child_clock_return(), after which this one's processes have its own clocks again.
 */
int child_clock_advance(const struct child_surroundings *s, int *before);
void child_clock_return(int before);

#endif /* LIB_CHILD_SURROUNDINGS_H */

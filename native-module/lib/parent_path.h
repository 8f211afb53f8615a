/* SPDX-License-Identifier: Apache-2.0 */
/* What a descriptor names: its parent may have written any path into it. */
#ifndef LIB_PARENT_PATH_H
#define LIB_PARENT_PATH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Opens a path of the parent, with O_PATH and close-on-exec, and further flags. Never follows
 * what /proc has of open files, root and working directories: with those the parent could
 * name files that its child's caller, or a container's launcher, has open. Returns a
 * descriptor or -errno: -ELOOP there is such a link in it. Also for shadows: no libc.
 */
long parent_path_open(const char *path, int flags);

/* Makes such a directory the working directory; false: it stays. Also for shadows: no libc. */
bool parent_path_enter(const char *directory);

/* A path of two parts. */
struct parent_own_path {
	const char *base; /* "/proc/self" or "/proc/thread-self" */
	const char *rest; /* "/stat", say */
};

/*
 * Where a child has below its own /proc/PID what lies there of the parent, whose id that is; of the
 * parent's threads, which have other ids in a child, that of the first one. False of other
 * paths. No libc.
 */
bool parent_path_of_itself(const char *path, int32_t pid,
			   struct parent_own_path *own);

/* Of such a path: whether it is of a thread that a child does not have yet. */
bool parent_path_of_thread(const struct parent_own_path *own);

#endif /* LIB_PARENT_PATH_H */

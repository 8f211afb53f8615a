/* SPDX-License-Identifier: Apache-2.0 */
/* What a descriptor names: its parent may have written any path into it. */
#ifndef LIB_PARENT_PATH_H
#define LIB_PARENT_PATH_H

#include <stdint.h>

/*
 * Opens a path of the parent, with O_PATH and close-on-exec, and further flags. Never follows
 * what /proc has of open files, root and working directories: with those the parent could
 * name files that its child's caller, or a container's launcher, has open. Returns a
 * descriptor or -errno: -ELOOP there is such a link in it. Also for shadows: no libc.
 */
long parent_path_open(const char *path, int flags);

/*
 * Of what lies below /proc/PID of the parent, whose id that is: the path there, which a
 * child has below its own. NULL of other paths. No libc.
 */
const char *parent_path_of_itself(const char *path, int32_t pid);

#endif /* LIB_PARENT_PATH_H */

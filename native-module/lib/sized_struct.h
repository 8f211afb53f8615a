/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structs of callers that begin with their size, a uint32_t, and grow from release to release:
 * what the caller's release does not have is 0, and what this one does not know must be.
 */
#ifndef LIB_SIZED_STRUCT_H
#define LIB_SIZED_STRUCT_H

#include <stddef.h>

/*
 * Copies `given` to `known`, of `known_size` bytes, of which every release has at least 8. Returns 0; or
 * -errno with a message, which calls it `what`: -EINVAL it does not say its size, -E2BIG it asks for what
 * this release does not know.
 */
int sized_struct_read(const void *given, void *known, size_t known_size,
		      const char *what, const char *name);

#endif /* LIB_SIZED_STRUCT_H */

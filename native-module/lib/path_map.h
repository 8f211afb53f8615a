/* SPDX-License-Identifier: Apache-2.0 */
/* Other paths at which a child opens the files that its parent had open. */
#ifndef LIB_PATH_MAP_H
#define LIB_PATH_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "libmitosis.h"

/* Shared by a device and its attachments; NULL: no path is another. */
struct path_map;

/* Returns 0, or -errno with a message. */
int path_map_create(const struct mitosis_path *paths, uint32_t count,
		    struct path_map **map);

/* NULL is allowed. The last one frees it. */
struct path_map *path_map_get(struct path_map *map);
void path_map_put(struct path_map *map);

/*
 * The path that a child uses instead of `path`, which may be `path` itself: the longest `from`
 * that is the path or a folder above it counts. Writes at most `size` bytes to `buffer`; NULL
 * if there is no room.
 */
const char *path_map_find(const struct path_map *map, const char *path, char *buffer,
			  size_t size);

#endif /* LIB_PATH_MAP_H */

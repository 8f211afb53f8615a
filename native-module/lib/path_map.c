// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/path_map.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"

struct path_map {
	_Atomic uint32_t holders;
	uint32_t count;
	struct {
		char *from, *to;
	} paths[];
};

static int check(const struct mitosis_path *path)
{
	if (path->from && path->to && *path->from == '/' && *path->to == '/')
		return 0;
	return fail(-EINVAL,
		    "a file's old and new path must be absolute, got '%s' and '%s'",
		    path->from ? path->from : "", path->to ? path->to : "");
}

/* Without slashes at its end. */
static char *copy(const char *path)
{
	size_t length = strlen(path);

	while (length && path[length - 1] == '/')
		length--;
	return strndup(path, length);
}

static void destroy(struct path_map *map)
{
	uint32_t i;

	for (i = 0; i < map->count; i++) {
		free(map->paths[i].from);
		free(map->paths[i].to);
	}
	free(map);
}

int path_map_create(const struct mitosis_path *paths, uint32_t count,
		    struct path_map **out)
{
	struct path_map *map;
	uint32_t i;
	int err = 0;

	*out = NULL;
	if (!count)
		return 0;
	if (!paths || count > MITOSIS_PATHS_MAX)
		return fail(-EINVAL, "a map has at most %u paths, got %u",
			    MITOSIS_PATHS_MAX, count);
	map = calloc(1, sizeof(*map) + count * sizeof(map->paths[0]));
	if (!map)
		return fail(-ENOMEM, "there is no memory for a map of paths");
	map->holders = 1;
	for (i = 0; i < count && !err; i++) {
		err = check(&paths[i]);
		if (err)
			break;
		map->paths[i].from = copy(paths[i].from);
		map->paths[i].to = copy(paths[i].to);
		map->count++;
		if (!map->paths[i].from || !map->paths[i].to)
			err = fail(-ENOMEM, "there is no memory for a map of paths");
	}
	if (err)
		destroy(map);
	else
		*out = map;
	return err;
}

struct path_map *path_map_get(struct path_map *map)
{
	if (map)
		map->holders++;
	return map;
}

void path_map_put(struct path_map *map)
{
	if (map && !--map->holders)
		destroy(map);
}

/* Bytes of `path` that `from` stands for; -1: it is neither the path nor above it. */
static int covered(const char *from, const char *path)
{
	size_t length = strlen(from);

	return !strncmp(from, path, length) && (!path[length] || path[length] == '/')
		       ? (int)length
		       : -1;
}

const char *path_map_find(const struct path_map *map, const char *path, char *buffer,
			  size_t size)
{
	const char *to = NULL;
	int longest = -1, length;
	uint32_t i;

	for (i = 0; map && i < map->count; i++) {
		length = covered(map->paths[i].from, path);
		if (length > longest) {
			longest = length;
			to = map->paths[i].to;
		}
	}
	if (!to)
		return path;
	/* Of "/" alone nothing is left. */
	path += longest;
	length = snprintf(buffer, size, "%s%s", to, *to || *path ? path : "/");
	return length < 0 || (size_t)length >= size ? NULL : buffer;
}

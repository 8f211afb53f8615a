/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the pages of a child's addresses lie in the snapshot. At first every
 * address is its own; each munmap, MADV_DONTNEED and mremap of the child
 * changes that. What no segment covers reads as zeros.
 */
#ifndef PAGING_ADDRESS_MAP_H
#define PAGING_ADDRESS_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/descriptor.h"

struct segment {
	uint64_t start, end; /* of the child */
	uint64_t source;     /* in the snapshot, of `start` */
};

struct address_map {
	struct segment *segments; /* ascending, not overlapping */
	uint32_t count, capacity;
	uint32_t capacity_max; /* 0: no limit */
	bool shared;	       /* the first one, which is never written */
};

/*
 * The map of all children that have changed nothing yet; lives as long as the
 * shadow. Returns 0 or -ENOMEM.
 */
int address_map_create(struct address_map *map,
		       const struct descriptor_header *descriptor);

/* A map of its own for another child. Returns 0 or -ENOMEM. */
int address_map_copy(const struct address_map *map, struct address_map *copy);

void address_map_destroy(struct address_map *map);

/* Segments for which it has memory of its own. */
uint32_t address_map_weight(const struct address_map *map);

/* The segment that holds an address, or NULL. */
const struct segment *address_map_find(const struct address_map *map,
				       uint64_t address);

/* Makes [start, end) read as zeros. Returns 0, -ENOMEM, or -EDQUOT: capacity_max. */
int address_map_remove(struct address_map *map, uint64_t start, uint64_t end);

/* Moves [from, from + length) to `to`. Returns as address_map_remove(). */
int address_map_move(struct address_map *map, uint64_t from, uint64_t to,
		     uint64_t length);

#endif /* PAGING_ADDRESS_MAP_H */

// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#include "paging/address_map.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include "paging/raw_syscall.h"

/* Segments by which an operation can grow the map: a hole splits one in two. */
#define GROWTH 2u

static struct segment *allocate(uint32_t capacity)
{
	long p = raw_syscall(SYS_mmap, RAW_MAP_HINT(RAW_MAP_ADDRESS_MAP),
			     capacity * sizeof(struct segment),
			     PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);

	return p < 0 && p > -4096 ? NULL : (struct segment *)p;
}

int address_map_create(struct address_map *map,
		       const struct descriptor_header *descriptor)
{
	const struct descriptor_vma *vmas = descriptor_vmas(descriptor);
	uint32_t i;

	map->count = 0;
	map->capacity = descriptor->vma_count + GROWTH;
	map->shared = true;
	map->segments = allocate(map->capacity);
	if (!map->segments)
		return -ENOMEM;
	for (i = 0; i < descriptor->vma_count; i++) {
		if (vmas[i].kind != VMA_SNAPSHOT && vmas[i].kind != VMA_FILE)
			continue;
		map->segments[map->count++] = (struct segment){
			.start = vmas[i].start,
			.end = vmas[i].end,
			.source = vmas[i].start,
		};
	}
	return 0;
}

int address_map_copy(const struct address_map *map, struct address_map *copy)
{
	uint32_t i;

	*copy = *map;
	if (map->shared)
		return 0;
	copy->segments = allocate(map->capacity);
	if (!copy->segments) {
		copy->count = 0;
		return -ENOMEM;
	}
	for (i = 0; i < map->count; i++)
		copy->segments[i] = map->segments[i];
	return 0;
}

void address_map_destroy(struct address_map *map)
{
	if (!map->shared && map->segments)
		raw_syscall(SYS_munmap, map->segments,
			    map->capacity * sizeof(*map->segments));
	map->segments = NULL;
	map->count = 0;
	map->shared = true;
}

uint32_t address_map_weight(const struct address_map *map)
{
	return map->shared ? 0 : map->capacity;
}

/* Index of the first segment that ends above an address. */
static uint32_t first_above(const struct address_map *map, uint64_t address)
{
	uint32_t low = 0, high = map->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (map->segments[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

const struct segment *address_map_find(const struct address_map *map,
				       uint64_t address)
{
	uint32_t i = first_above(map, address);

	if (i == map->count || map->segments[i].start > address)
		return NULL;
	return &map->segments[i];
}

/* Makes the map this child's own, with room for `more` further segments. */
static int make_room(struct address_map *map, uint32_t more)
{
	struct segment *segments;
	uint32_t capacity, i;

	if (!map->shared && map->count + more <= map->capacity)
		return 0;
	capacity = 2 * (map->count + more);
	if (map->capacity_max && capacity > map->capacity_max)
		return -EDQUOT;
	segments = allocate(capacity);
	if (!segments)
		return -ENOMEM;
	for (i = 0; i < map->count; i++)
		segments[i] = map->segments[i];
	if (!map->shared)
		raw_syscall(SYS_munmap, map->segments,
			    map->capacity * sizeof(*segments));
	map->segments = segments;
	map->capacity = capacity;
	map->shared = false;
	return 0;
}

static void insert(struct address_map *map, uint32_t at, struct segment segment)
{
	uint32_t i;

	for (i = map->count++; i > at; i--)
		map->segments[i] = map->segments[i - 1];
	map->segments[at] = segment;
}

static void erase(struct address_map *map, uint32_t first, uint32_t end)
{
	uint32_t i;

	for (i = end; i < map->count; i++)
		map->segments[first + i - end] = map->segments[i];
	map->count -= end - first;
}

int address_map_remove(struct address_map *map, uint64_t start, uint64_t end)
{
	uint32_t i = first_above(map, start), last;
	struct segment *s;
	int err;

	if (i == map->count || map->segments[i].start >= end)
		return 0;
	err = make_room(map, GROWTH);
	if (err)
		return err;
	s = &map->segments[i];
	if (s->start < start) {
		struct segment above = *s;

		s->end = start;
		i++;
		if (above.end > end) {
			above.source += end - above.start;
			above.start = end;
			insert(map, i, above);
			return 0;
		}
	}
	for (last = i; last < map->count && map->segments[last].end <= end;)
		last++;
	erase(map, i, last);
	if (i < map->count && map->segments[i].start < end) {
		s = &map->segments[i];
		s->source += end - s->start;
		s->start = end;
	}
	return 0;
}

int address_map_move(struct address_map *map, uint64_t from, uint64_t to,
		     uint64_t length)
{
	uint32_t first = first_above(map, from), count = 0, i, at;
	struct segment *moved;
	int err;

	while (first + count < map->count &&
	       map->segments[first + count].start < from + length)
		count++;
	if (!count)
		return address_map_remove(map, to, to + length);
	moved = allocate(count);
	if (!moved)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		struct segment s = map->segments[first + i];

		if (s.start < from) {
			s.source += from - s.start;
			s.start = from;
		}
		if (s.end > from + length)
			s.end = from + length;
		s.start += to - from;
		s.end += to - from;
		moved[i] = s;
	}
	err = make_room(map, count + 2 * GROWTH);
	if (!err)
		err = address_map_remove(map, from, from + length);
	if (!err)
		err = address_map_remove(map, to, to + length);
	if (err) {
		raw_syscall(SYS_munmap, moved, count * sizeof(*moved));
		return err;
	}
	at = first_above(map, to);
	for (i = 0; i < count; i++)
		insert(map, at + i, moved[i]);
	raw_syscall(SYS_munmap, moved, count * sizeof(*moved));
	return 0;
}

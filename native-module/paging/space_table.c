// SPDX-License-Identifier: Apache-2.0
#include "paging/space_table.h"

#include <stddef.h>

void space_table_free(struct space_table *table, struct served_space *space)
{
	table->use[space->client].spaces--;
	table->use[space->client].segments -= address_map_weight(&space->memory.map);
	table->used--;
	address_space_destroy(&space->memory);
	space->memory.uffd = -1;
}

void space_table_note_map(struct space_table *table,
			  const struct served_space *space, uint32_t weight_before)
{
	table->use[space->client].segments +=
		address_map_weight(&space->memory.map) - weight_before;
}

bool space_table_has_room(const struct space_table *table, uint32_t client,
			  uint32_t limit)
{
	return table->used < SPACES_MAX && table->use[client].spaces < 2 * limit;
}

void space_table_pause(struct space_table *table, struct served_space *space)
{
	space->paused = table->paused = true;
}

void space_table_go_on(struct space_table *table)
{
	uint32_t i;

	for (i = 0; table->paused && i < table->count; i++)
		table->spaces[i].paused = false;
	table->paused = false;
}

/* Address spaces of which each new one checks whether a process lives there. */
#define CHECKED_AT_ONCE 4u

/* In turns, so that the work does not grow with their number. */
static void free_some_dead(struct space_table *table)
{
	uint32_t i;

	for (i = 0; i < CHECKED_AT_ONCE && i < table->count; i++) {
		struct served_space *space;

		table->checked = (table->checked + 1) % table->count;
		space = &table->spaces[table->checked];
		if (space->memory.uffd >= 0 &&
		    !address_space_is_alive(&space->memory))
			space_table_free(table, space);
	}
}

struct served_space *space_table_add(struct space_table *table, uint32_t client,
				     const struct address_space *memory)
{
	uint32_t i;

	free_some_dead(table);
	for (i = 0; i < table->count; i++)
		if (table->spaces[i].memory.uffd < 0)
			break;
	if (i == SPACES_MAX)
		return NULL;
	if (i == table->count)
		table->count++;
	table->spaces[i] = (struct served_space){
		.memory = *memory,
		.client = client,
		.pushed = UINT32_MAX,
		.number = ++table->numbers,
	};
	table->used++;
	table->use[client].spaces++;
	table->use[client].segments += address_map_weight(&memory->map);
	return &table->spaces[i];
}

uint32_t space_table_move(struct space_table *table, uint32_t from, uint32_t to,
			  uint64_t but_for)
{
	uint32_t moved = 0, i;

	for (i = 0; i < table->count; i++) {
		struct served_space *space = &table->spaces[i];
		uint32_t weight;

		if (space->memory.uffd < 0 || space->client != from ||
		    space->number == but_for)
			continue;
		weight = address_map_weight(&space->memory.map);
		table->use[from].spaces--;
		table->use[from].segments -= weight;
		table->use[to].spaces++;
		table->use[to].segments += weight;
		space->client = to;
		moved++;
	}
	return moved;
}

bool space_table_sweep(struct space_table *table, uint32_t client)
{
	bool left = false;
	uint32_t i;

	for (i = 0; i < table->count; i++) {
		struct served_space *space = &table->spaces[i];

		if (space->memory.uffd < 0 || space->client != client)
			continue;
		if (address_space_is_alive(&space->memory))
			left = true;
		else
			space_table_free(table, space);
	}
	return left;
}

bool space_table_is_recorded(const struct space_table *table)
{
	uint32_t i;

	for (i = 0; i < table->count; i++)
		if (table->spaces[i].memory.uffd >= 0 &&
		    table->spaces[i].memory.recording)
			return true;
	return false;
}

void space_table_stop_recording(struct space_table *table)
{
	uint32_t i;

	for (i = 0; i < table->count; i++)
		table->spaces[i].memory.recording = NULL;
}

void space_table_lose_client(struct space_table *table, uint32_t client)
{
	uint32_t i;

	for (i = 0; i < table->count; i++) {
		struct served_space *space = &table->spaces[i];

		if (space->memory.uffd < 0 || space->client != client)
			continue;
		space->memory.lost = true;
		space->pushed = UINT32_MAX;
	}
}

void space_table_retry(struct space_table *table)
{
	uint32_t i;

	for (i = 0; i < table->count; i++)
		if (table->spaces[i].memory.uffd >= 0)
			address_space_retry(&table->spaces[i].memory);
}

void space_table_lose(struct space_table *table)
{
	uint32_t i;

	for (i = 0; i < table->count; i++)
		table->spaces[i].memory.lost = true;
}

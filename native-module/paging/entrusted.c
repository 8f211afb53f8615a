// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/entrusted.h"

#include "paging/raw_message.h"

void entrust(int channel, struct served_space *space, uint32_t index)
{
	const struct local_message message = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = LOCAL_KEEP,
		.cpu = -1,
		.slot = index,
		.generation = space->number,
	};

	if (!space->entrusted)
		space->entrusted =
			raw_send_fds(channel, &message, sizeof(message),
				     &space->memory.uffd, 1) == sizeof(message);
}

void entrust_all(int channel, struct space_table *table, uint32_t client)
{
	uint32_t i;

	for (i = 0; i < table->count; i++)
		if (table->spaces[i].memory.uffd >= 0 &&
		    table->spaces[i].client == client)
			entrust(channel, &table->spaces[i], i);
}

struct served_space *entrusted_refused(struct space_table *table,
				       const struct local_message *message)
{
	struct served_space *space = &table->spaces[message->slot];

	if (message->slot >= table->count || space->memory.uffd < 0 ||
	    space->number != message->generation)
		return NULL;
	space->entrusted = false;
	return space;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/poll_list.h"

static void add(struct poll_list *list, int fd, short events, uint32_t owner)
{
	uint32_t at = list->starts[POLL_KINDS];

	if (fd < 0)
		return;
	list->polls[at] = (struct pollfd){ .fd = fd, .events = events };
	list->owners[at] = owner;
	list->starts[POLL_KINDS] = at + 1;
}

static void begin(struct poll_list *list, enum poll_kind kind)
{
	list->starts[kind] = list->starts[POLL_KINDS];
}

static void add_late(struct poll_list *list, const struct page_source *source)
{
	int files[PAGE_SOURCE_LATE_MAX];
	uint32_t count = source->late_files ? source->late_files(source, files) : 0;
	uint32_t i;

	for (i = 0; i < count; i++)
		add(list, files[i], POLLIN, i);
}

bool poll_list_holds_back(const struct replica *replica,
			  const struct client_table *clients, uint32_t client)
{
	return replica->busy && client != replica->client &&
	       clients->clients[client].kind == CLIENT_READER;
}

void poll_list_fill(struct poll_list *list, int channel, int watched,
		    const struct page_source *source,
		    const struct client_table *clients,
		    const struct space_table *spaces, const struct replica *replica,
		    const struct cpu_servers *cpu_servers)
{
	const struct client *c = clients->clients;
	const struct cpu_server *s = cpu_servers->servers;
	uint32_t i;

	list->starts[POLL_KINDS] = 0;
	begin(list, POLL_CHANNEL);
	add(list, channel, POLLIN, 0);
	/* For hang-up only; replies are read elsewhere. */
	begin(list, POLL_WATCHED);
	add(list, watched, POLLRDHUP, 0);
	begin(list, POLL_LATE);
	add_late(list, source);
	begin(list, POLL_SPACES);
	for (i = 0; i < spaces->count; i++)
		if (!spaces->spaces[i].paused)
			add(list, spaces->spaces[i].memory.uffd, POLLIN, i);
	begin(list, POLL_CLONES);
	for (i = 0; i < clients->count; i++)
		add(list, c[i].stream < 0 ? -1 : c[i].pidfd, POLLIN, i);
	begin(list, POLL_REPLICA);
	add(list, replica->runs ? replica->control : -1, POLLIN, 0);
	begin(list, POLL_CLIENTS);
	for (i = 0; i < clients->count; i++)
		if (!poll_list_holds_back(replica, clients, i))
			add(list, c[i].stream,
			    machine_connection_events(&c[i].machine), i);
	begin(list, POLL_CPU_CHANNELS);
	for (i = 0; i < cpu_servers->count; i++)
		add(list, s[i].channel, POLLIN, i);
	begin(list, POLL_CPU_ENDS);
	for (i = 0; i < cpu_servers->count; i++)
		add(list, s[i].pidfd, POLLIN, i);
}

uint32_t poll_list_next(const struct poll_list *list, enum poll_kind kind,
			uint32_t at)
{
	if (at < list->starts[kind])
		at = list->starts[kind];
	for (; at < list->starts[kind + 1]; at++)
		if (list->polls[at].revents)
			return at;
	return UINT32_MAX;
}

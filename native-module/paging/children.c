// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/children.h"

#include <errno.h>
#include <signal.h>

#include "paging/client_clone.h"
#include "paging/entrusted.h"
#include "paging/prefetch.h"
#include "paging/raw_message.h"
#include "paging/uffd_read.h"

void child_remove(struct page_server *server, uint32_t index)
{
	struct client *client = &server->clients.clients[index];
	bool just_closed = client->stream >= 0;

	if (index == server->replica.client)
		server->replica.client = REPLICA_NO_CLIENT;
	if (index == server->replica.asked_by)
		server->replica.asked_by = REPLICA_NO_CLIENT;
	raw_close(client->stream);
	client->stream = -1;
	machine_connection_close(&client->machine);
	if (client->pidfd >= 0) {
		/* The child ends with the process that asked for it. */
		raw_syscall(SYS_pidfd_send_signal, client->pidfd, SIGKILL, 0, 0);
		client_end_clone(client);
	}
	client->left = space_table_sweep(&server->spaces, index);
	if (just_closed)
		trace(&server->source->trace, TRACE_STEPS, "client has closed",
		      TRACE_NUMBER("client", index),
		      TRACE_NUMBER("kind", client->kind),
		      TRACE_NUMBER("spaces_left", client->left));
	if (client->left && just_closed)
		entrust_all(server->channel, &server->spaces, index);
	if (client->left)
		return;
	raw_close(client->stderr_fd);
	client->stderr_fd = -1;
}

/*
 * Ends one child and no other: its main process by the lifeline, what it has forked
 * when that reads a missing page.
 */
static void refuse(struct page_server *server, uint32_t index, const char *reason)
{
	struct client *client = &server->clients.clients[index];

	trace(&server->source->trace, TRACE_STEPS, "refuses a child",
	      TRACE_NUMBER("client", index), TRACE_TEXT("reason", reason));
	space_table_lose_client(&server->spaces, index);
	if (client->stream < 0)
		return;
	client_report(client, reason);
	child_remove(server, index);
}

static const char *reason_of(const struct page_server *server, int err)
{
	switch (err) {
	case -EDQUOT:
		return "mitosis: the mappings of this child have changed in more "
		       "places than MITOSIS_CHILD_MAP_KIB permits; the child ends\n";
	case -EMFILE:
	case -ENFILE:
		return "mitosis: what serves the pages of this child has no "
		       "descriptor for what it forks; raise ulimit -n; the child "
		       "ends\n";
	case -EREMOTEIO:
		return server->source->late_failure;
	case -EPERM:
		return "mitosis: this child has changed its userfaultfd; the child "
		       "ends\n";
	default:
		return "mitosis: there is no memory for pages of this child; the "
		       "child ends\n";
	}
}

void children_check_left(struct page_server *server)
{
	uint32_t i;

	space_table_go_on(&server->spaces);
	for (i = 0; i < server->clients.count; i++) {
		if (!server->clients.clients[i].left)
			continue;
		child_remove(server, i);
		/* Those for which mitosisd had no room. */
		if (server->clients.clients[i].left)
			entrust_all(server->channel, &server->spaces, i);
	}
}

/* Of all address maps of a child. */
static uint32_t max_segments(const struct child_limits *limits)
{
	return limits->map_kib * 1024ull / sizeof(struct segment);
}

void child_leaves(struct page_server *server, uint32_t index, uint64_t but_for)
{
	struct client *client = &server->clients.clients[index], *left;
	uint32_t at;

	if (!server->spaces.use[index].spaces ||
	    !space_table_sweep(&server->spaces, index))
		return;
	left = client_table_add(&server->clients, -1, CLIENT_CHILD);
	at = left ? left - server->clients.clients : 0;
	if (!left || !space_table_move(&server->spaces, index, at, but_for))
		return;
	left->left = true;
	left->stderr_fd = client->stderr_fd;
	client->stderr_fd = -1;
	entrust_all(server->channel, &server->spaces, at);
}

/* What a replica forks is children, which have limits of their own. */
static uint32_t max_processes(const struct page_server *server, uint32_t client)
{
	return server->replica.runs && client == server->replica.client
		       ? SPACES_MAX
		       : server->source->limits.processes;
}

/* There is room: child_serve_space() has checked it. */
static void add_forked(struct page_server *server, uint32_t client,
		       const struct address_space *forked)
{
	const struct child_limits *limits = &server->source->limits;
	const uint32_t processes = max_processes(server, client);
	struct served_space *space =
		space_table_add(&server->spaces, client, forked);

	trace(&server->source->trace, TRACE_STEPS, "child has forked",
	      TRACE_NUMBER("client", client));
	/* A replica's child ends with this process. */
	if (processes != SPACES_MAX)
		entrust(server->channel, space, space - server->spaces.spaces);
	if (forked->lost)
		refuse(server, client, reason_of(server, forked->problem));
	else if (server->spaces.use[client].segments > max_segments(limits))
		refuse(server, client, reason_of(server, -EDQUOT));
	else if (server->spaces.use[client].spaces > processes &&
		 space_table_sweep(&server->spaces, client) &&
		 server->spaces.use[client].spaces > processes)
		refuse(server, client,
		       "mitosis: this child and what it forks are more processes "
		       "than MITOSIS_CHILD_PROCESSES permits; the child ends\n");
}

void child_serve_space(struct page_server *server, uint32_t index)
{
	struct served_space *space = &server->spaces.spaces[index];
	struct address_space *memory = &space->memory;
	const uint32_t client = space->client;
	const struct child_limits *limits = &server->source->limits;
	const bool pushes = space->pushed < server->recording.count;
	struct address_space forked;

	if (pushes)
		prefetch_push(&server->recording, memory, &space->pushed);
	while (memory->uffd >= 0) {
		uint32_t weight = address_map_weight(&memory->map);
		enum address_space_event event;

		if (!space_table_has_room(&server->spaces, client,
					  max_processes(server, client))) {
			space_table_pause(&server->spaces, space);
			return;
		}
		memory->map.capacity_max = max_segments(limits) -
					   server->spaces.use[client].segments +
					   weight;
		event = address_space_serve(memory, pushes, &forked);
		space_table_note_map(&server->spaces, space, weight);
		switch (event) {
		case SPACE_SERVED:
			return;
		case SPACE_FORKED:
			add_forked(server, client, &forked);
			continue;
		case SPACE_GONE:
			space_table_free(&server->spaces, space);
			return;
		case SPACE_REFUSED:
			space_table_pause(&server->spaces, space);
			refuse(server, client, reason_of(server, memory->problem));
			return;
		case SPACE_FAILED:
			server->failed = true;
			return;
		}
	}
}

void child_space_failed(struct page_server *server, uint32_t index)
{
	struct served_space *space = &server->spaces.spaces[index];

	/* The place may be another one's since. */
	if (!uffd_unblock(space->memory.uffd)) {
		child_serve_space(server, index);
		return;
	}
	/* Not at once again, if it goes on. */
	space_table_pause(&server->spaces, space);
	refuse(server, space->client, reason_of(server, -EPERM));
}

void children_refuse_entrusted(struct page_server *server,
			       const struct local_message *m)
{
	struct cpu_server *other =
		m->cpu < 0 ? NULL : cpu_servers_find(&server->cpu_servers, m->cpu);
	struct served_space *space;

	if (other) {
		cpu_server_refuse(other, m);
		return;
	}
	space = entrusted_refused(&server->spaces, m);
	if (space)
		refuse(server, space->client,
		       "mitosis: mitosisd has no room for what this child "
		       "forks; raise ulimit -n; the child ends\n");
}

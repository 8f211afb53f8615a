// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/machine_clients.h"

#include "paging/children.h"
#include "paging/raw_message.h"

void machine_client_add(struct page_server *server, int stream,
			const struct local_sealing *sealing, int refusal)
{
	struct client *client =
		client_table_add(&server->clients, stream, CLIENT_MACHINE);
	uint32_t index;

	if (!client) {
		raw_close(stream);
		return;
	}
	index = client - server->clients.clients;
	trace(&server->source->trace, TRACE_STEPS, "has a client",
	      TRACE_NUMBER("client", index), TRACE_NUMBER("machine", 1),
	      TRACE_NUMBER("refusal", -refusal));
	/* What one machine asks for, others will, too. */
	if (server->source->remote && !refusal)
		server->source->caching = true;
	if (!machine_connection_open(&client->machine, stream, server->source,
				     server->page_size, sealing, refusal))
		child_remove(server, index);
}

bool machine_client_serve(struct page_server *server, struct client *client)
{
	return machine_connection_serve(&client->machine, client->stream,
					server->source, server->page_size,
					server->channel < 0);
}

void machine_clients_remove_late(struct page_server *server)
{
	struct client *c = server->clients.clients;
	uint32_t i;

	for (i = 0; i < server->clients.count; i++, c++)
		if (c->stream >= 0 && !machine_connection_timeout(&c->machine))
			child_remove(server, i);
}

void machine_clients_retry(struct page_server *server)
{
	struct client *c = server->clients.clients;
	uint32_t i;

	for (i = 0; i < server->clients.count; i++, c++)
		if (c->stream >= 0 && c->kind == CLIENT_MACHINE &&
		    !machine_connection_retry(&c->machine, c->stream, server->source,
					      server->page_size,
					      server->channel < 0))
			child_remove(server, i);
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/wire_replica.h"

#include <errno.h>
#include <string.h>

#include "daemon/pagers.h"
#include "daemon/rendezvous.h"

/* It is not read until then: an end of the connection would be told for ever. */
static void wait_for_pager(struct daemon *daemon, struct wire_client *client)
{
	if (client->state != WAITS_FOR_ITS_PAGER)
		loop_forget(&daemon->loop, client->fd);
	client->state = WAITS_FOR_ITS_PAGER;
}

void wire_replica_refuse(struct daemon *daemon, struct wire_client *client, int err)
{
	if (client->state == WAITS_FOR_ITS_PAGER &&
	    loop_watch(&daemon->loop, client->fd, &client->source)) {
		wire_client_drop(daemon, client);
		return;
	}
	client->state = EXPECTS_REQUEST;
	client->deadline_ms = INT64_MAX;
	wire_client_reply(daemon, client, WIRE_ANSWER, err, NULL, 0);
}

/* Tells the parent's rights, and passes the connection on. */
static int hand_over(struct daemon *daemon, struct wire_client *client,
		     struct peer *pager)
{
	const struct wire_rights rights = { .has = pager->pager.rights };
	int err;

	wire_client_reply(daemon, client, WIRE_RIGHTS, 0, &rights, sizeof(rights));
	/* It does not read: it is gone. */
	if (client->fd < 0)
		return 0;
	err = wire_client_hand_over(daemon, client, pager);
	if (err != -ECONNRESET)
		return err;
	/* It has ended, without clients for a while; the next one may be another snapshot's. */
	peer_close(daemon, pager);
	return -ESTALE;
}

static void try_open(struct daemon *daemon, struct wire_client *client)
{
	struct peer *pager;
	int err = rendezvous_find_pager(daemon, &client->replica_of, -1, &pager);

	if (!err && !pager->pager.ready) {
		wait_for_pager(daemon, client);
		return;
	}
	if (!err)
		err = hand_over(daemon, client, pager);
	trace(&daemon->trace, TRACE_STEPS, "passes another machine to a pager",
	      TRACE_NUMBER("machine", client->replica_of.machine_id),
	      TRACE_NUMBER("handler_id", client->replica_of.handler_id),
	      TRACE_NUMBER("status", -err));
	if (err)
		wire_replica_refuse(daemon, client, err);
}

void wire_replica_open(struct daemon *daemon, struct wire_client *client)
{
	struct wire_open_replica request;

	memcpy(&request, client->message.body, sizeof(request));
	client->replica_of = (struct remote_snapshot){
		.machine_id = request.machine_id,
		.handler_id = request.handler_id,
	};
	client->deadline_ms = wire_client_deadline_ms();
	try_open(daemon, client);
}

void wire_replica_pager_started(struct daemon *daemon, struct peer *pager,
				int status)
{
	struct wire_client *c;

	for (c = daemon->wire_clients; c; c = c->next) {
		if (c->fd < 0 || c->state != WAITS_FOR_ITS_PAGER ||
		    !pager_fits(pager, &c->replica_of, -1))
			continue;
		if (status)
			wire_replica_refuse(daemon, c, status);
		else
			try_open(daemon, c);
	}
}

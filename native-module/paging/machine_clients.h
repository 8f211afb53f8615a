/* SPDX-License-Identifier: Apache-2.0 */
/* The other machines that a page server serves. Runs in shadows: no libc, no globals. */
#ifndef PAGING_MACHINE_CLIENTS_H
#define PAGING_MACHINE_CLIENTS_H

#include "paging/page_server_state.h"

/*
 * Takes over a connection that has asked for the snapshot; `sealing` of a sealed session, or NULL.
 * `refusal`: 0, or the -errno that is its answer, after which it is closed.
 */
void machine_client_add(struct page_server *server, int stream,
			const struct local_sealing *sealing, int refusal);

/* Its connection is ready. False if the client has to be removed. */
bool machine_client_serve(struct page_server *server, struct client *client);

/* Removes those that do not take their answers. */
void machine_clients_remove_late(struct page_server *server);

/* Those that wait for pages which the source had set aside get them, if they have come. */
void machine_clients_retry(struct page_server *server);

#endif /* PAGING_MACHINE_CLIENTS_H */

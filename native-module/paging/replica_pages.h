/* SPDX-License-Identifier: Apache-2.0 */
/* What a replica gets before its children ask for it: MITOSIS_REPLICA_FILL. */
#ifndef PAGING_REPLICA_PAGES_H
#define PAGING_REPLICA_PAGES_H

#include "paging/page_server_state.h"

/* The replica is served from now on, as `space`. */
void replica_pages_begin(struct page_server *server,
			 const struct served_space *space);

/* True if it lacks pages of the recording, to be pushed while no client needs anything. */
bool replica_pages_wait(const struct page_server *server);

/* Pushes the next ones, for which a client that comes now waits. */
void replica_pages_push(struct page_server *server);

#endif /* PAGING_REPLICA_PAGES_H */

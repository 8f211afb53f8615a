/* SPDX-License-Identifier: Apache-2.0 */
/* Children that a pager's replica forks for the clients that ask for them. */
#ifndef PAGING_REPLICA_CLONES_H
#define PAGING_REPLICA_CLONES_H

#include "paging/page_server_state.h"
#include "paging/raw_message.h"

/*
 * Serves SHADOW_CLONE where the source has no memory of this process. `refused` is why
 * the snapshot may have no further children, or 0. False if the client has to be removed.
 */
bool replica_clone_start(struct page_server *server, uint32_t index,
			 const struct shadow_request *request,
			 const int passed[PASSED_FDS_MAX], int refused);

/* The replica has answered, or ended. */
void replica_clone_answered(struct page_server *server);

/* It has not answered in time: ends it. */
void replica_clone_late(struct page_server *server);

#endif /* PAGING_REPLICA_CLONES_H */

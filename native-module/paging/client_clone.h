/* SPDX-License-Identifier: Apache-2.0 */
/* A client that asks for forks of the source. Runs in shadows: no libc, no globals. */
#ifndef PAGING_CLIENT_CLONE_H
#define PAGING_CLIENT_CLONE_H

#include "paging/client_table.h"
#include "paging/raw_message.h"

/* Serves SHADOW_CLONE. False if the client has to be removed. */
bool client_start_clone(struct client *client, struct page_source *source,
			const struct shadow_request *request,
			const int passed[PASSED_FDS_MAX]);

/* The child has ended. Its launcher may then ask for another one. */
void client_end_clone(struct client *client);

#endif /* PAGING_CLIENT_CLONE_H */

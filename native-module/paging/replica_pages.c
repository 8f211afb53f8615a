// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "paging/replica_pages.h"

#include "paging/prefetch.h"

void replica_pages_begin(struct page_server *server,
			 const struct served_space *space)
{
	struct page_source *source = server->source;

	server->replica.space = space - server->spaces.spaces;
	server->replica.space_number = space->number;
	server->replica.pushed = 0;
	source->shared.uffd = space->memory.uffd;
	atomic_store(&source->shared.left,
		     source->share_limit & ~(server->page_size - 1));
	if (source->replica_fill == REPLICA_FILL_ALL && source->fill_replica)
		source->fill_replica(source);
}

bool replica_pages_wait(const struct page_server *server)
{
	const struct page_source *source = server->source;

	return source->shared.uffd >= 0 &&
	       source->replica_fill != REPLICA_FILL_OFF &&
	       server->recording.state == RECORDING_OVER &&
	       server->replica.pushed < server->recording.count;
}

void replica_pages_push(struct page_server *server)
{
	prefetch_push(&server->recording,
		      &server->spaces.spaces[server->replica.space].memory,
		      &server->replica.pushed);
}

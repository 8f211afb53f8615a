// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "paging/client_clone.h"

#include <errno.h>

#include "paging/stream_server.h"

bool client_start_clone(struct client *client, struct page_source *source,
			const struct shadow_request *r,
			const int passed[PASSED_FDS_MAX])
{
	if (client->kind != CLIENT_READER)
		return stream_answer(client->stream, -EINVAL, 0);
	if (!stream_start_clone(client->stream, source, r, passed, &client->pidfd))
		return false;
	if (client->pidfd >= 0) {
		client->kind = CLIENT_CLONE;
		trace(&source->trace, TRACE_STEPS, "has forked a clone",
		      TRACE_NUMBER("cpu", r->cpu < 0 ? 0 : r->cpu));
	}
	return true;
}

void client_end_clone(struct client *client)
{
	stream_end_clone(client->stream, client->pidfd);
	client->pidfd = -1;
	client->kind = CLIENT_READER;
}

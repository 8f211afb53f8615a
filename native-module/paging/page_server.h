/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serves a snapshot's descriptor and pages: to children and readers of this
 * machine over streams (local/protocol.h), and to other machines over TCP
 * (proto/wire.h). Both a shadow and a remote pager are one. Runs in shadows:
 * no libc, no globals.
 */
#ifndef PAGING_PAGE_SERVER_H
#define PAGING_PAGE_SERVER_H

#include "paging/page_source.h"

struct page_server;

/*
 * Makes a server whose clients mitosisd passes to it over `channel`. Returns NULL
 * without memory.
 */
struct page_server *page_server_create(struct page_source *source, int channel,
				       uint64_t page_size);

/*
 * Serves until the channel has closed and the last child has ended, until the
 * source fails with children left, or, if `idle_ms` is not -1, until there has
 * been no client for that long. `watched` is a further descriptor (-1: none) at which any
 * event means that the source has failed.
 */
void page_server_run(struct page_server *server, int watched, int idle_ms);

#endif /* PAGING_PAGE_SERVER_H */

/* SPDX-License-Identifier: Apache-2.0 */
/* What page_server.c and children.c share. */
#ifndef PAGING_PAGE_SERVER_STATE_H
#define PAGING_PAGE_SERVER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/client_table.h"
#include "paging/cpu_server.h"
#include "paging/poll_list.h"
#include "paging/recording.h"
#include "paging/replica.h"
#include "paging/space_table.h"

struct page_server {
	struct page_source *source;
	uint64_t page_size;
	struct address_map map; /* of a child that has changed nothing */
	int channel;		/* to mitosisd; -1: closed, see linger() */
	bool failed;
	bool told_alone;	    /* mitosisd knows that the source is */
	struct recording recording; /* of the first child; then the prefetch set */
	struct recording first_pages;
	int cpu; /* of the clients that stay; -1: there have been none */
	struct cpu_servers cpu_servers;
	struct replica replica; /* of a source that is not this process */
	struct client_table clients;
	struct space_table spaces;
	struct poll_list polled;
};

#endif /* PAGING_PAGE_SERVER_STATE_H */

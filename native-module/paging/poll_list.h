/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a page server polls, without gaps: poll() takes no more entries than a process
 * may have files. Runs in shadows: no libc, no globals.
 */
#ifndef PAGING_POLL_LIST_H
#define PAGING_POLL_LIST_H

#include <poll.h>
#include <stdint.h>

#include "paging/client_table.h"
#include "paging/cpu_server.h"
#include "paging/replica.h"
#include "paging/space_table.h"

enum poll_kind {
	POLL_CHANNEL,
	POLL_WATCHED,
	POLL_LATE,
	POLL_SPACES,
	POLL_CLONES,
	POLL_REPLICA,
	POLL_CLIENTS,
	POLL_CPU_CHANNELS,
	POLL_CPU_ENDS,
	POLL_KINDS,
};

#define POLLS_MAX                                                                   \
	(3 + PAGE_SOURCE_LATE_MAX + SPACES_MAX + 2 * CLIENTS_MAX +                  \
	 2 * CPU_SERVERS_MAX)

struct poll_list {
	uint32_t starts[POLL_KINDS + 1]; /* of each kind in the arrays below */
	struct pollfd polls[POLLS_MAX];
	uint32_t owners[POLLS_MAX]; /* index in the table of that kind */
};

void poll_list_fill(struct poll_list *list, int channel, int watched,
		    const struct page_source *source,
		    const struct client_table *clients,
		    const struct space_table *spaces, const struct replica *replica,
		    const struct cpu_servers *cpu_servers);

/* Of two timeouts in ms, of which -1 is none. */
static inline int poll_sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* While a replica is busy, other readers wait with their requests: to fork, say. */
bool poll_list_holds_back(const struct replica *replica,
			  const struct client_table *clients, uint32_t client);

/* The first entry of a kind that is ready, from index `at` on; UINT32_MAX: none. */
uint32_t poll_list_next(const struct poll_list *list, enum poll_kind kind,
			uint32_t at);

/* Runs for each ready entry of a kind: `at` is its index. */
#define for_each_ready(list, kind, at)                                              \
	for ((at) = poll_list_next(list, kind, 0); (at) != UINT32_MAX;              \
	     (at) = poll_list_next(list, kind, (at) + 1))

#endif /* PAGING_POLL_LIST_H */

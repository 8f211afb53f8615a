/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serving the page faults of children from a page source. Runs in shadows, too:
 * no libc, no globals.
 */
#ifndef PAGING_PAGER_H
#define PAGING_PAGER_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/address_map.h"
#include "paging/page_source.h"
#include "paging/recording.h"

/* Where threads of an address space wait at pages. */
struct waiting_faults {
	uint64_t start, end; /* equal: there are none */
};

/* One address space: a child's, or that of a process it forked. */
struct address_space {
	int uffd;
	uint32_t window; /* pages per fault, a power of two */
	uint64_t page_size;
	struct page_source *source;
	/*
	 * Missing pages cannot be read: `source` has failed, or serving this address
	 * space has been refused. Without a map that holds for all of them.
	 */
	bool lost;
	int problem; /* of SPACE_REFUSED: -errno */
	struct address_map map;
	struct recording *recording; /* of this one's first touches; or NULL */
	struct waiting_faults late;  /* for pages that the source has set aside */
};

/* What address_space_serve() found. */
enum address_space_event {
	SPACE_SERVED, /* all faults are served, or the one asked for */
	SPACE_FORKED, /* the address space was forked: see `forked` */
	SPACE_GONE,   /* no process lives there */
	SPACE_FAILED, /* one does, but the source gives no page */
	/*
	 * One does, but for lack of room, or beyond a limit of its own, this one
	 * cannot be served: see `problem`.
	 */
	SPACE_REFUSED,
};

/*
 * Serves the faults and events that are queued at a userfaultfd; with `only_one`, one fault: threads
 * of a child can have further ones queued without end. On SPACE_FORKED, *forked is the new
 * address space, to be served from now on; call again.
 */
enum address_space_event address_space_serve(struct address_space *space,
					     bool only_one,
					     struct address_space *forked);

/* Those of its threads that wait for pages which the source has set aside fault again. */
void address_space_retry(struct address_space *space);

/*
 * Copies the pages of [address, address + length) that are still missing, before
 * they are touched. They lie in one segment. False if the space takes no more.
 */
bool address_space_push(const struct address_space *space, uint64_t address,
			const void *bytes, uint64_t length);

/* Copies every page that the snapshot holds. Returns 0 or -errno. */
int address_space_copy_all(struct address_space *space);

/* True while a process lives in the address space. */
bool address_space_is_alive(const struct address_space *space);

/* Frees its map: no missing page of it can be read from now on. */
void address_space_lose_map(struct address_space *space);

void address_space_destroy(struct address_space *space);

#endif /* PAGING_PAGER_H */

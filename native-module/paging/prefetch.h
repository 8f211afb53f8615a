/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives a child the prefetch set of its snapshot: a fault costs a round trip to
 * the page server, a page that is there already costs none. Runs in shadows: no
 * libc, no globals.
 */
#ifndef PAGING_PREFETCH_H
#define PAGING_PREFETCH_H

#include <stdint.h>

#include "paging/pager.h"
#include "paging/recording.h"

/*
 * Pushes the next batch, from page *next of the set on, and moves *next behind
 * it; to the end of the set if the address space takes no more.
 */
void prefetch_push(const struct recording *set, const struct address_space *space,
		   uint32_t *next);

/* Pushes the whole set, for which other children wait. */
void prefetch_push_all(const struct recording *set,
		       const struct address_space *space);

#endif /* PAGING_PREFETCH_H */

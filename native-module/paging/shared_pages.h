/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages that a pager gives its replica: what is there when this forks a child is
 * that child's, too. Several threads may give at once.
 */
#ifndef PAGING_SHARED_PAGES_H
#define PAGING_SHARED_PAGES_H

#include <stdatomic.h>
#include <stdint.h>

struct shared_pages {
	int uffd; /* of the replica's address space; -1: there is no replica */
	_Atomic uint64_t left; /* bytes that it may still get, whole pages */
};

/* A replica to be given pages. The descriptor may be a copy of the one in *shared. */
struct shared_to {
	int uffd;
	_Atomic uint64_t *left;
	uint64_t kept; /* bytes of *left that are not for this giver, whole pages */
	uint64_t page_size;
};

/*
 * Puts pages at their addresses in the snapshot, which are the replica's; those that are
 * there already stay. Returns how many bytes are done, and in *err why there are not more:
 * -EDQUOT there is no more for this giver; -EAGAIN the replica is forking; -ENOENT it has none
 * of this pager's memory there; -ESRCH it has ended; or another -errno.
 */
uint64_t shared_pages_put(const struct shared_to *to, uint64_t address,
			  const void *bytes, uint64_t length, int *err);

#endif /* PAGING_SHARED_PAGES_H */

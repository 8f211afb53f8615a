/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many pages the pagers of this machine have got from other machines, and which way,
 * since its mitosisd started: in a file of the runtime directory, for who measures.
 */
#ifndef DAEMON_PAGE_COUNTS_H
#define DAEMON_PAGE_COUNTS_H

#include <stdint.h>

/* The file: in the byte order of the machine. */
struct page_counts {
	_Atomic uint64_t by_tcp, by_rdma; /* pages */
	_Atomic uint64_t fallbacks;	  /* requests: page_requests.fallbacks */
	_Atomic uint64_t links;		  /* connections by RDMA that were set up */
};

/* In a new file, shared with what this process forks; without room for one, in none. */
struct page_counts *page_counts_create(int dir);

#endif /* DAEMON_PAGE_COUNTS_H */

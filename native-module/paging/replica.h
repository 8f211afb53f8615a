/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pager's end of a replica (local/replica.h): a child of this process which has the
 * memory of the snapshot, and forks further children of this process. It is made for the
 * first request, and ends with its pager. Does one thing at a time.
 */
#ifndef PAGING_REPLICA_H
#define PAGING_REPLICA_H

#include <stdbool.h>
#include <stdint.h>

#include "local/replica.h"
#include "paging/page_source.h"

#define REPLICA_NO_CLIENT UINT32_MAX

/* Begins as zeros, with no clients. */
struct replica {
	bool runs, has_lifeline;
	int lifeline[2]; /* a pipe: the kernel ends the children when it closes */
	int control, pidfd;
	uint32_t client;       /* index: its address space's; or REPLICA_NO_CLIENT */
	uint64_t space_number; /* of its own space; its forks have others */
	uint32_t space;	       /* index of it */
	uint32_t pushed;       /* pages of the recording that it has got */
	bool busy;	       /* a request is under way */
	int spare;	      /* busy: keeps room for the descriptor of its answer */
	uint32_t asked_by;    /* index of its client, or REPLICA_NO_CLIENT */
	uint64_t deadline_ms; /* for its answer */
	struct replica_answer answer;
	uint32_t last; /* index of the client that was served last */
};

/*
 * Starts it. Returns this process's end of the stream over which it gets its
 * descriptor and pages, or -errno.
 */
int replica_start(struct replica *replica, struct page_source *source);

/*
 * Sends a request of a client. Returns 0 or -errno: -EMFILE it has not been asked, as its
 * answer brings a descriptor; else it has to be ended.
 */
int replica_ask(struct replica *replica, uint32_t client,
		const struct clone_request *request, int answer_ms);

/*
 * Receives the answer. Returns a pidfd; or -errno, with what may follow in `answer`.
 * -ECONNRESET: it has ended.
 */
int replica_answer(struct replica *replica);

/* The ms until its answer is late, or -1 if none is awaited. */
int replica_timeout(const struct replica *replica);

/* Kills and reaps it. */
void replica_end(struct replica *replica);

#endif /* PAGING_REPLICA_H */

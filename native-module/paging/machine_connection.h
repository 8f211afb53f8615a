/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's end of a connection from another machine's pager: proto/wire.h
 * after WIRE_OPEN, which mitosisd has read. Runs in shadows: no libc, no globals.
 */
#ifndef PAGING_MACHINE_CONNECTION_H
#define PAGING_MACHINE_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "local/protocol.h"
#include "paging/page_source.h"
#include "proto/wire.h"

/*
 * A request that is being received, or an answer that is being sent. Nothing here
 * waits: a machine that does not read must not keep the others from their pages.
 * Begins as zeros.
 */
struct machine_connection {
	struct sealing *sealing; /* NULL: messages travel as they are */
	uint32_t received;	 /* bytes of `request`, or of its record */
	struct {
		struct wire_header header;
		struct wire_pages pages;
	} request;
	struct wire_header header; /* of the answer */
	uint32_t header_left;	   /* bytes of it that are not sent (sealed) yet */
	uint64_t left;	      /* bytes of the body that are not sent (sealed) yet */
	uint64_t address;     /* of the next one in the snapshot */
	const char *body_end; /* of a body that lies here instead; or NULL */
	union {		      /* such a body */
		struct wire_run runs[WIRE_RUNS_MAX];
		uint8_t digests[WIRE_DIGESTS_MAX][WIRE_DIGEST_SIZE];
	};
	int64_t deadline_ms; /* of the answer; 0: it has not had to wait */
	bool is_last;	     /* the connection is closed behind this answer */
	bool waits; /* `request` is for pages that the source has set aside */
};

/*
 * Answers WIRE_OPEN; by `refusal`, a -errno, and nothing further, unless that is 0. `sealing` of a
 * sealed session, else NULL. False if the connection has to be closed.
 */
bool machine_connection_open(struct machine_connection *c, int fd,
			     struct page_source *source, uint64_t page_size,
			     const struct local_sealing *sealing, int refusal);

/* Frees what it has; the socket is the caller's. */
void machine_connection_close(struct machine_connection *c);

/* What poll() has to wait for: POLLIN a request, POLLOUT the rest of an answer, or 0 while it `waits`. */
short machine_connection_events(const struct machine_connection *c);

/* The ms until its answer is late: -1 if it sends none, 0 if it is late. */
int machine_connection_timeout(const struct machine_connection *c);

/*
 * Receives what there is of a request, or goes on with an answer. `dropped`: the
 * snapshot takes no further children. False if the connection has to be closed. A
 * request that was changed, repeated or moved on its way gets an answer that says
 * so, the last one.
 */
bool machine_connection_serve(struct machine_connection *c, int fd,
			      struct page_source *source, uint64_t page_size,
			      bool dropped);

/* Pages that were set aside have come, or will not. Answers if it `waits`. Returns the same. */
bool machine_connection_retry(struct machine_connection *c, int fd,
			      struct page_source *source, uint64_t page_size,
			      bool dropped);

#endif /* PAGING_MACHINE_CONNECTION_H */

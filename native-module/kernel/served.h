/* SPDX-License-Identifier: GPL-2.0 */
/* A snapshot that a client has opened, and what the client asks of it. */
#ifndef MITOSIS_SERVED_H
#define MITOSIS_SERVED_H

#include "proto/wire.h"
#include "token.h"

struct link;
struct snapshot;

struct served {
	struct snapshot *snapshot; /* a reference; NULL: none is open */
	bool by_token;
	struct grant grant; /* by_token: what opened the snapshot */
	void *buffer;	    /* of pages to send */
	size_t buffer_size;
};

/* Answer WIRE_PAGES and WIRE_RUNS. Return 0 or -errno of the link. */
int mitosis_served_pages(struct served *served, struct link *link,
			 const struct wire_pages *request);
int mitosis_served_runs(struct served *served, struct link *link, const struct wire_pages *request);

void mitosis_served_close(struct served *served);

#endif /* MITOSIS_SERVED_H */

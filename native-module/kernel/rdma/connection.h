/* SPDX-License-Identifier: GPL-2.0 */
/* A machine that reads the pages of one snapshot of this machine. */
#ifndef MITOSIS_RDMA_CONNECTION_H
#define MITOSIS_RDMA_CONNECTION_H

#include <linux/types.h>

struct rdma_cm_event;
struct rdma_cm_id;
struct snapshot;

int mitosis_rdma_connections_init(void);
/* Ends all connections, and waits for that. There are no new ones any more. */
void mitosis_rdma_connections_exit(void);

/* What a connection may do. */
struct connection_rights {
	struct snapshot *snapshot; /* a reference, which the connection takes over */
	u32 owner;		   /* in whose share of the places the connection is: shares.h */
	u32 pages_max, depth;
};

/*
 * In the handler of a connection request: accepts it. Returns 0; or -errno: the request must
 * be rejected, and the reference to the snapshot has been dropped.
 */
int mitosis_rdma_connection_accept(struct rdma_cm_id *id, const struct connection_rights *rights);

/* The handler of the events of an accepted id. */
int mitosis_rdma_connection_event(struct rdma_cm_id *id, struct rdma_cm_event *event);

/* Ends connections that were not used for long. Returns how many there are. */
unsigned int mitosis_rdma_connections_sweep(void);

#endif /* MITOSIS_RDMA_CONNECTION_H */

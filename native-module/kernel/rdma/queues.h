/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The queues of one reliable connection. Nobody has access to the other's memory: there are
 * only SEND and RECV, and no key that the other end could name.
 */
#ifndef MITOSIS_RDMA_QUEUES_H
#define MITOSIS_RDMA_QUEUES_H

#include <rdma/ib_verbs.h>
#include <rdma/rdma_cm.h>

/* Retries of a device until it gives a message up: 7 is no limit on rxe. */
#define RDMA_RETRIES 6

struct queues {
	struct rdma_cm_id *id; /* NULL: the connection has been destroyed */
	struct ib_pd *pd;
	struct ib_cq *cq;
};

struct queue_sizes {
	u32 sends, receives;	       /* that are posted at a time */
	u32 send_pages, receive_pages; /* of each */
};

/* For an id that has a device. Returns 0 or -errno. */
int mitosis_rdma_queues_create(struct queues *queues, const struct queue_sizes *sizes);

/* Once it is connected: takes the access away that the connection manager has set. */
int mitosis_rdma_queues_close_memory(struct queues *queues);

/*
 * Disconnects, and waits until everything that was posted has completed: no device reads or
 * writes what it was posted with any more. Without queues it does nothing.
 */
void mitosis_rdma_queues_drain(struct queues *queues);

/* Destroys queues and id; nothing is posted any more. Not in the id's event handler. */
void mitosis_rdma_queues_destroy(struct queues *queues);

#endif /* MITOSIS_RDMA_QUEUES_H */

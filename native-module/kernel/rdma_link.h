/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A second way to the pages of another machine's snapshot: by RDMA, beside the TCP link. It
 * is set up in the background while pages come over TCP. Whatever it does not deliver is
 * asked for over TCP; the first failure ends it, and some seconds later it is set up again.
 */
#ifndef MITOSIS_RDMA_LINK_H
#define MITOSIS_RDMA_LINK_H

#include <linux/socket.h>
#include <linux/types.h>

struct net;
struct page;
struct rdma_link;

struct rdma_link_target {
	struct net *net;
	struct sockaddr_storage address; /* of the machine's TCP server */
	u32 machine_id, handler_id, owner_uid;
	u64 snapshot; /* its number there: struct wire_rights */
	unsigned int deadline_ms;
	u8 nic;	       /* struct machine_address */
	bool optional; /* without a device on both sides nothing is said, nor tried again */
};

int mitosis_rdma_links_init(void);
/* Waits for what is under way. All links have been ended. */
void mitosis_rdma_links_exit(void);

/*
 * Begins to set up a link, and waits for at most the parameter rdma_wait_ms. NULL on lack of
 * memory.
 */
struct rdma_link *mitosis_rdma_link_start(const struct rdma_link_target *target);

/* Its owner needs it no more; nobody fetches. Does not wait; NULL does nothing. */
void mitosis_rdma_link_end(struct rdma_link *link);

/*
 * Receives pages. Returns 0; or -errno: they must be asked for over TCP. In both cases no
 * device writes them any more. Not by two threads at once.
 */
int mitosis_rdma_link_fetch(struct rdma_link *link, u64 address, unsigned long count,
			    struct page **pages);

#endif /* MITOSIS_RDMA_LINK_H */

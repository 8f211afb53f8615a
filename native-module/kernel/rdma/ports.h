/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This machine's RDMA ports by the number that users give, nic_id: they count from 0, by
 * device, shorter names first, and by the port's number there. libmitosis counts alike.
 */
#ifndef MITOSIS_RDMA_PORTS_H
#define MITOSIS_RDMA_PORTS_H

#include <linux/socket.h>
#include <linux/types.h>

struct net;
struct rdma_cm_id;

int mitosis_rdma_ports_init(void);
void mitosis_rdma_ports_exit(void);

/* Returns 0, or -ENXIO: no port that `net` may use has this number. */
int mitosis_rdma_port_find(struct net *net, unsigned int nic_id);

/*
 * An address of the port to reach another one from. Returns 0; -ENOENT its GIDs are made of
 * none, as on InfiniBand; or -ENXIO.
 */
int mitosis_rdma_port_source(struct net *net, unsigned int nic_id,
			     const struct sockaddr_storage *to, struct sockaddr_storage *from);

/* Whether a resolved route leads over the port. */
bool mitosis_rdma_port_is_of(struct net *net, unsigned int nic_id, const struct rdma_cm_id *id);

#endif /* MITOSIS_RDMA_PORTS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* Where a machine is, as text. */
#ifndef MITOSIS_ADDRESS_H
#define MITOSIS_ADDRESS_H

#include <linux/socket.h>
#include <linux/types.h>

struct net;

struct machine_address {
	struct sockaddr_storage socket; /* of its TCP server */
	bool rdma;			/* its pages shall come by RDMA */
	u8 nic; /* with `rdma`: nic_id + 1 of the port here to use; 0: by the route */
};

/*
 * Parses "tcp://host:port", "rdma://host[:port][%nic_id]" or a GID, MITOSIS_GID_LENGTH characters
 * that hold an address for RDMA; the port is 7473 if it is left out. The host may name a
 * network interface of `net` behind '%'. Returns 0, -EINVAL, or -ENODEV for a link-local
 * GID, which does not tell the interface.
 */
int mitosis_address_parse(struct net *net, const char *text, struct machine_address *address);

/* The address and port of a socket, as messages and bindings have them. */
void mitosis_address_to_wire(const struct sockaddr_storage *address, u8 ip[16], u16 *port);

/* The other way round; `scope` is the interface of a link-local address. */
void mitosis_address_from_wire(const u8 ip[16], u16 port, u32 scope,
			       struct sockaddr_storage *address);

#endif /* MITOSIS_ADDRESS_H */

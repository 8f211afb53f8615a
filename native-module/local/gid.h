/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machines named by nothing but the GID of their RDMA device, and the ports of this
 * machine's devices, which the original numbers by nic_id.
 */
#ifndef LOCAL_GID_H
#define LOCAL_GID_H

#include <stdbool.h>
#include <stddef.h>

#include "local/protocol.h"

/* Where the kernel lists this machine's RDMA devices. */
#define GID_DEVICES "/sys/class/infiniband"

/* An RDMA port of this machine. */
struct gid_port {
	char device[64];
	unsigned int number;
};

/*
 * Whether a text is a GID, eight groups of four hexadecimal digits with colons between,
 * after which there may be %nic_id.
 */
bool gid_is(const char *text);

/*
 * The address, for RDMA and at the default port, that a GID holds. A link-local one is
 * reached through the network interface of the port with its nic_id; without one,
 * through that of this machine's RDMA devices, listed in the folder `devices`. Returns 0;
 * -EINVAL no GID; -ENODEV no RDMA device here; -ENOTUNIQ a link-local GID, and devices
 * with more than one network interface. A nic_id that no port has is not an error here.
 */
int gid_to_address(const char *text, const char *devices,
		   struct local_address *address);

/*
 * The port that a nic_id names: they count from 0, by device, shorter names first, and
 * by port. Returns 0, or -ENODEV none.
 */
int gid_port_find(const char *devices, unsigned int nic_id, struct gid_port *port);

/* All ports as text, "mlx5_0 port 1 (0), …", or "none". */
void gid_ports_to_text(const char *devices, char *text, size_t size);

/*
 * An address of this machine that leads through a port to another one: a GID of it that
 * holds an IPv4 address if that is one, else an IPv6 address, each link-local or not as
 * that is. Returns 0, or -ENOENT.
 */
int gid_port_source(const char *devices, const struct gid_port *port,
		    const uint8_t to[16], uint8_t from[16]);

#endif /* LOCAL_GID_H */

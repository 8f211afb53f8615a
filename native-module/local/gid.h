/* SPDX-License-Identifier: Apache-2.0 */
/* Machines named by nothing but the GID of their RDMA device. */
#ifndef LOCAL_GID_H
#define LOCAL_GID_H

#include <stdbool.h>

#include "local/protocol.h"

/* Where the kernel lists this machine's RDMA devices. */
#define GID_DEVICES "/sys/class/infiniband"

/* Whether a text is a GID: eight groups of four hexadecimal digits with colons between. */
bool gid_is(const char *text);

/*
 * The address, for RDMA and at the default port, that a GID holds. A link-local one is
 * reached through the network interface of this machine's RDMA devices, listed in the
 * folder `devices`. Returns 0; -ENODEV no RDMA device here; -ENOTUNIQ a link-local GID, and
 * devices with more than one network interface.
 */
int gid_to_address(const char *text, const char *devices,
		   struct local_address *address);

#endif /* LOCAL_GID_H */

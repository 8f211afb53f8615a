/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of machines: as text, in messages, and for sockets. */
#ifndef LOCAL_ADDRESS_H
#define LOCAL_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

#include "local/protocol.h"

/* Of an address of RDMA without a port. */
#define LOCAL_PORT_DEFAULT 7473

/* "replica://[", an IPv6 address, "]:", a port, "%", a nic_id, NUL. */
#define LOCAL_ADDRESS_TEXT_SIZE (INET6_ADDRSTRLEN + 27)

/*
 * Parses tcp://host:port or tcp://[ipv6]:port, the same with replica://, and with rdma://, where
 * the port may be left out and %nic_id may follow, and resolves names. Returns 0, or -EINVAL
 * malformed, -ENOENT unknown host.
 */
int local_address_parse(const char *text, struct local_address *address);

/* Of "%nic_id", or of nothing. Returns local_address.nic, or -EINVAL malformed. */
int local_nic_parse(const char *text);

void local_address_to_text(const struct local_address *address,
			   char text[LOCAL_ADDRESS_TEXT_SIZE]);

/* IPv4 addresses become ::ffff:a.b.c.d. */
void local_address_to_socket(const struct local_address *address,
			     struct sockaddr_in6 *socket_address);

bool local_address_is_loopback(const struct local_address *address);

#endif /* LOCAL_ADDRESS_H */

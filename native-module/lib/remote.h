/* SPDX-License-Identifier: Apache-2.0 */
/* Other machines, from a device: sessions and nil RPCs. */
#ifndef LIB_REMOTE_H
#define LIB_REMOTE_H

#include <stdint.h>

#include "lib/daemon_link.h"
#include "proto/user/connection.h"

#define REMOTE_CONNECTIONS_MAX 16

/* A device's own connections, made when it first needs them. */
struct remote_connections {
	uint32_t count;
	struct wire_connection open[REMOTE_CONNECTIONS_MAX];
};

/* Where a machine is, by name or number. Returns 0 or -errno with a message. */
int remote_address_parse(const char *text, struct local_address *address);

/* The message for an address with a %nic_id that no RDMA port has; returns -ENODEV. */
int remote_no_port(const char *text);

/*
 * Opens this machine's session to another. Returns 0 or -errno with a message.
 */
int remote_connect(struct daemon_link *link, uint32_t machine_id,
		   const char *address);

/* Where a machine's session goes. Returns 0 or -errno with a message. */
int remote_session_address(struct daemon_link *link, uint32_t machine_id,
			   struct local_address *address);

/* One empty request. Returns 0 or -errno with a message. */
int remote_nil_rpc(struct daemon_link *link, struct remote_connections *connections,
		   uint32_t machine_id);

void remote_close_all(struct remote_connections *connections);

#endif /* LIB_REMOTE_H */

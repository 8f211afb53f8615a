/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sessions: the address of each machine, and idle authenticated connections to it. Each
 * network namespace has its own.
 */
#ifndef MITOSIS_SESSION_H
#define MITOSIS_SESSION_H

#include <linux/socket.h>
#include <linux/types.h>

struct link;
struct machine_address;
struct net;

int mitosis_sessions_init(void);
void mitosis_sessions_exit(void);

/*
 * Opens the session to a machine at an address (address.h), for all processes in the
 * caller's network namespace. If the address is of RDMA and names no port of this machine,
 * a `nic_id` other than 0 does. Returns 0 or -errno as MITOSIS_CONNECT.
 */
int mitosis_session_connect(u32 machine_id, const char *address, u32 nic_id);

/* The same with a pointer to the caller's struct mitosis_connect_req. */
int mitosis_session_connect_request(unsigned long argument);

/* Sends an empty request. Returns 0 or -errno: -ENOTCONN, -ETIMEDOUT, -ECONNRESET. */
int mitosis_session_nil(u32 machine_id);
/* The same with a pointer to the caller's struct mitosis_remote_req. */
int mitosis_session_nil_request(unsigned long argument);

/*
 * Returns a connection for the exclusive use of a work item, in the share of `user` until it
 * is closed or given back; -EUSERS: that is used up. With `idle`, one from
 * an earlier request, or -EAGAIN if there is none; its peer may have closed it.
 */
int mitosis_session_take(struct net *net, u32 machine_id, u32 user, unsigned int deadline_ms,
			 bool idle, struct link **link);

/* Gives back a connection whose last request was answered. */
void mitosis_session_give(const struct net *net, u32 machine_id, struct link *link);

/* Whether a connection is to where the machine is: its address may have been set again. */
bool mitosis_session_leads_to(const struct net *net, u32 machine_id, const struct link *link);

enum rdma_wish {
	RDMA_NEVER,
	RDMA_IF_POSSIBLE, /* the parameter transport is auto; nothing is said if it cannot be */
	RDMA_ASKED_FOR,	  /* by the address */
};

/* Whether pages of the machine shall come by RDMA; then where it is. */
enum rdma_wish mitosis_session_rdma_wish(const struct net *net, u32 machine_id,
					 struct machine_address *address);

#endif /* MITOSIS_SESSION_H */

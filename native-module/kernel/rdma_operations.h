/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What mitosis_rdma.ko (rdma/) does for mitosis.ko, which needs no symbol of ib_core: it is
 * loaded, and works over TCP, on machines without.
 */
#ifndef MITOSIS_RDMA_OPERATIONS_H
#define MITOSIS_RDMA_OPERATIONS_H

#include <linux/socket.h>
#include <linux/types.h>

#include "proto/wire.h"

struct module;
struct net;
struct page;
struct rdma_client;

/* The most that a client asks for, and a server gives: pages of a request, requests at a time. */
#define RDMA_PAGES_MAX 16u
#define RDMA_DEPTH_MAX 2u

/* What a server has agreed to. */
struct rdma_target {
	struct net *net;
	struct sockaddr_storage address; /* of its RDMA connection manager */
	u8 token[WIRE_RDMA_TOKEN_SIZE];
	u32 pages_max, depth; /* of RDMA_PAGES_MAX, RDMA_DEPTH_MAX at most */
	unsigned int deadline_ms;
	u8 nic; /* struct machine_address */
};

struct snapshot;

/* A client that will connect with a token, to read a snapshot. */
struct rdma_expected {
	u8 token[WIRE_RDMA_TOKEN_SIZE];
	struct snapshot *snapshot;
	u32 owner;			 /* of the snapshot: shares.h */
	struct sockaddr_storage address; /* where its TCP connection has reached this machine */
	u32 pages_max, depth;		 /* at most; then what it gets */
	u16 port;			 /* then where it shall connect to, at that address */
};

struct rdma_operations {
	struct module *owner;
	/*
	 * Connects; sleeps, each step for at most the deadline. Returns the connection or an
	 * error pointer; then *step says what failed.
	 */
	struct rdma_client *(*connect)(const struct rdma_target *target, const char **step);
	/*
	 * Receives pages into `pages`, and waits for each answer at most `wait_ms`. Returns
	 * 0; -EFAULT the server does not have them all; or another -errno: the connection has
	 * ended. In each case no device writes the pages any more. Not by two threads at once.
	 */
	int (*fetch)(struct rdma_client *client, u64 address, unsigned long count,
		     struct page **pages, unsigned int wait_ms);
	void (*close)(struct rdma_client *client);
	/*
	 * Lets who connects with the token, within WIRE_RDMA_TOKEN_MS and once, read the
	 * snapshot, whose reference it takes over. Returns 0; or -ENODEV no device has that
	 * address, -EBUSY, or -errno: then the reference stays the caller's.
	 */
	int (*expect)(struct rdma_expected *expected);
	/* Returns 0, or -ENXIO: no RDMA port that `net` may use has this number. */
	int (*find_port)(struct net *net, unsigned int nic_id);
};

/*
 * For the module: the pages of a range of a snapshot, each with a reference, to send from;
 * at most `pages_max`. They are shared as before. Returns their number; -EINVAL the range is
 * not of whole pages or too long; -EFAULT they cannot all be read.
 */
int mitosis_rdma_get_pages(struct snapshot *snapshot, const struct wire_pages *range, u32 pages_max,
			   struct page **pages);
/* Whether it has no new children, and those that it has hold it by their TCP connections. */
bool mitosis_rdma_is_dropped(const struct snapshot *snapshot);

/* Drops the reference of struct rdma_expected. */
void mitosis_rdma_put_snapshot(struct snapshot *snapshot);

/* Returns 0, or -EBUSY there are others. */
int mitosis_rdma_register(const struct rdma_operations *operations);
/* When it returns nobody calls them: who has got them holds their module. */
void mitosis_rdma_unregister(const struct rdma_operations *operations);

/* The operations, with a reference to their module; NULL: it is not loaded. */
const struct rdma_operations *mitosis_rdma_get(void);
void mitosis_rdma_put(const struct rdma_operations *operations);

/* Whether their module is loaded; it may be removed at any time. */
bool mitosis_rdma_is_there(void);

/* Tries once to load it, for a privileged caller whose sessions may be upgraded. */
void mitosis_rdma_load_once(void);

/*
 * Loads their module, for a privileged caller. Returns 0, -ENODEV without it,
 * -EPROTOTYPE if sessions are protected in a way that RDMA would break, or -ENXIO if `nic` of
 * the address names no port.
 */
int mitosis_rdma_ready(struct net *net, u8 nic);

#endif /* MITOSIS_RDMA_OPERATIONS_H */

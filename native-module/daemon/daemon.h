/* SPDX-License-Identifier: Apache-2.0 */
/* What one mitosisd keeps: the registry, its peers, its sessions, its keys. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdint.h>

#include "daemon/loop.h"
#include "daemon/owner.h"
#include "local/registry.h"
#include "paging/trace.h"
#include "proto/user/auth.h"

struct peer;
struct session;
struct orphan;
struct watched;
struct wire_client;

/* A socket that accepts connections: see listener.h. */
struct listener {
	struct event_source source; /* first */
	int fd;			    /* non-blocking; -1: none */
	int64_t paused_until_ms;    /* 0: it accepts */
	/* Takes a connection over, non-blocking and close-on-exec. */
	void (*accepted)(struct daemon *daemon, int fd);
};

struct daemon {
	struct loop loop;
	struct listener local, wire; /* for this machine; for others */
	int idle_ms; /* ends after this long without work; -1: never */
	int registry_fd;
	struct registry *registry;
	struct peer *peers; /* processes of this machine */
	uint32_t peer_count;
	uint32_t last_device;
	uint32_t last_channel; /* that a device has reserved */
	/*
	 * By slot: by when the shadow of a pinned snapshot must register if the device
	 * has gone already; 0: no deadline.
	 */
	int64_t shadow_deadline_ms[REGISTRY_SLOTS];
	struct session *sessions;	  /* to other machines */
	struct wire_client *wire_clients; /* connections from other machines */
	uint32_t wire_client_count;
	uint32_t last_grant; /* number of a struct local_grant */
	uint32_t pagers_max;
	/* A pager is ready (0), or has failed: for other machines that wait for it. May be NULL. */
	void (*pager_started)(struct daemon *daemon, struct peer *pager, int status);
	struct owner_rights rights; /* of this process, read at the first need */
	struct orphan *orphans;	    /* see orphan.h */
	uint32_t orphan_count;
	struct watched *watched; /* see watchdog.h */
	uint32_t watched_count;
	int64_t watchdog_check_ms; /* time of its next check */
	struct auth auth;
	struct trace trace;
	struct page_counts *page_counts;
};

#endif /* DAEMON_DAEMON_H */

/* SPDX-License-Identifier: Apache-2.0 */
/* What one mitosisd keeps: the registry, its peers, its sessions, its keys. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "local/registry.h"
#include "proto/auth.h"

struct daemon;
struct peer;
struct session;
struct ward;
struct watched;
struct wire_client;

/* First member of everything that epoll watches. */
struct event_source {
	void (*ready)(struct daemon *daemon, struct event_source *source);
};

struct daemon {
	int epoll;
	int registry_fd;
	struct registry *registry;
	struct peer *peers;		/* processes of this machine */
	uint32_t peer_count;
	uint32_t last_device;
	/* Until when a pinned snapshot without its parent awaits its shadow; 0: no. */
	int64_t orphan_deadline_ms[REGISTRY_SLOTS];
	struct session *sessions;	/* to other machines */
	struct wire_client *wire_clients;	/* other machines at our door */
	uint32_t wire_client_count;
	struct ward *wards;		/* see ward.h */
	uint32_t ward_count;
	struct watched *watched;	/* see watchdog.h */
	uint32_t watched_count;
	int64_t watchdog_look_ms;	/* when it is next due */
	struct auth auth;
	bool stop;
};

/* CLOCK_MONOTONIC in ms. */
int64_t monotonic_ms(void);

/* Has `source->ready` called when there is something to read. Returns 0 or -errno. */
int daemon_watch(struct daemon *daemon, int fd, struct event_source *source);

/*
 * Closes what is watched. Closing alone is not enough: where another process
 * has the same open file, epoll would go on to tell of it.
 */
void daemon_close(struct daemon *daemon, int fd);

#endif /* DAEMON_DAEMON_H */

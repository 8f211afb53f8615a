// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/greeting.h"

#include <unistd.h>

#include "daemon/devices.h"
#include "daemon/owner.h"
#include "daemon/rendezvous.h"
#include "daemon/snapshots.h"
#include "local/channel.h"

static bool new_serve(struct daemon *daemon, struct peer *peer,
		      const struct local_message *m, int *fd)
{
	(void)fd;
	switch (m->type) {
	case LOCAL_HELLO:
		device_hello(daemon, peer);
		return true;
	case LOCAL_REGISTER:
		if (snapshot_register(daemon, peer, m))
			rendezvous_shadow_ready(daemon, peer);
		return true;
	default:
		return false;
	}
}

static int64_t new_expire(struct daemon *daemon, struct peer *peer, int64_t now_ms)
{
	if (peer->deadline_ms > now_ms)
		return peer->deadline_ms;
	peer_close(daemon, peer);
	return INT64_MAX;
}

static const struct peer_role new_role = {
	.kind = PEER_NEW,
	.serve = new_serve,
	.expire = new_expire,
};

void greeting_accept(struct daemon *daemon, int fd)
{
	struct peer *peer = NULL;

	if (owner_lets_manage(fd))
		peer = peer_add(daemon, fd, &new_role);
	if (peer)
		peer->deadline_ms = monotonic_ms() + CHANNEL_DEADLINE_MS;
	else
		close(fd);
}

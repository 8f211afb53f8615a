// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/greeting.h"

#include <sys/socket.h>
#include <unistd.h>

#include "daemon/devices.h"
#include "daemon/owner.h"
#include "daemon/reservation.h"
#include "local/channel.h"

static bool new_serve(struct daemon *daemon, struct peer *peer,
		      const struct local_message *m, int *fd)
{
	(void)fd;
	switch (m->type) {
	case LOCAL_HELLO:
		device_hello(daemon, peer);
		return true;
	case LOCAL_RESERVE:
		return reservation_make(daemon, peer, m->device);
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
	struct ucred process;
	socklen_t size = sizeof(process);

	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &process, &size) &&
	    owner_lets_manage(&process))
		peer = peer_add(daemon, fd, &process, &new_role);
	if (peer)
		peer->deadline_ms = monotonic_ms() + CHANNEL_DEADLINE_MS;
	else
		close(fd);
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/reservation.h"

#include <errno.h>

#include "daemon/rendezvous.h"
#include "daemon/snapshots.h"
#include "local/channel.h"

/* Whether the process that has the channel has that device. */
static bool is_of(const struct daemon *daemon, const struct peer *peer,
		  uint32_t device)
{
	const struct peer *p;

	for (p = daemon->peers; p; p = p->next)
		if (peer_is(p, PEER_DEVICE) && p->device.number == device)
			return p->process.pid == peer->process.pid;
	return false;
}

static bool reservation_serve(struct daemon *daemon, struct peer *peer,
			      const struct local_message *m, int *fd)
{
	(void)fd;
	if (m->type != LOCAL_REGISTER)
		return false;
	if (snapshot_register(daemon, peer, m))
		rendezvous_shadow_ready(daemon, peer);
	return true;
}

static void reservation_gone(struct daemon *daemon, struct peer *peer)
{
	snapshot_of_gone_channel(daemon, peer->reservation.device,
				 peer->reservation.channel);
}

static int64_t reservation_expire(struct daemon *daemon, struct peer *peer,
				  int64_t now_ms)
{
	if (!peer->deadline_ms)
		return INT64_MAX;
	if (peer->deadline_ms > now_ms)
		return peer->deadline_ms;
	peer_close(daemon, peer);
	return INT64_MAX;
}

static const struct peer_role reservation_role = {
	.kind = PEER_RESERVATION,
	.serve = reservation_serve,
	.gone = reservation_gone,
	.expire = reservation_expire,
};

bool reservation_make(struct daemon *daemon, struct peer *peer, uint32_t device)
{
	struct local_message m = channel_message(LOCAL_ANSWER);
	const int yes = 1;

	if (!is_of(daemon, peer, device))
		return false;
	/* What tells which process registers: the channel's opener is its parent. */
	if (setsockopt(peer->fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)))
		return false;
	peer->role = &reservation_role;
	peer->deadline_ms = 0; /* until its device has gone */
	peer->reservation.device = device;
	peer->reservation.channel = ++daemon->last_channel;
	m.device = device;
	m.slot = peer->reservation.channel;
	peer_send(daemon, peer, &m, -1);
	return true;
}

void reservations_of_gone_device(struct daemon *daemon, uint32_t device)
{
	struct peer *p;

	for (p = daemon->peers; p; p = p->next)
		if (peer_is(p, PEER_RESERVATION) && p->reservation.device == device)
			p->deadline_ms = monotonic_ms() + CHANNEL_DEADLINE_MS;
}

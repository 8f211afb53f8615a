// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/devices.h"

#include <errno.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "daemon/rendezvous.h"
#include "daemon/reservation.h"
#include "daemon/session.h"
#include "daemon/snapshots.h"
#include "daemon/surroundings.h"
#include "local/channel.h"

/* Interval of the checks whether an awaited shadow has ended, in ms. */
#define CHECK_MS 20

static void wait_for_end(struct peer *device, struct registry_place place)
{
	peer_wait(device, WAITS_FOR_END);
	device->device.place = place;
}

static void serve_unprepare(struct daemon *daemon, struct peer *device,
			    uint32_t handler_id)
{
	int slot = snapshot_find(daemon, handler_id);
	struct registry_place place;

	if (slot < 0) {
		peer_answer(daemon, device, slot);
		return;
	}
	place.slot = slot;
	place.generation = registry_generation(daemon->registry, slot);
	if (snapshot_drop(daemon, slot))
		wait_for_end(device, place);
	else
		peer_answer(daemon, device, 0);
}

static void serve_bye(struct daemon *daemon, struct peer *device)
{
	struct registry_place place;

	if (snapshot_drop_own(daemon, device->device.number, &place))
		wait_for_end(device, place);
	else
		peer_answer(daemon, device, 0);
}

static void serve_attach(struct daemon *daemon, struct peer *device,
			 const struct local_message *m)
{
	/* What a replica can be at most: it is started with this process's rights. */
	const struct ucred self = { getpid(), geteuid(), getegid() };

	/* Each CPU can have a server of its own. */
	if (m->cpu < -1 || m->cpu >= get_nprocs_conf()) {
		peer_answer(daemon, device, -EINVAL);
		return;
	}
	device->device.cpu = m->cpu;
	device->device.forks = (m->flags & LOCAL_REMOTE) && (m->flags & LOCAL_FORKS);
	device->device.alike = m->flags & LOCAL_LIKE_CALLER;
	if (device->device.forks &&
	    owner_lets_become(&device->process, &self, &daemon->rights))
		peer_answer(daemon, device, -EPERM);
	else if (device->device.forks && device->device.alike &&
		 !surroundings_same(&device->process, &self))
		peer_answer(daemon, device, -EXDEV);
	else if (m->flags & LOCAL_REMOTE)
		rendezvous_attach_remote(daemon, device, m->machine_id,
					 m->handler_id);
	else
		rendezvous_attach(daemon, device, m->handler_id);
}

static void serve_session(struct daemon *daemon, struct peer *device,
			  uint32_t machine_id)
{
	struct local_message m = channel_message(LOCAL_ANSWER);

	m.status = session_address(daemon, machine_id, &m.address);
	peer_send(daemon, device, &m, -1);
}

static bool device_serve(struct daemon *daemon, struct peer *device,
			 const struct local_message *m, int *fd)
{
	if (device->device.waits != WAITS_NOT)
		return false;
	switch (m->type) {
	case LOCAL_UNPREPARE:
		serve_unprepare(daemon, device, m->handler_id);
		return true;
	case LOCAL_ATTACH:
		serve_attach(daemon, device, m);
		return true;
	case LOCAL_CONNECT:
		if (*fd == -EMFILE) {
			peer_answer(daemon, device, -EMFILE);
			return true;
		}
		if (*fd < 0)
			return false;
		peer_answer(daemon, device,
			    session_add(daemon, m->machine_id, &m->address, *fd));
		*fd = -1;
		return true;
	case LOCAL_SESSION:
		serve_session(daemon, device, m->machine_id);
		return true;
	case LOCAL_BYE:
		serve_bye(daemon, device);
		return true;
	default:
		return false;
	}
}

static void device_gone(struct daemon *daemon, struct peer *device)
{
	snapshots_of_gone_device(daemon, device->device.number);
	reservations_of_gone_device(daemon, device->device.number);
}

static int64_t device_expire(struct daemon *daemon, struct peer *device,
			     int64_t now_ms)
{
	const struct registry_place *place = &device->device.place;
	bool for_shadow = device->device.waits == WAITS_FOR_SHADOW;

	if (device->device.waits == WAITS_NOT)
		return INT64_MAX;
	if (for_shadow &&
	    (!registry_holds(daemon->registry, place->slot, place->generation) ||
	     snapshot_ended_unregistered(daemon, place->slot)))
		peer_answer(daemon, device, -ENOENT);
	else if (device->deadline_ms > now_ms)
		return for_shadow ? now_ms + CHECK_MS : device->deadline_ms;
	else
		peer_answer(daemon, device, -ETIMEDOUT);
	return INT64_MAX;
}

static const struct peer_role device_role = {
	.kind = PEER_DEVICE,
	.serve = device_serve,
	.gone = device_gone,
	.expire = device_expire,
};

void device_hello(struct daemon *daemon, struct peer *peer)
{
	struct local_message m = channel_message(LOCAL_ANSWER);

	peer->role = &device_role;
	peer->device.number = ++daemon->last_device;
	peer_watch_process(daemon, peer);
	m.device = peer->device.number;
	peer_send(daemon, peer, &m, daemon->registry_fd);
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/rendezvous.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/owner.h"
#include "daemon/pagers.h"
#include "daemon/session.h"
#include "daemon/snapshots.h"
#include "daemon/surroundings.h"
#include "local/channel.h"

/*
 * Connects a device by a stream with a pager, or with the shadow at `place`. False: the pager
 * has ended, and the device has no answer.
 */
static bool join(struct daemon *daemon, struct peer *device, struct peer *server,
		 struct registry_place place, const struct parent_rights *parent)
{
	struct local_message serve = channel_message(LOCAL_SERVE);
	struct local_message answer = channel_message(LOCAL_ANSWER);
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		peer_answer(daemon, device, -errno);
		return true;
	}
	serve.cpu = device->device.cpu;
	serve.flags = device->device.forks ? LOCAL_FORKS : 0;
	answer.status = channel_send(server->fd, &serve, ends[0]);
	if (answer.status == -ECONNRESET && peer_is(server, PEER_PAGER)) {
		close(ends[0]);
		close(ends[1]);
		return false;
	}
	trace(&daemon->trace, TRACE_STEPS, "joins a device and a server",
	      TRACE_NUMBER("device", device->device.number),
	      TRACE_NUMBER("pager", peer_is(server, PEER_PAGER)),
	      TRACE_NUMBER("slot", place.slot),
	      TRACE_NUMBER("status", -answer.status));
	answer.slot = place.slot;
	answer.generation = place.generation;
	answer.parent = *parent;
	device->device.waits = WAITS_NOT;
	peer_send(daemon, device, &answer, answer.status ? -1 : ends[1]);
	close(ends[0]);
	close(ends[1]);
	return true;
}

static void join_shadow(struct daemon *daemon, struct peer *device,
			struct peer *shadow)
{
	int err = owner_lets_become(&device->process, &shadow->process,
				    &shadow->shadow.rights);

	if (!err && device->device.alike &&
	    !surroundings_same(&device->process, &shadow->process))
		err = -EXDEV;
	if (err) {
		peer_answer(daemon, device, err);
		return;
	}
	snapshot_watch(daemon, shadow);
	join(daemon, device, shadow, shadow->shadow.place,
	     &shadow->shadow.rights.has);
}

static void join_pager(struct daemon *daemon, struct peer *device,
		       struct peer *pager, const struct remote_snapshot *remote)
{
	/* What a process of another machine has is in its descriptor: the pager has limited that. */
	const struct parent_rights unknown = { 0 };

	if (join(daemon, device, pager, (struct registry_place){ 0 }, &unknown))
		return;
	/* It has ended, without children for a while: the device gets another. */
	peer_close(daemon, pager);
	rendezvous_attach_remote(daemon, device, remote->machine_id,
				 remote->handler_id);
}

void rendezvous_attach(struct daemon *daemon, struct peer *device,
		       uint32_t handler_id)
{
	int slot = snapshot_find(daemon, handler_id);
	struct peer *shadow;

	if (slot < 0) {
		peer_answer(daemon, device, slot);
		return;
	}
	shadow = snapshot_shadow(daemon, slot);
	if (shadow) {
		join_shadow(daemon, device, shadow);
	} else if (snapshot_ended_unregistered(daemon, slot)) {
		peer_answer(daemon, device, -ENOENT);
	} else {
		peer_wait(device, WAITS_FOR_SHADOW);
		device->device.place = (struct registry_place){
			slot,
			registry_generation(daemon->registry, slot),
		};
	}
}

void rendezvous_shadow_ready(struct daemon *daemon, struct peer *shadow)
{
	struct peer *p;

	for (p = daemon->peers; p && shadow->fd >= 0; p = p->next)
		if (peer_is(p, PEER_DEVICE) && p->device.waits == WAITS_FOR_SHADOW &&
		    registry_same_place(&p->device.place, &shadow->shadow.place))
			join_shadow(daemon, p, shadow);
}

static void pager_started(struct daemon *daemon, struct peer *pager, int status)
{
	struct peer *p;

	for (p = daemon->peers; p; p = p->next) {
		if (!peer_is(p, PEER_DEVICE) || p->device.waits != WAITS_FOR_PAGER ||
		    !pager_fits(pager, &p->device.remote, p->device.cpu))
			continue;
		if (status)
			peer_answer(daemon, p, status);
		else if (pager->fd < 0)
			rendezvous_attach_remote(daemon, p,
						 p->device.remote.machine_id,
						 p->device.remote.handler_id);
		else
			join_pager(daemon, p, pager, &p->device.remote);
	}
	if (daemon->pager_started)
		daemon->pager_started(daemon, pager, status);
}

int rendezvous_find_pager(struct daemon *daemon, struct remote_snapshot *remote,
			  int cpu, struct peer **pager)
{
	/* Once its session has ended, a pager gets no further children. */
	int err = session_address(daemon, remote->machine_id, &remote->address);

	if (err) {
		/* But for one that has all of it. */
		*pager = pager_find_alone(daemon, remote->machine_id,
					  remote->handler_id);
		return *pager ? 0 : err;
	}
	*pager = pager_find(daemon, remote, cpu);
	return *pager ? 0 : pager_start(daemon, remote, cpu, pager_started, pager);
}

void rendezvous_attach_remote(struct daemon *daemon, struct peer *device,
			      uint32_t machine_id, uint32_t handler_id)
{
	struct remote_snapshot remote = {
		.machine_id = machine_id,
		.handler_id = handler_id,
	};
	struct peer *pager;
	int err = rendezvous_find_pager(daemon, &remote, device->device.cpu, &pager);

	if (err) {
		peer_answer(daemon, device, err);
	} else if (pager->pager.ready) {
		join_pager(daemon, device, pager, &remote);
	} else {
		peer_wait(device, WAITS_FOR_PAGER);
		device->device.remote = remote;
	}
}

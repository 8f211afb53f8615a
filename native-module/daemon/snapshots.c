// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/snapshots.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/orphan.h"
#include "daemon/watchdog.h"
#include "local/channel.h"

/* Time that a shadow has to end or to report that it lingers, in ms. */
#define END_DEADLINE_MS 1000

int snapshot_find(struct daemon *daemon, uint32_t handler_id)
{
	int slot = registry_lock(daemon->registry);

	if (slot)
		return slot;
	slot = registry_find(daemon->registry, handler_id);
	registry_unlock(daemon->registry);
	return slot;
}

/* Compares generations: the slot's last shadow may still be about to end. */
struct peer *snapshot_shadow(const struct daemon *daemon, uint32_t slot)
{
	const struct registry_place place = {
		slot,
		registry_generation(daemon->registry, slot),
	};
	struct peer *p;

	for (p = daemon->peers; p; p = p->next)
		if (peer_is(p, PEER_SHADOW) &&
		    registry_same_place(&p->shadow.place, &place))
			return p;
	return NULL;
}

/* It ends when its channel closes, or reports that it lingers for its children. */
static void end_shadow(struct peer *shadow)
{
	shutdown(shadow->fd, SHUT_WR);
	shadow->shadow.must_end = true;
	shadow->deadline_ms = monotonic_ms() + END_DEADLINE_MS;
}

bool snapshot_drop(struct daemon *daemon, uint32_t slot)
{
	struct peer *shadow = snapshot_shadow(daemon, slot);

	daemon->shadow_deadline_ms[slot] = 0;
	registry_free(daemon->registry, slot,
		      registry_generation(daemon->registry, slot));
	if (shadow)
		end_shadow(shadow);
	return shadow;
}

static bool is_pinned(const struct registry_slot *slot)
{
	return slot->snapshot.flags & MITOSIS_SNAPSHOT_PINNED;
}

bool snapshot_drop_own(struct daemon *daemon, uint32_t device,
		       struct registry_place *place)
{
	uint32_t i;

	for (i = 0; i < REGISTRY_SLOTS; i++) {
		struct registry_slot *slot = &daemon->registry->slots[i];

		place->slot = i;
		place->generation = registry_generation(daemon->registry, i);
		if (registry_state(daemon->registry, i) == SLOT_READY &&
		    slot->device == device && !is_pinned(slot) &&
		    snapshot_drop(daemon, i))
			return true;
	}
	return false;
}

void snapshots_of_gone_device(struct daemon *daemon, uint32_t device)
{
	uint32_t i;

	for (i = 0; i < REGISTRY_SLOTS; i++) {
		struct registry_slot *slot = &daemon->registry->slots[i];
		enum slot_state state = registry_state(daemon->registry, i);

		if (state == SLOT_FREE || slot->device != device)
			continue;
		if (state != SLOT_READY || !is_pinned(slot))
			snapshot_drop(daemon, i);
		else if (!snapshot_shadow(daemon, i))
			daemon->shadow_deadline_ms[i] =
				monotonic_ms() + CHANNEL_DEADLINE_MS;
	}
}

void snapshot_of_gone_channel(struct daemon *daemon, uint32_t device,
			      uint32_t channel)
{
	uint32_t i;

	for (i = 0; i < REGISTRY_SLOTS; i++) {
		const struct registry_slot *slot = &daemon->registry->slots[i];
		/* First: the slot may be freed and claimed again meanwhile. */
		uint64_t generation = registry_generation(daemon->registry, i);

		if (registry_state(daemon->registry, i) == SLOT_FREE ||
		    slot->device != device || slot->channel != channel)
			continue;
		registry_free(daemon->registry, i, generation);
		daemon->shadow_deadline_ms[i] = 0;
	}
}

/*
 * The pid in the registry is that of the parent's PID namespace, which may be
 * another one. So a missing process proves nothing.
 */
bool snapshot_ended_unregistered(struct daemon *daemon, uint32_t slot)
{
	pid_t pid = daemon->registry->slots[slot].snapshot.shadow_pid;
	struct pollfd p = { .events = POLLIN };
	bool ended;

	p.fd = pid > 0 ? syscall(SYS_pidfd_open, pid, 0) : -1;
	if (p.fd < 0)
		return false;
	ended = poll(&p, 1, 0) > 0;
	close(p.fd);
	if (ended)
		snapshot_drop(daemon, slot);
	return ended;
}

static struct server_name name_of(const struct peer *shadow)
{
	return (struct server_name){
		.kind = SERVER_SHADOW,
		.place = shadow->shadow.place,
		.handler_id = shadow->shadow.handler_id,
	};
}

/* The pidfd of the server of a userfaultfd: the shadow, or its per-CPU server. */
static int server_pidfd(const struct daemon *daemon, const struct peer *shadow,
			int cpu)
{
	int cpu_server =
		cpu < 0 ? -1
			: watchdog_cpu_server(daemon, &shadow->shadow.place, cpu);

	return cpu_server < 0 ? shadow->pidfd : cpu_server;
}

static bool shadow_serve(struct daemon *daemon, struct peer *shadow,
			 const struct local_message *m, int *fd)
{
	struct server_name name;

	if (m->type == LOCAL_KEEP && *fd != -1) {
		peer_keep(daemon, shadow, m, fd,
			  server_pidfd(daemon, shadow, m->cpu));
		return true;
	}
	if (m->type == LOCAL_CPU_SERVER && *fd == -EMFILE) {
		fprintf(stderr,
			"mitosisd: no descriptor for a per-CPU server: if that is "
			"stopped, its children wait; raise ulimit -n\n");
		return true;
	}
	if (m->type == LOCAL_CPU_SERVER && *fd >= 0 &&
	    !watchdog_is_forked_by(*fd, shadow->process.pid))
		return true;
	if (m->type == LOCAL_CPU_SERVER && *fd >= 0) {
		name = name_of(shadow);
		name.kind = SERVER_CPU;
		name.cpu = m->cpu;
		watchdog_watch(daemon, *fd, &name);
		return true;
	}
	shadow->shadow.lingers = m->type == LOCAL_LINGER;
	return false;
}

static void shadow_gone(struct daemon *daemon, struct peer *shadow)
{
	const struct registry_place *place = &shadow->shadow.place;
	struct peer *p;

	trace(&daemon->trace, TRACE_STEPS, "a shadow has closed its channel",
	      TRACE_NUMBER("handler_id", shadow->shadow.handler_id),
	      TRACE_NUMBER("lingers", shadow->shadow.lingers));
	registry_free(daemon->registry, place->slot, place->generation);
	for (p = daemon->peers; p; p = p->next)
		if (peer_is(p, PEER_DEVICE) && p->device.waits == WAITS_FOR_END &&
		    registry_same_place(&p->device.place, place))
			peer_answer_flags(daemon, p, 0,
					  shadow->shadow.lingers ? LOCAL_LINGERS
								 : 0);
}

static int64_t shadow_expire(struct daemon *daemon, struct peer *shadow,
			     int64_t now_ms)
{
	(void)daemon;
	if (!shadow->shadow.must_end)
		return INT64_MAX;
	if (shadow->deadline_ms > now_ms)
		return shadow->deadline_ms;
	shadow->shadow.must_end = false;
	if (shadow->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, shadow->pidfd, SIGKILL, NULL, 0);
	return INT64_MAX;
}

static const struct peer_role shadow_role = {
	.kind = PEER_SHADOW,
	.serve = shadow_serve,
	.gone = shadow_gone,
	.expire = shadow_expire,
};

bool snapshot_register(struct daemon *daemon, struct peer *peer,
		       const struct local_message *m)
{
	const int no = 0;
	uint64_t number;

	if (m->slot >= REGISTRY_SLOTS ||
	    !registry_holds(daemon->registry, m->slot, m->generation) ||
	    snapshot_shadow(daemon, m->slot)) {
		peer_answer(daemon, peer, -ENOENT);
		return false;
	}
	/* By chance: another mitosisd of this machine may have served the session. */
	if (getrandom(&number, sizeof(number), 0) != sizeof(number)) {
		peer_answer(daemon, peer, -EAGAIN);
		return false;
	}
	/* Each further message is the shadow's. */
	setsockopt(peer->fd, SOL_SOCKET, SO_PASSCRED, &no, sizeof(no));
	peer->role = &shadow_role;
	memset(&peer->shadow, 0, sizeof(peer->shadow));
	peer->shadow.place = (struct registry_place){ m->slot, m->generation };
	peer->shadow.number = number | 1;
	/* For the log: a shadow that lingers no longer holds its slot. */
	peer->shadow.handler_id =
		daemon->registry->slots[m->slot].snapshot.handler_id;
	daemon->shadow_deadline_ms[m->slot] = 0;
	trace(&daemon->trace, TRACE_STEPS, "has registered a shadow",
	      TRACE_NUMBER("handler_id", peer->shadow.handler_id),
	      TRACE_NUMBER("slot", m->slot));
	peer_watch_process(daemon, peer);
	/* Still connected, so the pid was still the shadow's when opened. */
	if (!channel_is_open(peer->fd)) {
		peer_close(daemon, peer);
		return false;
	}
	peer_answer(daemon, peer, 0);
	return peer->fd >= 0;
}

/* A shadow that serves only other machines needs no watchdog: they have deadlines. */
void snapshot_watch(struct daemon *daemon, struct peer *shadow)
{
	const struct server_name name = name_of(shadow);

	if (!shadow->shadow.watched)
		watchdog_watch(daemon, shadow->pidfd, &name);
	shadow->shadow.watched = true;
}

/*
 * Returns 0 and the registered shadow of a READY handler id; -ENOENT; or -EAGAIN: not yet. What the
 * registry says can change from one call to the next.
 */
static int find_shadow(struct daemon *daemon, uint32_t handler_id,
		       struct peer **shadow)
{
	int slot = snapshot_find(daemon, handler_id);

	if (slot < 0)
		return slot;
	*shadow = snapshot_shadow(daemon, slot);
	return *shadow ? 0 : -EAGAIN;
}

/* The same, if it is the one of this number. */
static int find_numbered(struct daemon *daemon, uint32_t handler_id, uint64_t number,
			 struct peer **shadow)
{
	int err = find_shadow(daemon, handler_id, shadow);

	if (err)
		return err;
	return (*shadow)->shadow.number == number ? 0 : -ENOENT;
}

int snapshot_rights(struct daemon *daemon, uint32_t handler_id,
		    struct wire_rights *rights)
{
	struct peer *shadow;
	int err = find_shadow(daemon, handler_id, &shadow);

	if (!err)
		err = owner_read_rights(&shadow->process, &shadow->shadow.rights);
	if (err)
		return err;
	*rights = (struct wire_rights){
		.has = shadow->shadow.rights.has,
		.snapshot = shadow->shadow.number,
	};
	return 0;
}

int snapshot_hand_over(struct daemon *daemon, uint32_t handler_id, uint64_t number,
		       int fd, const struct local_sealing *sealing)
{
	struct peer *shadow;
	int err = find_numbered(daemon, handler_id, number, &shadow);

	if (err)
		return err;
	trace(&daemon->trace, TRACE_STEPS, "passes another machine to a shadow",
	      TRACE_NUMBER("handler_id", handler_id));
	return peer_pass_machine(shadow, fd, sealing);
}

int snapshot_lend(struct daemon *daemon, uint32_t handler_id, uint64_t number,
		  int fd)
{
	struct local_message m = channel_message(LOCAL_SERVE);
	struct peer *shadow;
	int err = find_numbered(daemon, handler_id, number, &shadow);

	if (err)
		return err;
	m.flags = LOCAL_PORTER;
	return channel_send(shadow->fd, &m, fd);
}

int snapshots_expire(struct daemon *daemon)
{
	int64_t now = monotonic_ms(), next = INT64_MAX;
	uint32_t i;

	for (i = 0; i < REGISTRY_SLOTS; i++) {
		int64_t deadline_ms = daemon->shadow_deadline_ms[i];

		if (!deadline_ms)
			continue;
		if (deadline_ms <= now)
			snapshot_drop(daemon, i);
		else if (deadline_ms < next)
			next = deadline_ms;
	}
	return next == INT64_MAX ? -1 : (int)(next - now);
}

bool snapshots_held(const struct daemon *daemon)
{
	uint32_t i;

	for (i = 0; i < REGISTRY_SLOTS; i++)
		if (registry_state(daemon->registry, i) != SLOT_FREE)
			return true;
	return false;
}

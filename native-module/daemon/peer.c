// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/orphan.h"
#include "daemon/session.h"
#include "daemon/watchdog.h"
#include "local/channel.h"

#define PEERS_MAX	4096u
/* A little less than a device waits, so that it gets our answer. */
#define ANSWER_DEADLINE_MS	(CHANNEL_DEADLINE_MS - 500)
/* How long a shadow may take to end or to say that it lingers. */
#define END_DEADLINE_MS		1000
/* How often it is looked whether a shadow that is waited for has ended. */
#define LOOK_MS		20

/* A slot that was freed may have been claimed again before its shadow is gone. */
static struct peer *shadow_of(const struct daemon *daemon, uint32_t slot)
{
	uint64_t generation = registry_generation(daemon->registry, slot);
	struct peer *p;

	for (p = daemon->peers; p; p = p->next)
		if (p->fd >= 0 && p->kind == PEER_SHADOW && p->slot == slot &&
		    p->generation == generation)
			return p;
	return NULL;
}

static void answer(struct daemon *daemon, struct peer *peer, int status, int fd);

/* It ends at the close of its channel, or says that it stays for its children. */
static void end_shadow(struct peer *shadow)
{
	shutdown(shadow->fd, SHUT_WR);
	shadow->waits = WAITS_TO_BE_ENDED;
	shadow->deadline_ms = monotonic_ms() + END_DEADLINE_MS;
}

/* Gives a slot back and ends its shadow. True if a shadow has yet to end. */
static bool drop_slot(struct daemon *daemon, uint32_t slot)
{
	struct peer *shadow = shadow_of(daemon, slot);

	daemon->shadow_deadline_ms[slot] = 0;
	registry_free(daemon->registry, slot,
		      registry_generation(daemon->registry, slot));
	if (shadow)
		end_shadow(shadow);
	return shadow;
}

static void device_gone(struct daemon *daemon, uint32_t device)
{
	uint32_t i;

	for (i = 0; i < REGISTRY_SLOTS; i++) {
		struct registry_slot *slot = &daemon->registry->slots[i];

		enum slot_state state = registry_state(daemon->registry, i);

		if (state == SLOT_FREE || slot->device != device)
			continue;
		if (state == SLOT_READY &&
		    (slot->snapshot.flags & MITOSIS_SNAPSHOT_PINNED)) {
			if (!shadow_of(daemon, i))
				daemon->shadow_deadline_ms[i] =
					monotonic_ms() + CHANNEL_DEADLINE_MS;
			continue;
		}
		drop_slot(daemon, i);
	}
}

static void answer_flags(struct daemon *daemon, struct peer *peer, int status,
			 uint32_t flags, int fd);
static void pager_started(struct daemon *daemon, struct peer *pager, int status);

static void shadow_gone(struct daemon *daemon, const struct peer *shadow)
{
	struct peer *p;

	registry_free(daemon->registry, shadow->slot, shadow->generation);
	for (p = daemon->peers; p; p = p->next)
		if (p->fd >= 0 && p->waits == WAITS_FOR_END &&
		    p->slot == shadow->slot &&
		    p->generation == shadow->generation)
			answer_flags(daemon, p, 0,
				     shadow->lingers ? LOCAL_LINGERS : 0, -1);
}

static void peer_close(struct daemon *daemon, struct peer *peer)
{
	loop_close(&daemon->loop, peer->fd);
	peer->fd = -1;
	if (peer->kind == PEER_DEVICE)
		device_gone(daemon, peer->device);
	if (peer->kind == PEER_SHADOW)
		shadow_gone(daemon, peer);
	if (peer->kind == PEER_PAGER && peer->waits == WAITS_TO_BE_READY)
		pager_started(daemon, peer, -EIO);
	if (peer->pidfd >= 0)
		loop_close(&daemon->loop, peer->pidfd);
	peer->pidfd = -1;
}

static void answer_flags(struct daemon *daemon, struct peer *peer, int status,
			 uint32_t flags, int fd)
{
	struct local_message m = channel_message(LOCAL_ANSWER);

	m.status = status;
	m.flags = flags;
	m.device = peer->device;
	peer->waits = WAITS_NOT;
	if (channel_send(peer->fd, &m, fd))
		peer_close(daemon, peer);
}

static void answer(struct daemon *daemon, struct peer *peer, int status, int fd)
{
	answer_flags(daemon, peer, status, 0, fd);
}

static void peer_ready(struct daemon *daemon, struct event_source *source);

static struct peer *add_peer(struct daemon *daemon, int fd, enum peer_kind kind)
{
	struct peer *peer;

	if (daemon->peer_count == PEERS_MAX)
		return NULL;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return NULL;
	peer->source.ready = peer_ready;
	peer->fd = fd;
	peer->pidfd = -1;
	peer->kind = kind;
	peer->cpu = -1;
	if (loop_watch(&daemon->loop, fd, &peer->source)) {
		free(peer);
		return NULL;
	}
	peer->next = daemon->peers;
	daemon->peers = peer;
	daemon->peer_count++;
	return peer;
}

void peers_accept(struct daemon *daemon, int fd)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);
	struct peer *peer = NULL;

	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) &&
	    (cred.uid == geteuid() || cred.uid == 0))
		peer = add_peer(daemon, fd, PEER_NEW);
	if (peer)
		peer->deadline_ms = monotonic_ms() + CHANNEL_DEADLINE_MS;
	else
		close(fd);
}

struct peer *peers_add_pager(struct daemon *daemon, int fd, int pidfd,
			     uint32_t machine_id, uint32_t handler_id, int cpu)
{
	const struct server_name name = {
		.kind = SERVER_PAGER,
		.machine_id = machine_id,
		.handler_id = handler_id,
	};
	struct peer *pager = add_peer(daemon, fd, PEER_PAGER);

	if (!pager)
		return NULL;
	pager->pidfd = pidfd;
	pager->machine_id = machine_id;
	pager->handler_id = handler_id;
	pager->cpu = cpu;
	pager->waits = WAITS_TO_BE_READY;
	/* It keeps deadlines of its own and reports; this is for one that hangs. */
	pager->deadline_ms = INT64_MAX;
	watchdog_watch(daemon, pidfd, &name);
	return pager;
}

/* The process of a device has ended, whoever else has its channel open. */
static void process_ended(struct daemon *daemon, struct event_source *source)
{
	struct peer *peer = (struct peer *)((char *)source -
					    offsetof(struct peer, process));

	if (peer->fd >= 0)
		peer_close(daemon, peer);
}

static void watch_process(struct daemon *daemon, struct peer *peer)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	peer->process.ready = process_ended;
	if (getsockopt(peer->fd, SOL_SOCKET, SO_PEERCRED, &cred, &size))
		return;
	peer->pidfd = syscall(SYS_pidfd_open, cred.pid, 0);
	if (peer->pidfd >= 0)
		loop_watch(&daemon->loop, peer->pidfd, &peer->process);
}

static void serve_hello(struct daemon *daemon, struct peer *peer)
{
	watch_process(daemon, peer);
	peer->kind = PEER_DEVICE;
	peer->device = ++daemon->last_device;
	answer(daemon, peer, 0, daemon->registry_fd);
}

/* The slot with a READY handler id, or -errno. */
static int find(struct daemon *daemon, uint32_t handler_id)
{
	int slot = registry_lock(daemon->registry);

	if (slot)
		return slot;
	slot = registry_find(daemon->registry, handler_id);
	registry_unlock(daemon->registry);
	return slot;
}

static void wait_for(struct peer *peer, enum peer_waits what, uint32_t slot,
		     uint64_t generation)
{
	peer->waits = what;
	peer->slot = slot;
	peer->generation = generation;
	peer->deadline_ms = monotonic_ms() + ANSWER_DEADLINE_MS;
}

static void serve_unprepare(struct daemon *daemon, struct peer *peer,
			    uint32_t handler_id)
{
	int slot = find(daemon, handler_id);
	uint64_t generation;

	if (slot < 0) {
		answer(daemon, peer, slot, -1);
		return;
	}
	generation = registry_generation(daemon->registry, slot);
	/* A shadow that has not registered yet will be refused, and end. */
	if (drop_slot(daemon, slot))
		wait_for(peer, WAITS_FOR_END, slot, generation);
	else
		answer(daemon, peer, 0, -1);
}

/* The device's own snapshot goes; it has one at most that is not pinned. */
static void serve_bye(struct daemon *daemon, struct peer *peer)
{
	uint32_t i;

	for (i = 0; i < REGISTRY_SLOTS; i++) {
		struct registry_slot *slot = &daemon->registry->slots[i];
		uint64_t generation = registry_generation(daemon->registry, i);

		if (registry_state(daemon->registry, i) == SLOT_READY && slot->device == peer->device &&
		    !(slot->snapshot.flags & MITOSIS_SNAPSHOT_PINNED) &&
		    drop_slot(daemon, i)) {
			wait_for(peer, WAITS_FOR_END, i, generation);
			return;
		}
	}
	answer(daemon, peer, 0, -1);
}

/* From its first client on this machine on: others have deadlines of their own. */
static void watch_shadow(struct daemon *daemon, struct peer *shadow)
{
	const struct server_name name = {
		.kind = SERVER_SHADOW,
		.slot = shadow->slot,
		.generation = shadow->generation,
		.handler_id = shadow->handler_id,
	};

	if (shadow->kind == PEER_SHADOW && !shadow->watched)
		watchdog_watch(daemon, shadow->pidfd, &name);
	shadow->watched = true;
}

static void watch_cpu_server(struct daemon *daemon, const struct peer *shadow,
			 int pidfd, int cpu)
{
	const struct server_name name = {
		.kind = SERVER_CPU,
		.slot = shadow->slot,
		.generation = shadow->generation,
		.handler_id = shadow->handler_id,
		.cpu = cpu,
	};

	watchdog_watch(daemon, pidfd, &name);
}

/* Makes a stream between a device and a shadow or pager. */
static void join(struct daemon *daemon, struct peer *device, struct peer *shadow)
{
	struct local_message m = channel_message(LOCAL_SERVE);
	struct local_message told = channel_message(LOCAL_ANSWER);
	int ends[2];
	int err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		answer(daemon, device, -errno, -1);
		return;
	}
	watch_shadow(daemon, shadow);
	m.cpu = device->cpu;
	err = channel_send(shadow->fd, &m, ends[0]);
	told.status = err;
	told.slot = shadow->slot;
	told.generation = shadow->generation;
	device->waits = WAITS_NOT;
	if (channel_send(device->fd, &told, err ? -1 : ends[1]))
		peer_close(daemon, device);
	close(ends[0]);
	close(ends[1]);
}

/*
 * Who starts child after child gets a pager on its CPU, lest they wait for each
 * other there; for a single child any will do.
 */
static bool fits(const struct peer *pager, uint32_t machine_id,
		 uint32_t handler_id, int cpu)
{
	return pager->machine_id == machine_id &&
	       pager->handler_id == handler_id &&
	       (cpu < 0 || pager->cpu < 0 || pager->cpu == cpu);
}

static struct peer *pager_of(struct daemon *daemon, uint32_t machine_id,
			     uint32_t handler_id, int cpu)
{
	struct peer *p;

	for (p = daemon->peers; p; p = p->next)
		if (p->fd >= 0 && p->kind == PEER_PAGER &&
		    fits(p, machine_id, handler_id, cpu))
			break;
	if (p && p->cpu < 0)
		p->cpu = cpu;	/* from now on */
	return p;
}

static void serve_attach_remote(struct daemon *daemon, struct peer *peer,
				uint32_t machine_id, uint32_t handler_id)
{
	struct peer *pager = pager_of(daemon, machine_id, handler_id, peer->cpu);
	struct local_address address;
	/* A pager may outlive the session: for children that it has, no others. */
	int err = session_address(daemon, machine_id, &address);

	if (!err && !pager)
		err = session_start_pager(daemon, machine_id, handler_id,
					  peer->cpu, &pager);
	if (err) {
		answer(daemon, peer, err, -1);
	} else if (pager->waits == WAITS_NOT) {
		join(daemon, peer, pager);
	} else {
		wait_for(peer, WAITS_FOR_PAGER, 0, 0);
		peer->machine_id = machine_id;
		peer->handler_id = handler_id;
	}
}

/* The pager is ready (0), or says why it is not: tell those who wait for it. */
static void pager_started(struct daemon *daemon, struct peer *pager, int status)
{
	struct peer *p;

	pager->waits = WAITS_NOT;
	for (p = daemon->peers; p; p = p->next) {
		if (p->fd < 0 || p->waits != WAITS_FOR_PAGER ||
		    !fits(pager, p->machine_id, p->handler_id, p->cpu))
			continue;
		if (status || pager->fd < 0)
			answer(daemon, p, status ? status : -ECONNRESET, -1);
		else
			join(daemon, p, pager);
	}
}

int peers_hand_over(struct daemon *daemon, uint32_t handler_id, int fd)
{
	struct local_message m = channel_message(LOCAL_SERVE);
	int slot = find(daemon, handler_id);
	struct peer *shadow;

	if (slot < 0)
		return slot;
	shadow = shadow_of(daemon, slot);
	if (!shadow)
		return -EAGAIN;
	m.flags = LOCAL_MACHINE;
	return channel_send(shadow->fd, &m, fd);
}

/*
 * True if a shadow ended before it could register; then its slot is free. The
 * pid is the parent's word, which may be of another PID namespace: nothing
 * follows from its not being found.
 */
static bool ended_unregistered(struct daemon *daemon, uint32_t slot)
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
		drop_slot(daemon, slot);
	return ended;
}

static void serve_attach(struct daemon *daemon, struct peer *peer,
			 uint32_t handler_id)
{
	int slot = find(daemon, handler_id);
	struct peer *shadow;

	if (slot < 0) {
		answer(daemon, peer, slot, -1);
		return;
	}
	shadow = shadow_of(daemon, slot);
	if (shadow)
		join(daemon, peer, shadow);
	else if (ended_unregistered(daemon, slot))
		answer(daemon, peer, -ENOENT, -1);
	else
		wait_for(peer, WAITS_FOR_SHADOW, slot,
			 registry_generation(daemon->registry, slot));
}

static void serve_register(struct daemon *daemon, struct peer *peer,
			   const struct local_message *m)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);
	struct peer *p;

	if (m->slot >= REGISTRY_SLOTS ||
	    !registry_holds(daemon->registry, m->slot, m->generation) ||
	    shadow_of(daemon, m->slot)) {
		answer(daemon, peer, -ENOENT, -1);
		return;
	}
	peer->kind = PEER_SHADOW;
	peer->slot = m->slot;
	peer->generation = m->generation;
	peer->handler_id = m->handler_id;
	daemon->shadow_deadline_ms[m->slot] = 0;
	if (!getsockopt(peer->fd, SOL_SOCKET, SO_PEERCRED, &cred, &size))
		peer->pidfd = syscall(SYS_pidfd_open, cred.pid, 0);
	/* Still connected, so the pid was still the shadow's when opened. */
	if (!channel_is_open(peer->fd)) {
		peer_close(daemon, peer);
		return;
	}
	answer(daemon, peer, 0, -1);
	for (p = daemon->peers; p && peer->fd >= 0; p = p->next)
		if (p->fd >= 0 && p->waits == WAITS_FOR_SHADOW &&
		    p->slot == peer->slot && p->generation == peer->generation)
			join(daemon, p, peer);
}

static void serve_session(struct daemon *daemon, struct peer *peer,
			  uint32_t machine_id)
{
	struct local_message m = channel_message(LOCAL_ANSWER);

	m.status = session_address(daemon, machine_id, &m.address);
	if (channel_send(peer->fd, &m, -1))
		peer_close(daemon, peer);
}

/* Who serves what is to be kept: the peer, or its per-CPU server. */
static int server_of(const struct daemon *daemon, const struct peer *peer, int cpu)
{
	int cpu_server = cpu < 0 || peer->kind != PEER_SHADOW ? -1 :
		     watchdog_cpu_server(daemon, peer->slot, peer->generation, cpu);

	return cpu_server < 0 ? peer->pidfd : cpu_server;
}

/* False when the peer speaks out of turn. `fd` came with it, and may be taken. */
static bool serve(struct daemon *daemon, struct peer *peer,
		  const struct local_message *m, int *fd)
{
	if (peer->kind == PEER_NEW) {
		if (m->type == LOCAL_HELLO)
			serve_hello(daemon, peer);
		else if (m->type == LOCAL_REGISTER)
			serve_register(daemon, peer, m);
		else
			return false;
		return true;
	}
	if (m->type == LOCAL_KEEP && *fd >= 0 && peer->pidfd >= 0 &&
	    (peer->kind == PEER_SHADOW || peer->kind == PEER_PAGER)) {
		orphan_keep(daemon, *fd, fcntl(server_of(daemon, peer, m->cpu),
					       F_DUPFD_CLOEXEC, 0));
		*fd = -1;
		return true;
	}
	if (m->type == LOCAL_CPU_SERVER && *fd >= 0 && peer->kind == PEER_SHADOW) {
		watch_cpu_server(daemon, peer, *fd, m->cpu);
		return true;
	}
	if (peer->kind == PEER_SHADOW) {
		peer->lingers = m->type == LOCAL_LINGER;
		return false;
	}
	if (peer->kind == PEER_PAGER) {
		if (m->type != LOCAL_ANSWER || peer->waits != WAITS_TO_BE_READY)
			return false;
		pager_started(daemon, peer, m->status);
		return m->status == 0;
	}
	if (peer->waits != WAITS_NOT)
		return false;
	switch (m->type) {
	case LOCAL_UNPREPARE:
		serve_unprepare(daemon, peer, m->handler_id);
		return true;
	case LOCAL_ATTACH:
		peer->cpu = m->cpu;
		if (m->flags & LOCAL_REMOTE)
			serve_attach_remote(daemon, peer, m->machine_id,
					    m->handler_id);
		else
			serve_attach(daemon, peer, m->handler_id);
		return true;
	case LOCAL_CONNECT:
		if (*fd < 0)
			return false;
		answer(daemon, peer, session_add(daemon, m->machine_id,
						 &m->address, *fd), -1);
		*fd = -1;
		return true;
	case LOCAL_SESSION:
		serve_session(daemon, peer, m->machine_id);
		return true;
	case LOCAL_BYE:
		serve_bye(daemon, peer);
		return true;
	default:
		return false;
	}
}

static void peer_ready(struct daemon *daemon, struct event_source *source)
{
	struct peer *peer = (struct peer *)source;
	struct local_message m;
	bool stays;
	int fd, err;

	if (peer->fd < 0)
		return;
	err = channel_receive(peer->fd, &m, &fd);
	if (err == -EAGAIN)
		return;
	if (err == -EPROTO && peer->kind == PEER_NEW)
		answer(daemon, peer, -EPROTO, -1);
	stays = !err && serve(daemon, peer, &m, &fd);
	if (fd >= 0)
		close(fd);
	if (!stays && peer->fd >= 0)
		peer_close(daemon, peer);
}

static void kill_shadow(struct peer *shadow)
{
	shadow->waits = WAITS_NOT;
	if (shadow->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, shadow->pidfd, SIGKILL, NULL, 0);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int peers_expire(struct daemon *daemon)
{
	int64_t now = monotonic_ms();
	int64_t next = INT64_MAX;
	struct peer *p;
	uint32_t i;

	for (p = daemon->peers; p; p = p->next) {
		if (p->fd < 0 || (p->kind != PEER_NEW && p->waits == WAITS_NOT))
			continue;
		if (p->waits == WAITS_FOR_SHADOW &&
		    (!registry_holds(daemon->registry, p->slot, p->generation) ||
		     ended_unregistered(daemon, p->slot)))
			answer(daemon, p, -ENOENT, -1);
		else if (p->deadline_ms > now)
			next = sooner(next, p->waits == WAITS_FOR_SHADOW ?
						    now + LOOK_MS : p->deadline_ms);
		else if (p->kind == PEER_NEW)
			peer_close(daemon, p);
		else if (p->kind == PEER_SHADOW)
			kill_shadow(p);
		else
			answer(daemon, p, -ETIMEDOUT, -1);
	}
	for (i = 0; i < REGISTRY_SLOTS; i++) {
		if (!daemon->shadow_deadline_ms[i])
			continue;
		if (daemon->shadow_deadline_ms[i] > now)
			next = sooner(next, daemon->shadow_deadline_ms[i]);
		else
			drop_slot(daemon, i);
	}
	return next == INT64_MAX ? -1 : (int)(next - now);
}

void peers_sweep(struct daemon *daemon)
{
	struct peer **link = &daemon->peers;

	while (*link) {
		struct peer *p = *link;

		if (p->fd >= 0) {
			link = &p->next;
			continue;
		}
		*link = p->next;
		daemon->peer_count--;
		free(p);
	}
}

bool peers_idle(const struct daemon *daemon)
{
	uint32_t i;

	if (daemon->peers)
		return false;
	for (i = 0; i < REGISTRY_SLOTS; i++)
		if (registry_state(daemon->registry, i) != SLOT_FREE)
			return false;
	return true;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/peer.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/orphan.h"
#include "local/channel.h"

#define PEERS_MAX 4096u
/* Shorter than a device's timeout, so that the answer still reaches it. */
#define ANSWER_DEADLINE_MS (CHANNEL_DEADLINE_MS - 500)

static void channel_ready(struct daemon *daemon, struct event_source *source)
{
	struct peer *peer = (struct peer *)source;
	struct local_message m;
	bool stays;
	int fd, err;

	if (peer->fd < 0)
		return;
	err = channel_receive_from(
		peer->fd, &m, &fd,
		peer->role->kind == PEER_RESERVATION ? &peer->process : NULL);
	if (err == -EAGAIN)
		return;
	if (err == -EPROTO && peer->role->kind == PEER_NEW)
		peer_answer(daemon, peer, -EPROTO);
	stays = !err && peer->role->serve(daemon, peer, &m, &fd);
	if (fd >= 0)
		close(fd);
	if (!stays && peer->fd >= 0)
		peer_close(daemon, peer);
}

struct peer *peer_add(struct daemon *daemon, int fd, const struct ucred *process,
		      const struct peer_role *role)
{
	struct peer *peer;

	if (daemon->peer_count == PEERS_MAX)
		return NULL;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return NULL;
	peer->source.ready = channel_ready;
	peer->fd = fd;
	peer->pidfd = -1;
	peer->process = *process;
	peer->role = role;
	if (loop_watch(&daemon->loop, fd, &peer->source)) {
		free(peer);
		return NULL;
	}
	peer->next = daemon->peers;
	daemon->peers = peer;
	daemon->peer_count++;
	return peer;
}

void peer_close(struct daemon *daemon, struct peer *peer)
{
	loop_close(&daemon->loop, peer->fd);
	peer->fd = -1;
	if (peer->role->gone)
		peer->role->gone(daemon, peer);
	if (peer->pidfd >= 0)
		loop_close(&daemon->loop, peer->pidfd);
	peer->pidfd = -1;
}

void peer_send(struct daemon *daemon, struct peer *peer,
	       const struct local_message *message, int fd)
{
	if (channel_send(peer->fd, message, fd))
		peer_close(daemon, peer);
}

int peer_pass_machine(const struct peer *server, int fd,
		      const struct local_sealing *sealing)
{
	struct local_message m = channel_message(LOCAL_SERVE);
	struct iovec parts[] = {
		{ &m, sizeof(m) },
		{ (void *)sealing, sizeof(*sealing) },
	};
	ssize_t n;

	m.flags = LOCAL_MACHINE | (sealing ? LOCAL_SEALED : 0);
	n = channel_send_fds(server->fd, parts, sealing ? 2 : 1, &fd, 1);
	return n < 0 ? n : 0;
}

void peer_answer(struct daemon *daemon, struct peer *peer, int status)
{
	peer_answer_flags(daemon, peer, status, 0);
}

void peer_answer_flags(struct daemon *daemon, struct peer *peer, int status,
		       uint32_t flags)
{
	struct local_message m = channel_message(LOCAL_ANSWER);

	m.status = status;
	m.flags = flags;
	if (peer->role->kind == PEER_DEVICE)
		peer->device.waits = WAITS_NOT;
	peer_send(daemon, peer, &m, -1);
}

void peer_keep(struct daemon *daemon, struct peer *peer,
	       const struct local_message *message, int *fd, int server)
{
	struct local_message refusal = *message;

	if (*fd >= 0 && server >= 0 && orphan_keep(daemon, *fd, server)) {
		*fd = -1;
		return;
	}
	trace(&daemon->trace, TRACE_STEPS, "has no room for an address space",
	      TRACE_NUMBER("kept", daemon->orphan_count));
	refusal.type = LOCAL_REFUSED;
	/* A server that does not read has others to serve: it stays. */
	channel_send(peer->fd, &refusal, -1);
}

void peer_wait(struct peer *device, enum device_waits what)
{
	device->device.waits = what;
	device->deadline_ms = monotonic_ms() + ANSWER_DEADLINE_MS;
}

/* What it has sent is read first, such as the userfaultfds that it passed on. */
static void process_ended(struct daemon *daemon, struct event_source *source)
{
	struct peer *peer =
		(struct peer *)((char *)source - offsetof(struct peer, end));

	if (peer->pidfd >= 0)
		loop_forget(&daemon->loop, peer->pidfd);
	if (peer->fd >= 0)
		shutdown(peer->fd, SHUT_RD);
}

void peer_watch_process(struct daemon *daemon, struct peer *peer)
{
	if (peer->process.pid > 0)
		peer->pidfd = syscall(SYS_pidfd_open, peer->process.pid, 0);
	peer->end.ready = process_ended;
	if (peer->pidfd >= 0)
		loop_watch(&daemon->loop, peer->pidfd, &peer->end);
}

int peers_expire(struct daemon *daemon)
{
	int64_t now = monotonic_ms(), next = INT64_MAX;
	struct peer *p;

	for (p = daemon->peers; p; p = p->next) {
		int64_t due =
			p->fd < 0 ? INT64_MAX : p->role->expire(daemon, p, now);

		if (due < next)
			next = due;
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

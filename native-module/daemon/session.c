// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/session.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/remote_pager.h"

struct session {
	struct event_source source; /* first */
	struct session *next;
	uint32_t machine_id;
	struct local_address address;
	/* The last that was of the machine itself; port 0: none was. */
	struct local_address origin;
	int fd;
};

static struct session **find(struct daemon *daemon, uint32_t machine_id)
{
	struct session **link = &daemon->sessions;

	while (*link && (*link)->machine_id != machine_id)
		link = &(*link)->next;
	return link;
}

static void end_session(struct daemon *daemon, struct session *session)
{
	struct session **link = find(daemon, session->machine_id);

	loop_close(&daemon->loop, session->fd);
	*link = session->next;
	free(session);
}

/*
 * The other machine sends nothing unasked: any event is the connection's end. Unless it was
 * that of the connection before, which an event of the same round has replaced.
 */
static void session_ready(struct daemon *daemon, struct event_source *source)
{
	struct session *session = (struct session *)source;
	char byte;

	if (recv(session->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	    (errno == EAGAIN || errno == EINTR))
		return;
	end_session(daemon, session);
}

int session_add(struct daemon *daemon, uint32_t machine_id,
		const struct local_address *address, int fd)
{
	struct session **link = find(daemon, machine_id);
	struct session *session = *link;
	int err;

	if (!session) {
		session = calloc(1, sizeof(*session));
		if (!session) {
			close(fd);
			return -ENOMEM;
		}
		session->source.ready = session_ready;
		session->machine_id = machine_id;
		*link = session;
	} else {
		loop_close(&daemon->loop, session->fd);
	}
	session->address = *address;
	if (address->transport != LOCAL_TRANSPORT_REPLICA)
		session->origin = *address;
	session->fd = fd;
	err = loop_watch(&daemon->loop, fd, &session->source);
	if (err)
		end_session(daemon, session);
	return err;
}

int session_address(const struct daemon *daemon, uint32_t machine_id,
		    struct local_address *address)
{
	const struct session *session = *find((struct daemon *)daemon, machine_id);

	if (!session)
		return -ENOTCONN;
	*address = session->address;
	return 0;
}

/* Port 0: no session was to the machine itself. */
static struct local_address origin_of(const struct daemon *daemon,
				      uint32_t machine_id)
{
	return (*find((struct daemon *)daemon, machine_id))->origin;
}

int session_start_pager(struct daemon *daemon, uint32_t machine_id,
			uint32_t handler_id, int *channel, int *pidfd)
{
	struct local_address address, origin;
	int ends[2];
	pid_t pid;
	int err = session_address(daemon, machine_id, &address);

	if (err)
		return err;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	origin = origin_of(daemon, machine_id);
	pid = fork();
	if (pid == 0)
		remote_pager_run(ends[1], &daemon->auth, daemon->page_counts,
				 machine_id, &address, &origin, handler_id);
	/* -EAGAIN would make the device retry. */
	err = pid >= 0 ? 0 : errno == EAGAIN ? -EUSERS : -errno;
	close(ends[1]);
	*pidfd = err ? -1 : syscall(SYS_pidfd_open, pid, 0);
	/*
	 * Without it nothing would notice that the pager is stopped, which one that has ended already
	 * cannot be: what that said is in its channel.
	 */
	if (!err && *pidfd < 0 && errno != ESRCH)
		err = -errno;
	if (err) {
		/* The pager, if there is one, ends because its channel is closed. */
		close(ends[0]);
		return err;
	}
	*channel = ends[0];
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/porter.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/peer.h"
#include "daemon/porter_process.h"
#include "daemon/snapshots.h"
#include "local/channel.h"

/* Fewer than fit into its channel's buffer: this daemon never waits for it. */
#define PENDING_MAX 32u

static bool porter_serve(struct daemon *daemon, struct peer *porter,
			 const struct local_message *m, int *fd)
{
	(void)fd;
	if (m->type != LOCAL_ANSWER || !porter->porter.pending)
		return false;
	porter->porter.pending--;
	porter->porter.granted(daemon, m->device, m->status, m->address.port);
	return true;
}

static void porter_gone(struct daemon *daemon, struct peer *porter)
{
	trace(&daemon->trace, TRACE_STEPS, "the porter has ended",
	      TRACE_NUMBER("pending", porter->porter.pending));
	if (porter->porter.pending)
		porter->porter.granted(daemon, 0, -ENODEV, 0);
}

/* Whoever waits for it has a deadline. */
static int64_t porter_expire(struct daemon *daemon, struct peer *porter,
			     int64_t now_ms)
{
	(void)daemon, (void)porter, (void)now_ms;
	return INT64_MAX;
}

static const struct peer_role porter_role = {
	.kind = PEER_PORTER,
	.serve = porter_serve,
	.gone = porter_gone,
	.expire = porter_expire,
};

static struct peer *find(const struct daemon *daemon)
{
	struct peer *p = daemon->peers;

	while (p && !peer_is(p, PEER_PORTER))
		p = p->next;
	return p;
}

static int start(struct daemon *daemon, struct peer **porter)
{
	const struct ucred unnamed = { 0 };
	int ends[2], err = 0;
	pid_t pid;

	if (!porter_is_built())
		return -ENODEV;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	pid = fork();
	if (pid == 0) {
		auth_forget(&daemon->auth);
		porter_run(ends[1]);
	}
	if (pid < 0)
		err = -errno;
	close(ends[1]);
	*porter = err ? NULL : peer_add(daemon, ends[0], &unnamed, &porter_role);
	if (*porter) {
		(*porter)->porter.pending = 0;
		trace(&daemon->trace, TRACE_STEPS, "has started the porter",
		      TRACE_NUMBER("pid", pid));
		return 0;
	}
	/* The process, if there is one, ends because its channel is closed. */
	close(ends[0]);
	return err ? err : -ENOMEM;
}

int porter_grant(struct daemon *daemon, uint32_t handler_id, uint64_t snapshot,
		 const struct local_grant *grant,
		 void (*granted)(struct daemon *daemon, uint32_t grant, int status,
				 uint16_t port),
		 uint32_t *number)
{
	struct local_message m = channel_message(LOCAL_GRANT);
	struct iovec parts[] = {
		{ &m, sizeof(m) },
		{ (void *)grant, sizeof(*grant) },
	};
	struct peer *porter = find(daemon);
	int ends[2];
	ssize_t n;
	int err;

	if (porter && porter->porter.pending == PENDING_MAX)
		return -EBUSY;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	err = snapshot_lend(daemon, handler_id, snapshot, ends[0]);
	close(ends[0]);
	if (!err && !porter)
		err = start(daemon, &porter);
	if (!err && porter) {
		m.handler_id = handler_id;
		m.device = ++daemon->last_grant ?: ++daemon->last_grant;
		porter->porter.granted = granted;
		n = channel_send_fds(porter->fd, parts, 2, &ends[1], 1);
		err = n < 0 ? n : 0;
	}
	close(ends[1]);
	if (err || !porter)
		return err ?: -ENODEV;
	porter->porter.pending++;
	*number = m.device;
	return 0;
}

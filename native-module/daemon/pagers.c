// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/pagers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "daemon/orphan.h"
#include "daemon/session.h"
#include "daemon/watchdog.h"

bool pager_fits(const struct peer *pager, const struct remote_snapshot *remote,
		int cpu)
{
	/* One that was started before the address was set again is of another machine. */
	return pager->pager.remote.machine_id == remote->machine_id &&
	       pager->pager.remote.handler_id == remote->handler_id &&
	       !memcmp(&pager->pager.remote.address, &remote->address,
		       sizeof(remote->address)) &&
	       (cpu < 0 || pager->pager.cpu < 0 || pager->pager.cpu == cpu);
}

struct peer *pager_find(struct daemon *daemon, const struct remote_snapshot *remote,
			int cpu)
{
	struct peer *p;

	for (p = daemon->peers; p; p = p->next)
		if (peer_is(p, PEER_PAGER) && pager_fits(p, remote, cpu))
			break;
	if (p && p->pager.cpu < 0)
		p->pager.cpu = cpu;
	return p;
}

struct peer *pager_find_alone(const struct daemon *daemon, uint32_t machine_id,
			      uint32_t handler_id)
{
	struct peer *p;

	for (p = daemon->peers; p; p = p->next)
		if (peer_is(p, PEER_PAGER) && p->pager.alone &&
		    p->pager.remote.machine_id == machine_id &&
		    p->pager.remote.handler_id == handler_id)
			return p;
	return NULL;
}

static void has_started(struct daemon *daemon, struct peer *pager, int status)
{
	pager->pager.ready = true;
	pager->pager.started(daemon, pager, status);
}

static bool pager_serve(struct daemon *daemon, struct peer *pager,
			const struct local_message *m, int *fd)
{
	if (m->type == LOCAL_KEEP && *fd != -1) {
		peer_keep(daemon, pager, m, fd, pager->pidfd);
		return true;
	}
	if (m->type == LOCAL_ALONE && pager->pager.ready && *fd < 0) {
		pager->pager.alone = true;
		return true;
	}
	if (m->type != LOCAL_ANSWER || pager->pager.ready)
		return false;
	pager->pager.rights = m->parent;
	has_started(daemon, pager, m->status);
	return m->status == 0;
}

static void pager_gone(struct daemon *daemon, struct peer *pager)
{
	if (!pager->pager.ready)
		has_started(daemon, pager, -EIO);
}

/* A pager keeps its own deadlines; the watchdog kills one that is stopped. */
static int64_t pager_expire(struct daemon *daemon, struct peer *pager,
			    int64_t now_ms)
{
	(void)daemon, (void)pager, (void)now_ms;
	return INT64_MAX;
}

static const struct peer_role pager_role = {
	.kind = PEER_PAGER,
	.serve = pager_serve,
	.gone = pager_gone,
	.expire = pager_expire,
};

static bool has_room(const struct daemon *daemon)
{
	uint32_t count = 0;
	struct peer *p;

	for (p = daemon->peers; p; p = p->next)
		count += peer_is(p, PEER_PAGER);
	return count < daemon->pagers_max;
}

int pager_start(struct daemon *daemon, const struct remote_snapshot *remote, int cpu,
		void (*started)(struct daemon *daemon, struct peer *pager,
				int status),
		struct peer **pager)
{
	const struct server_name name = {
		.kind = SERVER_PAGER,
		.machine_id = remote->machine_id,
		.handler_id = remote->handler_id,
	};
	int channel, pidfd;
	/* Its pidfd names it. */
	const struct ucred unnamed = { 0 };
	int err = -EDQUOT;
	struct peer *p;

	if (has_room(daemon))
		err = session_start_pager(daemon, remote->machine_id,
					  remote->handler_id, &channel, &pidfd);
	if (err)
		return err;
	p = peer_add(daemon, channel, &unnamed, &pager_role);
	if (!p) {
		/* The process ends because its channel is closed. */
		close(channel);
		if (pidfd >= 0)
			close(pidfd);
		return -ENOMEM;
	}
	p->pidfd = pidfd;
	p->pager.remote = *remote;
	p->pager.cpu = cpu;
	p->pager.started = started;
	watchdog_watch(daemon, pidfd, &name);
	trace(&daemon->trace, TRACE_STEPS, "has started a pager",
	      TRACE_NUMBER("machine", remote->machine_id),
	      TRACE_NUMBER("handler_id", remote->handler_id));
	*pager = p;
	return 0;
}

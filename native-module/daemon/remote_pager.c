// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/remote_pager.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "daemon/held_pages.h"
#include "daemon/late_requests.h"
#include "daemon/remote_memory.h"
#include "daemon/replica_fill.h"
#include "daemon/replica_memory.h"
#include "daemon/replica_process.h"
#include "daemon/transport.h"
#include "local/channel.h"
#include "local/clock.h"
#include "paging/page_server.h"

/* Time that a pager without children stays, with its cache, ms. */
#define IDLE_MS_DEFAULT 1000
#define CHANNEL		3

/* Half of the memory that is free now, unless $MITOSIS_REPLICA_MIB says another limit. */
static uint64_t share_limit(void)
{
	uint32_t mib = UINT32_MAX;
	struct sysinfo info;
	char problem[128];

	replica_limit_read(&mib, problem, sizeof(problem));
	if (mib != UINT32_MAX)
		return (uint64_t)mib << 20;
	return sysinfo(&info) ? 0 : (uint64_t)info.freeram * info.mem_unit / 2;
}

struct remote_pager {
	struct remote_memory memory; /* the first: of a page_source, too */
	const struct local_address *address;
	pid_t replica;	    /* the last one */
	_Atomic int filled; /* connection of the last fill of its replica, or -1 */
};

static void fill_replica(struct page_source *source)
{
	struct remote_pager *pager = (struct remote_pager *)source;

	if (pager->memory.replica.memory >= 0)
		close(pager->memory.replica.memory);
	pager->memory.replica.memory = replica_memory_open(pager->replica);
	replica_fill_start(&pager->memory, pager->address, &pager->filled);
}

static int start_replica(struct page_source *source, const int fds[REPLICA_FILES])
{
	struct remote_pager *pager = (struct remote_pager *)source;
	struct remote_memory *m = &pager->memory;

	/* What another one had. */
	held_pages_free(atomic_exchange(&m->replica.held, NULL));
	m->replica.number++;
	return replica_process_start(m->machine_id, m->handler_id, fds,
				     &pager->replica);
}

static void tell(int channel, int status, const struct parent_rights *rights)
{
	struct local_message m = channel_message(LOCAL_ANSWER);

	m.status = status;
	m.parent = *rights;
	channel_send(channel, &m, -1);
}

/* Closes all files of the daemon but its log and this channel. */
static void leave_daemon(int channel)
{
	sigset_t none;

	prctl(PR_SET_NAME, "mitosis-pager", 0, 0, 0);
	dup2(channel, CHANNEL);
	syscall(SYS_close_range, CHANNEL + 1, ~0u, 0);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The daemon's idle time, $MITOSIS_IDLE_MS, which the daemon has checked. */
static int idle_ms(void)
{
	const char *text = getenv("MITOSIS_IDLE_MS");

	return text && *text ? atoi(text) : IDLE_MS_DEFAULT;
}

/* What the machine itself serves is not compared with itself. */
static int set_origin(struct remote_memory *m, const struct local_address *address,
		      const struct local_address *origin)
{
	char problem[128];
	bool verify;

	verify_read(&verify, problem, sizeof(problem));
	if (!verify || address->transport != LOCAL_TRANSPORT_REPLICA)
		return 0;
	if (!origin->port) {
		fprintf(stderr,
			"mitosis: MITOSIS_VERIFY=on: connect to machine %u itself "
			"before replica://, which alone can say what is right\n",
			m->machine_id);
		return -ENOTCONN;
	}
	m->verified_by = origin;
	return 0;
}

void remote_pager_run(int channel, const struct auth *auth,
		      struct page_counts *counts, uint32_t machine_id,
		      const struct local_address *address,
		      const struct local_address *origin, uint32_t handler_id)
{
	struct remote_pager pager = {
		.memory = {
			.source = {
				.start_replica = start_replica,
				.fill_replica = fill_replica,
			},
			.requests.counts = counts,
			.auth = auth,
			.machine_id = machine_id,
			.handler_id = handler_id,
			.replica.memory = -1,
		},
		.address = address,
		.filled = -1,
	};
	struct remote_memory *m = &pager.memory;
	const enum transport_wish wish = transport_wish(address, auth);
	struct page_server *server = NULL;
	char problem[128];
	int64_t began_ms;
	int err;

	leave_daemon(channel);
	/* mitosisd has checked them. */
	child_limits_read(&m->source.limits, problem, sizeof(problem));
	replica_fill_read(&m->source.replica_fill, problem, sizeof(problem));
	m->source.answer_ms = wire_deadline_ms();
	m->source.share_limit = share_limit();
	trace_open_by_environment(&m->source.trace, "pager", handler_id);
	err = set_origin(m, address, origin);
	began_ms = now_ms();
	if (!err)
		err = remote_memory_open(m, address);
	if (!err)
		late_requests_begin(m, address, now_ms() - began_ms);
	if (!err) {
		server = page_server_create(&m->source, CHANNEL, m->page_size);
		err = server ? 0 : -ENOMEM;
	}
	trace(&m->source.trace, TRACE_STEPS, "has opened the snapshot",
	      TRACE_NUMBER("machine", machine_id), TRACE_TEXT("at", m->place),
	      TRACE_NUMBER("status", -err));
	if (!err && wish != TRANSPORT_TCP_ONLY)
		m->requests.rdma = rdma_link_start(&(struct rdma_link_target){
			.auth = auth,
			.trace = &m->source.trace,
			.counts = counts,
			.address = *address,
			.place = m->place,
			.optional = wish == TRANSPORT_UPGRADE,
			.machine_id = machine_id,
			.handler_id = handler_id,
			.snapshot = m->snapshot,
		});
	tell(CHANNEL, err, &m->rights);
	remote_memory_expect_end(m);
	if (!err)
		page_server_run(server, m->requests.connection.fd, idle_ms());
	trace(&m->source.trace, TRACE_STEPS, "ends",
	      TRACE_NUMBER("pages_by_tcp", m->requests.pages[WAY_TCP]),
	      TRACE_NUMBER("pages_by_rdma", m->requests.pages[WAY_RDMA]),
	      TRACE_NUMBER("fallbacks", m->requests.fallbacks),
	      TRACE_NUMBER("pages_verified", m->origin.checked));
	_exit(err != 0);
}

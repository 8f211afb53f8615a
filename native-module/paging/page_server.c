// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/page_server.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

#include "paging/children.h"
#include "paging/client_clone.h"
#include "paging/client_table.h"
#include "paging/cpu_server.h"
#include "paging/entrusted.h"
#include "paging/first_pages.h"
#include "paging/machine_clients.h"
#include "paging/poll_list.h"
#include "paging/prefetch.h"
#include "paging/raw_message.h"
#include "paging/recording.h"
#include "paging/replica_clones.h"
#include "paging/replica_pages.h"
#include "paging/run_on.h"
#include "paging/space_table.h"
#include "paging/stream_server.h"
#include "uapi/mitosis.h"

/* Poll interval for processes whose lifeline has closed, ms. */
#define LEFT_CHECK_MS 200

/* Moves this process to the child's CPU: a wake-up from another one costs 30 us. */
static void follow(int cpu)
{
	if (cpu >= 0)
		run_on(cpu);
}

static void end_recording(struct page_server *server)
{
	space_table_stop_recording(&server->spaces);
	trace(&server->source->trace, TRACE_STEPS, "recording ends",
	      TRACE_NUMBER("pages", server->recording.count));
	recording_end(&server->recording, server->source, server->page_size);
}

/* A window of one page asks for nothing but what is touched. */
static bool is_worth_recording(const struct page_server *server,
			       const struct shadow_request *r)
{
	return server->recording.state == RECORDING_NOT_BEGUN && r->window > 1 &&
	       !(r->flags & SHADOW_PAGE_EAGER);
}

static bool serve_pages(struct page_server *server, uint32_t index,
			const struct shadow_request *r, int uffd, int lifeline,
			int stderr_fd)
{
	struct client *client = &server->clients.clients[index];
	int stream = client->stream;
	bool taken = true;
	struct address_space memory = {
		.uffd = uffd,
		.window = r->window,
		.page_size = server->page_size,
		.source = server->source,
	};
	const bool is_replica =
		server->replica.runs && index == server->replica.client;
	struct served_space *space;
	int err;

	if (uffd < 0 || is_replica != !!(r->flags & SHADOW_PAGE_REPLICA) ||
	    lifeline < 0 || client->kind != CLIENT_READER || !r->window ||
	    r->window > MITOSIS_PREFETCH_PAGES_MAX || r->window & (r->window - 1)) {
		raw_close(uffd);
		raw_close(lifeline);
		raw_close(stderr_fd);
		return stream_answer(stream, -EINVAL, 0);
	}
	client->kind = is_replica ? CLIENT_REPLICA : CLIENT_CHILD;
	client->stream = lifeline;
	client->stderr_fd = stderr_fd;
	if (recording_is_late(&server->recording))
		end_recording(server);
	if (is_worth_recording(server, r) && !is_replica) {
		recording_begin(&server->recording,
				descriptor_has_threads(server->source->descriptor)
					? PREFETCH_SET_MAX
					: PREFETCH_SET_MAX_SINGLE);
		memory.recording = &server->recording;
	}
	err = address_map_copy(&server->map, &memory.map);
	space = err ? NULL : space_table_add(&server->spaces, index, &memory);
	if (!space) {
		address_space_destroy(&memory);
		raw_close(stream);
		return false;
	}
	if (is_replica)
		replica_pages_begin(server, space);
	trace(&server->source->trace, TRACE_STEPS, "serves a child",
	      TRACE_NUMBER("client", index), TRACE_NUMBER("window", r->window),
	      TRACE_NUMBER("cpu", r->cpu < 0 ? 0 : r->cpu),
	      TRACE_NUMBER("eager", !!(r->flags & SHADOW_PAGE_EAGER)),
	      TRACE_NUMBER("recorded", memory.recording != NULL),
	      TRACE_NUMBER("prefetch_set", server->recording.count));
	follow(r->cpu);
	if (r->flags & SHADOW_PAGE_CACHED)
		server->source->caching = true;
	if (r->window > 1 && descriptor_has_threads(server->source->descriptor) &&
	    !(is_replica && server->source->replica_fill == REPLICA_FILL_OFF))
		first_pages_push(&server->first_pages, &space->memory);
	if (r->window > 1 && server->recording.state == RECORDING_OVER &&
	    !is_replica) {
		space->pushed = 0;
		prefetch_push(&server->recording, &space->memory, &space->pushed);
	}
	if (r->flags & SHADOW_PAGE_EAGER)
		taken = stream_answer(stream, address_space_copy_all(&memory), 0);
	raw_close(stream);
	return taken;
}

static struct client *add_client(struct page_server *server, int stream);
static void linger(struct page_server *server);

/* Whether a client may have a further child: 0 or -errno. */
static int admit(struct page_server *server)
{
	struct page_source *source = server->source;
	int err = server->channel < 0 ? -ENOENT
		  : source->admit     ? source->admit(source)
				      : 0;

	/* Linger before answering, so that a refused client attaches elsewhere. */
	if (err && server->channel >= 0)
		linger(server);
	return err;
}

/* A known client passes the stream of a further one, without the daemon. */
static void serve_join(struct page_server *server, const struct shadow_request *r,
		       int stream, bool forks)
{
	struct client *client;
	int err = 0;

	if (stream < 0)
		return;
	if (r->flags & SHADOW_JOIN_ASK) {
		err = admit(server);
		stream_answer(stream, err, 0);
	}
	client = err ? NULL : add_client(server, stream);
	if (err)
		raw_close(stream);
	else if (client)
		client->forks = forks;
}

/* False if the client has to be removed. */
static bool serve_clone(struct page_server *server, uint32_t index,
			const struct shadow_request *r,
			const int passed[PASSED_FDS_MAX])
{
	if (!server->source->start_replica)
		return client_start_clone(&server->clients.clients[index],
					  server->source, r, passed);
	return replica_clone_start(server, index, r, passed,
				   admit(server) ? -ESTALE : 0);
}

/* False if the client has to be removed. */
static bool serve_request(struct page_server *server, uint32_t index)
{
	struct client *client = &server->clients.clients[index];
	struct shadow_request r;
	int passed[PASSED_FDS_MAX];
	long n = raw_receive(client->stream, &r, sizeof(r), MSG_WAITALL, passed);
	bool valid = n == sizeof(r) && r.magic == LOCAL_MAGIC &&
		     r.version == LOCAL_VERSION;

	if (valid && r.type == SHADOW_PAGE) {
		raw_close_passed(passed, 3);
		return serve_pages(server, index, &r, passed[0], passed[1],
				   passed[2]);
	}
	if (valid && r.type == SHADOW_JOIN) {
		raw_close_passed(passed, 1);
		serve_join(server, &r, passed[0], client->forks);
		return true;
	}
	if (valid && r.type == SHADOW_CLONE)
		valid = serve_clone(server, index, &r, passed);
	raw_close_passed(passed, 0);
	if (!valid || r.type == SHADOW_CLONE)
		return valid;
	switch (r.type) {
	case SHADOW_DESCRIPTOR:
		return stream_send_descriptor(client->stream, server->source);
	case SHADOW_READ:
		return stream_send_memory(client->stream, server->source, r.address,
					  r.length);
	default:
		return stream_answer(client->stream, -ENOSYS, 0);
	}
}

/* Returns NULL, and closes the stream, without room. */
static struct client *add_client(struct page_server *server, int stream)
{
	struct client *client =
		client_table_add(&server->clients, stream, CLIENT_READER);

	if (!client) {
		stream_answer(stream, -EUSERS, 0);
		raw_close(stream);
		return NULL;
	}
	trace(&server->source->trace, TRACE_STEPS, "has a client",
	      TRACE_NUMBER("client", client - server->clients.clients),
	      TRACE_NUMBER("machine", 0));
	raw_set_deadline(stream, PEER_DEADLINE_MS);
	return client;
}

/* The per-CPU server for clients that start children on a CPU; NULL: this one. */
static struct cpu_server *cpu_server_on(struct page_server *server, int cpu)
{
	struct cpu_server *other;

	if (!server->source->fork_cpu_server) {
		follow(cpu);
		return NULL;
	}
	if (!client_table_has_staying(&server->clients)) {
		server->cpu = cpu;
		follow(cpu);
	}
	if (server->cpu == cpu)
		return NULL;
	other = cpu_servers_find(&server->cpu_servers, cpu);
	return other ? other
		     : cpu_servers_add(&server->cpu_servers, server->source,
				       server->channel, cpu);
}

static void add_staying_client(struct page_server *server, int stream, int cpu,
			       bool forks)
{
	struct cpu_server *other = cpu_server_on(server, cpu);
	struct client *client;

	if (other && cpu_server_pass(other, stream)) {
		trace(&server->source->trace, TRACE_STEPS,
		      "client goes to a per-CPU server", TRACE_NUMBER("cpu", cpu));
		raw_close(stream);
		return;
	}
	client = add_client(server, stream);
	if (client) {
		client->stays = true;
		client->forks = forks;
	}
}

/* A child needs pages of this server, or one of a per-CPU server does. */
static bool is_needed(const struct page_server *server)
{
	return client_table_has_any(&server->clients, false) ||
	       cpu_servers_run(&server->cpu_servers);
}

static void tell_daemon(struct page_server *server, enum local_type type)
{
	const struct local_message m = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = type,
	};

	raw_send_some(server->channel, &m, sizeof(m), 0);
}

/*
 * The snapshot has been dropped, or the daemon has ended: no further client can
 * come. Children that still need pages get them.
 */
static void linger(struct page_server *server)
{
	trace(&server->source->trace, TRACE_STEPS, "takes no further clients",
	      TRACE_NUMBER("lingers", is_needed(server)));
	cpu_servers_close(&server->cpu_servers);
	if (is_needed(server))
		tell_daemon(server, LOCAL_LINGER);
	raw_close(server->channel);
	server->channel = -1;
}

/* What mitosisd sends; `sealing`: with LOCAL_SEALED. */
struct channel_packet {
	struct local_message m;
	struct local_sealing sealing;
};

static void serve_packet(struct page_server *server,
			 const struct channel_packet *packet, long n,
			 const int passed[PASSED_FDS_MAX])
{
	const struct local_message *m = &packet->m;
	const struct local_sealing *sealing;
	bool sealed, serves;

	/* -EMFILE: the client that was to come sees its stream end. */
	if (n == -EINTR || n == -EAGAIN || n == -EMFILE)
		return;
	raw_close_passed(passed, 1);
	if (n == sizeof(*m) && m->type == LOCAL_REFUSED && passed[0] < 0) {
		children_refuse_entrusted(server, m);
		return;
	}
	sealed = n == sizeof(*packet) && m->flags & LOCAL_SEALED;
	sealing = sealed ? &packet->sealing : NULL;
	serves = (sealed || n == sizeof(*m)) && m->magic == LOCAL_MAGIC &&
		 m->version == LOCAL_VERSION && m->type == LOCAL_SERVE &&
		 passed[0] >= 0;
	if (serves &&
	    !(server->source->admit && server->source->admit(server->source))) {
		if (m->flags & LOCAL_PORTER)
			stream_lend_memory(passed[0], server->source);
		else if (m->cpu >= 0)
			add_staying_client(server, passed[0], m->cpu,
					   m->flags & LOCAL_FORKS);
		else if (m->flags & LOCAL_MACHINE)
			machine_client_add(server, passed[0], sealing, 0);
		else
			add_client(server, passed[0]);
		return;
	}
	/* Linger before the close, which sends the client back to the daemon. */
	linger(server);
	if (serves && m->flags & LOCAL_MACHINE)
		machine_client_add(server, passed[0], sealing, -ESTALE);
	else
		raw_close(passed[0]);
}

static void serve_channel(struct page_server *server)
{
	struct channel_packet packet;
	int passed[PASSED_FDS_MAX];
	long n = raw_receive(server->channel, &packet, sizeof(packet), 0, passed);

	serve_packet(server, &packet, n, passed);
	/* Whatever became of it: they must not be in what this process forks. */
	raw_wipe(&packet.sealing, sizeof(packet.sealing));
}

static void serve_client(struct page_server *server, uint32_t i, short events)
{
	struct client *c = &server->clients.clients[i];
	bool stays = events & (POLLIN | POLLOUT) &&
		     (c->kind == CLIENT_MACHINE ? machine_client_serve(server, c)
						: serve_request(server, i));

	if (!stays)
		child_remove(server, i);
}

/*
 * The source has failed. Closing the lifelines kills the children. A process that
 * they have forked, or a child that has closed its end, ends when it reads a
 * missing page.
 */
static void abandon_children(struct page_server *server)
{
	uint32_t i;

	trace(&server->source->trace, TRACE_STEPS, "the source has failed",
	      TRACE_NUMBER("children_end",
			   client_table_has_any(&server->clients, false)));
	if (server->source->failure)
		client_table_report(&server->clients, server->source->failure);
	server->failed = false;
	server->source->failure = NULL;
	if (server->channel >= 0)
		raw_close(server->channel);
	server->channel = -1;
	space_table_lose(&server->spaces);
	for (i = 0; i < server->clients.count; i++)
		if (server->clients.clients[i].stream >= 0)
			child_remove(server, i);
}

/* Only readers are left: true while they may still bring children. */
static bool may_go_on(struct page_server *server)
{
	struct page_source *source = server->source;

	return client_table_has_any(&server->clients, true) &&
	       server->channel >= 0 && source->admit && !source->admit(source);
}

static bool is_ready(const struct page_server *server, enum poll_kind kind)
{
	return poll_list_next(&server->polled, kind, 0) != UINT32_MAX;
}

static void serve_ready_spaces(struct page_server *server)
{
	const struct poll_list *list = &server->polled;
	uint32_t at;

	for_each_ready(list, POLL_SPACES, at)
	{
		uint32_t owner = list->owners[at];

		if (server->spaces.spaces[owner].memory.uffd < 0)
			continue;
		if (list->polls[at].revents & POLLERR)
			child_space_failed(server, owner);
		else
			child_serve_space(server, owner);
	}
	/* The recorded child has ended, or has touched enough. */
	if (recording_is_on(&server->recording) &&
	    (recording_is_full(&server->recording) ||
	     !space_table_is_recorded(&server->spaces)))
		end_recording(server);
}

/*
 * A replica does one thing at a time: the clients after the one whose turn it was come
 * first, so that each gets its own.
 */
static void serve_ready_readers(struct page_server *server)
{
	const struct poll_list *list = &server->polled;
	uint32_t last = server->replica.last;
	uint32_t at, turn;

	for (turn = 0; turn < 2; turn++)
		for_each_ready(list, POLL_CLIENTS, at)
		{
			uint32_t owner = list->owners[at];

			if ((owner > last) == !turn &&
			    !poll_list_holds_back(&server->replica, &server->clients,
						  owner))
				serve_client(server, owner, list->polls[at].revents);
		}
}

static void serve_ready_clients(struct page_server *server)
{
	const struct poll_list *list = &server->polled;
	uint32_t at;

	for_each_ready(list, POLL_CLONES, at)
	{
		struct client *c = &server->clients.clients[list->owners[at]];

		client_end_clone(c);
		child_leaves(server, list->owners[at], 0);
		/* Who reads what the child has written waits for its end. */
		raw_close(c->stderr_fd);
		c->stderr_fd = -1;
	}
	serve_ready_readers(server);
	/* Later: it can remove a client whose event would then be another one's. */
	if (is_ready(server, POLL_REPLICA) && server->replica.runs)
		replica_clone_answered(server);
	for_each_ready(list, POLL_CPU_CHANNELS, at) cpu_server_relay(
		&server->cpu_servers.servers[list->owners[at]], server->channel);
	for_each_ready(list, POLL_CPU_ENDS, at)
		cpu_server_remove(&server->cpu_servers.servers[list->owners[at]]);
}

/* While there are children, asks whether there may be more. Returns the ms until it does so again, or -1. */
static int ask_in_time(struct page_server *server)
{
	struct page_source *source = server->source;

	if (source->alone && !server->told_alone && server->channel >= 0) {
		tell_daemon(server, LOCAL_ALONE);
		server->told_alone = true;
	}
	if (!source->ask_in_ms || !is_needed(server))
		return -1;
	if (server->channel >= 0 && source->ask_in_ms(source) == 0)
		admit(server);
	return server->channel < 0 ? -1 : source->ask_in_ms(source);
}

/* The connection to where the pages are has ended. */
static bool goes_on_alone(struct page_server *server)
{
	return server->source->go_alone && server->source->go_alone(server->source);
}

static void serve(struct page_server *server, int watched, int idle_ms)
{
	struct page_source *source = server->source;

	for (;;) {
		bool left = client_table_has_left(&server->clients) ||
			    server->spaces.paused;
		bool pushes = replica_pages_wait(server);
		int timeout = pushes		  ? 0
			      : left		  ? LEFT_CHECK_MS
			      : is_needed(server) ? -1
						  : idle_ms;
		int ask_ms = ask_in_time(server);
		int late_ms = client_table_timeout(&server->clients);
		int replica_ms = replica_timeout(&server->replica);
		int page_ms = source->late_in_ms ? source->late_in_ms(source) : -1;
		bool sends = late_ms >= 0;
		long n;

		timeout = poll_sooner(timeout, poll_sooner(late_ms, replica_ms));
		timeout = poll_sooner(timeout, poll_sooner(ask_ms, page_ms));
		if (source->alone)
			watched = -1;
		poll_list_fill(&server->polled, server->channel, watched, source,
			       &server->clients, &server->spaces, &server->replica,
			       &server->cpu_servers);
		n = raw_syscall(SYS_poll, server->polled.polls,
				server->polled.starts[POLL_KINDS], timeout);

		if (n == 0 && pushes)
			replica_pages_push(server);
		if (n == -EINTR || (n == 0 && pushes))
			continue;
		if (n < 0)
			return;
		if (n == 0 && !left && !sends && replica_ms < 0 && ask_ms < 0 &&
		    page_ms < 0 && !may_go_on(server)) {
			if (server->channel < 0)
				return;
			/* The daemon sends no client more; who is sent already is served. */
			raw_syscall(SYS_shutdown, server->channel, SHUT_RD);
		}
		serve_ready_spaces(server);
		if (page_ms >= 0 && source->late_serve(source)) {
			space_table_retry(&server->spaces);
			machine_clients_retry(server);
		}
		if (is_ready(server, POLL_WATCHED) && !goes_on_alone(server))
			server->failed = true;
		if (server->failed) {
			abandon_children(server);
			watched = -1;
			if (!client_table_has_left(&server->clients))
				return;
			continue;
		}
		serve_ready_clients(server);
		if (is_ready(server, POLL_CHANNEL))
			serve_channel(server);
		if (sends)
			machine_clients_remove_late(server);
		if (replica_timeout(&server->replica) == 0)
			replica_clone_late(server);
		if (left)
			children_check_left(server);
		if (server->channel < 0 && !is_needed(server))
			return;
	}
}

void page_server_run(struct page_server *server, int watched, int idle_ms)
{
	serve(server, watched, idle_ms);
	replica_end(&server->replica);
}

struct page_server *page_server_create(struct page_source *source, int channel,
				       uint64_t page_size)
{
	long p = raw_syscall(SYS_mmap, RAW_MAP_HINT(RAW_MAP_PAGE_SERVER),
			     sizeof(struct page_server), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct page_server *server = (struct page_server *)p;

	if (p < 0 && p > -4096)
		return NULL;
	/* The tables have room for many, and need memory for those that come. */
	raw_syscall(SYS_madvise, p, sizeof(struct page_server), MADV_NOHUGEPAGE);
	server->source = source;
	server->channel = channel;
	server->page_size = page_size;
	server->cpu = -1;
	server->replica.client = server->replica.asked_by = REPLICA_NO_CLIENT;
	source->recording = &server->recording;
	source->shared.uffd = -1;
	return address_map_create(&server->map, source->descriptor) ? NULL : server;
}

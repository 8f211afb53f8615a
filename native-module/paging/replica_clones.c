// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/replica_clones.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "paging/children.h"
#include "paging/entrusted.h"
#include "paging/run_on.h"
#include "paging/stream_server.h"

static int start(struct page_server *server)
{
	int stream = replica_start(&server->replica, server->source);
	struct client *client;

	if (stream < 0)
		return stream;
	client = client_table_add(&server->clients, stream, CLIENT_READER);
	if (!client) {
		raw_close(stream);
		replica_end(&server->replica);
		return -EUSERS;
	}
	raw_set_deadline(stream, PEER_DEADLINE_MS);
	server->replica.client = client - server->clients.clients;
	trace(&server->source->trace, TRACE_STEPS, "starts a replica",
	      TRACE_NUMBER("client", server->replica.client));
	return 0;
}

/* A client gets no child. */
static void refuse(struct page_server *server, uint32_t index, int err)
{
	struct client *client = &server->clients.clients[index];

	const struct replica_answer *a = &server->replica.answer;

	client->kind = CLIENT_READER;
	raw_close(client->stderr_fd);
	client->stderr_fd = -1;
	if (!stream_answer(client->stream, err, a->answer.length) ||
	    !raw_send_all(client->stream, a->message, a->answer.length, 0))
		child_remove(server, index);
}

/* The replica ends. A client that waits for an answer gets `err`. */
static void lose(struct page_server *server, uint32_t waiting, int err)
{
	const uint32_t client = server->replica.client;

	trace(&server->source->trace, TRACE_STEPS, "loses its replica",
	      TRACE_NUMBER("cause", -err));
	replica_end(&server->replica);
	if (client != REPLICA_NO_CLIENT)
		child_remove(server, client);
	if (waiting != REPLICA_NO_CLIENT)
		refuse(server, waiting, err);
}

/* Where the child reports what becomes of it, as others do. */
static void take_stderr(struct client *client, const struct clone_request *request)
{
	uint32_t i;

	raw_close(client->stderr_fd);
	client->stderr_fd = -1;
	for (i = 0; i < request->count; i++)
		if (request->numbers[i] == 2) {
			client->stderr_fd = raw_syscall(
				SYS_fcntl, request->passed[i], F_DUPFD_CLOEXEC, 0);
			return;
		}
}

bool replica_clone_start(struct page_server *server, uint32_t index,
			 const struct shadow_request *r,
			 const int passed[PASSED_FDS_MAX], int refused)
{
	struct client *client = &server->clients.clients[index];
	struct replica *replica = &server->replica;
	struct clone_request request;
	int err;

	if (client->kind != CLIENT_READER || index == replica->client)
		return false;
	err = stream_receive_clone(client->stream, r, passed, &request);
	if (err == -ECONNRESET)
		return false;
	if (!err && !client->forks)
		err = -EPERM;
	if (!err)
		err = refused;
	if (!err && !replica->runs)
		err = start(server);
	if (!err)
		err = replica_ask(replica, index, &request,
				  server->source->answer_ms);
	/* If it has ended, that is seen on its socket. */
	if (err)
		return stream_answer(client->stream, err, 0);
	client->kind = CLIENT_CLONE;
	replica->last = index;
	take_stderr(client, &request);
	/* Near the child: a wake-up from another CPU costs 30 us. */
	if (request.cpu >= 0)
		run_on(request.cpu);
	return true;
}

static void end_child(int pidfd)
{
	siginfo_t info;

	raw_syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, 0, 0);
	raw_syscall(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED | __WALL, 0);
	raw_close(pidfd);
}

/* The kernel has told of a fork before it was done; the child may have forked as well. */
static void take_spaces(struct page_server *server, uint32_t client)
{
	const struct replica *replica = &server->replica;

	if (replica->client != REPLICA_NO_CLIENT &&
	    space_table_move(&server->spaces, replica->client, client,
			     replica->space_number) > 1)
		entrust_all(server->channel, &server->spaces, client);
}

void replica_clone_answered(struct page_server *server)
{
	struct replica *replica = &server->replica;
	uint32_t asked_by = replica->asked_by;
	bool asked = replica->busy;
	int pidfd = replica_answer(replica);

	replica->asked_by = REPLICA_NO_CLIENT;
	if (!asked && pidfd >= 0)
		end_child(pidfd);
	/* What says that it cannot become a replica ends, too. */
	if (!asked || pidfd == -ECONNRESET || replica->answer.answer.length) {
		lose(server, asked ? asked_by : REPLICA_NO_CLIENT, pidfd);
	} else if (pidfd < 0) {
		if (asked_by != REPLICA_NO_CLIENT)
			refuse(server, asked_by, pidfd);
	} else if (asked_by == REPLICA_NO_CLIENT) {
		/* The client has gone meanwhile. */
		end_child(pidfd);
		if (replica->client != REPLICA_NO_CLIENT)
			child_leaves(server, replica->client, replica->space_number);
	} else {
		server->clients.clients[asked_by].pidfd = pidfd;
		take_spaces(server, asked_by);
		trace(&server->source->trace, TRACE_STEPS, "has forked a clone",
		      TRACE_NUMBER("client", asked_by));
	}
}

void replica_clone_late(struct page_server *server)
{
	uint32_t waiting = server->replica.asked_by;

	server->replica.answer.answer.length = 0;
	lose(server, waiting, -ETIMEDOUT);
}

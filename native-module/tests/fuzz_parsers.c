// SPDX-License-Identifier: Apache-2.0
/*
 * libFuzzer target: everything that comes over a socket. The first byte chooses
 * the parser, the rest is what it gets.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/socket.h>

/* Whole files, for what they keep to themselves. */
#include "daemon/wire_server.c"
#undef CLIENTS_MAX
#include "paging/page_server.c"
#include "proto/user/connection.c"
#include "local/address.h"

#define KEY_SIZE 32 /* bytes, all zero */

/* What the parsers call of the daemon. */
int64_t fuzz_clock_ms;

int64_t monotonic_ms(void)
{
	return fuzz_clock_ms++;
}

int loop_watch(struct loop *loop, int fd, struct event_source *source)
{
	(void)loop, (void)fd, (void)source;
	return 0;
}

void loop_forget(struct loop *loop, int fd)
{
	(void)loop, (void)fd;
}

void loop_close(struct loop *loop, int fd)
{
	(void)loop;
	close(fd);
}

/* Snapshot 1 is there, snapshot 2 not ready yet, others unknown. */
int snapshot_hand_over(struct daemon *daemon, uint32_t handler_id, uint64_t number,
		       int fd, const struct local_sealing *sealing)
{
	(void)daemon, (void)number, (void)fd, (void)sealing;
	return handler_id == 1 ? 0 : handler_id == 2 ? -EAGAIN : -ENOENT;
}

/* The porter takes grants for snapshots 1 and 2, and answers none. */
int porter_grant(struct daemon *daemon, uint32_t handler_id,
		 uint64_t snapshot_number, const struct local_grant *grant,
		 void (*answer)(struct daemon *daemon, uint32_t grant, int status,
				uint16_t port),
		 uint32_t *number)
{
	(void)daemon, (void)snapshot_number, (void)grant, (void)answer;
	*number = handler_id;
	return handler_id == 1 || handler_id == 2 ? 0 : -ENOENT;
}

/* No session to any other machine. */
void wire_replica_open(struct daemon *daemon, struct wire_client *client)
{
	wire_client_reply(daemon, client, WIRE_ANSWER, -ENOTCONN, NULL, 0);
}

void wire_replica_refuse(struct daemon *daemon, struct wire_client *client, int err)
{
	(void)daemon, (void)client, (void)err;
	abort(); /* none waits */
}

static char memory[1 << 16] __attribute__((aligned(4096)));

static struct {
	struct descriptor_header header;
	struct descriptor_thread thread;
	struct descriptor_vma vma;
} snapshot;

static int fetch(struct page_source *source, uint64_t address, uint64_t *length,
		 const void **bytes)
{
	(void)source;
	/* What the server lets through must lie in the snapshot. */
	if (address < snapshot.vma.start || address + *length > snapshot.vma.end)
		abort();
	*bytes = (const void *)address;
	return 0;
}

static int next_run(struct page_source *source, uint64_t *start, uint64_t *end)
{
	(void)source, (void)start, (void)end;
	return -ENOENT;
}

static int read_bytes(struct page_source *source, uint64_t address, void *buffer,
		      size_t size)
{
	const void *bytes;
	uint64_t length = size;

	fetch(source, address, &length, &bytes);
	memcpy(buffer, bytes, size);
	return 0;
}

static struct page_source source = {
	.descriptor = &snapshot.header,
	.answer_ms = MITOSIS_DEADLINE_MS_DEFAULT,
	.limits = { CHILD_PROCESSES_DEFAULT, CHILD_MAP_KIB_DEFAULT },
	.fetch = fetch,
	.next_run = next_run,
	.read = read_bytes,
};

static void make_snapshot(void)
{
	snapshot.header = (struct descriptor_header){
		.magic = DESCRIPTOR_MAGIC,
		.version = DESCRIPTOR_VERSION,
		.header_size = sizeof(snapshot.header),
		.total_size = sizeof(snapshot),
		.thread_count = 1,
		.vma_count = 1,
		.page_size = 4096,
	};
	snapshot.vma = (struct descriptor_vma){
		.start = (uintptr_t)memory,
		.end = (uintptr_t)memory + sizeof(memory),
		.kind = VMA_SNAPSHOT,
		.name = DESCRIPTOR_NO_STRING,
		.build_id = DESCRIPTOR_NO_STRING,
		.digest = DESCRIPTOR_NO_STRING,
	};
}

/* One end of a stream on which the bytes wait; the other is *peer. */
static int stream_with(const uint8_t *bytes, size_t size, int *peer)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		abort();
	if (send(ends[1], bytes, size, MSG_DONTWAIT) < 0 && size)
		abort();
	shutdown(ends[1], SHUT_WR);
	*peer = ends[1];
	return ends[0];
}

static void drain(int fd)
{
	char bytes[65536];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

/* mitosisd, as other machines reach it. */
static struct daemon wire_daemon;

static struct wire_client *accept_machine(int fd, const struct auth *auth)
{
	wire_daemon.auth = *auth;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	wire_accept(&wire_daemon, fd);
	return wire_daemon.wire_clients;
}

/* Serves what a machine has sent, and drops it. */
static void serve_and_drop(struct wire_client *client, int peer)
{
	client_ready(&wire_daemon, &client->source);
	fuzz_clock_ms += 2 * MITOSIS_DEADLINE_MS_DEFAULT;
	wire_expire(&wire_daemon);
	if (client == wire_daemon.wire_clients && client->fd >= 0)
		wire_client_drop(&wire_daemon, client);
	wire_expire(&wire_daemon);
	drain(peer);
	close(peer);
}

static void fuzz_machine(const uint8_t *bytes, size_t size,
			 enum wire_protection protection)
{
	const struct auth auth = { .protection = protection, .key_size = KEY_SIZE };
	int peer, fd = stream_with(bytes, size, &peer);

	serve_and_drop(accept_machine(fd, &auth), peer);
}

/* What a client gets as answers: to its handshake, and to a request after that. */
static void fuzz_client(const uint8_t *bytes, size_t size)
{
	const struct auth auth = { .protection = WIRE_PROTECTION_NONE };
	struct wire_connection c = { 0 };
	struct wire_rights rights;
	uint32_t length;
	int peer;

	c.fd = stream_with(bytes, size, &peer);
	if (!shake_hands(&c, &auth) && !wire_receive_rights(&c, &rights))
		wire_receive_answer(&c, &length);
	wire_close(&c);
	close(peer);
}

/* fuzz_peers.c, which is a file of its own: names are used twice. */
void fuzz_peers(const uint8_t *bytes, size_t size);

static const struct wire_secrets secrets = {
	{ "the client's key", "the client's" },
	{ "the server's key", "the server's" },
};

/*
 * What a sealed session brings. The first byte says how long the records are that
 * the bytes are sealed in, as only a machine with the key does; 0: the bytes are
 * records themselves.
 */
static int sealed_stream_with(const uint8_t *bytes, size_t size, int *peer,
			      const struct wire_record_secret *secret)
{
	static uint8_t records[64 << 10];
	struct record_direction out;
	size_t step = size ? *bytes : 0, used = 0;

	if (size)
		bytes++, size--;
	if (!step)
		return stream_with(bytes, size, peer);
	record_direction_init(&out, secret, 0, false);
	while (size && used + RECORD_EXTRA + step <= sizeof(records)) {
		size_t n = step < size ? step : size;

		record_seal(&out, bytes, n, records + used);
		used += RECORD_EXTRA + n;
		bytes += n;
		size -= n;
	}
	return stream_with(records, used, peer);
}

/* Requests in a sealed session of mitosisd's. */
static void fuzz_sealed_machine(const uint8_t *bytes, size_t size)
{
	const struct auth auth = { 0 };
	int peer, fd = sealed_stream_with(bytes, size, &peer, &secrets.client);
	struct wire_client *client = accept_machine(fd, &auth);

	client->state = EXPECTS_REQUEST;
	client->sealing = sealing_create(&secrets, false);
	serve_and_drop(client, peer);
}

/* Answers in a sealed session. */
static void fuzz_sealed_client(const uint8_t *bytes, size_t size)
{
	static char body[4096];
	struct wire_connection c = { 0 };
	struct wire_rights rights;
	uint32_t length;
	int peer;

	c.fd = sealed_stream_with(bytes, size, &peer, &secrets.server);
	c.sealing = sealing_create(&secrets, true);
	wire_receive_rights(&c, &rights);
	while (!wire_receive_answer(&c, &length) && length <= sizeof(body) &&
	       !wire_receive(&c, body, length))
		;
	wire_close(&c);
	close(peer);
}

enum fuzzed_client { FUZZ_LOCAL, FUZZ_MACHINE, FUZZ_SEALED_MACHINE };

static void fuzz_page_server(const uint8_t *bytes, size_t size,
			     enum fuzzed_client kind)
{
	const struct local_sealing sealing = {
		.in = secrets.client,
		.out = secrets.server,
	};
	static struct page_server *server;
	int peer, i,
		fd = kind == FUZZ_SEALED_MACHINE
			     ? sealed_stream_with(bytes, size, &peer,
						  &secrets.client)
			     : stream_with(bytes, size, &peer);

	if (!server)
		server = page_server_create(&source, -1, 4096);
	if (kind == FUZZ_LOCAL)
		add_client(server, fd);
	else
		machine_client_add(server, fd,
				   kind == FUZZ_SEALED_MACHINE ? &sealing : NULL, 0);
	for (i = 0; i < 64 && server->clients.clients[0].stream >= 0; i++) {
		serve_client(server, 0, POLLIN);
		drain(peer);
	}
	if (server->clients.clients[0].stream >= 0)
		child_remove(server, 0);
	close(peer);
}

/* Reads what a child reads of an open file that was found valid. */
static void use_open_file(const struct descriptor_header *d, uint32_t i)
{
	const struct descriptor_fd *fd = &descriptor_fds(d)[i];
	const char *data = descriptor_fd_data(d, fd);
	volatile size_t used = strlen(descriptor_string(d, fd->path));
	uint32_t at;

	for (at = 0; at < fd->data_size; at++)
		used += data[at];
	if (fd->shares != DESCRIPTOR_FD_OWN && fd->shares >= i)
		abort();
	if (fd->kind == FD_SOCKET_PAIR && fd->shares == DESCRIPTOR_FD_OWN &&
	    descriptor_fds(d)[fd->values[1]].values[1] != i)
		abort();
	if (fd->kind == FD_SOCKET &&
	    fd->data_size - (fd->values[3] >> FD_SOCKET_OPTIONS_SHIFT) *
				    sizeof(struct descriptor_socket_option) >
		    sizeof(struct sockaddr_storage))
		abort();
}

/* A valid descriptor but for its open files: records, strings and data. */
static void fuzz_open_files(const uint8_t *bytes, size_t size)
{
	const size_t record = sizeof(struct descriptor_fd);
	struct descriptor_header *d;
	uint32_t count, strings, i;

	if (size < 2)
		return;
	count = bytes[0] % 8;
	strings = bytes[1];
	bytes += 2;
	size -= 2;
	if (size < count * record + strings)
		return;
	d = malloc(sizeof(snapshot) + size);
	snapshot.header.fd_count = count;
	snapshot.header.strings_size = strings;
	snapshot.header.data_size = size - count * record - strings;
	snapshot.header.total_size += size;
	snapshot.vma.map_flags = 2; /* MAP_PRIVATE */
	snapshot.thread.rip = snapshot.vma.start;
	snapshot.thread.rsp = snapshot.vma.end;
	memcpy(d, &snapshot, sizeof(snapshot));
	memcpy((char *)d + sizeof(snapshot), bytes, size);
	if (!descriptor_check(d, d->total_size, 4096))
		for (i = 0; i < count; i++)
			use_open_file(d, i);
	/* The same without its VMA. */
	d->vma_count = 0;
	d->total_size -= sizeof(snapshot.vma);
	memmove((char *)d + sizeof(snapshot) - sizeof(snapshot.vma),
		(char *)d + sizeof(snapshot), size);
	descriptor_check_description(d, d->total_size, 4096);
	free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct local_address address;
	char text[256];

	if (!size || size > 4096)
		return 0;
	make_snapshot();
	switch (*bytes++ % 12) {
	case 0: {
		/* Aligned, as it comes from malloc. */
		void *copy = malloc(size);

		memcpy(copy, bytes, size - 1);
		descriptor_check(copy, size - 1, 4096);
		descriptor_check_description(copy, size - 1, 4096);
		free(copy);
		break;
	}
	case 1:
		fuzz_machine(bytes, size - 1, WIRE_PROTECTION_NONE);
		break;
	case 2:
		fuzz_page_server(bytes, size - 1, FUZZ_LOCAL);
		break;
	case 3:
		fuzz_page_server(bytes, size - 1, FUZZ_MACHINE);
		break;
	case 4:
		snprintf(text, sizeof(text), "%.*s", (int)(size - 1), bytes);
		local_address_parse(text, &address);
		break;
	case 5:
		fuzz_machine(bytes, size - 1, WIRE_PROTECTION_HANDSHAKE);
		break;
	case 6:
		fuzz_client(bytes, size - 1);
		break;
	case 7:
		fuzz_peers(bytes, size - 1);
		break;
	case 8:
		fuzz_sealed_machine(bytes, size - 1);
		break;
	case 9:
		fuzz_page_server(bytes, size - 1, FUZZ_SEALED_MACHINE);
		break;
	case 10:
		fuzz_sealed_client(bytes, size - 1);
		break;
	case 11:
		fuzz_open_files(bytes, size - 1);
		break;
	}
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/kernel/mangler.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/user/record.h"
#include "tests/harness.h"

int here = -1, there = -1;

uint16_t module_port(void)
{
	const char *address = getenv("MITOSIS_TEST_MODULE_ADDRESS");

	if (!address)
		skip("needs MITOSIS_TEST_MODULE_ADDRESS, where the module listens");
	return atoi(strrchr(address, ':') + 1);
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* Connects from a port, 0: any. */
static int dial_from(uint16_t own, uint16_t port)
{
	struct sockaddr_in from = loopback(own), address = loopback(port);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	CHECK(!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	if ((own && bind(fd, (struct sockaddr *)&from, sizeof(from))) ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

int dial(uint16_t port)
{
	return dial_from(0, port);
}

/* Bytes from the offset on, until the records are whole. */
struct held {
	size_t size;
	unsigned char bytes[3 * RECORD_MAX];
};

/* The size of a record if all of it is there, or 0. */
static size_t whole_record(const unsigned char *bytes, size_t size)
{
	struct wire_record header;

	if (size < sizeof(header))
		return 0;
	memcpy(&header, bytes, sizeof(header));
	CHECK_EQ(header.magic, WIRE_RECORD_MAGIC);
	return size >= RECORD_EXTRA + header.size ? RECORD_EXTRA + header.size : 0;
}

static void send_all(int to, const void *bytes, size_t size)
{
	/* Without effect if the other end has closed. */
	if (send(to, bytes, size, MSG_NOSIGNAL) < 0)
		return;
}

/* Returns whether it was done; then nothing is held any more. */
static bool disturb_records(const struct mangling *m, struct held *h, int to)
{
	size_t first = whole_record(h->bytes, h->size), second = 0;

	if (!first)
		return false;
	if (m->kind == EXCHANGE) {
		second = whole_record(h->bytes + first, h->size - first);
		if (!second)
			return false;
		send_all(to, h->bytes + first, second);
	}
	if (m->kind != DROP)
		send_all(to, h->bytes, first);
	if (m->kind == REPEAT)
		send_all(to, h->bytes, first);
	send_all(to, h->bytes + first + second, h->size - first - second);
	return true;
}

struct connection {
	struct mangling mangling;
	int client, server;
};

static void *mangle(void *argument)
{
	struct connection c = *(struct connection *)argument;
	const struct mangling m = c.mangling;
	struct held *held = calloc(1, sizeof(*held));
	size_t seen[2] = { 0, 0 };
	bool done = false;

	CHECK(held);
	free(argument);
	for (;;) {
		struct pollfd fds[2] = { { .fd = c.client, .events = POLLIN },
					 { .fd = c.server, .events = POLLIN } };
		int i;

		if (poll(fds, 2, 10000) <= 0)
			break;
		for (i = 0; i < 2; i++) {
			int to = i ? c.client : c.server;
			bool mine = i == m.of_answers && !done;
			char bytes[8192];
			ssize_t n;

			if (!fds[i].revents)
				continue;
			n = recv(fds[i].fd, bytes, sizeof(bytes), 0);
			if (n <= 0)
				goto out;
			if (mine && m.kind >= RANDOM_KINDS &&
			    m.offset < seen[i] + n) {
				size_t skipped = held->size ? 0 : m.offset - seen[i];

				send_all(to, bytes, skipped);
				CHECK(held->size + n <= sizeof(held->bytes));
				memcpy(held->bytes + held->size, bytes + skipped,
				       n - skipped);
				held->size += n - skipped;
				seen[i] += n;
				done = disturb_records(&m, held, to);
				continue;
			}
			if (mine && m.offset < seen[i] + n) {
				done = true;
				if (m.kind == CHANGE) {
					bytes[m.offset - seen[i]] ^= m.flip;
				} else {
					send(to, bytes, m.offset - seen[i],
					     MSG_NOSIGNAL);
					sleep_ms(m.kind == STALL ? MANGLER_STALL_MS
								 : 0);
					goto out;
				}
			}
			seen[i] += n;
			if (send(to, bytes, n, MSG_NOSIGNAL) != n)
				goto out;
		}
	}
out:
	free(held);
	close(c.client);
	close(c.server);
	return NULL;
}

static int listener;
static pthread_t acceptor;
static const struct mangling *volatile chosen;
static volatile size_t largest_offset = 64;
static _Atomic int connections;

static struct mangling random_mangling(void)
{
	return (struct mangling){
		.of_answers = pseudo_random() % 2,
		.kind = pseudo_random() % RANDOM_KINDS,
		.offset = pseudo_random() % largest_offset,
		.flip = pseudo_random() % 255 + 1,
	};
}

static void *accept_all(void *unused)
{
	for (;;) {
		struct sockaddr_in from;
		socklen_t length = sizeof(from);
		int client = accept4(listener, (struct sockaddr *)&from, &length,
				     SOCK_CLOEXEC);
		struct connection *c = malloc(sizeof(*c));
		pthread_t thread;

		if (client < 0 || !c) {
			free(c);
			return unused;
		}
		c->mangling = chosen ? *chosen : random_mangling();
		c->client = client;
		connections++;
		c->server = dial_from(ntohs(from.sin_port), module_port());
		CHECK(!pthread_create(&thread, NULL, mangle, c));
		pthread_detach(thread);
	}
}

/* A namespace whose clients get ports that this one does not give to its own. */
static void make_namespace(void)
{
	static const char range[] = "10000 29999";
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (here < 0 || unshare(CLONE_NEWNET))
		skip("CAP_SYS_ADMIN, for a network namespace");
	there = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(there >= 0 && fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
	fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY | O_CLOEXEC);
	CHECK_EQ(write(fd, range, sizeof(range) - 1), sizeof(range) - 1);
	close(fd);
}

void mangler_start(void)
{
	struct sockaddr_in address = loopback(module_port());

	make_namespace();
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(listener >= 0 &&
	      !bind(listener, (struct sockaddr *)&address, sizeof(address)) &&
	      !listen(listener, 64));
	CHECK(!setns(here, CLONE_NEWNET));
	CHECK(!pthread_create(&acceptor, NULL, accept_all, NULL));
}

void mangler_stop(void)
{
	shutdown(listener, SHUT_RDWR);
	CHECK(!pthread_join(acceptor, NULL));
	close(listener);
}

void mangler_choose(const struct mangling *mangling)
{
	chosen = mangling;
}

int mangler_connections(void)
{
	return connections;
}

void mangler_set_largest_offset(size_t offset)
{
	largest_offset = offset;
}

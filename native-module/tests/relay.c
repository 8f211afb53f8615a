// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/user/record.h"
#include "tests/harness.h"

/* Both directions of a handshake have as many: 56 and 48, 88 and 16. */
#define HANDSHAKE_SIZE 104

/* One direction of a connection. */
struct direction {
	int from, to;
	bool to_client;
	size_t passed; /* bytes of the handshake */
	size_t filled;
	uint8_t bytes[2 * RECORD_MAX];
	size_t held_size; /* RELAY_REORDER: 0, or of the record that waits */
	uint8_t held[RECORD_MAX];
};

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* A TCP socket bound to a port of this namespace's loopback, or -1. */
static int bound_socket(uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

static void send_all(int fd, const uint8_t *bytes, size_t size)
{
	ssize_t n;

	/* Ends early if the other end has closed; what it has said still passes. */
	for (; size; bytes += n, size -= n) {
		n = send(fd, bytes, size, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return;
	}
}

static void look(volatile struct relay_control *control, const uint8_t *bytes,
		 size_t size)
{
	char wanted[sizeof(control->wanted)];
	size_t i;

	for (i = 0; i < sizeof(wanted); i++)
		wanted[i] = control->wanted[i];
	if (*wanted && memmem(bytes, size, wanted, sizeof(wanted)))
		control->seen++;
}

static void pass_record(struct direction *d, volatile struct relay_control *control,
			uint8_t *record, size_t size)
{
	enum relay_fault fault = RELAY_FAITHFUL;

	if (d->held_size) {
		send_all(d->to, record, size);
		send_all(d->to, d->held, d->held_size);
		d->held_size = 0;
		return;
	}
	if (control->to_client == d->to_client && size >= control->least) {
		fault = control->fault;
		control->fault = RELAY_FAITHFUL;
	}
	switch (fault) {
	case RELAY_REORDER:
		memcpy(d->held, record, size);
		d->held_size = size;
		return;
	case RELAY_DROP:
		return;
	case RELAY_CUT:
		send_all(d->to, record, size / 2);
		_exit(0);
	case RELAY_FLIP:
		record[sizeof(struct wire_record)] ^= 1;
		break;
	case RELAY_REPLAY:
		send_all(d->to, record, size);
		break;
	default:
		break;
	}
	send_all(d->to, record, size);
}

/* Passes all that is complete. Returns how many bytes that was. */
static size_t pass_some(struct direction *d, volatile struct relay_control *control)
{
	struct wire_record header;
	size_t size = d->filled;

	if (d->passed < HANDSHAKE_SIZE) {
		if (size > HANDSHAKE_SIZE - d->passed)
			size = HANDSHAKE_SIZE - d->passed;
		d->passed += size;
		send_all(d->to, d->bytes, size);
		return size;
	}
	if (size < sizeof(header))
		return 0;
	memcpy(&header, d->bytes, sizeof(header));
	if (header.magic == WIRE_RECORD_MAGIC) {
		if (size < RECORD_EXTRA + header.size)
			return 0;
		size = RECORD_EXTRA + header.size;
		pass_record(d, control, d->bytes, size);
		return size;
	}
	send_all(d->to, d->bytes, size);
	return size;
}

static void pass(struct direction *d, volatile struct relay_control *control)
{
	ssize_t n =
		recv(d->from, d->bytes + d->filled, sizeof(d->bytes) - d->filled, 0);
	size_t gone;

	if (n <= 0)
		_exit(0);
	d->filled += n;
	look(control, d->bytes, d->filled);
	while (d->filled && (gone = pass_some(d, control))) {
		d->filled -= gone;
		memmove(d->bytes, d->bytes + gone, d->filled);
	}
}

/* One connection: its client is here, its server is in the other namespace. */
static void __attribute__((noreturn)) serve(int client, int namespace, uint16_t port,
					    volatile struct relay_control *control)
{
	static struct direction up, down;
	struct sockaddr_in from, to = loopback(port);
	socklen_t size = sizeof(from);
	struct pollfd p[2];
	int server;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getpeername(client, (struct sockaddr *)&from, &size) ||
	    setns(namespace, CLONE_NEWNET))
		_exit(1);
	server = bound_socket(control->translates ? 0 : ntohs(from.sin_port));
	if (server < 0 || connect(server, (struct sockaddr *)&to, sizeof(to)))
		_exit(1);
	up = (struct direction){ .from = client, .to = server };
	down = (struct direction){ .from = server, .to = client, .to_client = true };
	for (;;) {
		p[0] = (struct pollfd){ .fd = client, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = server, .events = POLLIN };
		if (poll(p, 2, -1) <= 0)
			_exit(0);
		if (p[0].revents)
			pass(&up, control);
		if (p[1].revents)
			pass(&down, control);
	}
}

static void __attribute__((noreturn)) run(int listener, int namespace, uint16_t port,
					  volatile struct relay_control *control)
{
	int client;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	while ((client = accept(listener, NULL, NULL)) >= 0) {
		if (fork() == 0)
			serve(client, namespace, port, control);
		close(client);
	}
	_exit(1);
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(!ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
}

static int own_namespace(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

struct relay relay_start(uint32_t machine_id)
{
	int here = own_namespace(), there, listener = -1;
	struct relay r;

	if (unshare(CLONE_NEWNET))
		skip("CAP_SYS_ADMIN, for a network namespace");
	loopback_up();
	there = own_namespace();
	/* Until the port that the machine got is free here, too. */
	for (;;) {
		r.machine = machine_start(machine_id);
		CHECK(!setns(here, CLONE_NEWNET));
		listener = bound_socket(r.machine.port);
		if (listener >= 0)
			break;
		machine_stop(&r.machine);
		CHECK(!setns(there, CLONE_NEWNET));
	}
	CHECK(!listen(listener, 16));
	r.control = mmap(NULL, sizeof(*r.control), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(r.control != MAP_FAILED);
	fflush(stdout);
	r.pid = fork();
	CHECK(r.pid >= 0);
	if (r.pid == 0)
		run(listener, there, r.machine.port, r.control);
	close(listener);
	close(here);
	close(there);
	return r;
}

void relay_stop(struct relay *r)
{
	kill(r->pid, SIGKILL);
	CHECK(waitpid(r->pid, NULL, 0) == r->pid);
	machine_stop(&r->machine);
	munmap((void *)r->control, sizeof(*r->control));
}

void relay_arm(struct relay *r, enum relay_fault fault, bool to_client)
{
	r->control->to_client = to_client;
	r->control->fault = fault;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Sockets: what listens or is bound is bound again (here beside the parent's, which
 * SO_REUSEPORT permits), and a connection is at its end.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/targets/target.h"

static int socket_at(int type, uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, type, 0), on = 1;

	CHECK(fd >= 0);
	CHECK(!setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
	CHECK(!bind(fd, (struct sockaddr *)&address, size));
	CHECK(!getsockname(fd, (struct sockaddr *)&address, &size));
	*port = ntohs(address.sin_port);
	return fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	CHECK(!getsockname(fd, (struct sockaddr *)&address, &size));
	return ntohs(address.sin_port);
}

/* One that listens and whose file is gone. */
static int pathless_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path),
		 "/tmp/mitosis-kept-sockets.%d", getpid());
	CHECK(!bind(fd, (struct sockaddr *)&address, sizeof(address)));
	CHECK(!listen(fd, 1));
	CHECK(!unlink(address.sun_path));
	return fd;
}

/* Children at the same time do not have one address. */
static void check_pathless(int fd)
{
	struct sockaddr_un address;
	socklen_t size = sizeof(address);
	int on = 0;

	CHECK(!getsockname(fd, (struct sockaddr *)&address, &size));
	CHECK(size > sizeof(address.sun_family) && !address.sun_path[0]);
	size = sizeof(on);
	CHECK(!getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size));
	CHECK_EQ(on, 1);
}

int main(void)
{
	uint16_t listens_at, bound_at, apart_at;
	int listens = socket_at(SOCK_STREAM | SOCK_CLOEXEC, &listens_at);
	int bound = socket_at(SOCK_DGRAM | SOCK_NONBLOCK, &bound_at);
	int apart = socket_at(SOCK_STREAM, &apart_at);
	const char *mode = getenv("MITOSIS_TEST_MODE");
	bool strict = mode && !strcmp(mode, "strict");
	int fresh = socket(AF_INET6, SOCK_STREAM, 0);
	/* A strict container has no local sockets. */
	int pathless = strict ? -1 : pathless_socket();
	int client = socket(AF_INET, SOCK_STREAM, 0), served, on = 0;
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(on);
	char byte;

	signal(SIGPIPE, SIG_IGN);
	CHECK(!listen(apart, 4));
	address.sin_port = htons(apart_at);
	CHECK(!connect(client, (struct sockaddr *)&address, sizeof(address)));
	served = accept(apart, NULL, NULL);
	CHECK(served >= 0);
	close(apart);
	CHECK(!listen(listens, 4));
	target_prepare();

	CHECK(!getsockopt(listens, SOL_SOCKET, SO_ACCEPTCONN, &on, &size));
	CHECK_EQ(on, 1);
	CHECK_EQ(port_of(listens), listens_at);
	CHECK(fcntl(listens, F_GETFD) & FD_CLOEXEC);
	CHECK_EQ(port_of(bound), bound_at);
	if (!strict)
		check_pathless(pathless);
	CHECK_EQ(recv(bound, &byte, 1, 0), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(fcntl(apart, F_GETFD), -1);
	CHECK(!getsockopt(fresh, SOL_SOCKET, SO_DOMAIN, &on, &size));
	CHECK_EQ(on, AF_INET6);
	/* Neither of the two waits for the other. */
	CHECK_EQ(read(client, &byte, 1), 0);
	CHECK_EQ(read(served, &byte, 1), 0);
	CHECK_EQ(write(client, "x", 1), -1);
	CHECK_EQ(errno, EPIPE);
	/* It can ask which these are. */
	CHECK(target_is_told(client, "has a socket whose peer has gone"));
	CHECK(target_is_told(served, "has a socket whose peer has gone"));
	target_child_has("sockets that listen or are bound", "kept");
	target_child_has("connections", "told");
	return 0;
}

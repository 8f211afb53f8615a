// SPDX-License-Identifier: Apache-2.0
/*
 * Options of sockets that listen, are bound or are a pair, and which halves of a pair are shut
 * down: a child's sockets have them as its parent's, those that the parent had not set included.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "tests/targets/target.h"

/* Linux 5.14: which of the sizes of its buffers the program has chosen. */
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif

#define BUFFER 30000

enum { LISTENS, BOUND, FRESH, LOCAL, END, OTHER_END, SOCKETS };

static int sockets[SOCKETS];

#define OPTION(socket, level, name, type, ...)                                      \
	{                                                                           \
		socket, level, name, sizeof(type), #name, &(const type)             \
		{                                                                   \
			__VA_ARGS__                                                 \
		}                                                                   \
	}

static const struct {
	int socket, level, name;
	socklen_t size;
	const char *text;
	const void *value;
} options[] = {
	OPTION(LISTENS, SOL_SOCKET, SO_RCVBUF, int, BUFFER),
	OPTION(LISTENS, SOL_SOCKET, SO_KEEPALIVE, int, 1),
	OPTION(LISTENS, SOL_SOCKET, SO_LINGER, struct linger, 1, 5),
	OPTION(LISTENS, SOL_SOCKET, SO_RCVTIMEO, struct timeval, 12, 0),
	OPTION(LISTENS, SOL_SOCKET, SO_PRIORITY, int, 3),
	OPTION(LISTENS, IPPROTO_TCP, TCP_KEEPIDLE, int, 77),
	OPTION(LISTENS, IPPROTO_TCP, TCP_KEEPINTVL, int, 7),
	OPTION(LISTENS, IPPROTO_TCP, TCP_KEEPCNT, int, 3),
	OPTION(LISTENS, IPPROTO_TCP, TCP_DEFER_ACCEPT, int, 5),
	OPTION(LISTENS, IPPROTO_TCP, TCP_USER_TIMEOUT, int, 4000),
	OPTION(LISTENS, IPPROTO_TCP, TCP_MAXSEG, int, 1000),
	OPTION(LISTENS, IPPROTO_TCP, TCP_NODELAY, int, 1),
	OPTION(LISTENS, IPPROTO_IP, IP_TOS, int, 0x10),
	OPTION(LISTENS, IPPROTO_IP, IP_MINTTL, int, 255),
	OPTION(BOUND, SOL_SOCKET, SO_SNDBUF, int, BUFFER),
	OPTION(BOUND, SOL_SOCKET, SO_BROADCAST, int, 1),
	OPTION(BOUND, SOL_SOCKET, SO_SNDTIMEO, struct timeval, 3, 0),
	OPTION(BOUND, SOL_SOCKET, SO_BINDTODEVICE, char[16], "lo"),
	OPTION(BOUND, IPPROTO_IP, IP_TTL, int, 9),
	OPTION(BOUND, IPPROTO_IP, IP_PKTINFO, int, 1),
	OPTION(BOUND, IPPROTO_IP, IP_RECVTTL, int, 1),
	OPTION(BOUND, IPPROTO_IP, IP_MULTICAST_TTL, int, 4),
	OPTION(BOUND, IPPROTO_IP, IP_MTU_DISCOVER, int, IP_PMTUDISC_DO),
	OPTION(BOUND, IPPROTO_UDP, UDP_GRO, int, 1),
	OPTION(FRESH, IPPROTO_IPV6, IPV6_UNICAST_HOPS, int, 8),
	OPTION(FRESH, IPPROTO_IPV6, IPV6_TCLASS, int, 0x20),
	OPTION(FRESH, IPPROTO_IPV6, IPV6_RECVPKTINFO, int, 1),
	OPTION(FRESH, IPPROTO_IPV6, IPV6_V6ONLY, int, 1),
	OPTION(LOCAL, SOL_SOCKET, SO_PASSCRED, int, 1),
	OPTION(END, SOL_SOCKET, SO_PASSCRED, int, 1),
	OPTION(OTHER_END, SOL_SOCKET, SO_RCVTIMEO, struct timeval, 1, 0),
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

/* As the kernel has it: larger than asked for, or rounded. */
static char before[OPTIONS][16];

static void read_option(size_t i, void *value)
{
	socklen_t size = options[i].size;

	memset(value, 0, sizeof(before[i]));
	CHECK(!getsockopt(sockets[options[i].socket], options[i].level,
			  options[i].name, value, &size));
}

static int chosen_buffers(int fd)
{
	socklen_t size = sizeof(int);
	int chosen = 0;

	/* Not known before Linux 5.14. */
	return getsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &chosen, &size) ? -1 : chosen;
}

static void bind_to_loopback(int fd)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1;

	CHECK(!setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
	CHECK(!bind(fd, (struct sockaddr *)&address, sizeof(address)));
}

static void make_sockets(bool local)
{
	size_t i;

	sockets[LISTENS] = socket(AF_INET, SOCK_STREAM, 0);
	sockets[BOUND] = socket(AF_INET, SOCK_DGRAM, 0);
	sockets[FRESH] = socket(AF_INET6, SOCK_DGRAM, 0);
	sockets[LOCAL] = local ? socket(AF_UNIX, SOCK_STREAM, 0) : -1;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, &sockets[END]));
	for (i = 0; i < OPTIONS; i++) {
		if (sockets[options[i].socket] < 0)
			continue;
		CHECK(!setsockopt(sockets[options[i].socket], options[i].level,
				  options[i].name, options[i].value,
				  options[i].size));
	}
	bind_to_loopback(sockets[LISTENS]);
	bind_to_loopback(sockets[BOUND]);
	CHECK(!listen(sockets[LISTENS], 4));
	for (i = 0; i < OPTIONS; i++)
		if (sockets[options[i].socket] >= 0)
			read_option(i, before[i]);
}

static void check_options(void)
{
	char now[16];
	size_t i;

	for (i = 0; i < OPTIONS; i++) {
		if (sockets[options[i].socket] < 0)
			continue;
		read_option(i, now);
		if (memcmp(now, before[i], sizeof(now)))
			printf("%s differs\n", options[i].text);
		CHECK(!memcmp(now, before[i], sizeof(now)));
	}
}

int main(void)
{
	const char *mode = getenv("MITOSIS_TEST_MODE");
	int half[2], messages[2], chosen, none;
	char bytes[8];

	/* A strict container has no local sockets. */
	make_sockets(!mode || strcmp(mode, "strict"));
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, half));
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, messages));
	CHECK_EQ(write(half[0], "last", 4), 4);
	CHECK(!shutdown(half[0], SHUT_WR));
	CHECK(!shutdown(messages[1], SHUT_WR));
	chosen = chosen_buffers(sockets[LISTENS]);
	none = chosen_buffers(sockets[FRESH]);
	target_prepare();

	check_options();
	/* One whose size was not chosen goes on growing by itself. */
	CHECK_EQ(chosen_buffers(sockets[LISTENS]), chosen);
	CHECK_EQ(chosen_buffers(sockets[FRESH]), none);
	signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(read(half[1], bytes, sizeof(bytes)), 4);
	CHECK(!memcmp(bytes, "last", 4));
	CHECK_EQ(recv(half[1], bytes, 1, MSG_DONTWAIT), 0);
	CHECK_EQ(write(half[0], "x", 1), -1);
	CHECK_EQ(errno, EPIPE);
	CHECK_EQ(write(half[1], "back", 4), 4);
	CHECK_EQ(read(half[0], bytes, sizeof(bytes)), 4);
	CHECK_EQ(write(messages[1], "x", 1), -1);
	CHECK_EQ(errno, EPIPE);
	CHECK_EQ(write(messages[0], "x", 1), 1);
	CHECK_EQ(read(messages[1], bytes, sizeof(bytes)), 1);
	target_child_has("options of sockets, halves that are shut down", "kept");
	return 0;
}

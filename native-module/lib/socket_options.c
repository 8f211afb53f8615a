// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/socket_options.h"

#include <errno.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "paging/raw_syscall.h"

/* Newer than the headers of some C libraries. */
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

/* The bits of SO_BUF_LOCK: sizes that the program has chosen. */
#define SEND_CHOSEN    1u
#define RECEIVE_CHOSEN 2u

/* Needs a right that a confined child has not. */
#define NEEDS_RIGHT 0x1u
/* What a machine may lack: only how fast the socket is depends on it. */
#define FOR_SPEED 0x2u
/* Read as twice what is set, and at most what the machine permits. */
#define DOUBLED 0x4u

struct option {
	uint16_t level, name;
	uint8_t size, flags;
	uint8_t chosen; /* of SO_BUF_LOCK: read only if it is set there; 0: always */
	char text[25];
};

#define NUMBER(level, name)                                                         \
	{                                                                           \
		level, name, sizeof(int), 0, 0, #name                               \
	}
#define RIGHT(level, name)                                                          \
	{                                                                           \
		level, name, sizeof(int), NEEDS_RIGHT, 0, #name                     \
	}
#define STRUCT(level, name, type)                                                   \
	{                                                                           \
		level, name, sizeof(type), 0, 0, #name                              \
	}
#define SPEED(level, name, size)                                                    \
	{                                                                           \
		level, name, size, FOR_SPEED, 0, #name                              \
	}
#define CHOSEN(name, bit)                                                           \
	{                                                                           \
		SOL_SOCKET, name, sizeof(int), FOR_SPEED | DOUBLED, bit, #name      \
	}

/*
 * Not those that tell a state, those of FD_SOCKET_*, and those that cannot be read: memberships of
 * multicast groups, keys of TCP_MD5SIG.
 */
static const struct option known[] = {
	CHOSEN(SO_SNDBUF, SEND_CHOSEN),
	CHOSEN(SO_RCVBUF, RECEIVE_CHOSEN),
	STRUCT(SOL_SOCKET, SO_BINDTODEVICE, char[16]),
	STRUCT(SOL_SOCKET, SO_RCVTIMEO, struct timeval),
	STRUCT(SOL_SOCKET, SO_SNDTIMEO, struct timeval),
	STRUCT(SOL_SOCKET, SO_LINGER, struct linger),
	NUMBER(SOL_SOCKET, SO_RCVLOWAT),
	NUMBER(SOL_SOCKET, SO_OOBINLINE),
	NUMBER(SOL_SOCKET, SO_DONTROUTE),
	NUMBER(SOL_SOCKET, SO_PASSCRED),
	NUMBER(SOL_SOCKET, SO_PASSSEC),
	NUMBER(SOL_SOCKET, SO_PASSPIDFD),
	NUMBER(SOL_SOCKET, SO_TIMESTAMP),
	NUMBER(SOL_SOCKET, SO_TIMESTAMPNS),
	NUMBER(SOL_SOCKET, SO_TIMESTAMPING),
	NUMBER(SOL_SOCKET, SO_RXQ_OVFL),
	NUMBER(SOL_SOCKET, SO_NO_CHECK),
	NUMBER(SOL_SOCKET, SO_PEEK_OFF),
	NUMBER(SOL_SOCKET, SO_SELECT_ERR_QUEUE),
	SPEED(SOL_SOCKET, SO_BUSY_POLL, sizeof(int)),
	SPEED(SOL_SOCKET, SO_PREFER_BUSY_POLL, sizeof(int)),
	SPEED(SOL_SOCKET, SO_ZEROCOPY, sizeof(int)),
	NUMBER(IPPROTO_IP, IP_TOS),
	NUMBER(IPPROTO_IP, IP_TTL),
	NUMBER(IPPROTO_IP, IP_MINTTL),
	NUMBER(IPPROTO_IP, IP_MTU_DISCOVER),
	NUMBER(IPPROTO_IP, IP_RECVERR),
	NUMBER(IPPROTO_IP, IP_PKTINFO),
	NUMBER(IPPROTO_IP, IP_RECVTTL),
	NUMBER(IPPROTO_IP, IP_RECVTOS),
	NUMBER(IPPROTO_IP, IP_RECVORIGDSTADDR),
	NUMBER(IPPROTO_IP, IP_FREEBIND),
	RIGHT(IPPROTO_IP, IP_TRANSPARENT),
	NUMBER(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT),
	NUMBER(IPPROTO_IP, IP_MULTICAST_IF),
	NUMBER(IPPROTO_IP, IP_MULTICAST_TTL),
	NUMBER(IPPROTO_IP, IP_MULTICAST_LOOP),
	NUMBER(IPPROTO_IP, IP_MULTICAST_ALL),
	NUMBER(IPPROTO_IPV6, IPV6_TCLASS),
	NUMBER(IPPROTO_IPV6, IPV6_UNICAST_HOPS),
	NUMBER(IPPROTO_IPV6, IPV6_MINHOPCOUNT),
	NUMBER(IPPROTO_IPV6, IPV6_MTU_DISCOVER),
	NUMBER(IPPROTO_IPV6, IPV6_DONTFRAG),
	NUMBER(IPPROTO_IPV6, IPV6_RECVERR),
	NUMBER(IPPROTO_IPV6, IPV6_RECVPKTINFO),
	NUMBER(IPPROTO_IPV6, IPV6_RECVHOPLIMIT),
	NUMBER(IPPROTO_IPV6, IPV6_RECVTCLASS),
	NUMBER(IPPROTO_IPV6, IPV6_RECVORIGDSTADDR),
	NUMBER(IPPROTO_IPV6, IPV6_FREEBIND),
	RIGHT(IPPROTO_IPV6, IPV6_TRANSPARENT),
	NUMBER(IPPROTO_IPV6, IPV6_MULTICAST_IF),
	NUMBER(IPPROTO_IPV6, IPV6_MULTICAST_HOPS),
	NUMBER(IPPROTO_IPV6, IPV6_MULTICAST_LOOP),
	NUMBER(IPPROTO_IPV6, IPV6_MULTICAST_ALL),
	NUMBER(IPPROTO_TCP, TCP_KEEPIDLE),
	NUMBER(IPPROTO_TCP, TCP_KEEPINTVL),
	NUMBER(IPPROTO_TCP, TCP_KEEPCNT),
	NUMBER(IPPROTO_TCP, TCP_USER_TIMEOUT),
	NUMBER(IPPROTO_TCP, TCP_DEFER_ACCEPT),
	NUMBER(IPPROTO_TCP, TCP_SYNCNT),
	NUMBER(IPPROTO_TCP, TCP_LINGER2),
	NUMBER(IPPROTO_TCP, TCP_MAXSEG),
	NUMBER(IPPROTO_TCP, TCP_WINDOW_CLAMP),
	NUMBER(IPPROTO_TCP, TCP_CORK),
	NUMBER(IPPROTO_TCP, TCP_SAVE_SYN),
	NUMBER(IPPROTO_TCP, TCP_NOTSENT_LOWAT),
	SPEED(IPPROTO_TCP, TCP_FASTOPEN, sizeof(int)),
	SPEED(IPPROTO_TCP, TCP_CONGESTION, 16),
	NUMBER(IPPROTO_UDP, UDP_CORK),
	NUMBER(IPPROTO_UDP, UDP_NO_CHECK6_TX),
	NUMBER(IPPROTO_UDP, UDP_NO_CHECK6_RX),
	NUMBER(IPPROTO_UDP, UDP_SEGMENT),
	NUMBER(IPPROTO_UDP, UDP_GRO),
	RIGHT(SOL_SOCKET, SO_MARK),
	RIGHT(SOL_SOCKET, SO_PRIORITY), /* which IP_TOS sets, too */
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

_Static_assert(KNOWN <= DESCRIPTOR_SOCKET_OPTIONS_MAX, "room for each");

/* Fills a value, behind which zeros are; false if the socket has no such option. */
static bool read_option(uint32_t fd, const struct option *o, char *value)
{
	socklen_t size = o->size;
	uint32_t i;

	for (i = 0; i < DESCRIPTOR_SOCKET_VALUE; i++)
		value[i] = 0;
	return !raw_syscall(SYS_getsockopt, fd, o->level, o->name, value, &size);
}

static int number_of(const char *value)
{
	int number;

	__builtin_memcpy(&number, value, sizeof(number));
	return number;
}

uint32_t socket_options_read(uint32_t fd, struct descriptor_socket_option *options)
{
	static const struct option lock = NUMBER(SOL_SOCKET, SO_BUF_LOCK);
	char value[DESCRIPTOR_SOCKET_VALUE];
	uint32_t count = 0, i;
	uint32_t chosen = read_option(fd, &lock, value) ? number_of(value) : 0;

	for (i = 0; i < KNOWN; i++) {
		if (known[i].chosen && !(known[i].chosen & chosen))
			continue;
		if (!read_option(fd, &known[i], options[count].value))
			continue;
		options[count].level = known[i].level;
		options[count++].name = known[i].name;
	}
	return count;
}

bool socket_has_filter(uint32_t fd)
{
	socklen_t size = 0; /* of none, the number of instructions is told */
	long err =
		raw_syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_GET_FILTER, 0, &size);

	return err == -EACCES || (!err && size);
}

static const struct option *find(const struct descriptor_socket_option *wanted)
{
	uint32_t i;

	for (i = 0; i < KNOWN; i++)
		if (known[i].level == wanted->level && known[i].name == wanted->name)
			return &known[i];
	return NULL;
}

static bool has(int fd, const struct option *o, const char *wanted)
{
	char now[DESCRIPTOR_SOCKET_VALUE];
	uint32_t i;

	if (!read_option(fd, o, now))
		return false;
	for (i = 0; i < o->size && now[i] == wanted[i]; i++)
		;
	return i == o->size;
}

static int set_option(int fd, const struct option *o, const char *wanted)
{
	int half = number_of(wanted) / 2;

	return raw_syscall(SYS_setsockopt, fd, o->level, o->name,
			   o->flags & DOUBLED ? (const void *)&half : wanted,
			   o->size);
}

int socket_options_give(int fd, const void *data, uint32_t count, bool confined,
			const char **name)
{
	struct descriptor_socket_option wanted;
	const struct option *o;
	uint32_t i;
	int err;

	for (i = 0; i < count; i++) {
		__builtin_memcpy(&wanted, (const char *)data + i * sizeof(wanted),
				 sizeof(wanted));
		o = find(&wanted);
		*name = o ? o->text : "unknown";
		if (!o)
			return -EINVAL;
		/* Its own network has other devices and addresses. */
		if ((confined && o->flags & NEEDS_RIGHT) || has(fd, o, wanted.value))
			continue;
		err = set_option(fd, o, wanted.value);
		if (err && !confined && !(o->flags & FOR_SPEED))
			return err;
	}
	*name = NULL;
	return 0;
}

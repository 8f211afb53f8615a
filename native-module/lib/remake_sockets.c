// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/remake_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/socket_options.h"

static int end_of_file(const struct descriptor_fd *fd)
{
	int type = fd->values[1] == SOCK_SEQPACKET ? SOCK_SEQPACKET
		   : fd->values[1] == SOCK_DGRAM   ? SOCK_DGRAM
						   : SOCK_STREAM;
	int ends[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends))
		return -errno;
	/* A datagram socket whose peer is gone would wait. */
	shutdown(ends[0], SHUT_RDWR);
	close(ends[1]);
	return ends[0];
}

/* A socket's data: its options, then the rest. */
struct parts {
	const char *options, *rest;
	uint32_t count, rest_size;
};

static struct parts parts_of(const struct remade_files *files,
			     const struct descriptor_fd *fd)
{
	uint32_t count = fd->kind == FD_SOCKET_PAIR
				 ? fd->values[3]
				 : fd->values[3] >> FD_SOCKET_OPTIONS_SHIFT;
	uint32_t size = count * sizeof(struct descriptor_socket_option);
	const char *data = descriptor_fd_data(files->descriptor, fd);

	return (struct parts){ data, data + size, count, fd->data_size - size };
}

/* What waits at one end was written to the other. */
static int send_waiting(const struct remade_files *files,
			const struct descriptor_fd *fd, int other_end)
{
	struct parts p = parts_of(files, fd);

	return p.rest_size && send(other_end, p.rest, p.rest_size, MSG_NOSIGNAL) !=
				       (ssize_t)p.rest_size
		       ? -ENOBUFS
		       : 0;
}

static int give_options(const struct remade_files *files,
			const struct descriptor_fd *fd, int made,
			const char **option)
{
	struct parts p = parts_of(files, fd);

	return socket_options_give(made, p.options, p.count, files->confined,
				   option);
}

static void shut_down(int end, const struct descriptor_fd *fd)
{
	static const int how[] = {
		[FD_SHUT_RECEIVE] = SHUT_RD,
		[FD_SHUT_SEND] = SHUT_WR,
		[FD_SHUT_ALL] = SHUT_RDWR,
	};

	if (fd->values[2])
		shutdown(end, how[fd->values[2]]);
}

static int make_pair(struct remade_files *files, uint32_t index, const char **option)
{
	const struct descriptor_fd *fd = &files->fds[index], *other;
	uint32_t peer = fd->values[1];
	int ends[2], err;

	other = &files->fds[peer];
	if (socketpair(AF_UNIX, (int)fd->values[0] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       ends))
		return -errno;
	err = send_waiting(files, fd, ends[1]);
	if (!err)
		err = send_waiting(files, other, ends[0]);
	if (!err)
		err = give_options(files, fd, ends[0], option);
	if (!err)
		err = give_options(files, other, ends[1], option);
	if (err) {
		close(ends[0]);
		close(ends[1]);
		return err;
	}
	shut_down(ends[0], fd);
	shut_down(ends[1], other);
	fcntl(ends[0], F_SETFL, fd->open_flags & O_NONBLOCK);
	fcntl(ends[1], F_SETFL, other->open_flags & O_NONBLOCK);
	files->at[peer] = ends[1];
	return ends[0];
}

static int set_options(int made, const struct descriptor_fd *fd)
{
	static const struct {
		uint64_t flag;
		int level, name;
	} options[] = {
		{ FD_SOCKET_REUSE_ADDR, SOL_SOCKET, SO_REUSEADDR },
		{ FD_SOCKET_REUSE_PORT, SOL_SOCKET, SO_REUSEPORT },
		{ FD_SOCKET_KEEP_ALIVE, SOL_SOCKET, SO_KEEPALIVE },
		{ FD_SOCKET_BROADCAST, SOL_SOCKET, SO_BROADCAST },
		{ FD_SOCKET_NO_DELAY, IPPROTO_TCP, TCP_NODELAY },
	};
	int on = 1, v6_only = (fd->values[3] & FD_SOCKET_V6_ONLY) != 0;
	uint32_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (fd->values[3] & options[i].flag &&
		    setsockopt(made, options[i].level, options[i].name, &on,
			       sizeof(on)))
			return -errno;
	if (fd->values[0] == AF_INET6 &&
	    setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only)))
		return -errno;
	return 0;
}

/*
 * Whether a confined child could make it itself, in its own network: a raw one, say, would need rights
 * that this process still has. The kernel chooses the protocol.
 */
static bool is_for_confined(const struct descriptor_fd *fd)
{
	uint64_t domain = fd->values[0], type = fd->values[1],
		 protocol = fd->values[2];

	return (domain == AF_INET || domain == AF_INET6) &&
	       ((type == SOCK_STREAM && (!protocol || protocol == IPPROTO_TCP)) ||
		(type == SOCK_DGRAM && (!protocol || protocol == IPPROTO_UDP)));
}

/* In a network that has no addresses. */
static int bind_anywhere(int made, const struct descriptor_fd *fd)
{
	bool v6 = fd->values[0] == AF_INET6;
	int on = 1;

	return setsockopt(made, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
			  v6 ? IPV6_FREEBIND : IP_FREEBIND, &on, sizeof(on))
		       ? -errno
		       : 0;
}

static int make_socket(const struct remade_files *files,
		       const struct descriptor_fd *fd, const char **option)
{
	struct sockaddr_storage address = { 0 };
	struct parts p = parts_of(files, fd);
	int made = socket((int)fd->values[0],
			  (int)fd->values[1] | SOCK_CLOEXEC |
				  (fd->open_flags & O_NONBLOCK),
			  (int)fd->values[2]);
	int err = made < 0 ? -errno : set_options(made, fd);

	if (!err)
		err = give_options(files, fd, made, option);
	if (!err && files->confined)
		err = bind_anywhere(made, fd);
	if (!err && fd->values[3] & FD_SOCKET_BOUND) {
		memcpy(&address, p.rest, p.rest_size);
		if (bind(made, (struct sockaddr *)&address, p.rest_size))
			err = -errno;
	}
	if (!err && fd->values[3] & FD_SOCKET_LISTENS && listen(made, SOMAXCONN))
		err = -errno;
	if (err && made >= 0)
		close(made);
	return err ? err : made;
}

int remake_socket(struct remade_files *files, uint32_t index)
{
	const struct descriptor_fd *fd = &files->fds[index];
	const char *option = NULL;
	char reason[128];
	int made;

	if (fd->kind == FD_SOCKET_PAIR)
		made = make_pair(files, index, &option);
	else if (fd->values[3] & FD_SOCKET_CONNECTED)
		made = end_of_file(fd);
	else if (files->confined && !is_for_confined(fd))
		return remake_failed(
			files, fd, -EPERM,
			"a confined child has no such sockets, but pairs "
			"and those of TCP and UDP in its own network: leave "
			"it out when the parent is prepared");
	else
		made = make_socket(files, fd, &option);
	if (made >= 0 && fd->kind == FD_SOCKET)
		fcntl(made, F_SETFL, fd->open_flags & O_NONBLOCK);
	if (made == -EADDRINUSE)
		return remake_failed(
			files, fd, made,
			"its address is in use: give the child a network "
			"namespace of its own, or pass a socket with "
			"this number");
	if (made >= 0)
		return made;
	snprintf(reason, sizeof(reason), "%s%s%s", option ? option : "",
		 option ? ": " : "", strerror(-made));
	return remake_failed(files, fd, made, reason);
}

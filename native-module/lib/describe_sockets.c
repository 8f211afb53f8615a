// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/describe_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "paging/raw_syscall.h"

/* States of TCP, of which linux/tcp.h has no names. */
#define STATE_CLOSE  7
#define STATE_LISTEN 10

/* A socket option that is a number; -errno if it cannot be read. */
static int option(const struct descriptor_fd *fd, int level, int name)
{
	int value = 0;
	socklen_t size = sizeof(value);
	long err =
		raw_syscall(SYS_getsockopt, fd->number, level, name, &value, &size);

	return err < 0 ? err : value;
}

static uint64_t options_of(const struct descriptor_fd *fd, int domain, int protocol)
{
	static const struct {
		int level, name;
		uint64_t flag;
	} flags[] = {
		{ SOL_SOCKET, SO_REUSEADDR, FD_SOCKET_REUSE_ADDR },
		{ SOL_SOCKET, SO_REUSEPORT, FD_SOCKET_REUSE_PORT },
		{ SOL_SOCKET, SO_KEEPALIVE, FD_SOCKET_KEEP_ALIVE },
		{ SOL_SOCKET, SO_BROADCAST, FD_SOCKET_BROADCAST },
	};
	uint64_t found = 0;
	uint32_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (option(fd, flags[i].level, flags[i].name) > 0)
			found |= flags[i].flag;
	if (domain == AF_INET6 && option(fd, IPPROTO_IPV6, IPV6_V6ONLY) > 0)
		found |= FD_SOCKET_V6_ONLY;
	if (protocol == IPPROTO_TCP && option(fd, IPPROTO_TCP, TCP_NODELAY) > 0)
		found |= FD_SOCKET_NO_DELAY;
	return found;
}

/* Whether it is, or was, one end of a connection. */
static bool is_connected(const struct descriptor_fd *fd, int protocol)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	struct tcp_info info = { 0 };
	socklen_t info_size = sizeof(info);

	if (!raw_syscall(SYS_getpeername, fd->number, &address, &size))
		return true;
	if (protocol != IPPROTO_TCP ||
	    raw_syscall(SYS_getsockopt, fd->number, IPPROTO_TCP, TCP_INFO, &info,
			&info_size))
		return false;
	if (info.tcpi_state == STATE_CLOSE)
		return info.tcpi_segs_in || info.tcpi_segs_out;
	return info.tcpi_state != STATE_LISTEN;
}

static bool is_bound(const struct sockaddr_storage *address, socklen_t size)
{
	switch (address->ss_family) {
	case AF_UNIX:
		return size > offsetof(struct sockaddr_un, sun_path);
	case AF_INET:
		return ((const struct sockaddr_in *)address)->sin_port;
	default:
		return ((const struct sockaddr_in6 *)address)->sin6_port;
	}
}

/*
 * Whether no path leads to a Unix socket: its file was deleted or, as HotSpot does with
 * the one by which it is attached to, renamed.
 */
static bool has_lost_its_path(const struct sockaddr_storage *address)
{
	const struct sockaddr_un *name = (const struct sockaddr_un *)address;

	return address->ss_family == AF_UNIX && name->sun_path[0] &&
	       raw_syscall(SYS_faccessat, AT_FDCWD, name->sun_path, F_OK) == -ENOENT;
}

static void add_address(struct described_files *files, struct descriptor_fd *fd)
{
	struct sockaddr_storage address = { 0 }; /* a path may fill its field */
	socklen_t size = sizeof(address), i;
	char *to;

	if (raw_syscall(SYS_getsockname, fd->number, &address, &size) ||
	    !is_bound(&address, size))
		return;
	/* bind(2) of the family alone gives an abstract address of the child's own. */
	if (has_lost_its_path(&address))
		size = offsetof(struct sockaddr_un, sun_path);
	to = described_files_room(files, fd, size);
	for (i = 0; to && i < size; i++)
		to[i] = ((const char *)&address)[i];
	if (to)
		fd->values[3] |= FD_SOCKET_BOUND;
}

void describe_socket(struct described_files *files, struct descriptor_fd *fd)
{
	int domain = option(fd, SOL_SOCKET, SO_DOMAIN);
	int type = option(fd, SOL_SOCKET, SO_TYPE);
	int protocol = option(fd, SOL_SOCKET, SO_PROTOCOL);
	bool internet = (domain == AF_INET || domain == AF_INET6) &&
			((type == SOCK_STREAM && protocol == IPPROTO_TCP) ||
			 (type == SOCK_DGRAM && protocol == IPPROTO_UDP));

	if (domain != AF_UNIX && !internet) {
		described_file_refuse(fd, FD_REFUSAL_KIND);
		return;
	}
	fd->kind = FD_SOCKET;
	fd->values[0] = domain;
	fd->values[1] = type;
	fd->values[2] = protocol;
	fd->values[3] = options_of(fd, domain, protocol);
	if (option(fd, SOL_SOCKET, SO_ACCEPTCONN) > 0)
		fd->values[3] |= FD_SOCKET_LISTENS;
	else if (is_connected(fd, protocol))
		fd->values[3] |= FD_SOCKET_CONNECTED;
	if (!(fd->values[3] & FD_SOCKET_CONNECTED))
		add_address(files, fd);
}

/* The inode number of the socket at the other end of a Unix socket; 0: not known. */
static uint32_t peer_of(long diag, uint32_t inode)
{
	struct {
		struct nlmsghdr header;
		struct unix_diag_req body;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = AF_UNIX,
			  .udiag_states = ~0u,
			  .udiag_ino = inode,
			  .udiag_show = UDIAG_SHOW_PEER,
			  .udiag_cookie = { ~0u, ~0u } },
	};
	const uint32_t first = NLMSG_HDRLEN + sizeof(struct unix_diag_msg);
	char answer[1024] __attribute__((aligned(8)));
	const struct nlmsghdr *header = (const void *)answer;
	long n, at;

	if (raw_syscall(SYS_sendto, diag, &request, sizeof(request), 0, 0, 0) < 0)
		return 0;
	n = raw_syscall(SYS_recvfrom, diag, answer, sizeof(answer), MSG_DONTWAIT, 0,
			0);
	if (n < (long)first || header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return 0;
	for (at = first; at + NLA_HDRLEN + 4 <= n;) {
		const struct nlattr *attribute = (const void *)(answer + at);

		if (attribute->nla_type == UNIX_DIAG_PEER)
			return *(const uint32_t *)(answer + at + NLA_HDRLEN);
		if (attribute->nla_len < NLA_HDRLEN)
			return 0;
		at += NLA_ALIGN(attribute->nla_len);
	}
	return 0;
}

/* What has been sent to this end and not read: bytes of a stream, nothing else. */
static bool add_waiting(struct described_files *files, struct descriptor_fd *fd)
{
	char control[64] __attribute__((aligned(8)));
	struct iovec part;
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int waiting = 0;
	char byte;

	if (fd->values[0] != SOCK_STREAM) {
		/* An empty message counts no bytes. */
		part = (struct iovec){ &byte, sizeof(byte) };
		return raw_syscall(SYS_recvmsg, fd->number, &message,
				   MSG_PEEK | MSG_DONTWAIT) == -EAGAIN;
	}
	if (raw_syscall(SYS_ioctl, fd->number, FIONREAD, &waiting))
		return false;
	if (!waiting)
		return true;
	part.iov_base = described_files_room(files, fd, waiting);
	part.iov_len = waiting;
	return part.iov_base &&
	       raw_syscall(SYS_recvmsg, fd->number, &message,
			   MSG_PEEK | MSG_DONTWAIT) == waiting &&
	       !message.msg_controllen && !(message.msg_flags & MSG_CTRUNC);
}

static void make_pair(struct described_files *files, uint32_t a, uint32_t b)
{
	struct descriptor_fd *one = &files->fds[a], *other = &files->fds[b];

	one->kind = other->kind = FD_SOCKET_PAIR;
	one->values[0] = one->values[1];
	other->values[0] = other->values[1];
	one->values[1] = b;
	other->values[1] = a;
	one->values[2] = one->values[3] = 0;
	other->values[2] = other->values[3] = 0;
	if (!add_waiting(files, one) || !add_waiting(files, other)) {
		described_file_refuse(one, FD_REFUSAL_MESSAGES);
		described_file_refuse(other, FD_REFUSAL_MESSAGES);
	}
}

static bool may_be_end(const struct descriptor_fd *fd)
{
	return fd->kind == FD_SOCKET && fd->shares == DESCRIPTOR_FD_OWN &&
	       fd->values[0] == AF_UNIX && fd->values[3] & FD_SOCKET_CONNECTED;
}

/* What shares with an end has its kind, too. */
static void copy_kinds(struct described_files *files)
{
	uint32_t i;

	for (i = 0; i < files->count; i++)
		if (files->fds[i].shares != DESCRIPTOR_FD_OWN)
			files->fds[i].kind = files->fds[files->fds[i].shares].kind;
}

void describe_socket_pairs(struct described_files *files)
{
	long diag = -1;
	uint32_t a, b, peer;

	for (a = 0; a < files->count; a++) {
		if (!may_be_end(&files->fds[a]))
			continue;
		if (diag < 0)
			diag = raw_syscall(SYS_socket, AF_NETLINK,
					   SOCK_RAW | SOCK_CLOEXEC,
					   NETLINK_SOCK_DIAG);
		peer = diag < 0 ? 0 : peer_of(diag, files->fds[a].inode);
		for (b = a + 1; peer && b < files->count; b++)
			if (may_be_end(&files->fds[b]) &&
			    (uint32_t)files->fds[b].inode == peer) {
				make_pair(files, a, b);
				break;
			}
	}
	if (diag >= 0)
		raw_syscall(SYS_close, diag);
	copy_kinds(files);
}

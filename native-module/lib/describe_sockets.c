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

#include "lib/socket_options.h"
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

/* The size of the address that it is bound to; 0: of none. */
static socklen_t address_of(const struct descriptor_fd *fd,
			    struct sockaddr_storage *address)
{
	socklen_t size = sizeof(*address);

	if (raw_syscall(SYS_getsockname, fd->number, address, &size) ||
	    !is_bound(address, size))
		return 0;
	/* bind(2) of the family alone gives an abstract address of the child's own. */
	return has_lost_its_path(address) ? offsetof(struct sockaddr_un, sun_path)
					  : size;
}

/*
 * Adds the socket's options, their number in `*count`, and room for `size` bytes behind them.
 * Returns this room, or NULL: then the socket is refused.
 */
static char *add_options(struct described_files *files, struct descriptor_fd *fd,
			 uint32_t size, uint32_t *count)
{
	struct descriptor_socket_option options[DESCRIPTOR_SOCKET_OPTIONS_MAX];
	uint32_t used, i;
	char *to;

	if (socket_has_filter(fd->number)) {
		described_file_refuse(fd, FD_REFUSAL_FILTER);
		return NULL;
	}
	*count = socket_options_read(fd->number, options);
	used = *count * sizeof(options[0]);
	to = described_files_room(files, fd, used + size);
	for (i = 0; to && i < used; i++)
		to[i] = ((const char *)options)[i];
	return to ? to + used : NULL;
}

static void add_address(struct described_files *files, struct descriptor_fd *fd)
{
	struct sockaddr_storage address = { 0 }; /* a path may fill its field */
	socklen_t size = address_of(fd, &address), i;
	uint32_t count;
	char *to = add_options(files, fd, size, &count);

	for (i = 0; to && i < size; i++)
		to[i] = ((const char *)&address)[i];
	if (to)
		fd->values[3] |= (size ? FD_SOCKET_BOUND : 0) |
				 (uint64_t)count << FD_SOCKET_OPTIONS_SHIFT;
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

/* Of a Unix socket: the inode number of the other end, 0: not known; FD_SHUT_*. */
struct end {
	uint32_t peer, shut;
};

static struct end read_end(long diag, uint32_t inode)
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
	struct end end = { 0 };
	long n, at;

	if (raw_syscall(SYS_sendto, diag, &request, sizeof(request), 0, 0, 0) < 0)
		return end;
	n = raw_syscall(SYS_recvfrom, diag, answer, sizeof(answer), MSG_DONTWAIT, 0,
			0);
	if (n < (long)first || header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return end;
	for (at = first; at + NLA_HDRLEN + 4 <= n;) {
		const struct nlattr *attribute = (const void *)(answer + at);
		const char *value = answer + at + NLA_HDRLEN;

		if (attribute->nla_type == UNIX_DIAG_PEER)
			end.peer = *(const uint32_t *)value;
		if (attribute->nla_type == UNIX_DIAG_SHUTDOWN)
			end.shut = *value & FD_SHUT_ALL;
		if (attribute->nla_len < NLA_HDRLEN)
			return end;
		at += NLA_ALIGN(attribute->nla_len);
	}
	return end;
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
	bool stream = fd->values[0] == SOCK_STREAM;
	uint32_t count;
	int waiting = 0;
	char *to, byte;

	if (stream && raw_syscall(SYS_ioctl, fd->number, FIONREAD, &waiting))
		return false;
	/* With SO_PEEK_OFF a look at them would change what the parent sees next. */
	if (waiting && option(fd, SOL_SOCKET, SO_PEEK_OFF) >= 0)
		return false;
	to = add_options(files, fd, waiting, &count);
	if (!to)
		return false;
	fd->values[3] = count;
	if (stream && !waiting)
		return true;
	/* An empty message counts no bytes. */
	part = stream ? (struct iovec){ to, waiting }
		      : (struct iovec){ &byte, sizeof(byte) };
	if (raw_syscall(SYS_recvmsg, fd->number, &message,
			MSG_PEEK | MSG_DONTWAIT) != (stream ? waiting : -EAGAIN))
		return false;
	return !stream ||
	       (!message.msg_controllen && !(message.msg_flags & MSG_CTRUNC));
}

static void refuse_pair(struct descriptor_fd *one, struct descriptor_fd *other)
{
	enum descriptor_fd_refusal why = one->kind == FD_REFUSED ? one->values[0]
					 : other->kind == FD_REFUSED
						 ? other->values[0]
						 : FD_REFUSAL_MESSAGES;

	described_file_refuse(one, why);
	described_file_refuse(other, why);
}

static void make_pair(struct described_files *files, uint32_t a, uint32_t b,
		      uint32_t shut_a, uint32_t shut_b)
{
	struct descriptor_fd *one = &files->fds[a], *other = &files->fds[b];

	one->kind = other->kind = FD_SOCKET_PAIR;
	one->values[0] = one->values[1];
	other->values[0] = other->values[1];
	one->values[1] = b;
	other->values[1] = a;
	one->values[2] = shut_a;
	other->values[2] = shut_b;
	if (!add_waiting(files, one) || !add_waiting(files, other))
		refuse_pair(one, other);
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
	struct end end = { 0 };
	long diag = -1;
	uint32_t a, b, inode;

	for (a = 0; a < files->count; a++) {
		if (!may_be_end(&files->fds[a]))
			continue;
		if (diag < 0)
			diag = raw_syscall(SYS_socket, AF_NETLINK,
					   SOCK_RAW | SOCK_CLOEXEC,
					   NETLINK_SOCK_DIAG);
		if (diag >= 0)
			end = read_end(diag, files->fds[a].inode);
		for (b = a + 1; end.peer && b < files->count; b++) {
			inode = files->fds[b].inode;
			if (may_be_end(&files->fds[b]) && inode == end.peer) {
				make_pair(files, a, b, end.shut,
					  read_end(diag, inode).shut);
				break;
			}
		}
	}
	if (diag >= 0)
		raw_syscall(SYS_close, diag);
	copy_kinds(files);
}

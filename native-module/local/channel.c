// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "local/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "local/clock.h"
#include "local/interrupted.h"
#include "local/passed_fds.h"

/* A message brings one descriptor at most. The others of a bad one are closed. */
#define RECEIVED_FDS_MAX 16

union received_fds {
	struct cmsghdr header;
	char bytes[PASSED_FDS_SPACE(RECEIVED_FDS_MAX) + PASSED_SENDER_SPACE];
};

struct local_message channel_message(enum local_type type)
{
	return (struct local_message){
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = type,
		.cpu = -1,
	};
}

static int gone(int err)
{
	return err == EPIPE || err == ENOTCONN ? -ECONNRESET : -err;
}

ssize_t channel_send_fds(int socket, struct iovec *parts, size_t part_count,
			 const int *fds, size_t fd_count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
	} control;
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = part_count };
	int64_t began_ms = now_ms();
	ssize_t n;

	if (fd_count > CHANNEL_FDS_MAX)
		return -EINVAL;
	if (fd_count) {
		memset(&control, 0, CMSG_SPACE(fd_count * sizeof(int)));
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, fd_count * sizeof(int));
	}
	do {
		n = sendmsg(socket, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR &&
		 socket_goes_on(socket, POLLOUT, began_ms));
	return n < 0 ? gone(errno) : n;
}

int channel_send(int channel, const struct local_message *message, int fd)
{
	struct iovec part = { (void *)message, sizeof(*message) };
	ssize_t n = channel_send_fds(channel, &part, 1, &fd, fd >= 0);

	return n < 0 ? n : 0;
}

/* The descriptor of a message, -1 without, or -EMFILE. -EPROTO: refuse the message. */
static int take_fd(const struct msghdr *msg, struct ucred *sender)
{
	int fds[RECEIVED_FDS_MAX];
	uint32_t count;
	int err = passed_fds_take(msg, fds, RECEIVED_FDS_MAX, &count, sender);

	if (!err && count <= 1)
		return count ? fds[0] : -1;
	while (count)
		close(fds[--count]);
	return err == -EMFILE ? err : -EPROTO;
}

int channel_receive(int channel, struct local_message *message, int *fd)
{
	return channel_receive_from(channel, message, fd, NULL);
}

int channel_receive_from(int channel, struct local_message *message, int *fd,
			 struct ucred *sender)
{
	struct iovec iov = { .iov_base = message, .iov_len = sizeof(*message) };
	union received_fds control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = PASSED_FDS_SPACE(RECEIVED_FDS_MAX) +
				  (sender ? PASSED_SENDER_SPACE : 0),
	};
	int64_t began_ms = now_ms();
	ssize_t n;

	*fd = -1;
	do {
		n = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR &&
		 socket_goes_on(channel, POLLIN, began_ms));
	if (n < 0)
		return gone(errno);
	if (n == 0)
		return -ECONNRESET;
	*fd = take_fd(&msg, sender);
	if (*fd == -EPROTO || n != sizeof(*message) || (msg.msg_flags & MSG_TRUNC) ||
	    message->magic != LOCAL_MAGIC || message->version != LOCAL_VERSION) {
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
		return -EPROTO;
	}
	return 0;
}

bool channel_is_open(int channel)
{
	char byte;
	ssize_t n = recv(channel, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

int channel_set_deadline(int channel, int deadline_ms)
{
	struct timeval t = {
		.tv_sec = deadline_ms / 1000,
		.tv_usec = deadline_ms % 1000 * 1000,
	};

	if (setsockopt(channel, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) ||
	    setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)))
		return -errno;
	return 0;
}

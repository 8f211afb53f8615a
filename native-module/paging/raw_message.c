// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "paging/raw_message.h"

#include <errno.h>
#include <sys/time.h>

#include "paging/raw_clock.h"

void raw_set_deadline(int fd, int deadline_ms)
{
	struct timeval t = {
		.tv_sec = deadline_ms / 1000,
		.tv_usec = deadline_ms % 1000 * 1000,
	};

	raw_syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	raw_syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
}

/*
 * After -EINTR of a call on a socket. False when it has gone on for as long as the socket's
 * timeout, counted from the first interruption: *until_ms, 0 before it.
 */
static bool goes_on(int fd, int timeout_option, int64_t *until_ms)
{
	struct timeval timeout = { 0 };
	socklen_t size = sizeof(timeout);
	int64_t now_ms;

	raw_syscall(SYS_getsockopt, fd, SOL_SOCKET, timeout_option, &timeout, &size);
	if (!timeout.tv_sec && !timeout.tv_usec)
		return true;
	now_ms = raw_now_ms();
	if (!*until_ms)
		*until_ms =
			now_ms + timeout.tv_sec * 1000ll + timeout.tv_usec / 1000;
	return now_ms < *until_ms;
}

long raw_send_some(int fd, const void *data, size_t size, int flags)
{
	int64_t until_ms = 0;
	long n;

	do {
		n = raw_syscall(SYS_sendto, fd, data, size, flags | MSG_NOSIGNAL, 0,
				0);
	} while (n == -EINTR && goes_on(fd, SO_SNDTIMEO, &until_ms));
	return n;
}

long raw_receive_some(int fd, void *data, size_t size, int flags)
{
	int64_t until_ms = 0;
	long n;

	do {
		n = raw_syscall(SYS_recvfrom, fd, data, size, flags, 0, 0);
	} while (n == -EINTR && goes_on(fd, SO_RCVTIMEO, &until_ms));
	return n;
}

bool raw_receive_all(int fd, void *data, size_t size)
{
	char *p = data;

	while (size) {
		long n = raw_receive_some(fd, p, size, MSG_WAITALL);

		if (n <= 0)
			return false;
		p += n;
		size -= n;
	}
	return true;
}

bool raw_send_all(int fd, const void *data, size_t size, int flags)
{
	const char *p = data;

	while (size) {
		long n = raw_send_some(fd, p, size, flags);

		if (n <= 0)
			return false;
		p += n;
		size -= n;
	}
	return true;
}

long raw_send_many_fds(int fd, const void *message, size_t size, const int *fds,
		       uint32_t count)
{
	struct iovec iov = { .iov_base = (void *)message, .iov_len = size };
	union {
		struct cmsghdr header;
		char bytes[PASSED_FDS_SPACE(PASSED_FDS_MAX)];
	} control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int64_t until_ms = 0;
	uint32_t i;
	long n;

	if (count) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		for (i = 0; i < count; i++)
			((int *)CMSG_DATA(&control.header))[i] = fds[i];
	}
	do {
		n = raw_syscall(SYS_sendmsg, fd, &msg, MSG_NOSIGNAL);
	} while (n == -EINTR && goes_on(fd, SO_SNDTIMEO, &until_ms));
	return n;
}

long raw_receive(int fd, void *message, size_t size, int flags,
		 int passed[PASSED_FDS_MAX])
{
	struct iovec iov = { .iov_base = message, .iov_len = size };
	union {
		struct cmsghdr header;
		char bytes[PASSED_FDS_SPACE(PASSED_FDS_MAX)];
	} control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	uint32_t count = 0, i;
	int64_t until_ms = 0;
	int err;
	long n;

	do {
		n = raw_syscall(SYS_recvmsg, fd, &msg, flags | MSG_CMSG_CLOEXEC);
	} while (n == -EINTR && goes_on(fd, SO_RCVTIMEO, &until_ms));
	err = n < 0 ? 0
		    : passed_fds_take(&msg, passed, PASSED_FDS_MAX, &count, NULL);
	for (i = count; i < PASSED_FDS_MAX; i++)
		passed[i] = -1;
	if (!err)
		return n;
	while (count) {
		raw_close(passed[--count]);
		passed[count] = -1;
	}
	return err;
}

void raw_close_passed(const int passed[PASSED_FDS_MAX], uint32_t first)
{
	uint32_t i = first, next;

	/* They mostly have one number after the other. */
	for (; i < PASSED_FDS_MAX; i = next) {
		next = i + 1;
		while (next < PASSED_FDS_MAX && passed[i] >= 0 &&
		       passed[next] == passed[next - 1] + 1)
			next++;
		if (next - i > 1 &&
		    !raw_syscall(SYS_close_range, passed[i], passed[next - 1], 0))
			continue;
		for (; i < next; i++)
			raw_close(passed[i]);
	}
}

bool raw_send_local(int channel, enum local_type type, int cpu, int fd)
{
	const struct local_message message = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = type,
		.cpu = cpu,
	};

	return raw_send_fds(channel, &message, sizeof(message), &fd, 1) ==
	       sizeof(message);
}

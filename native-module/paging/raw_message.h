/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages by raw system calls, with passed file descriptors (SCM_RIGHTS). For
 * code without a C library: shadows, and the restorer. local/channel.h is for
 * all others.
 */
#ifndef PAGING_RAW_MESSAGE_H
#define PAGING_RAW_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "local/passed_fds.h"
#include "local/protocol.h"
#include "paging/raw_syscall.h"

/* Descriptors that one received message may bring. */
#define PASSED_FDS_MAX SHADOW_CLONE_FILES_MAX
/* Descriptors that raw_send_fds() can pass. */
#define SENT_FDS_MAX 3
/* How long a peer may leave a message unread, in ms. */
#define PEER_DEADLINE_MS 2000

/*
 * Sends a message with `count` descriptors, at least one. Returns what sendmsg()
 * returns, but never -EINTR. Inlined, and without initializers that could become calls of memset():
 * the restorer can call nothing.
 */
static inline __attribute__((always_inline)) long
raw_send_fds(int fd, const void *message, size_t size, const int *fds,
	     uint32_t count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(SENT_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov;
	struct msghdr msg;
	uint32_t i;
	long n;

	iov.iov_base = (void *)message;
	iov.iov_len = size;
	msg.msg_name = NULL;
	msg.msg_namelen = 0;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = control.bytes;
	msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
	msg.msg_flags = 0;
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
	for (i = 0; i < count; i++)
		((int *)CMSG_DATA(&control.header))[i] = fds[i];
	/* Signals are blocked: only a stop interrupts it, and then it waits anew. */
	do {
		n = raw_syscall(SYS_sendmsg, fd, &msg, MSG_NOSIGNAL);
	} while (n == -EINTR);
	return n;
}

/* The same with up to PASSED_FDS_MAX descriptors, or none. Not for the restorer. */
long raw_send_many_fds(int fd, const void *message, size_t size, const int *fds,
		       uint32_t count);

/* Closes a descriptor; -1 is none. */
static inline void raw_close(int fd)
{
	if (fd >= 0)
		raw_syscall(SYS_close, fd);
}

/* Overwrites secrets with zeros. */
static inline void raw_wipe(void *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		((volatile char *)bytes)[i] = 0;
}

/* Sets the send and receive timeouts of a socket. */
void raw_set_deadline(int fd, int deadline_ms);

/*
 * sendto() and recvfrom(), which go on after a signal for at most the socket's timeout
 * more. Return what those return; -EINTR: this time has passed.
 */
long raw_send_some(int fd, const void *data, size_t size, int flags);
long raw_receive_some(int fd, void *data, size_t size, int flags);

/* Receives everything. False on a timeout, an error or the end. */
bool raw_receive_all(int fd, void *data, size_t size);

/* Sends everything. False on a timeout or error. `flags`: MSG_MORE or 0. */
bool raw_send_all(int fd, const void *data, size_t size, int flags);

/*
 * Receives a message and the descriptors that come with it (-1: none). Returns
 * what recvmsg() returns, which goes on after a signal as raw_receive_some(); or, without any descriptor and with the message read, -EMFILE
 * (no room for one of them) or -EPROTO (more than PASSED_FDS_MAX, or others things).
 */
long raw_receive(int fd, void *message, size_t size, int flags,
		 int passed[PASSED_FDS_MAX]);

/* Closes the passed descriptors from index `first` on. */
void raw_close_passed(const int passed[PASSED_FDS_MAX], uint32_t first);

/* Sends a local message with one descriptor. False on an error. */
bool raw_send_local(int channel, enum local_type type, int cpu, int fd);

#endif /* PAGING_RAW_MESSAGE_H */

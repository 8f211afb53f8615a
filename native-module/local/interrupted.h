/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that a signal interrupts, continued until their deadline. A handler without
 * SA_RESTART interrupts any call that waits. A stop and SIGCONT (job control, a debugger,
 * a cgroup freezer) interrupt calls on sockets with a timeout, and epoll_wait(2), of
 * processes without handlers, too.
 */
#ifndef LOCAL_INTERRUPTED_H
#define LOCAL_INTERRUPTED_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/*
 * After a call on a socket that failed with EINTR and began at began_ms (now_ms()). Waits
 * for `event` (POLLIN, POLLOUT) for what is left of the socket's timeout. True: make the
 * call again. False, with errno EAGAIN: the timeout has passed.
 */
bool socket_goes_on(int socket, short event, int64_t began_ms);

/* send(2), without SIGPIPE, and recv(2), which go on so. Return what those return. */
ssize_t socket_send(int socket, const void *bytes, size_t size);
ssize_t socket_receive(int socket, void *bytes, size_t size, int flags);

/* connect(2) of a blocking socket. Returns 0 or -errno; -ETIMEDOUT its send timeout has passed. */
int socket_connect(int socket, const struct sockaddr *address, socklen_t size);

/* poll(2) for at most `timeout_ms`; -1: without end. */
int poll_within(struct pollfd *polls, nfds_t count, int timeout_ms);

#endif /* LOCAL_INTERRUPTED_H */

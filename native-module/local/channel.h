/* SPDX-License-Identifier: Apache-2.0 */
/* Sending and receiving struct local_message, each with at most one file descriptor. */
#ifndef LOCAL_CHANNEL_H
#define LOCAL_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "local/protocol.h"

struct ucred;

/* How long each side waits for the other, in ms. */
#define CHANNEL_DEADLINE_MS 5000

/* A message of the given type with everything else 0. */
struct local_message channel_message(enum local_type type);

/*
 * Sends a message, with `fd` unless it is -1; waits at most the socket's send
 * timeout. Returns 0 or -errno (-ECONNRESET: the other side has gone).
 */
int channel_send(int channel, const struct local_message *message, int fd);

/* File descriptors that channel_send_fds() can pass. */
#define CHANNEL_FDS_MAX SHADOW_CLONE_FILES_MAX

/*
 * Sends `part_count` parts as one message of any socket, with `fd_count` file
 * descriptors. Returns the bytes sent, or -errno.
 */
ssize_t channel_send_fds(int socket, struct iovec *parts, size_t part_count,
			 const int *fds, size_t fd_count);

/*
 * Receives a message and the descriptor that came with it: close it; -1 if none came;
 * -EMFILE if one came for which this process has no room. Returns 0 or -errno: -ECONNRESET the other side has gone, -EAGAIN no
 * message within the socket's receive timeout, -EPROTO not a message of this
 * version, or one with several descriptors, which are closed.
 */
int channel_receive(int channel, struct local_message *message, int *fd);

/* The same; *sender becomes the sender's credentials if the socket has SO_PASSCRED. */
int channel_receive_from(int channel, struct local_message *message, int *fd,
			 struct ucred *sender);

/* True until the other side has closed the channel. */
bool channel_is_open(int channel);

/* Sets the send and receive timeouts of a blocking socket. */
int channel_set_deadline(int channel, int deadline_ms);

#endif /* LOCAL_CHANNEL_H */

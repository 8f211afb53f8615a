/* SPDX-License-Identifier: GPL-2.0 */
/* Bytes on a TCP socket, with deadlines. Used by kernel threads only. */
#ifndef MITOSIS_TRANSPORT_H
#define MITOSIS_TRANSPORT_H

#include <linux/types.h>
#include <linux/uio.h>

struct socket;

/* In jiffies; at least 1, as 0 means to wait for ever. */
long mitosis_transport_timeout(unsigned int ms);

/* Sends all; the socket's sk_sndtimeo is the deadline. `more`: others follow at once. */
int mitosis_transport_send(struct socket *socket, struct kvec *parts, size_t count, size_t size,
			   bool more);

/*
 * Receives exactly `size` bytes. Returns 0, -EAGAIN if none came within `ms`,
 * -ETIMEDOUT if not all did, -ECONNRESET if the connection ended, or another -errno.
 */
int mitosis_transport_receive(struct socket *socket, struct kvec *parts, size_t count, size_t size,
			      unsigned int ms);

/* The errno of a message that did not arrive. */
int mitosis_transport_error(int err);

#endif /* MITOSIS_TRANSPORT_H */

// SPDX-License-Identifier: GPL-2.0
#include "transport.h"

#include <linux/jiffies.h>
#include <linux/net.h>
#include <net/sock.h>

long mitosis_transport_timeout(unsigned int ms)
{
	return max(msecs_to_jiffies(ms), 1ul);
}

int mitosis_transport_error(int err)
{
	if (err == -EAGAIN || err == -EINPROGRESS)
		return -ETIMEDOUT;
	return err == -EPIPE ? -ECONNRESET : err;
}

int mitosis_transport_send(struct socket *socket, struct kvec *parts, size_t count, size_t size,
			   bool more)
{
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0) };
	int n = kernel_sendmsg(socket, &msg, parts, count, size);

	if (n < 0)
		return mitosis_transport_error(n);
	return n == size ? 0 : -ETIMEDOUT;
}

int mitosis_transport_receive(struct socket *socket, struct kvec *parts, size_t count, size_t size,
			      unsigned int ms)
{
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL };
	int n;

	socket->sk->sk_rcvtimeo = mitosis_transport_timeout(ms);
	n = kernel_recvmsg(socket, &msg, parts, count, size, MSG_WAITALL);
	if (n == size)
		return 0;
	if (n < 0)
		return n;
	/* A short read: the connection ended, or the timeout came. */
	return !n || READ_ONCE(socket->sk->sk_shutdown) & RCV_SHUTDOWN ? -ECONNRESET : -ETIMEDOUT;
}

// SPDX-License-Identifier: Apache-2.0
#include "lib/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "local/channel.h"
#include "local/clock.h"
#include "local/interrupted.h"

int stream_receive(int stream, void *buffer, size_t length)
{
	char *p = buffer;

	while (length) {
		int64_t began_ms = now_ms();
		ssize_t n = recv(stream, p, length, 0);

		if (n < 0 && errno == EINTR &&
		    socket_goes_on(stream, POLLIN, began_ms))
			continue;
		if (n <= 0)
			return n && errno == EAGAIN ? -ETIMEDOUT : -ECONNRESET;
		p += n;
		length -= n;
	}
	return 0;
}

int stream_request(int stream, const struct shadow_request *request,
		   uint32_t *length)
{
	struct iovec part = { (void *)request, sizeof(*request) };
	ssize_t sent = channel_send_fds(stream, &part, 1, NULL, 0);
	struct shadow_answer answer;
	int err;

	if (sent != sizeof(*request))
		return sent == -EAGAIN ? -ETIMEDOUT : -ECONNRESET;
	err = stream_receive(stream, &answer, sizeof(answer));
	if (err)
		return err;
	*length = answer.length;
	return answer.status <= 0 ? answer.status : -EPROTO;
}

// SPDX-License-Identifier: Apache-2.0
#include "lib/stream.h"

#include <errno.h>
#include <sys/socket.h>

#include "local/interrupted.h"

int stream_receive(int stream, void *buffer, size_t length)
{
	char *p = buffer;

	while (length) {
		ssize_t n = socket_receive(stream, p, length, 0);

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
	ssize_t sent = socket_send(stream, request, sizeof(*request));
	struct shadow_answer answer;
	int err;

	if (sent != sizeof(*request))
		return sent < 0 && errno == EAGAIN ? -ETIMEDOUT : -ECONNRESET;
	err = stream_receive(stream, &answer, sizeof(answer));
	if (err)
		return err;
	*length = answer.length;
	return answer.status <= 0 ? answer.status : -EPROTO;
}

int stream_read(int stream, uint64_t address, void *buffer, uint32_t length)
{
	const struct shadow_request request = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = SHADOW_READ,
		.address = address,
		.length = length,
	};
	uint32_t answered = 0;
	int err = stream_request(stream, &request, &answered);

	if (!err && answered != length)
		err = -EPROTO;
	return err ? err : stream_receive(stream, buffer, length);
}

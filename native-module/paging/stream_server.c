// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/stream_server.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

/* Bytes that are read and sent at once. */
#define READ_CHUNK (16u << 10)

bool stream_answer(int stream, int status, uint32_t length)
{
	struct shadow_answer a = { .status = status, .length = length };

	return raw_send_all(stream, &a, sizeof(a), length ? MSG_MORE : 0);
}

bool stream_send_descriptor(int stream, const struct page_source *source)
{
	const struct descriptor_header *d = source->descriptor;

	return stream_answer(stream, 0, d->total_size) &&
	       raw_send_all(stream, d, d->total_size, 0);
}

bool stream_send_memory(int stream, struct page_source *source, uint64_t address,
			uint64_t length)
{
	char chunk[READ_CHUNK];
	uint64_t done;

	if (length > SHADOW_READ_MAX)
		return stream_answer(stream, -EINVAL, 0);
	if (!descriptor_covers(source->descriptor, address, length))
		return stream_answer(stream, -EFAULT, 0);
	if (!stream_answer(stream, 0, length))
		return false;
	for (done = 0; done < length; done += sizeof(chunk)) {
		size_t n = length - done < sizeof(chunk) ? length - done
							 : sizeof(chunk);

		/* Too late for a status: the short stream tells the reader. */
		if (source->read(source, address + done, chunk, n) ||
		    !raw_send_all(stream, chunk, n, 0))
			return false;
	}
	return true;
}

long stream_receive_clone(int stream, const struct shadow_request *r,
			  const int passed[PASSED_FDS_MAX],
			  struct clone_request *request)
{
	uint32_t i;

	request->namespaces = r->namespaces;
	request->flags = r->flags;
	request->cpu = r->cpu;
	request->cpus = r->cpus;
	request->machine_id = r->window;
	request->number = r->address;
	if (r->length > sizeof(request->numbers) ||
	    r->length % sizeof(request->numbers[0]))
		return -EINVAL;
	request->count = r->length / sizeof(request->numbers[0]);
	if (r->length && !raw_receive_all(stream, request->numbers, r->length))
		return -ECONNRESET;
	for (i = 0; i < request->count; i++) {
		request->passed[i] = passed[i];
		if (passed[i] < 0 || request->numbers[i] < SHADOW_CLONE_LEAST)
			return -EINVAL;
	}
	return 0;
}

bool stream_start_clone(int stream, struct page_source *source,
			const struct shadow_request *r,
			const int passed[PASSED_FDS_MAX], int *pidfd)
{
	struct clone_request request;
	long result = stream_receive_clone(stream, r, passed, &request);

	*pidfd = -1;
	if (result == -ECONNRESET)
		return false;
	if (!result)
		result = source->clone ? source->clone(source, &request) : -ENOSYS;
	if (result < 0)
		return stream_answer(stream, result, 0);
	*pidfd = result;
	return true;
}

void stream_end_clone(int stream, int pidfd)
{
	siginfo_t info;
	int32_t status;

	raw_syscall(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED | __WALL, 0);
	status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8
					    : info.si_status & 0x7f;
	raw_close(pidfd);
	if (stream_answer(stream, 0, sizeof(status)))
		raw_send_all(stream, &status, sizeof(status), 0);
}

void stream_lend_memory(int stream, const struct page_source *source)
{
	const struct local_memory where = {
		.descriptor = (uintptr_t)source->descriptor,
		.size = source->descriptor->total_size,
	};
	int file = source->memory ? source->memory(source) : -1;

	trace(&source->trace, TRACE_STEPS, "lends its memory to the porter",
	      TRACE_NUMBER("possible", file >= 0));
	if (file >= 0)
		raw_send_fds(stream, &where, sizeof(where), &file, 1);
	raw_close(stream);
}

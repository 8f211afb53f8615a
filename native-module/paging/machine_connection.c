// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/machine_connection.h"

#include <errno.h>

#include "paging/raw_message.h"
#include "proto/wire.h"

static bool answer(int fd, int status, uint32_t length)
{
	struct wire_header h = {
		.magic = WIRE_MAGIC,
		.version = WIRE_VERSION,
		.type = WIRE_ANSWER,
		.status = status,
		.length = length,
	};

	return raw_send_all(fd, &h, sizeof(h), length ? MSG_MORE : 0);
}

bool machine_connection_open(int fd, const struct descriptor_header *descriptor)
{
	return answer(fd, 0, descriptor->total_size) &&
	       raw_send_all(fd, descriptor, descriptor->total_size, 0);
}

static const char zero_page[4096];

/*
 * Sends straight from the snapshot's memory. Pages behind the end of a file,
 * which the parent could not read either, are sent as zeros.
 */
static bool send_pages(struct page_source *source, uint64_t page_size, int fd,
		       uint64_t address, uint64_t length)
{
	bool one_page = false;

	while (length) {
		uint64_t rest = page_size - address % page_size;
		uint64_t n = one_page ? rest : length;
		const void *bytes;
		long sent;

		if (source->fetch(source, address, &n, &bytes))
			return false;
		sent = raw_syscall(SYS_sendto, fd, bytes, n,
				   MSG_NOSIGNAL | (n < length ? MSG_MORE : 0), 0, 0);
		if (sent == -EINTR)
			continue;
		if (sent == -EFAULT && n > rest) {
			/* It may have been a later page, with nothing sent before it. */
			one_page = true;
			continue;
		}
		one_page = false;
		if (sent == -EFAULT) {
			sent = rest;
			if (!raw_send_all(fd, zero_page, sent,
					  rest < length ? MSG_MORE : 0))
				return false;
		}
		if (sent <= 0)
			return false;
		address += sent;
		length -= sent;
	}
	return true;
}

bool machine_connection_serve(int fd, struct page_source *source, uint64_t page_size,
			      bool dropped)
{
	struct {
		struct wire_header header;
		struct wire_pages pages;
	} request;
	long n = raw_syscall(SYS_recvfrom, fd, &request, sizeof(request),
			     MSG_WAITALL, 0, 0);
	const struct wire_pages *p = &request.pages;

	if (n != sizeof(request) || request.header.magic != WIRE_MAGIC ||
	    request.header.version != WIRE_VERSION ||
	    request.header.type != WIRE_PAGES ||
	    request.header.length != sizeof(request.pages))
		return false;
	trace(&source->trace, TRACE_PAGES, "other machine asks for pages",
	      TRACE_NUMBER("address", p->address),
	      TRACE_NUMBER("length", p->length));
	/* A request for no pages asks whether the snapshot is still there. */
	if (!p->length)
		return answer(fd, dropped ? -ENOENT : 0, 0);
	if (p->address % page_size || p->length % page_size ||
	    p->length > WIRE_PAGES_MAX)
		return answer(fd, -EINVAL, 0);
	if (!descriptor_covers(source->descriptor, p->address, p->length))
		return answer(fd, -EFAULT, 0);
	return answer(fd, 0, p->length) &&
	       send_pages(source, page_size, fd, p->address, p->length);
}

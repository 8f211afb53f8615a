// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/machine_connection.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "paging/raw_message.h"

static const char zero_page[4096];

static int64_t now_ms(void)
{
	struct timespec t = { 0 };

	raw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

/* What sendto() returns; `more` follows at once. */
static long send_some(int fd, const void *bytes, uint64_t size, bool more)
{
	long sent;

	do {
		sent = raw_syscall(
			SYS_sendto, fd, bytes, size,
			MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0), 0, 0);
	} while (sent == -EINTR);
	return sent;
}

/*
 * Sends straight from the snapshot's memory, as much as the socket takes. Pages
 * behind the end of a file, which the parent could not read either, are sent as
 * zeros. Returns what sendto() returns.
 */
static long send_memory(const struct machine_connection *c, int fd,
			struct page_source *source, uint64_t page_size)
{
	uint64_t rest = page_size - c->address % page_size;
	uint64_t n = c->left;
	const void *bytes;
	long sent;

	if (source->fetch(source, c->address, &n, &bytes))
		return -EIO;
	sent = send_some(fd, bytes, n, n < c->left);
	/* It may have been a later page, with nothing sent before it. */
	if (sent == -EFAULT && n > rest)
		sent = send_some(fd, bytes, rest, rest < c->left);
	if (sent == -EFAULT)
		sent = send_some(fd, zero_page, rest, rest < c->left);
	return sent;
}

static long send_next(const struct machine_connection *c, int fd,
		      struct page_source *source, uint64_t page_size)
{
	const char *end = (const char *)(&c->header + 1);
	const struct descriptor_header *d = source->descriptor;

	if (c->header_left)
		return send_some(fd, end - c->header_left, c->header_left, c->left);
	if (c->descriptor)
		return send_some(fd, c->descriptor + d->total_size - c->left,
				 c->left, false);
	return send_memory(c, fd, source, page_size);
}

static bool sends(const struct machine_connection *c)
{
	return c->header_left || c->left;
}

short machine_connection_events(const struct machine_connection *c)
{
	return sends(c) ? POLLOUT : POLLIN;
}

/* Sends what the socket takes of an answer. */
static bool go_on(struct machine_connection *c, int fd, struct page_source *source,
		  uint64_t page_size)
{
	while (sends(c)) {
		long sent = send_next(c, fd, source, page_size);

		if (sent == -EAGAIN) {
			if (!c->deadline_ms)
				c->deadline_ms = now_ms() + MACHINE_ANSWER_MS;
			return true;
		}
		if (sent <= 0)
			return false;
		if (c->header_left) {
			c->header_left -= sent;
			continue;
		}
		c->address += sent;
		c->left -= sent;
	}
	c->descriptor = NULL;
	c->deadline_ms = 0;
	return true;
}

int machine_connection_timeout(const struct machine_connection *c)
{
	int64_t left;

	if (!sends(c))
		return -1;
	left = c->deadline_ms - now_ms();
	return left > 0 ? left : 0;
}

static void begin(struct machine_connection *c, int status, uint32_t length)
{
	c->header = (struct wire_header){
		.magic = WIRE_MAGIC,
		.version = WIRE_VERSION,
		.type = WIRE_ANSWER,
		.status = status,
		.length = length,
	};
	c->header_left = sizeof(c->header);
	c->left = length;
}

bool machine_connection_open(struct machine_connection *c, int fd,
			     struct page_source *source, uint64_t page_size)
{
	begin(c, 0, source->descriptor->total_size);
	c->descriptor = (const char *)source->descriptor;
	return go_on(c, fd, source, page_size);
}

/* The status of the answer to a whole request. */
static int check(const struct wire_pages *p, const struct page_source *source,
		 uint64_t page_size, bool dropped)
{
	/* A request for no pages asks whether the snapshot is still there. */
	if (!p->length)
		return dropped ? -ENOENT : 0;
	if (p->address % page_size || p->length % page_size ||
	    p->length > WIRE_PAGES_MAX)
		return -EINVAL;
	return descriptor_covers(source->descriptor, p->address, p->length)
		       ? 0
		       : -EFAULT;
}

bool machine_connection_serve(struct machine_connection *c, int fd,
			      struct page_source *source, uint64_t page_size,
			      bool dropped)
{
	const struct wire_pages *p = &c->request.pages;
	int status;
	long n;

	if (sends(c))
		return go_on(c, fd, source, page_size);
	n = raw_syscall(SYS_recvfrom, fd, (char *)&c->request + c->received,
			sizeof(c->request) - c->received, MSG_DONTWAIT, 0, 0);
	if (n == -EAGAIN || n == -EINTR)
		return true;
	if (n <= 0)
		return false;
	c->received += n;
	if (c->received < sizeof(c->request))
		return true;
	c->received = 0;
	if (c->request.header.magic != WIRE_MAGIC ||
	    c->request.header.version != WIRE_VERSION ||
	    c->request.header.type != WIRE_PAGES ||
	    c->request.header.length != sizeof(c->request.pages))
		return false;
	trace(&source->trace, TRACE_PAGES, "other machine asks for pages",
	      TRACE_NUMBER("address", p->address),
	      TRACE_NUMBER("length", p->length));
	status = check(p, source, page_size, dropped);
	begin(c, status, status ? 0 : p->length);
	c->address = p->address;
	return go_on(c, fd, source, page_size);
}

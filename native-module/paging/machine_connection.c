// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/machine_connection.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>

#include "paging/raw_clock.h"
#include "paging/raw_message.h"
#include "proto/user/sealing.h"
#include "proto/user/sha256.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif

/*
 * Of a range more is not looked at, and may all be there: without PAGEMAP_SCAN (Linux 6.7)
 * the kernel tells 8 bytes a page, which other clients would wait for.
 */
#define RUNS_LOOKED_AT_MAX (64ull << 30)

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
 * Sends straight from the snapshot's memory, as much as the socket takes. Returns what
 * sendto() returns: -EFAULT if a page can no longer be read, see is_readable().
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
	return sent;
}

static long send_next(const struct machine_connection *c, int fd,
		      struct page_source *source, uint64_t page_size)
{
	const char *end = (const char *)(&c->header + 1);

	if (c->header_left)
		return send_some(fd, end - c->header_left, c->header_left, c->left);
	if (c->body_end)
		return send_some(fd, c->body_end - c->left, c->left, false);
	return send_memory(c, fd, source, page_size);
}

/* Copies what comes next of the body. False if a page can no longer be read. */
static bool take_body(struct machine_connection *c, struct page_source *source,
		      uint8_t *to, uint64_t size)
{
	if (c->body_end)
		__builtin_memcpy(to, c->body_end - c->left, size);
	else if (source->read(source, c->address, to, size))
		return false;
	c->address += size;
	c->left -= size;
	return true;
}

/* Seals as much of the answer as the buffer has room for. Returns 0 or -EFAULT. */
static int seal_some(struct machine_connection *c, struct page_source *source)
{
	const char *header_end = (const char *)(&c->header + 1);
	struct sealing *s = c->sealing;

	s->begin = s->end = 0;
	while ((c->header_left || c->left) &&
	       s->end + RECORD_MAX <= sizeof(s->buffer)) {
		uint8_t *record = s->buffer + s->end;
		uint8_t *text = record + sizeof(struct wire_record);
		uint64_t first = c->header_left;
		uint64_t size = WIRE_RECORD_TEXT_MAX - first;

		size = size < c->left ? size : c->left;
		__builtin_memcpy(text, header_end - first, first);
		c->header_left = 0;
		if (size && !take_body(c, source, text + first, size))
			return -EFAULT;
		record_seal(&s->out, text, first + size, record);
		s->end += RECORD_EXTRA + first + size;
	}
	return 0;
}

static bool sends(const struct machine_connection *c)
{
	return c->header_left || c->left ||
	       (c->sealing && c->sealing->begin < c->sealing->end);
}

short machine_connection_events(const struct machine_connection *c)
{
	return c->waits ? 0 : sends(c) ? POLLOUT : POLLIN;
}

static long send_records(struct machine_connection *c, int fd,
			 struct page_source *source)
{
	struct sealing *s = c->sealing;
	long sent;
	int err = s->begin == s->end ? seal_some(c, source) : 0;

	if (err)
		return err;
	sent = send_some(fd, s->buffer + s->begin, s->end - s->begin, c->left);
	if (sent > 0)
		s->begin += sent;
	return sent;
}

static long send_plain(struct machine_connection *c, int fd,
		       struct page_source *source, uint64_t page_size)
{
	long sent = send_next(c, fd, source, page_size);

	if (sent > 0 && c->header_left) {
		c->header_left -= sent;
	} else if (sent > 0) {
		c->address += sent;
		c->left -= sent;
	}
	return sent;
}

/* Sends what the socket takes of an answer. */
static bool go_on(struct machine_connection *c, int fd, struct page_source *source,
		  uint64_t page_size)
{
	while (sends(c)) {
		long sent = c->sealing ? send_records(c, fd, source)
				       : send_plain(c, fd, source, page_size);

		if (sent == -EAGAIN) {
			if (!c->deadline_ms)
				c->deadline_ms = raw_now_ms() + source->answer_ms;
			return true;
		}
		if (sent <= 0)
			return false;
	}
	c->body_end = NULL;
	c->deadline_ms = 0;
	return !c->is_last;
}

int machine_connection_timeout(const struct machine_connection *c)
{
	int64_t left;

	if (!sends(c))
		return -1;
	left = c->deadline_ms - raw_now_ms();
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

/* As sealing_create(), without libc. */
static struct sealing *map_sealing(const struct local_sealing *passed)
{
	long p = raw_syscall(SYS_mmap, RAW_MAP_HINT(RAW_MAP_SEALING),
			     sizeof(struct sealing), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sealing *s = (struct sealing *)p;

	if (p < 0 && p > -4096)
		return NULL;
	if (raw_syscall(SYS_madvise, p, sizeof(*s), MADV_DONTFORK) ||
	    raw_syscall(SYS_madvise, p, sizeof(*s), MADV_DONTDUMP)) {
		raw_syscall(SYS_munmap, p, sizeof(*s));
		return NULL;
	}
	sealing_init(s, &passed->in, passed->in_number, &passed->out,
		     passed->out_number, passed->wide);
	return s;
}

void machine_connection_close(struct machine_connection *c)
{
	if (c->sealing)
		raw_syscall(SYS_munmap, c->sealing, sizeof(*c->sealing));
	c->sealing = NULL;
}

bool machine_connection_open(struct machine_connection *c, int fd,
			     struct page_source *source, uint64_t page_size,
			     const struct local_sealing *sealing, int refusal)
{
	if (sealing) {
		c->sealing = map_sealing(sealing);
		if (!c->sealing)
			return false;
	}
	if (refusal) {
		begin(c, refusal, 0);
		c->is_last = true;
		return go_on(c, fd, source, page_size);
	}
	begin(c, 0, source->descriptor->total_size);
	c->body_end = (const char *)source->descriptor + c->left;
	return go_on(c, fd, source, page_size);
}

/*
 * Whether each page can be read: there is none behind the end of a file, where huge pages
 * have run out, and where the parent has a guard (MADV_GUARD_INSTALL). An answer whose
 * length has been sent cannot say so. Page by page where one call does not tell.
 */
static bool is_readable(struct page_source *source, uint64_t page_size,
			uint64_t start, uint64_t end)
{
	const struct descriptor_vma *vmas = descriptor_vmas(source->descriptor);
	uint32_t i;

	for (i = 0; i < source->descriptor->vma_count && vmas[i].start < end; i++) {
		uint64_t at = vmas[i].start < start ? start : vmas[i].start;
		uint64_t limit = vmas[i].end < end ? vmas[i].end : end;
		char byte;

		if (at >= limit ||
		    !raw_syscall(SYS_madvise, at, limit - at, MADV_POPULATE_READ))
			continue;
		for (; at < limit; at += page_size)
			if (source->read(source, at, &byte, 1))
				return false;
	}
	return true;
}

/*
 * Fetches them all, after which those of another machine are here. Returns what fetch() returns, of the
 * first that is not there.
 */
static int get_all(struct page_source *source, uint64_t start, uint64_t end)
{
	int err = 0;

	source->sets_aside = true;
	while (!err && start < end) {
		uint64_t length = end - start;
		const void *bytes;

		source->needed = start;
		err = source->fetch(source, start, &length, &bytes);
		start += length;
	}
	source->sets_aside = false;
	return err;
}

/* The status of the answer to a whole request; -EINPROGRESS: it cannot be told yet. */
static int check(const struct wire_pages *p, struct page_source *source,
		 uint64_t page_size, bool dropped)
{
	int err;

	/* A request for no pages asks whether the snapshot is still there. */
	if (!p->length)
		return dropped ? -ENOENT : source->admit ? source->admit(source) : 0;
	if (p->address % page_size || p->length % page_size ||
	    p->length > WIRE_PAGES_MAX)
		return -EINVAL;
	if (!descriptor_covers(source->descriptor, p->address, p->length))
		return -EFAULT;
	err = get_all(source, p->address, p->address + p->length);
	if (err || source->remote)
		return err;
	return is_readable(source, page_size, p->address, p->address + p->length)
		       ? 0
		       : -EFAULT;
}

/* Begins the answer to WIRE_RUNS. */
static void answer_runs(struct machine_connection *c, struct page_source *source,
			uint64_t page_size)
{
	const struct wire_pages *p = &c->request.pages;
	uint64_t at = p->address, end_of_range = p->address + p->length;
	uint64_t limit = p->length < RUNS_LOOKED_AT_MAX ? end_of_range
							: at + RUNS_LOOKED_AT_MAX;
	uint32_t count = 0;
	int err = 0;

	if (p->address % page_size || p->length % page_size)
		err = -EINVAL;
	else if (!descriptor_covers(source->descriptor, p->address, p->length))
		err = -EFAULT;
	while (!err && at < limit && count < WIRE_RUNS_MAX) {
		uint64_t start = at, end = limit;

		err = source->next_run(source, &start, &end);
		if (err)
			break;
		c->runs[count++] = (struct wire_run){ start, end - start };
		at = end;
	}
	if (err == -ENOENT)
		err = 0;
	if (!err && limit < end_of_range && count < WIRE_RUNS_MAX)
		c->runs[count++] = (struct wire_run){ limit, end_of_range - limit };
	begin(c, err, err ? 0 : count * sizeof(c->runs[0]));
	c->body_end = (const char *)c->runs + c->left;
}

static int digest_page(struct page_source *source, uint64_t page_size, uint64_t at,
		       struct sha256 h, uint8_t to[WIRE_DIGEST_SIZE])
{
	uint8_t bytes[SHA256_BLOCK * 8], digest[SHA256_SIZE];
	uint64_t done;

	for (done = 0; done < page_size; done += sizeof(bytes)) {
		if (source->read(source, at + done, bytes, sizeof(bytes)))
			return -EFAULT;
		sha256_update(&h, bytes, sizeof(bytes));
	}
	sha256_final(&h, digest);
	__builtin_memcpy(to, digest, WIRE_DIGEST_SIZE);
	return 0;
}

/* Begins the answer to WIRE_DIGESTS. Who has its pages from elsewhere has nothing to say of them. */
static void answer_digests(struct machine_connection *c, struct page_source *source,
			   uint64_t page_size)
{
	const struct wire_pages *p = &c->request.pages;
	uint64_t pages = p->length / page_size, i;
	struct sha256 fresh;
	int err = 0;

	sha256_init_bulk(&fresh);
	if (source->remote)
		err = -EOPNOTSUPP;
	else if (p->address % page_size || p->length % page_size || !pages ||
		 pages > WIRE_DIGESTS_MAX)
		err = -EINVAL;
	else if (!descriptor_covers(source->descriptor, p->address, p->length))
		err = -EFAULT;
	else
		err = get_all(source, p->address, p->address + p->length);
	c->waits = err == -EINPROGRESS;
	if (c->waits)
		return;
	for (i = 0; !err && i < pages; i++)
		err = digest_page(source, page_size, p->address + i * page_size,
				  fresh, c->digests[i]);
	begin(c, err, err ? 0 : pages * WIRE_DIGEST_SIZE);
	c->body_end = (const char *)c->digests + c->left;
}

/*
 * Receives up to `size` bytes. Returns 1 when they are all there, 0 if some are
 * still to come, -ECONNRESET at the end of the connection.
 */
static int receive_until(struct machine_connection *c, int fd, void *bytes,
			 uint32_t size)
{
	long n = raw_syscall(SYS_recvfrom, fd, (char *)bytes + c->received,
			     size - c->received, MSG_DONTWAIT, 0, 0);

	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n <= 0)
		return -ECONNRESET;
	c->received += n;
	return c->received == size ? 1 : 0;
}

/* Returns 1 when `request` is whole, 0 if it is not yet, or -errno. */
static int receive_sealed(struct machine_connection *c, int fd)
{
	struct sealing *s = c->sealing;
	int size, got = receive_until(c, fd, s->message,
				      RECORD_EXTRA + sizeof(c->request));

	if (got < 0 || c->received < sizeof(struct wire_record))
		return got;
	/* A wrong header is told without what it promises. */
	size = sealing_message_size(s);
	if (size < 0)
		return size;
	if (size != RECORD_EXTRA + sizeof(c->request))
		return -EMSGSIZE;
	if (got == 1)
		size = sealing_open_message(s, (uint8_t *)&c->request);
	return size < 0 ? size : got;
}

static bool refuse(struct machine_connection *c, int fd, struct page_source *source,
		   uint64_t page_size, int err)
{
	trace(&source->trace, TRACE_STEPS, "ends another machine's session",
	      TRACE_NUMBER("sealed", c->sealing != NULL),
	      TRACE_NUMBER("status", -err));
	if (!c->sealing || err == -ECONNRESET)
		return false;
	begin(c, err, 0);
	c->is_last = true;
	return go_on(c, fd, source, page_size);
}

static bool answer_pages(struct machine_connection *c, int fd,
			 struct page_source *source, uint64_t page_size,
			 bool dropped)
{
	const struct wire_pages *p = &c->request.pages;
	int status = check(p, source, page_size, dropped);

	c->waits = status == -EINPROGRESS;
	if (c->waits)
		return true;
	begin(c, status, status ? 0 : p->length);
	c->address = p->address;
	return go_on(c, fd, source, page_size);
}

static bool answer(struct machine_connection *c, int fd, struct page_source *source,
		   uint64_t page_size, bool dropped)
{
	switch (c->request.header.type) {
	case WIRE_RUNS:
		answer_runs(c, source, page_size);
		return go_on(c, fd, source, page_size);
	case WIRE_DIGESTS:
		answer_digests(c, source, page_size);
		return c->waits || go_on(c, fd, source, page_size);
	default:
		return answer_pages(c, fd, source, page_size, dropped);
	}
}

bool machine_connection_retry(struct machine_connection *c, int fd,
			      struct page_source *source, uint64_t page_size,
			      bool dropped)
{
	return !c->waits || answer(c, fd, source, page_size, dropped);
}

bool machine_connection_serve(struct machine_connection *c, int fd,
			      struct page_source *source, uint64_t page_size,
			      bool dropped)
{
	const struct wire_pages *p = &c->request.pages;
	int got;

	if (sends(c))
		return go_on(c, fd, source, page_size);
	got = c->sealing ? receive_sealed(c, fd)
			 : receive_until(c, fd, &c->request, sizeof(c->request));
	if (!got)
		return true;
	c->received = 0;
	if (got > 0 && (c->request.header.magic != WIRE_MAGIC ||
			c->request.header.version != WIRE_VERSION ||
			(c->request.header.type != WIRE_PAGES &&
			 c->request.header.type != WIRE_RUNS &&
			 c->request.header.type != WIRE_DIGESTS) ||
			c->request.header.length != sizeof(c->request.pages)))
		got = -EPROTO;
	if (got < 0)
		return refuse(c, fd, source, page_size, got);
	trace(&source->trace, TRACE_PAGES, "other machine asks for pages",
	      TRACE_NUMBER("address", p->address),
	      TRACE_NUMBER("length", p->length));
	return answer(c, fd, source, page_size, dropped);
}

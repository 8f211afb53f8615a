// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/remote_memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/replica_memory.h"
#include "local/clock.h"
#include "paging/recording.h"

/* Each machine between this one and the snapshot's may have one that has been dropped. */
#define REOPEN_TRIES 16

/* Of which a connection may take less: bytes. */
#define REPLICA_READ_MAX (256u << 10)

/* How often what could go on alone asks whether the snapshot has been dropped. */
#define ASK_MS 1000

void remote_memory_expect_end(struct remote_memory *m)
{
	snprintf(m->failure, sizeof(m->failure),
		 "mitosis: machine %u at %s has closed the connection to snapshot "
		 "%u; the child ends\n",
		 m->machine_id, m->place, m->handler_id);
	m->source.failure = m->failure;
}

static int give_up(struct remote_memory *m, uint64_t address, int err)
{
	snprintf(m->failure, sizeof(m->failure),
		 "mitosis: machine %u at %s does not deliver page %#llx of snapshot "
		 "%u: %s; the child ends\n",
		 m->machine_id, m->place, (unsigned long long)address, m->handler_id,
		 wire_problem(err));
	if (!m->quiet)
		fputs(m->failure, stderr);
	return err;
}

int remote_memory_verify(struct remote_memory *m, uint64_t address, uint64_t length,
			 int err, const void *bytes)
{
	/* Of several pages one that cannot be read: they are asked for again, one by one. */
	if (err && (err != -EFAULT || length > m->page_size))
		return 0;
	return origin_check(&m->origin, address, length, err ? NULL : bytes);
}

static int ask(struct remote_memory *m, uint64_t address, uint64_t length)
{
	return page_requests_ask(&m->requests, address, length);
}

static int receive_pages(struct remote_memory *m, uint64_t length, void *bytes)
{
	return page_requests_receive(&m->requests, length, bytes);
}

static int drop_asked(struct remote_memory *m)
{
	return page_requests_drop(&m->requests);
}

static int request_pages(struct remote_memory *m, uint64_t address, uint64_t length,
			 void *buffer, const void **bytes)
{
	int err = page_requests_get(&m->requests, address, length, buffer, bytes);
	int differs = remote_memory_verify(m, address, length, err, *bytes);

	if (differs)
		return give_up(m, address, differs);
	if (!err || err == -EFAULT || err == -EINPROGRESS)
		return err;
	give_up(m, address, err);
	/* As a status it ends the connection, not these pages alone. */
	return err == -EREMOTEIO ? -EIO : err;
}

static void free_cache(struct remote_memory *m)
{
	if (m->cache)
		munmap(m->cache, m->cache_size);
	free(m->offsets);
	free(m->filled);
	m->cache = NULL;
	m->offsets = NULL;
	m->filled = NULL;
}

static void close_cache(struct page_source *source)
{
	if (!source->caching)
		free_cache((struct remote_memory *)source);
}

/* Returns false without memory: pages are then not kept. */
static bool open_cache(struct remote_memory *m)
{
	uint64_t size = 0;
	uint32_t i;

	m->offsets = calloc(m->map.count + 1, sizeof(*m->offsets));
	for (i = 0; m->offsets && i < m->map.count; i++) {
		m->offsets[i] = size;
		size += m->map.segments[i].end - m->map.segments[i].start;
	}
	m->filled = calloc(size / m->page_size + 1, 1);
	m->cache_size = size;
	m->cache = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->cache == MAP_FAILED)
		m->cache = NULL;
	if (m->offsets && m->filled && m->cache)
		return true;
	free_cache(m);
	m->source.caching = false;
	m->cache_failed = true;
	return false;
}

/* Of a page of this segment, in the cache. */
static uint64_t cache_offset(const struct remote_memory *m, const struct segment *s,
			     uint64_t address)
{
	return m->offsets[s - m->map.segments] + (address - s->start);
}

static int cached_fetch(struct remote_memory *m, uint64_t address, uint64_t *length,
			const void **bytes)
{
	const struct segment *s;
	uint64_t at, page, pages, n;
	const void *came;
	int err;

	s = address_map_find(&m->map, address);
	if (!s)
		return -EFAULT;
	at = cache_offset(m, s, address);
	page = at / m->page_size;
	pages = (*length < s->end - address ? *length : s->end - address) /
		m->page_size;
	/* A run of pages that are all cached, or all missing. */
	for (n = 1; n < pages && m->filled[page + n] == m->filled[page];)
		n++;
	*length = n * m->page_size;
	*bytes = m->cache + at;
	if (m->filled[page])
		return 0;
	err = request_pages(m, address, *length, m->cache + at, &came);
	if (err)
		return err;
	if (came != m->cache + at)
		memcpy(m->cache + at, came, *length);
	memset(m->filled + page, 1, n);
	return 0;
}

/* Where pages are to be kept; else they are not. */
static bool keeps_pages(struct remote_memory *m)
{
	return !m->cache_failed &&
	       (m->source.caching || recording_is_on(m->source.recording)) &&
	       (m->cache || open_cache(m));
}

/* Pages that have come late, as those that came in time. */
static void keep(struct remote_memory *m, uint64_t address, uint64_t length,
		 const void *bytes)
{
	const struct segment *s = address_map_find(&m->map, address);
	uint64_t at;

	if (!s)
		return;
	if (length > s->end - address)
		length = s->end - address;
	at = cache_offset(m, s, address);
	memcpy(m->cache + at, bytes, length);
	memset(m->filled + at / m->page_size, 1, length / m->page_size);
}

/*
 * The machine does not answer any more. True if the replica here has all, and the snapshot had not been
 * dropped: it goes on from that, for the rest of this process's life.
 */
static bool go_alone(struct remote_memory *m)
{
	if (m->source.alone)
		return true;
	if (m->dropped || !lone_replica_has_all(&m->replica))
		return false;
	m->source.alone = true;
	fprintf(stderr,
		"mitosis: machine %u at %s has gone; its snapshot %u goes on from "
		"the replica here, which has all of it\n",
		m->machine_id, m->place, m->handler_id);
	snprintf(m->failure, sizeof(m->failure),
		 "mitosis: machine %u at %s has gone, and so has the replica that "
		 "had snapshot %u; the child ends\n",
		 m->machine_id, m->place, m->handler_id);
	m->source.failure = m->failure;
	return true;
}

static int fetch_alone(struct remote_memory *m, uint64_t address, uint64_t *length,
		       const void **bytes)
{
	*bytes = m->buffer;
	return lone_replica_fetch(&m->replica, m->source.descriptor, address, length,
				  m->buffer, WIRE_PAGES_MAX);
}

/* As fetch() of a source that sets pages aside. */
static int fetch_or_set_aside(struct page_source *source, uint64_t address,
			      uint64_t *length, const void **bytes)
{
	struct remote_memory *m = (struct remote_memory *)source;
	uint64_t limit = rdma_link_request_max(m->requests.rdma) ?: WIRE_PAGES_MAX;

	int err;

	if (source->alone)
		return fetch_alone(m, address, length, bytes);
	if (*length > limit)
		*length = limit;
	recent_chunks_note(&m->recent, address, *length);
	if (m->replica.memory >= 0) {
		uint64_t there = replica_memory_read(
			m->replica.memory, source->descriptor, address,
			*length < REPLICA_READ_MAX ? *length : REPLICA_READ_MAX,
			m->buffer);

		if (there) {
			*length = there;
			*bytes = m->buffer;
			return 0;
		}
	}
	err = m->requests.set_aside
		      ? m->requests.find_aside(&m->requests, address, length, bytes)
		      : -ENOENT;
	if (!err && keeps_pages(m))
		keep(m, address, *length, *bytes);
	if (err != -ENOENT)
		return err;
	if (keeps_pages(m))
		err = cached_fetch(m, address, length, bytes);
	else
		err = request_pages(m, address, *length, m->buffer, bytes);
	return err && err != -EFAULT && err != -EINPROGRESS && go_alone(m)
		       ? fetch_alone(m, address, length, bytes)
		       : err;
}

static int remote_fetch(struct page_source *source, uint64_t address,
			uint64_t *length, const void **bytes)
{
	const struct page_requests *r = &((struct remote_memory *)source)->requests;
	const uint64_t whole = *length;
	int err = fetch_or_set_aside(source, address, length, bytes);

	while (err == -EINPROGRESS && !source->sets_aside) {
		r->wait_for_aside(r);
		*length = whole;
		err = fetch_or_set_aside(source, address, length, bytes);
	}
	return err;
}

/* A page that the cache holds, or NULL. */
static const void *cached_page(const struct remote_memory *m, uint64_t address)
{
	const struct segment *s =
		m->cache ? address_map_find(&m->map, address) : NULL;
	uint64_t at;

	if (!s)
		return NULL;
	at = cache_offset(m, s, address);
	return m->filled[at / m->page_size] ? m->cache + at : NULL;
}

/* Requests that are under way at a time: their answers fit into a socket's buffer. */
#define REQUESTS_MAX 16u

/* Without the machine: nothing takes a round trip. */
static int read_many_alone(struct remote_memory *m, uint64_t *pages, uint32_t count,
			   char *to)
{
	uint32_t i;

	for (i = 0; i < count; i++, to += m->page_size) {
		uint64_t length = m->page_size;
		const void *page;
		int err = pages[i] == PAGE_SOURCE_NONE
				  ? -EFAULT
				  : fetch_alone(m, pages[i], &length, &page);

		if (err && err != -EFAULT)
			return err;
		if (err)
			pages[i] = PAGE_SOURCE_NONE;
		else
			memcpy(to, page, m->page_size);
	}
	return 0;
}

static int read_many_there(struct remote_memory *m, uint64_t *pages, uint32_t count,
			   void *bytes)
{
	uint32_t asked = 0, under_way = 0, i;
	int dropped = drop_asked(m);
	char *to = bytes;

	if (dropped)
		return give_up(m, count ? pages[0] : 0, dropped);
	for (i = 0; i < count; i++, to += m->page_size) {
		const void *cached = cached_page(m, pages[i]);
		int err = 0;

		for (; !err && asked < count && under_way < REQUESTS_MAX; asked++)
			if (!cached_page(m, pages[asked])) {
				err = ask(m, pages[asked], m->page_size);
				under_way++;
			}
		if (!err && cached) {
			memcpy(to, cached, m->page_size);
			continue;
		}
		if (!err)
			err = receive_pages(m, m->page_size, to);
		if (remote_memory_verify(m, pages[i], m->page_size, err, to))
			err = -EBADE;
		if (err && err != -EFAULT)
			return give_up(m, pages[i], err);
		if (err)
			pages[i] = PAGE_SOURCE_NONE;
		else
			page_requests_count(&m->requests, WAY_TCP, 1);
		under_way--;
	}
	return 0;
}

static int remote_read_many(struct page_source *source, uint64_t *pages,
			    uint32_t count, void *bytes)
{
	struct remote_memory *m = (struct remote_memory *)source;
	int err = source->alone ? -EIO : read_many_there(m, pages, count, bytes);

	return err && go_alone(m) ? read_many_alone(m, pages, count, bytes) : err;
}

static int next_run_there(struct remote_memory *m, uint64_t *start, uint64_t *end)
{
	/* What is in no run reads as zeros: to be verified as well. */
	struct wire_connection *c =
		m->origin.checks ? &m->origin.connection : &m->requests.connection;
	int err = -EAGAIN;

	while (err == -EAGAIN) {
		if (!remote_runs_know(&m->runs, *start)) {
			err = drop_asked(m);
			if (!err)
				err = remote_runs_ask(&m->runs, c, m->page_size,
						      *start, *end);
			if (err)
				return give_up(m, *start, err);
		}
		err = remote_runs_next(&m->runs, start, end);
	}
	return err;
}

static int remote_next_run(struct page_source *source, uint64_t *start,
			   uint64_t *end)
{
	struct remote_memory *m = (struct remote_memory *)source;
	const uint64_t whole[2] = { *start, *end };
	int err = source->alone ? -EIO : next_run_there(m, start, end);

	if (!err || err == -ENOENT || !go_alone(m))
		return err;
	/* More than there is, which a server may name. */
	*start = whole[0];
	*end = whole[1];
	return 0;
}

static int remote_read(struct page_source *source, uint64_t address, void *buffer,
		       size_t size)
{
	struct remote_memory *m = (struct remote_memory *)source;

	while (size) {
		uint64_t offset = address % m->page_size;
		uint64_t n =
			m->page_size - offset < size ? m->page_size - offset : size;
		uint64_t length = m->page_size;
		const void *page;
		int err = remote_fetch(source, address - offset, &length, &page);

		if (err)
			return err;
		memcpy(buffer, (const char *)page + offset, n);
		buffer = (char *)buffer + n;
		address += n;
		size -= n;
	}
	return 0;
}

/* Sends a request for no pages, which a dropped snapshot's shadow refuses. */
static int remote_admit(struct page_source *source)
{
	struct remote_memory *m = (struct remote_memory *)source;
	const struct wire_pages none = { 0 };
	int err;

	if (source->alone)
		return lone_replica_has_all(&m->replica) ? 0 : -EIO;
	err = drop_asked(m);
	read_ahead_restart(m->requests.read_ahead);
	m->cache_failed = false;
	if (!err)
		err = wire_call(&m->requests.connection, WIRE_PAGES, &none,
				sizeof(none));
	m->asked_ms = now_ms();
	/*
	 * It answers that there are no further children: dropped, or no longer permitted. Unless that is a
	 * machine between that has lost its own: -EIO.
	 */
	if (err && err != -EIO && !m->requests.connection.failure)
		m->dropped = true;
	return err && go_alone(m) ? 0 : err;
}

static bool remote_go_alone(struct page_source *source)
{
	return go_alone((struct remote_memory *)source);
}

/* Only one whose replica is filled could go on alone. */
static int remote_ask_in_ms(const struct page_source *source)
{
	const struct remote_memory *m = (const struct remote_memory *)source;
	int64_t left;

	if (m->replica.memory < 0 || source->alone)
		return -1;
	left = m->asked_ms + ASK_MS - now_ms();
	return left > 0 ? left : 0;
}

/* Asks for the snapshot, where it is or from a machine that has its pages, too. */
static int ask_to_open(struct remote_memory *m)
{
	struct wire_connection *c = &m->requests.connection;
	const struct wire_open of_it = {
		.handler_id = m->handler_id,
		.owner_uid = geteuid(),
	};
	const struct wire_open_replica of_another = {
		.handler_id = m->handler_id,
		.owner_uid = geteuid(),
		.machine_id = m->machine_id,
	};

	if (c->machine_id == m->machine_id)
		return wire_send(c, WIRE_OPEN, &of_it, sizeof(of_it));
	return wire_send(c, WIRE_OPEN_REPLICA, &of_another, sizeof(of_another));
}

static int open_snapshot(struct remote_memory *m,
			 const struct local_address *address)
{
	struct wire_rights rights = { 0 };
	struct sockaddr_in6 where;
	uint32_t length;
	void *descriptor = NULL;
	int err;

	local_address_to_socket(address, &where);
	err = wire_connect_within(&m->requests.connection, &where, m->auth,
				  m->deadline_ms ?: wire_deadline_ms());
	if (err == -EPROTOTYPE && !m->quiet)
		fprintf(stderr,
			"mitosis: sessions of machine %u at %s are protected by "
			"'%s', ours by '%s'; give both the same "
			"MITOSIS_PROTECTION\n",
			m->machine_id, m->place,
			auth_protection_name(m->requests.connection.its_protection),
			auth_protection_name(m->auth->protection));
	if (err)
		return err;
	if (m->requests.connection.machine_id != m->machine_id &&
	    address->transport != LOCAL_TRANSPORT_REPLICA)
		return -EINVAL;
	err = ask_to_open(m);
	if (!err)
		err = wire_receive_rights(&m->requests.connection, &rights);
	m->rights = rights.has;
	m->snapshot = rights.snapshot;
	if (!err)
		err = wire_receive_answer(&m->requests.connection, &length);
	if (!err && length > WIRE_DESCRIPTOR_MAX)
		err = -EMSGSIZE;
	if (!err) {
		descriptor = malloc(length);
		err = descriptor ? wire_receive(&m->requests.connection, descriptor,
						length)
				 : -ENOMEM;
	}
	if (!err && descriptor_check(descriptor, length, m->page_size))
		err = -EBADMSG;
	if (err)
		return err;
	if (m->verified_by)
		err = origin_open(&m->origin, m->verified_by, m->auth, m->machine_id,
				  m->handler_id, descriptor, &m->rights);
	if (err)
		return err;
	rights_limit(descriptor, &m->rights);
	m->source.descriptor = descriptor;
	return address_map_create(&m->map, descriptor);
}

/*
 * A machine between had an older snapshot of this handler id, and gets the next; or what served it
 * there has ended.
 */
static bool is_to_be_repeated(int err, const struct local_address *address)
{
	return err == -ESTALE ||
	       (err == -ECONNRESET && address->transport == LOCAL_TRANSPORT_REPLICA);
}

int remote_memory_open(struct remote_memory *m, const struct local_address *address)
{
	struct page_source *source = &m->source;
	int tries = REOPEN_TRIES, err;

	source->fetch = remote_fetch;
	source->forget = close_cache;
	source->next_run = remote_next_run;
	source->read_many = remote_read_many;
	source->read = remote_read;
	source->admit = remote_admit;
	source->go_alone = remote_go_alone;
	source->ask_in_ms = remote_ask_in_ms;
	source->remote = true;
	m->page_size = sysconf(_SC_PAGESIZE);
	local_address_to_text(address, m->place);
	m->requests.connection.fd = -1;
	m->requests.read_ahead = calloc(1, sizeof(*m->requests.read_ahead));
	m->requests.trace = &source->trace;
	m->requests.map = &m->map;
	m->requests.page_size = m->page_size;
	m->buffer = mmap(NULL, 2 * WIRE_PAGES_MAX, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m->buffer == MAP_FAILED)
		m->buffer = NULL;
	if (!m->buffer || !m->requests.read_ahead)
		return -ENOMEM;
	m->requests.unwanted = m->buffer + WIRE_PAGES_MAX;
	err = open_snapshot(m, address);
	while (is_to_be_repeated(err, address) && tries--) {
		wire_close(&m->requests.connection);
		err = open_snapshot(m, address);
	}
	return err;
}

bool remote_memory_is_same(const struct descriptor_header *a,
			   const struct descriptor_header *b)
{
	return a->instance && a->total_size == b->total_size &&
	       !memcmp(a, b, a->total_size);
}

void remote_memory_close(struct remote_memory *m)
{
	wire_close(&m->requests.connection);
	origin_close(&m->origin);
	free_cache(m);
	m->map.shared = false; /* Its copies, if there were any, have gone. */
	address_map_destroy(&m->map);
	free((void *)m->source.descriptor);
	free(m->requests.read_ahead);
	if (m->buffer)
		munmap(m->buffer, 2 * WIRE_PAGES_MAX);
}

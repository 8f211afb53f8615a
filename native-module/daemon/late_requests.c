// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/late_requests.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "local/clock.h"
#include "local/interrupted.h"

/* The least that an answer may take, ms. */
#define LATE_MS_MIN 50
/* For an answer of what was stopped together with this process, after the deadline, ms. */
#define GRACE_MS 200
/* How long those are refused who ask again for pages that have not come, ms. */
#define FAILED_MS 1000

enum late_state {
	LATE_NONE,
	LATE_COMING,
	LATE_HERE,
	LATE_FAILED,
};

struct late_pages {
	struct read_range range;
	enum late_state state;
	char *bytes;	    /* LATE_HERE */
	bool counted;	    /* they have been used */
	int64_t expires_ms; /* LATE_FAILED: who asks later asks the other machine again */
};

struct late_request {
	struct wire_connection connection; /* while one of `pages` comes */
	struct late_pages pages[2];	   /* in the order of their answers */
	int64_t deadline_ms;		   /* of the next answer */
	bool grace;			   /* that has been prolonged */
};

/* Begins as zeros. */
struct late_requests {
	const struct local_address *address; /* of the other machine */
	int late_ms;			     /* an answer is late after that long */
	uint32_t used;			     /* of all `pages`, not LATE_NONE */
	struct late_request requests[PAGE_SOURCE_LATE_MAX];
	struct wire_connection spare; /* without requests */
	bool has_spare;
	int64_t not_before_ms; /* there was no other connection: no try sooner */
};

static struct late_pages *coming(struct late_request *r)
{
	uint32_t i;

	for (i = 0; i < 2; i++)
		if (r->pages[i].state == LATE_COMING)
			return &r->pages[i];
	return NULL;
}

static void set_state(struct late_requests *l, struct late_pages *p,
		      enum late_state state)
{
	if (p->state == LATE_HERE)
		free(p->bytes);
	p->bytes = NULL;
	p->counted = false;
	l->used += (state != LATE_NONE) - (p->state != LATE_NONE);
	p->state = state;
}

/* One without an answer to come, of these one without pages if there is one. */
static struct late_request *free_request(struct late_requests *l)
{
	struct late_request *found = NULL, *r;

	for (r = l->requests; r < l->requests + PAGE_SOURCE_LATE_MAX; r++)
		if (!coming(r) && (!found || r->pages[0].state == LATE_NONE))
			found = r;
	return found;
}

/* False without one that stands. */
static bool take_spare(struct late_requests *l, struct wire_connection *c)
{
	struct pollfd p = { .fd = l->spare.fd, .events = POLLIN | POLLRDHUP };

	if (!l->has_spare)
		return false;
	l->has_spare = false;
	if (poll(&p, 1, 0)) {
		wire_close(&l->spare);
		return false;
	}
	*c = l->spare;
	return true;
}

/* Another connection to the same snapshot. */
static int connect_again(struct remote_memory *m, struct wire_connection *c)
{
	struct late_requests *l = m->late;
	struct remote_memory *other;
	int err;

	if (take_spare(l, c))
		return 0;
	other = calloc(1, sizeof(*other));
	if (!other)
		return -ENOMEM;
	other->auth = m->auth;
	other->machine_id = m->machine_id;
	other->handler_id = m->handler_id;
	other->quiet = true;
	other->replica.memory = -1;
	/* Meanwhile all wait. */
	other->deadline_ms = wire_deadline_ms() / 4;
	err = remote_memory_open(other, l->address);
	if (!err &&
	    !remote_memory_is_same(m->source.descriptor, other->source.descriptor))
		err = -ESTALE;
	if (!err) {
		*c = other->requests.connection;
		c->deadline_ms = wire_deadline_ms();
		other->requests.connection.fd = -1;
		other->requests.connection.sealing = NULL;
		err = wire_set_late(c, l->late_ms);
		if (err)
			wire_close(c);
	}
	remote_memory_close(other);
	free(other);
	return err;
}

static void keep_spare(struct late_requests *l, struct wire_connection *c)
{
	if (l->has_spare || c->failure) {
		wire_close(c);
		return;
	}
	l->spare = *c;
	l->has_spare = true;
}

/* The page server watches the number of the connection's socket, which stays. */
static int exchange(struct wire_connection *current, struct wire_connection *other,
		    struct wire_connection *old)
{
	int number = current->fd, fd = fcntl(number, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (dup3(other->fd, number, O_CLOEXEC) < 0) {
		close(fd);
		return -errno;
	}
	close(other->fd);
	*old = *current;
	old->fd = fd;
	*current = *other;
	current->fd = number;
	return 0;
}

static struct remote_memory *memory_of(const struct page_requests *requests)
{
	return (struct remote_memory *)((char *)requests -
					offsetof(struct remote_memory, requests));
}

static bool is_aside(const struct page_requests *requests, struct read_range range)
{
	const struct late_requests *l = memory_of(requests)->late;
	uint32_t i;

	for (i = 0; l->used && i < 2 * PAGE_SOURCE_LATE_MAX; i++) {
		const struct late_pages *p = &l->requests[i / 2].pages[i % 2];

		if (p->state != LATE_NONE &&
		    p->range.address < range.address + range.length &&
		    range.address < p->range.address + p->range.length)
			return true;
	}
	return false;
}

static bool set_aside(struct page_requests *requests,
		      const struct read_range *ranges, uint32_t count)
{
	struct remote_memory *m = memory_of(requests);
	struct late_requests *l = m->late;
	struct late_request *r = free_request(l);
	struct wire_connection other;
	int64_t began = now_ms();
	uint32_t i;
	int err;

	if (!r || began < l->not_before_ms)
		return false;
	err = connect_again(m, &other);
	if (!err) {
		err = exchange(&requests->connection, &other, &r->connection);
		if (err)
			keep_spare(l, &other);
	}
	trace(&m->source.trace, TRACE_STEPS, "an answer is late",
	      TRACE_NUMBER("address", ranges[0].address),
	      TRACE_NUMBER("length", ranges[0].length),
	      TRACE_NUMBER("no_other_connection", -err));
	if (err) {
		requests->connection.waited_ms += now_ms() - began;
		l->not_before_ms = now_ms() + wire_deadline_ms();
		return false;
	}
	for (i = 0; i < 2; i++)
		set_state(l, &r->pages[i], i < count ? LATE_COMING : LATE_NONE);
	for (i = 0; i < count; i++)
		r->pages[i].range = ranges[i];
	r->deadline_ms = began + wire_deadline_ms() - l->late_ms;
	r->grace = false;
	return true;
}

static void fail(struct remote_memory *m, struct late_request *r, int err)
{
	struct late_pages *p;

	fprintf(stderr,
		"mitosis: machine %u at %s does not deliver page %#llx of snapshot "
		"%u: %s; children that wait for it end\n",
		m->machine_id, m->place,
		(unsigned long long)coming(r)->range.address, m->handler_id,
		wire_problem(err));
	/* Of several requests, for all who wait. */
	snprintf(m->late_failure, sizeof(m->late_failure),
		 "mitosis: machine %u at %s does not deliver a page of snapshot %u "
		 "that "
		 "this child waits for: %s; the child ends\n",
		 m->machine_id, m->place, m->handler_id, wire_problem(err));
	m->source.late_failure = m->late_failure;
	while ((p = coming(r))) {
		set_state(m->late, p, LATE_FAILED);
		p->expires_ms = now_ms() + FAILED_MS;
	}
	wire_close(&r->connection);
}

/* Receives the next answer, which has begun. */
static void take(struct remote_memory *m, struct late_request *r)
{
	struct late_requests *l = m->late;
	struct late_pages *p = coming(r);
	const uint64_t address = p->range.address, length = p->range.length;
	char *bytes = malloc(length);
	int err = bytes ? pages_receive(&r->connection, length, bytes) : -ENOMEM;
	int differs = remote_memory_verify(m, address, length, err, bytes);

	if (differs || (err && err != -EFAULT)) {
		free(bytes);
		fail(m, r, differs ?: err);
		return;
	}
	if (err) {
		/* They are asked for again, page by page. */
		free(bytes);
		set_state(l, p, LATE_NONE);
	} else {
		set_state(l, p, LATE_HERE);
		p->bytes = bytes;
	}
	r->deadline_ms = now_ms() + wire_deadline_ms();
	r->grace = false;
	if (!coming(r))
		keep_spare(l, &r->connection);
}

/* Takes what has come. True if anything has changed. */
static bool serve_one(struct remote_memory *m, struct late_request *r)
{
	bool changed = false;

	while (coming(r)) {
		struct pollfd p = { .fd = r->connection.fd, .events = POLLIN };

		if (!wire_has_begun(&r->connection) && poll(&p, 1, 0) <= 0)
			break;
		take(m, r);
		changed = true;
	}
	if (!coming(r) || now_ms() < r->deadline_ms)
		return changed;
	if (!r->grace) {
		r->grace = true;
		r->deadline_ms = now_ms() + GRACE_MS;
		return changed;
	}
	fail(m, r, -ETIMEDOUT);
	return true;
}

static bool late_serve(struct page_source *source)
{
	struct remote_memory *m = (struct remote_memory *)source;
	bool changed = false;
	uint32_t i;

	for (i = 0; i < PAGE_SOURCE_LATE_MAX; i++)
		changed |= serve_one(m, &m->late->requests[i]);
	return changed;
}

static int late_in_ms(const struct page_source *source)
{
	struct late_requests *l = ((struct remote_memory *)source)->late;
	int64_t first = INT64_MAX, left;
	uint32_t i;

	for (i = 0; l->used && i < PAGE_SOURCE_LATE_MAX; i++)
		if (coming(&l->requests[i]) && l->requests[i].deadline_ms < first)
			first = l->requests[i].deadline_ms;
	if (first == INT64_MAX)
		return -1;
	left = first - now_ms();
	return left > 0 ? left : 0;
}

static uint32_t late_files(const struct page_source *source,
			   int files[PAGE_SOURCE_LATE_MAX])
{
	struct late_requests *l = ((struct remote_memory *)source)->late;
	uint32_t count = 0, i;

	for (i = 0; l->used && i < PAGE_SOURCE_LATE_MAX; i++)
		if (coming(&l->requests[i]))
			files[count++] = l->requests[i].connection.fd;
	return count;
}

static int find_in(struct late_requests *l, struct late_pages *p, uint64_t address,
		   uint64_t *length, const void **bytes)
{
	const uint64_t start = p->range.address, end = start + p->range.length;

	if (p->state == LATE_FAILED && now_ms() >= p->expires_ms)
		set_state(l, p, LATE_NONE);
	if (p->state == LATE_NONE || address >= end)
		return -ENOENT;
	if (address < start) {
		if (*length > start - address)
			*length = start - address;
		return -ENOENT;
	}
	if (*length > end - address)
		*length = end - address;
	if (p->state == LATE_HERE)
		*bytes = p->bytes + (address - start);
	return p->state == LATE_HERE	 ? 0
	       : p->state == LATE_COMING ? -EINPROGRESS
					 : -EREMOTEIO;
}

/* What was requested ahead, and is not needed, is not counted, as if it had come in time. */
static void count_once(struct remote_memory *m, struct late_pages *p)
{
	if (!p->counted)
		page_requests_count(&m->requests, WAY_TCP,
				    p->range.length / m->page_size);
	p->counted = true;
}

static int find(const struct page_requests *requests, uint64_t address,
		uint64_t *length, const void **bytes)
{
	struct remote_memory *m = memory_of(requests);
	struct late_requests *l = m->late;
	uint32_t i;

	for (i = 0; l->used && i < 2 * PAGE_SOURCE_LATE_MAX; i++) {
		struct late_pages *p = &l->requests[i / 2].pages[i % 2];
		int err = find_in(l, p, address, length, bytes);

		if (!err)
			count_once(m, p);
		if (err != -ENOENT)
			return err;
	}
	return -ENOENT;
}

static void wait_for_some(const struct page_requests *requests)
{
	struct remote_memory *m = memory_of(requests);

	do {
		struct pollfd polls[PAGE_SOURCE_LATE_MAX];
		int files[PAGE_SOURCE_LATE_MAX];
		uint32_t count = late_files(&m->source, files), i;

		for (i = 0; i < count; i++)
			polls[i] =
				(struct pollfd){ .fd = files[i], .events = POLLIN };
		poll_within(polls, count, late_in_ms(&m->source));
	} while (!late_serve(&m->source) && late_in_ms(&m->source) >= 0);
}

void late_requests_begin(struct remote_memory *m,
			 const struct local_address *address, int64_t open_ms)
{
	struct late_requests *l = calloc(1, sizeof(*l));
	int64_t ms = open_ms > LATE_MS_MIN ? open_ms : LATE_MS_MIN;
	int most = wire_deadline_ms() / 4;

	if (!l)
		return;
	m->late = l;
	l->address = address;
	l->late_ms = ms < most ? ms : most;
	if (!l->late_ms || wire_set_late(&m->requests.connection, l->late_ms))
		return;
	m->requests.set_aside = set_aside;
	m->requests.is_aside = is_aside;
	m->requests.find_aside = find;
	m->requests.wait_for_aside = wait_for_some;
	m->source.late_in_ms = late_in_ms;
	m->source.late_files = late_files;
	m->source.late_serve = late_serve;
}

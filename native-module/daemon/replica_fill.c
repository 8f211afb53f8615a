// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/replica_fill.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "paging/run_on.h"

/* Bytes of one request: a child's request waits behind one at the other machine. */
#define CHUNK_SIZE (64u << 10)
/* Before another try while the replica forks, ns. */
#define RETRY_NS 200000

struct filling {
	struct remote_memory memory; /* over a connection of its own */
	struct local_address address;
	const struct descriptor_header *expected; /* the replica's snapshot */
	struct shared_to to;
	_Atomic int *connection; /* the last fill's */
};

/* Not one that was prepared since under the same handler id. */
static bool is_same_snapshot(const struct descriptor_header *a,
			     const struct descriptor_header *b)
{
	return a->instance && a->total_size == b->total_size &&
	       !memcmp(a, b, a->total_size);
}

static int put(const struct filling *f, uint64_t address, uint64_t length)
{
	const struct timespec pause = { .tv_nsec = RETRY_NS };
	uint64_t done = 0;
	int err;

	for (;;) {
		done += shared_pages_put(&f->to, address + done,
					 f->memory.buffer + done, length - done,
					 &err);
		if (err != -EAGAIN)
			return err;
		nanosleep(&pause, NULL);
	}
}

/* -ENOENT if the snapshot has been dropped: its shadow serves only the children it has. */
static int fetch(struct filling *f, uint64_t address, uint64_t length)
{
	struct page_requests *r = &f->memory.requests;
	uint32_t nothing;
	int err = page_requests_ask(r, 0, 0);

	if (!err)
		err = page_requests_ask(r, address, length);
	if (!err)
		err = wire_receive_answer(&r->connection, &nothing);
	if (err || nothing)
		return err && err != -EFAULT ? err : -EPROTO;
	err = page_requests_receive(r, length, f->memory.buffer);
	if (!err)
		page_requests_count(r, WAY_TCP, length / f->memory.page_size);
	return err;
}

/* Sets *none if the replica takes no page there: it has mapped a file itself. */
static int fill_run(struct filling *f, uint64_t start, uint64_t end, bool *none)
{
	while (start < end) {
		uint64_t length =
			end - start < CHUNK_SIZE ? end - start : CHUNK_SIZE;
		int err = fetch(f, start, length);

		/* A page of it cannot be read: they stay on demand. */
		if (err && err != -EFAULT)
			return err;
		if (!err)
			err = put(f, start, length);
		*none = err == -ENOENT;
		if (*none)
			return 0;
		if (err && err != -EFAULT)
			return err;
		start += length;
	}
	return 0;
}

static int fill_segment(struct filling *f, const struct segment *s)
{
	uint64_t at = s->start;
	bool none = false;
	int err = 0;

	while (!err && !none && at < s->end) {
		uint64_t start = at, end = s->end;

		err = f->memory.source.next_run(&f->memory.source, &start, &end);
		if (!err)
			err = fill_run(f, start, end, &none);
		else if (err == -ENOENT)
			return 0;
		at = end;
	}
	return err;
}

/* In the place of the last one. */
static void leave_connection(struct filling *f)
{
	int *fd = &f->memory.requests.connection.fd;
	int last = atomic_exchange(f->connection, *fd);

	if (last >= 0)
		close(last);
	*fd = -1;
}

static void *run(void *unshared)
{
	struct filling *f = unshared;
	struct remote_memory *m = &f->memory;
	int err;
	uint32_t i;

	prctl(PR_SET_NAME, "mitosis-fill", 0, 0, 0);
	/* The pager is where its children are. */
	run_on(-1);
	err = remote_memory_open(m, &f->address);
	if (!err && !is_same_snapshot(f->expected, m->source.descriptor))
		err = -ESTALE;
	for (i = 0; !err && i < m->map.count; i++)
		err = fill_segment(f, &m->map.segments[i]);
	trace(&m->source.trace, TRACE_STEPS, "fills the replica no further",
	      TRACE_NUMBER("pages", m->requests.pages[WAY_TCP]),
	      TRACE_NUMBER("cause", -err));
	if (!err || err == -EDQUOT)
		leave_connection(f);
	remote_memory_close(m);
	close(f->to.uffd);
	free(f);
	return NULL;
}

void replica_fill_start(struct remote_memory *memory,
			const struct local_address *address, _Atomic int *connection)
{
	struct filling *f = calloc(1, sizeof(*f));
	struct page_source *source = &memory->source;
	pthread_t thread;

	if (!f)
		return;
	*f = (struct filling){
		.memory = {
			.source.trace = source->trace,
			.requests.counts = memory->requests.counts,
			.auth = memory->auth,
			.machine_id = memory->machine_id,
			.handler_id = memory->handler_id,
			.quiet = true,
			.replica = -1,
		},
		.address = *address,
		.expected = source->descriptor,
		.to = {
			/* The pager closes its own when the replica has ended. */
			.uffd = fcntl(source->shared.uffd, F_DUPFD_CLOEXEC, 0),
			.left = &source->shared.left,
			.kept = source->share_limit / 4 & ~(memory->page_size - 1),
			.page_size = memory->page_size,
		},
		.connection = connection,
	};
	if (f->to.uffd >= 0 && !pthread_create(&thread, NULL, run, f)) {
		pthread_detach(thread);
		return;
	}
	if (f->to.uffd >= 0)
		close(f->to.uffd);
	free(f);
}

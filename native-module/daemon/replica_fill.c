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
#define CHUNK_SIZE RECENT_CHUNK_SIZE
/* Up to this size, all pages of a file's copy are asked for, bytes. */
#define FILE_MAX (16u << 20)
/* That have been given out of turn: more are not, until some of them have had their turn. */
#define EARLY_MAX 1024u
/* Before another try while the replica forks, ns. */
#define RETRY_NS 200000

struct filling {
	struct remote_memory memory; /* over a connection of its own */
	struct local_address address;
	const struct descriptor_header *expected; /* the replica's snapshot */
	struct shared_to to;
	_Atomic int *connection; /* the last fill's */
	struct held_pages
		*held; /* what it has been given; NULL: it cannot get all */
	_Atomic(struct held_pages *) *whole; /* where that goes at the end */
	/* What children ask for goes before the rest, the last first: at the limit, that stays on demand. */
	const struct recent_chunks *recent;
	struct recent_cursor cursor;
	struct early {
		uint64_t start, end; /* of a chunk whose pages it has got already */
	} early[EARLY_MAX];
	uint32_t early_count;
};

/* The replica will not have all. */
static void give_up_whole(struct filling *f)
{
	held_pages_free(f->held);
	f->held = NULL;
}

static void note(struct filling *f, uint64_t start, uint64_t end, bool readable)
{
	if (f->held && held_pages_add(f->held, start, end, readable))
		give_up_whole(f);
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
	int differs, err = page_requests_ask(r, 0, 0);

	if (!err)
		err = page_requests_ask(r, address, length);
	if (!err)
		err = wire_receive_answer(&r->connection, &nothing);
	if (err || nothing)
		return err && err != -EFAULT ? err : -EPROTO;
	err = page_requests_receive(r, length, f->memory.buffer);
	if (!err)
		page_requests_count(r, WAY_TCP, length / f->memory.page_size);
	differs = remote_memory_verify(&f->memory, address, length, err,
				       f->memory.buffer);
	return differs ? differs : err;
}

/* A chunk that children have asked for, in private memory without a file, which is behind `turn`. */
static bool is_early(const struct filling *f, uint64_t address, uint64_t turn,
		     struct early *chunk)
{
	const struct descriptor_vma *v =
		descriptor_find_vma(f->memory.source.descriptor, address);
	uint32_t i;

	if (!v || v->kind != VMA_SNAPSHOT || v->inode || descriptor_is_object(v))
		return false;
	chunk->start = recent_chunk_of(address);
	chunk->end = chunk->start + CHUNK_SIZE;
	chunk->start = chunk->start > v->start ? chunk->start : v->start;
	chunk->end = chunk->end < v->end ? chunk->end : v->end;
	for (i = 0; i < f->early_count; i++)
		if (f->early[i].start == chunk->start)
			return false;
	return chunk->start > turn;
}

/* A chunk that fails for a reason of its own gets its turn later. */
static int fill_chunk(struct filling *f, const struct early *chunk)
{
	struct page_source *source = &f->memory.source;
	uint64_t start = chunk->start, end = chunk->end;
	int err = 0;

	while (start < chunk->end &&
	       !(err = source->next_run(source, &start, &end))) {
		err = fetch(f, start, end - start);
		if (!err)
			err = put(f, start, end - start);
		if (err)
			return err == -EFAULT || err == -ENOENT ? 0 : err;
		start = end;
		end = chunk->end;
	}
	if (start < chunk->end && err != -ENOENT)
		return err;
	f->early[f->early_count++] = *chunk;
	return 0;
}

static int fill_early(struct filling *f, uint64_t turn)
{
	struct early chunk;
	uint64_t address;
	int err = 0;

	while (!err && f->early_count < EARLY_MAX &&
	       recent_chunks_take(f->recent, &f->cursor, &address))
		if (is_early(f, address, turn, &chunk))
			err = fill_chunk(f, &chunk);
	return err;
}

/* Where what is still to be given begins. Forgets chunks that have had their turn. */
static uint64_t behind_early(struct filling *f, uint64_t start, uint64_t end)
{
	uint32_t i = 0;

	while (i < f->early_count) {
		const struct early *e = &f->early[i];

		if (start >= e->end)
			f->early[i] = f->early[--f->early_count];
		else if (start >= e->start)
			return e->end < end ? e->end : end;
		else
			i++;
	}
	return start;
}

/* Sets *none if the replica takes no page there: it has mapped that itself. */
static int fill_run(struct filling *f, uint64_t start, uint64_t end, bool *none)
{
	const uint64_t page_size = f->memory.page_size;
	uint64_t most = CHUNK_SIZE;

	while (start < end) {
		uint64_t length, next = behind_early(f, start, end);
		bool readable;
		int err;

		if (next > start) {
			note(f, start, next, true);
			start = next;
			continue;
		}
		err = fill_early(f, start);
		if (err)
			return err;
		length = end - start < most ? end - start : most;
		err = fetch(f, start, length);
		readable = !err;
		if (err == -EFAULT && length > page_size) {
			/* Which page of it cannot be read? */
			most = page_size;
			continue;
		}
		if (readable)
			err = put(f, start, length);
		*none = err == -ENOENT;
		if (*none)
			return 0;
		if (err && (readable || err != -EFAULT))
			return err;
		note(f, start, start + length, readable);
		start += length;
		if (start % CHUNK_SIZE == 0)
			most = CHUNK_SIZE;
	}
	return 0;
}

/* Pages that are not in runs read as their file, which only that machine has. */
static bool needs_each_page(const struct descriptor_vma *v)
{
	return v->kind == VMA_SNAPSHOT && v->inode && v->end - v->start <= FILE_MAX;
}

static int fill_vma(struct filling *f, const struct descriptor_vma *v)
{
	uint64_t at = v->start;
	bool none = false;
	int err = 0;

	if (v->kind != VMA_SNAPSHOT && v->kind != VMA_FILE)
		return 0;
	while (!err && !none && at < v->end) {
		uint64_t start = at, end = v->end;

		if (!needs_each_page(v))
			err = f->memory.source.next_run(&f->memory.source, &start,
							&end);
		/* The first page of a file tells whether the replica has mapped that. */
		if (err == -ENOENT && (at > v->start || v->kind != VMA_FILE)) {
			err = 0;
			break;
		}
		if (err == -ENOENT) {
			err = 0;
			start = v->start;
			end = v->start + f->memory.page_size;
		}
		if (!err)
			err = fill_run(f, start, end, &none);
		at = end;
	}
	/* What it has mapped itself is right where that is the file; an object is a copy of its own. */
	if (v->kind == VMA_FILE ? !none : none || (v->inode && !needs_each_page(v)))
		give_up_whole(f);
	return err;
}

/* Says that the replica has all. */
static void tell_whole(struct filling *f)
{
	struct held_pages *before = NULL;

	if (f->held && atomic_compare_exchange_strong(f->whole, &before, f->held))
		f->held = NULL;
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
	if (!err && !remote_memory_is_same(f->expected, m->source.descriptor))
		err = -ESTALE;
	for (i = 0; !err && i < m->source.descriptor->vma_count; i++)
		err = fill_vma(f, &descriptor_vmas(m->source.descriptor)[i]);
	if (!err)
		tell_whole(f);
	trace(&m->source.trace, TRACE_STEPS, "fills the replica no further",
	      TRACE_NUMBER("pages", m->requests.pages[WAY_TCP]),
	      TRACE_NUMBER("cause", -err));
	if (!err || err == -EDQUOT)
		leave_connection(f);
	remote_memory_close(m);
	close(f->to.uffd);
	held_pages_free(f->held);
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
			.verified_by = memory->verified_by,
			.machine_id = memory->machine_id,
			.handler_id = memory->handler_id,
			.quiet = true,
			.replica.memory = -1,
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
		.held = calloc(1, sizeof(*f->held)),
		.whole = &memory->replica.held,
		.recent = &memory->recent,
	};
	if (f->held)
		f->held->replica = memory->replica.number;
	if (f->to.uffd >= 0 && !pthread_create(&thread, NULL, run, f)) {
		pthread_detach(thread);
		return;
	}
	if (f->to.uffd >= 0)
		close(f->to.uffd);
	held_pages_free(f->held);
	free(f);
}

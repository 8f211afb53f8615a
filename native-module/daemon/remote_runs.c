// SPDX-License-Identifier: Apache-2.0
#include "daemon/remote_runs.h"

#include <errno.h>

/* Without PAGEMAP_SCAN (Linux 6.7) the other machine reads 8 bytes for each page of it. */
#define RUNS_RANGE_MAX (64ull << 30)

/* Whether runs are as wire.h promises. */
static bool runs_are_valid(const struct remote_memory *m, uint64_t start,
			   uint64_t end)
{
	uint32_t i;

	for (i = 0; i < m->runs.count; i++) {
		const struct wire_run *run = &m->runs.all[i];

		if (run->address < start || run->address >= end || !run->length ||
		    run->length > end - run->address ||
		    run->address % m->page_size || run->length % m->page_size)
			return false;
		start = run->address + run->length;
	}
	return true;
}

/* Asks which pages of [start, end) are present. */
static int ask_for_runs(struct remote_memory *m, uint64_t start, uint64_t end)
{
	struct wire_pages request = { .address = start, .length = end - start };
	struct remote_runs *runs = &m->runs;
	/* What is in no run reads as zeros: to be verified as well. */
	struct wire_connection *c =
		m->origin.checks ? &m->origin.connection : &m->requests.connection;
	uint32_t length = 0;
	int err = page_requests_drop(&m->requests);

	runs->start = runs->end = runs->count = 0;
	if (end - start > RUNS_RANGE_MAX)
		request.length = RUNS_RANGE_MAX;
	end = start + request.length;
	if (!err)
		err = wire_send(c, WIRE_RUNS, &request, sizeof(request));
	if (!err)
		err = wire_receive_answer(c, &length);
	if (!err && (length > sizeof(runs->all) || length % sizeof(runs->all[0])))
		err = wire_fail(c, -EMSGSIZE);
	if (!err && length)
		err = wire_receive(c, runs->all, length);
	runs->count = length / sizeof(runs->all[0]);
	if (!err && !runs_are_valid(m, start, end))
		err = -EBADMSG;
	if (err)
		return remote_memory_give_up(m, start, err);
	runs->start = start;
	/* A full list ends before the range does. */
	runs->end = runs->count < WIRE_RUNS_MAX
			    ? end
			    : runs->all[runs->count - 1].address +
				      runs->all[runs->count - 1].length;
	return 0;
}

int remote_runs_next(struct remote_memory *m, uint64_t *start, uint64_t *end)
{
	struct remote_runs *runs = &m->runs;

	for (;;) {
		const struct wire_run *run = runs->all;
		const struct wire_run *last = run + runs->count;
		int err;

		if (*start < runs->start || *start >= runs->end) {
			err = ask_for_runs(m, *start, *end);
			if (err)
				return err;
			last = run + runs->count;
		}
		while (run < last && run->address + run->length <= *start)
			run++;
		if (run == last) {
			*start = runs->end;
			if (*start >= *end)
				return -ENOENT;
			continue;
		}
		if (run->address >= *end)
			return -ENOENT;
		if (*start < run->address)
			*start = run->address;
		if (*end > run->address + run->length)
			*end = run->address + run->length;
		return 0;
	}
}

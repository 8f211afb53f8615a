// SPDX-License-Identifier: Apache-2.0
#include "daemon/remote_runs.h"

#include <errno.h>

/* Without PAGEMAP_SCAN (Linux 6.7) the other machine reads 8 bytes for each page of it. */
#define RUNS_RANGE_MAX (64ull << 30)

/* Whether runs are as wire.h promises. */
static bool are_valid(const struct remote_runs *runs, uint64_t page_size,
		      uint64_t start, uint64_t end)
{
	uint32_t i;

	for (i = 0; i < runs->count; i++) {
		const struct wire_run *run = &runs->all[i];

		if (run->address < start || run->address >= end || !run->length ||
		    run->length > end - run->address || run->address % page_size ||
		    run->length % page_size)
			return false;
		start = run->address + run->length;
	}
	return true;
}

bool remote_runs_know(const struct remote_runs *runs, uint64_t start)
{
	return start >= runs->start && start < runs->end;
}

int remote_runs_ask(struct remote_runs *runs, struct wire_connection *c,
		    uint64_t page_size, uint64_t start, uint64_t end)
{
	struct wire_pages request = { .address = start, .length = end - start };
	uint32_t length = 0;
	int err;

	runs->start = runs->end = runs->count = 0;
	if (end - start > RUNS_RANGE_MAX)
		request.length = RUNS_RANGE_MAX;
	end = start + request.length;
	err = wire_send(c, WIRE_RUNS, &request, sizeof(request));
	if (!err)
		err = wire_receive_answer(c, &length);
	if (!err && (length > sizeof(runs->all) || length % sizeof(runs->all[0])))
		err = wire_fail(c, -EMSGSIZE);
	if (!err && length)
		err = wire_receive(c, runs->all, length);
	if (err)
		return err;
	runs->count = length / sizeof(runs->all[0]);
	if (!are_valid(runs, page_size, start, end)) {
		runs->count = 0;
		return -EBADMSG;
	}
	runs->start = start;
	/* A full list ends before the range does. */
	runs->end = runs->count < WIRE_RUNS_MAX
			    ? end
			    : runs->all[runs->count - 1].address +
				      runs->all[runs->count - 1].length;
	return 0;
}

int remote_runs_next(const struct remote_runs *runs, uint64_t *start, uint64_t *end)
{
	const struct wire_run *run = runs->all;
	const struct wire_run *last = run + runs->count;

	while (run < last && run->address + run->length <= *start)
		run++;
	if (run == last) {
		*start = runs->end;
		return *start >= *end ? -ENOENT : -EAGAIN;
	}
	if (run->address >= *end)
		return -ENOENT;
	if (*start < run->address)
		*start = run->address;
	if (*end > run->address + run->length)
		*end = run->address + run->length;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
#include "served.h"

#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "link.h"
#include "page_runs.h"
#include "pages.h"
#include "snapshot.h"
#include "stats.h"

/* Whether the snapshot takes further children. */
static int takes_children(const struct served *s)
{
	if (READ_ONCE(s->snapshot->dropped))
		return -ENOENT;
	return s->by_token ? mitosis_grant_check(s->snapshot, &s->grant) : 0;
}

/* Makes the buffer at least `size` bytes large. Returns 0 or -ENOMEM. */
static int make_room(struct served *s, size_t size)
{
	if (size <= s->buffer_size)
		return 0;
	kvfree(s->buffer);
	s->buffer = kvmalloc(size, GFP_KERNEL);
	s->buffer_size = s->buffer ? size : 0;
	return s->buffer ? 0 : -ENOMEM;
}

/*
 * -EFAULT if the parent can read one of the pages no more than the child may: behind the end
 * of a file, say. The client then asks for the pages one by one.
 */
static int collect(struct served *s, const struct wire_pages *request)
{
	u64 done;
	int err = descriptor_covers(s->snapshot->description.descriptor, request->address,
				    request->length)
			  ? make_room(s, request->length)
			  : -EFAULT;

	for (done = 0; !err && done < request->length; done += PAGE_SIZE)
		err = mitosis_pages_read(&s->snapshot->pages, request->address + done,
					 s->buffer + done);
	return err;
}

static int answer(struct link *link, int status, void *body, size_t size)
{
	return mitosis_link_send(link, WIRE_ANSWER, status, body, size);
}

/* Whether a request is of whole pages of memory that a process can have. */
static int check(const struct wire_pages *request)
{
	if (request->address % PAGE_SIZE || request->length % PAGE_SIZE)
		return -EINVAL;
	return request->address >= USER_MEMORY_END ||
			       request->length > USER_MEMORY_END - request->address
		       ? -EFAULT
		       : 0;
}

int mitosis_served_pages(struct served *s, struct link *link, const struct wire_pages *request)
{
	int err;

	/* A request of no pages asks whether the snapshot still exists. */
	if (!request->length)
		return answer(link, takes_children(s), NULL, 0);
	err = request->length > WIRE_PAGES_MAX ? -EINVAL : check(request);
	if (!err)
		err = collect(s, request);
	if (err)
		return answer(link, err == -EINVAL ? err : -EFAULT, NULL, 0);
	mitosis_count_many(pages_served, request->length >> PAGE_SHIFT);
	return answer(link, 0, s->buffer, request->length);
}

int mitosis_served_runs(struct served *s, struct link *link, const struct wire_pages *request)
{
	struct wire_run runs[WIRE_RUNS_MAX];
	u64 at = request->address, limit = at + request->length, end;
	int err = check(request);
	u32 count = 0;

	if (!err && !descriptor_covers(s->snapshot->description.descriptor, at, request->length))
		err = -EFAULT;
	for (; !err && at < limit && count < WIRE_RUNS_MAX; at = end) {
		end = limit;
		if (!mitosis_pages_next_run(&s->snapshot->pages, &at, &end))
			break;
		runs[count++] = (struct wire_run){ at, end - at };
		cond_resched();
	}
	return answer(link, err, runs, count * sizeof(runs[0]));
}

void mitosis_served_close(struct served *s)
{
	mitosis_snapshot_put(s->snapshot);
	kvfree(s->buffer);
}

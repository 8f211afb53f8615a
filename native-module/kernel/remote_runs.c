// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/slab.h>

#include "link.h"
#include "remote.h"
#include "remote_state.h"
#include "work_item.h"

struct runs_work {
	struct work_item item;
	struct remote *remote;
	u64 start, end;
	u32 count;
	struct wire_run runs[WIRE_RUNS_MAX];
	int err;
};

/* Whether runs are as wire.h promises. */
static bool are_valid(const struct runs_work *w)
{
	u64 start = w->start;
	u32 i;

	for (i = 0; i < w->count; i++) {
		const struct wire_run *run = &w->runs[i];

		if (run->address < start || run->address >= w->end || !run->length ||
		    run->length > w->end - run->address ||
		    !PAGE_ALIGNED(run->address | run->length))
			return false;
		start = run->address + run->length;
	}
	return true;
}

/* With the link's lock held. */
static int exchange(struct remote *r, struct runs_work *w)
{
	struct wire_pages request = { .address = w->start, .length = w->end - w->start };
	int err = mitosis_link_send_body(r->link, WIRE_RUNS, &request, sizeof(request));
	u32 length;

	if (!err)
		err = mitosis_link_receive_answer(r->link, &length);
	if (err)
		return err;
	if (length > sizeof(w->runs) || length % sizeof(w->runs[0]))
		return mitosis_link_fail(r->link, -EMSGSIZE);
	if (length)
		err = mitosis_link_receive_body(r->link, w->runs, length);
	w->count = length / sizeof(w->runs[0]);
	if (!err && !are_valid(w))
		err = mitosis_link_fail(r->link, -EBADMSG);
	return err;
}

static void run_runs(struct work_item *item)
{
	struct runs_work *w = container_of(item, struct runs_work, item);
	struct remote *r = w->remote;

	mutex_lock(&r->lock);
	w->err = exchange(r, w);
	mutex_unlock(&r->lock);
}

static void destroy_runs(struct work_item *item)
{
	struct runs_work *w = container_of(item, struct runs_work, item);

	mitosis_remote_put(w->remote);
	kfree(w);
}

int mitosis_remote_runs(struct remote *r, u64 start, u64 end, struct wire_run *runs, u32 *count)
{
	struct runs_work *w = kzalloc(sizeof(*w), GFP_KERNEL);
	int err;

	if (!w)
		return -ENOMEM;
	mitosis_work_item_init(&w->item, run_runs, destroy_runs);
	w->item.user = r->user; /* as in remote_fetch.c */
	kref_get(&r->refs);
	w->remote = r;
	w->start = start;
	w->end = end;
	err = mitosis_work_item_run(&w->item);
	if (!err)
		err = w->err;
	if (!err) {
		memcpy(runs, w->runs, w->count * sizeof(*runs));
		*count = w->count;
	}
	mitosis_work_item_put(&w->item);
	return err;
}

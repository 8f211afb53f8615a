// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "link.h"
#include "rdma_link.h"
#include "remote.h"
#include "remote_state.h"
#include "stats.h"
#include "trace.h"
#include "work_item.h"

struct fetch_work {
	struct work_item item;
	struct remote *remote;
	unsigned long address, count;
	struct page **pages;
	struct kvec *parts;
	int err;
};

/* With the link's lock held. Receives directly into the pages, over TCP. */
static int exchange(struct remote *r, struct fetch_work *w)
{
	struct wire_pages request = {
		.address = w->address,
		.length = w->count << PAGE_SHIFT,
	};
	unsigned long i;
	u32 length;
	int err = mitosis_link_send_body(r->link, WIRE_PAGES, &request, sizeof(request));

	if (!err)
		err = mitosis_link_receive_answer(r->link, &length);
	if (err)
		return err;
	if (length != request.length)
		return mitosis_link_fail(r->link, -EMSGSIZE);
	for (i = 0; i < w->count; i++)
		w->parts[i] = (struct kvec){ page_address(w->pages[i]), PAGE_SIZE };
	return mitosis_link_receive(r->link, w->parts, w->count, length);
}

/* With the link's lock held. A link that has failed says that the machine has gone. */
static bool came_by_rdma(struct remote *r, struct fetch_work *w)
{
	return r->rdma && !r->link->failure &&
	       !mitosis_rdma_link_fetch(r->rdma, w->address, w->count, w->pages);
}

static void run_fetch(struct work_item *item)
{
	struct fetch_work *w = container_of(item, struct fetch_work, item);
	struct remote *r = w->remote;

	mutex_lock(&r->lock);
	w->err = came_by_rdma(r, w) ? 0 : exchange(r, w);
	/* After these two answers the link can still be used; otherwise not. */
	if (w->err && w->err != -EFAULT && w->err != -EINVAL)
		mitosis_link_fail(r->link, w->err);
	mutex_unlock(&r->lock);
	trace_mitosis_fetch(r->name.machine_id, r->name.handler_id, w->address, w->count, w->err);
	if (!w->err)
		mitosis_count_many(pages_fetched, w->count);
}

static void destroy_fetch(struct work_item *item)
{
	struct fetch_work *w = container_of(item, struct fetch_work, item);
	unsigned long i;

	for (i = 0; w->pages && i < w->count; i++)
		if (w->pages[i])
			put_page(w->pages[i]);
	mitosis_remote_put(w->remote);
	kfree(w->pages);
	kfree(w->parts);
	kfree(w);
}

static struct fetch_work *new_fetch(struct remote *r, unsigned long address, unsigned long count)
{
	struct fetch_work *w = kzalloc(sizeof(*w), GFP_KERNEL);
	unsigned long i;

	if (!w)
		return NULL;
	mitosis_work_item_init(&w->item, run_fetch, destroy_fetch);
	/* Who asks can be a thread of the server, of a snapshot whose pages are there. */
	w->item.user = r->user;
	kref_get(&r->refs);
	w->remote = r;
	w->address = address;
	w->count = count;
	w->pages = kcalloc(count, sizeof(*w->pages), GFP_KERNEL);
	w->parts = kcalloc(count, sizeof(*w->parts), GFP_KERNEL);
	for (i = 0; w->pages && w->parts && i < count; i++) {
		w->pages[i] = alloc_page(GFP_USER | __GFP_ACCOUNT);
		if (!w->pages[i])
			break;
	}
	if (i == count)
		return w;
	mitosis_work_item_put(&w->item);
	return NULL;
}

int mitosis_remote_fetch(struct remote *r, unsigned long address, unsigned long count,
			 struct page **pages)
{
	struct fetch_work *w = new_fetch(r, address, count);
	unsigned long i;
	int err;

	if (!w)
		return -ENOMEM;
	err = mitosis_work_item_run(&w->item);
	if (!err)
		err = w->err;
	for (i = 0; !err && i < count; i++) {
		pages[i] = w->pages[i];
		w->pages[i] = NULL;
	}
	mitosis_work_item_put(&w->item);
	return err;
}

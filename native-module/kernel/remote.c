// SPDX-License-Identifier: GPL-2.0
#include "remote.h"

#include <crypto/algapi.h>
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/nsproxy.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "address.h"
#include "link.h"
#include "parameters.h"
#include "proto/descriptor.h"
#include "rdma_link.h"
#include "remote_state.h"
#include "session.h"
#include "shares.h"
#include "work_item.h"

/* The page cache: interval of the checks of its snapshots, and time to live unused. */
#define CACHE_CHECK_MS 1000
#define CACHE_IDLE_MS  60000

/* The entry of a page of zeros. */
#define ZEROS xa_mk_value(0)

static LIST_HEAD(cache);
static DEFINE_MUTEX(cache_lock);
static void check_cache(struct work_struct *work);
static DECLARE_DELAYED_WORK(cache_check, check_cache);

/*
 * Of each user: the pages that are kept for later faults. They are no process's, as the kernel sees
 * it when memory runs out.
 */
static DEFINE_SHARES(kept_pages);

static void put_entry(void *entry)
{
	if (entry != ZEROS)
		put_page(entry);
}

static void destroy(struct kref *refs)
{
	struct remote *r = container_of(refs, struct remote, refs);
	unsigned long index, count = 0;
	void *entry;

	xa_for_each(&r->pages, index, entry) {
		count += entry != ZEROS;
		put_entry(entry);
	}
	mitosis_share_give(&kept_pages, r->user, count);
	xa_destroy(&r->pages);
	mitosis_rdma_link_end(r->rdma);
	mitosis_link_close(r->link);
	kvfree(r->descriptor);
	kfree_sensitive(r);
}

void mitosis_remote_get(struct remote *remote)
{
	kref_get(&remote->refs);
}

void mitosis_remote_put(struct remote *remote)
{
	if (remote)
		kref_put(&remote->refs, destroy);
}

const struct descriptor_header *mitosis_remote_descriptor(const struct remote *remote)
{
	return remote->descriptor;
}

struct open_work {
	struct work_item item;
	struct net *net;
	struct remote_name name;
	u32 user; /* in whose share the connection is */
	unsigned int deadline_ms;
	bool cached;
	struct remote *remote;
	int err;
};

static struct remote *new_remote(const struct open_work *w)
{
	struct remote *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	if (!r)
		return NULL;
	kref_init(&r->refs);
	r->net = w->net;
	r->name = w->name;
	r->cached = w->cached;
	r->deadline_ms = w->deadline_ms;
	r->user = w->user;
	xa_init_flags(&r->pages, XA_FLAGS_ACCOUNT);
	mutex_init(&r->lock);
	INIT_LIST_HEAD(&r->node);
	r->used = jiffies;
	return r;
}

static int send_token(struct remote *r)
{
	const struct mitosis_token *token = &r->name.token;
	struct wire_token request = {
		.handler_id = token->handler_id,
		.expires_s = token->expires_s,
	};
	int err;

	memcpy(request.secret, token->secret, sizeof(request.secret));
	err = mitosis_link_send_body(r->link, WIRE_OPEN_BY_TOKEN, &request, sizeof(request));
	memzero_explicit(&request, sizeof(request));
	return err;
}

static int send_open(struct remote *r)
{
	struct wire_open request = {
		.handler_id = r->name.handler_id,
		.owner_uid = r->name.owner_uid,
	};

	return mitosis_link_send_body(r->link, WIRE_OPEN, &request, sizeof(request));
}

/* Binds the link to the snapshot and receives the descriptor. */
static int open_snapshot(struct remote *r)
{
	int err = r->name.by_token ? send_token(r) : send_open(r);
	struct wire_rights rights;
	u32 length;

	if (!err)
		err = mitosis_link_receive_rights(r->link, &rights);
	if (!err)
		err = mitosis_link_receive_answer(r->link, &length);
	if (err)
		return err;
	if (length > WIRE_DESCRIPTOR_MAX)
		return -EMSGSIZE;
	r->descriptor = kvmalloc(length, GFP_KERNEL_ACCOUNT);
	if (!r->descriptor)
		return -ENOMEM;
	err = mitosis_link_receive_body(r->link, r->descriptor, length);
	if (!err && descriptor_check(r->descriptor, length, PAGE_SIZE))
		err = -EBADMSG;
	if (!err)
		rights_limit(r->descriptor, &rights.has);
	r->snapshot = rights.snapshot;
	return err;
}

/* Answers after which there are no new children, and those that there are go on. */
static bool ends_no_children(int err)
{
	return err == -ENOENT || err == -EKEYREVOKED || err == -EKEYEXPIRED;
}

/*
 * Asks whether the snapshot still exists, and its token is valid: 0, an answer of struct
 * wire_pages, or an error of the link.
 */
static int check_exists(struct remote *r, unsigned int deadline_ms)
{
	struct wire_pages request = {};
	int err;

	mutex_lock(&r->lock);
	r->link->deadline_ms = deadline_ms;
	err = mitosis_link_send_body(r->link, WIRE_PAGES, &request, sizeof(request));
	if (!err)
		err = mitosis_link_receive_empty_answer(r->link);
	if (err && !ends_no_children(err))
		mitosis_link_fail(r->link, err);
	r->link->deadline_ms = r->deadline_ms;
	mutex_unlock(&r->lock);
	return err;
}

static bool same_name(const struct remote_name *a, const struct remote_name *b)
{
	return a->machine_id == b->machine_id && a->handler_id == b->handler_id &&
	       a->owner_uid == b->owner_uid && a->by_token == b->by_token &&
	       !crypto_memneq(&a->token, &b->token, sizeof(a->token));
}

/* Returns a cached snapshot with a reference, or NULL. */
static struct remote *find_cached(const struct open_work *w)
{
	struct remote *r;

	mutex_lock(&cache_lock);
	list_for_each_entry(r, &cache, node)
		if (r->net == w->net && r->deadline_ms == w->deadline_ms &&
		    same_name(&r->name, &w->name) &&
		    mitosis_session_leads_to(w->net, w->name.machine_id, r->link)) {
			kref_get(&r->refs);
			r->used = jiffies;
			goto out;
		}
	r = NULL;
out:
	mutex_unlock(&cache_lock);
	return r;
}

static void uncache(struct remote *r)
{
	bool was_there;

	mutex_lock(&cache_lock);
	was_there = !list_empty(&r->node);
	list_del_init(&r->node);
	mutex_unlock(&cache_lock);
	if (was_there)
		mitosis_remote_put(r);
}

static void enter_cache(struct remote *r)
{
	kref_get(&r->refs);
	mutex_lock(&cache_lock);
	list_add(&r->node, &cache);
	mutex_unlock(&cache_lock);
	schedule_delayed_work(&cache_check, msecs_to_jiffies(CACHE_CHECK_MS));
}

/* A snapshot that only the cache refers to, moved to `checked`; or NULL. */
static struct remote *next_idle(struct list_head *checked)
{
	struct remote *r;

	mutex_lock(&cache_lock);
	list_for_each_entry(r, &cache, node)
		if (kref_read(&r->refs) == 1) {
			kref_get(&r->refs);
			list_move(&r->node, checked);
			goto out;
		}
	r = NULL;
out:
	mutex_unlock(&cache_lock);
	return r;
}

/* Drops snapshots that no longer exist or were not used for long. */
static void check_cache(struct work_struct *work)
{
	LIST_HEAD(checked);
	struct remote *r;
	bool empty;

	while ((r = next_idle(&checked))) {
		if (time_after(jiffies, r->used + msecs_to_jiffies(CACHE_IDLE_MS)) ||
		    check_exists(r, min(r->deadline_ms, mitosis_deadline_ms())))
			uncache(r);
		mitosis_remote_put(r);
	}
	mutex_lock(&cache_lock);
	list_splice(&checked, &cache);
	empty = list_empty(&cache);
	mutex_unlock(&cache_lock);
	if (!empty)
		schedule_delayed_work(&cache_check, msecs_to_jiffies(CACHE_CHECK_MS));
}

static int open_on(struct remote *r, const struct open_work *w, bool idle)
{
	int err = mitosis_session_take(w->net, r->name.machine_id, w->user, w->deadline_ms, idle,
				       &r->link);

	if (err)
		return err;
	err = open_snapshot(r);
	if (!err)
		return 0;
	kvfree(r->descriptor);
	r->descriptor = NULL;
	/* After -ENOENT the connection can still be used. */
	if (err == -ENOENT)
		mitosis_session_give(r->net, r->name.machine_id, r->link);
	else
		mitosis_link_close(r->link);
	r->link = NULL;
	return err;
}

/* Not by token: a token opens one connection's snapshot, and a request for RDMA has none. */
static void start_rdma(struct remote *r, const struct open_work *w)
{
	struct rdma_link_target target = {
		.net = w->net,
		.machine_id = r->name.machine_id,
		.handler_id = r->name.handler_id,
		.owner_uid = r->name.owner_uid,
		.snapshot = r->snapshot,
		.deadline_ms = r->deadline_ms,
	};
	struct machine_address address;
	enum rdma_wish wish;

	if (r->name.by_token)
		return;
	wish = mitosis_session_rdma_wish(w->net, r->name.machine_id, &address);
	target.optional = wish == RDMA_IF_POSSIBLE;
	if (wish == RDMA_NEVER)
		return;
	target.address = address.socket;
	target.nic = address.nic;
	r->rdma = mitosis_rdma_link_start(&target);
}

static void run_open(struct work_item *item)
{
	struct open_work *w = container_of(item, struct open_work, item);
	struct remote *r;

	if (w->cached) {
		r = find_cached(w);
		if (r && !check_exists(r, r->deadline_ms)) {
			w->remote = r;
			return;
		}
		if (r) {
			uncache(r);
			mitosis_remote_put(r);
		}
	}
	r = new_remote(w);
	if (!r) {
		w->err = -ENOMEM;
		return;
	}
	/* The other machine may have closed idle connections. */
	do {
		w->err = open_on(r, w, true);
	} while (w->err == -ECONNRESET);
	if (w->err == -EAGAIN)
		w->err = open_on(r, w, false);
	if (w->err) {
		mitosis_remote_put(r);
		return;
	}
	start_rdma(r, w);
	if (w->cached)
		enter_cache(r);
	w->remote = r;
}

static void destroy_open(struct work_item *item)
{
	struct open_work *w = container_of(item, struct open_work, item);

	mitosis_remote_put(w->remote);
	put_net(w->net);
	kfree_sensitive(w);
}

int mitosis_remote_open(const struct remote_name *name, const struct mitosis_options *options,
			struct remote **remote)
{
	struct open_work *w = kzalloc(sizeof(*w), GFP_KERNEL);
	int err;

	if (!w)
		return -ENOMEM;
	mitosis_work_item_init(&w->item, run_open, destroy_open);
	w->net = get_net(current->nsproxy->net_ns);
	w->name = *name;
	w->user = mitosis_share_user();
	w->deadline_ms = options->deadline_ms;
	w->cached = options->flags & MITOSIS_OPTION_CACHE;
	err = mitosis_work_item_run(&w->item);
	if (!err)
		err = w->err;
	if (!err) {
		*remote = w->remote;
		w->remote = NULL;
	}
	mitosis_work_item_put(&w->item);
	return err;
}

struct check_work {
	struct work_item item;
	struct remote *remote;
	int err;
};

static void run_check(struct work_item *item)
{
	struct check_work *w = container_of(item, struct check_work, item);

	w->err = check_exists(w->remote, w->remote->deadline_ms);
}

static void destroy_check(struct work_item *item)
{
	struct check_work *w = container_of(item, struct check_work, item);

	mitosis_remote_put(w->remote);
	kfree(w);
}

int mitosis_remote_check(struct remote *r)
{
	struct check_work *w = kzalloc(sizeof(*w), GFP_KERNEL);
	int err;

	if (!w)
		return -ENOMEM;
	mitosis_work_item_init(&w->item, run_check, destroy_check);
	kref_get(&r->refs);
	w->remote = r;
	err = mitosis_work_item_run(&w->item);
	if (!err)
		err = w->err;
	mitosis_work_item_put(&w->item);
	return err;
}

/*
 * Returns a page's entry with a reference, or NULL. A cached page stays for later
 * children; a prefetched one is removed.
 */
static void *take_entry(struct remote *r, unsigned long number)
{
	void *entry;

	if (!r->cached) {
		entry = xa_erase(&r->pages, number);
		if (entry && entry != ZEROS)
			mitosis_share_give(&kept_pages, r->user, 1);
		return entry;
	}
	entry = xa_load(&r->pages, number);
	if (entry && entry != ZEROS)
		get_page(entry);
	return entry;
}

/* Stores an entry and takes over its reference, unless another thread was faster. Returns the pages kept. */
static unsigned long keep_entry(struct remote *r, unsigned long number, void *entry)
{
	if (!xa_cmpxchg(&r->pages, number, NULL, entry, GFP_KERNEL))
		return entry != ZEROS;
	put_entry(entry);
	return 0;
}

/* Returns the page, or drops it and returns ZEROS if it holds only zeros. */
static void *as_entry(struct page *page)
{
	if (memchr_inv(page_address(page), 0, PAGE_SIZE))
		return page;
	put_page(page);
	return ZEROS;
}

int mitosis_remote_page(struct remote *r, unsigned long address, unsigned long first,
			unsigned long count, struct page **page)
{
	const unsigned long wanted = address >> PAGE_SHIFT;
	unsigned long from = wanted, to = wanted + 1, i, paid;
	bool keeps_wanted = r->cached;
	struct page **pages;
	void *entry;
	int err;

	entry = take_entry(r, wanted);
	if (entry)
		goto out;
	/* Extend the request over the adjacent missing pages. */
	first >>= PAGE_SHIFT;
	while (from > first && !xa_load(&r->pages, from - 1))
		from--;
	while (to < first + count && !xa_load(&r->pages, to))
		to++;
	paid = to - from - !keeps_wanted;
	/* What could not be kept is not asked for before it is needed. */
	if (mitosis_share_take(&kept_pages, r->user, paid, mitosis_snapshot_pages_per_user())) {
		paid = 0;
		keeps_wanted = false;
		from = wanted;
		to = wanted + 1;
	}
	count = to - from;
	pages = kmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	if (!pages) {
		mitosis_share_give(&kept_pages, r->user, paid);
		return -ENOMEM;
	}
	err = mitosis_remote_fetch(r, from << PAGE_SHIFT, count, pages);
	/* The parent can read one of them no more than the child may: perhaps another one. */
	if (err == -EFAULT && count > 1) {
		from = wanted;
		count = 1;
		err = mitosis_remote_fetch(r, from << PAGE_SHIFT, count, pages);
	}
	for (i = 0; !err && i < count; i++) {
		void *got = as_entry(pages[i]);

		if (from + i == wanted) {
			entry = got;
			if (!keeps_wanted)
				continue;
			if (got != ZEROS)
				get_page(got);
		}
		paid -= keep_entry(r, from + i, got);
	}
	mitosis_share_give(&kept_pages, r->user, paid);
	kfree(pages);
	if (err)
		return err;
out:
	*page = entry == ZEROS ? NULL : entry;
	return 0;
}

void mitosis_remotes_exit(void)
{
	struct remote *r, *next;

	cancel_delayed_work_sync(&cache_check);
	list_for_each_entry_safe(r, next, &cache, node)
		uncache(r);
}

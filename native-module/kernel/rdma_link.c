// SPDX-License-Identifier: GPL-2.0
#include "rdma_link.h"

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "address.h"
#include "auth.h"
#include "link.h"
#include "parameters.h"
#include "rdma_operations.h"
#include "stats.h"

enum link_state {
	LINK_STARTS, /* the rest is the worker's */
	LINK_READY,  /* the rest is the fetcher's */
	LINK_ENDED,  /* `retry` and `never` are the fetcher's, the rest the worker's */
};

struct rdma_link {
	struct kref refs; /* of its owner, and of a queued worker */
	struct work_struct work;
	struct completion tried; /* to set it up, for the first time */
	struct rdma_link_target target;
	int state;				  /* enum link_state */
	bool abandoned;				  /* by its owner */
	unsigned long retry;			  /* LINK_ENDED: when to set it up again, jiffies */
	bool never;				  /* LINK_ENDED: it is not set up again */
	const struct rdma_operations *operations; /* of `client` */
	struct rdma_client *client;
	int told; /* the last error that the log has */
};

static struct workqueue_struct *workers;

static void destroy(struct kref *refs)
{
	struct rdma_link *l = container_of(refs, struct rdma_link, refs);

	put_net(l->target.net);
	kfree(l);
}

/* The worker runs once more, and looks at what the link needs. */
static void queue(struct rdma_link *l)
{
	kref_get(&l->refs);
	if (!queue_work(workers, &l->work))
		kref_put(&l->refs, destroy);
}

/* Checks and takes what the server has agreed to. */
static int check_answer(const struct wire_rdma_answer *answer, u32 length)
{
	if (answer->count < 1 || answer->count > WIRE_RDMA_ADDRESSES_MAX ||
	    length != sizeof(*answer) + answer->count * sizeof(struct wire_rdma_address) ||
	    answer->pages_max < 1 || answer->pages_max > RDMA_PAGES_MAX || answer->depth < 1 ||
	    answer->depth > RDMA_DEPTH_MAX)
		return -EMSGSIZE;
	return 0;
}

static int receive_answer(struct link *link, struct wire_rdma_answer *answer,
			  struct wire_rdma_address addresses[WIRE_RDMA_ADDRESSES_MAX])
{
	u32 length;
	int err = mitosis_link_receive_answer(link, &length);

	if (!err && length < sizeof(*answer))
		err = -EMSGSIZE;
	if (!err)
		err = mitosis_link_receive_body(link, answer, sizeof(*answer));
	if (!err)
		err = check_answer(answer, length);
	return err ?: mitosis_link_receive_body(link, addresses, length - sizeof(*answer));
}

/* Asks the other machine, on a connection of its own, to expect the token. */
static int negotiate(const struct rdma_link *l, struct rdma_target *target,
		     struct wire_rdma_answer *answer,
		     struct wire_rdma_address addresses[WIRE_RDMA_ADDRESSES_MAX])
{
	const struct rdma_link_target *t = &l->target;
	struct wire_rdma request = {
		.handler_id = t->handler_id,
		.owner_uid = t->owner_uid,
		.snapshot = t->snapshot,
		.pages_max = RDMA_PAGES_MAX,
		.depth = RDMA_DEPTH_MAX,
	};
	struct handshake h = {};
	struct link *link;
	int err = mitosis_link_open(t->net, &t->address, t->deadline_ms, &link, &h);

	if (err)
		goto out;
	if (h.challenge.machine_id != t->machine_id)
		err = -EINVAL;
	if (!err)
		err = mitosis_auth_rdma_token(&h, t->handler_id, target->token);
	if (!err)
		err = mitosis_link_send_body(link, WIRE_RDMA, &request, sizeof(request));
	if (!err)
		err = receive_answer(link, answer, addresses);
	mitosis_link_close(link);
out:
	memzero_explicit(&h, sizeof(h));
	return err;
}

static int connect_to(struct rdma_link *l, const struct rdma_target *target, const char **step)
{
	struct rdma_client *client = l->operations->connect(target, step);

	if (IS_ERR(client))
		return PTR_ERR(client);
	l->client = client;
	return 0;
}

static int set_up(struct rdma_link *l, const char **step)
{
	struct wire_rdma_address addresses[WIRE_RDMA_ADDRESSES_MAX];
	struct rdma_target target = {
		.net = l->target.net,
		.deadline_ms = l->target.deadline_ms,
		.nic = l->target.nic,
	};
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&l->target.address;
	struct wire_rdma_answer answer = {};
	int err;
	u32 i;

	*step = "the module mitosis_rdma is not loaded";
	l->operations = mitosis_rdma_get();
	if (!l->operations)
		return -ENODEV;
	*step = "that machine refuses it";
	err = negotiate(l, &target, &answer, addresses);
	target.pages_max = answer.pages_max;
	target.depth = answer.depth;
	for (i = 0; !err && i < answer.count; i++) {
		mitosis_address_from_wire(
			addresses[i].ip, addresses[i].port,
			l->target.address.ss_family == AF_INET6 ? v6->sin6_scope_id : 0,
			&target.address);
		/* The token is used up by the first address that is reached. */
		err = connect_to(l, &target, step);
		if (!err || i + 1 == answer.count)
			break;
		err = 0;
	}
	memzero_explicit(&target, sizeof(target));
	if (err) {
		mitosis_rdma_put(l->operations);
		l->operations = NULL;
	}
	return err;
}

/* Each reason once: it is tried again and again. */
static void tell(struct rdma_link *l, const char *step, int err)
{
	if (err == l->told)
		return;
	if (err)
		pr_notice("no RDMA to machine %u for snapshot %u: %s: error %d; its pages come "
			  "over TCP\n",
			  l->target.machine_id, l->target.handler_id, step, err);
	else
		pr_notice("RDMA to machine %u for snapshot %u is set up again\n",
			  l->target.machine_id, l->target.handler_id);
	l->told = err;
}

static void rest(struct rdma_link *l)
{
	l->retry = jiffies + msecs_to_jiffies(mitosis_rdma_retry_ms());
	smp_store_release(&l->state, LINK_ENDED); /* after what the worker reads */
}

static void close_client(struct rdma_link *l)
{
	if (!l->client)
		return;
	l->operations->close(l->client);
	l->client = NULL;
	mitosis_rdma_put(l->operations);
	l->operations = NULL;
}

static void work(struct work_struct *item)
{
	struct rdma_link *l = container_of(item, struct rdma_link, work);
	const char *step;
	int err;

	if (READ_ONCE(l->abandoned)) {
		close_client(l);
	} else if (smp_load_acquire(&l->state) != LINK_READY) { /* before `client` */
		close_client(l);
		if (READ_ONCE(l->state) == LINK_STARTS) {
			err = set_up(l, &step);
			l->never = err == -ENODEV && l->target.optional;
			if (!l->never)
				tell(l, step, err);
			if (err) {
				rest(l);
			} else {
				mitosis_count(rdma_links);
				/* After `client`, which the fetcher reads then. */
				smp_store_release(&l->state, LINK_READY);
			}
			complete_all(&l->tried);
		}
	}
	kref_put(&l->refs, destroy);
}

struct rdma_link *mitosis_rdma_link_start(const struct rdma_link_target *target)
{
	struct rdma_link *l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);

	if (!l)
		return NULL;
	kref_init(&l->refs);
	INIT_WORK(&l->work, work);
	init_completion(&l->tried);
	l->target = *target;
	get_net(l->target.net);
	l->state = LINK_STARTS;
	queue(l);
	wait_for_completion_timeout(&l->tried, msecs_to_jiffies(mitosis_rdma_wait_ms()));
	return l;
}

void mitosis_rdma_link_end(struct rdma_link *l)
{
	if (!l)
		return;
	WRITE_ONCE(l->abandoned, true);
	queue(l);
	kref_put(&l->refs, destroy);
}

/* A request that is late is asked for over TCP, which has the whole deadline. */
static unsigned int request_ms(const struct rdma_link *l)
{
	return max(l->target.deadline_ms / 4, 1u);
}

int mitosis_rdma_link_fetch(struct rdma_link *l, u64 address, unsigned long count,
			    struct page **pages)
{
	int err, state = smp_load_acquire(&l->state); /* before `client` and `retry` */

	if (state == LINK_ENDED && !l->never && time_after(jiffies, l->retry)) {
		smp_store_release(&l->state, LINK_STARTS); /* after reading `retry` */
		queue(l);
	}
	if (state != LINK_READY)
		return -EAGAIN;
	err = l->operations->fetch(l->client, address, count, pages, request_ms(l));
	if (!err) {
		mitosis_count_many(pages_by_rdma, count);
		return 0;
	}
	mitosis_count(rdma_fallbacks);
	if (err == -EFAULT)
		return err;
	tell(l, "it has ended", err);
	rest(l);
	queue(l);
	return err;
}

int mitosis_rdma_links_init(void)
{
	workers = alloc_workqueue("mitosis_rdma", WQ_UNBOUND, 0);
	return workers ? 0 : -ENOMEM;
}

void mitosis_rdma_links_exit(void)
{
	destroy_workqueue(workers);
}

// SPDX-License-Identifier: GPL-2.0
#include "client.h"

#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "ports.h"
#include "queues.h"

/* A request that is under way, and the pages that its answer goes to. */
struct slot {
	struct rdma_client *client;
	struct ib_cqe sent, received;
	atomic_t posted; /* work requests whose completion is still to come */
	int failure;	 /* of one of them; 0 or -errno */
	u32 length;	 /* of the answer, bytes */
	struct wire_rdma_request *request;
	u64 request_dma;
	u32 count; /* of mapped pages */
	u64 dma[RDMA_PAGES_MAX];
};

struct rdma_client {
	struct mutex lock; /* of all but what handlers write */
	struct queues queues;
	struct work_struct removal; /* of its device */
	wait_queue_head_t changed;  /* of what handlers write */
	int reached;		    /* the last enum rdma_cm_event_type of connecting */
	int failure;		    /* 0, or -errno: what ended the connection */
	u32 pages_max, depth;
	struct wire_rdma_request *requests;
	u64 requests_dma;
	struct slot slots[RDMA_DEPTH_MAX];
};

static unsigned long jiffies_of(unsigned int ms)
{
	return max(msecs_to_jiffies(ms), 1ul);
}

/* -EFAULT means something else to who fetches. */
static void fail(struct rdma_client *c, int err)
{
	cmpxchg(&c->failure, 0, err == -EFAULT ? -EIO : err);
	wake_up(&c->changed);
}

/* Runs one at a time, and never after rdma_destroy_id(). Must not wait for the lock. */
static int handle_event(struct rdma_cm_id *id, struct rdma_cm_event *event)
{
	struct rdma_client *c = id->context;

	switch (event->event) {
	case RDMA_CM_EVENT_ADDR_RESOLVED:
	case RDMA_CM_EVENT_ROUTE_RESOLVED:
	case RDMA_CM_EVENT_ESTABLISHED:
		smp_store_release(&c->reached, event->event); /* after what it tells */
		wake_up(&c->changed);
		break;
	case RDMA_CM_EVENT_TIMEWAIT_EXIT:
		break;
	case RDMA_CM_EVENT_DEVICE_REMOVAL:
		/* The device waits for its last id: a child may not ask for a page for long. */
		fail(c, -ENODEV);
		schedule_work(&c->removal);
		break;
	default:
		fail(c, event->status < 0 ? event->status : -ECONNREFUSED);
	}
	return 0;
}

/* With the lock held, and nothing posted. */
static void tear_down(struct rdma_client *c)
{
	if (!c->queues.id)
		return;
	if (c->requests_dma)
		ib_dma_unmap_single(c->queues.id->device, c->requests_dma,
				    RDMA_DEPTH_MAX * sizeof(*c->requests), DMA_TO_DEVICE);
	c->requests_dma = 0;
	rdma_disconnect(c->queues.id);
	mitosis_rdma_queues_destroy(&c->queues);
}

static void remove_device(struct work_struct *work)
{
	struct rdma_client *c = container_of(work, struct rdma_client, removal);

	mutex_lock(&c->lock);
	tear_down(c);
	mutex_unlock(&c->lock);
}

static int await(struct rdma_client *c, enum rdma_cm_event_type step, unsigned int ms)
{
	if (!wait_event_timeout(c->changed,
				READ_ONCE(c->failure) ||
					/* Before what the event tells is read. */
					smp_load_acquire(&c->reached) == step,
				jiffies_of(ms)))
		return -ETIMEDOUT;
	return READ_ONCE(c->failure);
}

static int make_queues(struct rdma_client *c, const struct rdma_target *target)
{
	struct ib_device *device = c->queues.id->device;
	const struct queue_sizes sizes = {
		.sends = target->depth,
		.receives = target->depth,
		.send_pages = 1,
		.receive_pages = min_t(u32, target->pages_max, device->attrs.max_recv_sge),
	};
	int err = mitosis_rdma_queues_create(&c->queues, &sizes);
	u64 dma;
	u32 i;

	if (err)
		return err;
	dma = ib_dma_map_single(device, c->requests, RDMA_DEPTH_MAX * sizeof(*c->requests),
				DMA_TO_DEVICE);
	if (ib_dma_mapping_error(device, dma))
		return -ENOMEM;
	c->requests_dma = dma;
	for (i = 0; i < RDMA_DEPTH_MAX; i++)
		c->slots[i].request_dma = dma + i * sizeof(*c->requests);
	c->pages_max = sizes.receive_pages;
	c->depth = target->depth;
	return 0;
}

/* With the lock held. From an address of the port that `target` names, if it names one. */
static int resolve_address(struct rdma_client *c, struct rdma_cm_id *id,
			   const struct rdma_target *target, const char **step)
{
	struct sockaddr_storage from;
	bool chosen = false;
	int err;

	if (target->nic) {
		err = mitosis_rdma_port_source(target->net, target->nic - 1u, &target->address,
					       &from);
		/* Where GIDs are not made of addresses the route decides. */
		chosen = !err;
		if (err == -ENXIO) {
			*step = "no RDMA port has that nic_id";
			return err;
		}
	}
	err = rdma_resolve_addr(id, chosen ? (struct sockaddr *)&from : NULL,
				(struct sockaddr *)&target->address, target->deadline_ms);
	return err ?: await(c, RDMA_CM_EVENT_ADDR_RESOLVED, target->deadline_ms);
}

/* With the lock held. Returns 0 or -errno. */
static int connect_to(struct rdma_client *c, const struct rdma_target *target, const char **step)
{
	struct rdma_conn_param param = {
		.retry_count = RDMA_RETRIES,
		.rnr_retry_count = RDMA_RETRIES,
		.private_data = target->token,
		.private_data_len = sizeof(target->token),
	};
	struct rdma_cm_id *id;
	int err;

	*step = "no RDMA device reaches it";
	id = rdma_create_id(target->net, handle_event, c, RDMA_PS_TCP, IB_QPT_RC);
	if (IS_ERR(id))
		return PTR_ERR(id);
	c->queues.id = id;
	err = resolve_address(c, id, target, step);
	err = err ?: rdma_resolve_route(id, target->deadline_ms);
	err = err ?: await(c, RDMA_CM_EVENT_ROUTE_RESOLVED, target->deadline_ms);
	if (err)
		return err;
	if (target->nic && !mitosis_rdma_port_is_of(target->net, target->nic - 1u, id)) {
		*step = "the route leads over another RDMA port than that of its nic_id";
		return -ENXIO;
	}
	*step = "the device gives no queues";
	err = make_queues(c, target);
	if (err)
		return err;
	*step = "its connection manager refuses it";
	err = rdma_connect(id, &param);
	err = err ?: await(c, RDMA_CM_EVENT_ESTABLISHED, target->deadline_ms);
	return err ?: mitosis_rdma_queues_close_memory(&c->queues);
}

struct rdma_client *mitosis_rdma_client_connect(const struct rdma_target *target, const char **step)
{
	struct rdma_client *c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	int err, i;

	*step = "memory";
	if (!c)
		return ERR_PTR(-ENOMEM);
	mutex_init(&c->lock);
	INIT_WORK(&c->removal, remove_device);
	init_waitqueue_head(&c->changed);
	c->reached = -1;
	/* Of its own cache lines: what is in them belongs to the device at times. */
	c->requests = kcalloc(RDMA_DEPTH_MAX, sizeof(*c->requests), GFP_KERNEL_ACCOUNT);
	for (i = 0; i < RDMA_DEPTH_MAX; i++) {
		c->slots[i].client = c;
		c->slots[i].request = c->requests + i;
	}
	mutex_lock(&c->lock);
	err = c->requests ? connect_to(c, target, step) : -ENOMEM;
	mutex_unlock(&c->lock);
	if (!err)
		return c;
	mitosis_rdma_client_close(c);
	return ERR_PTR(err);
}

void mitosis_rdma_client_close(struct rdma_client *c)
{
	mutex_lock(&c->lock);
	tear_down(c);
	mutex_unlock(&c->lock);
	/* Without an id there are no events that start it. */
	cancel_work_sync(&c->removal);
	kfree(c->requests);
	kfree(c);
}

/* In a softirq. */
static void completed(struct slot *s, const struct ib_wc *wc)
{
	if (wc->status != IB_WC_SUCCESS)
		WRITE_ONCE(s->failure, -EIO);
	atomic_dec_return_release(&s->posted);
	wake_up(&s->client->changed);
}

static void sent(struct ib_cq *cq, struct ib_wc *wc)
{
	completed(container_of(wc->wr_cqe, struct slot, sent), wc);
}

static void received(struct ib_cq *cq, struct ib_wc *wc)
{
	struct slot *s = container_of(wc->wr_cqe, struct slot, received);

	/* A WRITE with immediate data ends a receive, too, and writes none of its pages. */
	if (wc->status == IB_WC_SUCCESS && wc->opcode != IB_WC_RECV)
		WRITE_ONCE(s->failure, -EPROTO);
	s->length = wc->byte_len;
	completed(s, wc);
}

static void unmap_pages(struct rdma_client *c, struct slot *s)
{
	while (s->count)
		ib_dma_unmap_page(c->queues.id->device, s->dma[--s->count], PAGE_SIZE,
				  DMA_FROM_DEVICE);
}

static int map_pages(struct rdma_client *c, struct slot *s, struct page **pages, u32 count)
{
	struct ib_device *device = c->queues.id->device;

	for (s->count = 0; s->count < count; s->count++) {
		u64 dma = ib_dma_map_page(device, pages[s->count], 0, PAGE_SIZE, DMA_FROM_DEVICE);

		if (ib_dma_mapping_error(device, dma)) {
			unmap_pages(c, s);
			return -ENOMEM;
		}
		s->dma[s->count] = dma;
	}
	return 0;
}

static int post_receive(struct rdma_client *c, struct slot *s)
{
	struct ib_sge parts[RDMA_PAGES_MAX];
	const struct ib_recv_wr wr = {
		.wr_cqe = &s->received,
		.sg_list = parts,
		.num_sge = s->count,
	};
	u32 i;
	int err;

	for (i = 0; i < s->count; i++)
		parts[i] = (struct ib_sge){ s->dma[i], PAGE_SIZE, c->queues.pd->local_dma_lkey };
	s->received.done = received;
	atomic_inc(&s->posted);
	err = ib_post_recv(c->queues.id->qp, &wr, NULL);
	if (err)
		atomic_dec(&s->posted);
	return err;
}

static int post_send(struct rdma_client *c, struct slot *s)
{
	struct ib_sge part = { s->request_dma, sizeof(*s->request), c->queues.pd->local_dma_lkey };
	const struct ib_send_wr wr = {
		.wr_cqe = &s->sent,
		.sg_list = &part,
		.num_sge = 1,
		.opcode = IB_WR_SEND,
	};
	int err;

	s->sent.done = sent;
	ib_dma_sync_single_for_device(c->queues.id->device, s->request_dma, sizeof(*s->request),
				      DMA_TO_DEVICE);
	atomic_inc(&s->posted);
	err = ib_post_send(c->queues.id->qp, &wr, NULL);
	if (err)
		atomic_dec(&s->posted);
	return err;
}

/* Asks for pages; the receive is there before the request is. Returns 0 or -errno. */
static int ask(struct rdma_client *c, struct slot *s, u64 address, struct page **pages, u32 count)
{
	int err = map_pages(c, s, pages, count);

	if (err)
		return err;
	*s->request = (struct wire_rdma_request){
		.header = {
			.magic = WIRE_MAGIC,
			.version = WIRE_VERSION,
			.type = WIRE_PAGES,
			.length = sizeof(s->request->pages),
		},
		.pages = { .address = address, .length = (u64)count << PAGE_SHIFT },
	};
	s->failure = 0;
	err = post_receive(c, s);
	return err ?: post_send(c, s);
}

/* Waits for an answer. Returns 0, -ENODATA the server does not have these pages, or -errno. */
static int await_answer(struct rdma_client *c, struct slot *s, unsigned int ms)
{
	u32 length = s->count << PAGE_SHIFT;

	if (!wait_event_timeout(c->changed,
				READ_ONCE(c->failure) || READ_ONCE(s->failure) ||
					!atomic_read_acquire(&s->posted),
				jiffies_of(ms)))
		return -ETIMEDOUT;
	if (atomic_read_acquire(&s->posted) || READ_ONCE(s->failure))
		return READ_ONCE(c->failure) ?: READ_ONCE(s->failure) ?: -EIO;
	unmap_pages(c, s);
	if (!s->length)
		return -ENODATA;
	return s->length == length ? 0 : -EMSGSIZE;
}

/* With the lock held: ends the connection. No device writes a page when it returns. */
static void give_up(struct rdma_client *c, int err)
{
	u32 i;

	fail(c, err);
	if (!c->queues.id)
		return;
	mitosis_rdma_queues_drain(&c->queues);
	for (i = 0; i < c->depth; i++) {
		WARN_ON(atomic_read(&c->slots[i].posted));
		unmap_pages(c, &c->slots[i]);
	}
}

/*
 * With the lock held. Answers come in the order of the requests. Returns 0, 1 if the server
 * does not have all pages, or -errno with requests under way.
 */
static int fetch(struct rdma_client *c, u64 address, unsigned long count, struct page **pages,
		 unsigned int wait_ms)
{
	unsigned long asked = 0;
	u32 next = 0, oldest = 0; /* numbers of requests */
	bool missing = false;
	int err = 0;

	for (;;) {
		while (!missing && asked < count && next - oldest < c->depth) {
			u32 n = min_t(unsigned long, count - asked, c->pages_max);

			err = ask(c, &c->slots[next % c->depth], address + (asked << PAGE_SHIFT),
				  pages + asked, n);
			if (err)
				return err;
			asked += n;
			next++;
		}
		if (oldest == next)
			return missing;
		err = await_answer(c, &c->slots[oldest++ % c->depth], wait_ms);
		if (err == -ENODATA)
			missing = true;
		else if (err)
			return err;
	}
}

int mitosis_rdma_client_fetch(struct rdma_client *c, u64 address, unsigned long count,
			      struct page **pages, unsigned int wait_ms)
{
	int err;

	mutex_lock(&c->lock);
	err = c->queues.id ? READ_ONCE(c->failure) : -ENODEV;
	if (!err)
		err = fetch(c, address, count, pages, wait_ms);
	if (err < 0) {
		give_up(c, err);
		err = READ_ONCE(c->failure);
	}
	mutex_unlock(&c->lock);
	return err > 0 ? -EFAULT : err;
}

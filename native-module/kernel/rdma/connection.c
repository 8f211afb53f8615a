// SPDX-License-Identifier: GPL-2.0
#include "connection.h"

#include <linux/jiffies.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "kernel/rdma_operations.h"
#include "kernel/shares.h"
#include "queues.h"

/* Of all, and to the snapshots of one user: shares.h. */
#define CONNECTIONS_MAX	      256u
#define CONNECTIONS_PER_OWNER 64u
/* Without a request; the client's machine may have gone, and the snapshot's memory stays. */
#define IDLE_MS 300000
/*
 * Of a snapshot that was dropped: nothing else keeps its memory. A child that lives holds it by
 * its TCP connection, and gets the next pages there.
 */
#define DROPPED_IDLE_MS 10000
/* A slot is free again when its answer has been acknowledged. */
#define SLOTS_MAX (2 * RDMA_DEPTH_MAX)

/* A request, and the pages that its answer is sent from. */
struct slot {
	struct connection *connection;
	struct list_head node; /* in one of the connection's lists */
	struct ib_cqe received, sent;
	u32 length; /* of the request, bytes */
	struct wire_rdma_request *request;
	u64 request_dma;
	u32 count; /* of pages, which are mapped */
	struct page *pages[RDMA_PAGES_MAX];
	u64 dma[RDMA_PAGES_MAX];
};

struct connection {
	struct kref refs; /* of the list of connections, and of a queued worker */
	struct list_head node;
	struct work_struct work;
	struct queues queues; /* the worker's, but for posting in the accepting handler */
	struct connection_rights rights;
	bool established, memory_closed;
	bool ending;	    /* the worker destroys it */
	unsigned long used; /* last request, jiffies */
	u32 slot_count;
	struct wire_rdma_request *requests;
	u64 requests_dma;
	spinlock_t lock;		      /* of the lists */
	struct list_head requested, answered; /* slots, the oldest first */
	struct slot slots[SLOTS_MAX];
};

static struct workqueue_struct *workers;
static LIST_HEAD(connections);
static unsigned int connection_count;
static DEFINE_MUTEX(connections_lock);
static DECLARE_WAIT_QUEUE_HEAD(connection_gone);

static void destroy(struct kref *refs)
{
	struct connection *c = container_of(refs, struct connection, refs);

	kfree(c->requests);
	kfree(c);
}

/* The worker looks at what there is to do. In any context. */
static void queue(struct connection *c)
{
	kref_get(&c->refs);
	/* Never the last one: the list has one, or the worker that removes it from there. */
	if (!queue_work(workers, &c->work))
		kref_put(&c->refs, destroy);
}

static void end(struct connection *c)
{
	WRITE_ONCE(c->ending, true);
	queue(c);
}

/* In a softirq: what a completion brings goes to the worker. */
static void completed(struct slot *s, struct list_head *list, const struct ib_wc *wc)
{
	struct connection *c = s->connection;
	unsigned long flags;

	/* What fails has broken the connection. */
	if (wc->status != IB_WC_SUCCESS) {
		end(c);
		return;
	}
	spin_lock_irqsave(&c->lock, flags);
	list_add_tail(&s->node, list);
	spin_unlock_irqrestore(&c->lock, flags);
	queue(c);
}

static void received(struct ib_cq *cq, struct ib_wc *wc)
{
	struct slot *s = container_of(wc->wr_cqe, struct slot, received);

	s->length = wc->opcode == IB_WC_RECV ? wc->byte_len : 0;
	completed(s, &s->connection->requested, wc);
}

static void sent(struct ib_cq *cq, struct ib_wc *wc)
{
	struct slot *s = container_of(wc->wr_cqe, struct slot, sent);

	completed(s, &s->connection->answered, wc);
}

static struct slot *take(struct connection *c, struct list_head *list)
{
	struct slot *s;

	spin_lock_irq(&c->lock);
	s = list_first_entry_or_null(list, struct slot, node);
	if (s)
		list_del(&s->node);
	spin_unlock_irq(&c->lock);
	return s;
}

static int expect_request(struct connection *c, struct slot *s)
{
	struct ib_sge part = { s->request_dma, sizeof(*s->request), c->queues.pd->local_dma_lkey };
	const struct ib_recv_wr wr = {
		.wr_cqe = &s->received,
		.sg_list = &part,
		.num_sge = 1,
	};

	ib_dma_sync_single_for_device(c->queues.id->device, s->request_dma, sizeof(*s->request),
				      DMA_FROM_DEVICE);
	return ib_post_recv(c->queues.id->qp, &wr, NULL);
}

static void put_pages_of(struct connection *c, struct slot *s)
{
	while (s->count) {
		s->count--;
		ib_dma_unmap_page(c->queues.id->device, s->dma[s->count], PAGE_SIZE, DMA_TO_DEVICE);
		put_page(s->pages[s->count]);
	}
}

/* Gets and maps the pages: all of them, or none. */
static void collect(struct connection *c, struct slot *s, const struct wire_pages *range)
{
	int count =
		mitosis_rdma_get_pages(c->rights.snapshot, range, c->rights.pages_max, s->pages);
	int i;

	s->count = 0;
	for (i = 0; i < count; i++) {
		u64 dma = ib_dma_map_page(c->queues.id->device, s->pages[i], 0, PAGE_SIZE,
					  DMA_TO_DEVICE);

		if (ib_dma_mapping_error(c->queues.id->device, dma))
			break;
		s->dma[s->count++] = dma;
	}
	if (i >= count)
		return;
	while (i < count)
		put_page(s->pages[i++]);
	put_pages_of(c, s);
}

static bool is_valid(const struct wire_rdma_request *r, u32 length)
{
	return length == sizeof(*r) && r->header.magic == WIRE_MAGIC &&
	       r->header.version == WIRE_VERSION && r->header.type == WIRE_PAGES &&
	       !r->header.status && r->header.length == sizeof(r->pages);
}

/* Sends exactly the pages; or nothing, and the client asks over TCP. */
static int serve(struct connection *c, struct slot *s)
{
	struct ib_sge parts[RDMA_PAGES_MAX];
	struct ib_send_wr answer = {
		.wr_cqe = &s->sent,
		.sg_list = parts,
		.opcode = IB_WR_SEND,
	};
	struct wire_rdma_request r;
	u32 i;

	ib_dma_sync_single_for_cpu(c->queues.id->device, s->request_dma, sizeof(r),
				   DMA_FROM_DEVICE);
	r = *s->request;
	if (!is_valid(&r, s->length))
		return -EPROTO;
	WRITE_ONCE(c->used, jiffies);
	collect(c, s, &r.pages);
	for (i = 0; i < s->count; i++)
		parts[i] = (struct ib_sge){ s->dma[i], PAGE_SIZE, c->queues.pd->local_dma_lkey };
	answer.num_sge = s->count;
	return ib_post_send(c->queues.id->qp, &answer, NULL);
}

/* In the worker, once: nothing refers to the device any more when it returns. */
static void tear_down(struct connection *c)
{
	u32 i;

	if (!c->queues.id)
		return;
	mitosis_rdma_queues_drain(&c->queues);
	for (i = 0; i < c->slot_count; i++)
		put_pages_of(c, &c->slots[i]);
	if (c->requests_dma)
		ib_dma_unmap_single(c->queues.id->device, c->requests_dma,
				    SLOTS_MAX * sizeof(*c->requests), DMA_FROM_DEVICE);
	mitosis_rdma_queues_destroy(&c->queues);
	mutex_lock(&connections_lock);
	list_del(&c->node);
	connection_count--;
	mutex_unlock(&connections_lock);
	mitosis_rdma_put_snapshot(c->rights.snapshot);
	wake_up(&connection_gone);
	kref_put(&c->refs, destroy);
}

/* Once it is established. Returns 0 or -errno. */
static int close_memory(struct connection *c)
{
	if (!READ_ONCE(c->established) || c->memory_closed)
		return 0;
	c->memory_closed = true;
	return mitosis_rdma_queues_close_memory(&c->queues);
}

/* Answers in the order of the requests. */
static void work(struct work_struct *item)
{
	struct connection *c = container_of(item, struct connection, work);
	struct slot *s;
	int err;

	while (!READ_ONCE(c->ending) && c->queues.id) {
		err = close_memory(c);
		if (err) {
			WRITE_ONCE(c->ending, true);
			break;
		}
		s = take(c, &c->answered);
		if (s) {
			put_pages_of(c, s);
			err = expect_request(c, s);
		} else {
			s = take(c, &c->requested);
			if (!s)
				break;
			err = serve(c, s);
		}
		if (err)
			WRITE_ONCE(c->ending, true);
	}
	if (READ_ONCE(c->ending))
		tear_down(c);
	kref_put(&c->refs, destroy);
}

static int make_queues(struct connection *c)
{
	const struct queue_sizes sizes = {
		.sends = c->slot_count,
		.receives = c->slot_count,
		.send_pages = c->rights.pages_max,
		.receive_pages = 1,
	};
	struct ib_device *device = c->queues.id->device;
	int err = mitosis_rdma_queues_create(&c->queues, &sizes);
	u64 dma;
	u32 i;

	if (err)
		return err;
	dma = ib_dma_map_single(device, c->requests, SLOTS_MAX * sizeof(*c->requests),
				DMA_FROM_DEVICE);
	if (ib_dma_mapping_error(device, dma))
		return -ENOMEM;
	c->requests_dma = dma;
	for (i = 0; !err && i < c->slot_count; i++) {
		struct slot *s = &c->slots[i];

		s->connection = c;
		s->received.done = received;
		s->sent.done = sent;
		s->request = c->requests + i;
		s->request_dma = c->requests_dma + i * sizeof(*c->requests);
		err = expect_request(c, s);
	}
	return err;
}

static struct connection *new_connection(struct rdma_cm_id *id,
					 const struct connection_rights *rights)
{
	struct connection *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return NULL;
	c->requests = kcalloc(SLOTS_MAX, sizeof(*c->requests), GFP_KERNEL);
	if (!c->requests) {
		kfree(c);
		return NULL;
	}
	kref_init(&c->refs);
	INIT_WORK(&c->work, work);
	c->queues.id = id;
	c->rights = *rights;
	c->used = jiffies;
	c->slot_count = 2 * rights->depth;
	spin_lock_init(&c->lock);
	INIT_LIST_HEAD(&c->requested);
	INIT_LIST_HEAD(&c->answered);
	return c;
}

/* Takes a place. */
static int enter(struct connection *c)
{
	unsigned int of_owner = 0;
	struct connection *other;
	int err = 0;

	mutex_lock(&connections_lock);
	list_for_each_entry(other, &connections, node)
		of_owner += c->rights.owner != NO_USER && other->rights.owner == c->rights.owner;
	if (connection_count < CONNECTIONS_MAX && of_owner < CONNECTIONS_PER_OWNER) {
		list_add(&c->node, &connections);
		connection_count++;
	} else {
		err = -EBUSY;
	}
	mutex_unlock(&connections_lock);
	return err;
}

int mitosis_rdma_connection_accept(struct rdma_cm_id *id, const struct connection_rights *rights)
{
	struct rdma_conn_param param = { .rnr_retry_count = RDMA_RETRIES };
	struct connection *c = new_connection(id, rights);
	int err = c ? enter(c) : -ENOMEM;

	if (err) {
		if (c)
			kref_put(&c->refs, destroy);
		mitosis_rdma_put_snapshot(rights->snapshot);
		return err;
	}
	id->context = c;
	err = make_queues(c);
	if (!err)
		err = rdma_accept(id, &param);
	/* The worker waits for this handler, and rejects the request by destroying the id. */
	if (err)
		end(c);
	return 0;
}

int mitosis_rdma_connection_event(struct rdma_cm_id *id, struct rdma_cm_event *event)
{
	struct connection *c = id->context;

	switch (event->event) {
	case RDMA_CM_EVENT_ESTABLISHED:
		WRITE_ONCE(c->established, true);
		queue(c);
		break;
	case RDMA_CM_EVENT_TIMEWAIT_EXIT:
		break;
	default:
		end(c);
	}
	return 0;
}

static unsigned int idle_ms(const struct connection *c)
{
	return mitosis_rdma_is_dropped(c->rights.snapshot) ? DROPPED_IDLE_MS : IDLE_MS;
}

unsigned int mitosis_rdma_connections_sweep(void)
{
	struct connection *c;
	unsigned int count;

	mutex_lock(&connections_lock);
	list_for_each_entry(c, &connections, node)
		if (time_after(jiffies, READ_ONCE(c->used) + msecs_to_jiffies(idle_ms(c))))
			end(c);
	count = connection_count;
	mutex_unlock(&connections_lock);
	return count;
}

int mitosis_rdma_connections_init(void)
{
	workers = alloc_workqueue("mitosis_rdma_server", WQ_UNBOUND, 0);
	return workers ? 0 : -ENOMEM;
}

void mitosis_rdma_connections_exit(void)
{
	struct connection *c;

	mutex_lock(&connections_lock);
	list_for_each_entry(c, &connections, node)
		end(c);
	mutex_unlock(&connections_lock);
	/* Until then completions queue work. */
	wait_event(connection_gone, !READ_ONCE(connection_count));
	destroy_workqueue(workers);
}

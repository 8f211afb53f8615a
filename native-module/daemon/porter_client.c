// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#ifdef MITOSIS_RDMA
#include "daemon/porter_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/wire.h"

/* Of wr_id: the completion of a SEND; the other bits are the slot. */
#define SENT (1ull << 32)
/* Retries of what the other end is not ready for; 7 would mean for ever. */
#define NOT_READY_RETRIES 6

/* The memory: `slots` times the pages of an answer, then as many requests. */
static size_t answer_offset(const struct porter_client *c, uint32_t slot)
{
	return slot * c->pages_max * c->page_size;
}

static size_t request_offset(const struct porter_client *c, uint32_t slot)
{
	return answer_offset(c, c->slots) + slot * sizeof(struct wire_rdma_request);
}

static int expect_request(struct porter_client *c, uint32_t slot)
{
	return rdma_post_receive(c->id, &c->queues, request_offset(c, slot),
				 sizeof(struct wire_rdma_request), slot);
}

int porter_client_accept(const struct rdma_libraries *l, struct porter_client *c,
			 struct rdma_cm_id *id, uint32_t depth)
{
	struct rdma_conn_param param = { .rnr_retry_count = NOT_READY_RETRIES };
	struct rdma_queue_sizes sizes;
	uint32_t slot;
	int err;

	/* A slot is free again when its answer has been acknowledged. */
	c->slots = 2 * depth;
	c->id = id;
	sizes.memory = request_offset(c, c->slots);
	sizes.receives = sizes.sends = c->slots;
	err = rdma_queues_create(l, id, &sizes, &c->queues);
	for (slot = 0; !err && slot < c->slots; slot++)
		err = expect_request(c, slot);
	if (!err && l->accept(id, &param))
		err = -errno;
	if (err) {
		rdma_queues_destroy(l, id, &c->queues);
		c->id = NULL;
	}
	return err;
}

static bool is_valid(const struct wire_rdma_request *r, uint32_t size)
{
	return size == sizeof(*r) && r->header.magic == WIRE_MAGIC &&
	       r->header.version == WIRE_VERSION && r->header.type == WIRE_PAGES &&
	       !r->header.status && r->header.length == sizeof(r->pages);
}

/*
 * Reads the requested pages. Unlike process_vm_readv(2), a read of the file leaves them
 * shared with the parent. False: the client asks the shadow, over TCP.
 */
static bool read_pages(const struct porter_client *c, const struct wire_pages *p,
		       char *to)
{
	uint64_t done = 0;
	ssize_t n;

	if (!p->length || p->address % c->page_size || p->length % c->page_size ||
	    p->length > c->pages_max * c->page_size ||
	    !descriptor_covers(c->snapshot.descriptor, p->address, p->length))
		return false;
	for (; done < p->length; done += n) {
		n = pread(c->snapshot.memory, to + done, p->length - done,
			  p->address + done);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return false;
	}
	return true;
}

static bool answer(struct porter_client *c, uint32_t slot, uint32_t size)
{
	struct wire_rdma_request r;
	bool has_pages;

	/* A copy: the device writes the memory. */
	memcpy(&r, c->queues.memory + request_offset(c, slot), sizeof(r));
	if (!is_valid(&r, size))
		return false;
	has_pages =
		read_pages(c, &r.pages, c->queues.memory + answer_offset(c, slot));
	if (has_pages)
		c->served++;
	else
		c->refused++;
	return !rdma_post_send(c->id, &c->queues, answer_offset(c, slot),
			       has_pages ? r.pages.length : 0, slot | SENT);
}

bool porter_client_serve(const struct rdma_libraries *l, struct porter_client *c)
{
	struct ibv_wc wc;
	int n;

	if (rdma_queues_rearm(l, &c->queues))
		return false;
	while ((n = ibv_poll_cq(c->queues.cq, 1, &wc)) > 0) {
		uint32_t slot = wc.wr_id;

		if (wc.status != IBV_WC_SUCCESS)
			return false;
		if (wc.wr_id & SENT ? expect_request(c, slot) != 0
				    : !answer(c, slot, wc.byte_len))
			return false;
	}
	return n == 0;
}

void porter_client_close(const struct rdma_libraries *l, struct porter_client *c)
{
	l->disconnect(c->id);
	rdma_queues_destroy(l, c->id, &c->queues);
	l->destroy_id(c->id);
	close(c->snapshot.memory);
	free(c->snapshot.descriptor);
	*c = (struct porter_client){ 0 };
}
#endif /* MITOSIS_RDMA */

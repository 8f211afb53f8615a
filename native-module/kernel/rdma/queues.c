// SPDX-License-Identifier: GPL-2.0
#include "queues.h"

int mitosis_rdma_queues_create(struct queues *q, const struct queue_sizes *sizes)
{
	/* One more each, for draining. */
	struct ib_qp_init_attr attr = {
		.cap = {
			.max_send_wr = sizes->sends + 1,
			.max_recv_wr = sizes->receives + 1,
			.max_send_sge = sizes->send_pages,
			.max_recv_sge = sizes->receive_pages,
		},
		.sq_sig_type = IB_SIGNAL_ALL_WR,
		.qp_type = IB_QPT_RC,
	};
	int err;

	q->pd = ib_alloc_pd(q->id->device, 0);
	if (IS_ERR(q->pd)) {
		err = PTR_ERR(q->pd);
		q->pd = NULL;
		return err;
	}
	q->cq = ib_alloc_cq_any(q->id->device, NULL, sizes->sends + sizes->receives + 2,
				IB_POLL_SOFTIRQ);
	if (IS_ERR(q->cq)) {
		err = PTR_ERR(q->cq);
		q->cq = NULL;
		return err;
	}
	attr.send_cq = attr.recv_cq = q->cq;
	return rdma_create_qp(q->id, q->pd, &attr);
}

int mitosis_rdma_queues_close_memory(struct queues *q)
{
	struct ib_qp_attr attr = { .qp_access_flags = 0 };

	return ib_modify_qp(q->id->qp, &attr, IB_QP_ACCESS_FLAGS);
}

void mitosis_rdma_queues_drain(struct queues *q)
{
	if (!q->id || !q->id->qp)
		return;
	rdma_disconnect(q->id);
	ib_drain_qp(q->id->qp);
}

void mitosis_rdma_queues_destroy(struct queues *q)
{
	if (!q->id)
		return;
	if (q->id->qp)
		rdma_destroy_qp(q->id);
	if (q->cq)
		ib_free_cq(q->cq);
	if (q->pd)
		ib_dealloc_pd(q->pd);
	rdma_destroy_id(q->id);
	*q = (struct queues){};
}

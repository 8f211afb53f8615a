// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#ifdef MITOSIS_RDMA
#include "daemon/rdma_libraries.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

struct symbol {
	const char *name;
	size_t offset; /* of the pointer in struct rdma_libraries */
};

#define VERBS(name)                                                                 \
	{                                                                           \
		"ibv_" #name, offsetof(struct rdma_libraries, name)                 \
	}
#define MANAGER(name)                                                               \
	{                                                                           \
		"rdma_" #name, offsetof(struct rdma_libraries, name)                \
	}

static const struct symbol verbs[] = {
	VERBS(alloc_pd),
	VERBS(dealloc_pd),
	VERBS(reg_mr),
	VERBS(dereg_mr),
	VERBS(create_comp_channel),
	VERBS(destroy_comp_channel),
	VERBS(create_cq),
	VERBS(destroy_cq),
	VERBS(get_cq_event),
	VERBS(ack_cq_events),
	VERBS(modify_qp),
	VERBS(wc_status_str),
};

static const struct symbol manager[] = {
	MANAGER(create_event_channel),
	MANAGER(create_id),
	MANAGER(destroy_id),
	MANAGER(bind_addr),
	MANAGER(listen),
	MANAGER(get_src_port),
	MANAGER(get_cm_event),
	MANAGER(ack_cm_event),
	MANAGER(event_str),
	MANAGER(resolve_addr),
	MANAGER(resolve_route),
	MANAGER(create_qp),
	MANAGER(destroy_qp),
	MANAGER(connect),
	MANAGER(accept),
	MANAGER(reject),
	MANAGER(disconnect),
	MANAGER(get_devices),
	MANAGER(free_devices),
};

static int load(struct rdma_libraries *l, const char *file,
		const struct symbol *symbols, size_t count, char *problem,
		size_t size)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	size_t i;

	if (!library) {
		snprintf(problem, size, "%s", dlerror());
		return -ENODEV;
	}
	for (i = 0; i < count; i++) {
		void *address = dlsym(library, symbols[i].name);

		if (!address) {
			snprintf(problem, size, "%s has no %s", file,
				 symbols[i].name);
			return -ENODEV;
		}
		memcpy((char *)l + symbols[i].offset, &address, sizeof(address));
	}
	return 0;
}

int rdma_libraries_load(struct rdma_libraries *l, char *problem, size_t size)
{
	struct ibv_context **devices;
	int count = 0;
	int err = load(l, "libibverbs.so.1", verbs, sizeof(verbs) / sizeof(verbs[0]),
		       problem, size);

	if (!err)
		err = load(l, "librdmacm.so.1", manager,
			   sizeof(manager) / sizeof(manager[0]), problem, size);
	if (err)
		return err;
	devices = l->get_devices(&count);
	if (devices)
		l->free_devices(devices);
	if (devices && count)
		return 0;
	snprintf(problem, size, "no RDMA device that this user may open (%s)",
		 strerror(errno));
	return -ENODEV;
}

static bool make_memory(const struct rdma_libraries *l, struct rdma_queues *q)
{
	q->memory = mmap(NULL, q->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (q->memory == MAP_FAILED) {
		q->memory = NULL;
		return false;
	}
	if (madvise(q->memory, q->size, MADV_DONTFORK))
		return false;
	q->mr = l->reg_mr(q->pd, q->memory, q->size, IBV_ACCESS_LOCAL_WRITE);
	return q->mr;
}

static bool make_queues(const struct rdma_libraries *l, struct rdma_cm_id *id,
			const struct rdma_queue_sizes *sizes, struct rdma_queues *q)
{
	struct ibv_qp_init_attr attr = {
		.cap = {
			.max_send_wr = sizes->sends,
			.max_recv_wr = sizes->receives,
			.max_send_sge = 1,
			.max_recv_sge = 1,
		},
		.qp_type = IBV_QPT_RC,
	};

	q->pd = l->alloc_pd(id->verbs);
	q->events = q->pd ? l->create_comp_channel(id->verbs) : NULL;
	if (!q->events)
		return false;
	fcntl(q->events->fd, F_SETFL, fcntl(q->events->fd, F_GETFL) | O_NONBLOCK);
	q->cq = l->create_cq(id->verbs, sizes->sends + sizes->receives, NULL,
			     q->events, 0);
	if (!q->cq)
		return false;
	attr.send_cq = attr.recv_cq = q->cq;
	return !l->create_qp(id, q->pd, &attr) && make_memory(l, q) &&
	       !ibv_req_notify_cq(q->cq, 0);
}

int rdma_queues_create(const struct rdma_libraries *l, struct rdma_cm_id *id,
		       const struct rdma_queue_sizes *sizes, struct rdma_queues *q)
{
	int err;

	*q = (struct rdma_queues){ .size = sizes->memory };
	errno = 0;
	if (make_queues(l, id, sizes, q))
		return 0;
	err = errno ? -errno : -ENOMEM;
	rdma_queues_destroy(l, id, q);
	return err;
}

void rdma_queues_destroy(const struct rdma_libraries *l, struct rdma_cm_id *id,
			 struct rdma_queues *q)
{
	if (id->qp)
		l->destroy_qp(id);
	if (q->mr)
		l->dereg_mr(q->mr);
	if (q->memory)
		munmap(q->memory, q->size);
	if (q->cq)
		l->destroy_cq(q->cq);
	if (q->events)
		l->destroy_comp_channel(q->events);
	if (q->pd)
		l->dealloc_pd(q->pd);
	*q = (struct rdma_queues){ 0 };
}

int rdma_queues_close_memory(const struct rdma_libraries *l, struct rdma_cm_id *id)
{
	/* The connection manager has given it the access flag REMOTE_WRITE. */
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTS,
		.qp_access_flags = 0,
	};

	return -l->modify_qp(id->qp, &attr, IBV_QP_STATE | IBV_QP_ACCESS_FLAGS);
}

int rdma_post_receive(struct rdma_cm_id *id, const struct rdma_queues *q,
		      size_t offset, uint32_t size, uint64_t number)
{
	struct ibv_sge part = {
		.addr = (uintptr_t)q->memory + offset,
		.length = size,
		.lkey = q->mr->lkey,
	};
	struct ibv_recv_wr request = {
		.wr_id = number,
		.sg_list = &part,
		.num_sge = 1,
	};
	struct ibv_recv_wr *bad;

	return -ibv_post_recv(id->qp, &request, &bad);
}

int rdma_post_send(struct rdma_cm_id *id, const struct rdma_queues *q, size_t offset,
		   uint32_t size, uint64_t number)
{
	struct ibv_sge part = {
		.addr = (uintptr_t)q->memory + offset,
		.length = size,
		.lkey = q->mr->lkey,
	};
	struct ibv_send_wr request = {
		.wr_id = number,
		.sg_list = &part,
		.num_sge = size ? 1 : 0,
		.opcode = IBV_WR_SEND,
		.send_flags = IBV_SEND_SIGNALED,
	};
	struct ibv_send_wr *bad;

	return -ibv_post_send(id->qp, &request, &bad);
}

int rdma_queues_rearm(const struct rdma_libraries *l, struct rdma_queues *q)
{
	struct ibv_cq *cq;
	void *context;

	while (!l->get_cq_event(q->events, &cq, &context))
		l->ack_cq_events(cq, 1);
	return -ibv_req_notify_cq(q->cq, 0);
}
#endif /* MITOSIS_RDMA */

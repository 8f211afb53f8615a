/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libibverbs and librdmacm, loaded when they are needed: mitosisd runs on machines that
 * have neither. What the headers define inline goes through the device's own table.
 */
#ifndef DAEMON_RDMA_LIBRARIES_H
#define DAEMON_RDMA_LIBRARIES_H

#include <rdma/rdma_cma.h>
#include <stddef.h>

/* Each as its library has it, without the prefix of that. */
struct rdma_libraries {
	/* ibv_ */
	struct ibv_pd *(*alloc_pd)(struct ibv_context *context);
	int (*dealloc_pd)(struct ibv_pd *pd);
	struct ibv_mr *(*reg_mr)(struct ibv_pd *pd, void *address, size_t size,
				 int access);
	int (*dereg_mr)(struct ibv_mr *mr);
	struct ibv_comp_channel *(*create_comp_channel)(struct ibv_context *context);
	int (*destroy_comp_channel)(struct ibv_comp_channel *channel);
	struct ibv_cq *(*create_cq)(struct ibv_context *context, int size,
				    void *cq_context,
				    struct ibv_comp_channel *channel, int vector);
	int (*destroy_cq)(struct ibv_cq *cq);
	int (*get_cq_event)(struct ibv_comp_channel *channel, struct ibv_cq **cq,
			    void **cq_context);
	void (*ack_cq_events)(struct ibv_cq *cq, unsigned int count);
	int (*modify_qp)(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask);
	const char *(*wc_status_str)(enum ibv_wc_status status);
	/* rdma_ */
	struct rdma_event_channel *(*create_event_channel)(void);
	int (*create_id)(struct rdma_event_channel *channel, struct rdma_cm_id **id,
			 void *context, enum rdma_port_space space);
	int (*destroy_id)(struct rdma_cm_id *id);
	int (*bind_addr)(struct rdma_cm_id *id, struct sockaddr *address);
	int (*listen)(struct rdma_cm_id *id, int backlog);
	uint16_t (*get_src_port)(struct rdma_cm_id *id);
	int (*get_cm_event)(struct rdma_event_channel *channel,
			    struct rdma_cm_event **event);
	int (*ack_cm_event)(struct rdma_cm_event *event);
	const char *(*event_str)(enum rdma_cm_event_type event);
	int (*resolve_addr)(struct rdma_cm_id *id, struct sockaddr *from,
			    struct sockaddr *to, int timeout_ms);
	int (*resolve_route)(struct rdma_cm_id *id, int timeout_ms);
	int (*create_qp)(struct rdma_cm_id *id, struct ibv_pd *pd,
			 struct ibv_qp_init_attr *attr);
	void (*destroy_qp)(struct rdma_cm_id *id);
	int (*connect)(struct rdma_cm_id *id, struct rdma_conn_param *param);
	int (*accept)(struct rdma_cm_id *id, struct rdma_conn_param *param);
	int (*reject)(struct rdma_cm_id *id, const void *data, uint8_t size);
	int (*disconnect)(struct rdma_cm_id *id);
	struct ibv_context **(*get_devices)(int *count);
	void (*free_devices)(struct ibv_context **devices);
};

/*
 * Loads both, and looks for a device. Returns 0, or -ENODEV with the reason in
 * `problem`.
 */
int rdma_libraries_load(struct rdma_libraries *libraries, char *problem,
			size_t size);

/* A connection's queues, and the one piece of memory that its device may write. */
struct rdma_queues {
	struct ibv_pd *pd;
	struct ibv_comp_channel *events;
	struct ibv_cq *cq;
	char *memory; /* not inherited by what this process forks */
	size_t size;
	struct ibv_mr *mr;
};

/* What a connection of one of the two ends needs. */
struct rdma_queue_sizes {
	size_t memory; /* bytes */
	uint32_t receives, sends;
};

/* Makes the queues of a resolved or requested connection. Returns 0 or -errno. */
int rdma_queues_create(const struct rdma_libraries *l, struct rdma_cm_id *id,
		       const struct rdma_queue_sizes *sizes, struct rdma_queues *q);

/* When it returns, the device does not use the memory any more. */
void rdma_queues_destroy(const struct rdma_libraries *l, struct rdma_cm_id *id,
			 struct rdma_queues *q);

/*
 * Takes all access to memory from the other end, which has no key to any. Of a
 * connected one. Returns 0 or -errno.
 */
int rdma_queues_close_memory(const struct rdma_libraries *l, struct rdma_cm_id *id);

/* Receives into, or sends from, a part of the memory. Return 0 or -errno. */
int rdma_post_receive(struct rdma_cm_id *id, const struct rdma_queues *q,
		      size_t offset, uint32_t size, uint64_t number);
int rdma_post_send(struct rdma_cm_id *id, const struct rdma_queues *q, size_t offset,
		   uint32_t size, uint64_t number);

/* After an event: takes it, and asks for the next one. Returns 0 or -errno. */
int rdma_queues_rearm(const struct rdma_libraries *l, struct rdma_queues *q);

#endif /* DAEMON_RDMA_LIBRARIES_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* Receives pages of another machine's snapshot straight into the pages of its children. */
#ifndef MITOSIS_RDMA_CLIENT_H
#define MITOSIS_RDMA_CLIENT_H

#include "kernel/rdma_operations.h"

/* As in struct rdma_operations. */
struct rdma_client *mitosis_rdma_client_connect(const struct rdma_target *target,
						const char **step);
int mitosis_rdma_client_fetch(struct rdma_client *client, u64 address, unsigned long count,
			      struct page **pages, unsigned int wait_ms);
void mitosis_rdma_client_close(struct rdma_client *client);

#endif /* MITOSIS_RDMA_CLIENT_H */

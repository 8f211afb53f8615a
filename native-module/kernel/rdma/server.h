/* SPDX-License-Identifier: GPL-2.0 */
/* Who may connect to read a snapshot of this machine: tokens, and the listener. */
#ifndef MITOSIS_RDMA_SERVER_H
#define MITOSIS_RDMA_SERVER_H

#include "kernel/rdma_operations.h"

int mitosis_rdma_server_init(void);
/* Ends all connections. Nobody expects a client any more. */
void mitosis_rdma_server_exit(void);

/* As in struct rdma_operations. */
int mitosis_rdma_server_expect(struct rdma_expected *expected);

#endif /* MITOSIS_RDMA_SERVER_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * mitosis_rdma.ko: pages of snapshots by RDMA. A module of its own, so that mitosis.ko needs
 * no ib_core. See DESIGN.md.
 */
#include <linux/module.h>

#include "client.h"
#include "ports.h"
#include "server.h"

static const struct rdma_operations operations = {
	.owner = THIS_MODULE,
	.connect = mitosis_rdma_client_connect,
	.fetch = mitosis_rdma_client_fetch,
	.close = mitosis_rdma_client_close,
	.expect = mitosis_rdma_server_expect,
	.find_port = mitosis_rdma_port_find,
};

static int __init rdma_init(void)
{
	int err = mitosis_rdma_ports_init();

	if (err)
		return err;
	err = mitosis_rdma_server_init();
	if (err)
		goto err_ports;
	err = mitosis_rdma_register(&operations);
	if (err)
		goto err_server;
	return 0;

err_server:
	mitosis_rdma_server_exit();
err_ports:
	mitosis_rdma_ports_exit();
	return err;
}

/* A client holds the module, and so does who asks for one to be expected. */
static void __exit rdma_exit(void)
{
	mitosis_rdma_unregister(&operations);
	mitosis_rdma_server_exit();
	mitosis_rdma_ports_exit();
}

module_init(rdma_init);
module_exit(rdma_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Remote fork: pages of snapshots by RDMA, for mitosis.ko");

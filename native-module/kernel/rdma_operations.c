// SPDX-License-Identifier: GPL-2.0
#include "rdma_operations.h"

#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include "auth.h"

static const struct rdma_operations *registered;
static DEFINE_MUTEX(registered_lock);

int mitosis_rdma_register(const struct rdma_operations *operations)
{
	int err;

	mutex_lock(&registered_lock);
	err = registered ? -EBUSY : 0;
	if (!err)
		registered = operations;
	mutex_unlock(&registered_lock);
	return err;
}
EXPORT_SYMBOL_GPL(mitosis_rdma_register);

void mitosis_rdma_unregister(const struct rdma_operations *operations)
{
	mutex_lock(&registered_lock);
	if (registered == operations)
		registered = NULL;
	mutex_unlock(&registered_lock);
}
EXPORT_SYMBOL_GPL(mitosis_rdma_unregister);

const struct rdma_operations *mitosis_rdma_get(void)
{
	const struct rdma_operations *operations;

	mutex_lock(&registered_lock);
	operations = registered && try_module_get(registered->owner) ? registered : NULL;
	mutex_unlock(&registered_lock);
	return operations;
}

void mitosis_rdma_put(const struct rdma_operations *operations)
{
	if (operations)
		module_put(operations->owner);
}

bool mitosis_rdma_is_there(void)
{
	bool there;

	mutex_lock(&registered_lock);
	there = registered;
	mutex_unlock(&registered_lock);
	return there;
}

/* For all sessions, until there is one: machines without RDMA do not ask each time. */
void mitosis_rdma_load_once(void)
{
	static atomic_t asked;

	if (mitosis_auth_allows_rdma() && !mitosis_rdma_is_there() && !atomic_xchg(&asked, 1))
		request_module("mitosis_rdma");
}

int mitosis_rdma_ready(struct net *net, u8 nic)
{
	const struct rdma_operations *operations;
	int err;

	if (!mitosis_auth_allows_rdma()) {
		pr_err_ratelimited("RDMA carries pages that are not sealed: it needs "
				   "protection=handshake, and this module has %s\n",
				   mitosis_auth_protection());
		return -EPROTOTYPE;
	}
	operations = mitosis_rdma_get();
	if (!operations) {
		request_module("mitosis_rdma");
		operations = mitosis_rdma_get();
	}
	if (!operations)
		return -ENODEV;
	err = nic ? operations->find_port(net, nic - 1u) : 0;
	mitosis_rdma_put(operations);
	return err;
}

// SPDX-License-Identifier: GPL-2.0
#include "ports.h"

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/ipv6.h>
#include <rdma/ib_cache.h>
#include <rdma/ib_verbs.h>
#include <rdma/rdma_cm.h>

struct entry {
	struct list_head node;
	struct ib_device *device;
};

/* In the order of the numbers. A device is in it until ib_core has told that it goes. */
static LIST_HEAD(devices);
static DEFINE_MUTEX(lock);

static bool is_before(const struct entry *a, const struct entry *b)
{
	const char *left = dev_name(&a->device->dev), *right = dev_name(&b->device->dev);
	size_t left_length = strlen(left), right_length = strlen(right);

	return left_length != right_length ? left_length < right_length : strcmp(left, right) < 0;
}

/* With the lock held. */
static void insert(struct entry *e)
{
	struct entry *other;

	list_for_each_entry(other, &devices, node)
		if (is_before(e, other))
			break;
	list_add_tail(&e->node, &other->node);
}

static struct ib_client ports_client;

static int add_device(struct ib_device *device)
{
	struct entry *e = kzalloc(sizeof(*e), GFP_KERNEL);

	if (!e)
		return -ENOMEM;
	e->device = device;
	ib_set_client_data(device, &ports_client, e);
	mutex_lock(&lock);
	insert(e);
	mutex_unlock(&lock);
	return 0;
}

static void remove_device(struct ib_device *device, void *data)
{
	struct entry *e = data;

	mutex_lock(&lock);
	list_del(&e->node);
	mutex_unlock(&lock);
	kfree(e);
}

static void rename_device(struct ib_device *device, void *data)
{
	struct entry *e = data;

	mutex_lock(&lock);
	list_del(&e->node);
	insert(e);
	mutex_unlock(&lock);
}

static struct ib_client ports_client = {
	.name = "mitosis_rdma",
	.add = add_device,
	.remove = remove_device,
	.rename = rename_device,
};

/* With the lock held. Returns NULL or a device, and the number of its port. */
static struct ib_device *find(struct net *net, unsigned int nic_id, u32 *number)
{
	struct entry *e;
	u32 port;

	list_for_each_entry(e, &devices, node) {
		if (!rdma_dev_access_netns(e->device, net))
			continue;
		rdma_for_each_port(e->device, port) {
			if (nic_id--)
				continue;
			*number = port;
			return e->device;
		}
	}
	return NULL;
}

int mitosis_rdma_port_find(struct net *net, unsigned int nic_id)
{
	u32 number;
	int err;

	mutex_lock(&lock);
	err = find(net, nic_id, &number) ? 0 : -ENXIO;
	mutex_unlock(&lock);
	return err;
}

enum kind {
	KIND_IPV4,
	KIND_IPV6,
	KIND_LINK_LOCAL,
};

static enum kind kind_of(const struct in6_addr *ip)
{
	if (ipv6_addr_v4mapped(ip))
		return KIND_IPV4;
	return ipv6_addr_type(ip) & IPV6_ADDR_LINKLOCAL ? KIND_LINK_LOCAL : KIND_IPV6;
}

/* Returns 0 or -ENOENT. */
static int find_gid(struct ib_device *device, u32 port, enum kind kind, struct in6_addr *ip)
{
	int i, count = device->port_data[port].immutable.gid_tbl_len;
	union ib_gid gid;

	for (i = 0; i < count; i++) {
		if (rdma_query_gid(device, port, i, &gid))
			continue;
		memcpy(ip, gid.raw, sizeof(*ip));
		if (!ipv6_addr_any(ip) && kind_of(ip) == kind)
			return 0;
	}
	return -ENOENT;
}

int mitosis_rdma_port_source(struct net *net, unsigned int nic_id,
			     const struct sockaddr_storage *to, struct sockaddr_storage *from)
{
	const struct sockaddr_in6 *to6 = (const struct sockaddr_in6 *)to;
	struct sockaddr_in6 *from6 = (struct sockaddr_in6 *)from;
	struct sockaddr_in *from4 = (struct sockaddr_in *)from;
	enum kind kind = to->ss_family == AF_INET ? KIND_IPV4 : kind_of(&to6->sin6_addr);
	struct ib_device *device;
	struct in6_addr ip;
	u32 number;
	int err;

	mutex_lock(&lock);
	device = find(net, nic_id, &number);
	err = device ? find_gid(device, number, kind, &ip) : -ENXIO;
	mutex_unlock(&lock);
	if (err)
		return err;
	memset(from, 0, sizeof(*from));
	from->ss_family = to->ss_family;
	if (kind == KIND_IPV4) {
		from4->sin_addr.s_addr = ip.s6_addr32[3];
	} else {
		from6->sin6_addr = ip;
		if (kind == KIND_LINK_LOCAL)
			from6->sin6_scope_id = to6->sin6_scope_id;
	}
	return 0;
}

bool mitosis_rdma_port_is_of(struct net *net, unsigned int nic_id, const struct rdma_cm_id *id)
{
	u32 number;
	bool is;

	mutex_lock(&lock);
	is = id->device && find(net, nic_id, &number) == id->device && number == id->port_num;
	mutex_unlock(&lock);
	return is;
}

int mitosis_rdma_ports_init(void)
{
	return ib_register_client(&ports_client);
}

void mitosis_rdma_ports_exit(void)
{
	ib_unregister_client(&ports_client);
}

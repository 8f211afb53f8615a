// SPDX-License-Identifier: GPL-2.0
#include "server.h"

#include <crypto/algapi.h>
#include <linux/in6.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <rdma/ib_cm.h>
#include <rdma/ib_verbs.h>
#include <rdma/rdma_cm.h>

#include "connection.h"
#include "kernel/shares.h"

/* Of all, and of one user's snapshots: shares.h. */
#define GRANTS_MAX	 64u
#define GRANTS_PER_OWNER 32u
#define BACKLOG		 64
#define SWEEP_MS	 1000

/* A client that has not come yet. */
struct grant {
	struct list_head node;
	u8 token[WIRE_RDMA_TOKEN_SIZE];
	unsigned long deadline; /* jiffies */
	struct connection_rights rights;
};

static LIST_HEAD(grants);
static unsigned int grant_count;
static DEFINE_MUTEX(lock);	    /* of the grants; an id's handler takes it */
static struct rdma_cm_id *listener; /* from the first grant on */
static DEFINE_MUTEX(listener_lock);

static void sweep(struct work_struct *work);
static DECLARE_DELAYED_WORK(sweeping, sweep);

/* With the lock held. */
static void remove(struct grant *g)
{
	list_del(&g->node);
	grant_count--;
}

static void forget(struct grant *g)
{
	mitosis_rdma_put_snapshot(g->rights.snapshot);
	kfree_sensitive(g);
}

/* Removes a grant that is over, or any of them. */
static struct grant *take_over(bool any)
{
	struct grant *g;

	mutex_lock(&lock);
	list_for_each_entry(g, &grants, node)
		if (any || time_after(jiffies, g->deadline)) {
			remove(g);
			goto out;
		}
	g = NULL;
out:
	mutex_unlock(&lock);
	return g;
}

static void sweep(struct work_struct *work)
{
	struct grant *g;

	while ((g = take_over(false)))
		forget(g);
	if (mitosis_rdma_connections_sweep() || READ_ONCE(grant_count))
		schedule_delayed_work(&sweeping, msecs_to_jiffies(SWEEP_MS));
}

/* Removes the grant with the token that a client presents: it is good for one attempt. */
static struct grant *take_grant(const struct rdma_conn_param *param)
{
	struct grant *g, *found = NULL;

	if (!param->private_data || param->private_data_len < WIRE_RDMA_TOKEN_SIZE)
		return NULL;
	mutex_lock(&lock);
	list_for_each_entry(g, &grants, node)
		if (!time_after(jiffies, g->deadline) &&
		    !crypto_memneq(g->token, param->private_data, sizeof(g->token)))
			found = g;
	if (found)
		remove(found);
	mutex_unlock(&lock);
	return found;
}

/* Non-zero destroys the id. */
static int connect_request(struct rdma_cm_id *id, const struct rdma_cm_event *event)
{
	struct grant *g = take_grant(&event->param.conn);
	int err = -EACCES;

	if (g) {
		err = mitosis_rdma_connection_accept(id, &g->rights);
		kfree_sensitive(g);
	}
	if (err)
		rdma_reject(id, NULL, 0, IB_CM_REJ_CONSUMER_DEFINED);
	return err;
}

static int handle_event(struct rdma_cm_id *id, struct rdma_cm_event *event)
{
	if (event->event == RDMA_CM_EVENT_CONNECT_REQUEST)
		return connect_request(id, event);
	return id->context ? mitosis_rdma_connection_event(id, event) : 0;
}

/* With listener_lock held. Returns 0 or -errno. */
static int start_listening(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	struct rdma_cm_id *id =
		rdma_create_id(&init_net, handle_event, NULL, RDMA_PS_TCP, IB_QPT_RC);
	int err;

	if (IS_ERR(id))
		return PTR_ERR(id);
	err = rdma_bind_addr(id, (struct sockaddr *)&any);
	err = err ?: rdma_listen(id, BACKLOG);
	if (err)
		rdma_destroy_id(id);
	else
		listener = id;
	return err;
}

/* Returns 0 with the port at which the connection manager listens, or -errno. */
static int listen(u16 *port)
{
	const struct sockaddr_in6 *own;
	int err = 0;

	mutex_lock(&listener_lock);
	if (!listener)
		err = start_listening();
	if (!err) {
		own = (struct sockaddr_in6 *)&listener->route.addr.src_addr;
		*port = ntohs(own->sin6_port);
	}
	mutex_unlock(&listener_lock);
	return err;
}

static int ignore_event(struct rdma_cm_id *id, struct rdma_cm_event *event)
{
	return 0;
}

/* Whether a device has the address; then what one message of it can be sent from. */
static int look_at_device(struct rdma_expected *expected)
{
	struct sockaddr_storage address = expected->address;
	struct rdma_cm_id *id =
		rdma_create_id(&init_net, ignore_event, NULL, RDMA_PS_TCP, IB_QPT_RC);
	int err;

	if (IS_ERR(id))
		return PTR_ERR(id);
	if (address.ss_family == AF_INET)
		((struct sockaddr_in *)&address)->sin_port = 0;
	else
		((struct sockaddr_in6 *)&address)->sin6_port = 0;
	err = rdma_bind_addr(id, (struct sockaddr *)&address);
	if (!err && !id->device)
		err = -ENODEV;
	if (!err)
		expected->pages_max =
			min_t(u32, expected->pages_max, id->device->attrs.max_send_sge);
	rdma_destroy_id(id);
	return err == -EADDRNOTAVAIL ? -ENODEV : err;
}

/* With the lock held. */
static bool has_room(u32 owner)
{
	unsigned int of_owner = 0;
	struct grant *g;

	list_for_each_entry(g, &grants, node)
		of_owner += owner != NO_USER && g->rights.owner == owner;
	return grant_count < GRANTS_MAX && of_owner < GRANTS_PER_OWNER;
}

int mitosis_rdma_server_expect(struct rdma_expected *expected)
{
	struct grant *g;
	int err = look_at_device(expected);

	err = err ?: listen(&expected->port);
	if (err)
		return err;
	g = kzalloc(sizeof(*g), GFP_KERNEL);
	if (!g)
		return -ENOMEM;
	memcpy(g->token, expected->token, sizeof(g->token));
	g->deadline = jiffies + msecs_to_jiffies(WIRE_RDMA_TOKEN_MS);
	g->rights = (struct connection_rights){
		.snapshot = expected->snapshot,
		.owner = expected->owner,
		.pages_max = expected->pages_max,
		.depth = expected->depth,
	};
	mutex_lock(&lock);
	err = has_room(expected->owner) ? 0 : -EBUSY;
	if (!err) {
		list_add_tail(&g->node, &grants);
		grant_count++;
	}
	mutex_unlock(&lock);
	if (err)
		kfree_sensitive(g);
	else
		schedule_delayed_work(&sweeping, msecs_to_jiffies(SWEEP_MS));
	return err;
}

int mitosis_rdma_server_init(void)
{
	return mitosis_rdma_connections_init();
}

void mitosis_rdma_server_exit(void)
{
	struct grant *g;

	cancel_delayed_work_sync(&sweeping);
	if (listener)
		rdma_destroy_id(listener);
	while ((g = take_over(true)))
		forget(g);
	mitosis_rdma_connections_exit();
}

// SPDX-License-Identifier: GPL-2.0
#include "session.h"

#include <linux/capability.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/nsproxy.h>
#include <linux/socket.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "address.h"
#include "auth.h"
#include "link.h"
#include "parameters.h"
#include "rdma_operations.h"
#include "shares.h"
#include "uapi/mitosis.h"
#include "work_item.h"

#define IDLE_MAX 16
/*
 * How long a connection in another network namespace than the first may be idle, ms:
 * it keeps the namespace.
 */
#define IDLE_MS 60000

struct session {
	struct list_head node;
	struct net *net;    /* not held: its end removes the session */
	unsigned long used; /* last use of a connection, jiffies */
	u32 machine_id;
	u64 number; /* of the last Connect, which may have changed the address */
	struct machine_address address;
	unsigned int idle_count;
	struct link *idle[IDLE_MAX];
};

static LIST_HEAD(sessions);
static u64 last_number;
static DEFINE_MUTEX(sessions_lock);
static void close_unused(struct work_struct *work);
static DECLARE_DELAYED_WORK(unused_check, close_unused);

/* With sessions_lock held. */
static struct session *find(const struct net *net, u32 machine_id)
{
	struct session *s;

	list_for_each_entry(s, &sessions, node)
		if (s->net == net && s->machine_id == machine_id)
			return s;
	return NULL;
}

static void close_idle(struct session *s)
{
	while (s->idle_count)
		mitosis_link_close(s->idle[--s->idle_count]);
}

static void close_unused(struct work_struct *work)
{
	bool again = false;
	struct session *s;

	mutex_lock(&sessions_lock);
	list_for_each_entry(s, &sessions, node) {
		if (s->net == &init_net)
			continue;
		if (time_after(jiffies, s->used + msecs_to_jiffies(IDLE_MS)))
			close_idle(s);
		again |= s->idle_count;
	}
	mutex_unlock(&sessions_lock);
	if (again)
		schedule_delayed_work(&unused_check, msecs_to_jiffies(IDLE_MS / 4));
}

/* With sessions_lock held. */
static void add_idle(struct session *s, struct link *link)
{
	link->session = s->number;
	s->idle[s->idle_count++] = link;
	s->used = jiffies;
	if (s->net != &init_net)
		schedule_delayed_work(&unused_check, msecs_to_jiffies(IDLE_MS / 4));
}

/* Returns -EINVAL if another machine answers at the address. */
static int connect_to(struct net *net, u32 machine_id, const struct sockaddr_storage *address,
		      unsigned int deadline_ms, struct link **link)
{
	u32 answers;
	int err = mitosis_link_connect(net, address, deadline_ms, link, &answers);

	if (!err && answers != machine_id) {
		mitosis_link_close(*link);
		err = -EINVAL;
	}
	return err;
}

struct connect_work {
	struct work_item item;
	struct net *net;
	u32 machine_id;
	struct machine_address address;
	int err;
};

static void run_connect(struct work_item *item)
{
	struct connect_work *w = container_of(item, struct connect_work, item);
	struct session *s, *fresh;
	struct link *link;

	w->err =
		connect_to(w->net, w->machine_id, &w->address.socket, mitosis_deadline_ms(), &link);
	if (w->err)
		return;
	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	mutex_lock(&sessions_lock);
	s = find(w->net, w->machine_id);
	if (!s && fresh) {
		s = fresh;
		fresh = NULL;
		s->net = w->net;
		s->machine_id = w->machine_id;
		list_add(&s->node, &sessions);
	}
	if (s) {
		close_idle(s);
		s->number = ++last_number;
		s->address = w->address;
		add_idle(s, link);
	} else {
		w->err = -ENOMEM;
		mitosis_link_close(link);
	}
	mutex_unlock(&sessions_lock);
	kfree(fresh);
}

static void destroy_connect(struct work_item *item)
{
	struct connect_work *w = container_of(item, struct connect_work, item);

	put_net(w->net);
	kfree(w);
}

int mitosis_session_connect(u32 machine_id, const char *address, u32 nic_id)
{
	struct net *net = current->nsproxy->net_ns;
	struct machine_address parsed;
	struct connect_work *w;
	int err = mitosis_address_parse(net, address, &parsed);

	if (err)
		return err;
	if (parsed.rdma && !parsed.nic && nic_id) {
		if (nic_id >= U8_MAX)
			return -ENXIO;
		parsed.nic = nic_id + 1;
	}
	/* The session is everybody's: the caller decides which host is the machine. */
	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	err = mitosis_auth_ready();
	if (!err && parsed.rdma)
		err = mitosis_rdma_ready(net, parsed.nic);
	if (err)
		return err;
	if (!parsed.rdma && mitosis_upgrades())
		mitosis_rdma_load_once();
	if (!mitosis_auth_allows(&parsed.socket))
		return -EACCES;
	w = kzalloc(sizeof(*w), GFP_KERNEL);
	if (!w)
		return -ENOMEM;
	mitosis_work_item_init(&w->item, run_connect, destroy_connect);
	w->net = get_net(net);
	w->machine_id = machine_id;
	w->address = parsed;
	err = mitosis_work_item_run(&w->item);
	if (!err)
		err = w->err;
	mitosis_work_item_put(&w->item);
	return err;
}

int mitosis_session_take(struct net *net, u32 machine_id, u32 user, unsigned int deadline_ms,
			 bool idle, struct link **link)
{
	struct sockaddr_storage address;
	struct session *s;
	u64 number = 0;
	int err = mitosis_share_take(&mitosis_links, user, 1, mitosis_connections_per_user());

	if (err)
		return err;
	mutex_lock(&sessions_lock);
	s = find(net, machine_id);
	if (!s) {
		err = -ENOTCONN;
	} else if (idle) {
		*link = s->idle_count ? s->idle[--s->idle_count] : NULL;
		err = *link ? 0 : -EAGAIN;
	} else {
		address = s->address.socket;
		number = s->number;
	}
	mutex_unlock(&sessions_lock);
	if (!err && !idle)
		err = connect_to(net, machine_id, &address, deadline_ms, link);
	if (err) {
		mitosis_share_give(&mitosis_links, user, 1);
		return err;
	}
	if (!idle)
		(*link)->session = number;
	(*link)->user = user;
	(*link)->deadline_ms = deadline_ms;
	return 0;
}

void mitosis_session_give(const struct net *net, u32 machine_id, struct link *link)
{
	struct session *s;

	mitosis_share_give(&mitosis_links, link->user, 1);
	link->user = NO_USER;
	mutex_lock(&sessions_lock);
	s = find(net, machine_id);
	/* Not one to where the machine was before its address was set again. */
	if (s && s->number == link->session && !link->failure && s->idle_count < IDLE_MAX) {
		add_idle(s, link);
		link = NULL;
	}
	mutex_unlock(&sessions_lock);
	mitosis_link_close(link);
}

bool mitosis_session_leads_to(const struct net *net, u32 machine_id, const struct link *link)
{
	struct session *s;
	bool leads;

	mutex_lock(&sessions_lock);
	s = find(net, machine_id);
	leads = s && s->number == link->session;
	mutex_unlock(&sessions_lock);
	return leads;
}

/* By name it is refused where it cannot be; else it is used where it can. */
static enum rdma_wish wish_of(const struct machine_address *address)
{
	if (address->rdma)
		return RDMA_ASKED_FOR;
	if (mitosis_upgrades() && mitosis_auth_allows_rdma() && mitosis_rdma_is_there())
		return RDMA_IF_POSSIBLE;
	return RDMA_NEVER;
}

enum rdma_wish mitosis_session_rdma_wish(const struct net *net, u32 machine_id,
					 struct machine_address *address)
{
	enum rdma_wish wish = RDMA_NEVER;
	struct session *s;

	mutex_lock(&sessions_lock);
	s = find(net, machine_id);
	if (s) {
		wish = wish_of(&s->address);
		*address = s->address;
	}
	mutex_unlock(&sessions_lock);
	return wish;
}

struct nil_work {
	struct work_item item;
	struct net *net;
	u32 machine_id;
	int err;
};

static int call_nil(struct link *link)
{
	int err = mitosis_link_send_body(link, WIRE_NIL, NULL, 0);

	return err ?: mitosis_link_receive_empty_answer(link);
}

static void run_nil(struct work_item *item)
{
	struct nil_work *w = container_of(item, struct nil_work, item);
	unsigned int deadline_ms = mitosis_deadline_ms();
	bool idle = true;
	struct link *link;

	for (;;) {
		w->err = mitosis_session_take(w->net, w->machine_id, NO_USER, deadline_ms, idle,
					      &link);
		if (w->err == -EAGAIN && idle) {
			idle = false;
			continue;
		}
		if (w->err)
			return;
		w->err = call_nil(link);
		if (!w->err) {
			mitosis_session_give(w->net, w->machine_id, link);
			return;
		}
		mitosis_link_close(link);
		/* The other machine may have closed an idle connection. */
		if (!idle || w->err != -ECONNRESET)
			return;
	}
}

static void destroy_nil(struct work_item *item)
{
	struct nil_work *w = container_of(item, struct nil_work, item);

	put_net(w->net);
	kfree(w);
}

int mitosis_session_nil(u32 machine_id)
{
	struct nil_work *w = kzalloc(sizeof(*w), GFP_KERNEL);
	int err;

	if (!w)
		return -ENOMEM;
	mitosis_work_item_init(&w->item, run_nil, destroy_nil);
	w->net = get_net(current->nsproxy->net_ns);
	w->machine_id = machine_id;
	err = mitosis_work_item_run(&w->item);
	if (!err)
		err = w->err;
	mitosis_work_item_put(&w->item);
	return err;
}

/* No connection is open: each would hold the namespace, unless it is the first one. */
static void end_of_namespace(struct net *net)
{
	struct session *s, *next;

	mutex_lock(&sessions_lock);
	list_for_each_entry_safe(s, next, &sessions, node) {
		if (s->net != net)
			continue;
		close_idle(s);
		list_del(&s->node);
		kfree(s);
	}
	mutex_unlock(&sessions_lock);
}

static struct pernet_operations namespace_operations = {
	.exit = end_of_namespace,
};

int mitosis_sessions_init(void)
{
	return register_pernet_subsys(&namespace_operations);
}

void mitosis_sessions_exit(void)
{
	cancel_delayed_work_sync(&unused_check);
	unregister_pernet_subsys(&namespace_operations);
}

/* Reads each byte once, none past the NUL or the lengths of the uapi header. */
int mitosis_session_connect_request(unsigned long argument)
{
	static const char tcp[] = "tcp://", rdma[] = "rdma:/";
	char address[MITOSIS_ADDRESS_LENGTH + 1] = {};
	struct mitosis_connect_req request;
	size_t max = MITOSIS_GID_LENGTH;
	const char __user *text;
	long length, rest;

	if (copy_from_user(&request, (void __user *)argument, sizeof(request)))
		return -EFAULT;
	text = (const char __user *)request.gid;
	length = strncpy_from_user(address, text, sizeof(tcp) - 1);
	if (length < 0)
		return -EFAULT;
	if (!strcmp(address, tcp) || !strcmp(address, rdma))
		max = sizeof(address);
	/* Behind a GID there need not be a NUL. */
	if (length == sizeof(tcp) - 1) {
		rest = strncpy_from_user(address + length, text + length, max - length);
		if (rest < 0)
			return -EFAULT;
	}
	if (address[sizeof(address) - 1])
		return -EINVAL;
	return mitosis_session_connect(request.machine_id, address, request.nic_id);
}

int mitosis_session_nil_request(unsigned long argument)
{
	struct mitosis_remote_req request;

	if (copy_from_user(&request, (void __user *)argument, sizeof(request)))
		return -EFAULT;
	return mitosis_session_nil(request.machine_id);
}

// SPDX-License-Identifier: GPL-2.0
#include "session.h"

#include <linux/capability.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/socket.h>

#include "auth.h"
#include "link.h"
#include "parameters.h"
#include "work_item.h"

#define IDLE_MAX	16

struct session {
	struct list_head node;
	u32 machine_id;
	struct sockaddr_storage address;
	unsigned int idle_count;
	struct link *idle[IDLE_MAX];
};

static LIST_HEAD(sessions);
static DEFINE_MUTEX(sessions_lock);

/* With sessions_lock held. */
static struct session *find(u32 machine_id)
{
	struct session *s;

	list_for_each_entry(s, &sessions, node)
		if (s->machine_id == machine_id)
			return s;
	return NULL;
}

static void close_idle(struct session *s)
{
	while (s->idle_count)
		mitosis_link_close(s->idle[--s->idle_count]);
}

/* Returns -EINVAL if another machine answers at the address. */
static int connect_to(u32 machine_id, const struct sockaddr_storage *address,
		      unsigned int deadline_ms, struct link **link)
{
	u32 answers;
	int err = mitosis_link_connect(address, deadline_ms, link, &answers);

	if (!err && answers != machine_id) {
		mitosis_link_close(*link);
		err = -EINVAL;
	}
	return err;
}

struct connect_work {
	struct work_item item;
	u32 machine_id;
	struct sockaddr_storage address;
	int err;
};

static void run_connect(struct work_item *item)
{
	struct connect_work *w = container_of(item, struct connect_work, item);
	struct session *s, *fresh;
	struct link *link;

	w->err = connect_to(w->machine_id, &w->address, mitosis_deadline_ms(),
			    &link);
	if (w->err)
		return;
	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	mutex_lock(&sessions_lock);
	s = find(w->machine_id);
	if (!s && fresh) {
		s = fresh;
		fresh = NULL;
		s->machine_id = w->machine_id;
		list_add(&s->node, &sessions);
	}
	if (s) {
		close_idle(s);
		s->address = w->address;
		s->idle[s->idle_count++] = link;
	} else {
		w->err = -ENOMEM;
		mitosis_link_close(link);
	}
	mutex_unlock(&sessions_lock);
	kfree(fresh);
}

static void destroy_connect(struct work_item *item)
{
	kfree(container_of(item, struct connect_work, item));
}

int mitosis_session_connect(u32 machine_id, const char *address)
{
	struct sockaddr_storage parsed;
	struct connect_work *w;
	int err = mitosis_link_parse(address, &parsed);

	if (!err)
		err = mitosis_auth_ready();
	if (err)
		return err;
	/* Without authentication the caller decides which host is which machine. */
	if (mitosis_auth_is_none() && !capable(CAP_NET_ADMIN))
		return -EPERM;
	if (!mitosis_auth_allows(&parsed))
		return -EACCES;
	w = kzalloc(sizeof(*w), GFP_KERNEL);
	if (!w)
		return -ENOMEM;
	mitosis_work_item_init(&w->item, run_connect, destroy_connect);
	w->machine_id = machine_id;
	w->address = parsed;
	err = mitosis_work_item_run(&w->item);
	if (!err)
		err = w->err;
	mitosis_work_item_put(&w->item);
	return err;
}

int mitosis_session_take(u32 machine_id, unsigned int deadline_ms, bool idle,
			 struct link **link)
{
	struct sockaddr_storage address;
	struct session *s;
	int err = 0;

	mutex_lock(&sessions_lock);
	s = find(machine_id);
	if (!s) {
		err = -ENOTCONN;
	} else if (idle) {
		*link = s->idle_count ? s->idle[--s->idle_count] : NULL;
		err = *link ? 0 : -EAGAIN;
	} else {
		address = s->address;
	}
	mutex_unlock(&sessions_lock);
	if (err)
		return err;
	if (!idle)
		return connect_to(machine_id, &address, deadline_ms, link);
	(*link)->deadline_ms = deadline_ms;
	return 0;
}

void mitosis_session_give(u32 machine_id, struct link *link)
{
	struct session *s;

	mutex_lock(&sessions_lock);
	s = find(machine_id);
	if (s && s->idle_count < IDLE_MAX) {
		s->idle[s->idle_count++] = link;
		link = NULL;
	}
	mutex_unlock(&sessions_lock);
	mitosis_link_close(link);
}

struct nil_work {
	struct work_item item;
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
		w->err = mitosis_session_take(w->machine_id, deadline_ms, idle, &link);
		if (w->err == -EAGAIN && idle) {
			idle = false;
			continue;
		}
		if (w->err)
			return;
		w->err = call_nil(link);
		if (!w->err) {
			mitosis_session_give(w->machine_id, link);
			return;
		}
		mitosis_link_close(link);
		/* The other machine may have closed an idle connection. */
		if (!idle || w->err == -ETIMEDOUT)
			return;
	}
}

static void destroy_nil(struct work_item *item)
{
	kfree(container_of(item, struct nil_work, item));
}

int mitosis_session_nil(u32 machine_id)
{
	struct nil_work *w = kzalloc(sizeof(*w), GFP_KERNEL);
	int err;

	if (!w)
		return -ENOMEM;
	mitosis_work_item_init(&w->item, run_nil, destroy_nil);
	w->machine_id = machine_id;
	err = mitosis_work_item_run(&w->item);
	if (!err)
		err = w->err;
	mitosis_work_item_put(&w->item);
	return err;
}

void mitosis_sessions_exit(void)
{
	struct session *s, *next;

	list_for_each_entry_safe(s, next, &sessions, node) {
		close_idle(s);
		list_del(&s->node);
		kfree(s);
	}
}

// SPDX-License-Identifier: GPL-2.0
#include "work_item.h"

#include <linux/memcontrol.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/wait.h>

#include "shares.h"

/* Items of a user that are run at a time; the queue has room for those of several. */
#define ITEMS_PER_USER (WQ_MAX_ACTIVE / 8)

static struct workqueue_struct *workers;
static DEFINE_SHARES(running);
static DECLARE_WAIT_QUEUE_HEAD(room); /* in a share */

int mitosis_work_items_init(void)
{
	workers = alloc_workqueue("mitosis_work", WQ_UNBOUND, WQ_MAX_ACTIVE);
	return workers ? 0 : -ENOMEM;
}

void mitosis_work_items_exit(void)
{
	destroy_workqueue(workers);
}

static void destroy(struct kref *refs)
{
	struct work_item *item = container_of(refs, struct work_item, refs);

	mem_cgroup_put(item->memory_group);
	item->destroy(item);
}

void mitosis_work_item_put(struct work_item *item)
{
	kref_put(&item->refs, destroy);
}

static void work(struct work_struct *work)
{
	struct work_item *item = container_of(work, struct work_item, work);
	struct mem_cgroup *before = set_active_memcg(item->memory_group);

	item->run(item);
	set_active_memcg(before);
	mitosis_share_give(&running, item->user, 1);
	if (item->user != NO_USER && wq_has_sleeper(&room))
		wake_up_all(&room);
	complete(&item->done);
	mitosis_work_item_put(item);
}

void mitosis_work_item_init(struct work_item *item, void (*run)(struct work_item *),
			    void (*destroy_item)(struct work_item *))
{
	INIT_WORK(&item->work, work);
	kref_init(&item->refs);
	init_completion(&item->done);
	item->user = mitosis_share_user();
	item->memory_group = get_mem_cgroup_from_mm(current->mm);
	item->run = run;
	item->destroy = destroy_item;
}

/* Returns 0, -EINTR on a fatal signal, or -ENOMEM. */
static int take_share(const struct work_item *item)
{
	int err;

	while ((err = mitosis_share_take(&running, item->user, 1, ITEMS_PER_USER)) == -EUSERS) {
		err = wait_event_killable(room, mitosis_share_has_room(&running, item->user,
								       ITEMS_PER_USER));
		if (err)
			return -EINTR;
	}
	return err;
}

int mitosis_work_item_run(struct work_item *item)
{
	int err = take_share(item);

	if (err)
		return err;
	kref_get(&item->refs); /* the worker's */
	queue_work(workers, &item->work);
	return wait_for_completion_killable(&item->done) ? -EINTR : 0;
}

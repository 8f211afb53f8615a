/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work items: requests of a process that wait for another machine. A kernel
 * worker runs them, so the process's signals do not interrupt them, and they
 * continue if the process is killed meanwhile. A user has a number of them at a time; further
 * ones wait for these, so that a machine that does not answer keeps no other user waiting. What they allocate with __GFP_ACCOUNT is
 * charged to the control group of that process.
 */
#ifndef MITOSIS_WORK_ITEM_H
#define MITOSIS_WORK_ITEM_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/workqueue.h>

struct mem_cgroup;

struct work_item {
	struct work_struct work;
	struct kref refs;
	struct completion done;
	u32 user; /* whose share it is in: shares.h; who asks, until it is set */
	struct mem_cgroup *memory_group; /* of who asks; a reference */
	/* Must have a deadline of its own. */
	void (*run)(struct work_item *item);
	/* Called when the last reference is dropped. */
	void (*destroy)(struct work_item *item);
};

int mitosis_work_items_init(void);
/* Waits for the running ones. */
void mitosis_work_items_exit(void);

/* The caller gets the first reference. */
void mitosis_work_item_init(struct work_item *item, void (*run)(struct work_item *),
			    void (*destroy)(struct work_item *));

/*
 * Starts the item and waits for it. Returns 0 when it has run, -EINTR on a fatal
 * signal, or -ENOMEM. In all cases the caller must call mitosis_work_item_put().
 */
int mitosis_work_item_run(struct work_item *item);
void mitosis_work_item_put(struct work_item *item);

#endif /* MITOSIS_WORK_ITEM_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work items: requests of a process that wait for another machine. A kernel
 * worker runs them, so the process's signals do not interrupt them, and they
 * continue if the process is killed meanwhile.
 */
#ifndef MITOSIS_WORK_ITEM_H
#define MITOSIS_WORK_ITEM_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/workqueue.h>

struct work_item {
	struct work_struct work;
	struct kref refs;
	struct completion done;
	/* Must end by itself. */
	void (*run)(struct work_item *item);
	/* When nobody needs it any more. */
	void (*destroy)(struct work_item *item);
};

int mitosis_work_items_init(void);
/* Waits for those under way. */
void mitosis_work_items_exit(void);

void mitosis_work_item_init(struct work_item *item, void (*run)(struct work_item *),
			    void (*destroy)(struct work_item *));

/*
 * Starts it and waits. Returns 0 when it has run, or -EINTR: the caller is to
 * die. The caller has to mitosis_work_item_put() it either way.
 */
int mitosis_work_item_run(struct work_item *item);
void mitosis_work_item_put(struct work_item *item);

#endif /* MITOSIS_WORK_ITEM_H */

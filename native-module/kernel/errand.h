/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Errands: what a process wants done that waits for another machine. A worker
 * does it, undisturbed by the process's signals, and goes on if the process is
 * killed meanwhile.
 */
#ifndef MITOSIS_ERRAND_H
#define MITOSIS_ERRAND_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/workqueue.h>

struct errand {
	struct work_struct work;
	struct kref refs;
	struct completion done;
	/* Must end by itself. */
	void (*run)(struct errand *errand);
	/* When nobody needs it any more. */
	void (*destroy)(struct errand *errand);
};

int mitosis_errands_init(void);
/* Waits for those under way. */
void mitosis_errands_exit(void);

void errand_init(struct errand *errand, void (*run)(struct errand *),
		 void (*destroy)(struct errand *));

/*
 * Starts it and waits. Returns 0 when it has run, or -EINTR: the caller is to
 * die. The caller has to errand_put() it either way.
 */
int errand_run(struct errand *errand);
void errand_put(struct errand *errand);

#endif /* MITOSIS_ERRAND_H */

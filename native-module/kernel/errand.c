// SPDX-License-Identifier: GPL-2.0
#include "errand.h"

static struct workqueue_struct *workers;

int mitosis_errands_init(void)
{
	workers = alloc_workqueue("mitosis_errand", WQ_UNBOUND, WQ_MAX_ACTIVE);
	return workers ? 0 : -ENOMEM;
}

void mitosis_errands_exit(void)
{
	destroy_workqueue(workers);
}

static void destroy(struct kref *refs)
{
	struct errand *errand = container_of(refs, struct errand, refs);

	errand->destroy(errand);
}

void errand_put(struct errand *errand)
{
	kref_put(&errand->refs, destroy);
}

static void work(struct work_struct *work)
{
	struct errand *errand = container_of(work, struct errand, work);

	errand->run(errand);
	complete(&errand->done);
	errand_put(errand);
}

void errand_init(struct errand *errand, void (*run)(struct errand *),
		 void (*destroy_errand)(struct errand *))
{
	INIT_WORK(&errand->work, work);
	kref_init(&errand->refs);
	init_completion(&errand->done);
	errand->run = run;
	errand->destroy = destroy_errand;
}

int errand_run(struct errand *errand)
{
	kref_get(&errand->refs);	/* the worker's */
	queue_work(workers, &errand->work);
	return wait_for_completion_killable(&errand->done) ? -EINTR : 0;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/prepare_hooks.h"

#include <errno.h>
#include <pthread.h>

#include "lib/error.h"
#include "libmitosis.h"

static struct {
	mitosis_before_prepare before;
	mitosis_after_prepare after;
	void *argument;
} hooks[MITOSIS_PREPARE_HOOKS_MAX];
static _Atomic unsigned int hook_count;
static pthread_mutex_t hooks_lock = PTHREAD_MUTEX_INITIALIZER;

int mitosis_on_prepare(mitosis_before_prepare before, mitosis_after_prepare after,
		       void *argument)
{
	int err = 0;

	if (!before && !after)
		return fail(-EINVAL, "both hooks of prepare are NULL");
	pthread_mutex_lock(&hooks_lock);
	if (hook_count == MITOSIS_PREPARE_HOOKS_MAX) {
		err = fail(-ENOSPC,
			   "this process already has %u hooks for prepare, which is "
			   "the limit; combine two of them in one",
			   MITOSIS_PREPARE_HOOKS_MAX);
	} else {
		hooks[hook_count].before = before;
		hooks[hook_count].after = after;
		hooks[hook_count].argument = argument;
		/* Last: another thread may be preparing. */
		hook_count++;
	}
	pthread_mutex_unlock(&hooks_lock);
	return err;
}

static void call_after(unsigned int first, unsigned int end, uint32_t handler_id,
		       int result)
{
	for (; first < end; first++)
		if (hooks[first].after)
			hooks[first].after(handler_id, result,
					   hooks[first].argument);
}

int prepare_hooks_before(uint32_t handler_id, unsigned int *called)
{
	unsigned int count = hook_count, i;
	int err;

	*called = count;
	for (i = count; i--;) {
		err = hooks[i].before
			      ? hooks[i].before(handler_id, hooks[i].argument)
			      : 0;
		if (!err)
			continue;
		if (err > 0)
			err = -ECANCELED;
		call_after(i + 1, count, handler_id, err);
		return fail(err,
			    "a hook of this process refused the snapshot with "
			    "handler id %u",
			    handler_id);
	}
	return 0;
}

void prepare_hooks_after(uint32_t handler_id, unsigned int called, int result)
{
	call_after(0, called, handler_id, result);
}

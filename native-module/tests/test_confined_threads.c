// SPDX-License-Identifier: Apache-2.0
/*
 * How children with threads are confined is said in a struct that grows; without it there are none. What
 * they may is in tests/test_strict_container.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

#include "tests/harness.h"

#define HANDLER_ID 1

/* Lies behind the struct of this release. */
struct later_confinement {
	struct mitosis_thread_confinement known;
	uint64_t more;
};

static int do_nothing(void *argument)
{
	(void)argument;
	return 0;
}

static void check_sizes(struct mitosis *device)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, 0x7fff0000u);
	struct sock_fprog filter = { .len = BPF_MAXINSNS + 1, .filter = &allow };
	struct later_confinement c = {
		.known = { .size = sizeof(c),
			   .enter = do_nothing,
			   .confine = do_nothing },
	};
	struct mitosis_thread_confinement *known = &c.known;

	CHECK_EQ(mitosis_set_thread_confinement(device, NULL), 0);
	CHECK_EQ(mitosis_set_thread_confinement(device, known), 0);
	c.more = 1;
	CHECK_EQ(mitosis_set_thread_confinement(device, known), -E2BIG);
	check_error_has("set the others to 0");
	known->size = 4;
	CHECK_EQ(mitosis_set_thread_confinement(device, known), -EINVAL);
	check_error_has("must say their size");
	/* An earlier release's has no filter, wherever this points. */
	known->size = offsetof(struct mitosis_thread_confinement, filter);
	known->filter = (const struct sock_fprog *)1;
	CHECK_EQ(mitosis_set_thread_confinement(device, known), 0);
	known->size = sizeof(*known);
	known->filter = &filter;
	CHECK_EQ(mitosis_set_thread_confinement(device, known), -E2BIG);
	filter.len = 1;
	CHECK_EQ(mitosis_set_thread_confinement(device, known), 0);
	known->enter = NULL;
	CHECK_EQ(mitosis_set_thread_confinement(device, known), -EINVAL);
	known->enter = do_nothing;
	known->user_namespace = -1;
	CHECK_EQ(mitosis_set_thread_confinement(device, known), -EINVAL);
	CHECK_EQ(mitosis_set_thread_confinement(device, NULL), 0);
}

static void *wait_for_ever(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static void prepare_with_thread(void *argument)
{
	struct mitosis *device = open_user();
	pthread_t thread;

	(void)argument;
	CHECK(!pthread_create(&thread, NULL, wait_for_ever, NULL));
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	if (mitosis_nil(device) == -EBADF)
		_exit(0);
}

int main(void)
{
	const struct mitosis_confinement confinement = {
		.confine = do_nothing,
		.user = geteuid(),
		.group = getegid(),
	};
	struct mitosis_child_options options = {
		.size = sizeof(options),
		.own = MITOSIS_OWN_TMP,
	};
	struct mitosis *device = open_user();
	pid_t parent;

	check_sizes(device);
	need_userfaultfd();
	parent = start_waiting(prepare_with_thread, NULL);
	CHECK_EQ(mitosis_set_confinement(device, &confinement), 0);
	CHECK_EQ(mitosis_resume_local(device, HANDLER_ID), -EOPNOTSUPP);
	check_error_has("mitosis_set_thread_confinement");
	CHECK_EQ(mitosis_set_child_options(device, &options), -EINVAL);
	check_error_has("a confined child has the network");
	kill_and_reap(parent);
	mitosis_close(device);
	return 0;
}

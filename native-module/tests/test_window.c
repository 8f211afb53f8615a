// SPDX-License-Identifier: Apache-2.0
/*
 * How many pages a child gets per fault where its caller has not said: fewer of a snapshot
 * with several threads.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <unistd.h>

#include "tests/harness.h"

static void *wait_for_ever(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static void prepare(void *argument)
{
	uint32_t handler_id = *(const uint32_t *)argument;
	pthread_t thread;

	if (handler_id == 2)
		CHECK(!pthread_create(&thread, NULL, wait_for_ever, NULL));
	CHECK_EQ(mitosis_prepare(open_user(), handler_id), 0);
}

static uint32_t window_of(struct mitosis *device, uint32_t handler_id, uint32_t mode,
			  uint32_t asked)
{
	const struct mitosis_resume_options options = {
		.mode = mode,
		.prefetch_pages = asked,
	};
	struct mitosis_attachment *attachment;
	uint32_t window;

	CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
	CHECK_EQ(mitosis_attach_local(device, handler_id, &attachment), 0);
	window = mitosis_attachment_window(attachment);
	mitosis_detach(attachment);
	return window;
}

int main(void)
{
	struct mitosis *device = open_user();
	struct mitosis_attachment *attachment;
	uint32_t one = 1, two = 2;
	pid_t parents[] = {
		start_waiting(prepare, &one),
		start_waiting(prepare, &two),
	};

	/* Before anything is set, too. */
	CHECK_EQ(mitosis_attach_local(device, two, &attachment), 0);
	CHECK_EQ(mitosis_attachment_window(attachment),
		 MITOSIS_PREFETCH_PAGES_THREADS);
	mitosis_detach(attachment);

	CHECK_EQ(window_of(device, one, MITOSIS_RESUME_LAZY, 0),
		 MITOSIS_PREFETCH_PAGES_DEFAULT);
	CHECK_EQ(window_of(device, two, MITOSIS_RESUME_LAZY, 0),
		 MITOSIS_PREFETCH_PAGES_THREADS);
	CHECK_EQ(window_of(device, two, MITOSIS_RESUME_CACHED, 0),
		 MITOSIS_PREFETCH_PAGES_THREADS);
	CHECK_EQ(window_of(device, one, MITOSIS_RESUME_LAZY, 128), 128);
	CHECK_EQ(window_of(device, two, MITOSIS_RESUME_LAZY, 64), 64);
	CHECK_EQ(window_of(device, two, MITOSIS_RESUME_CLONE, 0), 0);
	mitosis_close(device);
	kill_and_reap(parents[0]);
	kill_and_reap(parents[1]);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * What a process registers to be called when it is prepared: in which order, with what, and that one
 * can refuse. What a snapshot has in it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness.h"

#define HANDLER_ID 9

static char calls[64];
static struct mitosis *device;
static int refusal, last_result;

static void note(const char *letter)
{
	if (strlen(calls) + 1 < sizeof(calls))
		strcat(calls, letter);
}

static void after(uint32_t handler_id, int result, void *argument);

static int before_once(uint32_t handler_id, void *argument)
{
	static bool done;

	(void)handler_id;
	if (!done)
		CHECK_EQ(mitosis_on_prepare(NULL, after, argument), 0);
	done = true;
	return 0;
}

static int before(uint32_t handler_id, void *argument)
{
	CHECK_EQ(handler_id, HANDLER_ID);
	/* The device can be used. */
	CHECK_EQ(mitosis_nil(device), 0);
	note(argument);
	return *(char *)argument == 'b' ? refusal : 0;
}

static void after(uint32_t handler_id, int result, void *argument)
{
	char upper[2] = { *(char *)argument - 'a' + 'A', '\0' };

	CHECK_EQ(handler_id, HANDLER_ID);
	last_result = result;
	note(upper);
}

static void check_calls(const char *expected)
{
	if (strcmp(calls, expected)) {
		printf("hooks were called as '%s', not '%s'\n", calls, expected);
		exit(1);
	}
	calls[0] = '\0';
}

static void *wait_for_ever(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static void contents(void)
{
	struct mitosis_contents c = { .size = sizeof(c) };
	pthread_t thread;
	uint32_t files;
	int ends[2];

	/* What this test was started with. */
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	CHECK_EQ(mitosis_list_contents(device, HANDLER_ID, &c), 0);
	CHECK_EQ(c.threads, 1);
	CHECK_EQ(mitosis_unprepare(device, HANDLER_ID), 0);
	files = c.files;

	CHECK(!pipe(ends));
	CHECK(!pthread_create(&thread, NULL, wait_for_ever, NULL));
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	CHECK_EQ(mitosis_list_contents(device, HANDLER_ID, &c), 0);
	CHECK_EQ(c.size, sizeof(c));
	CHECK_EQ(c.threads, 2);
	CHECK_EQ(c.files, files + 2);
	CHECK(c.mappings > 10 && c.bytes > 1 << 20);

	/* Of an earlier release. */
	c = (struct mitosis_contents){ .size = 8, .files = 77 };
	CHECK_EQ(mitosis_list_contents(device, HANDLER_ID, &c), 0);
	CHECK_EQ(c.threads, 2);
	CHECK_EQ(c.files, 77);
	c.size = 0;
	CHECK_EQ(mitosis_list_contents(device, HANDLER_ID, &c), -EINVAL);
	CHECK_EQ(mitosis_list_contents(device, HANDLER_ID, NULL), -EINVAL);
	c.size = sizeof(c);
	CHECK_EQ(mitosis_list_contents(device, HANDLER_ID + 1, &c), -ENOENT);
	CHECK_EQ(mitosis_unprepare(device, HANDLER_ID), 0);
}

int main(void)
{
	int i;

	device = open_user();
	CHECK_EQ(mitosis_on_prepare(NULL, NULL, NULL), -EINVAL);
	CHECK_EQ(mitosis_on_prepare(before, after, "a"), 0);
	CHECK_EQ(mitosis_on_prepare(before, NULL, "b"), 0);
	CHECK_EQ(mitosis_on_prepare(NULL, after, "c"), 0);
	CHECK_EQ(mitosis_on_prepare(before, after, "d"), 0);

	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	check_calls("dbaACD");
	CHECK_EQ(last_result, 0);
	/* What fails in between is told to those behind. */
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), -EBUSY);
	check_calls("dbaACD");
	CHECK_EQ(last_result, -EBUSY);
	CHECK_EQ(mitosis_unprepare(device, HANDLER_ID), 0);

	refusal = -EPERM;
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), -EPERM);
	check_error_has("a hook of this process refused");
	check_calls("dbCD");
	CHECK_EQ(find_snapshot(device, HANDLER_ID).handler_id, 0);
	refusal = 0;
	contents();
	calls[0] = '\0';

	/* What is registered meanwhile had no part in this prepare. */
	CHECK_EQ(mitosis_on_prepare(before_once, NULL, "f"), 0);
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	check_calls("dbaACD");
	CHECK_EQ(mitosis_unprepare(device, HANDLER_ID), 0);
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	check_calls("dbaACDF");
	CHECK_EQ(mitosis_unprepare(device, HANDLER_ID), 0);

	for (i = 6; i < MITOSIS_PREPARE_HOOKS_MAX; i++)
		CHECK_EQ(mitosis_on_prepare(before, after, "e"), 0);
	CHECK_EQ(mitosis_on_prepare(before, after, "e"), -ENOSPC);
	mitosis_close(device);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A thread may have open files of its own (unshare(2), CLONE_FILES). The threads of a child share those of
 * the thread that prepared, and a child is told of it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>

#include "tests/targets/thread_own.h"
#include "tests/waiting_thread.h"

#define THING "open files of a thread that shares none"

static struct waiting_thread other;
static int number; /* of the file that one thread has */

static void *have_own_files(void *argument)
{
	(void)argument;
	CHECK(!unshare(CLONE_FILES));
	number = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK(number >= 0);
	waiting_thread_wait(&other);
	CHECK_EQ(fcntl(number, F_GETFD), -1);
	CHECK(target_report_has("open files of a thread of its own: "));
	target_child_has(THING, "told");
	return NULL;
}

int main(void)
{
	need_comparison();
	waiting_thread_start(&other, have_own_files, NULL);
	CHECK_EQ(fcntl(number, F_GETFD), -1);
	target_prepare();

	CHECK_EQ(fcntl(number, F_GETFD), -1);
	CHECK(!target_report_has("working directory, root, umask of a thread"));
	CHECK(!target_report_has("user, groups, rights of a thread"));
	CHECK(!target_report_has(
		"policy, nice value, timer slack, personality of a thread"));
	CHECK(!target_report_has("namespaces of a thread"));
	waiting_thread_end(&other);
	return 0;
}

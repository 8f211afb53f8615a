// SPDX-License-Identifier: Apache-2.0
/* Prepare, list and unprepare, and the errno of each wrong call. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define UNKNOWN_ID 4000000000u

static void wrong_calls(struct mitosis *a)
{
	struct mitosis_resume_options options = { 0 };

	CHECK_EQ(mitosis_connect(a, 1, NULL), -EINVAL);
	CHECK_EQ(mitosis_nil_rpc(a, 1), -ENOTCONN);
	CHECK_EQ(mitosis_resume_local(a, 3), -ENOENT);
	CHECK_EQ(mitosis_resume_remote(a, 1, 3), -ENOTCONN);
	CHECK(strstr(mitosis_error(), "connect first"));
	options.prefetch_pages = 3;
	CHECK_EQ(mitosis_set_resume_options(a, &options), -EINVAL);
	options.prefetch_pages = 1024;
	CHECK_EQ(mitosis_set_resume_options(a, &options), -EINVAL);
	options = (struct mitosis_resume_options){ .mode = 99, .prefetch_pages = 1 };
	CHECK_EQ(mitosis_set_resume_options(a, &options), -EINVAL);
	CHECK_EQ(mitosis_set_resume_options(a, NULL), -EINVAL);
	options.mode = MITOSIS_RESUME_CLONE;
	CHECK_EQ(mitosis_set_resume_options(a, &options), 0);
}

int main(void)
{
	struct mitosis *a = open_user(), *b = open_user();
	struct mitosis_snapshot s;
	pid_t shadow;

	CHECK_EQ(mitosis_nil(a), 0);
	CHECK_EQ(mitosis_list(a, NULL, 0), 0);

	CHECK_EQ(mitosis_prepare(a, 7), 0);
	CHECK_EQ(mitosis_prepare(a, 8), -EBUSY);
	CHECK_EQ(mitosis_prepare(b, 7), -EEXIST);
	CHECK(strstr(mitosis_error(), "handler id 7"));
	CHECK_EQ(mitosis_prepare_pinned(b, 3), 0);
	CHECK_EQ(mitosis_list(a, &s, 1), 2);
	CHECK_EQ(s.handler_id, 3);
	CHECK_EQ(s.flags, MITOSIS_SNAPSHOT_PINNED);
	CHECK_EQ(s.owner_pid, getpid());
	CHECK(alive(s.shadow_pid));
	CHECK_EQ(mitosis_unprepare(a, UNKNOWN_ID), -ENOENT);

	/* A pinned snapshot outlives its device, the other one does not. */
	shadow = find_snapshot(b, 7).shadow_pid;
	CHECK(alive(shadow));
	mitosis_close(a);
	CHECK(!alive(shadow));
	CHECK_EQ(find_snapshot(b, 7).shadow_pid, 0);
	mitosis_close(b);
	a = open_user();
	s = find_snapshot(a, 3);
	CHECK(alive(s.shadow_pid));

	/* Any device may unprepare it; then the id is free again. */
	CHECK_EQ(mitosis_unprepare(a, 3), 0);
	CHECK_SOON(!alive(s.shadow_pid), 20000);
	CHECK_EQ(mitosis_unprepare(a, 3), -ENOENT);
	CHECK_EQ(mitosis_prepare(a, 3), 0);

	/* An own snapshot that another device unprepared is no longer in the way. */
	b = open_user();
	CHECK_EQ(mitosis_unprepare(b, 3), 0);
	CHECK_EQ(mitosis_prepare(a, 3), 0);
	CHECK_EQ(mitosis_unprepare(a, 3), 0);
	CHECK_EQ(child_count(), 0);

	/* Handler ids are 32 bits wide. */
	CHECK_EQ(mitosis_prepare(a, UINT32_MAX), 0);
	CHECK_EQ(find_snapshot(a, UINT32_MAX).owner_pid, getpid());

	wrong_calls(a);

	/* A forked child's copy of the device is dead, and harmless to close. */
	if (fork() == 0) {
		if (mitosis_nil(a) != -EBADF || mitosis_close(a))
			_exit(1);
		_exit(0);
	}
	int status;
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	CHECK_EQ(mitosis_nil(a), 0);
	CHECK(find_snapshot(b, UINT32_MAX).shadow_pid);

	CHECK_EQ(mitosis_close(a), 0);
	CHECK_EQ(mitosis_close(NULL), 0);
	CHECK_EQ(mitosis_list(b, NULL, 0), 0);
	mitosis_close(b);
	CHECK_EQ(mitosis_open(17, &a), -EINVAL);
	CHECK_EQ(mitosis_nil(NULL), -EBADF);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The control groups of a launcher that was killed go with the next launcher; those that a launcher has locked stay,
 * whatever its PID namespace, and one of another launcher with the same process id is no obstacle.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/control_group.h"
#include "tests/harness.h"

#define ID	   1
#define DEADLINE_S 60
#define PATH_SIZE  (CONTROL_GROUP_PATH_MAX + 100)

/* What one says that has process id 1, and so its groups' names. */
static void start_as_1(const char *group)
{
	char command[2 * PATH_SIZE], line[1024];
	FILE *f;

	snprintf(command, sizeof(command),
		 "echo quit | timeout %d unshare --pid --fork --mount-proc "
		 "%s/mitosis-launcher --driven --backend user --handler-id %d "
		 "--cgroup %s",
		 DEADLINE_S, getenv("MITOSIS_TEST_BIN"), ID, group);
	fflush(stdout);
	f = popen(command, "r");
	CHECK(f && fgets(line, sizeof(line), f));
	printf("%s", line);
	CHECK(strstr(line, "ready=1") && strstr(line, "cgroup=given"));
	CHECK_EQ(pclose(f), 0);
}

int main(void)
{
	char group[CONTROL_GROUP_PATH_MAX], left[PATH_SIZE], used[PATH_SIZE];
	struct mitosis *device;
	int lock;

	need_userfaultfd();
	need_namespaces();
	if (!make_control_group(group))
		skip("a writable control group of version 2");
	device = open_user();
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	/* No process has such an id; this test's own is alive. */
	snprintf(used, sizeof(used), "%s/mitosis-1", group);
	snprintf(left, sizeof(left), "%s/mitosis-%d", group, getpid());
	CHECK(!mkdir(left, 0755) && !mkdir(used, 0755));
	lock = open(used, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(lock >= 0 && !flock(lock, LOCK_EX));
	start_as_1(group);
	CHECK(access(left, F_OK) && !access(used, F_OK));
	CHECK(!close(lock));
	start_as_1(group);
	CHECK(access(used, F_OK));
	CHECK(!rmdir(group));
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	mitosis_close(device);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The rules that a process has given itself by Landlock: no program can read which these are, nor
 * whether there are any. A child has its caller's; a clone is a fork, and has its parent's.
 */
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/targets/target.h"

static bool may_make_directories(void)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/made-%d", getenv("MITOSIS_RUNTIME_DIR"),
		 getpid());
	if (!mkdirat(AT_FDCWD, path, 0700))
		return !rmdir(path);
	CHECK_EQ(errno, EACCES);
	return false;
}

int main(void)
{
	const struct landlock_ruleset_attr rules = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_DIR,
	};
	int fd = syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);

	if (fd < 0)
		target_skip("Landlock (Linux 5.13, and not switched off)");
	CHECK(may_make_directories());
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!syscall(SYS_landlock_restrict_self, fd, 0));
	CHECK(!close(fd));
	CHECK(!may_make_directories());
	target_prepare();

	target_child_has("Landlock rules",
			 may_make_directories() ? "fresh" : "kept");
	return 0;
}

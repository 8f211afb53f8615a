// SPDX-License-Identifier: Apache-2.0
/*
 * Where and as whom a child runs is its caller's, not its parent's: root directory, groups. A clone
 * is a fork, and has its parent's; a replica is none of the parent's, and has those of mitosisd.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/targets/target.h"

#define GROUP 47110815 /* that no other process is in */

/* Of the root directory. */
static uint64_t root_mount(void)
{
	struct statx s;

	CHECK(!statx(AT_FDCWD, "/", 0, STATX_MNT_ID, &s));
	return s.stx_mask & STATX_MNT_ID ? s.stx_mnt_id : 0;
}

/* The same files by another mount, which goes with this process's namespace. */
static void change_root(void)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/root", getenv("MITOSIS_RUNTIME_DIR"));
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mkdir(path, 0700) ||
	    mount("/", path, NULL, MS_BIND | MS_REC, NULL) || chroot(path) ||
	    chdir("/"))
		target_skip("the right to make a mount and to change its root");
}

static bool is_in_group(void)
{
	gid_t groups[256];
	int count = getgroups(256, groups);

	while (count > 0)
		if (groups[--count] == GROUP)
			return true;
	return false;
}

int main(void)
{
	const gid_t group = GROUP;
	uint64_t outside = root_mount(), parents;

	if (!outside)
		target_skip("a kernel that tells mounts (Linux 5.8)");
	if (setgroups(1, &group))
		target_skip("the right to change its groups");
	change_root();
	parents = root_mount();
	CHECK(parents != outside);
	target_prepare();

	target_child_has("root directory",
			 root_mount() == parents ? "kept" : "fresh");
	target_child_has("groups", is_in_group() ? "kept" : "fresh");
	return 0;
}

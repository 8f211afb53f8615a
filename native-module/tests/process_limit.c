// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/process_limit.h"

#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool write_number(const char *folder, const char *name, long number)
{
	char path[GROUP_PATH_MAX + 40], text[32];
	int fd, n = snprintf(text, sizeof(text), "%ld", number);
	bool done;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, text, n) == n;
	if (fd >= 0)
		close(fd);
	return done;
}

bool make_group(char path[GROUP_PATH_MAX])
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *m;
	bool made = false;

	while (mounts && !made && (m = getmntent(mounts))) {
		bool v2 = !strcmp(m->mnt_type, "cgroup2");

		if (!v2 && (strcmp(m->mnt_type, "cgroup") || !hasmntopt(m, "pids")))
			continue;
		snprintf(path, GROUP_PATH_MAX, "%s/mitosis-test-%d", m->mnt_dir,
			 getpid());
		if (mkdir(path, 0755))
			continue;
		made = write_number(path, "pids.max", 1);
		if (!made)
			rmdir(path);
	}
	if (mounts)
		endmntent(mounts);
	return made;
}

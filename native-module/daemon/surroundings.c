// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/surroundings.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

/* In /proc/PID. */
static const char *const links[] = {
	"ns/cgroup", "ns/ipc",	"ns/mnt", "ns/net", "ns/pid",
	"ns/time",   "ns/user", "ns/uts", "root",
};

/* Returns 0, or the errno. */
static int look(const struct ucred *process, const char *link, struct stat *st)
{
	char path[64];

	/* 0: a process of a PID namespace that is not this process's or below it. */
	if (process->pid <= 0)
		return ESRCH;
	snprintf(path, sizeof(path), "/proc/%d/%s", process->pid, link);
	return stat(path, st) ? errno : 0;
}

bool surroundings_same(const struct ucred *one, const struct ucred *other)
{
	struct stat mine, its;
	struct stat root;
	size_t i;

	/* Both have a root directory: a link that neither has is of a kind that this kernel lacks. */
	if (look(one, "root", &root) || look(other, "root", &root))
		return false;
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		int err = look(one, links[i], &mine);

		if (err != look(other, links[i], &its) || (err && err != ENOENT))
			return false;
		if (!err && (mine.st_dev != its.st_dev || mine.st_ino != its.st_ino))
			return false;
	}
	return true;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "helpers/launcher/control_groups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "helpers/launcher/high_files.h"

#define NAME	   "mitosis-"
#define NAME_TRIES 16

/* Opens a group's directory, and locks it unless another process has; -1 and errno. */
static int lock_group(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd < 0 || !flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/*
 * Groups of launchers that were killed before they could remove them. Not told by the process id in their names: what
 * other PID namespaces have made may be here, too.
 */
static void sweep(const char *parent)
{
	DIR *d = opendir(parent);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		char path[PATH_MAX];
		int pid, fd;

		if (sscanf(entry->d_name, NAME "%d", &pid) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s", parent, entry->d_name);
		fd = lock_group(path);
		if (fd < 0)
			continue;
		rmdir(path);
		close(fd);
	}
	if (d)
		closedir(d);
}

static bool is_version_2(int directory)
{
	struct statfs fs;

	return !fstatfs(directory, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* Whether the directory has not been removed before it was locked. */
static bool is_at(int directory, const char *path)
{
	struct stat opened, now;

	return !fstat(directory, &opened) && !stat(path, &now) &&
	       opened.st_ino == now.st_ino && opened.st_dev == now.st_dev;
}

/* Makes a group that nobody else has, and locks it. Returns its directory, or -1 and errno. */
static int make(const char *parent, char path[PATH_MAX])
{
	int i, fd;

	for (i = 0; i < NAME_TRIES; i++) {
		if (i == 0)
			snprintf(path, PATH_MAX, "%s/" NAME "%d", parent, getpid());
		else
			snprintf(path, PATH_MAX, "%s/" NAME "%d-%d", parent,
				 getpid(), i);
		/* A process of another PID namespace may have this id, too. */
		if (mkdir(path, 0755)) {
			if (errno != EEXIST)
				return -1;
			continue;
		}
		fd = lock_group(path);
		if (fd >= 0 && is_at(fd, path))
			return fd;
		/* Another launcher has taken it for one that was left, and removes it. */
		if (fd >= 0)
			close(fd);
	}
	errno = EEXIST;
	return -1;
}

/* A group of this launcher's below `parent`; false and errno if it cannot be used. */
static bool add(struct control_groups *g, const char *parent)
{
	char path[PATH_MAX], procs[PATH_MAX + 16];
	int directory, fd, err;

	errno = ENOSPC;
	if (g->count == CGROUPS_MAX)
		return false;
	sweep(parent);
	directory = make(parent, path);
	if (directory < 0)
		return false;
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		err = errno;
		rmdir(path);
		close(directory);
		errno = err;
		return false;
	}
	g->procs[g->count] = move_up(fd);
	g->locks[g->count] = move_up(directory);
	/* Without it children enter that group, as those of version 1. */
	if (!g->count && is_version_2(g->locks[0])) {
		g->procs[1] = g->locks[0];
		g->has_directory = true;
	}
	g->paths[g->count++] = strdup(path);
	return true;
}

/*
 * Of version 1 those that can limit what a process takes; each costs every child a write. A cpuset
 * group takes processes only once it has CPUs and memory.
 */
static bool is_joined(const struct mntent *m)
{
	return (hasmntopt(m, "cpu") || hasmntopt(m, "memory") ||
		hasmntopt(m, "pids")) &&
	       !hasmntopt(m, "cpuset");
}

/* In each hierarchy of this version that matters. Returns 0, or the errno of the last one that cannot be used. */
static int add_mounted(struct control_groups *g, const char *type,
		       const char *version)
{
	const bool only_one = !strcmp(type, "cgroup2");
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *m;
	int failed = 0;

	while (mounts && !(only_one && g->count) && (m = getmntent(mounts))) {
		if (strcmp(m->mnt_type, type) || !(only_one || is_joined(m)))
			continue;
		if (add(g, m->mnt_dir))
			g->version = version;
		else
			failed = errno;
	}
	if (mounts)
		endmntent(mounts);
	return failed;
}

int control_groups_create(struct control_groups *g, const char *asked, char *reason,
			  size_t size)
{
	int failed;

	*reason = '\0';
	*g = (struct control_groups){ .version = "none" };
	if (!strcmp(asked, "none"))
		return 0;
	if (strcmp(asked, "auto")) {
		if (add(g, asked)) {
			g->version = "given";
			return 0;
		}
		failed = -errno;
		snprintf(reason, size, "no control group in %s: %s", asked,
			 strerror(-failed));
		return failed;
	}
	failed = add_mounted(g, "cgroup", "v1");
	if (!g->count)
		failed = add_mounted(g, "cgroup2", "v2") ?: failed;
	if (!g->count)
		snprintf(reason, size, "no control groups: %s",
			 failed ? strerror(failed) : "none are mounted");
	return 0;
}

int control_groups_enter(const struct control_groups *g)
{
	int i;

	for (i = 0; i < g->count; i++)
		if (write(g->procs[i], "0", 1) != 1)
			return -errno;
	return 0;
}

/* Both versions of control groups have a line "oom_kill N" in a file of theirs. */
static uint64_t oom_kills_in(const char *group, const char *name)
{
	char path[PATH_MAX], line[128];
	unsigned long long kills = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", group, name);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "oom_kill %llu", &kills) == 1)
			break;
	if (f)
		fclose(f);
	return kills;
}

bool control_groups_ran_out_of_memory(struct control_groups *g)
{
	uint64_t before = g->oom_kills;
	int i;

	g->oom_kills = 0;
	for (i = 0; i < g->count; i++)
		g->oom_kills += oom_kills_in(g->paths[i], "memory.oom_control") +
				oom_kills_in(g->paths[i], "memory.events");
	return g->oom_kills > before;
}

void control_groups_destroy(struct control_groups *g)
{
	int i;

	for (i = 0; i < g->count; i++) {
		int tries = 100;

		close(g->procs[i]);
		/* The last child may take a moment to leave. */
		while (rmdir(g->paths[i]) && errno == EBUSY && tries--)
			usleep(10000);
		close(g->locks[i]);
		free(g->paths[i]);
	}
	g->count = 0;
	g->has_directory = false;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "helpers/launcher/container.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <mntent.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "local/interrupted.h"

/* The container's open files are numbered from here on, to be closed at once. */
#define FILES_FLOOR 600
#define FILES_MAX                                                                   \
	(CGROUPS_MAX + 4) /* the holder's pidfd and orders, two directories */

/* As the kernel's struct sigaction. */
struct kernel_action {
	uint64_t handler, flags, restorer, mask;
};

#define NAMESPACES	  (CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWPID)
#define STRICT_NAMESPACES (NAMESPACES | CLONE_NEWNET)
/* Behind the holder's entry into the control groups, which are the root of it. */
#define HOLDERS_NAMESPACES CLONE_NEWCGROUP

/* How long the holder of a strict container may take to mount all. */
#define MOUNT_DEADLINE_MS 10000
#define HAS_MOUNTED	  '+' /* then it says so; else it says why not */
/* How long what a child has left may take to end. */
#define CLEAR_DEADLINE_MS 10000

static void __attribute__((format(printf, 2, 3)))
weaker(struct container *c, const char *format, ...)
{
	size_t used = strlen(c->reason);
	va_list args;

	if (used && used + 2 < sizeof(c->reason)) {
		strcpy(c->reason + used, "; ");
		used += 2;
	}
	va_start(args, format);
	vsnprintf(c->reason + used, sizeof(c->reason) - used, format, args);
	va_end(args);
}

/* Moves an open file to FILES_FLOOR or above, where the limit permits it. */
static int move_up(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, FILES_FLOOR);

	if (high < 0)
		return fd;
	close(fd);
	return high;
}

static int enter_cgroups(const struct container *c)
{
	int i;

	for (i = 0; i < c->cgroup_count; i++)
		if (write(c->cgroup_procs[i], "0", 1) != 1)
			return -errno;
	return 0;
}

/* Ends all other processes of this PID namespace, of which this is the first. */
static void end_others(void)
{
	while (!kill(-1, SIGKILL))
		/* Orphans become children of this process, which waits for all of them. */
		while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
			;
}

/* The holder of a strict container: ends what is left, each time that it is asked. */
static void __attribute__((noreturn)) obey(int orders)
{
	char order;

	while (read(orders, &order, 1) == 1) {
		end_others();
		if (write(orders, &order, 1) != 1)
			break;
	}
	_exit(0);
}

static int make_strict(const struct container *c, char *reason, size_t size)
{
	int err = enter_cgroups(c);

	if (!err && unshare(HOLDERS_NAMESPACES))
		err = -errno;
	if (err) {
		snprintf(reason, size, "no control group of its own: %s",
			 strerror(-err));
		return err;
	}
	return strict_mount(c->root, reason, size);
}

/* First process of the PID namespace: everything in it ends with this one. */
static void __attribute__((noreturn))
hold(const struct container *c, const int answer[2])
{
	char reason[sizeof(c->reason)];
	int err = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "mitosis-holder");
	/* If the launcher has ended before, the answer of a strict one finds no reader. */
	if (c->kind == CONTAINER_STRICT)
		close(answer[0]);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	if (c->kind == CONTAINER_STRICT)
		err = make_strict(c, reason, sizeof(reason));
	else /* Nothing that a child mounts shows outside. */
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (!err)
		snprintf(reason, sizeof(reason), "%c", HAS_MOUNTED);
	if (write(answer[1], reason, strlen(reason)) < 0 || err)
		_exit(1);
	if (c->kind == CONTAINER_STRICT) {
		dup2(answer[1], 0);
		syscall(SYS_close_range, 1, ~0u, 0);
		obey(0);
	}
	syscall(SYS_close_range, 0, ~0u, 0);
	for (;;)
		pause();
}

/* True if the holder has mounted all; else the cause is in `reason`. */
static bool has_mounted(struct container *c, int answer)
{
	struct pollfd p = { .fd = answer, .events = POLLIN };
	ssize_t n = poll_within(&p, 1, MOUNT_DEADLINE_MS) == 1
			    ? read(answer, c->reason, sizeof(c->reason) - 1)
			    : -1;

	c->reason[n > 0 ? n : 0] = '\0';
	if (n <= 0)
		weaker(c,
		       "the process that mounts its root directory does not answer");
	if (*c->reason != HAS_MOUNTED)
		return false;
	*c->reason = '\0';
	return true;
}

static void end_holder(struct container *c)
{
	kill(c->holder, SIGKILL);
	while (waitpid(c->holder, NULL, 0) < 0 && errno == EINTR)
		;
	if (c->holder_pidfd >= 0)
		close(c->holder_pidfd);
	if (c->orders >= 0)
		close(c->orders);
	c->holder = 0;
	c->holder_pidfd = c->orders = -1;
}

static void start_holder(struct container *c)
{
	bool strict = c->kind == CONTAINER_STRICT;
	int namespaces = strict ? STRICT_NAMESPACES : NAMESPACES;
	int answer[2];
	long pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, answer)) {
		weaker(c, "no namespaces: %s", strerror(errno));
		return;
	}
	pid = syscall(SYS_clone, namespaces | SIGCHLD, NULL, NULL, NULL, 0);
	if (pid == 0)
		hold(c, answer);
	if (pid < 0)
		weaker(c, "no namespaces: %s", strerror(errno));
	close(answer[1]);
	c->holder = pid > 0 ? pid : 0;
	if (strict && c->holder && !has_mounted(c, answer[0]))
		end_holder(c);
	if (!c->holder || !strict)
		close(answer[0]);
	else
		c->orders = move_up(answer[0]);
	if (!c->holder)
		return;
	c->holder_pidfd = syscall(SYS_pidfd_open, pid, 0);
	/* Our children are born into the PID namespace; the others they join. */
	if (c->holder_pidfd < 0 || setns(c->holder_pidfd, CLONE_NEWPID)) {
		weaker(c, "no namespaces: %s", strerror(errno));
		end_holder(c);
		return;
	}
	c->holder_pidfd = move_up(c->holder_pidfd);
	c->namespaces =
		(namespaces & ~CLONE_NEWPID) | (strict ? HOLDERS_NAMESPACES : 0);
	c->namespace_names =
		strict ? "uts,ipc,mnt,pid,net,user,cgroup" : "uts,ipc,mnt,pid";
}

/* Groups of launchers that were killed before they could remove them. */
static void sweep_cgroups(const char *parent)
{
	DIR *d = opendir(parent);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		char path[PATH_MAX];
		int pid;

		if (sscanf(entry->d_name, "mitosis-%d", &pid) != 1 ||
		    !kill(pid, 0) || errno != ESRCH)
			continue;
		snprintf(path, sizeof(path), "%s/%s", parent, entry->d_name);
		rmdir(path);
	}
	if (d)
		closedir(d);
}

static bool is_version_2(const char *group)
{
	struct statfs fs;

	return !statfs(group, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* Of the first group. Without it children enter that, as those of version 1. */
static void add_directory(struct container *c, const char *group)
{
	int fd = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	c->has_cgroup_directory = fd >= 0;
	if (fd >= 0)
		c->cgroup_procs[1] = move_up(fd);
}

/* A group of this launcher's below `parent`; false if it cannot be used. */
static bool add_cgroup(struct container *c, const char *parent)
{
	char path[PATH_MAX], procs[PATH_MAX + 16];
	int fd;

	if (c->cgroup_count == CGROUPS_MAX)
		return false;
	sweep_cgroups(parent);
	snprintf(path, sizeof(path), "%s/mitosis-%d", parent, getpid());
	if (mkdir(path, 0755))
		return false;
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		rmdir(path);
		return false;
	}
	c->cgroup_procs[c->cgroup_count] = move_up(fd);
	if (!c->cgroup_count && is_version_2(path))
		add_directory(c, path);
	c->cgroup_paths[c->cgroup_count++] = strdup(path);
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

/* Returns 0, or -errno if the group that was asked for by name cannot be used. */
static int make_cgroups(struct container *c, const char *asked)
{
	FILE *mounts;
	struct mntent *m;
	int failed = 0;

	c->cgroup_version = "none";
	if (!strcmp(asked, "none"))
		return 0;
	if (strcmp(asked, "auto")) {
		if (add_cgroup(c, asked)) {
			c->cgroup_version = "given";
			return 0;
		}
		failed = -errno;
		weaker(c, "no control group in %s: %s", asked, strerror(-failed));
		return failed;
	}
	mounts = setmntent("/proc/self/mounts", "r");
	while (mounts && (m = getmntent(mounts))) {
		if (strcmp(m->mnt_type, "cgroup") || !is_joined(m))
			continue;
		if (add_cgroup(c, m->mnt_dir))
			c->cgroup_version = "v1";
		else
			failed = errno;
	}
	if (mounts)
		endmntent(mounts);
	mounts = c->cgroup_count ? NULL : setmntent("/proc/self/mounts", "r");
	while (mounts && !c->cgroup_count && (m = getmntent(mounts))) {
		if (strcmp(m->mnt_type, "cgroup2"))
			continue;
		if (add_cgroup(c, m->mnt_dir))
			c->cgroup_version = "v2";
		else
			failed = errno;
	}
	if (mounts)
		endmntent(mounts);
	if (!c->cgroup_count)
		weaker(c, "no control groups: %s",
		       failed ? strerror(failed) : "none are mounted");
	return 0;
}

static void open_root(struct container *c)
{
	char path[PATH_MAX];

	if (geteuid() != 0)
		return;
	if (c->holder)
		snprintf(path, sizeof(path), "/proc/%d/root/%s", c->holder, c->root);
	else
		snprintf(path, sizeof(path), "%s", c->root);
	c->root_fd = move_up(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

const char *container_name(const struct container *c)
{
	static const char *const names[] = {
		[CONTAINER_LEAN] = "lean",
		[CONTAINER_NONE] = "none",
		[CONTAINER_STRICT] = "strict",
	};

	return names[c->kind];
}

int container_create(struct container *c, enum container_kind kind,
		     const char *cgroup, const char *root, int report)
{
	int err;

	memset(c, 0, sizeof(*c));
	c->kind = kind;
	c->root = root;
	c->strict.user_namespace = -1;
	c->holder_pidfd = -1;
	c->orders = -1;
	c->root_fd = -1;
	c->cgroup_version = "none";
	c->namespace_names = "none";
	if (kind == CONTAINER_NONE)
		return 0;
	if (kind == CONTAINER_STRICT) {
		err = strict_create(&c->strict, report, c->reason,
				    sizeof(c->reason));
		if (!err)
			err = make_cgroups(c, cgroup);
		if (!err) {
			start_holder(c);
			err = c->holder ? 0 : -EPERM;
		}
		if (err)
			container_destroy(c);
		return err;
	}
	make_cgroups(c, cgroup);
	start_holder(c);
	open_root(c);
	if (geteuid() != 0)
		weaker(c, "no root directory of its own: not root");
	return 0;
}

/* What CLONE_CLEAR_SIGHAND does. Not by sigaction(2), which adds flags of its own. */
static void clear_signals(void)
{
	const struct kernel_action none = { 0 };
	int number;

	for (number = 1; number < NSIG; number++) {
		struct kernel_action now;

		if (!syscall(SYS_rt_sigaction, number, NULL, &now,
			     sizeof(now.mask)) &&
		    now.handler != (uintptr_t)SIG_IGN)
			syscall(SYS_rt_sigaction, number, &none, NULL,
				sizeof(none.mask));
	}
}

pid_t container_fork(struct container *c)
{
	struct clone_args args = {
		.flags = CLONE_CLEAR_SIGHAND,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	if (c->has_cgroup_directory) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = c->cgroup_procs[1];
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		c->born_in_cgroup = c->has_cgroup_directory;
	/* A group's limit of processes holds: to enter it later would pass that by. */
	if (pid >= 0 || errno == EAGAIN || errno == ENOMEM)
		return pid;
	/* Linux before 5.7, or a filter of system calls that knows no clone3(2). */
	pid = fork();
	if (pid == 0)
		clear_signals();
	return pid;
}

/* Of the root directory that the namespaces have. */
static int leave_terminal_and_folder(void)
{
	return setsid() < 0 || chdir("/") ? -errno : 0;
}

int container_enter(const struct container *c)
{
	int err;

	if (c->kind == CONTAINER_NONE)
		return 0;
	if (c->namespaces && setns(c->holder_pidfd, c->namespaces))
		return -errno;
	err = c->born_in_cgroup ? 0 : enter_cgroups(c);
	if (err)
		return err;
	if (c->kind == CONTAINER_STRICT) {
		err = leave_terminal_and_folder();
		if (err)
			return err;
	} else if (geteuid() == 0) {
		/* Not by its path: the namespace's root need not be the launcher's. */
		if ((c->root_fd >= 0 ? fchdir(c->root_fd) : chdir(c->root)) ||
		    chroot("."))
			return -errno;
	}
	/* They lead out of it. All are close-on-exec, too: see lib/child_files.h. */
	syscall(SYS_close_range, FILES_FLOOR, FILES_FLOOR + FILES_MAX - 1, 0);
	return 0;
}

int container_clear(struct container *c)
{
	struct pollfd p = { .fd = c->orders, .events = POLLIN };
	char answer = 0;

	if (c->kind != CONTAINER_STRICT)
		return 0;
	if (c->orders >= 0 && write(c->orders, "k", 1) == 1) {
		if (poll_within(&p, 1, CLEAR_DEADLINE_MS) == 1 &&
		    read(c->orders, &answer, 1) == 1)
			return 0;
		/* What comes later answers no later order. */
		close(c->orders);
		c->orders = -1;
	}
	return -ETIMEDOUT;
}

bool container_has_own_root(const struct container *c)
{
	return c->kind != CONTAINER_NONE && geteuid() == 0 && strcmp(c->root, "/");
}

void container_describe(const struct container *c, struct mitosis_spawn *child)
{
	child->pidfd = c->holder ? c->holder_pidfd : -1;
	child->namespaces = c->holder ? NAMESPACES : 0;
	child->root = c->root_fd;
	child->cgroups = c->cgroup_procs;
	child->cgroup_count = c->cgroup_count + c->has_cgroup_directory;
	child->flags = c->has_cgroup_directory ? MITOSIS_SPAWN_INTO_CGROUP : 0;
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

bool container_ran_out_of_memory(struct container *c)
{
	uint64_t before = c->oom_kills;
	int i;

	c->oom_kills = 0;
	for (i = 0; i < c->cgroup_count; i++)
		c->oom_kills +=
			oom_kills_in(c->cgroup_paths[i], "memory.oom_control") +
			oom_kills_in(c->cgroup_paths[i], "memory.events");
	return c->oom_kills > before;
}

void container_destroy(struct container *c)
{
	int i;

	if (c->root_fd >= 0)
		close(c->root_fd);
	if (c->has_cgroup_directory)
		close(c->cgroup_procs[1]);
	c->has_cgroup_directory = false;
	strict_destroy(&c->strict);
	if (c->holder)
		end_holder(c);
	for (i = 0; i < c->cgroup_count; i++) {
		int tries = 100;

		close(c->cgroup_procs[i]);
		/* The last child may take a moment to leave. */
		while (rmdir(c->cgroup_paths[i]) && errno == EBUSY && tries--)
			usleep(10000);
		free(c->cgroup_paths[i]);
	}
	c->cgroup_count = 0;
}

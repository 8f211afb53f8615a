// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "helpers/launcher/container.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/launcher/high_files.h"
#include "local/interrupted.h"

#define FILES_MAX                                                                   \
	(2 * CGROUPS_MAX + 3) /* the holder's pidfd and orders, the root directory */

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
	int err = control_groups_enter(&c->groups);

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

/* Returns 0, or -errno if the group that was asked for by name cannot be used. */
static int make_groups(struct container *c, const char *asked)
{
	char reason[sizeof(c->reason)];
	int err = control_groups_create(&c->groups, asked, reason, sizeof(reason));

	if (*reason)
		weaker(c, "%s", reason);
	return err;
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
	c->groups.version = "none";
	c->namespace_names = "none";
	if (kind == CONTAINER_NONE)
		return 0;
	if (kind == CONTAINER_STRICT) {
		err = strict_create(&c->strict, report, c->reason,
				    sizeof(c->reason));
		if (!err)
			err = make_groups(c, cgroup);
		if (!err) {
			start_holder(c);
			err = c->holder ? 0 : -EPERM;
		}
		if (err)
			container_destroy(c);
		return err;
	}
	make_groups(c, cgroup);
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

	if (c->groups.has_directory) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = c->groups.procs[1];
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		c->born_in_cgroup = c->groups.has_directory;
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
	err = c->born_in_cgroup ? 0 : control_groups_enter(&c->groups);
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
	child->cgroups = c->groups.procs;
	child->cgroup_count = c->groups.count + c->groups.has_directory;
	child->flags = c->groups.has_directory ? MITOSIS_SPAWN_INTO_CGROUP : 0;
}

bool container_ran_out_of_memory(struct container *c)
{
	return control_groups_ran_out_of_memory(&c->groups);
}

void container_destroy(struct container *c)
{
	if (c->root_fd >= 0)
		close(c->root_fd);
	strict_destroy(&c->strict);
	if (c->holder)
		end_holder(c);
	control_groups_destroy(&c->groups);
}

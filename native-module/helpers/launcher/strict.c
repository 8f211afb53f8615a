// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "helpers/launcher/strict.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/launcher/seccomp_filter.h"

/* Flags of mount(2): <sys/mount.h> and <linux/mount.h> cannot both be included. */
int mount(const char *source, const char *target, const char *type,
	  unsigned long flags, const void *data);
int umount2(const char *target, int flags);
#define DETACH 2 /* MNT_DETACH */

/*
 * Each launcher's children are another user, above all ids that systems give to people,
 * services and containers.
 */
#define FIRST_USER 0x70000000u
/* Their id in the user namespace: not root, to which exec gives capabilities. */
#define USER_INSIDE 1000
/* Processes and threads at once, also where no control group limits them. */
#define PROCESSES_MAX 1024

static int explain(int err, char *reason, size_t size, const char *step)
{
	snprintf(reason, size, "%s: %s", step, strerror(-err));
	return err;
}

static int write_map(pid_t pid, const char *name, uint32_t user)
{
	char path[64], line[64];
	int fd, n = snprintf(line, sizeof(line), "%d %u 1", USER_INSIDE, user);
	int err;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write(fd, line, n) == n ? 0 : -errno;
	close(fd);
	return err;
}

/* By a process that ends: the open file keeps the namespace. */
static int make_user_namespace(struct strict *s)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0);
	char path[64];
	int err;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (pid < 0)
		return -errno;
	err = write_map(pid, "uid_map", s->user);
	if (!err)
		err = write_map(pid, "gid_map", s->user);
	if (!err) {
		snprintf(path, sizeof(path), "/proc/%ld/ns/user", pid);
		s->user_namespace = open(path, O_RDONLY | O_CLOEXEC);
		err = s->user_namespace < 0 ? -errno : 0;
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return err;
}

int strict_create(struct strict *s, int kept, char *reason, size_t size)
{
	int err;

	s->user_namespace = -1;
	s->user = FIRST_USER + getpid();
	err = make_user_namespace(s);
	if (err)
		return explain(err, reason, size,
			       "no user namespace with a user of its own");
	if (setgroups(0, NULL))
		return explain(-errno, reason, size,
			       "the supplementary groups cannot be dropped");
	/* A kernel without keys has none to inherit. */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 &&
	    errno != ENOSYS)
		return explain(-errno, reason, size,
			       "no session keyring of its own");
	if ((kept > 3 &&
	     syscall(SYS_close_range, 3, kept - 1, CLOSE_RANGE_CLOEXEC)) ||
	    syscall(SYS_close_range, kept + 1, ~0u, CLOSE_RANGE_CLOEXEC))
		return explain(-errno, reason, size,
			       "open files cannot be kept from children");
	return 0;
}

void strict_destroy(struct strict *s)
{
	if (s->user_namespace >= 0)
		close(s->user_namespace);
	s->user_namespace = -1;
}

static int make_root(const char *root)
{
	if (!strcmp(root, "/"))
		return 0;
	return mount(root, root, NULL, MS_BIND | MS_REC, NULL) || chdir(root) ||
			       syscall(SYS_pivot_root, ".", ".") ||
			       umount2(".", DETACH) || chdir("/")
		       ? -errno
		       : 0;
}

/* All that is mounted, also below. */
static int make_read_only(void)
{
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	};

	return syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attributes,
		       sizeof(attributes))
		       ? -errno
		       : 0;
}

/* A symbolic link would lead to what is hidden anyway, or to nothing. */
static bool is_directory(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISDIR(st.st_mode);
}

/* The host's sockets, runtime files, devices' attributes and control groups. */
static int hide_host(void)
{
	static const char *const hidden[] = { "/sys", "/run",	  "/var/run",
					      "/tmp", "/var/tmp", "/dev" };
	unsigned int i;

	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (is_directory(hidden[i]) &&
		    mount("tmpfs", hidden[i], "tmpfs", MS_NOSUID | MS_NOEXEC,
			  "mode=755,size=64k"))
			return -errno;
	return 0;
}

/* Fills /dev, and makes what hide_host() has mounted read-only. */
static int make_devices(void)
{
	static const struct {
		const char *path;
		int minor;
	} devices[] = { { "/dev/null", 3 },
			{ "/dev/zero", 5 },
			{ "/dev/full", 7 },
			{ "/dev/random", 8 },
			{ "/dev/urandom", 9 } };
	unsigned int i;

	if (!is_directory("/dev"))
		return -ENOENT;
	umask(0);
	for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (mknod(devices[i].path, S_IFCHR | 0666,
			  makedev(1, devices[i].minor)))
			return -errno;
	return symlink("/proc/self/fd", "/dev/fd") ? -errno : 0;
}

static int remount_read_only(void)
{
	static const char *const mounted[] = { "/sys", "/run",	   "/var/run",
					       "/tmp", "/var/tmp", "/dev" };
	unsigned int i;

	for (i = 0; i < sizeof(mounted) / sizeof(mounted[0]); i++)
		if (is_directory(mounted[i]) &&
		    mount(NULL, mounted[i], NULL,
			  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC,
			  NULL))
			return -errno;
	return 0;
}

/* Of the whole machine, and not for a container's eyes: read as empty. */
static int hide_in_proc(void)
{
	static const char *const hidden[] = { "/proc/keys", "/proc/key-users",
					      "/proc/kcore", "/proc/timer_list",
					      "/proc/sched_debug" };
	unsigned int i;

	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (!access(hidden[i], F_OK) &&
		    mount("/dev/null", hidden[i], NULL, MS_BIND, NULL))
			return -errno;
	return 0;
}

static int mount_proc(void)
{
	if (!is_directory("/proc"))
		return -ENOENT;
	if (mount("proc", "/proc", "proc",
		  MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return -errno;
	return hide_in_proc();
}

int strict_mount(const char *root, char *reason, size_t size)
{
	int err = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ? -errno : 0;

	if (err)
		return explain(err, reason, size, "mounts cannot be made private");
	err = make_root(root);
	if (err)
		return explain(err, reason, size, "no root directory of its own");
	err = make_read_only();
	if (err)
		return explain(err, reason, size,
			       "the root directory cannot be made read-only (needs "
			       "Linux 5.12)");
	err = hide_host();
	if (!err)
		err = make_devices();
	if (!err)
		err = remount_read_only();
	if (err)
		return explain(err, reason, size, "no /dev of its own");
	err = mount_proc();
	return err ? explain(err, reason, size, "no /proc of its own") : 0;
}

int strict_enter_namespace(void *strict)
{
	(void)strict;
	/* That of the container shows its processes. */
	if (umount2("/proc", DETACH) || setsid() < 0)
		return -errno;
	return mount_proc();
}

/* All but those in the mask. */
static int drop_capabilities(uint32_t kept[2])
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	const struct __user_cap_data_struct left[2] = {
		{ .effective = kept[0], .permitted = kept[0] },
		{ .effective = kept[1], .permitted = kept[1] },
	};
	int i;

	for (i = 0; !prctl(PR_CAPBSET_DROP, i); i++)
		;
	/* It ends at the number behind the last one. */
	if (errno != EINVAL || i <= CAP_SYS_ADMIN)
		return -errno;
	return syscall(SYS_capset, &header, left) ? -errno : 0;
}

/* With these capabilities in the user namespace, as a mask. */
static int confine(const struct strict *s, uint32_t kept[2])
{
	/* 1: the kernel gives none to a program that takes core files either. */
	static const struct rlimit no_core = { 1, 1 };
	struct rlimit processes;
	int err;

	if (setns(s->user_namespace, CLONE_NEWUSER))
		return -errno;
	close(s->user_namespace);
	if (setgroups(0, NULL) || setresgid(USER_INSIDE, USER_INSIDE, USER_INSIDE) ||
	    setresuid(USER_INSIDE, USER_INSIDE, USER_INSIDE) ||
	    setrlimit(RLIMIT_CORE, &no_core) || getrlimit(RLIMIT_NPROC, &processes))
		return -errno;
	/* Of its user, which all children of the launcher are. */
	if (processes.rlim_max > PROCESSES_MAX)
		processes.rlim_max = PROCESSES_MAX;
	if (processes.rlim_cur > processes.rlim_max)
		processes.rlim_cur = processes.rlim_max;
	if (setrlimit(RLIMIT_NPROC, &processes))
		return -errno;
	err = drop_capabilities(kept);
	/*
	 * Until its memory is the snapshot's, this process has the launcher's: what
	 * another child has left in the container must not read it.
	 */
	if (!err && prctl(PR_SET_DUMPABLE, 0))
		err = -errno;
	return err;
}

int strict_confine(void *strict)
{
	uint32_t none[2] = { 0 };
	int err = confine(strict, none);

	return err ? err : seccomp_filter_install();
}

int strict_confine_threads(void *strict)
{
	uint32_t kept[2] = { 0 };
	int err;

	kept[CAP_TO_INDEX(CAP_CHECKPOINT_RESTORE)] =
		CAP_TO_MASK(CAP_CHECKPOINT_RESTORE);
	err = confine(strict, kept);
	return !err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : err;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/strict_child.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/report.h"

#define X32_BIT 0x40000000

static bool confined;

static void fault(const char *what, long result)
{
	dprintf(STDOUT_FILENO, "NOT CONFINED: %s: %ld, %s\n", what, result,
		strerror(errno));
	confined = false;
}

#define HOLDS(condition)                                                            \
	do {                                                                        \
		errno = 0;                                                          \
		if (!(condition))                                                   \
			fault(#condition, 0);                                       \
	} while (0)

/* A call that fails with just this error. */
#define FAILS(call, error)                                                          \
	do {                                                                        \
		long result_;                                                       \
                                                                                    \
		errno = 0;                                                          \
		result_ = (long)(call);                                             \
		if (result_ != -1 || errno != (error))                              \
			fault(#call, result_);                                      \
	} while (0)

static void has_status(const char *line)
{
	char text[4096];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (!strstr(text, line))
		fault(line, n);
}

static void has_no_rights(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct all[2] = { { ~0u, ~0u, 0 }, { 0 } };

	has_status("CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
		   "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
		   "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n");
	FAILS(syscall(SYS_capset, &header, all), EPERM);
	FAILS(setuid(0), EINVAL); /* which has no number here */
	FAILS(setgroups(0, NULL), EPERM);
	HOLDS(getuid() && geteuid() && getgid() && getegid());
	/* CVE-2016-9962: what is in the container read the files of what enters it. */
	HOLDS(prctl(PR_GET_DUMPABLE) == 0);
}

static void cannot_write(void)
{
	static const char *const folders[] = { "/",    "/etc", "/usr",
					       "/dev", "/tmp", "/var/tmp",
					       "/run", "/sys", "/dev/shm" };
	char path[64];
	unsigned int i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		struct stat st;

		snprintf(path, sizeof(path), "%s/mitosis-strict", folders[i]);
		/* Through a link into what is hidden, there is nothing. */
		if (stat(folders[i], &st))
			continue;
		errno = 0;
		if (mkdir(path, 0755) != -1 || errno != EROFS)
			fault(path, 0);
		errno = 0;
		if (open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644) != -1 ||
		    errno != EROFS)
			fault(path, 1);
	}
	HOLDS(open("/etc/passwd", O_WRONLY | O_CLOEXEC) == -1);
	FAILS(chmod("/etc/passwd", 0644), EROFS);
	FAILS(mknod("/dev/kmsg", S_IFCHR | 0666, makedev(1, 11)), EROFS);
	HOLDS(access("/etc/shadow", R_OK));
	/* CVE-2019-5736: the host's program, through the link to it. */
	HOLDS(open("/proc/self/exe", O_WRONLY | O_CLOEXEC) == -1);
	HOLDS(open("/proc/self/exe", O_RDWR | O_TRUNC | O_CLOEXEC) == -1);
}

/* The kernel's settings, of which some name a program that it starts as root. */
static void cannot_set_the_kernel(void)
{
	static const char *const files[] = {
		"/proc/sys/kernel/core_pattern",
		"/proc/sys/kernel/modprobe",
		"/proc/sys/kernel/hostname",
		"/proc/sys/kernel/ns_last_pid",
		"/proc/sys/vm/drop_caches",
		"/proc/sys/net/ipv4/ip_forward",
		"/proc/sysrq-trigger",
		"/proc/self/oom_adj",
		"/proc/self/uid_map",
	};
	unsigned int i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (!access(files[i], F_OK) &&
		    open(files[i], O_WRONLY | O_CLOEXEC) != -1)
			fault(files[i], 0);
	/* CVE-2022-0492: release_agent of control groups. */
	HOLDS(access("/sys/fs", F_OK));
	HOLDS(access("/dev/mem", F_OK) && access("/dev/kvm", F_OK) &&
	      access("/dev/mitosis-syscalls", F_OK));
}

static void sees_no_process_outside(const struct strict_outside *outside)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	int others = 0;

	while (d && (entry = readdir(d)))
		others += isdigit(*entry->d_name) && atoi(entry->d_name) != 1 &&
			  atoi(entry->d_name) != getpid();
	if (!d || others)
		fault("others in /proc", others);
	if (d)
		closedir(d);
	FAILS(kill(outside->pid, 0), ESRCH);
	FAILS(kill(1, SIGKILL), EPERM);
	FAILS(kill(-1, SIGKILL), ESRCH);
	HOLDS(open("/proc/1/environ", O_RDONLY | O_CLOEXEC) == -1);
	HOLDS(open("/proc/1/root/etc", O_RDONLY | O_CLOEXEC) == -1);
	HOLDS(opendir("/proc/1/fd") == NULL);
	HOLDS(open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC) == -1);
}

/*
 * A file of its parent that it has opened itself: on the mount that its path leads to in
 * here. The host's directory has the same inode, on another mount.
 */
static bool is_of_this_container(int fd, const char *name)
{
	struct statx open, here;

	return !statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &open) &&
	       !statx(AT_FDCWD, name, 0, STATX_INO | STATX_MNT_ID, &here) &&
	       open.stx_mask & here.stx_mask & STATX_MNT_ID &&
	       open.stx_mnt_id == here.stx_mnt_id && open.stx_ino == here.stx_ino;
}

/* CVE-2024-21626: an open directory, or the working directory, led to the host. */
static void has_no_file_of_the_host(const char *directory)
{
	char link[64], name[PATH_MAX];
	int fd;

	for (fd = 3; fd < 1024; fd++) {
		ssize_t n;

		if (fd == REPORT_FD_DEFAULT || fcntl(fd, F_GETFD) < 0)
			continue;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, name, sizeof(name) - 1);
		name[n > 0 ? n : 0] = '\0';
		if (strcmp(name, "anon_inode:[userfaultfd]") &&
		    strncmp(name, "pipe:", 5) && !is_of_this_container(fd, name))
			fault(name, fd);
	}
	HOLDS(getcwd(name, sizeof(name)) && !strcmp(name, directory));
	fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	HOLDS(fd >= 0 && is_of_this_container(fd, name));
	HOLDS(!close(fd));
}

/* All is read-only, and no mount or unmount passes between here and the host. */
static void has_mounts_of_its_own(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096], options[256];
	int lines = 0;

	while (f && fgets(line, sizeof(line), f)) {
		lines++;
		if (strstr(line, " shared:") || strstr(line, " master:"))
			fault(line, 0);
		if (sscanf(line, "%*d %*d %*s %*s %*s %255s", options) != 1 ||
		    strncmp(options, "ro", 2) || !strstr(options, "nosuid"))
			fault(line, 1);
	}
	HOLDS(lines > 0);
	if (f)
		fclose(f);
}

static void cannot_call(const struct strict_outside *outside)
{
	char byte = 0, arguments[128] = { 0 };
	struct iovec part = { &byte, 1 };

	FAILS(mount("none", "/tmp", "tmpfs", 0, NULL), EPERM);
	FAILS(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL), EPERM);
	FAILS(umount2("/proc", MNT_DETACH), EPERM);
	FAILS(syscall(SYS_pivot_root, "/", "/"), EPERM);
	FAILS(syscall(428, -1, "/", 1), EPERM);		       /* open_tree */
	FAILS(syscall(430, "tmpfs", 0), EPERM);		       /* fsopen */
	FAILS(syscall(442, -1, "/", 0, arguments, 32), EPERM); /* mount_setattr */
	FAILS(chroot("/"), EPERM);
	FAILS(unshare(CLONE_NEWUSER), EPERM);
	FAILS(unshare(CLONE_NEWNS), EPERM);
	FAILS(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), EPERM);
	/* Its parent would be the launcher, which waits for one child. */
	FAILS(syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0), EPERM);
	FAILS(syscall(435, arguments, 64), ENOSYS); /* clone3 */
	FAILS(setns(0, 0), EPERM);
	FAILS(ptrace(PTRACE_TRACEME, 0, 0, 0), EPERM);
	FAILS(ptrace(PTRACE_ATTACH, 1, 0, 0), EPERM);
	FAILS(process_vm_readv(outside->pid, &part, 1, &part, 1, 0), EPERM);
	FAILS(syscall(438, 0, 0, 0), EPERM); /* pidfd_getfd */
	/* Keys of the host's root. */
	FAILS(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING,
		      0),
	      EPERM);
	FAILS(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL), EPERM);
	FAILS(syscall(SYS_add_key, "user", "a", "b", 1, KEY_SPEC_USER_KEYRING),
	      EPERM);
	FAILS(syscall(SYS_request_key, "user", "a", NULL, 0), EPERM);
	FAILS(syscall(SYS_bpf, 0, arguments, sizeof(arguments)), EPERM);
	FAILS(syscall(SYS_perf_event_open, arguments, 0, -1, -1, 0), EPERM);
	FAILS(syscall(SYS_userfaultfd, 0), EPERM);
	FAILS(syscall(425, 1, arguments), EPERM); /* io_uring_setup */
	/* Files by number, wherever they are mounted. */
	FAILS(syscall(SYS_open_by_handle_at, 0, arguments, 0), EPERM);
	FAILS(syscall(SYS_kexec_load, 0, 0, NULL, 0), EPERM);
	FAILS(syscall(SYS_init_module, arguments, 0, ""), EPERM);
	FAILS(syscall(SYS_personality, 0xffffffff), EPERM);
	FAILS(sethostname("a", 1), EPERM);
	FAILS(syscall(1000), ENOSYS);
}

/* Text in the terminal of the one who started it: CVE-2017-5226, CVE-2019-10063. */
static void cannot_type(void)
{
	char byte = '\n';

	HOLDS(getsid(0) == getpid());
	HOLDS(open("/dev/tty", O_RDWR | O_CLOEXEC) == -1);
	FAILS(ioctl(0, TIOCSTI, &byte), EPERM);
	FAILS(syscall(SYS_ioctl, 0, 1ull << 32 | TIOCSTI, &byte), EPERM);
	FAILS(ioctl(0, TIOCLINUX, &byte), EPERM);
}

/* Keys have no namespace: runtimes hide what /proc says of them. */
static void sees_no_keys(void)
{
	char text[256];
	int fd = open("/proc/keys", O_RDONLY | O_CLOEXEC);

	HOLDS(fd < 0 || read(fd, text, sizeof(text)) == 0);
	if (fd >= 0)
		close(fd);
}

/* Local sockets of the host's: CVE-2020-15257, and those with a path. */
static void reaches_no_service(const struct strict_outside *outside)
{
	struct sockaddr_in loopback = {
		.sin_family = AF_INET,
		.sin_port = htons(outside->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), pair[2];

	HOLDS(fd >= 0);
	FAILS(connect(fd, (void *)&loopback, sizeof(loopback)), ENETUNREACH);
	close(fd);
	FAILS(socket(AF_UNIX, SOCK_STREAM, 0), EAFNOSUPPORT);
	FAILS(socket(AF_VSOCK, SOCK_STREAM, 0), EAFNOSUPPORT);
	FAILS(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), EPERM);
	FAILS(socketpair(AF_UNIX, SOCK_RAW | SOCK_CLOEXEC, 0, pair), EPERM);
	FAILS(socketpair(AF_INET, SOCK_STREAM, 0, pair), EPERM);
	HOLDS(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
	close(pair[0]);
	close(pair[1]);
	HOLDS(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	memcpy(local.sun_path, outside->socket_path, sizeof(local.sun_path));
	HOLDS(connect(pair[0], (void *)&local, sizeof(local)));
	close(pair[0]);
	close(pair[1]);
}

/* By processes that may end with it. True if each is killed. */
static void is_killed_for_other_calls(void)
{
	int status, i;

	for (i = 0; i < 2; i++) {
		pid_t pid = fork();
		long result = SYS_getpid;

		if (pid == 0) {
			/* i386's calls have other numbers: 20 is getpid. */
			if (i)
				syscall(SYS_getpid | X32_BIT);
			else
				__asm__ volatile("int $0x80"
						 : "=a"(result)
						 : "a"(20)
						 : "memory");
			_exit(0);
		}
		HOLDS(pid > 0 && waitpid(pid, &status, 0) == pid);
		/* SIGSEGV: a kernel without i386's calls. */
		HOLDS(WIFSIGNALED(status) &&
		      (WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV));
	}
}

/* What it executes has no more rights. */
static void stays_so_after_exec(void)
{
	static const char script[] =
		"test $(id -u) != 0 && ! mkdir /tmp/a 2>/dev/null && "
		"grep -q 'CapPrm:.0000000000000000' /proc/self/status && "
		"grep -q 'NoNewPrivs:.1' /proc/self/status && "
		"grep -q 'Seccomp:.2' /proc/self/status && "
		"! mount -t tmpfs none /tmp 2>/dev/null";
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	HOLDS(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

/* Paths of the host's groups would name its services, users and containers. */
static void sees_no_control_group(void)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[512];
	int lines = 0;

	while (f && fgets(line, sizeof(line), f)) {
		HOLDS(strlen(line) > 3 && !strcmp(line + strlen(line) - 3, ":/\n"));
		lines++;
	}
	if (f)
		fclose(f);
	HOLDS(lines > 0 || access("/proc/self/cgroup", F_OK));
}

/* It has a limit of its own where no control group counts processes. */
static void has_few_processes(void)
{
	struct rlimit limit;

	HOLDS(!getrlimit(RLIMIT_NPROC, &limit));
	HOLDS(limit.rlim_max <= 1024 && limit.rlim_cur <= limit.rlim_max);
	limit.rlim_max++;
	FAILS(setrlimit(RLIMIT_NPROC, &limit), EPERM);
}

bool strict_child_is_confined(const struct strict_outside *outside)
{
	confined = true;
	has_no_rights();
	/* What follows would change the host if it were permitted. */
	if (!confined)
		return false;
	sees_no_process_outside(outside);
	sees_no_control_group();
	has_few_processes();
	has_no_file_of_the_host(outside->directory);
	cannot_write();
	cannot_set_the_kernel();
	has_mounts_of_its_own();
	cannot_call(outside);
	sees_no_keys();
	cannot_type();
	reaches_no_service(outside);
	is_killed_for_other_calls();
	stays_so_after_exec();
	return confined;
}

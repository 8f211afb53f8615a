// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/strict_threads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/harness.h"

#define THREADS	   6
#define WAITING	   (THREADS - 1)
#define CHECKED_MS 10000

static sem_t go;
static _Atomic int started, checked, faults;

static void fault(const char *what)
{
	dprintf(STDOUT_FILENO, "NOT CONFINED: thread %d: %s (%s)\n", gettid(), what,
		strerror(errno));
	faults++;
}

#define HOLDS(condition)                                                            \
	do {                                                                        \
		if (!(condition))                                                   \
			fault(#condition);                                          \
	} while (0)

/* By the kernel's calls: the C library's act on all threads, or forget the error. */
#define REFUSED(error, ...)                                                         \
	do {                                                                        \
		errno = 0;                                                          \
		if (syscall(__VA_ARGS__) != -1 || errno != (error))                 \
			fault(#__VA_ARGS__);                                        \
	} while (0)

static bool has_no_capability(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct own[2];
	static const struct __user_cap_data_struct none[2];

	return !syscall(SYS_capget, &header, own) && !memcmp(own, none, sizeof(own));
}

/* What the calling thread may, by what it tries. */
static void check_own(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct one[2] = { { 0 }, { 0 } };
	char arguments[128] = { 0 };
	uid_t ids[3];

	one[CAP_TO_INDEX(CAP_CHECKPOINT_RESTORE)].permitted =
		CAP_TO_MASK(CAP_CHECKPOINT_RESTORE);
	HOLDS(has_no_capability());
	REFUSED(EPERM, SYS_capset, &header, one);
	HOLDS(prctl(PR_GET_SECCOMP) == 2);
	HOLDS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	HOLDS(!getresuid(&ids[0], &ids[1], &ids[2]) && ids[0] && ids[1] && ids[2]);
	HOLDS(!getresgid(&ids[0], &ids[1], &ids[2]) && ids[0] && ids[1] && ids[2]);
	REFUSED(EINVAL, SYS_setresuid, 0, 0, 0);
	REFUSED(EPERM, SYS_setgroups, 0, NULL);
	/* By which its threads were made. */
	REFUSED(ENOSYS, 435 /* clone3 */, arguments, 64);
	REFUSED(EPERM, SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	REFUSED(EPERM, SYS_unshare, CLONE_NEWUSER);
	REFUSED(EPERM, SYS_setns, 0, 0);
	REFUSED(EPERM, SYS_mount, "none", "/tmp", "tmpfs", 0, NULL);
	REFUSED(EPERM, SYS_ptrace, 0, 0, 0, 0);
	REFUSED(EPERM, SYS_userfaultfd, 0);
	REFUSED(EPERM, SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING,
		1);
	REFUSED(EPERM, SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	REFUSED(EPERM, SYS_add_key, "user", "a", "b", 1, KEY_SPEC_SESSION_KEYRING);
}

/*
 * From its first instruction in a child on: whoever has the child's user has its other bounds, too.
 */
static void *watch(void *argument)
{
	started++;
	while (!getuid())
		sched_yield();
	HOLDS(has_no_capability());
	HOLDS(prctl(PR_GET_SECCOMP) == 2);
	HOLDS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	check_own();
	checked++;
	for (;;)
		pause();
	return argument;
}

static void *wait_for_child(void *argument)
{
	started++;
	while (sem_wait(&go))
		;
	check_own();
	checked++;
	for (;;)
		pause();
	return argument;
}

void strict_threads_start(void)
{
	pthread_t thread;
	int i;

	CHECK(!sem_init(&go, 0, 0));
	CHECK(!pthread_create(&thread, NULL, watch, NULL));
	for (i = 0; i < WAITING; i++)
		CHECK(!pthread_create(&thread, NULL, wait_for_child, NULL));
	CHECK_SOON(started == THREADS, CHECKED_MS);
}

/* As the kernel shows a thread. */
static void check_status(const char *tid)
{
	static const char *const lines[] = {
		"\nUid:\t1000\t1000\t1000\t1000\n",
		"\nGid:\t1000\t1000\t1000\t1000\n",
		"\nGroups:\t \n",
		"\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
		"CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
		"CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n",
	};
	char path[64], text[4096];
	ssize_t n;
	unsigned int i;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%.16s/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(text, lines[i]))
			fault(lines[i]);
	if (fd >= 0)
		close(fd);
}

bool strict_threads_are_confined(void)
{
	struct dirent *entry;
	int i, count = 0;
	DIR *tasks;

	if (!started)
		return true;
	for (i = 0; i < WAITING; i++)
		HOLDS(!sem_post(&go));
	check_own();
	for (i = 0; checked < THREADS && i < CHECKED_MS; i++)
		usleep(1000);
	HOLDS(checked == THREADS);
	tasks = opendir("/proc/self/task");
	while (tasks && (entry = readdir(tasks))) {
		if (*entry->d_name == '.')
			continue;
		check_status(entry->d_name);
		count++;
	}
	HOLDS(count == THREADS + 1);
	if (tasks)
		closedir(tasks);
	return !faults;
}

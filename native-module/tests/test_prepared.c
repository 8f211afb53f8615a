// SPDX-License-Identifier: Apache-2.0
/*
 * Prepare that returns 0 has made a snapshot, whatever the process has done to itself
 * just before: it can be read and listed. Else prepare fails with the cause, the process
 * goes on, and nothing is listed. A shadow that is killed is not listed either.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	 77
#define NOBODY	 65534
#define SOON_MS	 5000
#define CASE_MS	 20000
#define UNABLE	 77 /* exit status: the case cannot be made here */
#define PREPARED 0
#define NOT_MADE 2 /* prepare failed with the cause */
#define SECRET	 0x5ec7e71234567890ull
/* A higher sysctl would make the test long. */
#define MOST_MAPS 100000

static uint64_t secret = SECRET;

/* A seccomp filter that lets everything pass but these calls. */
static void filter(uint32_t action, const int *calls, size_t count)
{
	struct sock_filter code[16];
	struct sock_fprog program = { .filter = code };
	size_t i, n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (i = 0; i < count; i++)
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 calls[i], count - i, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
	program.len = n;
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(UNABLE);
}

static void refuse(int call)
{
	filter(SECCOMP_RET_ERRNO | EACCES, &call, 1);
}

static void refuse_open(void)
{
	refuse(SYS_open);
}

static void refuse_openat(void)
{
	refuse(SYS_openat);
}

static void refuse_socket(void)
{
	const int calls[] = { SYS_socket, SYS_connect };

	filter(SECCOMP_RET_ERRNO | EACCES, calls, 2);
}

static void refuse_close_range(void)
{
	filter(SECCOMP_RET_ERRNO | ENOSYS, (const int[]){ SYS_close_range }, 1);
}

static void refuse_pread(void)
{
	const int calls[] = { SYS_pread64, SYS_process_vm_readv };

	filter(SECCOMP_RET_ERRNO | EPERM, calls, 2);
}

static void kill_at_setsid(void)
{
	filter(SECCOMP_RET_KILL_PROCESS, (const int[]){ SYS_setsid }, 1);
}

static void limit_files(rlim_t soft, rlim_t hard)
{
	const struct rlimit limit = { soft, hard };

	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
}

static int files; /* the limit of the case */

static void few_files(void)
{
	struct rlimit limit;

	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	limit_files(files, limit.rlim_max);
}

static void few_files_for_ever(void)
{
	limit_files(files, files);
}

static void be_nobody(void)
{
	CHECK(!setgid(NOBODY) && !setuid(NOBODY));
}

static void be_nobody_for_now(void)
{
	CHECK(!setegid(NOBODY) && !seteuid(NOBODY));
}

static void be_nobody_to_be_seen(void)
{
	be_nobody();
	CHECK(!prctl(PR_SET_DUMPABLE, 1));
}

static void be_undumpable_nobody(void)
{
	be_nobody();
	CHECK(!prctl(PR_SET_DUMPABLE, 0));
}

static void be_undumpable(void)
{
	CHECK(!prctl(PR_SET_DUMPABLE, 0));
}

static void enter_empty_root(void)
{
	CHECK(!chroot("/usr") && !chdir("/")); /* has no proc */
}

static void enter_root_with_proc(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		_exit(UNABLE);
	CHECK(!mount("none", "/mnt", "tmpfs", 0, NULL));
	CHECK(!mkdir("/mnt/proc", 0700));
	CHECK(!mount("none", "/mnt/proc", "proc", 0, NULL));
	CHECK(!chroot("/mnt") && !chdir("/"));
}

static void new_namespace(int flags)
{
	if (unshare(flags))
		_exit(UNABLE);
}

static void new_user_namespace(void)
{
	new_namespace(CLONE_NEWUSER);
}

static void new_mount_namespace(void)
{
	new_namespace(CLONE_NEWNS);
}

static void new_network(void)
{
	new_namespace(CLONE_NEWNET);
}

static void new_pid_namespace(void)
{
	new_namespace(CLONE_NEWPID);
}

static void new_ipc_and_names(void)
{
	new_namespace(CLONE_NEWIPC | CLONE_NEWUTS);
}

static void little_memory(void)
{
	const struct rlimit limit = { 8u << 20, 8u << 20 };

	CHECK(!setrlimit(RLIMIT_AS, &limit));
}

/* All but a few of the mappings that a process may have: each has other rights. */
static void many_maps(void)
{
	const size_t page = 4096;
	FILE *sysctl = fopen("/proc/sys/vm/max_map_count", "re");
	long most = 0, i;
	char *m;

	CHECK(sysctl && fscanf(sysctl, "%ld", &most) == 1);
	fclose(sysctl);
	if (most > MOST_MAPS)
		_exit(UNABLE);
	m = mmap(NULL, most * page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(m != MAP_FAILED);
	for (i = 1; i < most; i += 2)
		if (mprotect(m + i * page, page, PROT_READ))
			return;
}

static void nothing(void)
{
}

/*
 * What a process does, and what prepare must say then: 0, or a part of its message.
 * `first`: where no channel has been opened before.
 */
struct deed {
	const char *name;
	void (*do_it)(void);
	const char *cause; /* NULL: prepared */
	const char *first; /* NULL: as cause */
};

#define PREPARED_THEN NULL
static const char proc[] = "mount /proc";
static const char channel[] = "cannot open a channel";

static const struct deed deeds[] = {
	{ "nothing", nothing, PREPARED_THEN, NULL },
	{ "refuse-open", refuse_open, PREPARED_THEN, NULL },
	{ "refuse-openat", refuse_openat, proc, NULL },
	{ "refuse-socket", refuse_socket, PREPARED_THEN, channel },
	{ "refuse-close-range", refuse_close_range, PREPARED_THEN, NULL },
	{ "refuse-pread", refuse_pread, proc, NULL },
	{ "kill-at-setsid", kill_at_setsid, "seccomp filter", NULL },
	{ "setuid", be_nobody, proc, channel },
	{ "seteuid", be_nobody_for_now, proc, channel },
	{ "setuid-dumpable", be_nobody_to_be_seen, PREPARED_THEN, channel },
	{ "undumpable-user", be_undumpable_nobody, "dumpable", channel },
	{ "undumpable-root", be_undumpable, PREPARED_THEN, NULL },
	{ "chroot-empty", enter_empty_root, proc, channel },
	{ "chroot-with-proc", enter_root_with_proc, PREPARED_THEN, channel },
	{ "user-namespace", new_user_namespace, PREPARED_THEN, NULL },
	{ "mount-namespace", new_mount_namespace, PREPARED_THEN, NULL },
	{ "network-namespace", new_network, PREPARED_THEN, NULL },
	{ "pid-namespace", new_pid_namespace, PREPARED_THEN, NULL },
	{ "other-namespaces", new_ipc_and_names, PREPARED_THEN, NULL },
	{ "address-space", little_memory, "ulimit", NULL },
	{ "many-mappings", many_maps, "vm.max_map_count", NULL },
};

static bool is_readable(struct mitosis *device)
{
	uint64_t word = 0;

	return !mitosis_read(device, ID, (uintptr_t)&secret, &word, sizeof(word)) &&
	       word == SECRET;
}

/* Runs in a process of its own. Returns PREPARED or NOT_MADE. */
static int prepare_after(const struct deed *deed, bool first)
{
	const char *cause = first && deed->first ? deed->first : deed->cause;
	struct mitosis *device = open_user();
	pid_t self = getpid();
	struct rlimit limit;
	int err;

	if (!first) {
		CHECK_EQ(mitosis_prepare(device, ID), 0);
		CHECK_EQ(mitosis_unprepare(device, ID), 0);
	}
	deed->do_it();
	err = mitosis_prepare(device, ID);
	CHECK(getpid() == self || deed->do_it == new_pid_namespace);
	if (err && !cause) {
		printf("%s: prepare fails: %s\n", deed->name, mitosis_error());
		exit(1);
	}
	if (err) {
		check_error_has(cause);
		CHECK(err != -ETIMEDOUT);
		CHECK(!find_snapshot(device, ID).handler_id);
		mitosis_close(device);
		return NOT_MADE;
	}
	if (cause) {
		printf("%s: prepare returns 0, not '%s'\n", deed->name, cause);
		exit(1);
	}
	CHECK_EQ(find_snapshot(device, ID).handler_id, ID);
	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	limit_files(limit.rlim_max, limit.rlim_max);
	secret = 0; /* what is read is the snapshot's */
	if (!is_readable(device)) {
		printf("%s: %s\n", deed->name, mitosis_error());
		exit(1);
	}
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	mitosis_close(device);
	return PREPARED;
}

static void check(const struct deed *deed, bool first)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (!pid)
		_exit(prepare_after(deed, first));
	status = status_within(pid, CASE_MS);
	if (WIFEXITED(status) && WEXITSTATUS(status) == UNABLE) {
		printf("%s: cannot be tried here\n", deed->name);
		return;
	}
	if (!WIFEXITED(status) ||
	    (WEXITSTATUS(status) != PREPARED && WEXITSTATUS(status) != NOT_MADE)) {
		printf("%s (%s): status %#x\n", deed->name,
		       first ? "first prepare" : "second prepare", status);
		exit(1);
	}
}

static void check_few_files(void)
{
	static struct deed deed = { "few-files", few_files, PREPARED_THEN, NULL };
	static struct deed hard = { "few-files-hard", few_files_for_ever,
				    "ulimit -Hn", NULL };

	for (files = 0; files <= 6; files++) {
		check(&deed, false);
		check(&hard, false);
	}
}

/* A shadow that dies before mitosisd knows it, and one that dies later. */
static void check_killed(bool registered)
{
	struct mitosis *device = open_user(), *other = open_user();
	pid_t daemon = daemon_pid();

	CHECK_EQ(mitosis_prepare(device, ID), 0);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	if (!registered)
		CHECK(!kill(daemon, SIGSTOP));
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (registered)
		CHECK(is_readable(other));
	CHECK(!kill(find_snapshot(device, ID).shadow_pid, SIGKILL));
	CHECK(!kill(daemon, SIGCONT));
	CHECK_SOON(!find_snapshot(other, ID).handler_id, SOON_MS);
	CHECK_EQ(mitosis_unprepare(device, ID), -ENOENT);
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	CHECK(is_readable(other));
	mitosis_close(device);
	mitosis_close(other);
}

/* A process that the parent forks keeps neither a snapshot nor its end alive. */
static void check_inherited(void)
{
	struct mitosis *device = open_user();
	pid_t copy;

	CHECK_EQ(mitosis_prepare(device, ID), 0);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	copy = fork();
	CHECK(copy >= 0);
	if (!copy) {
		pause();
		_exit(0);
	}
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	CHECK(is_readable(device));
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	CHECK(is_readable(device));
	CHECK(!kill(find_snapshot(device, ID).shadow_pid, SIGKILL));
	CHECK_SOON(!find_snapshot(device, ID).handler_id, SOON_MS);
	kill_and_reap(copy);
	mitosis_close(device);
}

int main(void)
{
	struct mitosis *device;
	int open, children;
	size_t i;

	if (geteuid())
		skip("root");
	device = open_user();
	open = fd_count(getpid());
	children = child_count();
	check_inherited();
	check_killed(false);
	check_killed(true);
	for (i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		check(&deeds[i], true);
		check(&deeds[i], false);
	}
	check_few_files();
	CHECK_EQ(fd_count(getpid()), open);
	CHECK_EQ(child_count(), children);
	mitosis_close(device);
	return 0;
}

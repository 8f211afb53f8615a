// SPDX-License-Identifier: Apache-2.0
/*
 * System calls of one child in a lean container, counted by ptrace(2) from its fork to its end: of
 * its process, of the launcher, and of the shadow where that forks it. Prints them by name; fails
 * where a mode needs more than it should. Nothing is timed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/control_group.h"
#include "tests/harness.h"

#define ID	      11
#define LAUNCHES      4 /* of which the last is counted */
#define CALLS	      512
#define PROCESSES_MAX 512
#define PATIENCE_S    60
#define GROUP_WRITES  3 /* cpu, memory and pids, of version 1 */
#define FEW	      8 /* threads */
#define MORE	      24
#define STACK_SIZE    (PTHREAD_STACK_MIN + (64u << 10))

static pthread_barrier_t started;

enum who { LAUNCHER, SHADOW, CHILD, PARTS };

static const char *const part_names[] = { "launcher", "shadow", "child" };

struct counts {
	uint32_t of[PARTS][CALLS];
};

struct tracee {
	pid_t pid;
	enum who who;
};

/* A launcher under trace, and what it has started. */
struct traced {
	struct tracee processes[PROCESSES_MAX];
	int count;
	int commands; /* its standard input */
	int waits;    /* how often it has asked for a command */
	bool counts_now;
	struct counts counts;
};

static const struct {
	int number;
	const char *name;
} names[] = {
	{ SYS_read, "read" },
	{ SYS_write, "write" },
	{ SYS_open, "open" },
	{ SYS_openat, "openat" },
	{ SYS_close, "close" },
	{ SYS_close_range, "close_range" },
	{ SYS_fcntl, "fcntl" },
	{ SYS_dup3, "dup3" },
	{ SYS_pipe2, "pipe2" },
	{ SYS_socketpair, "socketpair" },
	{ SYS_sendmsg, "sendmsg" },
	{ SYS_sendto, "sendto" },
	{ SYS_recvmsg, "recvmsg" },
	{ SYS_recvfrom, "recvfrom" },
	{ SYS_setsockopt, "setsockopt" },
	{ SYS_poll, "poll" },
	{ SYS_ppoll, "ppoll" },
	{ SYS_ioctl, "ioctl" },
	{ SYS_userfaultfd, "userfaultfd" },
	{ SYS_mmap, "mmap" },
	{ SYS_munmap, "munmap" },
	{ SYS_mremap, "mremap" },
	{ SYS_madvise, "madvise" },
	{ SYS_rt_sigaction, "rt_sigaction" },
	{ SYS_rt_sigprocmask, "rt_sigprocmask" },
	{ SYS_sigaltstack, "sigaltstack" },
	{ SYS_prctl, "prctl" },
	{ SYS_arch_prctl, "arch_prctl" },
	{ SYS_prlimit64, "prlimit64" },
	{ SYS_sched_getaffinity, "sched_getaffinity" },
	{ SYS_sched_setaffinity, "sched_setaffinity" },
	{ SYS_clone, "clone" },
	{ SYS_clone3, "clone3" },
	{ SYS_wait4, "wait4" },
	{ SYS_waitid, "waitid" },
	{ SYS_setns, "setns" },
	{ SYS_chdir, "chdir" },
	{ SYS_chroot, "chroot" },
	{ SYS_newfstatat, "newfstatat" },
	{ SYS_capget, "capget" },
	{ SYS_capset, "capset" },
	{ SYS_alarm, "alarm" },
	{ SYS_rseq, "rseq" },
	{ SYS_set_robust_list, "set_robust_list" },
	{ SYS_set_tid_address, "set_tid_address" },
	{ SYS_exit_group, "exit_group" },
};

static void too_late(int signal)
{
	(void)signal;
	_exit(1);
}

static struct tracee *find(struct traced *t, pid_t pid)
{
	int i;

	for (i = 0; i < t->count; i++)
		if (t->processes[i].pid == pid)
			return &t->processes[i];
	return NULL;
}

static struct tracee *add(struct traced *t, pid_t pid, enum who who)
{
	struct tracee *process = find(t, pid);

	if (process)
		return process;
	CHECK(t->count < PROCESSES_MAX);
	t->processes[t->count] = (struct tracee){ pid, who };
	return &t->processes[t->count++];
}

/* Its next command; the last but one is counted, and then it ends. */
static void launcher_asks(struct traced *t)
{
	const char *command = ++t->waits <= LAUNCHES ? "launch\n" : "quit\n";

	t->counts_now = t->waits == LAUNCHES;
	CHECK(write(t->commands, command, strlen(command)) ==
	      (ssize_t)strlen(command));
}

/* At the entry of a system call. */
static void note(struct traced *t, const struct tracee *process)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, process->pid, sizeof(info), &info) < 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;
	if (process->who == LAUNCHER && info.entry.nr == SYS_read &&
	    info.entry.args[0] == STDIN_FILENO)
		launcher_asks(t);
	else if (t->counts_now && info.entry.nr < CALLS)
		t->counts.of[process->who][info.entry.nr]++;
}

/* Follows all of them until the launcher has ended; its exit status. */
static int follow(struct traced *t, pid_t launcher)
{
	for (;;) {
		int status, signal = 0, event;
		pid_t pid = waitpid(-1, &status, __WALL);
		struct tracee *process;

		if (pid < 0 && errno == EINTR)
			continue;
		CHECK(pid > 0);
		if (!WIFSTOPPED(status)) {
			if (pid == launcher)
				return status;
			continue;
		}
		/* What a process forks may stop before it is told of. */
		process = add(t, pid, CHILD);
		event = status >> 16;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			note(t, process);
		else if (!event && WSTOPSIG(status) != SIGSTOP &&
			 WSTOPSIG(status) != SIGTRAP)
			signal = WSTOPSIG(status);
		ptrace(PTRACE_SYSCALL, pid, 0, signal);
	}
}

static pid_t start_launcher(struct traced *t, int handler_id, const char *mode,
			    const char *group)
{
	char path[512], id[16];
	int ends[2], null;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/mitosis-launcher",
		 getenv("MITOSIS_TEST_BIN"));
	snprintf(id, sizeof(id), "%d", handler_id);
	CHECK(!pipe2(ends, O_CLOEXEC));
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		dup2(ends[0], STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		if (ptrace(PTRACE_TRACEME))
			_exit(77);
		raise(SIGSTOP);
		execl(path, path, "--driven", "--backend", "user", "--handler-id",
		      id, "--mode", mode, "--cgroup", group, (char *)NULL);
		_exit(127);
	}
	close(ends[0]);
	t->commands = ends[1];
	return pid;
}

static long options(void)
{
	return PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
	       PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
}

/* In control groups below `group`. */
static struct counts count(struct mitosis *device, int handler_id, const char *mode,
			   const char *group)
{
	pid_t shadow = find_snapshot(device, handler_id).shadow_pid;
	struct traced t = { 0 };
	pid_t launcher = start_launcher(&t, handler_id, mode, group);
	int status;

	CHECK_EQ(waitpid(launcher, &status, __WALL), launcher);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip("ptrace(2)");
	CHECK(WIFSTOPPED(status));
	add(&t, launcher, LAUNCHER);
	CHECK(!ptrace(PTRACE_SETOPTIONS, launcher, 0,
		      options() | PTRACE_O_EXITKILL));
	CHECK(!ptrace(PTRACE_SYSCALL, launcher, 0, 0));
	add(&t, shadow, SHADOW);
	CHECK(!ptrace(PTRACE_SEIZE, shadow, 0, options()));
	CHECK(!ptrace(PTRACE_INTERRUPT, shadow, 0, 0));
	CHECK_EQ(follow(&t, launcher), 0);
	CHECK_EQ(t.waits, LAUNCHES + 1);
	CHECK(!ptrace(PTRACE_INTERRUPT, shadow, 0, 0));
	do
		CHECK_EQ(waitpid(shadow, &status, __WALL), shadow);
	while (!WIFSTOPPED(status));
	CHECK(!ptrace(PTRACE_DETACH, shadow, 0, 0));
	close(t.commands);
	return t.counts;
}

static uint32_t total(const struct counts *c, enum who who)
{
	uint32_t sum = 0;
	int i;

	for (i = 0; i < CALLS; i++)
		sum += c->of[who][i];
	return sum;
}

static void print(const struct counts *c, const char *mode)
{
	int who, i, k;

	for (who = 0; who < PARTS; who++) {
		printf("%s, %s: %u", mode, part_names[who], total(c, who));
		for (i = 0; i < CALLS; i++) {
			const char *name = NULL;

			if (!c->of[who][i])
				continue;
			for (k = 0; k < (int)(sizeof(names) / sizeof(names[0])); k++)
				if (names[k].number == i)
					name = names[k].name;
			if (name)
				printf(" %s=%u", name, c->of[who][i]);
			else
				printf(" %d=%u", i, c->of[who][i]);
		}
		putchar('\n');
	}
}

/* Where it is told of, a limit is exceeded; all are printed. */
static bool exceeds(const char *mode, const char *what, uint32_t n, uint32_t most)
{
	if (n > most)
		printf("%s: %u %s, more than %u\n", mode, n, what, most);
	return n > most;
}

/* A child is forked into a group of version 2: it writes nothing but `reports`. */
static bool enters_group(struct mitosis *device, const char *mode, uint32_t reports)
{
	char group[CONTROL_GROUP_PATH_MAX];
	struct counts c;

	if (!make_control_group(group))
		return false;
	c = count(device, ID, mode, group);
	CHECK_SOON(!rmdir(group), 20000);
	return exceeds(mode, "write in a group of version 2", c.of[CHILD][SYS_write],
		       reports);
}

static void *wait_for_ever(void *argument)
{
	pthread_barrier_wait(&started);
	for (;;)
		pause();
	return argument;
}

/* Their stacks lie side by side. */
static void start_threads(int count)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int i;

	CHECK(!pthread_barrier_init(&started, NULL, count + 1));
	CHECK(!pthread_attr_init(&attributes));
	CHECK(!pthread_attr_setstacksize(&attributes, STACK_SIZE));
	for (i = 0; i < count; i++)
		CHECK(!pthread_create(&thread, &attributes, wait_for_ever, NULL));
	pthread_barrier_wait(&started);
	CHECK(!pthread_attr_destroy(&attributes));
}

static struct counts count_with_threads(struct mitosis *device, int handler_id)
{
	struct counts c;

	CHECK_EQ(mitosis_prepare(device, handler_id), 0);
	if (mitosis_nil(device) == -EBADF)
		_exit(0);
	c = count(device, handler_id, "lazy", "auto");
	print(&c, "lazy with threads");
	CHECK_EQ(mitosis_unprepare(device, handler_id), 0);
	return c;
}

/*
 * Of the child, but what the program itself calls, and what depends on whether a thread has run before
 * the child ends: it waits for the others, and returns from its signal.
 */
static uint32_t calls_of_resume(const struct counts *c)
{
	const uint32_t *of = c->of[CHILD];

	return total(c, CHILD) - of[SYS_pause] - of[SYS_futex] -
	       of[SYS_rt_sigreturn];
}

/*
 * What further threads take: a stack and its guard are mapped, the stack is registered, the thread is
 * made, gets its robust list, name and rseq.
 */
static bool exceeds_by_threads(struct mitosis *device)
{
	struct counts few, many;
	bool failed;

	start_threads(FEW);
	few = count_with_threads(device, ID + 1);
	start_threads(MORE);
	many = count_with_threads(device, ID + 2);
	failed = exceeds("lazy", "calls for 24 more threads",
			 calls_of_resume(&many) - calls_of_resume(&few),
			 MORE * 7 + 8);
	failed |=
		exceeds("lazy", "madvise for 24 more threads",
			many.of[CHILD][SYS_madvise] - few.of[CHILD][SYS_madvise], 2);
	return failed;
}

int main(void)
{
	struct mitosis *device;
	struct counts lazy, clone;
	bool failed = false;

	need_userfaultfd();
	need_namespaces();
	device = open_user();
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device) == -EBADF)
		_exit(0);
	signal(SIGALRM, too_late);
	alarm(PATIENCE_S);
	lazy = count(device, ID, "lazy", "auto");
	print(&lazy, "lazy");
	clone = count(device, ID, "clone", "auto");
	print(&clone, "clone");
	/* The kernel sets them at fork; a program of C sets none. */
	failed |=
		exceeds("lazy", "rt_sigaction", lazy.of[CHILD][SYS_rt_sigaction], 4);
	failed |= exceeds("clone", "rt_sigaction", clone.of[CHILD][SYS_rt_sigaction],
			  0);
	/* Also the report's beginning. */
	failed |= exceeds("lazy", "write", lazy.of[CHILD][SYS_write],
			  GROUP_WRITES + 1);
	failed |=
		exceeds("clone", "write", clone.of[CHILD][SYS_write], GROUP_WRITES);
	failed |= exceeds("lazy", "calls of a child", total(&lazy, CHILD), 110);
	failed |= exceeds("clone", "calls of a child", total(&clone, CHILD), 25);
	failed |= exceeds("clone", "calls of the shadow for one",
			  total(&clone, SHADOW), 20);
	failed |= enters_group(device, "lazy", 1);
	failed |= enters_group(device, "clone", 0);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	failed |= exceeds_by_threads(device);
	mitosis_close(device);
	return failed;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/child_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/restore.h"

/* Why there is no child, from the process that did not become one. */
struct report {
	int32_t error; /* -errno */
	char message[512];
};

struct pid_namespace {
	const struct child_surroundings *own;
	int (*become)(void *argument);
	void *argument;
	const char *what;
	int caller;    /* a pidfd */
	int report[2]; /* closed when the child leaves its old memory */
	pid_t init;    /* 0: the child is init */
	pid_t child;
};

void end_alike(int32_t status)
{
	const struct rlimit no_core = { 0, 0 };
	sigset_t all;

	if (WIFSIGNALED(status)) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(WTERMSIG(status), SIG_DFL);
		sigemptyset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		kill(getpid(), WTERMSIG(status));
	}
	_exit(WEXITSTATUS(status));
}

static void __attribute__((noreturn))
report_error(const struct pid_namespace *n, int error, const char *message)
{
	struct report report = { .error = error };

	snprintf(report.message, sizeof(report.message), "%s", message);
	if (write(n->report[1], &report, sizeof(report)) < 0)
		_exit(1);
	_exit(RESTORE_FAILED_STATUS);
}

static void __attribute__((noreturn, format(printf, 3, 4)))
report_failure(const struct pid_namespace *n, int error, const char *format, ...)
{
	char message[sizeof(((struct report *)NULL)->message)];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	report_error(n, error, message);
}

static void end_with_caller(const struct pid_namespace *n)
{
	struct pollfd caller = { .fd = n->caller, .events = POLLIN };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (poll(&caller, 1, 0)) /* it has ended already */
		_exit(RESTORE_FAILED_STATUS);
}

/* What it mounts does not show outside. */
static void mount_proc(const struct pid_namespace *n)
{
	const struct mitosis_thread_confinement *c =
		n->own ? n->own->confinement : NULL;
	int err = 0;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		err = -errno;
	else if (c)
		err = c->enter(c->argument);
	else if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		       NULL))
		err = -errno;
	if (err)
		report_failure(n, err,
			       "/proc cannot be mounted for a child of %s, which "
			       "has threads and a PID namespace: %s",
			       n->what, strerror(-err));
}

static void __attribute__((noreturn)) become_child(const struct pid_namespace *n)
{
	int err;

	close(n->report[0]);
	if (n->own->process == 1)
		end_with_caller(n);
	mount_proc(n);
	err = child_surroundings_make(n->own);
	if (!err)
		err = n->become(n->argument);
	report_error(n, err, mitosis_error());
}

/* Whether a process has sent it, and not the kernel or the terminal to all of a group. */
static bool is_sent(const siginfo_t *info)
{
	return info->si_code <= 0;
}

static pid_t make_process(uint64_t flags, const pid_t *id)
{
	struct clone_args args = {
		.flags = flags,
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
		.set_tid = (uintptr_t)id,
		.set_tid_size = id ? 1 : 0,
	};

	return syscall(SYS_clone3, &args, sizeof(args));
}

/* Collects what the child leaves behind, until it is killed. */
static void __attribute__((noreturn)) be_init(const struct pid_namespace *n)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	end_with_caller(n);
	prctl(PR_SET_NAME, "mitosis-init");
	syscall(SYS_close_range, 0, ~0u, 0);
	for (;;) {
		sigwaitinfo(&all, NULL);
		while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
			;
	}
}

/*
 * In a process that ends: makes init with its own parent, in a PID namespace that the user
 * namespace owns. Returns init's id or -errno; in init, 0.
 */
static int make_owned_init(int user_namespace)
{
	static const struct __user_cap_data_struct none[2];
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	pid_t init;

	if (setns(user_namespace, CLONE_NEWUSER))
		return -errno;
	init = make_process(CLONE_NEWPID | CLONE_PARENT, NULL);
	/* It has no use for those that it has in the user namespace. */
	if (init == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
			  syscall(SYS_capset, &header, none)))
		_exit(RESTORE_FAILED_STATUS);
	return init < 0 ? -errno : init;
}

/* Returns init's id; -1 with errno; 0 in init. */
static pid_t make_init(const struct pid_namespace *n)
{
	const struct mitosis_thread_confinement *c = n->own->confinement;
	int32_t answer = -EIO;
	pid_t maker;
	int ends[2];

	if (!c)
		return make_process(CLONE_NEWPID, NULL);
	if (pipe2(ends, O_CLOEXEC))
		return -1;
	maker = make_process(0, NULL);
	if (maker == 0) {
		answer = make_owned_init(c->user_namespace);
		if (answer == 0)
			return 0;
		_exit(write(ends[1], &answer, sizeof(answer)) != sizeof(answer));
	}
	if (maker < 0)
		answer = -errno;
	close(ends[1]);
	if (maker > 0 && read(ends[0], &answer, sizeof(answer)) != sizeof(answer))
		answer = -EIO;
	close(ends[0]);
	while (maker > 0 && waitpid(maker, NULL, __WALL) < 0 && errno == EINTR)
		;
	if (answer > 0)
		return answer;
	errno = -answer;
	return -1;
}

static void reap(pid_t pid)
{
	while (pid > 0 && waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

static void end_init(const struct pid_namespace *n)
{
	if (n->init > 0) {
		kill(n->init, SIGKILL);
		reap(n->init);
	}
}

/* What ENOSPC is of, where namespaces are made. */
static int no_more_namespaces(const struct pid_namespace *n)
{
	return fail(
		-ENOSPC,
		"a child of %s, which has threads, needs namespaces, and there can "
		"be no more of a kind (sysctl user.max_pid_namespaces, max_mnt_, "
		"max_net_ and max_uts_namespaces), or no deeper (32 PID namespaces)",
		n->what);
}

static int no_namespace(const struct pid_namespace *n)
{
	if (errno == ENOSPC)
		return no_more_namespaces(n);
	if (errno == EAGAIN)
		return fail(-EAGAIN, "no child of %s can be made: %s", n->what,
			    why_no_process(-EAGAIN));
	return fail(-errno,
		    "a child of %s, which has threads, needs a PID namespace (root "
		    "or CAP_SYS_ADMIN): %s",
		    n->what, strerror(errno));
}

/* EINVAL, too, is of the id: the flags are those of any kernel with such ids. */
static int no_process(const struct pid_namespace *n, pid_t id)
{
	if (errno != EINVAL && errno != EEXIST)
		return no_namespace(n);
	return fail(-errno,
		    "no process can have the id %d, which a child of %s needs: %s; "
		    "is kernel.pid_max of this machine below its parent's?",
		    id, n->what, strerror(errno));
}

/* Makes init, and the child in its namespace. Returns 0 or -errno with a message. */
static int make_child(struct pid_namespace *n, int own_namespace)
{
	uint64_t flags = child_surroundings_flags(n->own);
	pid_t process = n->own->process;
	int pidfd, err = 0;

	/* Where the parent was the first process of its namespace, so is the child. */
	if (process == 1) {
		n->child = make_process(CLONE_NEWPID | flags, NULL);
		if (n->child == 0)
			become_child(n);
	} else {
		n->init = make_init(n);
		if (n->init == 0)
			be_init(n);
	}
	if (n->child < 0 || n->init < 0)
		return no_namespace(n);
	if (n->child)
		return 0;
	pidfd = syscall(SYS_pidfd_open, n->init, 0);
	if (pidfd >= 0 && !setns(pidfd, CLONE_NEWPID)) {
		n->child = make_process(flags, &process);
		if (n->child == 0)
			become_child(n);
	} else {
		n->child = -1;
	}
	if (n->child < 0)
		err = no_process(n, process);
	if (pidfd >= 0)
		close(pidfd);
	setns(own_namespace, CLONE_NEWPID);
	return err;
}

/* Ends this process as the child ends. */
static void __attribute__((noreturn)) stand_in(const struct pid_namespace *n)
{
	sigset_t all;
	siginfo_t info;
	int status;

	prctl(PR_SET_NAME, "mitosis-standin");
	/* The child alone decides when its files are closed. */
	syscall(SYS_close_range, 0, ~0u, 0);
	sigfillset(&all);
	for (;;) {
		if (sigwaitinfo(&all, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD && is_sent(&info))
			kill(n->child, info.si_signo);
		if (info.si_signo == SIGCHLD &&
		    waitpid(n->child, &status, WNOHANG | __WALL) == n->child)
			break;
	}
	end_init(n);
	end_alike(status);
}

/* Returns when the child has left its old memory (0), or has not (-errno, message). */
static int await_child(const struct pid_namespace *n)
{
	struct report report;
	ssize_t size;

	do
		size = read(n->report[0], &report, sizeof(report));
	while (size < 0 && errno == EINTR);
	if (size == 0)
		return 0;
	reap(n->child);
	if (size != sizeof(report))
		return fail(-EIO, "a child of %s ended before its first instruction",
			    n->what);
	report.message[sizeof(report.message) - 1] = '\0';
	return fail(report.error, "%s", report.message);
}

static int start(struct pid_namespace *n, int own_namespace)
{
	struct sigaction child_signal = { .sa_handler = SIG_DFL }, before;
	sigset_t all, mask;
	int clocks;
	int err = child_clock_advance(n->own, &clocks);

	if (err) {
		close(n->report[0]);
		close(n->report[1]);
		return err;
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	sigaction(SIGCHLD, &child_signal, &before);
	err = make_child(n, own_namespace);
	child_clock_return(clocks);
	close(n->report[1]);
	if (!err)
		err = await_child(n);
	if (!err)
		stand_in(n);
	end_init(n);
	close(n->report[0]);
	sigaction(SIGCHLD, &before, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return err;
}

int child_namespace_run(const struct child_surroundings *own,
			int (*become)(void *argument), void *argument)
{
	struct pid_namespace n = {
		.own = own,
		.become = become,
		.argument = argument,
		.what = own->what,
	};
	int own_namespace =
		open("/proc/self/ns/pid_for_children", O_RDONLY | O_CLOEXEC);
	int err;

	n.caller = syscall(SYS_pidfd_open, getpid(), 0);
	if (own_namespace < 0 || n.caller < 0 || pipe2(n.report, O_CLOEXEC))
		err = fail(-errno, "no child of %s can be made: %s", n.what,
			   strerror(errno));
	else
		err = start(&n, own_namespace);
	if (n.caller >= 0)
		close(n.caller);
	if (own_namespace >= 0)
		close(own_namespace);
	return err;
}

int child_namespace_open(const char *what)
{
	struct pid_namespace n = { .what = what };
	int pidfd, err;

	n.caller = syscall(SYS_pidfd_open, getpid(), 0);
	if (n.caller < 0 || pipe2(n.report, O_CLOEXEC)) {
		err = fail(-errno, "no child of %s can be made: %s", what,
			   strerror(errno));
		if (n.caller >= 0)
			close(n.caller);
		return err;
	}
	n.child = make_process(CLONE_NEWPID | CLONE_NEWNS, NULL);
	if (n.child == 0) {
		close(n.report[0]);
		mount_proc(&n);
		be_init(&n);
	}
	err = n.child < 0 ? no_namespace(&n) : 0;
	close(n.report[1]);
	close(n.caller);
	if (!err)
		err = await_child(&n);
	close(n.report[0]);
	if (err)
		return err;
	pidfd = syscall(SYS_pidfd_open, n.child, 0);
	return pidfd < 0 ? fail(-errno, "no child of %s can be made: %s", what,
				strerror(errno))
			 : pidfd;
}

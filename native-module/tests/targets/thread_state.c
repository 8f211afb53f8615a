// SPDX-License-Identifier: Apache-2.0
/*
 * A thread may have a working directory, ids, a nice value and namespaces of its own, and a signal may wait for it alone. The
 * threads of a child have those of the thread that prepared, or of the caller, and a child is told of it.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/targets/thread_own.h"
#include "tests/waiting_thread.h"

#define GROUP 47110815 /* of no file */
#define NICE  7	       /* above that of this process */

static struct waiting_thread other;

struct own {
	char directory[4096];
	mode_t mask;
	int group, nice, death_signal;
	char host_names[64]; /* which namespace they are of */
	bool has_signal;
};

static struct own read_own(void)
{
	struct own own = { .nice = getpriority(PRIO_PROCESS, 0) };
	sigset_t pending;
	ssize_t n;

	CHECK(getcwd(own.directory, sizeof(own.directory)));
	own.mask = umask(0);
	umask(own.mask);
	own.group = setfsgid(-1);
	CHECK(!prctl(PR_GET_PDEATHSIG, &own.death_signal, 0, 0, 0));
	n = readlink("/proc/thread-self/ns/uts", own.host_names,
		     sizeof(own.host_names) - 1);
	CHECK(n > 0);
	own.host_names[n] = '\0';
	CHECK(!sigpending(&pending));
	own.has_signal = sigismember(&pending, SIGUSR2);
	return own;
}

static void change_own(void)
{
	sigset_t mask;

	if (setfsgid(GROUP), setfsgid(-1) != GROUP)
		target_skip("the right to change its group");
	if (unshare(CLONE_NEWUTS))
		target_skip("the right to make a namespace");
	CHECK(!unshare(CLONE_FS) && !chdir("/proc") && umask(0123) != 0123);
	CHECK(!setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICE));
	CHECK(!prctl(PR_SET_PDEATHSIG, SIGWINCH, 0, 0, 0));
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	CHECK(!pthread_sigmask(SIG_BLOCK, &mask, NULL));
	CHECK(!pthread_kill(pthread_self(), SIGUSR2));
}

/* Of a child it has nothing that its report does not name. */
static void tell(const char *thing, bool kept, const char *line)
{
	CHECK(kept != target_report_has(line));
	target_child_has(thing, kept ? "kept" : "told");
}

static void *have_own_state(void *argument)
{
	struct own parents, childs;

	(void)argument;
	change_own();
	parents = read_own();
	CHECK(parents.has_signal);
	waiting_thread_wait(&other);
	childs = read_own();
	tell("working directory, umask of a thread that shares none",
	     childs.mask == parents.mask &&
		     !strcmp(childs.directory, parents.directory),
	     "working directory, root, umask of a thread of its own: ");
	tell("ids, groups of a single thread", childs.group == parents.group,
	     "user, groups, rights of a thread of its own: ");
	tell("policy, nice value, timer slack of a single thread",
	     childs.nice == parents.nice,
	     "policy, nice value, timer slack, personality of a thread of its "
	     "own: ");
	/* /proc has them, and reading it takes longer than to stop a thread: the kernel module alone compares. */
	CHECK(strcmp(childs.host_names, parents.host_names));
	CHECK_EQ(target_report_has("namespaces of a thread of its own: "),
		 target_backend() == MITOSIS_BACKEND_KERNEL);
	target_child_has("namespaces of a single thread",
			 target_backend() == MITOSIS_BACKEND_KERNEL ? "told"
								    : "none");
	tell("parent-death signal of a single thread", childs.death_signal,
	     "PR_SET_PDEATHSIG: not set\n");
	tell("pending signals of a single thread", childs.has_signal,
	     "pending signals: none of the parent's\n");
	return NULL;
}

int main(void)
{
	need_comparison();
	waiting_thread_start(&other, have_own_state, NULL);
	target_prepare();

	CHECK(!target_report_has("open files of a thread"));
	waiting_thread_end(&other);
	return 0;
}

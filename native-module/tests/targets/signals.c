// SPDX-License-Identifier: Apache-2.0
/*
 * Handlers, the alternate stack, the blocked mask and ignored signals are as
 * before prepare; handlers run in a child, also on a stack that is not there
 * yet. What was pending stays the parent's alone, as after fork(2).
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

#define STACK_SIZE (64 * 1024)

static char *alternate;
static volatile int caught, on_alternate;
static siginfo_t last;

static void catch (int signal, siginfo_t *info, void *context)
{
	char here;

	(void)signal, (void)context;
	caught++;
	last = *info;
	on_alternate = &here >= alternate && &here < alternate + STACK_SIZE;
}

static void catch_plainly(int signal)
{
	char here;

	(void)signal;
	caught++;
	on_alternate = &here >= alternate && &here < alternate + STACK_SIZE;
}

int main(void)
{
	struct sigaction on_stack = { .sa_sigaction = catch,
				      .sa_flags = SA_ONSTACK | SA_SIGINFO };
	struct sigaction plain = { .sa_handler = catch_plainly,
				   .sa_flags = SA_RESTART | SA_NODEFER };
	struct sigaction found;
	sigset_t mask, pending;
	char report[4096];
	stack_t stack = { .ss_size = STACK_SIZE };
	union sigval value = { .sival_int = 99 };

	alternate = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(alternate != MAP_FAILED);
	stack.ss_sp = alternate;
	CHECK(!sigaltstack(&stack, NULL));
	sigemptyset(&on_stack.sa_mask);
	sigaddset(&on_stack.sa_mask, SIGHUP);
	CHECK(!sigaction(SIGUSR1, &on_stack, NULL));
	CHECK(!sigaction(SIGRTMIN + 3, &plain, NULL));
	CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	sigaddset(&mask, SIGRTMAX);
	CHECK(!sigprocmask(SIG_BLOCK, &mask, NULL));
	/* One for the thread, one for the process. */
	CHECK(!raise(SIGUSR2));
	CHECK(!kill(getpid(), SIGRTMAX));
	CHECK(!sigpending(&pending));
	CHECK(sigismember(&pending, SIGUSR2) && sigismember(&pending, SIGRTMAX));
	target_prepare();

	CHECK(!sigpending(&pending));
	CHECK(sigisemptyset(&pending));
	if (target_backend() == MITOSIS_BACKEND_USER &&
	    mitosis_resume_report(NULL, report, sizeof(report)) != -ENOENT)
		CHECK(strstr(report, "pending signals: none of the parent's\n"));
	CHECK(!raise(SIGUSR1));
	CHECK_EQ(caught, 1);
	CHECK(on_alternate);
	CHECK_EQ(last.si_pid, getpid());
	CHECK(!sigqueue(getpid(), SIGUSR1, value));
	CHECK_EQ(caught, 2);
	CHECK_EQ(last.si_value.sival_int, 99);
	CHECK(!raise(SIGRTMIN + 3));
	CHECK_EQ(caught, 3);
	CHECK(!on_alternate);

	CHECK(!sigaction(SIGUSR1, NULL, &found));
	CHECK(found.sa_sigaction == catch);
	CHECK(sigismember(&found.sa_mask, SIGHUP));
	CHECK(!sigaction(SIGRTMIN + 3, NULL, &found));
	CHECK_EQ(found.sa_flags & (SA_RESTART | SA_NODEFER),
		 SA_RESTART | SA_NODEFER);
	CHECK(!sigaction(SIGPIPE, NULL, &found));
	CHECK(found.sa_handler == SIG_IGN);
	CHECK(!sigaction(SIGTERM, NULL, &found));
	CHECK(found.sa_handler == SIG_DFL);

	CHECK(!sigprocmask(SIG_SETMASK, NULL, &mask));
	CHECK(sigismember(&mask, SIGUSR2) && sigismember(&mask, SIGRTMAX));
	CHECK(!sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGTERM));
	CHECK(!raise(SIGUSR2));
	CHECK(!sigpending(&pending));
	CHECK(sigismember(&pending, SIGUSR2));
	CHECK_EQ(sigwaitinfo(&mask, &last), SIGUSR2);
	target_child_has("signal handlers, mask, alternate stack", "kept");
	target_child_has("pending signals", "fresh");
	return 0;
}

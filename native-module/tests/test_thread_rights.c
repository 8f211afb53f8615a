// SPDX-License-Identifier: Apache-2.0
/*
 * A thread that may do less than the one that prepares would be one that may do more in a child: prepare fails and
 * names it. Where that which prepares may do less itself, children's threads all may, and are told.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/waiting_thread.h"

#define ID	    41
#define PATIENCE_MS 20000

static struct waiting_thread worker;

/* What a thread gives up. False: there is nothing that it could. */
static bool forbid_privileges(void)
{
	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static bool set_filter(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

struct gives_up {
	bool (*give_up)(void);
	bool done;
};

static void *give_up(void *argument)
{
	struct gives_up *g = argument;

	prctl(PR_SET_NAME, "worker");
	g->done = g->give_up();
	waiting_thread_wait(&worker);
	return NULL;
}

/* What each of these is of, for the process that runs it and ends. */
static void refused(bool (*gives_up)(void), const char *what)
{
	struct gives_up g = { .give_up = gives_up };
	struct mitosis *device = open_user();

	waiting_thread_start(&worker, give_up, &g);
	if (!g.done)
		_exit(0);
	CHECK_EQ(mitosis_prepare(device, ID), -EPERM);
	CHECK(strstr(mitosis_error(), "('worker') has "));
	CHECK(strstr(mitosis_error(), what));
	waiting_thread_end(&worker);
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	mitosis_close(device);
	_exit(0);
}

static void refuse_privileges(void)
{
	refused(forbid_privileges, "no_new_privs");
}

static void refuse_capabilities(void)
{
	refused(drop_a_capability, "fewer capabilities");
}

static void refuse_filter(void)
{
	refused(set_filter, "a seccomp filter of its own");
}

/* One more than that which prepares: of these, /proc alone tells. */
static void refuse_further_filter(void)
{
	CHECK(set_filter());
	refused(set_filter, "a seccomp filter of its own");
}

static bool nothing(void)
{
	return true;
}

/* The same filter for all is no thread's own. */
static void take_common_filter(void)
{
	struct gives_up g = { .give_up = nothing };
	struct mitosis *device;

	CHECK(set_filter());
	device = open_user();
	waiting_thread_start(&worker, give_up, &g);
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	waiting_thread_end(&worker);
	mitosis_close(device);
	_exit(0);
}

/* All threads of a child may as little as the one that prepared. */
static void tell_more(void)
{
	struct gives_up g = { .give_up = nothing };
	struct mitosis *device = open_user();
	char report[4096];
	int status;

	if (!has_namespaces())
		_exit(0);
	waiting_thread_start(&worker, give_up, &g);
	CHECK(forbid_privileges());
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device) == -EBADF) {
		CHECK(mitosis_resume_report(NULL, report, sizeof(report)) > 0);
		CHECK(strstr(report,
			     "user, groups, rights of a thread of its own: "));
		CHECK(!strstr(report, "nice value, timer slack"));
		_exit(0);
	}
	status = run_in_mode(ID, PATIENCE_MS, MITOSIS_RESUME_CLONE);
	CHECK_EQ(status, 0);
	waiting_thread_end(&worker);
	_exit(0);
}

int main(void)
{
	static void (*const cases[])(void) = {
		refuse_privileges,     refuse_capabilities, refuse_filter,
		refuse_further_filter, take_common_filter,  tell_more,
	};
	unsigned int i;

	if (prctl(PR_GET_SECCOMP) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0))
		skip("needs processes without a seccomp filter and no_new_privs");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (!pid)
			cases[i]();
		CHECK_EQ(status_within(pid, PATIENCE_MS), 0);
	}
	return 0;
}

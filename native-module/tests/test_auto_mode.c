// SPDX-License-Identifier: Apache-2.0
/*
 * Mode auto: the snapshot, or its replica, forks what is spawned, unless something is in the way,
 * which is told; who resumes becomes the child itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cases.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define ID	    31
#define MACHINE	    103
#define STATUS	    7
#define REPORT	    178 /* where a child writes its pid */
#define FILES	    70	/* more than a forked child can have */
#define PATIENCE_MS 20000

static struct machine machine; /* the parent's, in cases of two machines */
static int reports;

static void __attribute__((noreturn)) be_child(void)
{
	pid_t self = getpid();

	if (fcntl(REPORT, F_GETFD) < 0)
		_exit(0); /* of a launcher */
	if (write(REPORT, &self, sizeof(self)) != sizeof(self))
		_exit(99);
	_exit(STATUS);
}

/* Prepares this process, on the other machine or on this one. */
static struct mitosis *prepare(bool remote)
{
	struct mitosis *parent;
	int ends[2];

	/* What is open is the parent's, which children get anew. */
	close(REPORT);
	if (remote)
		machine_enter(&machine);
	parent = open_user();
	CHECK_EQ(mitosis_prepare(parent, ID), 0);
	if (mitosis_nil(parent) == -EBADF)
		be_child();
	if (remote)
		machine_leave();
	/* After prepare: else children would have a pipe of the parent's. */
	CHECK(!pipe2(ends, O_CLOEXEC) && dup2(ends[1], REPORT) == REPORT);
	reports = ends[0];
	return parent;
}

static struct mitosis *open_here(bool remote)
{
	const struct mitosis_resume_options options = { MITOSIS_RESUME_AUTO, 0 };
	struct mitosis *device = open_user();

	CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
	if (remote)
		CHECK_EQ(mitosis_connect(device, MACHINE, machine.address), 0);
	return device;
}

static int attach(struct mitosis *device, bool remote, struct mitosis_attachment **a)
{
	return remote ? mitosis_attach_remote(device, MACHINE, ID, a)
		      : mitosis_attach_local(device, ID, a);
}

static uint32_t fastest(bool remote)
{
	return remote ? MITOSIS_RESUME_REPLICA : MITOSIS_RESUME_CLONE;
}

static pid_t reported(void)
{
	pid_t pid;

	CHECK(read(reports, &pid, sizeof(pid)) == sizeof(pid));
	return pid;
}

static int spawn(struct mitosis_attachment *a, int *status)
{
	static const int files[] = { REPORT };
	const struct mitosis_spawn child = {
		.pidfd = -1,
		.root = -1,
		.files = files,
		.file_count = 1,
		.deadline_ms = PATIENCE_MS,
	};

	return mitosis_spawn(a, &child, status);
}

/* By a process that this one forks, which stays what it is. */
static void check_resume(struct mitosis_attachment *a)
{
	pid_t pid = fork_attached(a);

	CHECK_EQ(status_within(pid, PATIENCE_MS), STATUS << 8);
	CHECK_EQ(reported(), pid);
}

/* What the children of prepare() lack is known before they are made. */
static void check_report(const struct mitosis_attachment *a)
{
	char text[512];

	CHECK_EQ(mitosis_resume_report(a, text, sizeof(text)), 1);
	CHECK(!strcmp(text, "timers (setitimer, alarm): not set\n"));
}

static void check_forks(bool remote)
{
	const struct itimerval far = { .it_value.tv_sec = 100000 };
	const struct itimerval none = { 0 };
	struct mitosis *parent, *here;
	struct mitosis_attachment *a;
	char why[256] = "?";
	int status, i;

	CHECK(!setitimer(ITIMER_REAL, &far, NULL));
	parent = prepare(remote);
	here = open_here(remote);
	CHECK(!setitimer(ITIMER_REAL, &none, NULL));
	CHECK_EQ(attach(here, remote, &a), 0);
	CHECK_EQ(mitosis_attachment_mode(a, why, sizeof(why)), fastest(remote));
	CHECK(!*why);
	CHECK_EQ(mitosis_attachment_mode(a, NULL, 0), fastest(remote));
	check_report(a);
	for (i = 0; i < 3; i++) {
		CHECK_EQ(spawn(a, &status), 0);
		CHECK_EQ(status, STATUS << 8);
		CHECK(reported() != getpid());
	}
	check_resume(a);
	CHECK_EQ(mitosis_unprepare(parent, ID), 0);
	CHECK_EQ(spawn(a, &status), -ESTALE);
	CHECK_EQ(mitosis_resume_report(a, why, sizeof(why)), -ESTALE);
	mitosis_detach(a);
	CHECK_EQ(attach(here, remote, &a), -ENOENT);
	mitosis_close(here);
	mitosis_close(parent);
}

static void forks_here(void)
{
	check_forks(false);
}

static void forks_of_another(void)
{
	check_forks(true);
}

/* Children are as in mode lazy, and `text` is why. */
static void check_lazy(struct mitosis *device, bool remote, const char *text)
{
	struct mitosis_attachment *a;
	char why[256];
	int status;

	CHECK_EQ(attach(device, remote, &a), 0);
	CHECK_EQ(mitosis_attachment_mode(a, why, sizeof(why)), MITOSIS_RESUME_LAZY);
	if (!strstr(why, text)) {
		printf("'%s' is not in '%s'\n", text, why);
		exit(1);
	}
	CHECK(mitosis_attachment_window(a) > 0);
	CHECK_EQ(spawn(a, &status), -EINVAL);
	check_resume(a);
	mitosis_detach(a);
}

/* What only a process that becomes the child itself can have. */
static void check_options(bool remote)
{
	struct mitosis *parent = prepare(remote), *here = open_here(remote);
	const struct mitosis_path path = { "/nowhere", "/elsewhere" };
	struct mitosis_child_options options = {
		.size = sizeof(options),
		.mode = MITOSIS_RESUME_AUTO,
		.path_count = 1,
		.paths = &path,
	};

	CHECK_EQ(mitosis_set_child_options(here, &options), 0);
	check_lazy(here, remote, "paths");
	mitosis_close(here);
	mitosis_close(parent);
}

static int no_confinement(void *unused)
{
	(void)unused;
	return 0;
}

static void check_confined(bool remote)
{
	const struct mitosis_confinement confinement = { .confine = no_confinement };
	struct mitosis *parent = prepare(remote), *here = open_here(remote);

	CHECK_EQ(mitosis_set_confinement(here, &confinement), 0);
	check_lazy(here, remote, "confined");
	mitosis_close(here);
	mitosis_close(parent);
}

static void wants_more(void)
{
	check_options(false);
	check_options(true);
	check_confined(false);
	check_confined(true);
}

/* As another process. */
static void run(void (*part)(bool remote), bool remote)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		part(remote);
		fflush(stdout);
		_exit(0);
	}
	CHECK_EQ(status_within(pid, PATIENCE_MS), 0);
}

static void attach_elsewhere(bool remote)
{
	struct mitosis *here;

	CHECK(!unshare(CLONE_NEWUTS));
	here = open_here(remote);
	check_lazy(here, remote, "other namespaces");
	mitosis_close(here);
}

/* What is forked would not be in the container of who asks for it. */
static void is_elsewhere(void)
{
	struct mitosis *parent = prepare(false);

	if (!has_namespaces()) {
		puts("not tried: " NAMESPACES_NEEDED);
		return;
	}
	run(attach_elsewhere, false);
	mitosis_close(parent);
	parent = prepare(true);
	run(attach_elsewhere, true);
	mitosis_close(parent);
}

static void attach_with_less(bool remote)
{
	struct mitosis *here;

	/* Who has none has no fewer than mitosisd. */
	if (!drop_a_capability())
		return;
	here = open_here(remote);
	check_lazy(here, remote, "capabilities");
	mitosis_close(here);
}

static void has_fewer_rights(void)
{
	struct mitosis *parent = prepare(true);
	/* Starts the mitosisd of the children with all of them. */
	struct mitosis *here = open_here(true);

	run(attach_with_less, true);
	mitosis_close(here);
	mitosis_close(parent);
}

static void *wait_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* How many of a launcher's lines have both texts; prints all of them. */
static int count_lines(const char *how, const char *arguments, const char *first,
		       const char *second)
{
	char command[1024], line[1024];
	int count = 0;
	FILE *output;

	close(REPORT);
	snprintf(
		command, sizeof(command),
		"2>&1 '%s/mitosis-launcher' --backend user --mode auto --handler-id "
		"%d %s %s",
		getenv("MITOSIS_TEST_BIN"), ID, arguments, how);
	fflush(stdout);
	output = popen(command, "r");
	CHECK(output);
	while (fgets(line, sizeof(line), output)) {
		count += strstr(line, first) && strstr(line, second);
		fputs(line, stdout);
	}
	CHECK_EQ(pclose(output), 0);
	return count;
}

/* Whether a launcher says this of children, of each or once. */
static void check_launcher(const char *arguments, const char *mode, const char *why)
{
	static const char driven[] = "--driven <<END\nlaunch\nlaunch\nquit\nEND\n";
	char end[64];

	snprintf(end, sizeof(end), " mode=%s\n", mode);
	CHECK_EQ(count_lines(driven, arguments, "ok startup_ns=", end), 2);
	snprintf(end, sizeof(end), "resume mode auto is %s here", mode);
	CHECK_EQ(count_lines(driven, arguments, end, why), 1);
	snprintf(end, sizeof(end), "mode %s\n", mode);
	CHECK_EQ(count_lines("--children 2 </dev/null", arguments, end, ""), 1);
}

/* That the children need a namespace is known only when the first is to be forked. */
static void launched(void)
{
	struct mitosis *parent = prepare(true);
	char remote[128];
	pthread_t thread;

	snprintf(remote, sizeof(remote),
		 "--machine-id %d --address %s --cgroup none --container none",
		 MACHINE, machine.address);
	check_launcher(remote, "replica", "");
	mitosis_close(parent);
	parent = prepare(false);
	check_launcher("--cgroup none --container none", "clone", "");
	mitosis_close(parent);
	if (!has_namespaces()) {
		puts("not tried: " NAMESPACES_NEEDED);
		return;
	}
	CHECK(!pthread_create(&thread, NULL, wait_for_ever, NULL));
	parent = prepare(true);
	check_launcher(remote, "lazy", "several threads");
	mitosis_close(parent);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "forks here", forks_here },
		{ "forks of another", forks_of_another },
		{ "wants more", wants_more },
		{ "elsewhere", is_elsewhere },
		{ "fewer rights", has_fewer_rights },
		{ "launched", launched },
	};
	int failed;

	need_userfaultfd();
	use_key("auto");
	machine = machine_start(MACHINE);
	failed = run_cases(cases, sizeof(cases) / sizeof(cases[0]), 60000,
			   argc > 1 ? argv[1] : NULL);
	machine_stop(&machine);
	return failed;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A server that knows nothing of the library is prepared from outside, and goes on in a child: over
 * TCP from another machine, at its port, in a network of its own.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/preloaded.h"

static const char *const none[] = { NULL };

/* A program beside this one. Its port is the first line that it prints. */
static struct preloaded start_program(const char *file, const char *name,
				      const char *argument)
{
	char program[256];
	const char *const argv[] = { program, argument, NULL };
	struct preloaded p;
	unsigned int port = 0;
	int out[2];
	FILE *f;

	snprintf(program, sizeof(program), "%s/../tests/%s",
		 getenv("MITOSIS_TEST_BIN"), file);
	CHECK(!pipe(out));
	p = preloaded_start(name, argv, out[1]);
	close(out[1]);
	f = fdopen(out[0], "r");
	CHECK(f && fscanf(f, "%u", &port) == 1);
	fclose(f);
	p.port = port;
	return p;
}

static struct preloaded start_server(const char *name, const char *argument)
{
	return start_program("plain-server", name, argument);
}

static void check_prepare(const struct preloaded *p, const char *const *options,
			  int status, const char *text)
{
	char printed[2048];
	int got = run_prepare(p, options, printed, sizeof(printed));

	if (got != status || !strstr(printed, text)) {
		printf("mitosis-prepare: %d, not %d, and '%s' without '%s'\n", got,
		       status, printed, text);
		exit(1);
	}
}

/* mitosisd, which the program has started, is not preloaded itself. */
static void check_daemon(void)
{
	char path[64], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", daemon_pid());
	f = fopen(path, "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		CHECK(!strstr(line, "libmitosis-preload"));
	fclose(f);
}

/* What is asked for in vain, and what is left of a program that was killed. */
static void errors(void)
{
	static const char *const seven[] = {
		"--handler-id", "7", "--stop-ms", "10000", "--leave-out", "9", NULL
	};
	static const char *const forty[] = { "--handler-id", "7", "--stop-signal",
					     "40", NULL };
	static const char *const no_signal[] = { "--stop-signal", "9", NULL };
	static const char *const too_short[] = { "--stop-ms", "0", NULL };
	static const char *const standard[] = { "--leave-out", "2", NULL };
	static const char *const drop[] = { "--unprepare", "--handler-id", "7",
					    NULL };
	struct preloaded p = start_server("errors", NULL), again;
	struct preloaded nowhere = { .socket = "/nowhere/at/all" };
	struct preloaded relative = { .socket = "here" };
	struct stat st;

	check_prepare(&nowhere, none, 1, "no program listens at /nowhere/at/all");
	check_prepare(&relative, none, 2, "must be an absolute path");
	check_prepare(&p, drop, 1, "7");
	CHECK(!stat(p.socket, &st) && S_ISSOCK(st.st_mode));
	CHECK_EQ(st.st_mode & 0777, 0600);
	check_prepare(&p, too_short, 2, "--stop-ms");
	check_prepare(&p, standard, 2, "--leave-out");
	check_prepare(&p, no_signal, 2, "--stop-signal");
	check_prepare(&p, forty, 0, "is prepared as handler id 7");
	check_prepare(&p, drop, 0, "is dropped");
	check_prepare(&p, seven, 0, "is prepared as handler id 7");
	check_daemon();
	check_prepare(&p, seven, 1, "already holds the snapshot");
	check_prepare(&p, drop, 0, "is dropped");
	check_prepare(&p, seven, 0, "is prepared as handler id 7");

	/* One that listens is left alone; what is left of a killed one is not in the way. */
	again = start_server("errors", NULL);
	check_prepare(&again, drop, 0, "is dropped");
	CHECK(answers(again.port, "get", "none"));
	kill_and_reap(again.pid);
	kill_and_reap(p.pid);
	p = start_server("errors", NULL);
	check_prepare(&p, seven, 0, "is prepared as handler id 7");
	preloaded_end(&p);

	p = start_server("errors", "kept");
	check_prepare(&p, seven, 1, "MADV_DONTFORK");
	CHECK(answers(p.port, "get", "none"));
	preloaded_end(&p);
}

/* It runs as it would without, and mitosis-prepare finds out why it does not listen. */
static void static_program(void)
{
	struct preloaded p = start_program("plain-server-static", "static", NULL);

	check_prepare(&p, none, 1, "static program");
	check_prepare(&p, none, 1, "CGO_ENABLED=1");
	CHECK(answers(p.port, "get", "none"));
	preloaded_end(&p);
	check_prepare(&p, none, 1, "was it started with libmitosis-preload.so");
}

/* By MITOSIS_PRELOAD_BACKEND of the program. */
static void backends(void)
{
	struct preloaded p;

	CHECK(!setenv("MITOSIS_PRELOAD_BACKEND", "both", 1));
	p = start_server("backends", NULL);
	check_prepare(&p, none, 1, "must be user or kernel, got 'both'");
	preloaded_end(&p);
	CHECK(!setenv("MITOSIS_PRELOAD_BACKEND", "kernel", 1));
	p = start_server("backends", NULL);
	if (access(MITOSIS_DEVICE_PATH, F_OK))
		check_prepare(&p, none, 1, "load the mitosis module");
	else
		check_prepare(&p, none, 0, "is prepared as handler id 73");
	preloaded_end(&p);
	CHECK(!unsetenv("MITOSIS_PRELOAD_BACKEND"));
}

/* The thread that counts is in the child, too. */
static void check_that_it_counts(pid_t pid, uint16_t port)
{
	char count[32];
	int last;

	for (last = 0; last < 10; last += 3) {
		snprintf(count, sizeof(count), "%d before", last);
		CHECK(answers_in_network_of(pid, port, "get", count));
	}
}

/* Its threads go on, with what was set before, and not with what its parent is told later. */
static void child(const struct machine *machine)
{
	static const char *const five[] = { "--handler-id", "5", "--pinned", NULL };
	struct preloaded p;
	pid_t stand_in, pid;
	int status;

	machine_enter(machine);
	p = start_server("child", NULL);
	CHECK(answers(p.port, "set before", "before"));
	check_prepare(&p, five, 0, "is prepared as handler id 5");
	CHECK(answers(p.port, "set after", "after"));
	machine_leave();

	stand_in = resume_from_machine(machine, "5");
	pid = child_behind(stand_in, "plain-server");
	CHECK(answers_in_network_of(pid, p.port, "get", " before"));
	CHECK(answers(p.port, "get", " after"));
	check_that_it_counts(pid, p.port);
	CHECK(answers_in_network_of(pid, p.port, "set child", " child"));
	CHECK(answers(p.port, "get", " after"));
	CHECK(!kill(stand_in, SIGTERM));
	status = status_within(stand_in, 20000);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	CHECK(answers(p.port, "get", " after"));
	machine_enter(machine);
	check_prepare(&p,
		      (const char *const[]){ "--unprepare", "--handler-id", "5",
					     NULL },
		      0, "is dropped");
	machine_leave();
	preloaded_end(&p);
}

int main(void)
{
	struct machine machine;

	use_key("preload");
	errors();
	static_program();
	backends();
	need_userfaultfd();
	need_namespaces();
	machine = machine_start(7);
	child(&machine);
	machine_stop(&machine);
	return 0;
}

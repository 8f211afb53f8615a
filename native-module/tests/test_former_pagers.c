// SPDX-License-Identifier: Apache-2.0
/*
 * Each CPU can have a pager of a snapshot that was dropped, which only finds that out when it is
 * asked: who wants the next snapshot of the same id passes them all.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/cases.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define MACHINE	    105
#define ID	    9
#define CPUS	    2
#define FORMER	    3
#define RIGHT	    7
#define PATIENCE_MS 20000

static const struct mitosis_resume_options lazily = { MITOSIS_RESUME_LAZY, 1 };

/* Prepares this process, whose children end with `status`. */
static struct mitosis *prepare(const struct machine *machine, int status)
{
	struct mitosis *there;

	machine_enter(machine);
	there = open_user();
	CHECK_EQ(mitosis_prepare(there, ID), 0);
	if (mitosis_nil(there) == -EBADF)
		_exit(status);
	machine_leave();
	return there;
}

static struct mitosis *open_here(const struct machine *machine)
{
	struct mitosis *here = open_user();

	CHECK_EQ(mitosis_set_resume_options(here, &lazily), 0);
	CHECK_EQ(mitosis_connect(here, MACHINE, machine->address), 0);
	return here;
}

/* Stopped, so that they do not see the end of their snapshot. */
static void make_pagers(struct mitosis *here, pid_t pagers[CPUS])
{
	struct mitosis_attachment *a;
	cpu_set_t all;
	int cpu;

	CHECK(!sched_getaffinity(0, sizeof(all), &all));
	for (cpu = 0; cpu < CPUS; cpu++) {
		run_on_cpu(0, cpu);
		CHECK_EQ(mitosis_attach_remote(here, MACHINE, ID, &a), 0);
		mitosis_detach(a);
		CHECK_EQ(count_processes("mitosis-pager", daemon_pid(),
					 &pagers[cpu]),
			 cpu + 1);
	}
	CHECK(!sched_setaffinity(0, sizeof(all), &all));
	for (cpu = 0; cpu < CPUS; cpu++)
		stop_process(pagers[cpu]);
}

/* It and its pagers would stay for their idle time. */
static void end_daemon(void)
{
	pid_t daemon = daemon_pid();

	CHECK(!kill(daemon, SIGTERM));
	CHECK_SOON(!alive(daemon), PATIENCE_MS);
}

/* How often mitosisd has passed somebody to a pager. */
static int joined(void)
{
	/* "joins a device and a server" */
	return lines_with("mitosis.trace", " pager=1 slot=");
}

static void resume(struct mitosis *here)
{
	CHECK_EQ(mitosis_resume_remote(here, MACHINE, ID), 0);
}

static void attach(struct mitosis *here)
{
	struct mitosis_attachment *a;
	pid_t child;

	CHECK_EQ(mitosis_attach_remote(here, MACHINE, ID, &a), 0);
	child = fork_attached(a);
	_exit(status_within(child, PATIENCE_MS) >> 8);
}

/* `first`: the CPU of the pager that is asked first. */
static void check(void (*ask)(struct mitosis *here), int first)
{
	struct mitosis *there, *here;
	struct machine machine;
	pid_t pagers[CPUS], asker;
	int before, i;

	setenv("MITOSIS_TRACE", "1", 1);
	setenv("MITOSIS_IDLE_MS", "60000", 1);
	machine = machine_start(MACHINE);
	there = prepare(&machine, FORMER);
	here = open_here(&machine);
	make_pagers(here, pagers);
	CHECK_EQ(mitosis_unprepare(there, ID), 0);
	mitosis_close(there);
	there = prepare(&machine, RIGHT);
	before = joined();
	fflush(stdout);
	asker = fork();
	if (asker == 0) {
		run_on_cpu(0, first);
		ask(open_here(&machine));
		exit(1);
	}
	for (i = 0; i < CPUS; i++) {
		CHECK_SOON(joined() == before + i + 1, PATIENCE_MS);
		/* Where it asks again. */
		run_on_cpu(asker, (first + i + 1) % CPUS);
		CHECK(!kill(pagers[(first + i) % CPUS], SIGCONT));
	}
	CHECK_EQ(status_within(asker, PATIENCE_MS), RIGHT << 8);
	mitosis_close(here);
	end_daemon();
	mitosis_close(there);
	machine_stop(&machine);
}

static void resumes(void)
{
	check(resume, CPUS - 1); /* the newest */
}

static void attaches(void)
{
	check(attach, 0);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "resumes", resumes },
		{ "attaches", attaches },
	};

	cpu_set_t all;

	need_userfaultfd();
	CHECK(!sched_getaffinity(0, sizeof(all), &all));
	if (!CPU_ISSET(0, &all) || !CPU_ISSET(1, &all))
		skip("CPUs 0 and 1");
	use_key("former");
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), 60000,
			 argc > 1 ? argv[1] : NULL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Mode replica when what serves a child is killed, or stopped, at each stage of that child: each child
 * reads right data or ends within the deadlines, those that need the victim no more go on, there are
 * further children where there can be, and nothing is left. `test_replica_faults "pager stopped idle"`
 * is one of them. They run at the same time, on machines of their own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/replica_child.h"

#define ID	1
#define CONTENT 30
#define BURST	24
/* While something is stopped; and else. Longer than a loaded or shared machine may stand still. */
#define SHORT_MS "4000"
#define LONG_MS	 "20000"
#define CASE_MS	 60000
#define AT_ONCE	 8

enum victim {
	REPLICA,
	PAGER,
	DAEMON, /* mitosisd of the children's machine */
	SHADOW, /* the parent's */
	PARENTS_DAEMON,
	VICTIMS
};

enum action { KILLED, STOPPED, ACTIONS };

/* Of a child. */
enum stage {
	STARTING, /* the first one, while all of it is made */
	IDLE,	  /* before it: there was one, and there is none now */
	RUNNING,  /* it has read half of its memory */
	STAGES
};

/* What concerns a burst. */
enum burst { UNPREPARED, MEMORY_LIMIT, BURSTS };

static const char *const victims[VICTIMS] = {
	[REPLICA] = "replica",
	[PAGER] = "pager",
	[DAEMON] = "daemon",
	[SHADOW] = "shadow",
	[PARENTS_DAEMON] = "parent's daemon",
};

static const char *const actions[ACTIONS] = {
	[KILLED] = "killed",
	[STOPPED] = "stopped",
};

static const char *const stages[STAGES] = {
	[STARTING] = "starting",
	[IDLE] = "idle",
	[RUNNING] = "running",
};

static const char *const bursts[BURSTS] = {
	[UNPREPARED] = "unprepared in a burst",
	[MEMORY_LIMIT] = "memory limit in a burst",
};

static pid_t find(enum victim victim)
{
	switch (victim) {
	case REPLICA:
		return replica();
	case PAGER:
		return pager();
	case DAEMON:
		return daemon_pid();
	case SHADOW:
		return find_process("mitosis-shadow", getpid());
	default:
		return machine.pid;
	}
}

static void set_deadline(const char *ms)
{
	setenv("MITOSIS_DEADLINE_MS", ms, 1);
}

/* 0: there is none, and will be none as the child has been refused. */
static pid_t strike(enum victim victim, enum action action, pid_t proxy)
{
	pid_t pid;

	while ((pid = find(victim)) <= 0 && alive(proxy))
		sleep_ms(1);
	if (pid > 0)
		kill(pid, action == KILLED ? SIGKILL : SIGSTOP);
	return pid;
}

/* Whether the child reports; what it reports is right. */
static bool reports(const struct running *r)
{
	struct report w;

	if (!report_within(r->report, &w, PATIENCE_MS))
		return false;
	CHECK(w.is_right && w.content == CONTENT);
	return true;
}

/* Whether there is a child that has been told 'e', and that was right. */
static bool ends_right(struct running *r)
{
	bool right = reports(r);
	int status = end_of(r);

	/* One that has reported may have been ended since. */
	return right && status == 7 << 8;
}

static struct running start_telling(void)
{
	struct running r = start(ID);

	/* It may have been refused already. */
	CHECK(write(r.order, "e", 1) == 1 || errno == EPIPE);
	return r;
}

static bool try_child(void)
{
	struct running r = start_telling();

	return ends_right(&r);
}

/* One that has read half, and what it has forked reads the other half next. */
static struct running start_half(void)
{
	struct running r = start(ID);

	tell(&r, 'f');
	CHECK_EQ(status_within(r.proxy, PATIENCE_MS), 7 << 8);
	return r;
}

static bool read_other_half(struct running *r)
{
	bool right;

	CHECK(write(r->order, "g", 1) == 1 || errno == EPIPE);
	right = reports(r);
	close(r->order);
	close(r->report);
	return right;
}

/* A stopped mitosisd lets its callers wait for seconds, whatever the deadline. */
static bool is_asked(enum victim victim, enum action action)
{
	return victim != DAEMON || action != STOPPED;
}

/* Whether what a child has still to read comes without the victim. */
static bool goes_on_without(enum victim victim)
{
	return victim == REPLICA || victim == DAEMON || victim == PARENTS_DAEMON;
}

static void play(enum victim victim, enum action action, enum stage stage)
{
	struct mitosis_attachment *a = NULL;
	struct mitosis *there = prepare(ID, CONTENT), *here = NULL;
	struct running r;
	pid_t pid;

	if (stage != STARTING) {
		/* Without it the pager would end with its last child. */
		here = open_here();
		CHECK_EQ(mitosis_attach_remote(here, MACHINE, ID, &a), 0);
		CHECK(try_child());
	}
	if (stage == RUNNING)
		r = start_half();
	set_deadline(action == STOPPED ? SHORT_MS : LONG_MS);
	if (stage == STARTING)
		r = start_telling();
	pid = strike(victim, action, stage == STARTING ? r.proxy : getpid());
	if (stage == STARTING)
		ends_right(&r);
	else if (stage == IDLE && is_asked(victim, action))
		try_child();
	else if (stage == RUNNING)
		CHECK(read_other_half(&r) || !goes_on_without(victim));
	set_deadline(LONG_MS);
	if (action == STOPPED && pid)
		kill(pid, SIGCONT); /* unless it was ended for it */
	if (victim == SHADOW && action == KILLED)
		CHECK(!try_child());
	else if (victim != PARENTS_DAEMON || action == STOPPED)
		CHECK_SOON(try_child(), 10);
	mitosis_detach(a);
	mitosis_close(here);
	mitosis_unprepare(there, ID);
	mitosis_close(there);
	check_nothing_left();
	if (victim == PARENTS_DAEMON && action == KILLED)
		status_within(machine.pid, PATIENCE_MS);
	else
		machine_stop(&machine);
}

/* Many children at once, and meanwhile the snapshot is dropped, or the replica may have little. */
static void play_burst(enum burst burst)
{
	struct running all[BURST];
	struct mitosis *there;
	int i, right = 0;

	if (burst == MEMORY_LIMIT)
		setenv("MITOSIS_REPLICA_MIB", "1", 1);
	setenv("MITOSIS_REPLICA_FILL", "all", 1);
	there = prepare(ID, CONTENT);
	CHECK(try_child());
	for (i = 0; i < BURST; i++) {
		all[i] = start_telling();
		if (i == BURST / 2 && burst == UNPREPARED)
			CHECK_EQ(mitosis_unprepare(there, ID), 0);
	}
	for (i = 0; i < BURST; i++)
		right += ends_right(&all[i]);
	if (burst == UNPREPARED)
		CHECK(!try_child());
	else
		CHECK_EQ(right, BURST);
	if (burst == UNPREPARED) {
		mitosis_close(there);
		check_nothing_left();
	} else {
		drop(there, ID);
	}
	machine_stop(&machine);
}

/* Machines of one case, whose pagers wait so long. */
static void be_apart(int number, const char *pagers_ms)
{
	char text[200];

	snprintf(text, sizeof(text), "%s-%d", getenv("MITOSIS_RUNTIME_DIR"), number);
	setenv("MITOSIS_RUNTIME_DIR", text, 1);
	signal(SIGPIPE, SIG_IGN);
	use_key("faults");
	/* The children's mitosisd, and its pagers, which this keeps. */
	set_deadline(pagers_ms);
	open_user();
	set_deadline(LONG_MS);
	replica_children_begin();
}

struct running_case {
	char name[64];
	pid_t pid;
};

static struct running_case now[AT_ONCE];
static char failed[1000];
static int count;

static void wait_for(struct running_case *c)
{
	size_t used = strlen(failed);

	if (c->pid && status_within(c->pid, CASE_MS)) {
		printf("%s: failed\n", c->name);
		snprintf(failed + used, sizeof(failed) - used, "%s%s",
			 used ? ", " : "failed: ", c->name);
	}
	c->pid = 0;
}

/* True in the process that is to play a case, if that is wanted. */
static bool is_to_play(const char *name, const char *only, const char *pagers_ms)
{
	struct running_case *c = &now[count % AT_ONCE];

	if (only && strcmp(only, name))
		return false;
	wait_for(c);
	snprintf(c->name, sizeof(c->name), "%s", name);
	count++;
	fflush(stdout);
	c->pid = fork();
	CHECK(c->pid >= 0);
	if (c->pid == 0)
		be_apart(count, pagers_ms);
	return c->pid == 0;
}

int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : NULL;
	char name[64];
	int i, victim, action, stage;

	need_userfaultfd();
	for (i = 0; i < VICTIMS * ACTIONS * STAGES; i++) {
		/* Those that wait for deadlines side by side. */
		action = i / (VICTIMS * STAGES) % ACTIONS;
		victim = i / STAGES % VICTIMS;
		stage = i % STAGES;
		snprintf(name, sizeof(name), "%s %s %s", victims[victim],
			 actions[action], stages[stage]);
		/* It takes its callers' five seconds: by its name only. */
		if (!only && victim == DAEMON && action == STOPPED &&
		    stage == STARTING)
			continue;
		if (is_to_play(name, only, action == STOPPED ? SHORT_MS : LONG_MS)) {
			play(victim, action, stage);
			exit(0);
		}
	}
	for (i = 0; i < BURSTS; i++)
		if (is_to_play(bursts[i], only, LONG_MS)) {
			play_burst(i);
			exit(0);
		}
	for (i = 0; i < AT_ONCE; i++)
		wait_for(&now[i]);
	if (!count)
		printf("no case is called '%s'\n", only);
	if (*failed)
		printf("%s\n", failed);
	return *failed || !count;
}

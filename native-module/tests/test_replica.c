// SPDX-License-Identifier: Apache-2.0
/*
 * Mode replica: children of a snapshot of another machine, which a child of that snapshot forks here.
 * There is one replica, for children that come at once, too; it is not used when its snapshot has
 * been dropped or prepared anew; and it, its children and what these fork end as they do in
 * other modes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cases.h"
#include "tests/harness.h"
#include "tests/replica_child.h"

static struct mitosis *here; /* a device of the machine of the children */

/* By `here`. While it is there its pager stays, without children, too, and so does the replica. */
static struct mitosis_attachment *attach(uint32_t id)
{
	struct mitosis_attachment *a;

	CHECK_EQ(mitosis_attach_remote(here, MACHINE, id, &a), 0);
	return a;
}

/* Two first children at once, then others: one replica. */
static void one_replica(void)
{
	struct mitosis *there = prepare(1, 10);
	struct running both[2], next;
	struct mitosis_attachment *a;
	struct report w;
	pid_t first;
	int i;

	here = open_here();
	a = attach(1);
	both[0] = start(1);
	both[1] = start(1);
	for (i = 0; i < 2; i++) {
		w = tell(&both[i], 'e');
		CHECK(w.pid != both[i].proxy && w.pid != getpid());
		CHECK_EQ(end_of(&both[i]), 7 << 8);
	}
	CHECK_EQ(replica_count(), 1);
	first = replica();
	CHECK(first > 0);
	next = start(1);
	tell(&next, 's');
	i = end_of(&next);
	CHECK(WIFSIGNALED(i) && WTERMSIG(i) == SIGTERM);
	CHECK_EQ(replica(), first);
	mitosis_detach(a);
	drop(there, 1);
}

static int to_child[2], from_child[2];

/* As of mitosis_spawn(); the order and the report go over pipes of this process. */
static int spawn(struct mitosis_attachment *a, char what, struct report *w,
		 int *status)
{
	static const int files[] = { ORDER, REPORT };
	const struct mitosis_spawn child = {
		.pidfd = -1,
		.root = -1,
		.files = files,
		.file_count = 2,
	};
	int err;

	CHECK(write(to_child[1], &what, 1) == 1);
	err = mitosis_spawn(a, &child, status);
	if (!err) {
		CHECK(report_within(from_child[0], w, PATIENCE_MS));
		CHECK(w->is_right);
	} else {
		CHECK(read(to_child[0], &what, 1) == 1);
	}
	return err;
}

static void open_pipes(void)
{
	CHECK(!pipe2(to_child, O_CLOEXEC) && !pipe2(from_child, O_CLOEXEC));
	CHECK(dup2(to_child[0], ORDER) >= 0 && dup2(from_child[1], REPORT) >= 0);
	CHECK(dup2(from_child[1], REPORT + 1) >= 0);
}

/* Children of an attachment; a snapshot that is prepared anew has a replica of its own. */
static void spawned(void)
{
	struct mitosis *there = prepare(2, 20);
	struct mitosis_attachment *a;
	struct report w;
	int status, i;
	pid_t pid;

	open_pipes();
	here = open_here();
	a = attach(2);
	CHECK_EQ(mitosis_attachment_window(a), 0);
	for (i = 0; i < 50; i++) {
		CHECK_EQ(spawn(a, 'e', &w, &status), 0);
		CHECK_EQ(status, 7 << 8);
		CHECK_EQ(w.content, 20);
	}
	CHECK_EQ(replica_count(), 1);
	/* A process that this one forks is a child of the same attachment. */
	pid = fork_attached(a);
	CHECK(write(to_child[1], "e", 1) == 1);
	CHECK(report_within(from_child[0], &w, PATIENCE_MS));
	CHECK_EQ(status_within(pid, PATIENCE_MS), 7 << 8);

	CHECK_EQ(mitosis_unprepare(there, 2), 0);
	mitosis_close(there);
	/* What is open at prepare is the parent's, which a child has, too. */
	close(REPORT + 1);
	there = prepare(2, 30);
	CHECK_EQ(spawn(a, 'e', &w, &status), -ESTALE);
	mitosis_detach(a);
	a = attach(2);
	CHECK_EQ(spawn(a, 'e', &w, &status), 0);
	CHECK_EQ(w.content, 30);
	mitosis_detach(a);
	drop(there, 2);
}

/* What a child has forked reads its pages after the child's end; who asked may go. */
static void descendants(void)
{
	struct mitosis *there = prepare(3, 40);
	struct running r = start(3);
	struct report w = tell_all(&r);

	r = start(3);
	w = tell(&r, 'w');
	CHECK(alive(w.pid));
	kill(r.proxy, SIGKILL);
	end_of(&r);
	CHECK_SOON(!alive(w.pid), PATIENCE_MS);
	/* As a clone's, children of a snapshot that is dropped stay until they end. */
	r = start(3);
	w = tell(&r, 'w');
	CHECK_EQ(mitosis_unprepare(there, 3), 0);
	sleep_ms(20);
	CHECK(alive(w.pid));
	kill(w.pid, SIGKILL);
	CHECK_EQ(end_of(&r), SIGKILL);
	mitosis_close(there);
	check_nothing_left();
}

/* A replica that is killed is made again; its children stay. A pager takes all with it. */
static void killed(void)
{
	struct mitosis *there = prepare(4, 50);
	struct running r = start(4), next;
	struct report w = tell(&r, 'w');
	pid_t first = replica(), pager_pid = pager();

	CHECK(first > 0);
	kill(first, SIGKILL);
	CHECK_SOON(!alive(first), PATIENCE_MS);
	CHECK_SOON(!replica(), PATIENCE_MS);
	next = start(4);
	tell(&next, 'e');
	CHECK_EQ(end_of(&next), 7 << 8);
	CHECK(alive(w.pid));
	CHECK_EQ(pager(), pager_pid);
	CHECK(replica() > 0 && replica() != first);
	first = replica();

	kill(pager_pid, SIGKILL);
	CHECK_SOON(!alive(w.pid) && !alive(first), PATIENCE_MS);
	CHECK(end_of(&r) != 0);
	next = start(4);
	tell(&next, 'e');
	CHECK_EQ(end_of(&next), 7 << 8);
	drop(there, 4);
}

/* A replica that is stopped is ended when it does not answer; this takes a deadline. */
static void stopped(void)
{
	struct mitosis *there = prepare(5, 60);
	struct mitosis_attachment *a;
	struct running r;
	pid_t first;

	here = open_here();
	a = attach(5);
	r = start(5);
	tell(&r, 'e');
	CHECK_EQ(end_of(&r), 7 << 8);
	first = replica();
	CHECK(first > 0);
	kill(first, SIGSTOP);
	r = start(5);
	CHECK_EQ(end_of(&r), 1 << 8);
	CHECK(!alive(first));
	r = start(5);
	tell(&r, 'e');
	CHECK_EQ(end_of(&r), 7 << 8);
	mitosis_detach(a);
	drop(there, 5);
}

/* What one child has fetched, the replica has for the next. In the machine of `dir`: not. */
static void shared(uint32_t id, const char *dir)
{
	struct mitosis *there = prepare(id, 80);
	struct mitosis_attachment *a;
	uint64_t before, after;
	struct running r;
	struct report w;

	if (dir) {
		setenv("MITOSIS_RUNTIME_DIR", dir, 1);
		setenv("MITOSIS_MACHINE_ID", "103", 1);
		setenv("MITOSIS_REPLICA_MIB", "0", 1);
	}
	here = open_here();
	a = attach(id);
	r = start(id);
	tell(&r, 'e');
	CHECK_EQ(end_of(&r), 7 << 8);
	CHECK(replica() > 0);
	before = pss_of(replica());
	r = start(id);
	w = tell_all(&r);
	CHECK_SOON(!alive(w.pid), PATIENCE_MS);
	after = pss_of(replica());
	if (dir)
		CHECK(after < before + PAGES / 4 * PAGE);
	else
		CHECK(after > before + PAGES / 4 * PAGE);
	mitosis_detach(a);
	drop(there, id);
}

static void shares(void)
{
	shared(8, NULL);
}

static void shares_nothing(void)
{
	char dir[160];

	snprintf(dir, sizeof(dir), "%s-limited", getenv("MITOSIS_RUNTIME_DIR"));
	shared(9, dir);
}

static int no_confinement(void *unused)
{
	(void)unused;
	return 0;
}

/* Who could not become the snapshot's process itself may not have it forked. */
static void refused(void)
{
	const struct mitosis_resume_options clone = { MITOSIS_RESUME_CLONE, 0 };
	const struct mitosis_confinement confinement = { .confine = no_confinement };
	struct mitosis *there = prepare(6, 70);
	struct mitosis_attachment *a;
	pid_t pid;

	here = open_here();
	CHECK_EQ(mitosis_set_confinement(here, &confinement), 0);
	CHECK_EQ(mitosis_attach_remote(here, MACHINE, 6, &a), -EINVAL);
	CHECK_EQ(mitosis_resume_remote(here, MACHINE, 6), -EINVAL);
	check_error_has("mode replica");
	CHECK_EQ(mitosis_set_confinement(here, NULL), 0);
	CHECK_EQ(mitosis_attach_remote(here, MACHINE, 7, &a), -ENOENT);
	CHECK_EQ(mitosis_set_resume_options(here, &clone), 0);
	CHECK_EQ(mitosis_attach_remote(here, MACHINE, 6, &a), -EINVAL);
	check_error_has("mode replica");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (!drop_a_capability())
			_exit(0);
		here = open_here();
		CHECK_EQ(mitosis_attach_remote(here, MACHINE, 6, &a), -EPERM);
		CHECK_EQ(mitosis_resume_remote(here, MACHINE, 6), -EPERM);
		check_error_has("capabilities");
		_exit(0);
	}
	CHECK_EQ(status_within(pid, PATIENCE_MS), 0);
	drop(there, 6);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "one", one_replica },
		{ "spawned", spawned },
		{ "forked", descendants },
		{ "killed", killed },
		{ "refused", refused },
		{ "shares", shares },
		{ "shares nothing", shares_nothing },
	};
	static const struct test_case slow[] = { { "stopped", stopped } };
	int failed;

	need_userfaultfd();
	use_key("replica");
	replica_children_begin();
	/* It takes as long as a pager waits for its replica, $MITOSIS_DEADLINE_MS. */
	if (argc > 1 && !strcmp(argv[1], "stopped"))
		failed = run_cases(slow, 1, 60000, NULL);
	else
		failed = run_cases(cases, sizeof(cases) / sizeof(cases[0]), 60000,
				   argc > 1 ? argv[1] : NULL);
	machine_stop(&machine);
	return failed;
}

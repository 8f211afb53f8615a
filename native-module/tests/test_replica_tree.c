// SPDX-License-Identifier: Apache-2.0
/*
 * Replicas of replicas: this machine gets a snapshot's pages from a second one, which has them from
 * the parent's. Children are right, the parent's link carries each page once, and what ends the
 * snapshot, or a machine between, reaches all below it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cases.h"
#include "tests/harness.h"
#include "tests/replica_child.h"

/* A machine between, and where those below it find the parent's snapshots. */
static struct between {
	struct machine machine;
	char address[160];
} b, c;

/* From here on, what this process does is done on that machine, or on its own. */
static void be_on(const struct between *b, const char *upstream)
{
	if (b)
		machine_enter(&b->machine);
	else
		machine_leave();
	connects_to = upstream;
}

/* Starts one that gets pages from `upstream`. */
static void add(struct between *b, uint32_t id, const char *upstream)
{
	b->machine = machine_start(id);
	snprintf(b->address, sizeof(b->address), "replica%s",
		 b->machine.address + strlen("tcp"));
	be_on(b, upstream);
	mitosis_close(open_here());
	be_on(NULL, b->address);
}

static uint64_t pages_come_to(const struct between *b)
{
	uint64_t pages;

	machine_enter(&b->machine);
	pages = pages_come();
	machine_leave();
	return pages;
}

/* Nothing is left on the machines between; they end. */
static void end_between(void)
{
	struct between *from_below[] = { &c, &b };
	int i;

	for (i = 0; i < 2; i++) {
		struct machine *m = &from_below[i]->machine;

		if (!m->pid)
			continue;
		machine_enter(m);
		CHECK_SOON(!pager(), PATIENCE_MS);
		machine_leave();
		machine_stop(m);
	}
}

/* The end of a case whose snapshot is there: it is dropped, and nothing of it is left anywhere. */
static void end_tree(struct mitosis *there, uint32_t id)
{
	drop(there, id);
	end_between();
}

static void check_ends(struct running *r, pid_t child)
{
	CHECK_SOON(!alive(child), PATIENCE_MS);
	CHECK(end_of(r) != 0);
}

static void check_fails(uint32_t id)
{
	struct running r = start(id);

	CHECK_EQ(end_of(&r), 1 << 8);
}

/* What a machine has fetched for the one below, its own children find. */
static void two_levels(void)
{
	struct mitosis *there = prepare(1, 10);
	struct held child;

	add(&b, 102, machine.address);
	/* Without a child, all pagers end after a while, with what they have. */
	child = hold(1);
	CHECK(read_all(1) >= PAGES);
	CHECK(pages_come_to(&b) >= PAGES);
	be_on(&b, machine.address);
	CHECK(read_all(1) < PAGES / 4);
	be_on(NULL, b.address);
	release(&child);
	end_tree(there, 1);
}

static void three_levels(void)
{
	struct mitosis *there = prepare(2, 20);
	struct running lazy;
	struct report w;

	add(&b, 103, machine.address);
	add(&c, 104, b.address);
	CHECK(read_all(2) >= PAGES);
	lazy = start_in(2, MITOSIS_RESUME_EAGER);
	w = tell_all(&lazy);
	CHECK_EQ(w.content, 20);
	end_tree(there, 2);
}

/* Pages that a fill has given to the replica alone. */
static void from_filled_replica(void)
{
	struct mitosis *there = prepare(3, 30);
	struct held child;
	uint64_t before;

	setenv("MITOSIS_REPLICA_FILL", "all", 1);
	add(&b, 105, machine.address);
	/* This machine's own replicas get nothing ahead. */
	unsetenv("MITOSIS_REPLICA_FILL");
	be_on(&b, machine.address);
	child = hold(3);
	CHECK_SOON(!fills(), PATIENCE_MS);
	before = pages_come();
	be_on(NULL, b.address);
	CHECK(read_all(3) >= PAGES);
	CHECK(pages_come_to(&b) - before < PAGES / 4);
	release(&child);
	end_tree(there, 3);
}

/* No machine has further children of what was dropped; those that there are stay. */
static void unprepared(void)
{
	struct mitosis *there = prepare(4, 40);
	struct running above, below, next;
	struct report of_above, of_below;

	add(&b, 106, machine.address);
	be_on(&b, machine.address);
	above = start(4);
	of_above = tell(&above, 'w');
	be_on(NULL, b.address);
	below = start(4);
	of_below = tell(&below, 'w');
	CHECK_EQ(mitosis_unprepare(there, 4), 0);
	mitosis_close(there);
	check_fails(4);
	be_on(&b, machine.address);
	check_fails(4);
	be_on(NULL, b.address);
	CHECK(alive(of_above.pid) && alive(of_below.pid));

	/* One that is prepared anew is another snapshot, whatever the machines have of this one. */
	there = prepare(4, 41);
	next = start(4);
	CHECK_EQ(tell(&next, 'e').content, 41);
	CHECK_EQ(end_of(&next), 7 << 8);
	kill(of_above.pid, SIGKILL);
	kill(of_below.pid, SIGKILL);
	CHECK_EQ(end_of(&above), SIGKILL);
	CHECK_EQ(end_of(&below), SIGKILL);
	end_tree(there, 4);
}

/* Who could have further children finds that there are none: nothing of it stays anywhere. */
static void unprepared_idle(void)
{
	struct mitosis *there = prepare(5, 50), *here;
	struct mitosis_attachment *a;
	struct running r;

	add(&b, 107, machine.address);
	here = open_here();
	CHECK_EQ(mitosis_attach_remote(here, MACHINE, 5, &a), 0);
	r = start(5);
	tell(&r, 'e');
	CHECK_EQ(end_of(&r), 7 << 8);
	CHECK(replica() > 0);
	CHECK_EQ(mitosis_unprepare(there, 5), 0);
	mitosis_close(there);
	check_nothing_left();
	end_between();
	mitosis_detach(a);
	mitosis_close(here);
}

/* What was between has ended: the children below end, later ones have another. */
static void between_killed(void)
{
	struct mitosis *there = prepare(6, 60);
	struct running r;
	struct report w;
	pid_t its_pager;

	add(&b, 108, machine.address);
	r = start(6);
	w = tell(&r, 'w');
	machine_enter(&b.machine);
	its_pager = pager();
	machine_leave();
	CHECK(its_pager > 0);
	kill(its_pager, SIGKILL);
	check_ends(&r, w.pid);
	/* One that ends before it has answered: there is another. */
	r = start(6);
	w = tell(&r, 'w');
	machine_enter(&b.machine);
	its_pager = pager();
	machine_leave();
	CHECK(its_pager > 0);
	kill(its_pager, SIGSTOP);
	kill(w.pid, SIGKILL);
	CHECK_EQ(end_of(&r), SIGKILL);
	CHECK_SOON(!pager(), PATIENCE_MS);
	r = start(6);
	sleep_ms(50);
	kill(its_pager, SIGKILL);
	w = tell(&r, 'w');
	kill(b.machine.pid, SIGKILL);
	status_within(b.machine.pid, PATIENCE_MS);
	/* Its pager takes no further children, and serves those that it has. */
	CHECK(alive(w.pid));
	check_fails(6);
	kill(w.pid, SIGKILL);
	CHECK_EQ(end_of(&r), SIGKILL);
	drop(there, 6);
}

/* The parent's shadow is killed, and the machine between has not all of it. */
static void parent_killed(void)
{
	struct mitosis *there = prepare(7, 70);
	struct running r;
	struct report w;
	pid_t shadow;

	add(&b, 109, machine.address);
	CHECK_SOON((shadow = find_process("mitosis-shadow", getpid())), PATIENCE_MS);
	r = start(7);
	w = tell(&r, 'w');
	kill(shadow, SIGKILL);
	check_ends(&r, w.pid);
	check_fails(7);
	mitosis_unprepare(there, 7);
	mitosis_close(there);
	check_nothing_left();
	end_between();
}

/* The machine between has a replica with all of it; on a machine of the parent's for this case. */
static struct mitosis *prepare_filled(uint32_t id, char content, uint32_t machine_id,
				      struct held *child)
{
	struct mitosis *there;

	machine = machine_start(MACHINE);
	there = prepare(id, content);
	setenv("MITOSIS_REPLICA_FILL", "all", 1);
	add(&b, machine_id, machine.address);
	unsetenv("MITOSIS_REPLICA_FILL");
	be_on(&b, machine.address);
	*child = hold(id);
	CHECK_SOON(!fills(), PATIENCE_MS);
	be_on(NULL, b.address);
	return there;
}

/* The parent's machine is gone: what has all pages serves them to the children there are, and later ones. */
static void parent_gone(void)
{
	struct held child;
	struct mitosis *there = prepare_filled(9, 90, 111, &child);
	struct running r = start(9);
	struct report w = tell(&r, 'f');
	pid_t shadow, its_replica;

	CHECK_EQ(status_within(r.proxy, PATIENCE_MS), 7 << 8);
	CHECK_SOON((shadow = find_process("mitosis-shadow", getpid())), PATIENCE_MS);
	kill(shadow, SIGKILL);
	kill(machine.pid, SIGKILL);
	status_within(machine.pid, PATIENCE_MS);
	CHECK_SOON(!alive(shadow), PATIENCE_MS);
	CHECK(write(r.order, "g", 1) == 1);
	CHECK(report_within(r.report, &w, PATIENCE_MS));
	CHECK(w.is_right);
	read_all(9);
	CHECK(alive(child.pid));
	r = start_in(9, MITOSIS_RESUME_EAGER);
	w = tell_all(&r);
	CHECK_EQ(w.content, 90);

	/* It was the last one that had them. */
	machine_enter(&b.machine);
	its_replica = replica();
	CHECK(its_replica > 0);
	kill(its_replica, SIGKILL);
	CHECK_SOON(!replica(), PATIENCE_MS);
	machine_leave();
	check_fails(9);
	release(&child);
	mitosis_close(there);
	end_between();
}

/* The same, but it had been unprepared: no machine goes on. */
static void unprepared_and_gone(void)
{
	struct held child;
	struct mitosis *there = prepare_filled(10, 100, 112, &child);
	pid_t shadow;

	CHECK_SOON((shadow = find_process("mitosis-shadow", getpid())), PATIENCE_MS);
	CHECK_EQ(mitosis_unprepare(there, 10), 0);
	check_fails(10);
	kill(shadow, SIGKILL);
	CHECK_SOON(!alive(child.pid), PATIENCE_MS);
	end_of(&child.running);
	check_fails(10);
	mitosis_close(there);
	end_between();
	machine_stop(&machine);
}

static void addresses(void)
{
	struct mitosis *there = prepare(8, 80), *here;
	struct machine apart = machine_start(110);
	static char address[160];
	char text[MITOSIS_ADDRESS_SIZE];

	here = open_here();
	CHECK_EQ(mitosis_connect(here, MACHINE, "replica://"), -EINVAL);
	check_error_has("replica://host:port");
	CHECK_EQ(mitosis_connect(here, MACHINE, "replica://127.0.0.1"), -EINVAL);
	CHECK_EQ(mitosis_connect(here, MACHINE, apart.address), -EINVAL);
	/* A machine that has no session to the parent's. */
	snprintf(address, sizeof(address), "replica%s",
		 apart.address + strlen("tcp"));
	CHECK_EQ(mitosis_connect(here, MACHINE, address), 0);
	CHECK_EQ(mitosis_session_address(here, MACHINE, text), 0);
	CHECK(!strcmp(text, address));
	CHECK_EQ(mitosis_resume_remote(here, MACHINE, 8), -ENOTCONN);
	/* The parent's machine is as good as a replica's. */
	snprintf(address, sizeof(address), "replica%s",
		 machine.address + strlen("tcp"));
	connects_to = address;
	CHECK(read_all(8) >= PAGES);
	mitosis_close(here);
	drop(there, 8);
	machine_stop(&apart);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "two levels", two_levels },
		{ "three levels", three_levels },
		{ "filled", from_filled_replica },
		{ "unprepared", unprepared },
		{ "unprepared idle", unprepared_idle },
		{ "between killed", between_killed },
		{ "parent killed", parent_killed },
		{ "parent gone", parent_gone },
		{ "unprepared and gone", unprepared_and_gone },
		{ "addresses", addresses },
	};
	int failed;

	need_userfaultfd();
	use_key("replica_tree");
	replica_children_begin();
	failed = run_cases(cases, sizeof(cases) / sizeof(cases[0]), 60000,
			   argc > 1 ? argv[1] : NULL);
	machine_stop(&machine);
	return failed;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A child when something that it depends on ends, or when it leaves it itself: no
 * hang, no wrong data, nothing left behind. `test_resume_faults NAME` runs one case.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cases.h"
#include "tests/fault_child.h"
#include "tests/machine.h"

/* How often a resume is repeated to see what it leaves behind. */
#define RESUMES 1000

#define CASE_MS 120000

enum fault {
	SHADOW_KILLED,
	SHADOW_KILLED_GRANDCHILD,
	MACHINE_LOST_GRANDCHILD,
	MACHINE_BETWEEN_LOST,
	UNPREPARED,
	OWNER_CLOSED,
	OWNER_KILLED,
	DAEMON_KILLED,
	MANY_RESUMES,
	CHILD_GONE,
	CHILD_CLOSES_FILES,
	CHILD_EXECS,
	CHILD_KILLED,
	FAULTS
};

/* A child of two_halves() that has read the first reads the second, and ends. */
static void finish(pid_t child)
{
	order();
	CHECK_EQ(next_reply(), 'w');
	CHECK_EQ(end_of(child), 0);
	close_child();
}

static void shadow_killed(void)
{
	struct mitosis *device = prepare(1, two_halves);
	pid_t child = start_child("1", -1);
	int status;

	CHECK_EQ(next_reply(), 'h');
	kill(find_snapshot(device, 1).shadow_pid, SIGKILL);
	order_if_alive();
	status = end_of(child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK_EQ(next_reply(), 0);
	close_child();
	mitosis_close(device);
}

/* The grandchild reads without a server; the child waits for it. */
static int grandchild_reads(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(two_halves());
	waitpid(pid, &status, 0);
	return 0;
}

static void shadow_killed_grandchild(void)
{
	struct mitosis *device = prepare(1, grandchild_reads);
	pid_t child = start_child("1", -1);

	CHECK_EQ(next_reply(), 'h');
	kill(find_snapshot(device, 1).shadow_pid, SIGKILL);
	sleep_ms(50);
	order_if_alive();
	end_of(child);
	/* It ended without a reply: it has not read wrong data. */
	CHECK_EQ(next_reply(), 0);
	close_child();
	mitosis_close(device);
}

static struct mitosis *prepare_on(const struct machine *machine, int (*part)(void))
{
	struct mitosis *device;

	machine_enter(machine);
	device = prepare(1, part);
	machine_leave();
	return device;
}

/* A child that reads what is at remote_address, after the end of a process there. */
static void lose(pid_t (*process)(void))
{
	int output[2], status;
	char message[512];
	pid_t child, lost;
	ssize_t n;

	CHECK(!pipe2(output, O_CLOEXEC));
	child = start_child("1", output[1]);
	if (next_reply() != 'h') {
		n = read(output[0], message, sizeof(message) - 1);
		printf("%.*s", (int)n, message);
		exit(1);
	}
	lost = process();
	CHECK(lost && !kill(lost, SIGKILL));
	sleep_ms(100);
	order_if_alive();
	status = end_of(child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK_EQ(next_reply(), 0);
	close(output[1]);
	n = read(output[0], message, sizeof(message) - 1);
	message[n > 0 ? n : 0] = '\0';
	CHECK(strstr(message, "machine 7") && strstr(message, remote_address));
	close(output[0]);
	close_child();
}

static pid_t its_shadow(void)
{
	return find_process("mitosis-shadow", getpid());
}

/* The same with a shadow on another machine: here mitosisd notices, and goes on. */
static void machine_lost_grandchild(void)
{
	struct machine machine = machine_start(atoi(REMOTE_ID));
	struct mitosis *device = prepare_on(&machine, grandchild_reads);

	remote_address = machine.address;
	lose(its_shadow);
	mitosis_close(device);
	machine_stop(&machine);
}

static struct machine between;

static pid_t its_pager(void)
{
	return find_process("mitosis-pager", between.pid);
}

/* The same with a third machine that passes the pages on: that one is lost. */
static void machine_between_lost(void)
{
	struct machine machine = machine_start(atoi(REMOTE_ID));
	struct mitosis *device = prepare_on(&machine, grandchild_reads), *there;
	static char address[160];

	between = machine_start(atoi(REMOTE_ID) + 1);
	machine_enter(&between);
	there = open_user();
	CHECK_EQ(mitosis_connect(there, atoi(REMOTE_ID), machine.address), 0);
	mitosis_close(there);
	machine_leave();
	snprintf(address, sizeof(address), "replica%s",
		 between.address + strlen("tcp"));
	remote_address = address;
	lose(its_pager);
	mitosis_close(device);
	machine_stop(&between);
	machine_stop(&machine);
}

static void unprepared(void)
{
	struct mitosis *device = prepare(1, two_halves), *again;
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	pid_t child = start_child("1", -1), second;

	CHECK_EQ(next_reply(), 'h');
	CHECK_EQ(mitosis_unprepare(device, 1), 0);
	CHECK_EQ(find_snapshot(device, 1).shadow_pid, 0);
	sleep_ms(50);
	CHECK(alive(shadow));
	finish(child);
	CHECK_SOON(!alive(shadow), 20000);

	/* Twice under the same id, the first with a child that goes on. */
	CHECK_EQ(mitosis_close(device), 0);
	device = prepare(1, two_halves);
	child = start_child("1", -1);
	CHECK_EQ(next_reply(), 'h');
	CHECK_EQ(mitosis_unprepare(device, 1), 0);
	{
		int first_orders = orders, first_replies = replies;

		again = prepare(1, two_halves);
		second = start_child("1", -1);
		CHECK_EQ(next_reply(), 'h');
		finish(second);
		orders = first_orders;
		replies = first_replies;
	}
	finish(child);
	mitosis_close(again);
	mitosis_close(device);
}

static void owner_closed(void)
{
	struct mitosis *device = prepare(1, two_halves);
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	pid_t child = start_child("1", -1);

	CHECK_EQ(next_reply(), 'h');
	CHECK_EQ(mitosis_close(device), 0);
	sleep_ms(50);
	CHECK(alive(shadow));
	finish(child);
	CHECK_SOON(!alive(shadow), 20000);
}

static void prepare_two_halves(void *unused)
{
	(void)unused;
	prepare(1, two_halves);
}

static void owner_killed(void)
{
	struct mitosis *device = open_user();
	pid_t owner, shadow, child;

	owner = start_waiting(prepare_two_halves, NULL);
	shadow = find_snapshot(device, 1).shadow_pid;
	child = start_child("1", -1);
	CHECK_EQ(next_reply(), 'h');
	kill_and_reap(owner);
	CHECK_SOON(find_snapshot(device, 1).shadow_pid == 0, 20000);
	finish(child);
	CHECK_SOON(!alive(shadow), 20000);
	mitosis_close(device);
}

static void daemon_killed(void)
{
	struct mitosis *device = prepare(1, two_halves);
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	pid_t daemon = daemon_pid(), child = start_child("1", -1);

	CHECK_EQ(next_reply(), 'h');
	CHECK(daemon);
	kill(daemon, SIGKILL);
	CHECK_SOON(!alive(daemon), 20000);
	sleep_ms(50);
	CHECK(alive(shadow));
	finish(child);
	CHECK_SOON(!alive(shadow), 20000);
	mitosis_close(device);
}

static int touch_a_little(void)
{
	return right(0, 8) ? 0 : 1;
}

static void many_resumes(void)
{
	struct mitosis *device = prepare(1, touch_a_little);
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	int fds, daemon_fds, shadow_fds, mounts, processes, i;

	for (i = 0; i < 2; i++) {
		CHECK_EQ(end_of(start_child("1", -1)), 0);
		close_child();
	}
	/* For the daemon and the shadow to notice the ends; if late, they have less afterwards. */
	sleep_ms(100);
	fds = fd_count(getpid());
	daemon_fds = fd_count(daemon_pid());
	shadow_fds = fd_count(shadow);
	mounts = mount_count();
	processes = process_count();
	for (i = 0; i < RESUMES; i++) {
		CHECK_EQ(end_of(start_child("1", -1)), 0);
		close_child();
	}
	CHECK_EQ(fd_count(getpid()), fds);
	CHECK_SOON(fd_count(daemon_pid()) <= daemon_fds, 20000);
	CHECK_SOON(fd_count(shadow) <= shadow_fds, 20000);
	CHECK_EQ(mount_count(), mounts);
	CHECK_SOON(process_count() <= processes, 20000);
	CHECK_EQ(child_count(), 1); /* the shadow */
	mitosis_close(device);
	CHECK_EQ(child_count(), 0);
}

/* The child ends at once; its own child works on, first before, then after. */
static int leave_a_grandchild(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(two_halves());
	return pid > 0 ? 0 : 1;
}

static void child_gone(void)
{
	struct mitosis *device = prepare(1, leave_a_grandchild);
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	pid_t child = start_child("1", -1);

	CHECK_EQ(next_reply(), 'h');
	CHECK_EQ(end_of(child), 0);
	CHECK_EQ(mitosis_unprepare(device, 1), 0);
	sleep_ms(50);
	order();
	CHECK_EQ(next_reply(), 'w');
	CHECK_EQ(next_reply(), 0);
	close_child();
	CHECK_SOON(!alive(shadow), 20000);
	mitosis_close(device);
}

/* As daemons and shells do it: every file but the few they know goes. */
static int close_other_files(void)
{
	if (!right(0, 8))
		return wrong();
	dup2(ORDERS_FD, 3);
	dup2(REPLIES_FD, 4);
	CHECK(!syscall(SYS_close_range, 5, ~0u, 0));
	dup2(3, ORDERS_FD);
	dup2(4, REPLIES_FD);
	return two_halves();
}

static void child_closes_files(void)
{
	struct mitosis *device = prepare(1, close_other_files);
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	pid_t child = start_child("1", -1);

	CHECK_EQ(next_reply(), 'h');
	/* And it still holds its snapshot when that is dropped. */
	CHECK_EQ(mitosis_unprepare(device, 1), 0);
	sleep_ms(500);
	finish(child);
	CHECK_SOON(!alive(shadow), 20000);
	mitosis_close(device);
}

static int exec_shell(void)
{
	dup2(ORDERS_FD, 0);
	dup2(REPLIES_FD, 1);
	execl("/bin/sh", "sh", "-c", "printf h; read order; printf w; exit 0",
	      (char *)NULL);
	return 1;
}

static void child_execs(void)
{
	struct mitosis *device = prepare(1, exec_shell);
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	pid_t child = start_child("1", -1);

	CHECK_EQ(next_reply(), 'h');
	/* It needs nothing of the shadow's any more, so that does not stay. */
	CHECK_EQ(mitosis_unprepare(device, 1), 0);
	CHECK_SOON(!alive(shadow), 20000);
	CHECK(write(orders, "\n", 1) == 1);
	CHECK_EQ(next_reply(), 'w');
	CHECK_EQ(end_of(child), 0);
	close_child();
	mitosis_close(device);
}

static void child_killed(void)
{
	struct mitosis *device = prepare(1, two_halves);
	pid_t shadow = find_snapshot(device, 1).shadow_pid;
	pid_t child = start_child("1", -1);
	int before, status;

	/* With one child, the shadow has opened what it needs. */
	CHECK_EQ(next_reply(), 'h');
	before = fd_count(shadow);
	kill(child, SIGKILL);
	status = end_of(child);
	CHECK(WIFSIGNALED(status));
	close_child();
	CHECK_SOON(fd_count(shadow) < before, 20000);
	child = start_child("1", -1);
	CHECK_EQ(next_reply(), 'h');
	finish(child);
	mitosis_close(device);
}

static const struct test_case cases[FAULTS] = {
	[SHADOW_KILLED] = { "shadow_killed", shadow_killed },
	[SHADOW_KILLED_GRANDCHILD] = { "shadow_killed_grandchild",
				       shadow_killed_grandchild },
	[MACHINE_LOST_GRANDCHILD] = { "machine_lost_grandchild",
				      machine_lost_grandchild },
	[MACHINE_BETWEEN_LOST] = { "machine_between_lost", machine_between_lost },
	[UNPREPARED] = { "unprepared", unprepared },
	[OWNER_CLOSED] = { "owner_closed", owner_closed },
	[OWNER_KILLED] = { "owner_killed", owner_killed },
	[DAEMON_KILLED] = { "daemon_killed", daemon_killed },
	[MANY_RESUMES] = { "many_resumes", many_resumes },
	[CHILD_GONE] = { "child_gone", child_gone },
	[CHILD_CLOSES_FILES] = { "child_closes_files", child_closes_files },
	[CHILD_EXECS] = { "child_execs", child_execs },
	[CHILD_KILLED] = { "child_killed", child_killed },
};

int main(int argc, char **argv)
{
	set_up("faults");
	return run_cases(cases, FAULTS, CASE_MS, argc > 1 ? argv[1] : NULL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A child that takes more than it may of the process that serves its pages ends, with
 * what it has forked; its sibling and the snapshot stay. So it is when mitosisd, or
 * that process, has no room for what a child forks; and with one that makes reads of its
 * userfaultfd wait, also where nobody reads why it ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "local/channel.h"
#include "local/runtime_dir.h"
#include "local/userfaultfd.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define ID	  73
#define MACHINE	  7
#define PROCESSES 8
#define MAP_KIB	  64
#define PAGE	  4096ul
#define PAGES	  8192ul
#define FORKS	  40
#define FEW                                                                         \
	6 /* fewer than PROCESSES, more than what a server may still have to close */
#define PATIENCE_MS  60000
#define WRONG_STATUS 3
/* Of the children: how they begin, and when they may end. */
#define ORDER_FD 60

enum order {
	SIT = 'q',
	FORK_MANY = 'f',
	FORK_FEW = 'w',
	MAKE_HOLES = 'h',
	MAKE_READS_WAIT = 'u',
	FILL_STDERR = 'e',
};

static unsigned char *memory;

struct child {
	pid_t pid;
	int orders, errors;
};

/* Each of them reads a page that has not arrived, when there is a second order. */
static void fork_some(int count)
{
	int i;

	for (i = 0; i < count; i++) {
		pid_t pid = fork();
		char byte;

		if (pid == 0) {
			if (read(ORDER_FD, &byte, 1) != 1)
				_exit(0);
			_exit(memory[(PAGES - 1 - i) * PAGE] == 1 ? 0
								  : WRONG_STATUS);
		}
		if (pid < 0)
			_exit(WRONG_STATUS);
	}
}

static void make_holes(void)
{
	size_t page;

	for (page = 0; page < PAGES; page += 2)
		madvise(memory + page * PAGE, PAGE, MADV_DONTNEED);
}

/* Of its userfaultfd, whose file its page server shares; and touches a page. */
static void make_reads_wait(void)
{
	int fd, found = 0;

	for (fd = 3; fd < 1024; fd++)
		if (is_userfaultfd(fd))
			found += !fcntl(fd, F_SETFL, 0);
	if (!found || memory[(PAGES - 1) * PAGE] != 1)
		_exit(WRONG_STATUS);
}

/* A pipe, so that a message to it would wait; and takes too much. */
static void fill_stderr(void)
{
	char bytes[4096] = "";

	fcntl(2, F_SETFL, O_NONBLOCK);
	while (write(2, bytes, sizeof(bytes)) > 0)
		;
	fcntl(2, F_SETFL, 0);
	make_holes();
}

static void be_child(void)
{
	char order;

	/* It is one: see await_begun(). */
	if (write(2, "+", 1) != 1)
		_exit(WRONG_STATUS);
	if (read(ORDER_FD, &order, 1) != 1)
		_exit(WRONG_STATUS);
	if (order == FORK_MANY)
		fork_some(FORKS);
	if (order == FORK_FEW)
		fork_some(FEW);
	if (order == MAKE_HOLES)
		make_holes();
	if (order == MAKE_READS_WAIT)
		make_reads_wait();
	if (order == FILL_STDERR)
		fill_stderr();
	if (read(ORDER_FD, &order, 1) != 1)
		_exit(WRONG_STATUS);
	_exit(memory[PAGE] == 1 ? 0 : WRONG_STATUS);
}

static struct child start(int (*resume)(struct mitosis *device))
{
	int orders[2], errors[2];
	struct child c;

	CHECK(!pipe2(orders, O_CLOEXEC) && !pipe2(errors, O_CLOEXEC | O_NONBLOCK));
	fflush(stdout);
	c.pid = fork();
	CHECK(c.pid >= 0);
	if (c.pid == 0) {
		dup2(orders[0], ORDER_FD);
		dup2(errors[1], 2);
		resume(open_user());
		puts(mitosis_error());
		fflush(stdout);
		_exit(100);
	}
	c.orders = orders[1];
	c.errors = errors[0];
	close(orders[0]);
	close(errors[1]);
	return c;
}

static void order(const struct child *c, enum order order)
{
	const char byte = order;

	CHECK_EQ(write(c->orders, &byte, 1), 1);
}

static void await_begun(const struct child *c)
{
	struct pollfd p = { .fd = c->errors, .events = POLLIN };
	char byte;

	CHECK_EQ(poll(&p, 1, PATIENCE_MS), 1);
	CHECK(read(c->errors, &byte, 1) == 1 && byte == '+');
}

static void forget(struct child *c)
{
	close(c->orders);
	close(c->errors);
}

/* It ends by its lifeline, and says why. */
static void check_refused(struct child *c, const char *reason)
{
	int status = status_within(c->pid, PATIENCE_MS);
	char text[1024] = "";
	ssize_t n = read(c->errors, text, sizeof(text) - 1);

	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGKILL);
	if (n <= 0 || !strstr(text, reason)) {
		printf("'%s' is not in '%s'\n", reason, text);
		exit(1);
	}
	forget(c);
}

/* It has stayed, gets its pages, and so does a new one. */
static void check_others(struct child *sibling,
			 int (*resume)(struct mitosis *device))
{
	struct child another = start(resume);

	CHECK(alive(sibling->pid));
	order(sibling, SIT);
	CHECK_EQ(status_within(sibling->pid, PATIENCE_MS), 0);
	forget(sibling);
	order(&another, SIT);
	order(&another, SIT);
	CHECK_EQ(status_within(another.pid, PATIENCE_MS), 0);
	forget(&another);
}

static void too_much(int (*resume)(struct mitosis *device), enum order what,
		     const char *reason)
{
	struct child sibling = start(resume), greedy = start(resume);

	order(&sibling, SIT);
	order(&greedy, what);
	check_refused(&greedy, reason);
	check_others(&sibling, resume);
}

/* Nobody reads what it is told. */
static void full_stderr(int (*resume)(struct mitosis *device))
{
	struct child sibling = start(resume), greedy = start(resume);
	int status;

	order(&sibling, SIT);
	order(&greedy, FILL_STDERR);
	status = status_within(greedy.pid, PATIENCE_MS);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	forget(&greedy);
	check_others(&sibling, resume);
}

static void set_limit(pid_t pid, rlim_t files)
{
	struct rlimit limit;

	CHECK(!prlimit(pid, RLIMIT_NOFILE, NULL, &limit));
	limit.rlim_cur = files ? files : limit.rlim_max;
	CHECK(!prlimit(pid, RLIMIT_NOFILE, &limit, NULL));
}

/* Of what serves children, once it has closed what earlier ones had, and has what new ones need. */
static int open_files(pid_t pid)
{
	int count = fd_count(pid), same = 0;

	while (same < 30) {
		int before = count;

		sleep_ms(10);
		count = fd_count(pid);
		same = count == before ? same + 1 : 0;
	}
	return count - 2; /* . and .. */
}

/*
 * `who`, a server of pages or mitosisd, gets no further descriptors while a child forks, but for numbers that are free
 * below others. It may have as many as it has: poll(2) takes no more files than that limit.
 */
static void no_descriptor(int (*resume)(struct mitosis *device), pid_t who,
			  const char *reason)
{
	struct child sibling = start(resume), forking = start(resume);

	order(&sibling, SIT);
	await_begun(&sibling);
	await_begun(&forking);
	set_limit(who, open_files(who));
	order(&forking, FORK_FEW);
	check_refused(&forking, reason);
	set_limit(who, 0);
	check_others(&sibling, resume);
}

static int resume_local(struct mitosis *device)
{
	return mitosis_resume_local(device, ID);
}

static int resume_remote(struct mitosis *device)
{
	return mitosis_resume_remote(device, MACHINE, ID);
}

static struct mitosis *prepare(void)
{
	struct mitosis *device = open_user();
	pid_t self = getpid();

	fflush(stdout);
	memset(memory, 1, PAGES * PAGE);
	CHECK_EQ(mitosis_prepare_pinned(device, ID), 0);
	if (getpid() != self)
		be_child();
	return device;
}

static void on_this_machine(void)
{
	struct mitosis *device = prepare();
	pid_t shadow = find_snapshot(device, ID).shadow_pid;

	too_much(resume_local, FORK_MANY, "MITOSIS_CHILD_PROCESSES");
	too_much(resume_local, MAKE_HOLES, "MITOSIS_CHILD_MAP_KIB");
	too_much(resume_local, MAKE_READS_WAIT, "its userfaultfd");
	full_stderr(resume_local);
	no_descriptor(resume_local, shadow, "what serves the pages");
	no_descriptor(resume_local, daemon_pid(), "mitosisd has no room");
	CHECK(alive(shadow));
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	mitosis_close(device);
}

static void on_another_machine(void)
{
	struct machine machine = machine_start(MACHINE);
	struct mitosis *here = open_user(), *there;

	machine_enter(&machine);
	there = prepare();
	machine_leave();
	CHECK_EQ(mitosis_connect(here, MACHINE, machine.address), 0);
	too_much(resume_remote, FORK_MANY, "MITOSIS_CHILD_PROCESSES");
	too_much(resume_remote, MAKE_HOLES, "MITOSIS_CHILD_MAP_KIB");
	too_much(resume_remote, MAKE_READS_WAIT, "its userfaultfd");
	CHECK_EQ(mitosis_unprepare(there, ID), 0);
	mitosis_close(here);
	mitosis_close(there);
	machine_stop(&machine);
}

/* A CPU that is not there gets no server. */
static void no_such_cpu(void)
{
	struct local_message hello = channel_message(LOCAL_HELLO);
	struct local_message attach = channel_message(LOCAL_ATTACH), answer;
	struct mitosis *device = prepare();
	const int cpus[] = { 1 << 20, 1 << 30, -2 };
	size_t i;
	int fd = dial_daemon(getenv("MITOSIS_RUNTIME_DIR")), got;

	CHECK_EQ(channel_send(fd, &hello, -1), 0);
	CHECK_EQ(channel_receive(fd, &answer, &got), 0);
	close(got);
	for (i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
		attach.handler_id = ID;
		attach.cpu = cpus[i];
		CHECK_EQ(channel_send(fd, &attach, -1), 0);
		CHECK_EQ(channel_receive(fd, &answer, &got), 0);
		CHECK_EQ(answer.status, -EINVAL);
	}
	close(fd);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	mitosis_close(device);
}

static void bad_limits(void)
{
	static const char *const names[] = { "MITOSIS_CHILD_PROCESSES",
					     "MITOSIS_CHILD_MAP_KIB",
					     "MITOSIS_PAGERS" };
	static const char *const values[] = { "0", "-1", "x", "1x", "99999999999" };
	struct mitosis *device;
	size_t i, k;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
			setenv(names[i], values[k], 1);
			CHECK(mitosis_open(MITOSIS_BACKEND_USER, &device) < 0);
			check_error_has(names[i]);
			check_error_has(values[k]);
		}
		unsetenv(names[i]);
	}
}

int main(void)
{
	char text[16];

	need_userfaultfd();
	use_key("child_limits");
	bad_limits();
	snprintf(text, sizeof(text), "%d", PROCESSES);
	setenv("MITOSIS_CHILD_PROCESSES", text, 1);
	snprintf(text, sizeof(text), "%d", MAP_KIB);
	setenv("MITOSIS_CHILD_MAP_KIB", text, 1);
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	on_this_machine();
	on_another_machine();
	no_such_cpu();
	return 0;
}

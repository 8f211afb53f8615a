// SPDX-License-Identifier: Apache-2.0
/*
 * A server of children is stopped by a signal (SIGSTOP) and stays stopped: the
 * processes that wait for it end within the deadline, with a message that names the
 * log. A server for which no process waits is not ended, nor is one that job control
 * stops with its parent.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "local/clock.h"
#include "tests/cases.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define SIZE	(4ul << 20)
#define PAGE	4096ul
#define ID	5
#define MACHINE 7
/* How long a server may be stopped, in ms; as text for mitosisd. */
#define DEADLINE_MS   1000
#define DEADLINE_TEXT "1000"
/* For a machine that is busy with something else, in ms. */
#define PATIENCE_MS 10000

/* Files of a child: orders of the test, and the replies of the child. */
#define ORDERS_FD  60
#define REPLIES_FD 61

static unsigned char *memory;

struct child {
	pid_t pid;
	int orders, replies;
};

static bool right(size_t first, size_t end)
{
	size_t page;

	for (page = first; page < end; page++)
		if (memory[page * PAGE] != 1 + page % 251)
			return false;
	return true;
}

static void say(char word)
{
	CHECK(write(REPLIES_FD, &word, 1) == 1);
}

/* Half of its pages, an order, the other half. */
static int two_halves(void)
{
	char byte;

	if (!right(0, SIZE / PAGE / 2))
		return 1;
	say('h');
	CHECK(read(ORDERS_FD, &byte, 1) == 1);
	if (!right(SIZE / PAGE / 2, SIZE / PAGE)) {
		say('x');
		return 1;
	}
	say('w');
	return 0;
}

static int grandchild_reads(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(two_halves());
	return waitpid(pid, &status, 0) == pid ? status : 1;
}

/* A clone of the launcher's has the three standard files, and needs no pages. */
static int wait_for_ever(void)
{
	CHECK(write(STDERR_FILENO, "h", 1) == 1);
	for (;;)
		pause();
}

/* In a child, `part` is all that happens. */
static struct mitosis *prepare(int (*part)(void))
{
	struct mitosis *device = open_user();
	pid_t self = getpid();
	size_t page;

	for (page = 0; page < SIZE / PAGE; page++)
		memory[page * PAGE] = 1 + page % 251;
	fflush(stdout);
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (getpid() != self)
		_exit(part());
	memset(memory, 0, SIZE);
	return device;
}

static pid_t shadow_of(struct mitosis *device)
{
	return find_snapshot(device, ID).shadow_pid;
}

static struct child start(void (*become)(const void *), const void *argument)
{
	int in[2], out[2];
	struct child c;

	CHECK(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC));
	c = (struct child){ .orders = in[1], .replies = out[0] };
	fflush(stdout);
	c.pid = fork();
	CHECK(c.pid >= 0);
	if (c.pid == 0) {
		dup2(in[0], ORDERS_FD);
		dup2(out[1], REPLIES_FD);
		become(argument);
		puts(mitosis_error());
		fflush(stdout);
		_exit(100);
	}
	close(in[0]);
	close(out[1]);
	return c;
}

static const struct mitosis_resume_options lazily = {
	.mode = MITOSIS_RESUME_LAZY,
	.prefetch_pages = 4,
};

static void become_local(const void *argument)
{
	struct mitosis *device = open_user();

	(void)argument;
	mitosis_set_resume_options(device, &lazily);
	mitosis_resume_local(device, ID);
}

static void become_remote(const void *address)
{
	struct mitosis *device = open_user();

	mitosis_set_resume_options(device, &lazily);
	if (!mitosis_connect(device, MACHINE, address))
		mitosis_resume_remote(device, MACHINE, ID);
}

static void become_attached(const void *attachment)
{
	mitosis_resume_attached((struct mitosis_attachment *)attachment);
}

static void order(const struct child *c)
{
	CHECK(write(c->orders, "g", 1) == 1);
}

/* The next word of a child; 0 if all of it has ended without one. */
static char hear(const struct child *c)
{
	struct pollfd p = { .fd = c->replies, .events = POLLIN };
	char word = 0;

	CHECK(poll(&p, 1, PATIENCE_MS) == 1);
	return read(c->replies, &word, 1) == 1 ? word : 0;
}

static void let_go(const struct child *c)
{
	close(c->orders);
	close(c->replies);
}

static void goes_on(struct child *c)
{
	order(c);
	CHECK_EQ(hear(c), 'w');
	CHECK_EQ(status_within(c->pid, PATIENCE_MS), 0);
	let_go(c);
}

/* Stops the server, which takes the child along, not at once and before PATIENCE_MS. */
static void ends_with(struct child *c, pid_t server)
{
	int64_t stopped_ms = now_ms(), took_ms;
	int status;

	CHECK(!kill(server, SIGSTOP));
	order(c);
	status = status_within(c->pid, PATIENCE_MS);
	took_ms = now_ms() - stopped_ms;
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK_EQ(hear(c), 0);
	let_go(c);
	printf("ended after %lld ms\n", (long long)took_ms);
	CHECK(took_ms >= DEADLINE_MS / 2);
	CHECK_SOON(!alive(server), PATIENCE_MS);
}

static void shadow(void)
{
	struct mitosis *device = prepare(two_halves);
	struct child c = start(become_local, NULL);
	char text[64];

	CHECK_EQ(hear(&c), 'h');
	snprintf(text, sizeof(text), "shadow of handler id %d, process %d", ID,
		 shadow_of(device));
	ends_with(&c, shadow_of(device));
	CHECK_SOON(lines_with("mitosisd.log", text), PATIENCE_MS);
	CHECK_SOON(!shadow_of(device), PATIENCE_MS);
	mitosis_close(device);
}

/* A process that attached before neither asks the daemon nor waits for an answer. */
static void shadow_stopped_before(void)
{
	struct mitosis *device = prepare(two_halves);
	struct mitosis_attachment *a;
	struct child c;
	int status;

	CHECK_EQ(mitosis_set_resume_options(device, &lazily), 0);
	CHECK_EQ(mitosis_attach_local(device, ID, &a), 0);
	CHECK(!kill(shadow_of(device), SIGSTOP));
	c = start(become_attached, a);
	status = status_within(c.pid, PATIENCE_MS);
	/* Or the snapshot is gone already, and it says so. */
	CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
	      (WIFEXITED(status) && WEXITSTATUS(status) == 100));
	CHECK_EQ(hear(&c), 0);
	let_go(&c);
	mitosis_detach(a);
	mitosis_close(device);
}

/* It is not a child of the daemon, which still watches it. */
static void lingering_shadow(void)
{
	struct mitosis *device = prepare(two_halves);
	pid_t server = shadow_of(device);
	struct child c = start(become_local, NULL);

	CHECK_EQ(hear(&c), 'h');
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	mitosis_close(device);
	ends_with(&c, server);
}

static void not_for_long(void)
{
	struct mitosis *device = prepare(two_halves);
	struct child c = start(become_local, NULL);
	int i;

	CHECK_EQ(hear(&c), 'h');
	for (i = 0; i < 4; i++) {
		CHECK(!kill(shadow_of(device), SIGSTOP));
		sleep_ms(DEADLINE_MS / 5);
		CHECK(!kill(shadow_of(device), SIGCONT));
		sleep_ms(DEADLINE_MS / 2);
	}
	goes_on(&c);
	mitosis_close(device);
}

/* No process waits for it: the snapshot is kept. */
static void shadow_without_children(void)
{
	struct mitosis *device = prepare(two_halves);
	struct child c = start(become_local, NULL);
	pid_t server = shadow_of(device);

	CHECK_EQ(hear(&c), 'h');
	goes_on(&c);
	sleep_ms(DEADLINE_MS / 2); /* for it to notice the end */
	CHECK(!kill(server, SIGSTOP));
	sleep_ms(3 * DEADLINE_MS);
	CHECK(alive(server));
	CHECK(!kill(server, SIGCONT));
	c = start(become_local, NULL);
	CHECK_EQ(hear(&c), 'h');
	goes_on(&c);
	mitosis_close(device);
}

/* The trace file that it has open is no client. */
static void traced_shadow_without_children(void)
{
	setenv("MITOSIS_TRACE", "1", 1);
	shadow_without_children();
}

static void prepare_in_own_group(void *unused)
{
	(void)unused;
	CHECK(!setpgid(0, 0));
	prepare(two_halves);
}

/* Ctrl-Z at the parent's terminal stops the parent, and nothing of the snapshot's. */
static void parent_stopped(void)
{
	struct mitosis *device = open_user();
	struct child c;
	pid_t parent;

	parent = start_waiting(prepare_in_own_group, NULL);
	CHECK(!kill(-parent, SIGTSTP));
	CHECK_SOON(waitpid(parent, NULL, WUNTRACED | WNOHANG) == parent,
		   PATIENCE_MS);
	c = start(become_local, NULL);
	CHECK_EQ(hear(&c), 'h');
	sleep_ms(2 * DEADLINE_MS);
	goes_on(&c);
	CHECK(shadow_of(device));
	kill_and_reap(parent);
	mitosis_close(device);
}

static struct mitosis_attachment *attach_on(struct mitosis *device, int cpu)
{
	struct mitosis_attachment *a;

	run_on_cpu(0, cpu);
	CHECK_EQ(mitosis_set_resume_options(device, &lazily), 0);
	CHECK_EQ(mitosis_attach_local(device, ID, &a), 0);
	return a;
}

static void cpu_server_with(int (*part)(void))
{
	struct mitosis *device = prepare(part);
	struct mitosis_attachment *here, *there;
	struct child of_shadow, of_cpu_server;
	int cpus[2], cpu, n = 0;
	pid_t cpu_server, server;
	cpu_set_t set;

	CHECK(!sched_getaffinity(0, sizeof(set), &set));
	for (cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[n++] = cpu;
	if (n < 2) {
		puts("per-CPU server left out: needs two CPUs");
		mitosis_close(device);
		return;
	}
	server = shadow_of(device);
	here = attach_on(device, cpus[0]);
	there = attach_on(device, cpus[1]);
	CHECK_SOON((cpu_server = find_process("mitosis-shadow", server)),
		   PATIENCE_MS);
	of_shadow = start(become_attached, here);
	of_cpu_server = start(become_attached, there);
	CHECK_EQ(hear(&of_shadow), 'h');
	CHECK_EQ(hear(&of_cpu_server), 'h');
	ends_with(&of_cpu_server, cpu_server);
	CHECK(alive(server));
	goes_on(&of_shadow);
	mitosis_detach(here);
	mitosis_detach(there);
	mitosis_close(device);
}

static void cpu_server(void)
{
	cpu_server_with(two_halves);
}

/* The reader is the child's child, which has no lifeline. */
static void cpu_server_of_grandchild(void)
{
	cpu_server_with(grandchild_reads);
}

static void pager(void)
{
	struct machine machine = machine_start(MACHINE);
	struct mitosis *here = open_user(), *device;
	struct child c;

	machine_enter(&machine);
	device = prepare(two_halves);
	machine_leave();
	c = start(become_remote, machine.address);
	CHECK_EQ(hear(&c), 'h');
	ends_with(&c, find_process("mitosis-pager", daemon_pid()));
	/* Another one takes its place. */
	c = start(become_remote, machine.address);
	CHECK_EQ(hear(&c), 'h');
	goes_on(&c);
	mitosis_close(device);
	mitosis_close(here);
	machine_stop(&machine);
}

static const char *launcher_mode;

static void become_launcher(const void *answers)
{
	char path[512];
	int in[2];

	snprintf(path, sizeof(path), "%s/mitosis-launcher",
		 getenv("MITOSIS_TEST_BIN"));
	CHECK(!pipe(in));
	CHECK(write(in[1], "launch\nquit\n", 12) == 12);
	close(in[1]);
	dup2(in[0], 0);
	dup2(*(const int *)answers, 1);
	dup2(REPLIES_FD, 2);
	execl(path, path, "--driven", "--backend", "user", "--handler-id", "5",
	      "--container", "none", "--cgroup", "none", "--mode", launcher_mode,
	      "--prefetch", "4", (char *)NULL);
}

static void told_on_the_launcher(const char *mode, int (*part)(void))
{
	struct mitosis *device = prepare(part);
	char text[4096];
	int answers[2];
	struct child c;
	ssize_t n;

	CHECK(!pipe2(answers, O_CLOEXEC));
	launcher_mode = mode;
	c = start(become_launcher, &answers[1]);
	close(answers[1]);
	CHECK_EQ(hear(&c), 'h');
	CHECK(!kill(shadow_of(device), SIGSTOP));
	order(&c);
	CHECK_EQ(status_within(c.pid, PATIENCE_MS), 0);
	n = read(answers[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	printf("%s", text);
	CHECK(strstr(text, "error errno=104 message="));
	CHECK(strstr(text, "handler id 5 of this machine"));
	CHECK(strstr(text, "mitosisd.log"));
	close(answers[0]);
	let_go(&c);
	mitosis_close(device);
}

static void launcher(void)
{
	told_on_the_launcher("lazy", two_halves);
}

static void launcher_of_clones(void)
{
	told_on_the_launcher("clone", wait_for_ever);
}

static const struct test_case cases[] = {
	{ "shadow", shadow },
	{ "shadow_stopped_before", shadow_stopped_before },
	{ "lingering_shadow", lingering_shadow },
	{ "not_for_long", not_for_long },
	{ "shadow_without_children", shadow_without_children },
	{ "traced_shadow_without_children", traced_shadow_without_children },
	{ "parent_stopped", parent_stopped },
	{ "cpu_server", cpu_server },
	{ "cpu_server_of_grandchild", cpu_server_of_grandchild },
	{ "pager", pager },
	{ "launcher", launcher },
	{ "launcher_of_clones", launcher_of_clones },
};

int main(int argc, char **argv)
{
	need_userfaultfd();
	setenv("MITOSIS_DEADLINE_MS", DEADLINE_TEXT, 1);
	signal(SIGPIPE, SIG_IGN);
	/* A child keeps numbers that are open when attaching. */
	CHECK(dup2(0, ORDERS_FD) >= 0 && dup2(0, REPLIES_FD) >= 0);
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	use_key("stopped");
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]), 4 * PATIENCE_MS,
			 argc > 1 ? argv[1] : NULL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A process that starts children on another CPU than the shadow's gets a per-CPU
 * server of the snapshot there. That server's children read the right pages, and
 * live and end as others do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID     6
#define ORDERS 77 /* where a child reads that it may go on */
#define BEGUN  78 /* where it writes that it has half of its pages */
#define SIZE   (4u << 20)

static unsigned char *memory;

static bool is_right(size_t from, size_t to)
{
	for (; from < to; from += 4096)
		if (memory[from] != (unsigned char)(from / 4096 * 7))
			return false;
	return true;
}

/* Reads half of its pages, waits, and has a child of its own read the others. */
static void be_child(void)
{
	int status = -1;
	char byte;
	pid_t pid;

	if (!is_right(0, SIZE / 2))
		_exit(1);
	if (write(BEGUN, "b", 1) != 1)
		_exit(6);
	if (read(ORDERS, &byte, 1) != 1)
		_exit(2);
	pid = fork();
	if (pid == 0)
		_exit(is_right(SIZE / 2, SIZE) ? 0 : 3);
	if (waitpid(pid, &status, 0) != pid || status)
		_exit(4);
	_exit(is_right(0, SIZE) ? 0 : 5);
}

struct child {
	pid_t pid;
	int orders, begun;
};

static struct child start(struct mitosis_attachment *a)
{
	struct child c;
	int orders[2], begun[2];

	CHECK(!pipe2(orders, O_CLOEXEC) && !pipe2(begun, O_CLOEXEC));
	c.orders = orders[1];
	c.begun = begun[0];
	c.pid = fork();
	if (c.pid == 0) {
		dup2(orders[0], ORDERS);
		dup2(begun[1], BEGUN);
		mitosis_resume_attached(a);
		puts(mitosis_error());
		fflush(stdout);
		_exit(100);
	}
	close(orders[0]);
	close(begun[1]);
	return c;
}

static void await_begun(const struct child *c)
{
	char byte;

	CHECK(read(c->begun, &byte, 1) == 1);
}

static int end(struct child *c)
{
	int status = -1;

	CHECK(write(c->orders, "x", 1) == 1 || errno == EPIPE);
	CHECK(waitpid(c->pid, &status, 0) == c->pid);
	close(c->orders);
	close(c->begun);
	return status;
}

static struct mitosis_attachment *attach_on(struct mitosis *device, int cpu)
{
	const struct mitosis_resume_options options = {
		.mode = MITOSIS_RESUME_LAZY,
		.prefetch_pages = 4,
	};
	struct mitosis_attachment *a;

	run_on_cpu(0, cpu);
	CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
	CHECK_EQ(mitosis_attach_local(device, ID, &a), 0);
	return a;
}

/* A child of the process that is a shadow, too; 0 if it has none. */
static pid_t cpu_server_of(pid_t shadow)
{
	return find_process("mitosis-shadow", shadow);
}

/* Two CPUs that this process may run on. */
static void choose_cpus(int cpus[2])
{
	cpu_set_t set;
	int cpu, n = 0;

	CHECK(!sched_getaffinity(0, sizeof(set), &set));
	for (cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[n++] = cpu;
	if (n < 2)
		skip("two CPUs");
}

int main(void)
{
	struct mitosis_attachment *here, *there;
	struct child of_shadow, of_cpu_server;
	pid_t shadow, cpu_server;
	struct mitosis *device;
	int cpus[2];
	size_t i;

	need_userfaultfd();
	choose_cpus(cpus);
	signal(SIGPIPE, SIG_IGN);
	/* A child keeps numbers that are open when attaching. */
	CHECK(dup2(0, ORDERS) == ORDERS && dup2(0, BEGUN) == BEGUN);
	device = open_user();
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	for (i = 0; i < SIZE; i += 4096)
		memory[i] = i / 4096 * 7;
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device) == -EBADF)
		be_child();
	memset(memory, 0xa5, SIZE);
	shadow = find_snapshot(device, ID).shadow_pid;

	/* One CPU needs no per-CPU server, however many attach there. */
	here = attach_on(device, cpus[0]);
	there = attach_on(device, cpus[0]);
	of_shadow = start(there);
	CHECK_EQ(end(&of_shadow), 0);
	CHECK_EQ(cpu_server_of(shadow), 0);
	mitosis_detach(there);

	there = attach_on(device, cpus[1]);
	CHECK_SOON((cpu_server = cpu_server_of(shadow)), 20000);
	for (i = 0; i < 20; i++) {
		of_cpu_server = start(there);
		of_shadow = start(here);
		CHECK_EQ(end(&of_cpu_server), 0);
		CHECK_EQ(end(&of_shadow), 0);
	}

	/* Its own children end with it, and no others; a new one takes its place. */
	of_cpu_server = start(there);
	of_shadow = start(here);
	await_begun(&of_cpu_server);
	kill(cpu_server, SIGKILL);
	CHECK(WIFSIGNALED(end(&of_cpu_server)));
	CHECK_EQ(end(&of_shadow), 0);
	CHECK_SOON(!cpu_server_of(shadow), 20000);
	of_cpu_server = start(there);
	CHECK_EQ(end(&of_cpu_server), 100 << 8); /* -ESTALE: attach again */
	mitosis_detach(there);
	there = attach_on(device, cpus[1]);
	CHECK_SOON((cpu_server = cpu_server_of(shadow)), 20000);

	/* A dropped snapshot stays for the children it has, with its per-CPU servers. */
	of_cpu_server = start(there);
	await_begun(&of_cpu_server);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	CHECK(alive(cpu_server));
	CHECK_EQ(end(&of_cpu_server), 0);
	CHECK_SOON(!alive(cpu_server) && !alive(shadow), 20000);
	mitosis_detach(here);
	mitosis_detach(there);
	mitosis_close(device);
	return 0;
}

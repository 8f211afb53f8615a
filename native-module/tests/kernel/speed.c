// SPDX-License-Identifier: Apache-2.0
/*
 * usage: speed [ROUNDS]
 * Ratios of the kernel backend. Both sides run in turns, so that disturbances of
 * the machine affect both: prepare / fork(2) of the same process; resume of a large
 * / of a small snapshot; reading a working set after a local resume, kernel / user
 * backend. Memory has 4 KiB pages. Prints medians; exits with 1 if a ratio exceeds
 * its goal.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "tests/harness.h"

#define PAGE	   4096
#define MIB	   (1ul << 20)
#define ROUNDS_MAX 1000
#define READ_MIB   64
#define ID	   7300

static int rounds = 15;
static bool missed;

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double median_us(uint64_t *ns)
{
	qsort(ns, rounds, sizeof(*ns), by_value);
	return ns[rounds / 2] / 1e3;
}

static void report(const char *what, uint64_t *ns, uint64_t *over_ns, double goal)
{
	double us = median_us(ns), over_us = median_us(over_ns);

	printf("%-44s %5.2f  (%9.1f us / %9.1f us; goal <= %.1f)%s\n", what,
	       us / over_us, us, over_us, goal,
	       us / over_us > goal ? "  MISSED" : "");
	fflush(stdout);
	missed |= us / over_us > goal;
}

static char *make_memory(size_t mib)
{
	char *memory = mmap(NULL, mib * MIB, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	CHECK(!madvise(memory, mib * MIB, MADV_NOHUGEPAGE));
	return memory;
}

static void touch(char *memory, size_t mib)
{
	size_t i;

	for (i = 0; i < mib * MIB; i += PAGE)
		memory[i]++;
}

static uint64_t fork_ns(void)
{
	uint64_t start = now_ns(), ns;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	ns = now_ns() - start;
	CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
	return ns;
}

static void prepare_over_fork(size_t mib)
{
	static uint64_t prepares[ROUNDS_MAX], forks[ROUNDS_MAX];
	struct mitosis *device = open_kernel();
	char *memory = make_memory(mib);
	char what[64];
	int i;

	for (i = -2; i < rounds; i++) {
		uint64_t start, ns;

		touch(memory, mib);
		start = now_ns();
		CHECK_EQ(mitosis_prepare(device, ID), 0);
		ns = now_ns() - start;
		CHECK_EQ(mitosis_unprepare(device, ID), 0);
		if (i >= 0)
			prepares[i] = ns;
		touch(memory, mib);
		ns = fork_ns();
		if (i >= 0)
			forks[i] = ns;
	}
	snprintf(what, sizeof(what), "prepare / fork(2), %zu MiB", mib);
	report(what, prepares, forks, 1.2);
	munmap(memory, mib * MIB);
	mitosis_close(device);
}

struct parent {
	pid_t pid;
	int backend;
	uint32_t id;
	int messages[2]; /* pipe: a byte when prepared, then each child's times */
};

struct times {
	uint64_t before_ns, resumed_ns, read_ns;
};

/* Starts a parent; its children read its memory and report their times. */
static void start_parent(struct parent *p, size_t mib, int backend, uint32_t id)
{
	char byte;

	*p = (struct parent){ .backend = backend, .id = id };
	CHECK(!pipe(p->messages));
	p->pid = fork();
	CHECK(p->pid >= 0);
	if (p->pid == 0) {
		struct mitosis *device;
		volatile char *memory = make_memory(mib);
		struct times t = { 0 };
		char sum = 0;
		size_t i;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		touch((char *)memory, mib);
		CHECK_EQ(mitosis_open(backend, &device), 0);
		CHECK_EQ(mitosis_prepare(device, id), 0);
		t.resumed_ns = now_ns();
		if (!mitosis_nil(device)) {
			CHECK_EQ(write(p->messages[1], "r", 1), 1);
			for (;;)
				pause();
		}
		for (i = 0; i < mib * MIB; i += PAGE)
			sum += memory[i];
		t.read_ns = now_ns() - t.resumed_ns;
		if (write(p->messages[1], &t, sizeof(t)) != sizeof(t))
			_exit(1);
		_exit(sum == (char)(mib * MIB / PAGE) ? 0 : 2);
	}
	CHECK_EQ(read(p->messages[0], &byte, 1), 1);
}

static void end_parent(struct parent *p)
{
	kill(p->pid, SIGKILL);
	status_within(p->pid, 10000);
	close(p->messages[0]);
	close(p->messages[1]);
}

static struct times run_child(const struct parent *p)
{
	struct times t, before = { 0 };
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		struct mitosis *device;

		CHECK_EQ(mitosis_open(p->backend, &device), 0);
		before.before_ns = now_ns();
		if (write(p->messages[1], &before, sizeof(before)) != sizeof(before))
			_exit(1);
		mitosis_resume_local(device, p->id);
		fprintf(stderr, "%s\n", mitosis_error());
		_exit(125);
	}
	CHECK_EQ(status_within(pid, 60000), 0);
	CHECK_EQ(read(p->messages[0], &before, sizeof(before)), sizeof(before));
	CHECK_EQ(read(p->messages[0], &t, sizeof(t)), sizeof(t));
	t.before_ns = before.before_ns;
	return t;
}

static void resume_large_over_small(void)
{
	static uint64_t large_ns[ROUNDS_MAX], small_ns[ROUNDS_MAX];
	struct parent small, large;
	int i;

	start_parent(&small, 1, MITOSIS_BACKEND_KERNEL, ID + 1);
	start_parent(&large, 256, MITOSIS_BACKEND_KERNEL, ID + 2);
	for (i = -2; i < rounds; i++) {
		struct times l = run_child(&large), s = run_child(&small);

		if (i < 0)
			continue;
		large_ns[i] = l.resumed_ns - l.before_ns;
		small_ns[i] = s.resumed_ns - s.before_ns;
	}
	report("resume, 256 MiB / 1 MiB", large_ns, small_ns, 1.3);
	end_parent(&small);
	end_parent(&large);
}

static void read_kernel_over_user(void)
{
	static uint64_t kernel_ns[ROUNDS_MAX], user_ns[ROUNDS_MAX];
	struct parent kernel, user;
	int i;

	start_parent(&kernel, READ_MIB, MITOSIS_BACKEND_KERNEL, ID + 3);
	start_parent(&user, READ_MIB, MITOSIS_BACKEND_USER, ID + 4);
	for (i = -2; i < rounds; i++) {
		struct times k = run_child(&kernel), u = run_child(&user);

		if (i < 0)
			continue;
		kernel_ns[i] = k.read_ns;
		user_ns[i] = u.read_ns;
	}
	report("reading 64 MiB after resume, kernel / user", kernel_ns, user_ns,
	       0.6);
	end_parent(&kernel);
	end_parent(&user);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 16, 64, 256 };
	size_t i;

	if (argc > 1)
		rounds = atoi(argv[1]);
	if (argc > 2 || rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: speed [ROUNDS], 1 to %d\n", ROUNDS_MAX);
		return 2;
	}
	mitosis_close(open_kernel());
	printf("medians of %d rounds\n", rounds);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		prepare_over_fork(sizes[i]);
	resume_large_over_small();
	read_kernel_over_user();
	return missed ? 1 : 0;
}

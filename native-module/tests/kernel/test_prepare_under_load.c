// SPDX-License-Identifier: Apache-2.0
/*
 * A process prepares itself while relatives that share its pages write, fork and
 * exit, and while a thread of its own maps, protects and unmaps memory. Each child
 * must find the memory as it was at the prepare.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define PAGES	  512
#define PAGE	  4096
#define RELATIVES 3
#define ROUNDS	  40

static char *memory, *shared;

/* Shares the pages copy-on-write, and writes, drops, protects and forks them. */
static void __attribute__((noreturn)) be_relative(unsigned int seed)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		unsigned int i, page = rand_r(&seed) % PAGES;
		pid_t pid;

		memory[page * PAGE] = 'r';
		shared[page % 16 * PAGE] = seed;
		pid = fork();
		if (pid == 0) {
			for (i = 0; i < PAGES; i += 7)
				memory[i * PAGE + 8] = 'g';
			_exit(0);
		}
		if (page % 3 == 0)
			madvise(memory + page * PAGE, PAGE, MADV_DONTNEED);
		if (page % 5 == 0)
			mprotect(memory + page * PAGE, PAGE, PROT_READ);
		if (page % 5 == 0)
			mprotect(memory + page * PAGE, PAGE, PROT_READ | PROT_WRITE);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}

/* Runs in the parent, which then has two threads and cannot be resumed. */
static atomic_int stop;

static void *churn(void *unused)
{
	while (!stop) {
		char *p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			continue;
		memset(p, 1, 64 * PAGE);
		mprotect(p + 16 * PAGE, 16 * PAGE, PROT_READ);
		munmap(p + 8 * PAGE, 4 * PAGE);
		munmap(p, 64 * PAGE);
	}
	return unused;
}

static void be_child(char value)
{
	int i;

	for (i = 0; i < PAGES; i++)
		if (memory[i * PAGE] != value ||
		    memory[i * PAGE + PAGE - 1] != value ||
		    memory[i * PAGE + 8] != value)
			_exit(2);
	memset(memory, 'c', PAGES * PAGE);
	_exit(0);
}

int main(void)
{
	struct mitosis *device = open_kernel();
	pid_t relatives[RELATIVES];
	pthread_t thread;
	int i, round;

	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	shared = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED && shared != MAP_FAILED);
	memset(memory, 'p', PAGES * PAGE);
	for (i = 0; i < RELATIVES; i++) {
		relatives[i] = fork();
		CHECK(relatives[i] >= 0);
		if (relatives[i] == 0)
			be_relative(i + 1);
	}
	for (round = 0; round < ROUNDS; round++) {
		char value = 'A' + round % 26;
		pid_t children[2];

		memset(memory, value, PAGES * PAGE);
		CHECK_EQ(mitosis_prepare(device, 1), 0);
		if (mitosis_nil(device))
			be_child(value);
		/* The parent writes while they read: they must not see it. */
		children[0] = start_kernel_child(1, 16);
		children[1] = start_kernel_child(1, 1);
		memset(memory, 'p', PAGES * PAGE);
		for (i = 0; i < 2; i++)
			CHECK_EQ(status_within(children[i], 20000), 0);
		CHECK_EQ(mitosis_unprepare(device, 1), 0);
	}

	/* Prepares of a process whose other thread changes its address space. */
	CHECK(!pthread_create(&thread, NULL, churn, NULL));
	for (round = 0; round < ROUNDS; round++) {
		CHECK_EQ(mitosis_prepare(device, 1), 0);
		CHECK_EQ(mitosis_nil(device), 0);
		CHECK_EQ(mitosis_unprepare(device, 1), 0);
	}
	stop = 1;
	CHECK(!pthread_join(thread, NULL));
	for (i = 0; i < RELATIVES; i++) {
		kill(relatives[i], SIGKILL);
		CHECK(waitpid(relatives[i], NULL, 0) == relatives[i]);
	}
	mitosis_close(device);
	return 0;
}

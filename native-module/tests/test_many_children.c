// SPDX-License-Identifier: Apache-2.0
/* Five hundred children of one snapshot at once, each with the parent's memory. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	    73
#define CHILDREN    500
#define BATCH	    10	 /* that start at once: each has a deadline */
#define FILES	    2048 /* a shadow has three for each child */
#define PAGES	    64
#define PAGE	    4096
#define PATIENCE_MS 60000
/* Known in the children, too. */
#define REPORT_FD    60
#define GATE_FD	     61
#define WRONG_STATUS 3

static unsigned char *memory;

static void need_files_and_processes(void)
{
	struct rlimit files, processes;

	CHECK(!getrlimit(RLIMIT_NOFILE, &files));
	CHECK(!getrlimit(RLIMIT_NPROC, &processes));
	if (files.rlim_max < FILES)
		skip("needs 2048 open files a process: raise ulimit -Hn");
	if (processes.rlim_cur < 2 * CHILDREN)
		skip("needs 1000 processes: raise ulimit -u");
}

static bool right(void)
{
	int i;

	for (i = 0; i < PAGES; i++)
		if (memory[i * PAGE] != 1 + i)
			return false;
	return true;
}

/* Reports, and waits until all are there. */
static void be_child(void)
{
	char byte = right();

	if (write(REPORT_FD, &byte, 1) != 1 || read(GATE_FD, &byte, 1) != 0)
		_exit(WRONG_STATUS);
	_exit(right() ? 0 : WRONG_STATUS);
}

static pid_t start_child(uint32_t mode, const int own_ends[2])
{
	const struct mitosis_resume_options options = { mode, 16 };
	struct mitosis *device;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	/* A clone's caller stays: the gate would never close. */
	close(own_ends[0]);
	close(own_ends[1]);
	device = open_user();
	CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
	mitosis_resume_local(device, ID);
	puts(mitosis_error());
	fflush(stdout);
	_exit(100);
}

static void all_at_once(uint32_t mode)
{
	static pid_t pids[CHILDREN];
	int report[2], gate[2], i;
	char byte;

	CHECK(!pipe(report) && !pipe(gate));
	CHECK(dup2(report[1], REPORT_FD) >= 0 && dup2(gate[0], GATE_FD) >= 0);
	close(report[1]);
	close(gate[0]);
	fflush(stdout);
	for (i = 0; i < CHILDREN; i++) {
		pids[i] = start_child(mode, (int[]){ gate[1], report[0] });
		if (i < BATCH)
			continue;
		CHECK_EQ(read(report[0], &byte, 1), 1);
		CHECK_EQ(byte, 1);
	}
	close(REPORT_FD);
	for (i = 0; i < BATCH; i++) {
		CHECK_EQ(read(report[0], &byte, 1), 1);
		CHECK_EQ(byte, 1);
	}
	for (i = 0; i < CHILDREN; i++)
		CHECK(alive(pids[i]));
	close(gate[1]);
	for (i = 0; i < CHILDREN; i++)
		CHECK_EQ(status_within(pids[i], PATIENCE_MS), 0);
	close(GATE_FD);
	close(report[0]);
}

/* A clone has its parent's limit, not the shadow's. */
static void limit_of_clone(rlim_t expected)
{
	const struct mitosis_resume_options options = { MITOSIS_RESUME_CLONE, 16 };
	struct mitosis *device;
	pid_t pid, self;

	device = open_user();
	self = getpid();
	CHECK_EQ(mitosis_prepare(device, ID + 1), 0);
	if (getpid() != self) {
		struct rlimit files;

		_exit(getrlimit(RLIMIT_NOFILE, &files) ||
		      files.rlim_cur != expected);
	}
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		struct mitosis *own = open_user();

		CHECK_EQ(mitosis_set_resume_options(own, &options), 0);
		mitosis_resume_local(own, ID + 1);
		_exit(100);
	}
	CHECK_EQ(status_within(pid, PATIENCE_MS), 0);
	mitosis_close(device);
}

int main(void)
{
	struct mitosis *device;
	struct rlimit files;
	pid_t self = getpid();
	int i;

	need_userfaultfd();
	need_files_and_processes();
	/* As a shell has it. */
	CHECK(!getrlimit(RLIMIT_NOFILE, &files));
	files.rlim_cur = 1024;
	CHECK(!setrlimit(RLIMIT_NOFILE, &files));
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	for (i = 0; i < PAGES; i++)
		memory[i * PAGE] = 1 + i;
	limit_of_clone(files.rlim_cur);
	device = open_user();
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (getpid() != self)
		be_child();
	memset(memory, 0, PAGES * PAGE);
	all_at_once(MITOSIS_RESUME_LAZY);
	all_at_once(MITOSIS_RESUME_CLONE);
	mitosis_close(device);
	return 0;
}

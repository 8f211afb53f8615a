// SPDX-License-Identifier: Apache-2.0
/*
 * A process that becomes a child while it is traced with all its system calls, as by strace -f:
 * it goes on as without, and so does what it forks.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	    73
#define SIZE	    (1 << 20)
#define PATIENCE_MS 60000
#define NOT_RESUMED 125

static unsigned char *memory;

static bool is_filled(void)
{
	size_t i;

	for (i = 0; i < SIZE; i++)
		if (memory[i] != (unsigned char)(i * 7 + 1))
			return false;
	return true;
}

static void __attribute__((noreturn)) be_child(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(is_filled() ? 0 : 1);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		_exit(2);
	_exit(is_filled() ? 0 : 3);
}

static struct mitosis *prepare(void)
{
	struct mitosis *device = open_user();
	size_t i;

	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	for (i = 0; i < SIZE; i++)
		memory[i] = i * 7 + 1;
	fflush(stdout);
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device))
		be_child();
	return device;
}

static void __attribute__((noreturn)) resume_traced(uint32_t mode)
{
	const struct mitosis_resume_options options = { .mode = mode };
	struct mitosis *device = open_user();

	CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
	CHECK(!ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	raise(SIGSTOP);
	mitosis_resume_local(device, ID);
	puts(mitosis_error());
	fflush(stdout);
	_exit(NOT_RESUMED);
}

/* What stopped the process, less what only tracers see: the signal to pass on, or 0. */
static int signal_of(int status)
{
	int stop = WSTOPSIG(status);

	return status >> 16 || stop == (SIGTRAP | 0x80) || stop == SIGSTOP ? 0
									   : stop;
}

/* Lets the child and what it forks go from call to call. Exits with the child's status. */
static void __attribute__((noreturn)) trace(uint32_t mode)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			     PTRACE_O_EXITKILL;
	pid_t child = fork(), pid;
	int status;

	CHECK(child >= 0);
	if (child == 0)
		resume_traced(mode);
	CHECK(waitpid(child, &status, 0) == child);
	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	CHECK(!ptrace(PTRACE_SETOPTIONS, child, NULL, options));
	CHECK(!ptrace(PTRACE_SYSCALL, child, NULL, 0L));
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status))
			CHECK(!ptrace(PTRACE_SYSCALL, pid, NULL,
				      (long)signal_of(status)) ||
			      errno == ESRCH);
		else if (pid == child)
			_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 100);
	}
	_exit(101);
}

static void check_mode(uint32_t mode)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		trace(mode);
	status = status_within(pid, PATIENCE_MS);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

int main(void)
{
	struct mitosis *device;

	need_userfaultfd();
	device = prepare();
	check_mode(MITOSIS_RESUME_LAZY);
	check_mode(MITOSIS_RESUME_EAGER);
	check_mode(MITOSIS_RESUME_CLONE);
	mitosis_close(device);
	return 0;
}

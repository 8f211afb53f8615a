// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel reads and writes a child's memory on its behalf before the child has
 * touched it: by read(2) and write(2), for pipes, for another process, for a
 * debugger. What it writes is one child's only, and what it reads is the parent's.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

#define PART (16 * PAGE)

enum part { READ_INTO, WRITE_FROM, SPLICED, OF_OTHERS, POKED, READ_ONLY, PARTS };

static char *m;

static char *part(enum part p)
{
	return m + p * PART;
}

static void through_a_pipe(void)
{
	static char bytes[PART];
	struct iovec spliced = { part(SPLICED), PART };
	int pipes[2];

	CHECK(!pipe(pipes));
	CHECK(fcntl(pipes[1], F_SETPIPE_SZ, 2 * PART) > 0);
	CHECK_EQ(write(pipes[1], part(WRITE_FROM), PART), PART);
	CHECK_EQ(read(pipes[0], bytes, PART), PART);
	CHECK_EQ(target_differs(m, WRITE_FROM * PART, PART, 1), -1);
	CHECK(!memcmp(bytes, part(WRITE_FROM), PART));

	memset(bytes, 'r', PART);
	CHECK_EQ(write(pipes[1], bytes, PART), PART);
	CHECK_EQ(read(pipes[0], part(READ_INTO), PART), PART);
	CHECK(!memcmp(bytes, part(READ_INTO), PART));

	/* Pages in a pipe; what is written to them later may show, others' not. */
	CHECK_EQ(vmsplice(pipes[1], &spliced, 1, 0), PART);
	CHECK_EQ(read(pipes[0], bytes, PART), PART);
	CHECK(!memcmp(bytes, part(SPLICED), PART));
	CHECK_EQ(target_differs(m, SPLICED * PART, PART, 1), -1);
	close(pipes[0]);
	close(pipes[1]);
}

static void by_another_process(bool by_userfaultfd)
{
	static char bytes[PART];
	struct iovec own = { bytes, PART }, others = { part(OF_OTHERS), PART };
	struct iovec only = { part(READ_ONLY), PART };
	pid_t pid;
	long word;

	/* A debugger writes also to what is read only; it does not wait for userfaultfd. */
	if (by_userfaultfd)
		CHECK_EQ(target_differs(m, POKED * PART, 2 * PART, 1), -1);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		for (;;)
			pause();
	}
	CHECK_EQ(process_vm_readv(pid, &own, 1, &others, 1, 0), PART);
	CHECK(!memcmp(bytes, part(OF_OTHERS), PART));
	memset(bytes, 'w', PART);
	CHECK_EQ(process_vm_writev(pid, &own, 1, &others, 1, 0), PART);
	CHECK_EQ(target_differs(m, OF_OTHERS * PART, PART, 1), -1);
	CHECK(process_vm_writev(pid, &own, 1, &only, 1, 0) < 0);

	CHECK(!ptrace(PTRACE_ATTACH, pid, NULL, NULL));
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK(!ptrace(PTRACE_POKEDATA, pid, part(POKED), (void *)0x1234));
	CHECK(!ptrace(PTRACE_POKEDATA, pid, part(READ_ONLY), (void *)0x5678));
	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, pid, part(READ_ONLY), NULL);
	CHECK_EQ(errno, 0);
	CHECK_EQ(word, 0x5678);
	word = ptrace(PTRACE_PEEKDATA, pid, part(READ_ONLY) + PAGE, NULL);
	CHECK_EQ(word, *(long *)(part(READ_ONLY) + PAGE));
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK_EQ(target_differs(m, POKED * PART, 2 * PART, 1), -1);
}

int main(void)
{
	const char *child = getenv("MITOSIS_TEST_CHILD_BACKEND");

	m = mmap(NULL, PARTS * PART, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m != MAP_FAILED);
	target_fill(m, PARTS * PART, 1);
	CHECK(!mprotect(part(READ_ONLY), PART, PROT_READ));
	target_overwrites(m, READ_ONLY * PART);
	target_prepare();

	through_a_pipe();
	by_another_process(child && !strcmp(child, "user"));
	return 0;
}

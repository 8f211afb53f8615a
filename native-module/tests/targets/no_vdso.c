// SPDX-License-Identifier: Apache-2.0
/*
 * A parent that has unmapped its vdso, or its data as well, as programs under Valgrind have none: its
 * children are left without. The C library must not know it: this program starts itself again with
 * the vdso taken out of its auxiliary vector.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

#define HIDDEN "MITOSIS_TEST_HIDDEN_VDSO"

static unsigned long word_at(pid_t pid, unsigned long address)
{
	return ptrace(PTRACE_PEEKDATA, pid, address, 0);
}

/* Behind the arguments and the environment, each with a NULL at its end. */
static void hide_at_exec(pid_t pid)
{
	struct user_regs_struct registers;
	unsigned long at;
	int ends = 0, status;

	CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	CHECK(!ptrace(PTRACE_GETREGS, pid, 0, &registers));
	for (at = registers.rsp + 8; ends < 2; at += 8)
		ends += !word_at(pid, at);
	for (; word_at(pid, at) != AT_NULL; at += 16)
		if (word_at(pid, at) == AT_SYSINFO_EHDR)
			CHECK(!ptrace(PTRACE_POKEDATA, pid, at, AT_IGNORE));
	CHECK(!ptrace(PTRACE_DETACH, pid, 0, 0));
	_exit(0);
}

static void start_again(char **argv)
{
	pid_t self = getpid(), tracer;
	int ready[2];
	char byte;

	CHECK(!pipe(ready));
	tracer = fork();
	CHECK(tracer >= 0);
	if (!tracer) {
		if (ptrace(PTRACE_SEIZE, self, 0, PTRACE_O_TRACEEXEC))
			_exit(77);
		CHECK(write(ready[1], "r", 1) == 1);
		hide_at_exec(self);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		target_skip("the right to trace its parent");
	close(ready[0]);
	setenv(HIDDEN, "1", 1);
	execv("/proc/self/exe", argv);
	CHECK(0);
}

/* Returns how many of them there are; unmaps those of a name, unless NULL. */
static int kernel_vmas(const char *unmapped)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start, end;
	char line[4352];
	int count = 0;

	CHECK(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (!strstr(line, "[vdso]") && !strstr(line, "[vvar"))
			continue;
		count++;
		if (unmapped && strstr(line, unmapped) &&
		    sscanf(line, "%lx-%lx", &start, &end) == 2)
			CHECK(!munmap((void *)start, end - start));
	}
	fclose(maps);
	return count;
}

int main(int argc, char **argv)
{
	int before, left;

	(void)argc;
	target_needs_user_backend();
	if (!getenv(HIDDEN))
		start_again(argv);
	/* Its tracer. */
	CHECK(waitpid(-1, NULL, 0) > 0);
	before = kernel_vmas("[vdso]");
	if (!before)
		target_skip("a kernel with a vdso");
	/* In some of the modes. */
	if (getenv("MITOSIS_TEST_PINNED"))
		kernel_vmas("[vvar");
	left = kernel_vmas(NULL);
	CHECK(left < before);
	target_prepare();

	CHECK_EQ(kernel_vmas(NULL), left);
	return 0;
}

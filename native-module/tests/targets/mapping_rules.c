// SPDX-License-Identifier: Apache-2.0
/*
 * What a process has set for all its memory holds in a child and for what the child maps: none
 * becomes executable (PR_SET_MDWE), all of it may be merged (PR_SET_MEMORY_MERGE). What was
 * executable at prepare stays so.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

/* Linux 6.3. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE		 65
#define PR_GET_MDWE		 66
#define PR_MDWE_REFUSE_EXEC_GAIN 1UL
#endif
/* Linux 6.4. */
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#define PR_GET_MEMORY_MERGE 68
#endif

#define EXECUTABLE (PROT_READ | PROT_WRITE | PROT_EXEC)

static char *map(int protection)
{
	char *m = mmap(NULL, PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	return m;
}

static int call(const char *code)
{
	return ((int (*)(void))(uintptr_t)code)();
}

static void check_rules(char *data, const char *code)
{
	CHECK_EQ(call(code), 42);
	errno = 0;
	CHECK(mprotect(data, PAGE, PROT_READ | PROT_EXEC));
	CHECK_EQ(errno, EACCES);
	CHECK(mmap(NULL, PAGE, EXECUTABLE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	      MAP_FAILED);
}

int main(void)
{
	/* mov $42, %eax; ret */
	static const unsigned char bytes[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	char *code = map(EXECUTABLE), *data = map(PROT_READ | PROT_WRITE);
	char *hidden = map(PROT_READ | PROT_WRITE);
	bool merges;
	pid_t pid;

	memcpy(code, bytes, sizeof(bytes));
	memcpy(hidden, bytes, sizeof(bytes));
	CHECK(!mprotect(hidden, PAGE, PROT_EXEC));
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0))
		target_skip("PR_SET_MDWE (Linux 6.3)");
	merges = !prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0);
	target_prepare();

	CHECK_EQ(prctl(PR_GET_MDWE, 0, 0, 0, 0), PR_MDWE_REFUSE_EXEC_GAIN);
	check_rules(data, code);
	CHECK_EQ(call(hidden), 42);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		check_rules(data, code);
		_exit(0);
	}
	CHECK_ENDS_WELL(pid);
	target_child_has("PR_SET_MDWE", "kept");
	if (merges) {
		CHECK_EQ(prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0), 1);
		target_child_has("PR_SET_MEMORY_MERGE", "kept");
	}
	return 0;
}

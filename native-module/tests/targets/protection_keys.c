// SPDX-License-Identifier: Apache-2.0
/*
 * Memory with a protection key: a child has its bytes. Only a clone, which is a fork, has the key, and
 * with it the rights that the thread has given itself by it.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

/* Whether this process may read it, seen in one that it forks. */
static bool may_read(const volatile char *memory)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(*memory == 42 ? 0 : 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		CHECK_EQ(WTERMSIG(status), SIGSEGV);
		return false;
	}
	CHECK_EQ(status, 0);
	return true;
}

int main(void)
{
	char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int key = pkey_alloc(0, 0);

	CHECK(memory != MAP_FAILED);
	if (key < 0)
		target_skip("a CPU and a kernel with protection keys");
	memset(memory, 42, PAGE);
	CHECK(!pkey_mprotect(memory, PAGE, PROT_READ | PROT_WRITE, key));
	CHECK(!pkey_set(key, PKEY_DISABLE_ACCESS));
	CHECK(!may_read(memory));
	target_prepare();

	target_child_has("protection keys", may_read(memory) ? "none" : "kept");
	return 0;
}

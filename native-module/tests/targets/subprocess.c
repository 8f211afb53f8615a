// SPDX-License-Identifier: Apache-2.0
/* A child starts programs: posix_spawn, system, popen, vfork and exec. */
#define _GNU_SOURCE
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

extern char **environ;

int main(void)
{
	char *argv[] = { "sh", "-c", "exit 0", NULL };
	char *m = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char line[64] = "";
	pid_t pid;
	FILE *p;

	CHECK(m != MAP_FAILED);
	target_fill(m, MIB, 1);
	target_overwrites(m, MIB);
	CHECK(!setenv("TARGET_WORD", "from the parent", 1));
	target_prepare();

	CHECK(!posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ));
	CHECK_ENDS_WELL(pid);
	CHECK_EQ(WEXITSTATUS(system("exit 7")), 7);
	p = popen("echo \"$TARGET_WORD\"", "r");
	CHECK(p && fgets(line, sizeof(line), p));
	CHECK(!strcmp(line, "from the parent\n"));
	CHECK_EQ(pclose(p), 0);
	pid = vfork();
	if (pid == 0) {
		execv("/bin/sh", argv);
		_exit(127);
	}
	CHECK_ENDS_WELL(pid);
	CHECK_EQ(target_differs(m, 0, MIB, 1), -1);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "tests/cases.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

int run_cases(const struct test_case *cases, int count, int ms, const char *only)
{
	int i, failed = 0;

	for (i = 0; i < count; i++) {
		int status;
		pid_t pid;

		if (only && strcmp(only, cases[i].name))
			continue;
		fflush(stdout);
		pid = fork();
		CHECK(pid >= 0);
		if (pid == 0) {
			cases[i].run();
			exit(0);
		}
		status = status_within(pid, ms);
		if (WIFSIGNALED(status))
			printf("%s: ended by signal %d\n", cases[i].name,
			       WTERMSIG(status));
		else if (status)
			printf("%s: failed\n", cases[i].name);
		failed |= status != 0;
	}
	return failed;
}

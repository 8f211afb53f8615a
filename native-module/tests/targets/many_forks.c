// SPDX-License-Identifier: Apache-2.0
/* A child forks 2,000 times, as a shell or a server does; each sees the parent's bytes. */
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

#define FORKS 2000
#define SIZE  (FORKS * PAGE)

int main(void)
{
	char *m = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	CHECK(m != MAP_FAILED);
	target_fill(m, SIZE, 1);
	target_overwrites(m, SIZE);
	target_prepare();

	for (i = 0; i < FORKS; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			CHECK_EQ(target_differs(m, i * PAGE, PAGE, 1), -1);
			_exit(0);
		}
		CHECK_ENDS_WELL(pid);
	}
	CHECK_EQ(target_differs(m, 0, SIZE, 1), -1);
	return 0;
}

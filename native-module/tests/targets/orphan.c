// SPDX-License-Identifier: Apache-2.0
/*
 * A grandchild that outlives the child, and has no parent but init, still
 * reads the parent's bytes. The child waits for the result on a pipe only.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

#define SIZE (4 * MIB)

int main(void)
{
	char *m = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int news[2], gone[2];
	char byte = 0;
	pid_t pid;

	CHECK(m != MAP_FAILED);
	target_fill(m, SIZE, 1);
	target_overwrites(m, SIZE);
	target_prepare();

	/* The child touches nothing and waits for the orphan's result. */
	CHECK(!pipe(news) && !pipe(gone));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		pid_t middle = fork();

		if (middle == 0) {
			pid_t orphan = fork();

			if (orphan)
				_exit(0);
			close(gone[1]);
			/* Until the middle one has ended. */
			CHECK_EQ(read(gone[0], &byte, 1), 1);
			CHECK_EQ(target_differs(m, 0, SIZE, 1), -1);
			CHECK_EQ(write(news[1], "k", 1), 1);
			_exit(0);
		}
		close(news[1]);
		CHECK_ENDS_WELL(middle);
		CHECK_EQ(write(gone[1], "g", 1), 1);
		CHECK_EQ(read(news[0], &byte, 1), 1);
		CHECK_EQ(byte, 'k');
		_exit(0);
	}
	CHECK_ENDS_WELL(pid);
	return 0;
}

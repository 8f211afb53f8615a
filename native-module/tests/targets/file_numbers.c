// SPDX-License-Identifier: Apache-2.0
/*
 * A child does with file numbers what shells and daemons do: it puts files at low numbers
 * by dup2, below a low limit, and closes all that it does not know. Its memory still comes,
 * and that of what it forks.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

#define SIZE  (6 * MIB)
#define THIRD (SIZE / 3)
#define LIMIT 64

static void close_all(void)
{
	if (syscall(SYS_close_range, 3, ~0u, 0)) {
		int fd;

		for (fd = 3; fd < LIMIT; fd++)
			close(fd);
	}
}

int main(void)
{
	char *m = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct rlimit limit;
	int fd, number;
	pid_t pid;

	CHECK(m != MAP_FAILED);
	target_fill(m, SIZE, 6);
	target_overwrites(m, SIZE);
	/* One that was opened under a higher limit stays open. */
	CHECK_EQ(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, LIMIT), LIMIT);
	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = LIMIT;
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	target_prepare();

	CHECK(fcntl(LIMIT, F_GETFD) >= 0);
	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	CHECK_EQ(limit.rlim_cur, LIMIT);
	fd = open("/dev/null", O_RDONLY);
	CHECK(fd >= 0);
	for (number = 3; number < LIMIT; number++)
		CHECK_EQ(dup2(fd, number), number);
	CHECK_EQ(target_differs(m, 0, THIRD, 6), -1);
	close_all();
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		setsid();
		close_all();
		CHECK_EQ(target_differs(m, 0, SIZE, 6), -1);
		_exit(0);
	}
	CHECK_ENDS_WELL(pid);
	CHECK_EQ(target_differs(m, THIRD, 2 * THIRD, 6), -1);
	/* What comes now has a number below the limit. */
	CHECK_EQ(open("/dev/null", O_RDONLY | O_CLOEXEC), 3);
	return 0;
}

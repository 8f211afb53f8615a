// SPDX-License-Identifier: Apache-2.0
/*
 * Pipes, FIFOs and pairs of sockets: the bytes on their way, which ends are one pipe, and
 * the end of the file where the other end was outside the process.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

#define LONG 50000

static int ends[2], loose[2], pair[2], messages[2], fifo[2], outer[2];
static char bytes[LONG];

static void expect(int fd, const char *text)
{
	char read_[64] = { 0 };

	CHECK_EQ(read(fd, read_, sizeof(read_) - 1), strlen(text));
	CHECK(!strcmp(read_, text));
}

/* The parent reads its own, which are not a child's. */
static void spoil(void)
{
	char all[LONG];

	CHECK_EQ(read(ends[0], all, LONG), LONG);
	expect(loose[0], "last");
	expect(pair[0], "to 0");
	expect(pair[1], "to one");
	CHECK_EQ(write(ends[1], "later", 5), 5);
}

static void expect_long(void)
{
	static char all[LONG];
	size_t done = 0;

	while (done < LONG) {
		ssize_t n = read(ends[0], all + done, LONG - done);

		CHECK(n > 0);
		done += n;
	}
	CHECK(!memcmp(all, bytes, LONG));
}

int main(void)
{
	char name[512], byte;
	int waiting = 0;
	pid_t reader;

	signal(SIGPIPE, SIG_IGN);
	target_fill(bytes, LONG, 3);
	CHECK(!pipe(ends) && !pipe2(loose, O_CLOEXEC) && !pipe(outer));
	CHECK_EQ(fcntl(ends[1], F_SETPIPE_SZ, 1 << 18), 1 << 18);
	CHECK_EQ(write(ends[1], bytes, LONG), LONG);
	CHECK_EQ(write(loose[1], "last", 4), 4);
	close(loose[1]);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, messages));
	CHECK_EQ(write(pair[1], "to 0", 4), 4);
	CHECK_EQ(write(pair[0], "to one", 6), 6);
	snprintf(name, sizeof(name), "%s/fifo-%d", getenv("MITOSIS_RUNTIME_DIR"),
		 getpid());
	CHECK(!mkfifo(name, 0600));
	fifo[0] = open(name, O_RDONLY | O_NONBLOCK);
	fifo[1] = open(name, O_WRONLY);
	CHECK(fifo[0] >= 0 && fifo[1] >= 0);
	/* The reader of this one is another process, which the child does not have. */
	reader = fork();
	if (!reader) {
		close(outer[1]);
		close(ends[1]);
		close(fifo[1]);
		CHECK_EQ(read(outer[0], &byte, 1), 0);
		_exit(0);
	}
	close(outer[0]);
	target_spoils = spoil;
	target_prepare();

	CHECK_EQ(fcntl(ends[0], F_GETPIPE_SZ), 1 << 18);
	CHECK(!ioctl(ends[0], FIONREAD, &waiting));
	CHECK_EQ(waiting, LONG);
	expect_long();
	CHECK_EQ(write(ends[1], "own", 3), 3);
	expect(ends[0], "own");
	expect(loose[0], "last");
	CHECK_EQ(read(loose[0], &byte, 1), 0);
	CHECK(fcntl(loose[0], F_GETFD) & FD_CLOEXEC);
	expect(pair[0], "to 0");
	expect(pair[1], "to one");
	CHECK_EQ(write(pair[0], "again", 5), 5);
	expect(pair[1], "again");
	CHECK_EQ(read(pair[0], &byte, 1), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(write(messages[0], "message", 7), 7);
	expect(messages[1], "message");
	CHECK(fcntl(fifo[0], F_GETFL) & O_NONBLOCK);
	CHECK(!(fcntl(fifo[1], F_GETFL) & O_NONBLOCK));
	CHECK_EQ(write(outer[1], "x", 1), -1);
	CHECK_EQ(errno, EPIPE);
	close(ends[1]);
	CHECK_EQ(read(ends[0], &byte, 1), 0);
	target_child_has("bytes in pipes, FIFOs, pairs of sockets", "kept");
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * An epoll that a socket was added to before prepare tells of each connection in a child,
 * edge-triggered or not (as https://github.com/google/gvisor/issues/13920 asks).
 */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/targets/target.h"

/* One whose file is gone: each child has it at an address of its own. */
static int listening_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		target_skip("local sockets");
	snprintf(address.sun_path, sizeof(address.sun_path),
		 "/tmp/mitosis-listening-epoll.%d", getpid());
	CHECK(!bind(fd, (struct sockaddr *)&address, sizeof(address)));
	CHECK(!listen(fd, 4));
	CHECK(!unlink(address.sun_path));
	return fd;
}

static int watch(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u64 = events };
	int epoll = epoll_create1(0);

	CHECK(epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	return epoll;
}

static int connect_to(int listener)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address;
	socklen_t size = sizeof(address);

	CHECK(!getsockname(listener, (struct sockaddr *)&address, &size));
	CHECK(fd >= 0 && !connect(fd, (struct sockaddr *)&address, size));
	return fd;
}

static void check_told(int epoll, uint64_t data)
{
	struct epoll_event event;

	CHECK_EQ(epoll_wait(epoll, &event, 1, 10000), 1);
	CHECK_EQ(event.events, EPOLLIN);
	CHECK_EQ(event.data.u64, data);
}

int main(void)
{
	const char *mode = getenv("MITOSIS_TEST_MODE");
	struct epoll_event event;
	int listener, level, edge, i;

	if (mode && !strcmp(mode, "strict"))
		target_skip("local sockets");
	listener = listening_socket();
	level = watch(listener, EPOLLIN);
	edge = watch(listener, EPOLLIN | EPOLLET);
	target_prepare();

	CHECK_EQ(epoll_wait(level, &event, 1, 0), 0);
	CHECK_EQ(epoll_wait(edge, &event, 1, 0), 0);
	for (i = 0; i < 3; i++) {
		int client = connect_to(listener), served;

		check_told(level, EPOLLIN);
		check_told(edge, EPOLLIN | EPOLLET);
		served = accept(listener, NULL, NULL);
		CHECK(served >= 0);
		CHECK_EQ(epoll_wait(level, &event, 1, 0), 0);
		CHECK_EQ(epoll_wait(edge, &event, 1, 0), 0);
		close(served);
		close(client);
	}
	return 0;
}

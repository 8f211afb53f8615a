// SPDX-License-Identifier: Apache-2.0
/* 300 open files, which no single message between processes passes: each at its number. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "tests/targets/target.h"

#define FILES 300
#define FIRST 20
#define STEP  3 /* the numbers between are free */

/* Of the runner: a child's caller passes them, too. */
static bool is_inherited[FIRST + STEP * FILES];

static int number_of(int i)
{
	return FIRST + STEP * i;
}

static bool is_closed_by_exec(int i)
{
	return i % 4 == 1;
}

static void open_one(int i)
{
	int made;

	is_inherited[number_of(i)] = fcntl(number_of(i), F_GETFD) >= 0;
	is_inherited[number_of(i) + 1] = fcntl(number_of(i) + 1, F_GETFD) >= 0;
	if (is_inherited[number_of(i)])
		return;
	made = eventfd(1000 + i, EFD_NONBLOCK);
	CHECK(made >= 0);
	CHECK_EQ(dup3(made, number_of(i), is_closed_by_exec(i) ? O_CLOEXEC : 0),
		 number_of(i));
	close(made);
}

static void check_one(int i)
{
	eventfd_t value;

	if (!is_inherited[number_of(i) + 1])
		CHECK(fcntl(number_of(i) + 1, F_GETFD) < 0 && errno == EBADF);
	if (is_inherited[number_of(i)])
		return;
	CHECK(!eventfd_read(number_of(i), &value));
	CHECK_EQ(value, 1000 + i);
	CHECK_EQ(fcntl(number_of(i), F_GETFD),
		 is_closed_by_exec(i) ? FD_CLOEXEC : 0);
}

static void spoil(void)
{
	eventfd_t value;
	int i;

	for (i = 0; i < FILES; i++)
		if (!is_inherited[number_of(i)])
			CHECK(!eventfd_read(number_of(i), &value));
}

/* Its own, not its parent's. */
static void check_status_file(int file)
{
	char text[4096];
	ssize_t n = read(file, text, sizeof(text) - 1);
	const char *pid;

	CHECK(n > 0);
	text[n] = '\0';
	pid = strstr(text, "\nPid:\t");
	CHECK(pid && atoi(pid + 6) == getpid());
}

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 77 };
	int i, ends[2], epoll = epoll_create1(EPOLL_CLOEXEC);
	int status = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	char bytes[5];

	CHECK(epoll >= 0 && status >= 0 && !pipe(ends));
	for (i = 0; i < FILES; i++)
		open_one(i);
	for (i = FILES / 2; is_inherited[number_of(i)]; i++)
		;
	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, number_of(i), &event));
	CHECK_EQ(write(ends[1], "bytes", 5), 5);
	target_spoils = spoil;
	target_prepare();
	event.data.u64 = 0;
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	CHECK_EQ(event.data.u64, 77);
	for (i = 0; i < FILES; i++)
		check_one(i);
	CHECK_EQ(read(ends[0], bytes, 5), 5);
	CHECK(!memcmp(bytes, "bytes", 5));
	check_status_file(status);
	return 0;
}

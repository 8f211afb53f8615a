// SPDX-License-Identifier: Apache-2.0
/* What waits for events: eventfd, epoll in epoll, timerfd, signalfd, inotify. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>

#include "tests/targets/target.h"

static int count, tickets, expired, periodic, idle, signals, inner, outer, shared,
	same_count;
static int told, ends[2], kept[2], connection;

/* The flag of an eventfd can be read from Linux 6.5 on. */
static bool tells_semaphores(void)
{
	char line[128];
	bool tells = false;
	FILE *info;

	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", tickets);
	info = fopen(line, "re");
	while (info && fgets(line, sizeof(line), info))
		tells |= !strncmp(line, "eventfd-semaphore:", 18);
	CHECK(info && !fclose(info));
	return tells;
}

static void watch(int epoll, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

static void spoil(void)
{
	eventfd_t value;

	CHECK(!eventfd_read(count, &value));
	CHECK(!eventfd_read(tickets, &value));
	close(inner);
}

static void start_timers(void)
{
	struct itimerspec once = { .it_value = { .tv_nsec = 1 } };
	struct itimerspec often = { .it_interval = { .tv_nsec = 20000000 },
				    .it_value = { .tv_nsec = 20000000 } };
	struct pollfd waits;

	expired = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	periodic = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	idle = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	CHECK(!timerfd_settime(expired, 0, &once, NULL));
	CHECK(!timerfd_settime(periodic, 0, &often, NULL));
	waits = (struct pollfd){ .fd = expired, .events = POLLIN };
	CHECK_EQ(poll(&waits, 1, 10000), 1);
}

/* One end of a connection, which a child has without the other. */
static int connect_to_itself(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0), served;
	socklen_t size = sizeof(address);

	CHECK(listener >= 0 && client >= 0 && !listen(listener, 1));
	CHECK(!getsockname(listener, (struct sockaddr *)&address, &size));
	CHECK(!connect(client, (struct sockaddr *)&address, size));
	served = accept(listener, NULL, NULL);
	CHECK(served >= 0 && write(client, "x", 1) == 1);
	CHECK(!close(listener));
	return served;
}

/* Items with EPOLLONESHOT: all but the last have told their event. */
static void tell_once(void)
{
	const uint32_t once = EPOLLIN | EPOLLONESHOT;
	struct epoll_event events[4];
	int got = 0, n;
	char byte;

	told = epoll_create1(EPOLL_CLOEXEC);
	connection = connect_to_itself();
	CHECK(told >= 0 && !pipe(ends) && !pipe2(kept, O_NONBLOCK));
	CHECK_EQ(write(ends[1], "x", 1), 1);
	CHECK_EQ(write(kept[1], "x", 1), 1);
	watch(told, ends[0], once, 1);
	watch(told, kept[0], once | EPOLLET, 2);
	watch(told, connection, once, 3);
	while (got < 3) {
		n = epoll_wait(told, events, 4, 10000);
		CHECK(n > 0);
		got += n;
	}
	CHECK_EQ(read(ends[0], &byte, 1), 1);
	watch(told, count, once, 4);
}

/* They tell nothing, not even a hang-up, until they are armed again. */
static void check_told_once(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT };
	char byte;

	CHECK_EQ(epoll_wait(told, &event, 1, 10000), 1);
	CHECK_EQ(event.data.u64, 4);
	CHECK_EQ(epoll_wait(told, &event, 1, 0), 0);
	CHECK(!close(ends[1]) && !close(kept[1]));
	CHECK_EQ(epoll_wait(told, &event, 1, 50), 0);
	event = (struct epoll_event){ .events = EPOLLIN | EPOLLONESHOT,
				      .data.u64 = 5 };
	CHECK(!epoll_ctl(told, EPOLL_CTL_MOD, ends[0], &event));
	CHECK_EQ(epoll_wait(told, &event, 1, 10000), 1);
	CHECK(event.events == EPOLLHUP && event.data.u64 == 5);
	CHECK_EQ(read(ends[0], &byte, 1), 0);
	CHECK_EQ(read(kept[0], &byte, 1), 1);
	CHECK_EQ(read(kept[0], &byte, 1), 0);
}

int main(void)
{
	struct epoll_event event;
	struct itimerspec left;
	struct signalfd_siginfo info;
	struct pollfd waits;
	bool semaphores;
	eventfd_t value;
	uint64_t ticks;
	sigset_t mask;
	int notify;

	count = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	tickets = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK);
	CHECK(!eventfd_write(count, 0x123456789abull));
	semaphores = tells_semaphores();
	start_timers();
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	CHECK(!sigprocmask(SIG_BLOCK, &mask, NULL));
	signals = signalfd(-1, &mask, SFD_CLOEXEC);
	notify = inotify_init1(IN_NONBLOCK);
	CHECK(inotify_add_watch(notify, "/tmp", IN_CREATE) > 0);
	inner = epoll_create1(EPOLL_CLOEXEC);
	outer = epoll_create1(0);
	shared = dup(inner);
	same_count = dup(count);
	watch(inner, count, EPOLLIN, 0xabcdef0123456789ull);
	watch(inner, periodic, EPOLLIN | EPOLLET, 5);
	watch(outer, inner, EPOLLIN, 77);
	watch(outer, signals, EPOLLIN, 88);
	tell_once();
	target_spoils = spoil;
	target_prepare();

	/* Through both, before anything is read. */
	CHECK_EQ(epoll_wait(outer, &event, 1, 10000), 1);
	CHECK_EQ(event.data.u64, 77);
	check_told_once();
	CHECK(!eventfd_read(tickets, &value));
	CHECK_EQ(value, semaphores ? 1 : 3);
	CHECK(!epoll_ctl(shared, EPOLL_CTL_DEL, periodic, NULL));
	CHECK_EQ(epoll_wait(inner, &event, 1, 10000), 1);
	CHECK_EQ(event.data.u64, 0xabcdef0123456789ull);
	CHECK(!eventfd_read(same_count, &value));
	CHECK_EQ(value, 0x123456789abull);
	CHECK(eventfd_read(count, &value) && errno == EAGAIN);
	CHECK_EQ(epoll_wait(outer, &event, 1, 0), 0);
	CHECK(!raise(SIGUSR1));
	CHECK_EQ(epoll_wait(outer, &event, 1, 10000), 1);
	CHECK_EQ(event.data.u64, 88);
	CHECK_EQ(read(signals, &info, sizeof(info)), sizeof(info));
	CHECK_EQ(info.ssi_signo, SIGUSR1);

	CHECK_EQ(read(expired, &ticks, 8), 8);
	CHECK_EQ(ticks, 1);
	CHECK(!timerfd_gettime(periodic, &left));
	CHECK_EQ(left.it_interval.tv_nsec, 20000000);
	waits = (struct pollfd){ .fd = periodic, .events = POLLIN };
	CHECK_EQ(poll(&waits, 1, 10000), 1);
	CHECK(!timerfd_gettime(idle, &left));
	CHECK(!left.it_value.tv_sec && !left.it_value.tv_nsec);
	/* It watches nothing any more, and can be used anew. */
	CHECK_EQ(read(notify, &info, sizeof(info)), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK(target_is_told(notify, "has an inotify without watches"));
	CHECK(inotify_add_watch(notify, "/tmp", IN_CREATE) > 0);
	target_child_has("eventfd, epoll, timerfd, signalfd", "kept");
	target_child_has("watches of inotify", "told");
	return 0;
}

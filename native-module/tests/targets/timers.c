// SPDX-License-Identifier: Apache-2.0
/* Timers that a child sets fire: setitimer, timer_create, timerfd, alarm. */
#include <signal.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

#include "tests/targets/target.h"

static volatile sig_atomic_t alarms;

static void count(int signal)
{
	(void)signal;
	alarms++;
}

static void wait_for(int wanted)
{
	struct timespec t = { .tv_nsec = 1000000 };
	int tries;

	for (tries = 0; alarms < wanted && tries < 5000; tries++)
		nanosleep(&t, NULL);
	CHECK(alarms >= wanted);
}

int main(void)
{
	struct sigaction action = { .sa_handler = count };
	struct itimerval once = { .it_value.tv_usec = 2000 };
	struct itimerval often = { .it_value.tv_usec = 1000,
				   .it_interval.tv_usec = 1000 };
	struct itimerval off = { 0 };
	struct itimerspec spec = { .it_value.tv_nsec = 2000000 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGALRM };
	uint64_t expirations = 0;
	timer_t timer;
	int fd;

	CHECK(!sigaction(SIGALRM, &action, NULL));
	target_prepare();

	CHECK(!setitimer(ITIMER_REAL, &once, NULL));
	wait_for(1);
	CHECK(!setitimer(ITIMER_REAL, &often, NULL));
	wait_for(5);
	CHECK(!setitimer(ITIMER_REAL, &off, NULL));
	alarms = 0;
	CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	CHECK(!timer_settime(timer, 0, &spec, NULL));
	wait_for(1);
	CHECK(!timer_delete(timer));
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	CHECK(fd >= 0);
	CHECK(!timerfd_settime(fd, 0, &spec, NULL));
	CHECK_EQ(read(fd, &expirations, sizeof(expirations)), 8);
	CHECK_EQ(expirations, 1);
	alarms = 0;
	CHECK_EQ(alarm(1), 0);
	CHECK_EQ(alarm(0), 1);
	return 0;
}

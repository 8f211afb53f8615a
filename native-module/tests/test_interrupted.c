// SPDX-License-Identifier: Apache-2.0
/*
 * Nothing fails because a signal came: with handlers without SA_RESTART that timers call
 * each millisecond in every process that calls the library, and while all processes,
 * mitosisd and shadows among them, are stopped and continued at random moments. And no
 * deadline is put off.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/machine.h"

#define MACHINE	    103
#define PAGE	    4096
#define PAGES	    64
#define ROUNDS	    4
#define PATIENCE_MS 20000
#define RIGHT	    7 /* exit status of a child with its parent's bytes */
#define STOPPED_MAX 64
#define PAUSES_US   4000

static struct machine machine;
static unsigned char *memory;
static volatile sig_atomic_t signals; /* handled by this process */

static void count(int signal)
{
	(void)signal;
	signals++;
}

/* Two timers; the second sends its signals to this thread. */
static void start_timers(void)
{
	const struct sigaction action = { .sa_handler = count };
	const struct itimerval each = { { 0, 1000 }, { 0, 1000 } };
	const struct itimerspec other = { { 0, 1100000 }, { 0, 1100000 } };
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIGUSR1,
	};
	timer_t timer;

	event._sigev_un._tid = gettid();
	CHECK(!sigaction(SIGALRM, &action, NULL));
	CHECK(!sigaction(SIGUSR1, &action, NULL));
	CHECK(!setitimer(ITIMER_REAL, &each, NULL));
	CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	CHECK(!timer_settime(timer, 0, &other, NULL));
}

static void __attribute__((noreturn)) be_child(int round)
{
	int i;

	for (i = 0; i < PAGES; i++)
		if (memory[i * PAGE] != (unsigned char)(round + i))
			_exit(1);
	_exit(RIGHT);
}

/* What a process does that becomes a child: with timers as its caller has. */
static void __attribute__((noreturn))
resume(uint32_t mode, bool remote, uint32_t handler_id, bool timers)
{
	const struct mitosis_resume_options options = { .mode = mode };
	struct mitosis *device;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (timers)
		start_timers();
	if (!remote)
		machine_enter(&machine);
	device = open_user();
	CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
	if (remote) {
		CHECK_EQ(mitosis_connect(device, MACHINE, machine.address), 0);
		mitosis_resume_remote(device, MACHINE, handler_id);
	} else {
		mitosis_resume_local(device, handler_id);
	}
	printf("no child in mode %u, %s: %s\n", mode, remote ? "remote" : "local",
	       mitosis_error());
	exit(3);
}

static void check_child(uint32_t mode, bool remote, uint32_t handler_id, bool timers)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		resume(mode, remote, handler_id, timers);
	status = status_within(pid, PATIENCE_MS);
	CHECK_EQ(status, RIGHT << 8);
}

static void check_round(struct mitosis *device, int round, bool timers)
{
	pid_t self = getpid();
	uint32_t id = round;
	int i;

	for (i = 0; i < PAGES; i++)
		memory[i * PAGE] = round + i;
	CHECK_EQ(mitosis_prepare(device, id), 0);
	if (getpid() != self || mitosis_nil(device) == -EBADF)
		be_child(round);
	CHECK_EQ(find_snapshot(device, id).handler_id, id);
	check_child(MITOSIS_RESUME_LAZY, false, id, timers);
	check_child(MITOSIS_RESUME_EAGER, false, id, timers);
	check_child(MITOSIS_RESUME_CLONE, false, id, timers);
	check_child(MITOSIS_RESUME_LAZY, true, id, timers);
	check_child(MITOSIS_RESUME_REPLICA, true, id, timers);
	CHECK_EQ(mitosis_unprepare(device, id), 0);
}

/* A machine that never answers: its queue has room for one connection. */
static int start_silent(char address[64])
{
	struct sockaddr_in where = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(where);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&where, sizeof(where)));
	CHECK(!listen(fd, 0) && !getsockname(fd, (struct sockaddr *)&where, &size));
	snprintf(address, 64, "tcp://127.0.0.1:%u", ntohs(where.sin_port));
	return fd;
}

/*
 * A storm of signals does not put off a deadline: that of the answer to a greeting, and,
 * with the queue full, that of connect(2).
 */
static void check_deadlines(void)
{
	struct mitosis *device = open_user();
	char address[64];
	int silent = start_silent(address), i;

	setenv("MITOSIS_DEADLINE_MS", "50", 1);
	for (i = 0; i < 3; i++)
		CHECK_EQ(mitosis_connect(device, MACHINE + 1, address), -ETIMEDOUT);
	unsetenv("MITOSIS_DEADLINE_MS");
	mitosis_close(device);
	close(silent);
}

static volatile sig_atomic_t enough;

static void stop_stopping(int signal)
{
	(void)signal;
	enough = 1;
}

/* Stops one to three processes of this test at a time. */
static void __attribute__((noreturn)) stop_others(void)
{
	const struct sigaction action = { .sa_handler = stop_stopping };

	sigaction(SIGTERM, &action, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	while (!enough && getppid() != 1) {
		pid_t all[STOPPED_MAX], pid;
		int count = 0, chosen[3], i;
		DIR *proc = opendir("/proc");

		CHECK(proc);
		while (count < STOPPED_MAX && (pid = next_of_ours(proc)))
			if (pid != getpid())
				all[count++] = pid;
		closedir(proc);
		for (i = 0; count && i < 3; i++) {
			chosen[i] = all[pseudo_random() % count];
			kill(chosen[i], SIGSTOP);
		}
		usleep(pseudo_random() % PAUSES_US);
		for (i = 0; count && i < 3; i++)
			kill(chosen[i], SIGCONT);
		usleep(pseudo_random() % 1000);
	}
	_exit(0);
}

static pid_t start_stopping(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		stop_others();
	return pid;
}

static void end_stopping(pid_t stopping)
{
	kill(stopping, SIGTERM);
	CHECK_EQ(status_within(stopping, PATIENCE_MS), 0);
}

int main(void)
{
	struct mitosis *device;
	pid_t stopping;
	int round;

	need_userfaultfd();
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	use_key("key");
	machine = machine_start(MACHINE);
	machine_enter(&machine);
	device = open_user();
	machine_leave();

	stopping = start_stopping();
	for (round = 1; round <= ROUNDS; round++)
		check_round(device, round, false);
	start_timers();
	for (; round <= 2 * ROUNDS; round++)
		check_round(device, round, true);
	end_stopping(stopping);
	check_deadlines();
	check_round(device, round, true);
	CHECK(signals);
	mitosis_close(device);
	machine_stop(&machine);
	return 0;
}

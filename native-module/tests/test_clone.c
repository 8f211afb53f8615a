// SPDX-License-Identifier: Apache-2.0
/*
 * Mode clone: the proxy ends as its child ends, by status and by signal, and
 * the child ends with its proxy; it has the proxy's files and no others, and the
 * proxy's CPUs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define FILE_NUMBER 77
#define ID	    4

/* The proxy tells the child what to do, over a pipe of its own. */
static void be_child(void)
{
	pid_t own = getpid();
	char order;

	if (fcntl(FILE_NUMBER + 2, F_GETFD) >= 0)
		_exit(98); /* close-on-exec: not passed on */
	if (read(FILE_NUMBER, &order, 1) != 1 ||
	    write(FILE_NUMBER + 1, &own, sizeof(own)) != sizeof(own))
		_exit(99);
	if (order == 'e')
		_exit(7);
	if (order == 's')
		raise(SIGTERM);
	for (;;)
		pause();
}

/* Starts a proxy; *child gets the pid of what it stands for. */
static pid_t start(char order, pid_t *child)
{
	int to[2], from[2];
	pid_t pid;

	CHECK(!pipe2(to, O_CLOEXEC) && !pipe2(from, O_CLOEXEC));
	pid = fork();
	if (pid == 0) {
		const struct mitosis_resume_options options = {
			.mode = MITOSIS_RESUME_CLONE,
			.prefetch_pages = 1,
		};
		struct mitosis *device = open_user();

		dup2(to[0], FILE_NUMBER);
		dup2(from[1], FILE_NUMBER + 1);
		dup3(to[0], FILE_NUMBER + 2, O_CLOEXEC);
		CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
		mitosis_resume_local(device, ID);
		printf("%s\n", mitosis_error());
		fflush(stdout);
		_exit(1);
	}
	close(to[0]);
	close(from[1]);
	CHECK(write(to[1], &order, 1) == 1);
	CHECK(read(from[0], child, sizeof(*child)) == sizeof(*child));
	close(to[1]);
	close(from[0]);
	return pid;
}

static int end_of(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

static void cpus_of_caller(const cpu_set_t *cpus)
{
	cpu_set_t found;
	pid_t child, proxy;

	CHECK(!sched_setaffinity(0, sizeof(*cpus), cpus));
	proxy = start('w', &child);
	CHECK(!sched_getaffinity(child, sizeof(found), &found));
	CHECK(CPU_EQUAL(&found, cpus));
	kill(proxy, SIGKILL);
	end_of(proxy);
}

/* All of this process, and all but the last: the snapshot is of a process with all. */
static void cpus_of_callers(void)
{
	cpu_set_t all, some;
	int cpu = CPU_SETSIZE;

	CHECK(!sched_getaffinity(0, sizeof(all), &all));
	cpus_of_caller(&all);
	if (CPU_COUNT(&all) == 1)
		return;
	some = all;
	while (!CPU_ISSET(--cpu, &all))
		;
	CPU_CLR(cpu, &some);
	cpus_of_caller(&some);
	CHECK(!sched_setaffinity(0, sizeof(all), &all));
}

int main(void)
{
	struct mitosis *device = open_user();
	pid_t proxy, child;
	int status;

	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device) == -EBADF)
		be_child();

	proxy = start('e', &child);
	CHECK(child != proxy && child != getpid());
	CHECK_EQ(end_of(proxy), 7 << 8);
	proxy = start('s', &child);
	status = end_of(proxy);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);

	cpus_of_callers();
	proxy = start('w', &child);
	CHECK(alive(child));
	kill(proxy, SIGKILL);
	end_of(proxy);
	CHECK_SOON(!alive(child), 20000);

	/* The snapshot may go; its children stay until they end. */
	proxy = start('w', &child);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
	sleep_ms(50);
	CHECK(alive(child));
	kill(child, SIGKILL);
	status = end_of(proxy);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	mitosis_close(device);
	return 0;
}

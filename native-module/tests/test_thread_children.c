// SPDX-License-Identifier: Apache-2.0
/*
 * Children with 32 threads, one after the other and some at a time, leave nothing behind: no process,
 * open file, mount or namespace. MITOSIS_TEST_CHILDREN says how many; 50 by default.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/harness.h"

#define THREADS	   32
#define AT_A_TIME  16
#define HANDLER_ID 3
#define CHILD_MS   30000

static _Atomic int ready, in_child, answered;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void *wait_for_child(void *argument)
{
	pthread_mutex_lock(&lock);
	ready++;
	while (!in_child)
		pthread_cond_wait(&condition, &lock);
	answered++;
	pthread_mutex_unlock(&lock);
	return argument;
}

/* Every other child ends with all its threads running. */
static void prepare(void *argument)
{
	struct mitosis *device = open_user();
	pthread_t threads[THREADS - 1];
	struct timespec now;
	int i;

	(void)argument;
	for (i = 0; i < THREADS - 1; i++)
		CHECK(!pthread_create(&threads[i], NULL, wait_for_child, NULL));
	CHECK_SOON(ready == THREADS - 1, 20000);
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	if (mitosis_nil(device) != -EBADF)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_nsec & 0x10000)
		_exit(0);
	pthread_mutex_lock(&lock);
	in_child = 1;
	pthread_cond_broadcast(&condition);
	pthread_mutex_unlock(&lock);
	for (i = 0; i < THREADS - 1; i++)
		if (pthread_join(threads[i], NULL))
			_exit(1);
	_exit(answered == THREADS - 1 ? 0 : 2);
}

static void run_children(struct mitosis_attachment *attachment, int count)
{
	pid_t pids[AT_A_TIME];
	int i, started;

	while (count > 0) {
		for (started = 0; started < AT_A_TIME && started < count; started++)
			pids[started] = fork_attached(attachment);
		for (i = 0; i < started; i++)
			CHECK_EQ(status_within(pids[i], CHILD_MS), 0);
		count -= started;
	}
}

int main(void)
{
	const char *asked = getenv("MITOSIS_TEST_CHILDREN");
	int count = asked ? atoi(asked) : 50;
	struct mitosis *device = open_user();
	struct mitosis_attachment *attachment;
	int files, processes, mounts, shadows_files;
	pid_t parent, shadow;

	need_userfaultfd();
	need_namespaces();
	parent = start_waiting(prepare, NULL);
	CHECK_EQ(mitosis_attach_local(device, HANDLER_ID, &attachment), 0);
	shadow = find_snapshot(device, HANDLER_ID).shadow_pid;
	/* The first ones are recorded. */
	run_children(attachment, 2);
	CHECK_SOON(child_count() == 1, 20000);
	files = fd_count(getpid());
	mounts = mount_count();
	processes = process_count();
	shadows_files = fd_count(shadow);

	run_children(attachment, count);

	CHECK_EQ(fd_count(getpid()), files);
	CHECK_EQ(mount_count(), mounts);
	CHECK_EQ(child_count(), 1);
	CHECK_SOON(process_count() <= processes, 20000);
	CHECK_SOON(fd_count(shadow) <= shadows_files, 20000);
	printf("%d children with %d threads each\n", count, THREADS);
	mitosis_detach(attachment);
	mitosis_close(device);
	kill_and_reap(parent);
	return 0;
}

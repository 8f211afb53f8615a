// SPDX-License-Identifier: Apache-2.0
/* What goes with whom: owner, shadow, daemon; each is killed once. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

static void prepare_plain(void *handler_id)
{
	CHECK_EQ(mitosis_prepare(open_user(), *(int *)handler_id), 0);
}

static void prepare_pinned(void *handler_id)
{
	CHECK_EQ(mitosis_prepare_pinned(open_user(), *(int *)handler_id), 0);
}

static void owner_killed(void)
{
	struct mitosis *device = open_user();
	pid_t plain = start_waiting(prepare_plain, &(int){ 1 });
	pid_t pinned = start_waiting(prepare_pinned, &(int){ 2 });
	pid_t plain_shadow = find_snapshot(device, 1).shadow_pid;
	pid_t pinned_shadow = find_snapshot(device, 2).shadow_pid;

	CHECK(alive(plain_shadow) && alive(pinned_shadow));
	kill_and_reap(plain);
	kill_and_reap(pinned);
	CHECK_SOON(find_snapshot(device, 1).shadow_pid == 0, 20000);
	CHECK_SOON(!alive(plain_shadow), 20000);
	sleep_ms(50);
	CHECK(alive(pinned_shadow));
	CHECK_EQ(mitosis_unprepare(device, 2), 0);
	CHECK_SOON(!alive(pinned_shadow), 20000);
	mitosis_close(device);
}

/* A process that the owner forked has its channel open, and is no owner. */
static void owner_killed_with_heir(void)
{
	struct mitosis *device = open_user();
	int pids[2];
	pid_t owner, heir;

	CHECK(!pipe(pids));
	owner = fork();
	if (owner == 0) {
		struct mitosis *own = open_user();

		CHECK_EQ(mitosis_prepare(own, 1), 0);
		heir = fork();
		if (heir)
			CHECK(write(pids[1], &heir, sizeof(heir)) == sizeof(heir));
		for (;;)
			pause();
	}
	CHECK(read(pids[0], &heir, sizeof(heir)) == sizeof(heir));
	CHECK(find_snapshot(device, 1).shadow_pid);
	kill_and_reap(owner);
	CHECK_SOON(find_snapshot(device, 1).shadow_pid == 0, 20000);
	CHECK(alive(heir));
	kill(heir, SIGKILL);
	mitosis_close(device);
}

/* Killed before it could say that it is there. */
static void shadow_killed_at_once(void)
{
	struct mitosis *device = open_user(), *other = open_user();
	char byte;
	int i, err;

	for (i = 0; i < 200; i++) {
		CHECK_EQ(mitosis_prepare(device, 1), 0);
		kill(find_snapshot(device, 1).shadow_pid, SIGKILL);
		err = mitosis_read(other, 1, (uintptr_t)&byte, &byte, 1);
		CHECK(err == -ENOENT || err == -ECONNRESET);
		/* It closes its files a moment before it can be reaped. */
		CHECK_SOON((err = mitosis_prepare(device, 1)) != -EBUSY, 20000);
		CHECK_EQ(err, 0);
		CHECK_EQ(mitosis_unprepare(device, 1), 0);
	}
	CHECK_EQ(child_count(), 0);
	mitosis_close(device);
	mitosis_close(other);
}

static void shadow_killed(void)
{
	struct mitosis *device = open_user();
	char byte;

	CHECK_EQ(mitosis_prepare(device, 1), 0);
	CHECK_EQ(mitosis_read(device, 1, (uintptr_t)&byte, &byte, 1), 0);
	kill(find_snapshot(device, 1).shadow_pid, SIGKILL);
	CHECK_SOON(find_snapshot(device, 1).shadow_pid == 0, 20000);
	CHECK_EQ(mitosis_unprepare(device, 1), -ENOENT);
	CHECK_EQ(mitosis_prepare(device, 1), 0);
	mitosis_close(device);
	CHECK_EQ(child_count(), 0);
}

static void daemon_killed(void)
{
	struct mitosis *device = open_user();
	pid_t daemon = daemon_pid(), shadow;

	CHECK(daemon);
	CHECK_EQ(mitosis_prepare_pinned(device, 1), 0);
	shadow = find_snapshot(device, 1).shadow_pid;
	kill(daemon, SIGKILL);
	CHECK_SOON(!alive(daemon), 20000);
	CHECK_SOON(!alive(shadow), 20000);
	CHECK_EQ(mitosis_nil(device), -ECONNRESET);
	CHECK_EQ(mitosis_prepare(device, 2), -ECONNRESET);
	CHECK_EQ(mitosis_unprepare(device, 1), -ECONNRESET);
	CHECK_EQ(mitosis_list(device, NULL, 0), -ECONNRESET);
	mitosis_close(device);
	CHECK_EQ(child_count(), 0);

	device = open_user();
	CHECK(daemon_pid() && daemon_pid() != daemon);
	CHECK_EQ(mitosis_list(device, NULL, 0), 0);
	CHECK_EQ(mitosis_prepare(device, 1), 0);
	mitosis_close(device);
}

static void daemon_idle(void)
{
	struct mitosis *device = open_user();
	pid_t daemon = daemon_pid();

	CHECK_EQ(mitosis_prepare_pinned(device, 1), 0);
	mitosis_close(device);
	sleep_ms(600); /* MITOSIS_IDLE_MS is 200 */
	CHECK_EQ(daemon_pid(), daemon);
	device = open_user();
	CHECK_EQ(mitosis_unprepare(device, 1), 0);
	sleep_ms(600);
	CHECK_EQ(daemon_pid(), daemon);
	mitosis_close(device);
	CHECK_SOON(!daemon_pid(), 20000);
}

int main(void)
{
	owner_killed();
	owner_killed_with_heir();
	shadow_killed_at_once();
	shadow_killed();
	daemon_killed();
	daemon_idle();
	return 0;
}

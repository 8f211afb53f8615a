// SPDX-License-Identifier: Apache-2.0
/*
 * The registry's lock in memory that others write: garbage, owners that have ended
 * or live for ever, and contention.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "local/clock.h"
#include "local/registry.h"
#include "tests/harness.h"

#define PROCESSES 4
#define ROUNDS	  20000
#define WAIT_MS	  20000

struct shared {
	struct shared_lock lock;
	_Atomic uint32_t held;	/* by a process that says so */
	uint64_t first, second; /* counted under the lock */
};

static struct shared *shared;

/* A process that takes the lock and then ends or waits. */
static pid_t start_holder(bool ends)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (shared_lock_take(&shared->lock))
			_exit(1);
		shared->held = 1;
		while (!ends)
			pause();
		_exit(0);
	}
	CHECK(pid > 0);
	CHECK_SOON(shared->held, WAIT_MS);
	shared->held = 0;
	return pid;
}

static void reap(pid_t pid)
{
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

/* Each value is taken over, or held against us until the deadline; both in time. */
static void garbage(void)
{
	uint64_t values[] = {
		UINT64_MAX,
		1ull << 31,
		1,
		UINT32_MAX,
		0xffffffff00000000ull,
		0x4141414141414141ull,
		getpid(),
	};
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		int64_t start_ms = now_ms();
		int err;

		shared->lock.word = values[i];
		err = shared_lock_take(&shared->lock);
		CHECK(!err || err == -ETIMEDOUT);
		CHECK(now_ms() - start_ms < WAIT_MS);
		if (!err)
			shared_lock_release(&shared->lock);
		shared->lock.word = 0;
	}
}

/* Garbage while the lock is held: the release does not end, and nothing is freed. */
static void garbage_while_held(void)
{
	CHECK_EQ(shared_lock_take(&shared->lock), 0);
	shared->lock.word = 0x4242424242424242ull;
	shared_lock_release(&shared->lock);
	CHECK(shared->lock.word == 0x4242424242424242ull);
	shared->lock.word = 0;
}

static void dead_owner(void)
{
	pid_t pid = start_holder(true);

	/* A zombie counts as ended, too. */
	CHECK_EQ(shared_lock_take(&shared->lock), 0);
	shared_lock_release(&shared->lock);
	CHECK(!shared->lock.word);
	reap(pid);

	pid = start_holder(false);
	kill(pid, SIGKILL);
	reap(pid);
	CHECK_EQ(shared_lock_take(&shared->lock), 0);
	shared_lock_release(&shared->lock);
}

/* A living thread with the number of an owner that has ended is not the owner. */
static void number_used_again(void)
{
	uint64_t mine;

	CHECK_EQ(shared_lock_take(&shared->lock), 0);
	mine = shared->lock.word;
	shared->lock.word = mine ^ (1ull << 32);
	CHECK_EQ(shared_lock_take(&shared->lock), 0);
	shared_lock_release(&shared->lock);
	CHECK(!shared->lock.word);
}

/* Takes and releases the lock. Returns the word that it had. */
static uint64_t word_of_holder(void)
{
	uint64_t word;

	if (shared_lock_take(&shared->lock))
		_exit(1);
	word = shared->lock.word;
	shared_lock_release(&shared->lock);
	return word;
}

/* Runs in a child that is process 1 of a new PID namespace; 77 without the right. */
static int as_process_1(int (*run)(void))
{
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return 77;
	pid = fork();
	if (pid == 0)
		_exit(run());
	return WEXITSTATUS(status_within(pid, WAIT_MS));
}

static uint64_t outer_word;

static int inner(void)
{
	struct registry *registry;

	if (registry_create(&registry) < 0)
		return 1;
	return word_of_holder() == outer_word ? 2 : 0;
}

static int outer(void)
{
	outer_word = word_of_holder();
	return as_process_1(inner);
}

/*
 * A process with the memory of another one and, in its PID namespace, the same thread
 * id: with the first one's word its lock would be taken from it at once.
 */
static void same_number_in_another_namespace(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(as_process_1(outer));
	status = status_within(pid, WAIT_MS);
	CHECK(WIFEXITED(status));
	CHECK(!WEXITSTATUS(status) || WEXITSTATUS(status) == 77);
}

static void living_owner(void)
{
	pid_t pid = start_holder(false);
	int64_t start_ms = now_ms();

	CHECK_EQ(shared_lock_take(&shared->lock), -ETIMEDOUT);
	CHECK(now_ms() - start_ms >= SHARED_LOCK_DEADLINE_MS);
	/* A stopped one holds it, too. */
	kill(pid, SIGSTOP);
	CHECK_EQ(shared_lock_take(&shared->lock), -ETIMEDOUT);
	kill(pid, SIGKILL);
	reap(pid);
	CHECK_EQ(shared_lock_take(&shared->lock), 0);
	shared_lock_release(&shared->lock);
}

/* Its thread id says nothing here: the lock is taken over after the deadline. */
static void owner_in_another_namespace(void)
{
	int64_t start_ms = now_ms();
	pid_t pid = fork();

	if (pid == 0) {
		pid_t first;

		if (unshare(CLONE_NEWPID))
			_exit(77);
		first = fork();
		if (first == 0)
			_exit(shared_lock_take(&shared->lock) ? 1 : 0);
		waitpid(first, NULL, 0);
		_exit(0);
	}
	if (status_within(pid, WAIT_MS))
		return; /* not root: the other cases are tested all the same */
	CHECK(shared->lock.word);
	CHECK_EQ(shared_lock_take(&shared->lock), 0);
	CHECK(now_ms() - start_ms >= SHARED_LOCK_DEADLINE_MS);
	shared_lock_release(&shared->lock);
}

static void contention(void)
{
	pid_t pids[PROCESSES];
	int i, k;

	shared->first = shared->second = 0;
	for (i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		for (k = 0; k < ROUNDS; k++) {
			while (shared_lock_take(&shared->lock))
				;
			if (shared->first != shared->second)
				_exit(1);
			shared->first++;
			if (k % 1000 == 0)
				sched_yield();
			shared->second++;
			shared_lock_release(&shared->lock);
		}
		_exit(0);
	}
	for (i = 0; i < PROCESSES; i++)
		CHECK_EQ(status_within(pids[i], 4 * WAIT_MS), 0);
	CHECK_EQ(shared->first, (uint64_t)PROCESSES * ROUNDS);
	CHECK(!shared->lock.word);
}

/* A registry whose memory is all garbage: every function returns. */
static void garbage_registry(void)
{
	struct registry *registry;
	int fd = registry_create(&registry);
	int result;

	CHECK(fd >= 0);
	memset(registry, 0xa5, sizeof(*registry));
	result = registry_claim(registry, 1, 0, 1, 1);
	CHECK(result < 0 || (uint32_t)result < REGISTRY_SLOTS);
	result = registry_find(registry, 1);
	CHECK(result < 0 || (uint32_t)result < REGISTRY_SLOTS);
	registry_unmap(registry);
	close(fd);
}

int main(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	garbage();
	garbage_while_held();
	dead_owner();
	number_used_again();
	same_number_in_another_namespace();
	living_owner();
	owner_in_another_namespace();
	contention();
	garbage_registry();
	return 0;
}

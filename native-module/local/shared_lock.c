// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "local/shared_lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "local/clock.h"

#define WAITERS	      (1ull << 31)
#define TID_MASK      (WAITERS - 1)
#define IDENTITY_MASK (~WAITERS)
/* Between two checks whether the owner lives. */
#define CHECK_MS 20
/* Instead of a start time. */
#define UNKNOWN 0
#define ENDED	(-1)

/*
 * This thread's word. A forked process has another thread id, and computes its own;
 * in another PID namespace it can have the same one: shared_lock_forget_thread().
 */
static __thread uint64_t own_word;

/* Of a thread: low bits of its start time; ENDED, or UNKNOWN where /proc hides it. */
static int start_time(const char *stat_path)
{
	unsigned long long ticks;
	char text[1024], state;
	const char *after_name;
	FILE *f = fopen(stat_path, "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = '\0';
	after_name = strrchr(text, ')');
	/* Fields 3 and 22; the name is field 2. */
	if (!after_name ||
	    sscanf(after_name + 1,
		   " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%*s %*s %*s %*s %llu",
		   &state, &ticks) != 2)
		return UNKNOWN;
	if (state == 'Z' || state == 'X')
		return ENDED;
	return (ticks & 0x7fff) | 0x8000;
}

static uint64_t namespace_bits(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) ? 0 : st.st_ino & 0xffff;
}

static uint64_t word_of_this_thread(void)
{
	uint64_t tid = syscall(SYS_gettid);

	if ((own_word & TID_MASK) != tid)
		own_word = namespace_bits() << 48 |
			   (uint64_t)start_time("/proc/thread-self/stat") << 32 |
			   tid;
	return own_word;
}

void shared_lock_forget_thread(void)
{
	own_word = 0;
}

enum owner {
	OWNER_LIVES,
	OWNER_HAS_ENDED,
	OWNER_IS_ELSEWHERE, /* in another PID namespace, or without /proc: unknown */
};

static enum owner owner_of(uint64_t word)
{
	uint64_t tid = word & TID_MASK;
	int start, its_start = word >> 32 & 0xffff;
	char path[64];

	if (word >> 48 != word_of_this_thread() >> 48 || its_start == UNKNOWN)
		return OWNER_IS_ELSEWHERE;
	/* EINVAL, too: no thread has such a number. */
	if (!tid || (syscall(SYS_tkill, (int)tid, 0) && errno != EPERM))
		return OWNER_HAS_ENDED;
	snprintf(path, sizeof(path), "/proc/%llu/stat", (unsigned long long)tid);
	start = start_time(path);
	return start == UNKNOWN || start == its_start ? OWNER_LIVES
						      : OWNER_HAS_ENDED;
}

static void wait_for_change(struct shared_lock *lock, uint64_t word, int64_t ms)
{
	const struct timespec timeout = { .tv_nsec = ms * 1000000 };

	/* The low half comes first on this architecture. */
	syscall(SYS_futex, &lock->word, FUTEX_WAIT, (uint32_t)word, &timeout, NULL,
		0);
}

static bool replace(struct shared_lock *lock, uint64_t from, uint64_t to)
{
	return atomic_compare_exchange_strong(&lock->word, &from, to);
}

static int wait_and_take(struct shared_lock *lock, uint64_t mine)
{
	int64_t start_ms = now_ms(), since_ms = start_ms;
	uint64_t last = 0;

	for (;;) {
		int64_t at_ms = now_ms();
		uint64_t word = atomic_load(&lock->word);

		/* Others may wait, too: their bit stays. */
		if (!word) {
			if (replace(lock, word, mine | WAITERS))
				return 0;
			continue;
		}
		if ((word & IDENTITY_MASK) != last) {
			last = word & IDENTITY_MASK;
			since_ms = at_ms;
		} else if (at_ms - since_ms >= CHECK_MS) {
			enum owner owner = owner_of(word);

			if ((owner == OWNER_HAS_ENDED ||
			     (owner == OWNER_IS_ELSEWHERE &&
			      at_ms - since_ms >= SHARED_LOCK_DEADLINE_MS)) &&
			    replace(lock, word, mine | WAITERS))
				return 0;
		}
		/* Last: however late this thread runs, it has looked at the owner. */
		if (at_ms - start_ms >= SHARED_LOCK_DEADLINE_MS + CHECK_MS)
			return -ETIMEDOUT;
		if (word & WAITERS || replace(lock, word, word | WAITERS))
			wait_for_change(lock, word | WAITERS, CHECK_MS);
	}
}

int shared_lock_take(struct shared_lock *lock)
{
	uint64_t mine = word_of_this_thread();

	return replace(lock, 0, mine) ? 0 : wait_and_take(lock, mine);
}

void shared_lock_release(struct shared_lock *lock)
{
	uint64_t mine = word_of_this_thread();

	if (replace(lock, mine, 0))
		return;
	/* Else another process has taken it over. */
	if (replace(lock, mine | WAITERS, 0))
		syscall(SYS_futex, &lock->word, FUTEX_WAKE, INT32_MAX, NULL, NULL,
			0);
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/fresh_state.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/time.h>

#include "lib/cursor.h"
#include "lib/parent_file.h"
#include "paging/raw_syscall.h"

/* Of /proc/PID/status, up to VmLck: the name and the groups come before. */
#define STATUS_SIZE 4096u

static bool is_set(int timer)
{
	struct itimerval t;

	return !getitimer(timer, &t) && (t.it_value.tv_sec || t.it_value.tv_usec);
}

uint32_t fresh_signals_of_caller(void)
{
	sigset_t pending;

	return !sigpending(&pending) && !sigisemptyset(&pending) ? FRESH_SIGNALS : 0;
}

uint32_t fresh_state_of_caller(void)
{
	uint32_t fresh = fresh_signals_of_caller();
	int value = 0;

	if (is_set(ITIMER_REAL) || is_set(ITIMER_VIRTUAL) || is_set(ITIMER_PROF))
		fresh |= FRESH_INTERVAL_TIMERS;
	if (!prctl(PR_GET_CHILD_SUBREAPER, &value) && value)
		fresh |= FRESH_SUBREAPER;
	if (!prctl(PR_GET_PDEATHSIG, &value) && value)
		fresh |= FRESH_DEATH_SIGNAL;
	return fresh;
}

/* Returns the bytes read, with a NUL behind them; 0 if there are none. */
static long read_of_parent(const char *file, char *text, uint32_t size)
{
	long fd = parent_file_open(file), n = 0;

	if (fd >= 0) {
		n = raw_syscall(SYS_read, fd, text, size - 1);
		raw_syscall(SYS_close, fd);
	}
	n = n < 0 ? 0 : n;
	text[n] = '\0';
	return n;
}

static bool has_locked_memory(const char *status)
{
	static const char line[] = "\nVmLck:";
	struct cursor c = { .at = status };

	while (*c.at && !starts_with(c.at, line))
		c.at++;
	if (!*c.at)
		return false;
	c.at += sizeof(line) - 1;
	while (*c.at == ' ' || *c.at == '\t')
		c.at++;
	return take_number(&c, 10) > 0;
}

/* A shadow has them of its parent, as a clone has. */
static bool has_segments(void)
{
	char segment[8];

	return raw_syscall(SYS_modify_ldt, 0, segment, sizeof(segment)) > 0;
}

uint32_t fresh_state_of_parent(const struct shadow_arena *arena)
{
	uint32_t fresh = arena->fresh, seen = 0;
	char text[STATUS_SIZE];

	if (has_segments())
		fresh |= FRESH_SEGMENTS;

	if (read_of_parent("/timers", text, sizeof(text)))
		seen |= FRESH_TIMERS;
	if (read_of_parent("/status", text, sizeof(text)) && has_locked_memory(text))
		seen |= FRESH_LOCKS;
	/* Else it has ended, perhaps, and these are another one's. */
	return raw_syscall(SYS_getppid) == arena->owner_pid ? fresh | seen : fresh;
}

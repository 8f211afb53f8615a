// SPDX-License-Identifier: Apache-2.0
/*
 * What fork makes anew is new in a child: timers, pending signals, locks of memory, the
 * parent-death signal, the child subreaper. So are segments, which fork copies.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "tests/targets/target.h"

#define FAR_S 100000

static void set_timers(timer_t *timer)
{
	static const int kinds[] = { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };
	const struct itimerval far = { .it_value.tv_sec = FAR_S };
	const struct itimerspec far_too = { .it_value.tv_sec = FAR_S };
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		CHECK(!setitimer(kinds[i], &far, NULL));
	CHECK(!timer_create(CLOCK_MONOTONIC, NULL, timer));
	CHECK(!timer_settime(*timer, 0, &far_too, NULL));
}

static bool has_interval_timer(void)
{
	struct itimerval left[3];

	CHECK(!getitimer(ITIMER_REAL, &left[0]));
	CHECK(!getitimer(ITIMER_VIRTUAL, &left[1]));
	CHECK(!getitimer(ITIMER_PROF, &left[2]));
	return left[0].it_value.tv_sec || left[1].it_value.tv_sec ||
	       left[2].it_value.tv_sec;
}

static long locked_kib(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	long kib = -1;

	CHECK(status);
	while (kib < 0 && fgets(line, sizeof(line), status))
		sscanf(line, "VmLck: %ld", &kib);
	fclose(status);
	return kib;
}

/* False on kernels that let no process have any. */
static bool set_segment(void)
{
	struct user_desc segment = {
		.entry_number = 1, .limit = 1, .seg_32bit = 1, .useable = 1
	};

	return !syscall(SYS_modify_ldt, 1, &segment, sizeof(segment));
}

static bool has_segment(void)
{
	char segments[2 * LDT_ENTRY_SIZE];

	return syscall(SYS_modify_ldt, 0, segments, sizeof(segments)) > 0;
}

/* A line for each of them. A clone has segments. */
static void check_report(bool segment)
{
	static const char *const lines[] = {
		"timers (setitimer, alarm): not set\n",
		"timers (timer_create): not there\n",
		"locks of memory (mlock): none\n",
		"PR_SET_CHILD_SUBREAPER: not set\n",
		"PR_SET_PDEATHSIG: not set\n",
	};
	char text[4096];
	size_t i;

	CHECK(mitosis_resume_report(NULL, text, sizeof(text)) > 0);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		CHECK(strstr(text, lines[i]));
	CHECK_EQ(strstr(text, "segments (modify_ldt): none\n") != NULL,
		 segment && !has_segment());
	CHECK(!strstr(text, "pending signals"));
}

static void tell(const char *thing, bool kept)
{
	target_child_has(thing, kept ? "kept" : "fresh");
}

int main(void)
{
	int death_signal = 0, reaper = 0;
	struct itimerspec left;
	timer_t timer;
	bool segment;
	char *locked;

	locked = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(locked != MAP_FAILED);
	locked[0] = 'l';
	if (mlock(locked, PAGE))
		target_skip("the right to lock a page of memory");
	set_timers(&timer);
	segment = set_segment();
	CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	CHECK(!prctl(PR_SET_PDEATHSIG, SIGWINCH, 0, 0, 0));
	target_prepare();

	CHECK_EQ(locked[0], 'l');
	CHECK(!prctl(PR_GET_CHILD_SUBREAPER, &reaper, 0, 0, 0));
	CHECK(!prctl(PR_GET_PDEATHSIG, &death_signal, 0, 0, 0));
	tell("timers (setitimer, alarm)", has_interval_timer());
	tell("timers (timer_create)", !timer_gettime(timer, &left));
	tell("locks of memory (mlock)", locked_kib() > 0);
	tell("PR_SET_CHILD_SUBREAPER", reaper);
	check_report(segment);
	if (segment)
		tell("segments (modify_ldt)", has_segment());
	tell("PR_SET_PDEATHSIG", death_signal == SIGWINCH);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The vdso's clocks are those of this machine: they agree with the system
 * calls, go forward, and cost what a vdso costs.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "tests/targets/target.h"

#define ROUNDS 20000

static int64_t ns_of(const struct timespec *t)
{
	return t->tv_sec * 1000000000ll + t->tv_nsec;
}

static int64_t by_vdso(clockid_t id)
{
	struct timespec t;

	CHECK(!clock_gettime(id, &t));
	return ns_of(&t);
}

static int64_t by_call(clockid_t id)
{
	struct timespec t;

	CHECK(!syscall(SYS_clock_gettime, id, &t));
	return ns_of(&t);
}

static void agrees(clockid_t id)
{
	int i;

	for (i = 0; i < 100; i++) {
		int64_t before = by_call(id), vdso = by_vdso(id);
		int64_t after = by_call(id);

		CHECK(before <= vdso && vdso <= after);
	}
}

int main(void)
{
	int64_t start, vdso_ns = INT64_MAX, call_ns = INT64_MAX, last = 0;
	int64_t at_prepare = by_vdso(CLOCK_MONOTONIC);
	unsigned int cpu, node;
	struct timeval tv;
	time_t a, b, c;
	int round, i;

	target_prepare();

	CHECK(by_vdso(CLOCK_MONOTONIC) > at_prepare);
	agrees(CLOCK_MONOTONIC);
	agrees(CLOCK_REALTIME);
	agrees(CLOCK_BOOTTIME);
	agrees(CLOCK_MONOTONIC_COARSE);
	a = syscall(SYS_time, NULL);
	b = time(NULL);
	c = syscall(SYS_time, NULL);
	CHECK(a <= b && b <= c);
	CHECK(!gettimeofday(&tv, NULL));
	CHECK(tv.tv_sec >= a);
	CHECK(!getcpu(&cpu, &node));
	for (i = 0; i < ROUNDS; i++) {
		int64_t now = by_vdso(CLOCK_MONOTONIC);

		CHECK(now >= last);
		last = now;
	}
	target_child_has("vdso", "fresh");
	/* The best of some rounds: the machine may be busy with other things. */
	for (round = 0; round < 5; round++) {
		int64_t took;

		start = by_call(CLOCK_MONOTONIC);
		for (i = 0; i < ROUNDS; i++)
			by_vdso(CLOCK_MONOTONIC);
		took = by_call(CLOCK_MONOTONIC) - start;
		vdso_ns = took < vdso_ns ? took : vdso_ns;
		start = by_call(CLOCK_MONOTONIC);
		for (i = 0; i < ROUNDS; i++)
			by_call(CLOCK_MONOTONIC);
		took = by_call(CLOCK_MONOTONIC) - start;
		call_ns = took < call_ns ? took : call_ns;
	}
	/* Under software emulation (tests/qemu) it may have no clock to read. */
	if (getenv("MITOSIS_TEST_EMULATED"))
		return 0;
	CHECK(vdso_ns / ROUNDS < 1000);
	/* A vdso that falls back to the call is slower than the call alone. */
	CHECK(vdso_ns < call_ns + call_ns / 4);
	return 0;
}

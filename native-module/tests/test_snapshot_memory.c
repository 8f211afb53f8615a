// SPDX-License-Identifier: Apache-2.0
/*
 * The snapshot is real: what the parent overwrites, unmaps or forbids after
 * prepare is still there, at no copy of the working set.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <unistd.h>

#include "tests/harness.h"

#define SIZE (64ul << 20)
#define ID   73

/* The kernel writes the number of the CPU into the area of a thread that has registered one. */
static void check_rseq_stays(struct mitosis *device, pid_t shadow)
{
	uintptr_t area = (uintptr_t)__builtin_thread_pointer() + __rseq_offset;
	char first[32], now[32];
	int cpu;

	CHECK_EQ(mitosis_read(device, ID, area, first, sizeof(first)), 0);
	for (cpu = 0; cpu < sysconf(_SC_NPROCESSORS_CONF); cpu++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (sched_setaffinity(shadow, sizeof(set), &set))
			continue;
		/* The first answer has made it run there. */
		CHECK_EQ(mitosis_read(device, ID, area, now, sizeof(now)), 0);
		CHECK_EQ(mitosis_read(device, ID, area, now, sizeof(now)), 0);
		CHECK(!memcmp(now, first, sizeof(now)));
	}
}

int main(void)
{
	struct mitosis *device = open_user();
	unsigned char *set = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *gone = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *secret = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *copy = malloc(SIZE);
	static unsigned char global = 5;
	volatile unsigned char local = 6;
	unsigned char byte;
	pid_t shadow;
	size_t i;

	CHECK(set != MAP_FAILED && gone != MAP_FAILED && copy);
	for (i = 0; i < SIZE; i++)
		set[i] = i * 31 >> 3;
	memset(gone, 0x42, 8192);
	memset(secret, 0x17, 4096);
	mprotect(secret, 4096, PROT_NONE);
	memset(copy, 0, 4096);

	CHECK_EQ(mitosis_prepare(device, ID), 0);
	shadow = find_snapshot(device, ID).shadow_pid;
	/* Reading waits until the shadow has registered. */
	CHECK_EQ(mitosis_read(device, ID, (uintptr_t)set, &byte, 1), 0);
	CHECK(pss_of(getpid()) + pss_of(shadow) < SIZE + (16ul << 20));

	memset(set, 0xee, SIZE);
	munmap(gone, 8192);
	global = 50;
	local = 60;

	CHECK_EQ(mitosis_read(device, ID, (uintptr_t)set, copy, SIZE), 0);
	for (i = 0; i < SIZE; i++)
		CHECK(copy[i] == (unsigned char)(i * 31 >> 3));
	CHECK_EQ(mitosis_read(device, ID, (uintptr_t)gone, copy, 8192), 0);
	CHECK(copy[0] == 0x42 && copy[8191] == 0x42);
	CHECK_EQ(mitosis_read(device, ID, (uintptr_t)secret, &byte, 1), 0);
	CHECK_EQ(byte, 0x17);
	CHECK_EQ(mitosis_read(device, ID, (uintptr_t)&global, &byte, 1), 0);
	CHECK_EQ(byte, 5);
	CHECK_EQ(mitosis_read(device, ID, (uintptr_t)&local, &byte, 1), 0);
	CHECK_EQ(byte, 6);
	CHECK_EQ(set[0], 0xee);

	CHECK_EQ(mitosis_read(device, ID, 0, copy, 16), -EFAULT);
	CHECK_EQ(mitosis_read(device, ID, (uintptr_t)-16, copy, 64), -EFAULT);
	CHECK_EQ(mitosis_read(device, ID, (uintptr_t)set, copy, 0), 0);
	CHECK_EQ(mitosis_read(device, ID + 1, (uintptr_t)set, copy, 1), -ENOENT);
	if (__rseq_size)
		check_rseq_stays(device, shadow);
	CHECK(alive(shadow));
	mitosis_close(device);
	CHECK(!alive(shadow));
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * After 200 rounds of prepare, resume, writes on both sides and unprepare, the
 * machine must have as much free memory as before. A leak of one page a round loses
 * 200 pages in every trial; other activity of the machine does not do so in every
 * trial.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define SIZE	  (1u << 20)
#define ROUNDS	  200
#define TRIALS	  4
#define PAGE_KIB  4
#define SLACK_KIB (ROUNDS / 2 * PAGE_KIB)

static volatile char *memory;

static long field_kib(const char *name)
{
	char line[128];
	long value = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			value = atol(line + strlen(name) + 1);
	fclose(f);
	CHECK(value >= 0);
	return value;
}

/*
 * Free pages on the per-CPU lists, which MemFree does not count. Linux tunes the
 * lengths of the lists; since 6.7 they may hold tens of MiB.
 */
static long on_cpu_lists_kib(void)
{
	char line[128];
	long pages = 0, count;
	int lists = 0;
	FILE *f = fopen("/proc/zoneinfo", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %ld", &count) == 1) {
			pages += count;
			lists++;
		}
	fclose(f);
	CHECK(lists > 0);
	return pages * PAGE_KIB;
}

static long free_now_kib(void)
{
	return field_kib("MemFree") + on_cpu_lists_kib();
}

static void settle(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	sync();
	CHECK(fd >= 0 && write(fd, "3", 1) == 1);
	close(fd);
	sleep_ms(300); /* RCU frees memory after a grace period */
}

static void round_trip(struct mitosis *device, uint32_t handler_id)
{
	unsigned int i;
	pid_t pid;

	for (i = 0; i < SIZE; i += 4096)
		memory[i] = handler_id;
	CHECK_EQ(mitosis_prepare(device, handler_id), 0);
	if (mitosis_nil(device)) {
		for (i = 0; i < SIZE; i += 4096) {
			if (memory[i] != (char)handler_id)
				_exit(1);
			/* Half are read only. */
			if (i & 4096)
				memory[i]++;
		}
		_exit(0);
	}
	pid = start_kernel_child(handler_id, 16);
	for (i = 0; i < SIZE; i += 4 * 4096)
		memory[i]++;
	CHECK_EQ(status_within(pid, 10000), 0);
	CHECK_EQ(mitosis_unprepare(device, handler_id), 0);
}

int main(void)
{
	struct mitosis *device = open_kernel();
	long lost_kib = 0, slab_kib = 0;
	int i, trial;

	if (geteuid())
		skip("needs root, to drop the page cache");
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	for (i = 0; i < 20; i++)
		round_trip(device, i);
	for (trial = 0; trial < TRIALS; trial++) {
		long free_kib, unreclaimable_kib;

		settle();
		free_kib = free_now_kib();
		unreclaimable_kib = field_kib("SUnreclaim");
		for (i = 0; i < ROUNDS; i++)
			round_trip(device, i);
		settle();
		lost_kib = free_kib - free_now_kib();
		slab_kib = field_kib("SUnreclaim") - unreclaimable_kib;
		printf("%d rounds: %ld KiB less free, %ld KiB more slab\n", ROUNDS,
		       lost_kib, slab_kib);
		if (lost_kib < SLACK_KIB && slab_kib < SLACK_KIB) {
			mitosis_close(device);
			return 0;
		}
	}
	printf("every trial lost memory, the last one %ld KiB, %ld KiB of slab\n",
	       lost_kib, slab_kib);
	return 1;
}

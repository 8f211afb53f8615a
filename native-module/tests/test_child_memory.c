// SPDX-License-Identifier: Apache-2.0
/*
 * A child holds what it touched, in windows, and no more of its parent's memory:
 * also when it is given first what the children before it have touched, and
 * whether its pages come from this machine or another.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"
#include "tests/machine.h"

#define SIZE	    (64ul << 20)
#define PAGE	    4096ul
#define TOUCHED	    16 /* pages, evenly spread over the memory */
#define STEP	    (SIZE / TOUCHED)
#define SHIFT	    (STEP / 8) /* from one child's pages to the next one's */
#define CHILDREN    3	       /* one after the other; the first is recorded */
#define ID	    9
#define MACHINE	    2
#define DEADLINE_MS 10000
#define NUMBER_FD   60 /* a child's file, which has its number */

static unsigned char *set;

/* Bytes of the working set that are there. */
static uint64_t resident(void)
{
	static unsigned char there[SIZE / PAGE];
	uint64_t sum = 0;
	size_t i;

	CHECK(!mincore(set, SIZE, there));
	for (i = 0; i < SIZE / PAGE; i++)
		sum += there[i] & 1 ? PAGE : 0;
	return sum;
}

static int touch(uint32_t window)
{
	uint64_t least, most, held;
	size_t i;
	int number;

	if (pread(NUMBER_FD, &number, sizeof(number), 0) != sizeof(number))
		return 1;
	for (i = 0; i < TOUCHED; i++)
		if (set[i * STEP + number * SHIFT] != 1 + number)
			return 2;
	/* The first one gets page by page; those after it, what it touched as well. */
	least = number ? TOUCHED * window * PAGE : TOUCHED * PAGE;
	most = least + (number ? number * TOUCHED * PAGE : 0);
	held = resident();
	printf("windows of %u pages, child %d: %llu KiB\n", window, number,
	       (unsigned long long)held >> 10);
	fflush(stdout);
	return held >= least && held <= most ? 0 : 3;
}

static int resume(const struct machine *remote, uint32_t window)
{
	const struct mitosis_resume_options options = {
		.mode = MITOSIS_RESUME_LAZY,
		.prefetch_pages = window,
	};
	struct mitosis *device;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return status_within(pid, DEADLINE_MS);
	device = open_user();
	CHECK_EQ(mitosis_set_resume_options(device, &options), 0);
	if (remote) {
		CHECK_EQ(mitosis_connect(device, MACHINE, remote->address), 0);
		mitosis_resume_remote(device, MACHINE, ID);
	} else {
		mitosis_resume_local(device, ID);
	}
	printf("%s\n", mitosis_error());
	exit(4);
}

static void check(struct mitosis *device, const struct machine *remote,
		  uint32_t window)
{
	int i;

	fflush(stdout);
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device))
		_exit(touch(window));
	for (i = 0; i < CHILDREN; i++) {
		CHECK(pwrite(NUMBER_FD, &i, sizeof(i), 0) == sizeof(i));
		CHECK_EQ(resume(remote, window), 0);
	}
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
}

int main(void)
{
	static const uint32_t windows[] = { 1, 64 };
	struct mitosis *device;
	struct machine holder;
	size_t i;
	int file;

	need_userfaultfd();
	set = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0);
	CHECK(set != MAP_FAILED);
	/* A huge page would be the kernel's window, not ours. */
	madvise(set, SIZE, MADV_NOHUGEPAGE);
	memset(set, 0xee, SIZE);
	for (i = 0; i < TOUCHED * CHILDREN; i++)
		set[i / CHILDREN * STEP + i % CHILDREN * SHIFT] = 1 + i % CHILDREN;
	file = memfd_create("number", 0);
	CHECK(file >= 0 && dup2(file, NUMBER_FD) == NUMBER_FD);
	close(file);
	use_key("memory");
	holder = machine_start(MACHINE);
	device = open_user();
	for (i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
		check(device, NULL, windows[i]);
	mitosis_close(device);
	machine_enter(&holder);
	device = open_user();
	machine_leave();
	for (i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
		check(device, &holder, windows[i]);
	mitosis_close(device);
	machine_stop(&holder);
	return 0;
}

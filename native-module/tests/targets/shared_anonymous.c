// SPDX-License-Identifier: Apache-2.0
/*
 * Shared anonymous memory, /dev/zero and a memfd: a child sees what they held at prepare,
 * and what it writes stays its own. A child of the kernel module is told that what it forks
 * does not share them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "tests/targets/target.h"

#define SIZE (MIB + PAGE)

static void check_report(void)
{
	if (target_child_is_modules())
		CHECK(target_report_has("shared memory: "));
}

int main(void)
{
	int files[3] = { -1, memfd_create("target", MFD_CLOEXEC),
			 open("/dev/zero", O_RDWR | O_CLOEXEC) };
	char *memory[3];
	int i;

	CHECK(files[1] >= 0 && files[2] >= 0 && !ftruncate(files[1], SIZE));
	for (i = 0; i < 3; i++) {
		memory[i] = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				 MAP_SHARED | (i ? 0 : MAP_ANONYMOUS), files[i], 0);
		CHECK(memory[i] != MAP_FAILED);
		target_fill(memory[i], SIZE, i + 1);
		target_overwrites(memory[i], SIZE);
		/* Open and mapped, it would be two objects in a child: that is refused. */
		if (i)
			CHECK(!close(files[i]));
	}
	target_prepare();

	for (i = 0; i < 3; i++) {
		CHECK_EQ(target_differs(memory[i], 0, SIZE, i + 1), -1);
		target_fill(memory[i], SIZE, getpid() & 0xfff);
	}
	usleep(20000);
	for (i = 0; i < 3; i++)
		CHECK_EQ(target_differs(memory[i], 0, SIZE, getpid() & 0xfff), -1);
	check_report();
	target_child_has("shared memory without a file", "kept");
	return 0;
}

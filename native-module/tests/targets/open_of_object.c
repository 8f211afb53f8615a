// SPDX-License-Identifier: Apache-2.0
/*
 * Shared memory without a file that is mapped and open, too, as Python's multiprocessing has it: a child
 * makes an object of what is mapped, and the open file would be another one, so there is no child.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "tests/targets/target.h"

int main(void)
{
	int fd = memfd_create("open", MFD_CLOEXEC);
	char *memory, byte;

	target_needs_user_backend();
	CHECK(fd >= 0 && !ftruncate(fd, PAGE));
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(memory != MAP_FAILED);
	memory[0] = 'a';
	target_may_be_refused(
		"shared memory without a file that is open, too",
		"it is mapped and shared, too, and would be two objects");
	target_prepare();

	memory[0] = 'b';
	CHECK_EQ(pread(fd, &byte, 1, 0), 1);
	CHECK_EQ(byte, 'b');
	target_child_has("shared memory without a file that is open, too", "kept");
	return 0;
}

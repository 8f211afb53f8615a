// SPDX-License-Identifier: Apache-2.0
/*
 * Shared anonymous memory: a child sees what it held at prepare or later, as
 * the parent goes on sharing it with the snapshot; what the child writes stays
 * its own. Also a memfd, mapped shared.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "tests/targets/target.h"

#define SIZE (MIB + PAGE)

int main(void)
{
	int fd = memfd_create("target", MFD_CLOEXEC);
	char *anonymous, *file;

	CHECK(fd >= 0 && !ftruncate(fd, SIZE));
	anonymous = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	file = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(anonymous != MAP_FAILED && file != MAP_FAILED);
	target_fill(anonymous, SIZE, 1);
	target_fill(file, SIZE, 2);
	target_prepare();

	CHECK_EQ(target_differs(anonymous, 0, SIZE, 1), -1);
	CHECK_EQ(target_differs(file, 0, SIZE, 2), -1);
	target_fill(anonymous, SIZE, getpid() & 0xfff);
	target_fill(file, SIZE, getpid() & 0xfff);
	usleep(20000);
	CHECK_EQ(target_differs(anonymous, 0, SIZE, getpid() & 0xfff), -1);
	CHECK_EQ(target_differs(file, 0, SIZE, getpid() & 0xfff), -1);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Whether a child has the files that its parent has open: here one with a path. */
#include <fcntl.h>

#include "tests/targets/target.h"

#define NUMBER 77

int main(void)
{
	char bytes[8] = "";
	int fd = open("/proc/self/exe", O_RDONLY);

	CHECK(fd >= 0);
	CHECK_EQ(dup2(fd, NUMBER), NUMBER);
	close(fd);
	CHECK_EQ(read(NUMBER, bytes, 4), 4);
	target_prepare();

	if (fcntl(NUMBER, F_GETFD) < 0) {
		target_child_has("open files", "none");
		return 0;
	}
	CHECK_EQ(lseek(NUMBER, 0, SEEK_CUR), 4);
	CHECK_EQ(pread(NUMBER, bytes + 4, 4, 0), 4);
	CHECK(!memcmp(bytes, bytes + 4, 4));
	target_child_has("open files", "kept");
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * What a child writes through a shared mapping of a file reaches the file, whatever that
 * is called: "(deleted)" at the end of a name that exists, a newline, a backslash.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "tests/targets/target.h"

static const char *const names[] = { "plain", "back\\slash", "back\\012slash",
				     "report (deleted)", "two\nlines" };

#define NAMES (sizeof(names) / sizeof(names[0]))

int main(void)
{
	static char paths[NAMES][300];
	char *memory[NAMES];
	size_t i;

	for (i = 0; i < NAMES; i++) {
		int fd;

		snprintf(paths[i], sizeof(paths[i]), "%s/%d-%s",
			 getenv("MITOSIS_RUNTIME_DIR"), getpid(), names[i]);
		fd = open(paths[i], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		CHECK(fd >= 0 && !ftruncate(fd, 2 * PAGE));
		memory[i] = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
				 fd, 0);
		CHECK(memory[i] != MAP_FAILED);
		memory[i][0] = 'p';
		close(fd);
	}
	target_prepare();

	for (i = 0; i < NAMES; i++) {
		char byte = 0;
		int fd;

		CHECK_EQ(memory[i][0], 'p');
		memory[i][PAGE] = 'c';
		fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		CHECK(fd >= 0);
		CHECK_EQ(pread(fd, &byte, 1, PAGE), 1);
		CHECK_EQ(byte, 'c');
		close(fd);
	}
	target_child_has("shared mappings of files with odd names", "shared");
	return 0;
}

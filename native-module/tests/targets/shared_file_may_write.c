// SPDX-License-Identifier: Apache-2.0
/*
 * A shared mapping that is only read can be made writable in a child if the parent had
 * opened its file for writing; a file that was opened for reading cannot be written to.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "tests/targets/target.h"

static char *map(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	char *m;

	CHECK(fd >= 0);
	m = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(m != MAP_FAILED);
	close(fd);
	return m;
}

int main(void)
{
	char path[4096], found = 0;
	char *writable, *readable;
	int fd;

	/* The runner removes it. */
	snprintf(path, sizeof(path), "%s/may-write", getenv("MITOSIS_RUNTIME_DIR"));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(pwrite(fd, "parent", 6, 0), 6);
	CHECK(!ftruncate(fd, PAGE));
	close(fd);
	writable = map(path, O_RDWR);
	readable = map(path, O_RDONLY);
	target_prepare();

	CHECK(!strcmp(readable, "parent"));
	CHECK(mprotect(readable, PAGE, PROT_READ | PROT_WRITE));
	CHECK_EQ(errno, EACCES);
	CHECK(!mprotect(writable, PAGE, PROT_READ | PROT_WRITE));
	writable[100] = 'c';
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK_EQ(pread(fd, &found, 1, 100), 1);
	CHECK_EQ(found, 'c');
	target_child_has("right to write a shared file", "kept");
	return 0;
}

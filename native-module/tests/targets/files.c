// SPDX-License-Identifier: Apache-2.0
/*
 * Mapped files: clean and privately changed pages, an offset, a mapping longer
 * than its file, a shared one that the child writes through, and a file that
 * was deleted.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include "tests/targets/target.h"

#define SIZE (MIB + 3 * PAGE)

static char paths[3][256];
static sigjmp_buf back;

static void leave(int signal)
{
	siglongjmp(back, signal);
}

static int make_file(int index, uint64_t seed)
{
	char *buffer = malloc(SIZE);
	int fd;

	snprintf(paths[index], sizeof(paths[index]), "%s/target-%d-%d",
		 getenv("MITOSIS_RUNTIME_DIR"), getpid(), index);
	fd = open(paths[index], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	target_fill(buffer, SIZE, seed);
	CHECK_EQ(write(fd, buffer, SIZE), SIZE);
	free(buffer);
	return fd;
}

static char *map(int fd, int flags, size_t offset, size_t size)
{
	char *m = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, offset);

	CHECK(m != MAP_FAILED);
	return m;
}

/* Before Linux 6.6 the user backend cannot refuse a page. */
static bool may_read_zeros(void)
{
	struct utsname name;
	int major, minor;

	CHECK(!uname(&name));
	CHECK_EQ(sscanf(name.release, "%d.%d", &major, &minor), 2);
	return major < 6 || (major == 6 && minor < 6);
}

int main(void)
{
	int first = make_file(0, 1), second = make_file(1, 2);
	int deleted = make_file(2, 3);
	char *clean = map(first, MAP_PRIVATE, 0, SIZE);
	char *changed = map(first, MAP_PRIVATE, 0, SIZE);
	uint64_t *offset = (uint64_t *)map(first, MAP_PRIVATE, MIB, 2 * PAGE);
	char *beyond = map(first, MAP_PRIVATE, 0, SIZE + 2 * PAGE);
	char *shared = map(second, MAP_SHARED, 0, SIZE);
	char *removed = map(deleted, MAP_PRIVATE, 0, SIZE);
	char *removed_shared = map(deleted, MAP_SHARED, 0, SIZE);
	struct sigaction action = { .sa_handler = leave };
	uint64_t word;
	int fd;

	memset(changed + 2 * PAGE, 'c', PAGE);
	memset(changed + MIB, 'c', PAGE);
	memset(removed + 4 * PAGE, 'r', PAGE);
	beyond[0] ^= 1;
	CHECK(!unlink(paths[2]));
	CHECK(!sigaction(SIGBUS, &action, NULL));
	target_overwrites(changed, SIZE);
	target_overwrites(removed, SIZE);
	close(first);
	close(second);
	close(deleted);
	target_prepare();

	CHECK_EQ(target_differs(clean, 0, SIZE, 1), -1);
	memset(clean + 3 * PAGE, 'p', PAGE);
	CHECK_EQ(target_differs(changed, 0, 2 * PAGE, 1), -1);
	CHECK(changed[2 * PAGE] == 'c' && changed[3 * PAGE - 1] == 'c');
	CHECK_EQ(target_differs(changed, 3 * PAGE, MIB - 3 * PAGE, 1), -1);
	CHECK(changed[MIB] == 'c' && changed[MIB + PAGE - 1] == 'c');
	CHECK_EQ(target_differs(changed, MIB + PAGE, 2 * PAGE, 1), -1);
	CHECK_EQ(offset[0], target_word(1, MIB / 8));
	CHECK_EQ(offset[PAGE / 4 - 1], target_word(1, (MIB + 2 * PAGE) / 8 - 1));
	CHECK_EQ(target_differs(beyond, PAGE, SIZE - PAGE, 1), -1);
	/* Behind the end of a file: SIGBUS, as in the parent. */
	if (!sigsetjmp(back, 1)) {
		CHECK_EQ(target_not_zero(beyond + SIZE, PAGE), -1);
		CHECK(may_read_zeros());
	}
	CHECK_EQ(target_differs(removed, 0, 4 * PAGE, 3), -1);
	CHECK(removed[4 * PAGE] == 'r');
	CHECK_EQ(target_differs(removed, 5 * PAGE, SIZE - 5 * PAGE, 3), -1);
	CHECK_EQ(target_differs(removed_shared, 0, SIZE, 3), -1);

	/* Children of one snapshot write the same word. */
	CHECK_EQ(target_differs(shared, PAGE, SIZE - PAGE, 2), -1);
	*(uint64_t *)shared = 0x600d;
	CHECK(!msync(shared, PAGE, MS_SYNC));
	fd = open(paths[1], O_RDONLY);
	CHECK(fd >= 0);
	CHECK_EQ(pread(fd, &word, sizeof(word), 0), 8);
	CHECK_EQ(word, 0x600d);
	fd = open(paths[0], O_RDONLY);
	CHECK_EQ(pread(fd, &word, sizeof(word), 3 * PAGE), 8);
	CHECK_EQ(word, target_word(1, 3 * PAGE / 8));
	target_child_has("private mappings of files", "kept");
	target_child_has("shared mappings of files", "shared");
	target_child_has("mapped files that were deleted", "kept");
	return 0;
}

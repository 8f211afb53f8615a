// SPDX-License-Identifier: Apache-2.0
/*
 * Files with a path, and files without: positions, which open files share one, flags,
 * and the bytes of what has no path. The parent goes on with its own after prepare.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/targets/target.h"

#define SIZE 10000

static char path[512], bytes[SIZE];
static int file, same, other, high, memory, deleted, deleted_log, unnamed, appended;

static int flags_of(int fd)
{
	return fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_PATH);
}

static void expect(int fd, const char *text)
{
	char read_[64] = { 0 };

	CHECK_EQ(pread(fd, read_, sizeof(read_) - 1, 0), strlen(text));
	CHECK(!strcmp(read_, text));
}

static void spoil(void)
{
	CHECK_EQ(lseek(file, 0, SEEK_SET), 0);
	CHECK_EQ(lseek(other, 9, SEEK_SET), 9);
	CHECK_EQ(pwrite(deleted, "XXXXXX", 6, 0), 6);
	CHECK_EQ(ftruncate(deleted, 1), 0);
	CHECK_EQ(write(deleted_log, "more", 4), 4);
	CHECK_EQ(lseek(memory, 0, SEEK_END), 7);
}

static void make_files(const char *dir)
{
	int fd;

	snprintf(path, sizeof(path), "%s/kept-%d", dir, getpid());
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	target_fill(bytes, SIZE, 1);
	CHECK_EQ(write(fd, bytes, SIZE), SIZE);
	close(fd);
	file = open(path, O_RDONLY);
	CHECK_EQ(lseek(file, 100, SEEK_SET), 100);
	same = dup(file);
	other = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	CHECK_EQ(lseek(other, 500, SEEK_SET), 500);
	high = fcntl(other, F_DUPFD, 1500); /* where the library moves its own to */
	if (high < 0)
		high = fcntl(other, F_DUPFD, 900);
	CHECK(high >= 900);
}

static void make_nameless(const char *dir)
{
	char gone[512];

	memory = memfd_create("kept", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK_EQ(write(memory, "memory!", 7), 7);
	CHECK_EQ(lseek(memory, 2, SEEK_SET), 2);
	CHECK_EQ(fcntl(memory, F_ADD_SEALS, F_SEAL_GROW), 0);
	snprintf(gone, sizeof(gone), "%s/gone-%d", dir, getpid());
	deleted = open(gone, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK_EQ(write(deleted, "deleted", 7), 7);
	CHECK_EQ(lseek(deleted, 3, SEEK_SET), 3);
	CHECK_EQ(unlink(gone), 0);
	/* Nothing can be read by this number. */
	deleted_log = open(gone, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC, 0600);
	CHECK_EQ(write(deleted_log, "log", 3), 3);
	appended = open(gone, O_RDONLY);
	CHECK_EQ(unlink(gone), 0);
	unnamed = open(dir, O_TMPFILE | O_RDWR, 0600);
	if (unnamed >= 0)
		CHECK_EQ(write(unnamed, "unnamed", 7), 7);
}

int main(void)
{
	const char *dir = getenv("MITOSIS_RUNTIME_DIR");
	int directory, null, named, self, thread, standard;
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	struct stat st;
	char byte[8];

	make_files(dir);
	make_nameless(dir);
	directory = open(dir, O_RDONLY | O_DIRECTORY);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	named = open(path, O_PATH | O_CLOEXEC);
	self = open("/proc/self/stat", O_RDONLY);
	thread = open("/proc/thread-self/stat", O_RDONLY);
	standard = dup(STDOUT_FILENO);
	/* A child does not have them. */
	CHECK_EQ(flock(file, LOCK_SH), 0);
	CHECK_EQ(fcntl(other, F_OFD_SETLK, &lock), 0);
	target_spoils = spoil;
	target_prepare();

	/* Where the parent's positions were, shared by the same numbers. */
	CHECK_EQ(lseek(file, 0, SEEK_CUR), 100);
	CHECK_EQ(read(file, byte, 8), 8);
	CHECK(!memcmp(byte, bytes + 100, 8));
	CHECK_EQ(lseek(same, 0, SEEK_CUR), 108);
	CHECK_EQ(lseek(other, 0, SEEK_CUR), 500);
	CHECK_EQ(read(high, byte, 8), 8);
	CHECK(!memcmp(byte, bytes + 500, 8));
	CHECK_EQ(lseek(other, 0, SEEK_CUR), 508);
	CHECK_EQ(flags_of(other), O_NONBLOCK);
	CHECK_EQ(flags_of(file), O_RDONLY);
	CHECK(fcntl(other, F_GETFD) & FD_CLOEXEC);
	CHECK(!(fcntl(high, F_GETFD) & FD_CLOEXEC));

	CHECK_EQ(lseek(memory, 0, SEEK_CUR), 2);
	expect(memory, "memory!");
	CHECK_EQ(fcntl(memory, F_GET_SEALS), F_SEAL_GROW);
	CHECK_EQ(lseek(deleted, 0, SEEK_CUR), 3);
	expect(deleted, "deleted");
	CHECK_EQ(pwrite(deleted, "D", 1, 0), 1);
	CHECK_EQ(flags_of(deleted_log), O_WRONLY | O_APPEND);
	CHECK_EQ(write(deleted_log, "s", 1), 1);
	expect(appended, "log");
	if (unnamed >= 0)
		expect(unnamed, "unnamed");

	CHECK(!fstat(directory, &st) && S_ISDIR(st.st_mode));
	CHECK_EQ(write(null, "x", 1), 1);
	CHECK(fcntl(named, F_GETFL) & O_PATH);
	CHECK(read(self, byte, 8) > 0);
	CHECK_EQ(atoi(byte), getpid());
	CHECK(read(thread, byte, 8) > 0);
	CHECK_EQ(atoi(byte), getpid());
	/* A copy of a standard file is one of the child's own. */
	CHECK_EQ(write(standard, "", 0), 0);
	CHECK(!fstat(STDOUT_FILENO, &st));
	CHECK(target_is_told(same, "has no lock of its parent on a file"));
	CHECK(target_is_told(high, "has no lock of its parent on a file"));
	target_child_has("position and flags of open files", "kept");
	return 0;
}

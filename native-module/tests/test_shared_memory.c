// SPDX-License-Identifier: Apache-2.0
/*
 * Shared memory that a snapshot does not take: more than MITOSIS_SHARED_MIB, and what is
 * no memory of a process. Prepare fails and names it; without it, prepare succeeds. A
 * process without shared memory does not wait for its shadow.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/shared_memory.h"
#include "tests/harness.h"

#define ID  73
#define MIB (1ul << 20)

static void *map(size_t size, int flags, int fd)
{
	void *p =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static int prepare(struct mitosis *device)
{
	pid_t self = getpid();
	int err = mitosis_prepare(device, ID);

	if (getpid() != self)
		_exit(1);
	return err;
}

/* True if prepare has failed with this error and these two texts in its message. */
static void refused(struct mitosis *device, int err, const char *name,
		    const char *way)
{
	CHECK_EQ(prepare(device), err);
	puts(mitosis_error());
	CHECK(strstr(mitosis_error(), name) && strstr(mitosis_error(), way));
	CHECK_EQ(find_snapshot(device, ID).handler_id, 0);
	CHECK_EQ(child_count(), 0);
}

static void taken(struct mitosis *device)
{
	CHECK_EQ(prepare(device), 0);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
}

static void too_much(void)
{
	struct mitosis *device = open_user();
	int fd = memfd_create("of a test", MFD_CLOEXEC);
	void *large, *small = map(MIB, MAP_ANONYMOUS, -1);

	CHECK(fd >= 0 && !ftruncate(fd, 64 * MIB));
	large = map(64 * MIB, 0, fd);
	refused(device, -EFBIG, "/memfd:of a test", "MITOSIS_SHARED_MIB");
	CHECK(strstr(mitosis_error(), " 65 MiB"));
	munmap(small, MIB);
	taken(device);
	small = map(MIB, MAP_ANONYMOUS, -1);
	mitosis_close(device);
	setenv("MITOSIS_SHARED_MIB", "65", 1);
	device = open_user();
	taken(device);
	mitosis_close(device);
	munmap(small, MIB);
	munmap(large, 64 * MIB);
	close(fd);
	setenv("MITOSIS_SHARED_MIB", "0", 1);
	CHECK_EQ(mitosis_open(MITOSIS_BACKEND_USER, &device), -EINVAL);
	CHECK(strstr(mitosis_error(), "MITOSIS_SHARED_MIB must be between 1 and"));
	unsetenv("MITOSIS_SHARED_MIB");
}

static void foreign(void)
{
	struct mitosis *device = open_user();
	aio_context_t context = 0;

	if (syscall(SYS_io_setup, 8, &context)) {
		puts("memory of the kernel left out: needs io_setup");
		mitosis_close(device);
		return;
	}
	refused(device, -EOPNOTSUPP, "[aio]", "unmap");
	CHECK_EQ(syscall(SYS_io_destroy, context), 0);
	taken(device);
	mitosis_close(device);
}

static void found(void)
{
	struct mitosis *device = open_user(), *another = open_user();
	int maps = -1, none = open("/dev/null", O_RDONLY | O_CLOEXEC);
	void *memory;

	/* `none` is as a kernel before Linux 6.11. */
	CHECK(none >= 0);
	/* The library's own shared memory does not count. */
	CHECK(!shared_memory_exists(&maps, NULL) &&
	      !shared_memory_exists(&none, NULL));
	memory = map(4096, MAP_ANONYMOUS, -1);
	CHECK(shared_memory_exists(&maps, NULL) &&
	      shared_memory_exists(&none, NULL));
	munmap(memory, 4096);
	CHECK(!shared_memory_exists(&maps, NULL) &&
	      !shared_memory_exists(&none, NULL));
	memory = mmap(NULL, 4096, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared_memory_exists(&maps, NULL) &&
	      shared_memory_exists(&none, NULL));
	munmap(memory, 4096);
	close(maps);
	close(none);
	mitosis_close(another);
	mitosis_close(device);
}

int main(void)
{
	found();
	too_much();
	foreign();
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The pages that a child has fetched from another machine, and those that have come with
 * them, are charged to its control group: nobody gets memory beyond the limit of his own, by dropping memory
 * here and there, either.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "paging/raw_syscall.h"
#include "tests/harness.h"
#include "uapi/mitosis.h"

#define ID     64
#define SIZE   (32ul << 20)
#define WINDOW 16ul /* pages */
#define PAGE   4096ul
#define ROOT   "/sys/fs/cgroup"
#define GROUP  ROOT "/mitosis-charged"
/* Of the child that drops a page in each block, of which the module notes 64 bytes or more. */
#define HOLES_ID   65
#define HOLES_SIZE (512ul << 30)
#define BLOCK	   (2ul << 20)
#define LIMIT	   (8ul << 20)
#define BEYOND_MAX (3ul << 20)

static char *memory;
static int told[2];

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written =
		fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

static unsigned long number_in(const char *path)
{
	unsigned long number;
	FILE *f = fopen(path, "re");

	CHECK(f && fscanf(f, "%lu", &number) == 1);
	fclose(f);
	return number;
}

/* Whether groups below the root have their memory counted. */
static bool memory_is_counted(void)
{
	FILE *f = fopen(ROOT "/cgroup.subtree_control", "re");
	char controllers[256] = "";
	bool counted = f && fgets(controllers, sizeof(controllers), f) &&
		       strstr(controllers, "memory");

	if (f)
		fclose(f);
	return counted;
}

/* Of each window, one page: the others have come with it. */
static void touch_and_wait(void)
{
	unsigned long i, sum = 0;
	char byte = 0;

	for (i = 0; i < SIZE; i += WINDOW * PAGE)
		sum += ((volatile char *)memory)[i];
	if (sum != SIZE / (WINDOW * PAGE) || write(told[1], &byte, 1) != 1)
		_exit(1);
	pause();
}

static void prepare(int device)
{
	pid_t pid = fork(), self;

	CHECK(pid >= 0);
	if (pid) {
		int status;

		CHECK(waitpid(pid, &status, 0) == pid && !status);
		return;
	}
	self = getpid();
	memset(memory, 1, SIZE);
	if (ioctl(device, MITOSIS_PREPARE_PINNED, ID))
		_exit(1);
	if (getpid() != self)
		touch_and_wait();
	_exit(0);
}

/* Without the C library: a page of it that is touched when the group has no memory left ends in the kernel's log. */
static void make_holes(char *holes)
{
	unsigned long i;

	for (i = 0; i < HOLES_SIZE; i += BLOCK)
		raw_syscall(SYS_madvise, holes + i, PAGE, MADV_DONTNEED);
	for (;;)
		raw_syscall(SYS_exit_group, 0);
}

/* Returns the most that the child's group had. */
static unsigned long peak_of_holes(int device)
{
	const uint32_t id = HOLES_ID;
	char *holes = mmap(NULL, HOLES_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	pid_t child, self;
	char limit[32];
	int status;

	CHECK(holes != MAP_FAILED);
	snprintf(limit, sizeof(limit), "%lu", LIMIT);
	CHECK(write_text(GROUP "/memory.max", limit));
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		self = getpid();
		holes[0] = 1;
		if (ioctl(device, MITOSIS_PREPARE_PINNED, HOLES_ID))
			_exit(1);
		if (getpid() != self)
			make_holes(holes);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && !status);
	munmap(holes, HOLES_SIZE);
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);

		if (write_text(GROUP "/cgroup.procs", "0"))
			ioctl(fd, MITOSIS_RESUME_LOCAL, HOLES_ID);
		perror("child");
		_exit(1);
	}
	/* It may as well be killed for what it takes. */
	CHECK(waitpid(child, &status, 0) == child &&
	      (WIFSIGNALED(status) || !WEXITSTATUS(status)));
	CHECK(!ioctl(device, MITOSIS_IOC_UNPREPARE, &id));
	return number_in(GROUP "/memory.peak");
}

static pid_t start_child(const char *address)
{
	const struct mitosis_options options = { .prefetch_pages = WINDOW };
	const uint32_t machine =
		number_in("/sys/module/mitosis/parameters/machine_id");
	const struct mitosis_connect_req there = { machine, 0, address };
	const struct mitosis_remote_req request = { machine, ID };
	pid_t pid = fork();
	int fd;

	CHECK(pid >= 0);
	if (pid)
		return pid;
	fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	if (write_text(GROUP "/cgroup.procs", "0") &&
	    !ioctl(fd, MITOSIS_IOC_SET_OPTIONS, &options) &&
	    !ioctl(fd, MITOSIS_CONNECT, &there))
		ioctl(fd, MITOSIS_RESUME_REMOTE, &request);
	perror("child");
	_exit(1);
}

int main(void)
{
	const char *address = getenv("MITOSIS_TEST_MODULE_ADDRESS");
	const uint32_t id = ID;
	unsigned long charged, peak = 0;
	int device = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);
	bool counted = memory_is_counted();
	pid_t child;
	char byte;

	if (device < 0 || !address)
		skip("the module, and MITOSIS_TEST_MODULE_ADDRESS, where it "
		     "listens");
	write_text(ROOT "/cgroup.subtree_control", "+memory");
	rmdir(GROUP);
	if (mkdir(GROUP, 0755) || access(GROUP "/memory.current", R_OK)) {
		rmdir(GROUP);
		skip("control groups (version 2) with memory");
	}
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED && !pipe(told));
	if (!access(GROUP "/memory.peak", R_OK))
		peak = peak_of_holes(device);
	CHECK(write_text(GROUP "/memory.max", "max"));
	prepare(device);
	child = start_child(address);
	close(told[1]);
	CHECK_EQ(read(told[0], &byte, 1), 1);
	charged = number_in(GROUP "/memory.current");
	CHECK(!kill(child, SIGKILL));
	CHECK_EQ(waitpid(child, NULL, 0), child);
	CHECK(!ioctl(device, MITOSIS_IOC_UNPREPARE, &id));
	CHECK_SOON(!rmdir(GROUP), 10000);
	if (!counted)
		CHECK(write_text(ROOT "/cgroup.subtree_control", "-memory"));
	printf("%lu KiB of %lu KiB are charged\n", charged >> 10, SIZE >> 10);
	CHECK(charged > SIZE / 2);
	printf("%lu KiB where the limit is %lu KiB\n", peak >> 10, LIMIT >> 10);
	CHECK(peak <= LIMIT + BEYOND_MAX);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A parent whose memory a userfaultfd of its own serves: prepare refuses what its children would
 * read as zeros, by its address; where forks are told, or all pages are there, clones have
 * the parent's bytes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	    6
#define PAGE	    4096ul
#define PAGES	    16
#define SIZE	    (PAGES * PAGE)
#define DEADLINE_MS 20000

static char bytes[PAGE] __attribute__((aligned(4096)));

static int open_uffd(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		skip("the right to use userfaultfd");
	CHECK(!ioctl(fd, UFFDIO_API, &api));
	return fd;
}

static char *register_memory(int fd)
{
	char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register r = {
		.range = { (uintptr_t)memory, SIZE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	CHECK(memory != MAP_FAILED);
	CHECK(!ioctl(fd, UFFDIO_REGISTER, &r));
	return memory;
}

static void copy_page(int fd, uint64_t address)
{
	struct uffdio_copy copy = {
		.dst = address & ~(PAGE - 1),
		.src = (uintptr_t)bytes,
		.len = PAGE,
	};

	CHECK(!ioctl(fd, UFFDIO_COPY, &copy) || errno == EEXIST);
}

/* What a clone reads; it exits with 0 if that is right. */
static int clone_status(void)
{
	const struct mitosis_resume_options clone = { MITOSIS_RESUME_CLONE, 0 };
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		struct mitosis *device = open_user();

		CHECK_EQ(mitosis_set_resume_options(device, &clone), 0);
		mitosis_resume_local(device, ID);
		printf("%s\n", mitosis_error());
		_exit(100);
	}
	return status_within(pid, DEADLINE_MS);
}

static void check_right(struct mitosis *device, const char *memory)
{
	int i;

	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (mitosis_nil(device) == -EBADF) {
		for (i = 0; i < PAGES; i++)
			if (memcmp(memory + i * PAGE, bytes, PAGE))
				_exit(1);
		_exit(0);
	}
	CHECK_EQ(clone_status(), 0);
	CHECK_EQ(mitosis_unprepare(device, ID), 0);
}

static void check_deaf(struct mitosis *device)
{
	char address[32];
	int fd = open_uffd(0), i;
	char *memory = register_memory(fd);

	copy_page(fd, (uintptr_t)memory);
	CHECK_EQ(mitosis_prepare(device, ID), -EOPNOTSUPP);
	snprintf(address, sizeof(address), "memory at %p", memory);
	check_error_has(address);
	CHECK_EQ(find_snapshot(device, ID).handler_id, 0);

	for (i = 1; i < PAGES; i++)
		copy_page(fd, (uintptr_t)memory + i * PAGE);
	check_right(device, memory);
	munmap(memory, SIZE);
	close(fd);
}

/* Serves the memory, and what is forked of it, until its parent ends. */
static void serve(int fd)
{
	struct pollfd polled[8] = { { .fd = fd, .events = POLLIN } };
	int count = 1, i;

	for (;;) {
		struct uffd_msg m;

		CHECK(poll(polled, count, -1) > 0);
		for (i = 0; i < count; i++) {
			if (polled[i].revents & (POLLERR | POLLHUP))
				polled[i].fd = -1;
			if (!(polled[i].revents & POLLIN) ||
			    read(polled[i].fd, &m, sizeof(m)) != sizeof(m))
				continue;
			if (m.event == UFFD_EVENT_PAGEFAULT)
				copy_page(polled[i].fd, m.arg.pagefault.address);
			else if (m.event == UFFD_EVENT_FORK && count < 8)
				polled[count++] = (struct pollfd){
					.fd = m.arg.fork.ufd,
					.events = POLLIN,
				};
		}
	}
}

static void *serve_as_thread(void *argument)
{
	serve((int)(intptr_t)argument);
	return NULL;
}

/*
 * The fork of the shadow waits for who serves: another process does it, and must not have
 * the memory that it serves.
 */
static void check_told(struct mitosis *device)
{
	int fd = open_uffd(UFFD_FEATURE_EVENT_FORK);
	pid_t server = fork();
	char *memory;

	CHECK(server >= 0);
	if (server == 0)
		serve(fd);
	memory = register_memory(fd);
	check_right(device, memory);
	kill_and_reap(server);
	munmap(memory, SIZE);
	close(fd);
}

/* The fork would wait for a thread that stands still. */
static void check_told_thread(struct mitosis *device)
{
	int fd = open_uffd(UFFD_FEATURE_EVENT_FORK);
	char name[64];
	pthread_t thread;

	register_memory(fd);
	CHECK(!pthread_create(&thread, NULL, serve_as_thread, (void *)(intptr_t)fd));
	CHECK_EQ(mitosis_prepare(device, ID), -EOPNOTSUPP);
	snprintf(name, sizeof(name), "open file %d of this process is a userfaultfd",
		 fd);
	check_error_has(name);
}

int main(void)
{
	struct mitosis *device = open_user();

	memset(bytes, 0x5a, sizeof(bytes));
	check_deaf(device);
	check_told(device);
	check_told_thread(device);
	mitosis_close(device);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "helpers/parent/floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/clock.h"

#define WINDOW_PAGES 64
#define READ_SIZE    (256u << 10)

static int copy_windows(int uffd, char *to, const struct working_set *set)
{
	size_t window = WINDOW_PAGES * set->page_size;
	size_t done;

	for (done = 0; done < set->size; done += window) {
		struct uffdio_copy copy = {
			.dst = (uintptr_t)to + done,
			.src = (uintptr_t)set->memory + done,
			.len = set->size - done < window ? set->size - done : window,
		};

		if (ioctl(uffd, UFFDIO_COPY, &copy))
			return -errno;
	}
	return 0;
}

int floor_uffd_copy(const struct working_set *set, uint64_t *ns)
{
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	uint64_t start;
	char *to;
	int err = 0;

	if (uffd < 0)
		return -errno;
	to = mmap(NULL, set->size, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (to == MAP_FAILED) {
		err = -errno;
		close(uffd);
		return err;
	}
	range.range.start = (uintptr_t)to;
	range.range.len = set->size;
	if (ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &range))
		err = -errno;
	start = now_ns();
	if (!err)
		err = copy_windows(uffd, to, set);
	*ns = now_ns() - start;
	munmap(to, set->size);
	close(uffd);
	return err;
}

/* Reads to the end, and says so by one byte. */
static void __attribute__((noreturn)) read_all(int listener)
{
	static char buffer[READ_SIZE];
	int fd = accept(listener, NULL, NULL);
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0)
		;
	if (send(fd, "r", 1, MSG_NOSIGNAL) != 1)
		_exit(1);
	_exit(n < 0);
}

static int send_all(int fd, const struct working_set *set)
{
	size_t done = 0;
	char byte;

	while (done < set->size) {
		ssize_t n =
			send(fd, set->memory + done, set->size - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -errno;
		done += n;
	}
	shutdown(fd, SHUT_WR);
	return recv(fd, &byte, 1, MSG_WAITALL) == 1 ? 0 : -ECONNRESET;
}

int floor_tcp_copy(const struct working_set *set, uint64_t *ns)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t start;
	pid_t reader = -1;
	int err = 0;

	if (bind(listener, (struct sockaddr *)&address, size) ||
	    listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &size))
		err = -errno;
	if (!err)
		reader = fork();
	if (reader == 0)
		read_all(listener);
	if (!err && (reader < 0 ||
		     connect(fd, (struct sockaddr *)&address, sizeof(address))))
		err = -errno;
	start = now_ns();
	if (!err)
		err = send_all(fd, set);
	*ns = now_ns() - start;
	close(fd);
	close(listener);
	if (reader > 0)
		waitpid(reader, NULL, 0);
	return err;
}

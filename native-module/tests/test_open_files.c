// SPDX-License-Identifier: Apache-2.0
/*
 * Open files of a parent: which a child is refused for, with number, kind and path, while its
 * caller goes on unharmed; what it has of files that are open for writing; whose file a
 * number is that the caller passes; and that no reader waits because of a snapshot.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#define ID	    31
#define NUMBER	    57
#define DEADLINE_MS 10000
#define MIB	    (1 << 20)

static struct mitosis *parent;
static char path[512], other_path[512];
/* What a child does with file NUMBER; its result is the exit status. */
static int (*in_child)(void);

/* Returns in the parent. */
static void prepare(int (*check)(void))
{
	in_child = check;
	CHECK_EQ(mitosis_prepare(parent, ID), 0);
	if (mitosis_nil(parent) == -EBADF)
		_exit(in_child());
}

static void unprepare(void)
{
	CHECK_EQ(mitosis_unprepare(parent, ID), 0);
}

/* Moves an open file to the number that messages and children name. */
static void put(int fd)
{
	CHECK(fd >= 0);
	CHECK_EQ(dup3(fd, NUMBER, O_CLOEXEC), NUMBER);
	close(fd);
}

/* A process that resumes; it exits with 100 plus what is wrong if it is refused. */
static pid_t start(uint32_t files, void (*before)(void), int expected,
		   const char *message)
{
	pid_t pid = fork();
	struct mitosis *device;
	int err, open_before;

	CHECK(pid >= 0);
	if (pid)
		return pid;
	if (before)
		before();
	device = open_user();
	CHECK_EQ(mitosis_set_resume_files(device, files), 0);
	open_before = fd_count(getpid());
	err = mitosis_resume_local(device, ID);
	if (err != expected || !strstr(mitosis_error(), message)) {
		fprintf(stderr, "%d: %s\n", err, mitosis_error());
		_exit(101);
	}
	_exit(fd_count(getpid()) == open_before ? 100 : 102);
}

static void expect(uint32_t files, void (*before)(void), int expected,
		   const char *message)
{
	int status =
		status_within(start(files, before, expected, message), DEADLINE_MS);

	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), expected ? 100 : 0);
}

static int succeed(void)
{
	return 0;
}

/* With what is at NUMBER. */
static void check_refused(int expected, const char *message)
{
	prepare(succeed);
	expect(MITOSIS_FILES_REFUSE, NULL, expected, "open file 57 of snapshot 31");
	expect(MITOSIS_FILES_REFUSE, NULL, expected, message);
	unprepare();
}

static void make_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void refused_kinds(void)
{
	int ends[2], epoll, port, one = 1, fd;
	void *mapped;
	struct epoll_event event = { .events = EPOLLIN };
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	put(syscall(SYS_pidfd_open, getpid(), 0));
	check_refused(-EOPNOTSUPP, "pidfd");
	put(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
	check_refused(-EOPNOTSUPP, "cannot have a file of this kind");

	fd = open(other_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(!ftruncate(fd, MIB + 1) && !unlink(other_path));
	put(fd);
	check_refused(-EOPNOTSUPP, "1 MiB");

	/* Mapped, too. */
	fd = memfd_create("mapped", MFD_CLOEXEC);
	CHECK(!ftruncate(fd, 4096));
	mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(mapped != MAP_FAILED);
	put(fd);
	check_refused(-EOPNOTSUPP, "two objects");
	CHECK(!munmap(mapped, 4096));

	/* Watches what no number leads to any more. */
	CHECK(!pipe2(ends, O_CLOEXEC));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
	put(epoll);
	fd = dup(ends[0]);
	close(ends[0]);
	check_refused(-EOPNOTSUPP, "whose number is closed");
	close(fd);
	close(ends[1]);

	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	CHECK_EQ(write(ends[1], "message", 7), 7);
	put(ends[0]);
	/* Behind it: the first is told. */
	fd = fcntl(ends[1], F_DUPFD_CLOEXEC, NUMBER + 1);
	close(ends[1]);
	check_refused(-EOPNOTSUPP, "on their way");
	close(fd);

	port = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(!setsockopt(port, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	CHECK(!bind(port, (struct sockaddr *)&address, sizeof(address)));
	CHECK(!listen(port, 1));
	put(port);
	check_refused(-EADDRINUSE, "network namespace of its own");

	CHECK(!unlink(path));
	make_file(path, "before");
	put(open(path, O_RDONLY | O_CLOEXEC));
	prepare(succeed);
	make_file(other_path, "another file");
	CHECK(!rename(other_path, path));
	expect(MITOSIS_FILES_REFUSE, NULL, -ESTALE, path);
	expect(MITOSIS_FILES_REFUSE, NULL, -ESTALE, "the parent's has 6 bytes of ");
	expect(MITOSIS_FILES_REFUSE, NULL, -ESTALE, ", this one 12 bytes of ");
	unprepare();
	close(NUMBER);
}

/* Reads 3 bytes behind the parent's position, and writes 2. */
static int read_and_write(void)
{
	char text[4] = { 0 };

	if (read(NUMBER, text, 3) != 3 || strcmp(text, "cde"))
		return 1;
	return write(NUMBER, "XY", 2) != 2;
}

static void check_file(const char *text)
{
	char all[64] = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	CHECK_EQ(read(fd, all, sizeof(all) - 1), (ssize_t)strlen(text));
	CHECK(!strcmp(all, text));
	close(fd);
}

static void open_for_writing(void)
{
	make_file(path, "abcdefgh");
	put(open(path, O_RDWR | O_CLOEXEC));
	CHECK_EQ(lseek(NUMBER, 2, SEEK_SET), 2);
	prepare(read_and_write);
	CHECK_EQ(lseek(NUMBER, 7, SEEK_SET), 7); /* not the children's */
	expect(MITOSIS_FILES_REFUSE, NULL, -EBUSY, path);
	expect(MITOSIS_FILES_REFUSE, NULL, -EBUSY, "--files share");
	expect(MITOSIS_FILES_PRIVATE, NULL, 0, "");
	expect(MITOSIS_FILES_PRIVATE, NULL, 0, "");
	check_file("abcdefgh");
	expect(MITOSIS_FILES_SHARE, NULL, 0, "");
	check_file("abcdeXYh");
	CHECK(!truncate(path, 65 * MIB));
	expect(MITOSIS_FILES_PRIVATE, NULL, -EFBIG, "64 MiB");
	unprepare();
	CHECK_EQ(mitosis_set_resume_files(parent, 3), -EINVAL);
	close(NUMBER);
}

/* With the same number as the parent's: on purpose, as exec would keep it. */
static void pass_another(void)
{
	int fd = open(other_path, O_RDONLY);

	CHECK_EQ(dup2(fd, NUMBER), NUMBER);
	close(fd);
}

static int reads_the_callers(void)
{
	char text[8] = { 0 };

	return read(NUMBER, text, 7) != 7 || strcmp(text, "callers");
}

static void passed_by_the_caller(void)
{
	make_file(path, "parents");
	make_file(other_path, "callers");
	put(open(path, O_RDWR | O_CLOEXEC));
	prepare(reads_the_callers);
	expect(MITOSIS_FILES_REFUSE, pass_another, 0, "");
	unprepare();
	close(NUMBER);
}

static void limit_numbers(void)
{
	struct rlimit limit = { 256, 256 };

	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
}

static void too_few_numbers(void)
{
	put(open(path, O_RDONLY | O_CLOEXEC));
	prepare(succeed);
	expect(MITOSIS_FILES_REFUSE, limit_numbers, -EMFILE, "ulimit -Hn");
	unprepare();
	close(NUMBER);
}

static int reads_a(void)
{
	char text[2] = { 0 };

	return read(NUMBER, text, 1) != 1 || strcmp(text, "p");
}

/* An attachment is made once, and each child has a position of its own. */
static void by_attachment(void)
{
	struct mitosis_attachment *attachment;
	struct mitosis *device = open_user();
	int i;

	make_file(path, "parents");
	put(open(path, O_RDONLY | O_CLOEXEC));
	prepare(reads_a);
	CHECK_EQ(mitosis_attach_local(device, ID, &attachment), 0);
	for (i = 0; i < 3; i++) {
		int status = status_within(fork_attached(attachment), DEADLINE_MS);

		CHECK_EQ(status, 0);
	}
	mitosis_detach(attachment);
	mitosis_close(device);
	unprepare();
	close(NUMBER);
}

/* The end of a pipe reaches its reader although the snapshot had its other end. */
static void no_reader_waits(void)
{
	struct pollfd end = { .events = POLLIN };
	int ends[2];
	char byte;

	CHECK(!pipe2(ends, O_CLOEXEC));
	prepare(succeed);
	close(ends[1]);
	end.fd = ends[0];
	/* At once: prepare has returned. */
	CHECK_EQ(poll(&end, 1, 0), 1);
	CHECK_EQ(read(ends[0], &byte, 1), 0);
	unprepare();
	close(ends[0]);
}

int main(void)
{
	const char *dir = getenv("MITOSIS_RUNTIME_DIR");

	need_userfaultfd();
	snprintf(path, sizeof(path), "%s/file", dir);
	snprintf(other_path, sizeof(other_path), "%s/other", dir);
	parent = open_user(); /* makes the directory */
	make_file(path, "parents");
	refused_kinds();
	open_for_writing();
	passed_by_the_caller();
	too_few_numbers();
	by_attachment();
	no_reader_waits();
	CHECK_EQ(mitosis_close(parent), 0);
	return 0;
}

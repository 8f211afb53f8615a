// SPDX-License-Identifier: Apache-2.0
/*
 * The module's ioctl interface by plain system calls, as programs of the original
 * module use it: the result of each command, and the errno of each invalid call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "tests/harness.h"

#define PAGE	    4096
#define NOBODY	    65534
#define BAD_POINTER ((void *)-4096l)

static int open_device(void)
{
	int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		skip("needs the kernel module, as tests/qemu/run has it");
	CHECK(fd >= 0);
	return fd;
}

/* Returns the result of ioctl(2), or -errno. */
static int call(int fd, unsigned long command, unsigned long argument)
{
	int result = ioctl(fd, command, argument);

	return result < 0 ? -errno : result;
}

static int call_at(int fd, unsigned long command, const void *argument)
{
	return call(fd, command, (unsigned long)argument);
}

static bool listed(int fd, uint32_t handler_id, struct mitosis_snapshot *found)
{
	*found = (struct mitosis_snapshot){ .handler_id = handler_id };
	return !call_at(fd, MITOSIS_IOC_NEXT, found) &&
	       found->handler_id == handler_id;
}

static int unprepare(int fd, uint32_t handler_id)
{
	return call_at(fd, MITOSIS_IOC_UNPREPARE, &handler_id);
}

/* A snapshot frees its memory when it is dropped, not when its file is closed. */
static void memory_of_dropped(int fd)
{
	struct mitosis_stat before, dropped;
	int other = open_device();

	CHECK_EQ(call_at(fd, MITOSIS_IOC_STAT, &before), 0);
	CHECK_EQ(call(other, MITOSIS_PREPARE, 15), 0);
	CHECK_EQ(unprepare(fd, 15), 0);
	CHECK_EQ(call_at(fd, MITOSIS_IOC_STAT, &dropped), 0);
	CHECK_EQ(dropped.snapshots, before.snapshots);
	/* The file is free for the next one, and closing it drops only its own. */
	CHECK_EQ(call(fd, MITOSIS_PREPARE, 15), 0);
	CHECK_EQ(call(other, MITOSIS_PREPARE, 16), 0);
	CHECK_EQ(unprepare(fd, 16), 0);
	CHECK_EQ(call(other, MITOSIS_PREPARE, 15), -EEXIST);
	close(other);
	CHECK_EQ(unprepare(fd, 15), 0);
}

static void unknown_commands(int fd)
{
	static const unsigned long unknown[] = {
		9,
		10,
		0x1000,
		0xffffffff,
		_IO('m', 0),
		_IO('m', 99),
		_IOR('m', 1, __u64),
		_IOWR('n', 2, struct mitosis_snapshot),
	};
	size_t i;

	for (i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		CHECK_EQ(call(fd, unknown[i], 0), -ENOTTY);
}

static void prepare_and_list(void)
{
	struct mitosis_snapshot s;
	int a = open_device(), b = open_device();

	CHECK_EQ(call(a, MITOSIS_NIL, 0), 0);
	CHECK_EQ(call(a, MITOSIS_PREPARE, 7), 0);
	CHECK_EQ(call(a, MITOSIS_PREPARE, 8), -EBUSY);
	CHECK_EQ(call(a, MITOSIS_PREPARE_PINNED, 8), -EBUSY);
	CHECK_EQ(call(b, MITOSIS_PREPARE, 7), -EEXIST);
	CHECK_EQ(call(b, MITOSIS_PREPARE, 1ul << 32), -EINVAL);
	CHECK_EQ(call(b, MITOSIS_PREPARE, -1ul), -EINVAL);
	CHECK_EQ(call(b, MITOSIS_PREPARE_PINNED, 3), 0);
	CHECK(listed(a, 3, &s));
	CHECK_EQ(s.flags, MITOSIS_SNAPSHOT_PINNED);
	CHECK_EQ(s.owner_pid, getpid());
	s.handler_id = 4;
	CHECK_EQ(call_at(a, MITOSIS_IOC_NEXT, &s), 0);
	CHECK_EQ(s.handler_id, 7);
	CHECK_EQ(s.flags, 0);
	s.handler_id = 8;
	CHECK_EQ(call_at(a, MITOSIS_IOC_NEXT, &s), -ENOENT);
	CHECK_EQ(call_at(a, MITOSIS_IOC_NEXT, BAD_POINTER), -EFAULT);

	close(a);
	a = open_device();
	CHECK(!listed(a, 7, &s));
	CHECK(listed(a, 3, &s));
	close(b);
	CHECK(listed(a, 3, &s));
	CHECK_EQ(call(a, MITOSIS_PREPARE, 3), -EEXIST);
	CHECK_EQ(unprepare(a, 3), 0);
	CHECK_EQ(unprepare(a, 3), -ENOENT);
	CHECK_EQ(call_at(a, MITOSIS_IOC_UNPREPARE, BAD_POINTER), -EFAULT);
	CHECK_EQ(call_at(a, MITOSIS_IOC_UNPREPARE, NULL), -EFAULT);
	CHECK_EQ(call(a, MITOSIS_PREPARE, UINT32_MAX), 0);
	CHECK(listed(a, UINT32_MAX, &s));

	/* A duplicated or inherited descriptor holds the snapshot. */
	b = dup(a);
	close(a);
	CHECK(listed(b, UINT32_MAX, &s));
	close(b);
	a = open_device();
	CHECK(!listed(a, UINT32_MAX, &s));
	close(a);
}

static int connect_to(int fd, unsigned int machine_id, const char *gid)
{
	struct mitosis_connect_req request = { .machine_id = machine_id,
					       .gid = gid };

	return call_at(fd, MITOSIS_CONNECT, &request);
}

static void addresses(int fd)
{
	static const char *malformed[] = {
		"",
		"nonsense",
		"tcp://",
		"tcp://127.0.0.1",
		"tcp://127.0.0.1:",
		"tcp://127.0.0.1:0x10",
		"tcp://127.0.0.1:99999",
		"tcp://:7000",
		"tcp://127.0.0.1:70 ",
		"tcp://[::1:7000",
		"udp://127.0.0.1:7000",
		"tcp://1.2.3:7000",
		"tcp://300.1.1.1:7000",
		"fe80:0000:0000:0000:ec0d:9a03:00ca:2f4g",
	};
	static const char gid[] = "fe80:0000:0000:0000:ec0d:9a03:00ca:2f4c";
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at;
	size_t i;

	CHECK(pages != MAP_FAILED && !munmap(pages + PAGE, PAGE));
	for (i = 0; i < sizeof(malformed) / sizeof(*malformed); i++)
		if (connect_to(fd, 5, malformed[i]) != -EINVAL) {
			printf("'%s' was not refused with EINVAL\n", malformed[i]);
			exit(1);
		}
	CHECK_EQ(call_at(fd, MITOSIS_CONNECT, NULL), -EFAULT);
	CHECK_EQ(call_at(fd, MITOSIS_CONNECT, BAD_POINTER), -EFAULT);
	CHECK_EQ(connect_to(fd, 5, NULL), -EFAULT);
	CHECK_EQ(connect_to(fd, 5, BAD_POINTER), -EFAULT);
	/* Programs of the original module pass a GID without NUL. */
	at = pages + PAGE - strlen(gid);
	memcpy(at, gid, strlen(gid));
	CHECK_EQ(connect_to(fd, 5, at), -ENODEV);
	CHECK_EQ(connect_to(fd, 5, gid), -ENODEV);
	/* What RDMA carries is not sealed, as the sessions of this module are. */
	CHECK_EQ(connect_to(fd, 5, "rdma://127.0.0.1"), -EPROTOTYPE);
	CHECK_EQ(connect_to(fd, 5, "0000:0000:0000:0000:0000:ffff:7f00:0001"),
		 -EPROTOTYPE);
	CHECK_EQ(connect_to(fd, 5, "rdma://127.0.0.1:0"), -EINVAL);
	/* Without NUL, up to the unmapped page and longer than any address. */
	memset(pages, 'a', PAGE);
	CHECK_EQ(connect_to(fd, 5, pages), -EINVAL);
	memcpy(pages, "tcp://", 6);
	CHECK_EQ(connect_to(fd, 5, pages), -EINVAL);
	memcpy(pages + PAGE - 8, "tcp://1.", 8);
	CHECK_EQ(connect_to(fd, 5, pages + PAGE - 8), -EFAULT);
	CHECK_EQ(connect_to(fd, 5, "tcp://127.0.0.1:1"), -ECONNREFUSED);
	munmap(pages, PAGE);
}

static void no_such_thing(int fd)
{
	struct mitosis_remote_req request = { .machine_id = 77, .handler_id = 5 };

	CHECK_EQ(call_at(fd, MITOSIS_NIL_RPC, &request), -ENOTCONN);
	CHECK_EQ(call_at(fd, MITOSIS_RESUME_REMOTE, &request), -ENOTCONN);
	CHECK_EQ(call_at(fd, MITOSIS_NIL_RPC, BAD_POINTER), -EFAULT);
	CHECK_EQ(call_at(fd, MITOSIS_RESUME_REMOTE, NULL), -EFAULT);
	CHECK_EQ(call(fd, MITOSIS_RESUME_LOCAL, 12345), -ENOENT);
	CHECK_EQ(call(fd, MITOSIS_RESUME_LOCAL, 1ul << 33), -EINVAL);
}

static void options(int fd)
{
	struct mitosis_options o = { 0 };
	struct mitosis_stat before = { 0 }, after = { 0 };
	int other = open_device();

	CHECK_EQ(call_at(fd, MITOSIS_IOC_SET_OPTIONS, &o), 0);
	o.flags = 0x80;
	CHECK_EQ(call_at(fd, MITOSIS_IOC_SET_OPTIONS, &o), -EINVAL);
	o = (struct mitosis_options){ .prefetch_pages = 3 };
	CHECK_EQ(call_at(fd, MITOSIS_IOC_SET_OPTIONS, &o), -EINVAL);
	o.prefetch_pages = 1024;
	CHECK_EQ(call_at(fd, MITOSIS_IOC_SET_OPTIONS, &o), -EINVAL);
	o = (struct mitosis_options){ .deadline_ms = 3600001 };
	CHECK_EQ(call_at(fd, MITOSIS_IOC_SET_OPTIONS, &o), -EINVAL);
	o = (struct mitosis_options){ .reserved = 1 };
	CHECK_EQ(call_at(fd, MITOSIS_IOC_SET_OPTIONS, &o), -EINVAL);
	CHECK_EQ(call_at(fd, MITOSIS_IOC_SET_OPTIONS, BAD_POINTER), -EFAULT);

	CHECK_EQ(call_at(fd, MITOSIS_IOC_STAT, BAD_POINTER), -EFAULT);
	CHECK_EQ(call_at(fd, MITOSIS_IOC_STAT, &before), 0);
	CHECK_EQ(call(other, MITOSIS_PREPARE, 9), 0);
	CHECK_EQ(call(other, MITOSIS_PREPARE, 9), -EBUSY);
	CHECK_EQ(call_at(fd, MITOSIS_IOC_STAT, &after), 0);
	CHECK_EQ(after.snapshots, before.snapshots + 1);
	CHECK_EQ(after.prepares, before.prepares + 1);
	CHECK_EQ(after.prepare_failures, before.prepare_failures + 1);
	close(other);
}

/* What user NOBODY may do with a snapshot of root, without and with a token. */
static void other_users(int fd)
{
	struct mitosis_token token = { .handler_id = 11 }, wrong;
	int tokens[2], status;
	struct stat st;
	pid_t pid;

	CHECK(!pipe2(tokens, O_CLOEXEC));
	CHECK(!stat(MITOSIS_DEVICE_PATH, &st));
	CHECK(!chmod(MITOSIS_DEVICE_PATH, 0666));
	CHECK_EQ(call(fd, MITOSIS_PREPARE_PINNED, 11), 0);
	if (getuid() == NOBODY)
		_exit(42); /* the child, which keeps its credentials */
	pid = fork();
	if (pid == 0) {
		int own;

		CHECK(!setgroups(0, NULL) && !setgid(NOBODY) && !setuid(NOBODY));
		own = open_device();
		CHECK_EQ(call(own, MITOSIS_RESUME_LOCAL, 11), -ENOENT);
		CHECK_EQ(unprepare(own, 11), -ENOENT);
		CHECK_EQ(call_at(own, MITOSIS_IOC_TOKEN, &token), -ENOENT);
		CHECK_EQ(read(tokens[0], &token, sizeof(token)), sizeof(token));
		wrong = token;
		wrong.secret[15] ^= 1;
		CHECK_EQ(call_at(own, MITOSIS_IOC_PRESENT, &wrong), -EACCES);
		wrong = token;
		wrong.handler_id = 12;
		CHECK_EQ(call_at(own, MITOSIS_IOC_PRESENT, &wrong), -EACCES);
		wrong = token;
		wrong.expires_s = 1u << 31;
		CHECK_EQ(call_at(own, MITOSIS_IOC_PRESENT, &wrong), -EACCES);
		CHECK_EQ(call(own, MITOSIS_RESUME_LOCAL, 11), -ENOENT);
		CHECK_EQ(call_at(own, MITOSIS_IOC_PRESENT, &token), 0);
		CHECK_EQ(unprepare(own, 11), -ENOENT);
		CHECK_EQ(call(own, MITOSIS_RESUME_LOCAL, 11), 0);
		_exit(1);
	}
	CHECK_EQ(call_at(fd, MITOSIS_IOC_TOKEN, &token), 0);
	CHECK_EQ(write(tokens[1], &token, sizeof(token)), sizeof(token));
	status = status_within(pid, 10000);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 42);
	wrong = (struct mitosis_token){
		.handler_id = 11,
		.expires_s = MITOSIS_TOKEN_SECONDS_MAX + 1,
	};
	CHECK_EQ(call_at(fd, MITOSIS_IOC_TOKEN, &wrong), -EINVAL);
	wrong = (struct mitosis_token){ .handler_id = 12 };
	CHECK_EQ(call_at(fd, MITOSIS_IOC_TOKEN, &wrong), -ENOENT);
	CHECK_EQ(unprepare(fd, 11), 0);
	CHECK(!chmod(MITOSIS_DEVICE_PATH, st.st_mode & 07777));
	close(tokens[0]);
	close(tokens[1]);
}

/* A user at the process limit can neither fork nor prepare. */
static void process_limit(void)
{
	const struct rlimit none = { 0 };
	struct stat st;
	int status;
	pid_t pid;

	CHECK(!stat(MITOSIS_DEVICE_PATH, &st));
	CHECK(!chmod(MITOSIS_DEVICE_PATH, 0666));
	pid = fork();
	if (pid == 0) {
		CHECK(!setgroups(0, NULL) && !setgid(NOBODY) && !setuid(NOBODY));
		CHECK(!setrlimit(RLIMIT_NPROC, &none));
		CHECK_EQ(call(open_device(), MITOSIS_PREPARE, 15), -EAGAIN);
		_exit(0);
	}
	status = status_within(pid, 10000);
	CHECK(!chmod(MITOSIS_DEVICE_PATH, st.st_mode & 07777));
	CHECK_EQ(status, 0);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int signal)
{
	alarms += signal == SIGALRM;
}

/* Signals do not interrupt prepare, and it leaves no child process. */
static void prepare_among_signals(int fd)
{
	const struct itimerval often = { { 0, 3000 }, { 0, 3000 } }, never = { 0 };
	const struct sigaction by_count = { .sa_handler = count_alarm };
	struct mitosis_stat before, after;
	uint64_t until_ns = now_ns() + 30000000000ull;
	int rounds = 0;

	CHECK(!sigaction(SIGALRM, &by_count, NULL));
	CHECK_EQ(call_at(fd, MITOSIS_IOC_STAT, &before), 0);
	CHECK(!setitimer(ITIMER_REAL, &often, NULL));
	while (alarms < 200 && now_ns() < until_ns) {
		CHECK_EQ(call(fd, MITOSIS_PREPARE, 16), 0);
		rounds++;
		CHECK_EQ(unprepare(fd, 16), 0);
	}
	CHECK(!setitimer(ITIMER_REAL, &never, NULL));
	CHECK(alarms >= 200);
	CHECK_EQ(call_at(fd, MITOSIS_IOC_STAT, &after), 0);
	CHECK_EQ(after.prepares, before.prepares + rounds);
	CHECK_EQ(after.prepare_failures, before.prepare_failures);
	CHECK(waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD);
	signal(SIGALRM, SIG_DFL);
}

/* Without kprobes prepare fails with ENODEV. */
static void kprobes_off(int fd)
{
	int enabled =
		open("/sys/kernel/debug/kprobes/enabled", O_WRONLY | O_CLOEXEC);
	int without;

	if (enabled < 0) {
		puts("kprobes_off left out: needs debugfs");
		return;
	}
	CHECK_EQ(write(enabled, "0", 1), 1);
	without = call(fd, MITOSIS_PREPARE, 17);
	CHECK_EQ(write(enabled, "1", 1), 1);
	close(enabled);
	CHECK_EQ(without, -ENODEV);
	CHECK_EQ(call(fd, MITOSIS_PREPARE, 17), 0);
	CHECK_EQ(unprepare(fd, 17), 0);
}

static void *wait_for_end(void *pipe_read)
{
	char byte;

	return (void *)(long)read(*(int *)pipe_read, &byte, 1);
}

/* A process of several threads can prepare, but not be resumed and not resume. */
static void threads(int fd)
{
	pthread_t thread;
	int end[2], status;
	pid_t pid;

	CHECK_EQ(call(fd, MITOSIS_PREPARE, 13), 0);
	CHECK(!pipe2(end, O_CLOEXEC));
	CHECK(!pthread_create(&thread, NULL, wait_for_end, &end[0]));
	CHECK_EQ(call(fd, MITOSIS_RESUME_LOCAL, 13), -EINVAL);
	CHECK_EQ(unprepare(fd, 13), 0);
	CHECK_EQ(call(fd, MITOSIS_PREPARE, 13), 0);
	pid = fork();
	if (pid == 0) {
		int own = open_device();

		_exit(call(own, MITOSIS_RESUME_LOCAL, 13) == -EINVAL ? 0 : 1);
	}
	status = status_within(pid, 10000);
	CHECK_EQ(status, 0);
	CHECK_EQ(unprepare(fd, 13), 0);
	CHECK_EQ(write(end[1], "e", 1), 1);
	CHECK(!pthread_join(thread, NULL));
	close(end[0]);
	close(end[1]);
}

/* Memory whose pages a userfaultfd serves cannot be prepared. */
static void userfaultfd_user(int fd)
{
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(uffd >= 0 && memory != MAP_FAILED);
	range.range.start = (unsigned long)memory;
	range.range.len = PAGE;
	CHECK(!ioctl(uffd, UFFDIO_API, &api) &&
	      !ioctl(uffd, UFFDIO_REGISTER, &range));
	CHECK_EQ(call(fd, MITOSIS_PREPARE, 14), -EOPNOTSUPP);
	close(uffd);
	CHECK_EQ(call(fd, MITOSIS_PREPARE, 14), 0);
	CHECK_EQ(unprepare(fd, 14), 0);
	munmap(memory, PAGE);
}

int main(void)
{
	int fd = open_device();

	unknown_commands(fd);
	prepare_and_list();
	memory_of_dropped(fd);
	addresses(fd);
	no_such_thing(fd);
	options(fd);
	threads(fd);
	userfaultfd_user(fd);
	prepare_among_signals(fd);
	if (getuid() == 0) {
		kprobes_off(fd);
		other_users(fd);
		process_limit();
	}
	close(fd);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Users beside each other: handler ids are each user's, sessions each network
 * namespace's, and a user has a limited number of snapshots and of their bytes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/kernel/callers.h"

#define ID    61
#define CHILD 100 /* exit status of a child, plus its owner */

static const enum who three[] = { ROOT, A_USER, ANOTHER };
#define THREE (sizeof(three) / sizeof(*three))

/* The address at which the module serves this machine to itself; NULL: none. */
static const char *own_address(void)
{
	return getenv("MITOSIS_TEST_MODULE_ADDRESS");
}

/* Becomes what the handler id means to it; a child exits with CHILD and its owner. */
static int owner_seen_by(enum who who, bool remote)
{
	const struct mitosis_remote_req request = { module_parameter("machine_id"),
						    ID };
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int fd;

		be(who);
		fd = open_device();
		_exit(error_of(remote ? ioctl(fd, MITOSIS_RESUME_REMOTE, &request)
				      : ioctl(fd, MITOSIS_RESUME_LOCAL, ID)));
	}
	return exit_of(pid) - CHILD;
}

/* What `who` sees listed by the two ways: 10 * its own + those of all users. */
static int listed_by(enum who who)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct mitosis_owned_snapshot of = { 0 };
		struct mitosis_snapshot own = { 0 };
		int fd, n = 0;

		be(who);
		fd = open_device();
		for (; !ioctl(fd, MITOSIS_IOC_NEXT, &own); own.handler_id++)
			n += 10;
		for (; !ioctl(fd, MITOSIS_IOC_NEXT_OF, &of);
		     of.snapshot.handler_id++) {
			CHECK_EQ(of.reserved, 0);
			n++;
		}
		_exit(n);
	}
	return exit_of(pid);
}

static int drop_all(enum who who, uint32_t uid)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int n;

		be(who);
		n = ioctl(open_device(), MITOSIS_IOC_UNPREPARE_ALL, &uid);
		_exit(n < 0 ? errno + 100 : n);
	}
	return exit_of(pid);
}

/* A child exits with CHILD and its owner. */
static void prepare_as(enum who owner)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		pid_t self = getpid();

		be(owner);
		CHECK_EQ(error_of(ioctl(open_device(), MITOSIS_PREPARE_PINNED, ID)),
			 0);
		_exit(getpid() == self ? 0 : CHILD + (int)owner);
	}
	CHECK_EQ(exit_of(pid), 0);
}

static void ids_are_each_users(void)
{
	const struct mitosis_connect_req connect = { module_parameter("machine_id"),
						     0, own_address() };
	int fd = open_device();
	size_t i;

	for (i = 0; i < THREE; i++)
		prepare_as(three[i]);
	if (own_address())
		CHECK_EQ(error_of(ioctl(fd, MITOSIS_CONNECT, &connect)), 0);
	for (i = 0; i < THREE; i++) {
		CHECK_EQ(owner_seen_by(three[i], false), three[i]);
		if (own_address())
			CHECK_EQ(owner_seen_by(three[i], true), three[i]);
		CHECK_EQ(listed_by(three[i]), three[i] == ROOT ? 13 : 10);
	}
	/* Not root's, though it has the same id. */
	CHECK_EQ(owner_seen_by(BARE_ROOT, false), EPERM - CHILD);
	CHECK_EQ(drop_all(A_USER, OTHER), 100 + EPERM);
	CHECK_EQ(drop_all(A_USER, MITOSIS_ALL_USERS), 100 + EPERM);
	CHECK_EQ(drop_all(NS_ROOT, MITOSIS_ALL_USERS), 100 + EPERM);
	CHECK_EQ(drop_all(A_USER, USER), 1);
	CHECK_EQ(owner_seen_by(A_USER, false), ENOENT - CHILD);
	CHECK_EQ(listed_by(ROOT), 12);
	CHECK_EQ(drop_all(ROOT, MITOSIS_ALL_USERS), 2);
	CHECK_EQ(listed_by(ROOT), 0);
	close(fd);
}

/* Which callers may set the address of a machine; each network namespace has its own sessions. */
static void connecting(void)
{
	const struct mitosis_connect_req connect = { module_parameter("machine_id"),
						     0, own_address() };
	const struct mitosis_remote_req nil = { module_parameter("machine_id"), 0 };
	int fd = open_device();
	enum who who;
	pid_t pid;

	if (!own_address()) {
		puts("connecting left out: needs MITOSIS_TEST_MODULE_ADDRESS");
		return;
	}
	CHECK_EQ(error_of(ioctl(fd, MITOSIS_CONNECT, &connect)), 0);
	for (who = 0; who < WHO_COUNT; who++) {
		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			be(who);
			_exit(error_of(
				ioctl(open_device(), MITOSIS_CONNECT, &connect)));
		}
		CHECK_EQ(exit_of(pid), ONE(who) & TRACERS ? 0 : EPERM);
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		CHECK(!unshare(CLONE_NEWNET));
		CHECK_EQ(error_of(ioctl(fd, MITOSIS_NIL_RPC, &nil)), ENOTCONN);
		/* Its loopback is down: the first one's is not reachable. */
		CHECK_EQ(error_of(ioctl(fd, MITOSIS_CONNECT, &connect)),
			 ENETUNREACH);
		_exit(0);
	}
	CHECK_EQ(exit_of(pid), 0);
	CHECK_EQ(error_of(ioctl(fd, MITOSIS_NIL_RPC, &nil)), 0);
	close(fd);
}

/* Prepares ID as root. Its children exit with CHILD if they are user OTHER. */
static struct mitosis_token prepare_with_token(int fd, unsigned int seconds)
{
	struct mitosis_token token = { .handler_id = ID, .expires_s = seconds };
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		pid_t self = getpid();

		CHECK_EQ(error_of(ioctl(fd, MITOSIS_PREPARE_PINNED, ID)), 0);
		_exit(getpid() == self ? 0 : CHILD + (getuid() != OTHER));
	}
	CHECK_EQ(exit_of(pid), 0);
	CHECK_EQ(error_of(ioctl(fd, MITOSIS_IOC_TOKEN, &token)), 0);
	return token;
}

/* As user OTHER, over TCP; token NULL: without one. Returns an errno, or CHILD. */
static int become_remotely(const struct mitosis_token *token, unsigned int flags)
{
	const struct mitosis_remote_req request = { module_parameter("machine_id"),
						    ID };
	const struct mitosis_options options = { .flags = flags };
	struct mitosis_remote_token present = { .machine_id = request.machine_id };
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int fd;

		be(ANOTHER);
		fd = open_device();
		CHECK_EQ(error_of(ioctl(fd, MITOSIS_IOC_SET_OPTIONS, &options)), 0);
		if (token) {
			present.token = *token;
			CHECK_EQ(error_of(ioctl(fd, MITOSIS_IOC_PRESENT_REMOTE,
						&present)),
				 0);
		}
		_exit(error_of(ioctl(fd, MITOSIS_RESUME_REMOTE, &request)));
	}
	return exit_of(pid);
}

/*
 * As user OTHER, over TCP: opens ID, and becomes its child when `request` has been made with
 * the argument ID on `fd`, unless that is 0. Returns an errno, or CHILD.
 */
static int become_later(const struct mitosis_token *token, int fd,
			unsigned long request)
{
	const struct mitosis_remote_req name = { module_parameter("machine_id"),
						 ID };
	struct mitosis_remote_token present = { name.machine_id, *token };
	const struct mitosis_kept_memory none = { 0 };
	const uint32_t id = ID;
	int told[2], done[2];
	char byte = 0;
	pid_t pid;

	CHECK(!pipe2(told, O_CLOEXEC) && !pipe2(done, O_CLOEXEC));
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int device, opened;

		be(ANOTHER);
		device = open_device();
		CHECK_EQ(error_of(ioctl(device, MITOSIS_IOC_PRESENT_REMOTE,
					&present)),
			 0);
		opened = ioctl(device, MITOSIS_IOC_OPEN_REMOTE, &name);
		CHECK(opened >= 0);
		close(done[1]);
		CHECK(write(told[1], &byte, 1) == 1 && read(done[0], &byte, 1) == 0);
		sleep_ms(300);
		_exit(error_of(ioctl(opened, MITOSIS_IOC_BECOME, &none)));
	}
	CHECK(read(told[0], &byte, 1) == 1);
	if (request)
		CHECK_EQ(error_of(ioctl(fd, request, &id)), 0);
	close(done[1]);
	close(done[0]);
	close(told[0]);
	close(told[1]);
	return exit_of(pid);
}

/* The machine of a snapshot decides on its tokens, each time; a cache gives none away. */
static void tokens_between_machines(void)
{
	const struct mitosis_connect_req connect = { module_parameter("machine_id"),
						     0, own_address() };
	static const unsigned int ways[] = { 0, MITOSIS_OPTION_CACHE };
	struct mitosis_token token, wrong, brief;
	int fd = open_device();
	unsigned int i;

	if (!own_address()) {
		puts("tokens between machines left out: needs "
		     "MITOSIS_TEST_MODULE_ADDRESS");
		return;
	}
	CHECK_EQ(error_of(ioctl(fd, MITOSIS_CONNECT, &connect)), 0);
	token = prepare_with_token(fd, 0);
	wrong = token;
	wrong.secret[15] ^= 1;
	brief = (struct mitosis_token){ .handler_id = ID, .expires_s = 1 };
	CHECK_EQ(error_of(ioctl(fd, MITOSIS_IOC_TOKEN, &brief)), 0);
	sleep_ms(2000);
	for (i = 0; i < 2; i++) {
		CHECK_EQ(become_remotely(NULL, ways[i]), ENOENT);
		CHECK_EQ(become_remotely(&token, ways[i]), CHILD);
		CHECK_EQ(become_remotely(&token, ways[i]), CHILD);
		CHECK_EQ(become_remotely(NULL, ways[i]), ENOENT);
		CHECK_EQ(become_remotely(&wrong, ways[i]), EACCES);
		CHECK_EQ(become_remotely(&brief, ways[i]), EKEYEXPIRED);
	}
	CHECK_EQ(become_later(&token, fd, 0), CHILD);
	CHECK_EQ(become_later(&token, fd, MITOSIS_IOC_REVOKE), EKEYREVOKED);
	for (i = 0; i < 2; i++)
		CHECK_EQ(become_remotely(&token, ways[i]), EACCES);
	CHECK_EQ(error_of(ioctl(fd, MITOSIS_IOC_TOKEN, &token)), 0);
	CHECK_EQ(become_later(&token, fd, MITOSIS_IOC_UNPREPARE), ENOENT);
	CHECK_EQ(become_remotely(&token, MITOSIS_OPTION_CACHE), EACCES);
	CHECK_EQ(error_of(ioctl(fd, MITOSIS_IOC_PRESENT_REMOTE, NULL)), EFAULT);
	close(fd);
}

/* As a user: the errno of the last of `count` pinned prepares, 0 if all went well. */
static int prepare_many(enum who who, int count, size_t memory)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int i, err = 0;
		char *pages;

		be(who);
		pages = mmap(NULL, memory + 1, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		CHECK(pages != MAP_FAILED);
		for (i = 0; i < count && !err; i++)
			err = error_of(
				ioctl(open_device(), MITOSIS_PREPARE_PINNED, i));
		CHECK(!err || i == count);
		_exit(err);
	}
	return exit_of(pid);
}

/* A user cannot pin more snapshots, nor more memory, than is its share. */
static void shares(void)
{
	/* 0.7 percent of the memory */
	const size_t part =
		sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / 1000 * 7;

	set_module_parameter("snapshots_per_user", "3");
	CHECK_EQ(prepare_many(A_USER, 4, 0), EDQUOT);
	CHECK_EQ(prepare_many(ANOTHER, 3, 0), 0);
	CHECK_EQ(prepare_many(ROOT, 5, 0), 0);
	CHECK_EQ(drop_all(A_USER, USER), 3);
	CHECK_EQ(prepare_many(A_USER, 3, 0), 0);
	CHECK_EQ(drop_all(ROOT, MITOSIS_ALL_USERS), 11);
	set_module_parameter("snapshots_per_user", "256");
	set_module_parameter("snapshot_percent_per_user", "1");
	CHECK_EQ(prepare_many(A_USER, 2, part), ENOSPC);
	CHECK_EQ(drop_all(A_USER, USER), 1);
	CHECK_EQ(prepare_many(ROOT, 2, part), 0);
	set_module_parameter("snapshot_percent_per_user", "25");
	CHECK_EQ(prepare_many(A_USER, 2, part), 0);
	CHECK_EQ(drop_all(ROOT, MITOSIS_ALL_USERS), 4);
}

/*
 * Opens ID of this machine over TCP `count` times. Returns 0, or the number of the first that
 * was refused with `refusal`.
 */
static int open_many(enum who who, int count, int refusal)
{
	const struct mitosis_remote_req name = { module_parameter("machine_id"),
						 ID };
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int fd, i;

		be(who);
		fd = open_device();
		for (i = 1; i <= count; i++)
			if (ioctl(fd, MITOSIS_IOC_OPEN_REMOTE, &name) < 0) {
				CHECK_EQ(errno, refusal);
				_exit(i);
			}
		_exit(0);
	}
	return exit_of(pid);
}

/* Neither can one user take all places of another machine, nor one machine those of the others. */
static void shares_of_connections(void)
{
	const struct mitosis_connect_req connect = { module_parameter("machine_id"),
						     0, own_address() };
	static const char *const places[] = { "connections",
					      "connections_per_machine" };
	static const char *const normal[] = { "4096", "2048" };
	int fd = open_device(), n;
	size_t i;

	if (!own_address()) {
		puts("shares of connections left out: needs "
		     "MITOSIS_TEST_MODULE_ADDRESS");
		return;
	}
	CHECK_EQ(error_of(ioctl(fd, MITOSIS_CONNECT, &connect)), 0);
	for (i = 0; i < THREE; i++)
		prepare_as(three[i]);
	set_module_parameter("connections_per_user", "3");
	CHECK_EQ(open_many(A_USER, 5, EUSERS), 4);
	CHECK_EQ(open_many(ANOTHER, 3, EUSERS), 0);
	CHECK_EQ(open_many(ROOT, 5, EUSERS), 0);
	/* Those of before have been given back. */
	CHECK_EQ(open_many(A_USER, 5, EUSERS), 4);
	set_module_parameter("connections_per_user", "1024");
	CHECK_EQ(open_many(A_USER, 300, 0), 0);
	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		set_module_parameter(places[i], "8");
		/* The server notices the end of those of before. */
		CHECK_SOON(!open_many(ROOT, 2, EBUSY), 20000);
		n = open_many(ROOT, 100, EBUSY);
		CHECK(n > 1 && n < 10);
		set_module_parameter(places[i], normal[i]);
		CHECK_EQ(open_many(ROOT, 100, 0), 0);
	}
	CHECK_EQ(drop_all(ROOT, MITOSIS_ALL_USERS), 3);
	close(fd);
}

int main(void)
{
	permit_all_callers();
	ids_are_each_users();
	connecting();
	tokens_between_machines();
	shares();
	shares_of_connections();
	restore_permissions();
	return 0;
}

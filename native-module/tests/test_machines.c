// SPDX-License-Identifier: Apache-2.0
/* Sessions between machines: connect, nil RPC, remote resume; each way to fail. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/descriptor.h"
#include "proto/user/auth_config.h"
#include "proto/user/connection.h"
#include "tests/harness.h"
#include "tests/machine.h"

#define SIZE (8ul << 20)

/* More than the places of a daemon, PLACES in daemon/wire_places.c. */
#define SILENT 1200

static void bad_addresses(void)
{
	static const char *malformed[] = {
		"",
		"host:1",
		"tcp://",
		"tcp://:1",
		"tcp://host",
		"tcp://host:",
		"tcp://host:x",
		"tcp://host:65536",
		"tcp://[::1:7",
		"udp://h:1",
		"rdma://",
		"rdma://:1",
		"rdma://host:x",
		"rdma://[::1",
	};
	struct mitosis *device = open_user();
	size_t i;

	for (i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		CHECK_EQ(mitosis_connect(device, 1, malformed[i]), -EINVAL);
	CHECK_EQ(mitosis_connect(device, 1,
				 "fe80:0000:0000:0000:ec0d:9a03:00ca:2f4c"),
		 -ENODEV);
	check_error_has("RDMA");
	/* An address reserved for documentation (RFC 5737). */
	CHECK_EQ(mitosis_connect(device, 1, "tcp://127.0.0.1:1"), -ECONNREFUSED);
	check_error_has("127.0.0.1:1");
	CHECK_EQ(mitosis_nil_rpc(device, 1), -ENOTCONN);
	CHECK_EQ(mitosis_resume_remote(device, 1, 1), -ENOTCONN);
	mitosis_close(device);
}

/* The exit status of one of our programs. */
static int run(const char *program, const char *first, const char *second,
	       const char *third, const char *fourth)
{
	char path[512];
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/%s", getenv("MITOSIS_TEST_BIN"), program);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		alarm(5);
		dup2(STDOUT_FILENO, STDERR_FILENO);
		execl(path, program, first, second, third, fourth, NULL);
		_exit(127);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void sessions_of_the_program(void)
{
	struct mitosis *device = open_user();
	struct machine m = machine_start(2);

	CHECK_EQ(run("mitosis-connect", "2", NULL, NULL, NULL), 2);
	CHECK_EQ(run("mitosis-connect", "-2", m.address, NULL, NULL), 2);
	CHECK_EQ(run("mitosis-connect", "3", m.address, NULL, NULL), 1);
	CHECK_EQ(mitosis_nil_rpc(device, 2), -ENOTCONN);
	CHECK_EQ(run("mitosis-connect", "2", m.address, NULL, NULL), 0);
	CHECK_EQ(mitosis_nil_rpc(device, 2), 0);
	machine_stop(&m);
	mitosis_close(device);
}

/* Without authentication: only loopback addresses, in network namespaces, too. */
static void without_a_key(void)
{
	struct mitosis *device = open_user();
	struct machine open_to_all = { 0 };
	int status;
	pid_t pid;

	snprintf(open_to_all.dir, sizeof(open_to_all.dir), "%s-m3",
		 getenv("MITOSIS_RUNTIME_DIR"));
	machine_enter(&open_to_all);
	CHECK_EQ(run("mitosisd", "--foreground", "--listen", "tcp://0.0.0.0:0",
		     "--protection=none"),
		 1);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(unshare(CLONE_NEWNET)
			      ? 77
			      : run("mitosisd", "--foreground", "--listen",
				    "tcp://0.0.0.0:0", "--protection=none"));
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		puts("in a network namespace left out: needs CAP_SYS_ADMIN");
	else
		CHECK_EQ(WEXITSTATUS(status), 1);
	machine_leave();
	setenv("MITOSIS_PROTECTION", "none", 1);
	/* Nowhere: reserved for documentation. */
	CHECK_EQ(mitosis_connect(device, 2, "tcp://192.0.2.1:7"), -EACCES);
	check_error_has("loopback");
	check_error_has("MITOSIS_PRIVATE_NETWORK=1");
	/* By name it may: then nothing but the network is in the way. */
	setenv("MITOSIS_PRIVATE_NETWORK", "1", 1);
	CHECK(mitosis_connect(device, 2, "tcp://192.0.2.1:7") != -EACCES);
	unsetenv("MITOSIS_PRIVATE_NETWORK");
	unsetenv("MITOSIS_PROTECTION");
	mitosis_close(device);
}

static void sessions(void)
{
	struct mitosis *device = open_user(), *other = open_user();
	struct machine m = machine_start(2);
	int i;

	CHECK_EQ(mitosis_connect(device, 3, m.address), -EINVAL);
	check_error_has("is machine 2");
	CHECK_EQ(mitosis_connect(device, 2, m.address), 0);
	CHECK_EQ(mitosis_connect(device, 2, m.address), 0);
	for (i = 0; i < 1000; i++)
		CHECK_EQ(mitosis_nil_rpc(device, 2), 0);
	/* A session is the machine's, not the device's. */
	CHECK_EQ(mitosis_nil_rpc(other, 2), 0);
	CHECK_EQ(mitosis_resume_remote(other, 2, 12345), -ENOENT);
	check_error_has("machine 2");

	kill(m.pid, SIGKILL);
	CHECK(waitpid(m.pid, NULL, 0) == m.pid);
	CHECK_EQ(mitosis_nil_rpc(device, 2), -ECONNRESET);
	sleep_ms(50);
	CHECK_EQ(mitosis_nil_rpc(device, 2), -ENOTCONN);
	CHECK_EQ(mitosis_resume_remote(device, 2, 1), -ENOTCONN);
	mitosis_close(device);
	mitosis_close(other);
}

static void keys(void)
{
	struct mitosis *device = open_user();
	struct machine m = machine_start(2);
	char path[192];

	use_key("other");
	CHECK_EQ(mitosis_connect(device, 2, m.address), -EACCES);
	check_error_has("key");
	snprintf(path, sizeof(path), "%s", getenv("MITOSIS_KEY_FILE"));
	chmod(path, 0644);
	CHECK_EQ(mitosis_connect(device, 2, m.address), -EACCES);
	check_error_has("chmod 600");
	setenv("MITOSIS_KEY_FILE", "/nonexistent/key", 1);
	CHECK(mitosis_connect(device, 2, m.address) < 0);
	check_error_has("/nonexistent/key");
	setenv("MITOSIS_PROTECTION", "whatever", 1);
	CHECK_EQ(mitosis_connect(device, 2, m.address), -EINVAL);
	check_error_has("'whatever'");
	unsetenv("MITOSIS_PROTECTION");
	use_key("first");
	CHECK_EQ(mitosis_connect(device, 2, m.address), 0);
	machine_stop(&m);
	mitosis_close(device);
}

/* Both ends must have the same protection; each refusal names both. */
static void protections(void)
{
	static const char *const names[] = { "none", "handshake", "sealed" };
	struct mitosis *device = open_user();
	char expected[64];
	struct machine m;
	int theirs, ours;

	for (theirs = 0; theirs < 3; theirs++) {
		setenv("MITOSIS_PROTECTION", names[theirs], 1);
		m = machine_start(2);
		for (ours = 0; ours < 3; ours++) {
			setenv("MITOSIS_PROTECTION", names[ours], 1);
			CHECK_EQ(mitosis_connect(device, 2, m.address),
				 ours == theirs ? 0 : -EPROTOTYPE);
			if (ours == theirs) {
				CHECK_EQ(mitosis_nil_rpc(device, 2), 0);
				CHECK_EQ(mitosis_nil_rpc(device, 2), 0);
				continue;
			}
			snprintf(expected, sizeof(expected),
				 "protected by '%s', ours by '%s'", names[theirs],
				 names[ours]);
			check_error_has(expected);
		}
		machine_stop(&m);
		/* The device's connection has gone with it. */
		CHECK(mitosis_nil_rpc(device, 2) < 0);
	}
	unsetenv("MITOSIS_PROTECTION");
	mitosis_close(device);
}

static int dial(const struct machine *m)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(m->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(!connect(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

/* Sends bytes and reads the answer's status; -1000 when the connection is closed. */
static int answer_to(const struct machine *m, const void *bytes, size_t size)
{
	struct wire_header h;
	int fd = dial(m);
	ssize_t n;

	CHECK(send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size);
	n = recv(fd, &h, sizeof(h), MSG_WAITALL);
	close(fd);
	return n == sizeof(h) ? h.status : -1000;
}

/* More silent connections than a daemon has places do not keep a machine out. */
static void silent_crowd(void)
{
	struct machine m = machine_start(2);
	struct mitosis *device = open_user();
	int fds[SILENT], i;

	if (!may_open(SILENT + 64)) {
		puts("silent_crowd left out: needs 1,300 open files");
	} else {
		for (i = 0; i < SILENT; i++)
			fds[i] = dial(&m);
		CHECK_EQ(mitosis_connect(device, 2, m.address), 0);
		CHECK_EQ(mitosis_nil_rpc(device, 2), 0);
		while (i)
			close(fds[--i]);
	}
	mitosis_close(device);
	machine_stop(&m);
}

static void hostile_machines(void)
{
	struct mitosis *device = open_user();
	struct machine m = machine_start(2);
	struct {
		struct wire_header header;
		struct wire_hello hello;
	} hello = { wire_header(WIRE_HELLO, 0, sizeof(hello.hello)), { 0 } };
	uint64_t state = 4242;
	int i;

	hello.header.version = WIRE_VERSION + 1;
	CHECK_EQ(answer_to(&m, &hello, sizeof(hello)), -EPROTONOSUPPORT);
	hello.header = wire_header(WIRE_HELLO, 0, 0x7fffffff);
	CHECK_EQ(answer_to(&m, &hello, sizeof(hello)), -EMSGSIZE);
	hello.header = wire_header(WIRE_HELLO, 0, sizeof(hello.hello));
	hello.header.magic++;
	CHECK_EQ(answer_to(&m, &hello, sizeof(hello)), -EPROTO);
	hello.header = wire_header(WIRE_OPEN, 0, sizeof(struct wire_open));
	CHECK_EQ(answer_to(&m, &hello, sizeof(hello)), -EPROTO);
	hello.header = wire_header(WIRE_OPEN_BY_TOKEN, 0, sizeof(struct wire_token));
	CHECK_EQ(answer_to(&m, &hello, sizeof(hello)), -EPROTO);
	hello.header = wire_header(WIRE_HELLO, 0, sizeof(hello.hello));
	for (i = 0; i < 2000; i++) {
		unsigned char noise[128];
		size_t j, size;
		int fd = dial(&m);

		for (j = 0; j < sizeof(noise); j++) {
			state = state * 6364136223846793005ull +
				1442695040888963407ull;
			noise[j] = state >> 56;
		}
		size = noise[0] % sizeof(noise) + 1;
		if (i % 2) {
			hello.header = wire_header(noise[1] % 9, 0, noise[2] % 64);
			memcpy(noise, &hello.header, sizeof(hello.header));
		}
		CHECK(send(fd, noise, size, MSG_NOSIGNAL) > 0);
		close(fd);
	}
	CHECK_EQ(mitosis_connect(device, 2, m.address), 0);
	CHECK_EQ(mitosis_nil_rpc(device, 2), 0);
	machine_stop(&m);
	mitosis_close(device);
}

enum fault {
	FAULT_NONE,
	FAULT_DAEMON_KILLED, /* the shadow has the connection: children go on */
	FAULT_SHADOW_KILLED,
	FAULT_SHADOW_STOPPED,
	FAULT_UNPREPARED, /* children keep what they need */
	FAULTS,
};

static const char *const fault_names[FAULTS] = {
	"none", "daemon killed", "shadow killed", "shadow stopped", "unprepared",
};

/* Small windows: what is not touched is not there. */
static void __attribute__((noreturn))
touch_halves(const unsigned char *set, int half, int go)
{
	char byte;
	size_t j;

	for (j = 0; j < SIZE / 2; j += 4096)
		if (set[j] != (unsigned char)(j * 7 >> 4))
			_exit(3);
	if (write(half, "h", 1) != 1 || read(go, &byte, 1) != 1)
		_exit(4);
	for (; j < SIZE; j += 4096)
		if (set[j] != (unsigned char)(j * 7 >> 4))
			_exit(5);
	_exit(42);
}

static void strike(enum fault fault, pid_t daemon, pid_t shadow,
		   struct mitosis *device)
{
	switch (fault) {
	case FAULT_DAEMON_KILLED:
		kill(daemon, SIGKILL);
		break;
	case FAULT_SHADOW_KILLED:
		kill(shadow, SIGKILL);
		break;
	case FAULT_SHADOW_STOPPED:
		kill(shadow, SIGSTOP);
		break;
	case FAULT_UNPREPARED:
		CHECK_EQ(mitosis_unprepare(device, 9), 0);
		break;
	default:
		break;
	}
}

/* A child of another machine touches half, waits for the fault, touches the rest. */
static void resume_with_fault(enum fault fault)
{
	struct machine m = machine_start(2);
	struct mitosis *device, *local;
	unsigned char *set = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int half[2], go[2], status, i;
	bool survives = fault == FAULT_NONE || fault == FAULT_DAEMON_KILLED ||
			fault == FAULT_UNPREPARED;
	pid_t shadow, child;
	char byte;
	size_t j;

	CHECK(!pipe(half) && !pipe(go));
	for (j = 0; j < SIZE; j++)
		set[j] = j * 7 >> 4;
	machine_enter(&m);
	device = open_user();
	CHECK_EQ(mitosis_prepare(device, 9), 0);
	if (mitosis_nil(device) == -EBADF)
		touch_halves(set, half[1], go[0]);
	memset(set, 0, SIZE);
	shadow = find_snapshot(device, 9).shadow_pid;
	machine_leave();

	child = fork();
	if (child == 0) {
		const struct mitosis_resume_options options = {
			.mode = MITOSIS_RESUME_LAZY,
			.prefetch_pages = 4,
		};

		local = open_user();
		CHECK_EQ(mitosis_set_resume_options(local, &options), 0);
		CHECK_EQ(mitosis_connect(local, 2, m.address), 0);
		mitosis_resume_remote(local, 2, 9);
		printf("%s\n", mitosis_error());
		fflush(stdout);
		_exit(1);
	}
	CHECK(read(half[0], &byte, 1) == 1);
	strike(fault, m.pid, shadow, device);
	sleep_ms(50);
	CHECK(write(go[1], "g", 1) == 1);
	for (i = 0; waitpid(child, &status, WNOHANG) == 0 && i < 5000; i++)
		sleep_ms(1);
	if (i == 5000) {
		printf("%s: the child did not end\n", fault_names[fault]);
		kill(child, SIGKILL);
		exit(1);
	}
	if (survives ? status != 42 << 8 : status != SIGKILL) {
		printf("%s: status %#x\n", fault_names[fault], status);
		exit(1);
	}
	if (fault == FAULT_SHADOW_STOPPED)
		kill(shadow, SIGCONT);
	mitosis_close(device);
	if (fault == FAULT_DAEMON_KILLED)
		CHECK(waitpid(m.pid, NULL, 0) == m.pid);
	else
		machine_stop(&m);
	CHECK_SOON(!alive(shadow), 20000);
	munmap(set, SIZE);
	close(half[0]), close(half[1]), close(go[0]), close(go[1]);
}

/* What a child of generation `value` exits with. */
static int resume_generation(const struct machine *m)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct mitosis *local;

		local = open_user();
		CHECK_EQ(mitosis_connect(local, 2, m->address), 0);
		mitosis_resume_remote(local, 2, 9);
		_exit(mitosis_nil(local) ? 100 : 101);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Prepared again under the same id: never a child of what was dropped. */
static void prepared_again(void)
{
	struct machine m = machine_start(2);
	struct mitosis *device;
	volatile int generation;

	machine_enter(&m);
	device = open_user();
	machine_leave();
	for (generation = 1; generation <= 10; generation++) {
		CHECK_EQ(mitosis_prepare(device, 9), 0);
		if (mitosis_nil(device) == -EBADF)
			_exit(generation);
		CHECK_EQ(resume_generation(&m), generation);
		CHECK_EQ(resume_generation(&m), generation);
		CHECK_EQ(mitosis_unprepare(device, 9), 0);
		if (generation % 2)
			CHECK_EQ(resume_generation(&m), 101);
	}
	mitosis_close(device);
	machine_stop(&m);
}

/* A connection that has opened snapshot 9 and has read its descriptor. */
static struct wire_connection open_snapshot(const struct machine *m)
{
	struct wire_connection c;

	CHECK_EQ(machine_connect(m->port, &c), 0);
	machine_open_snapshot(&c, 9);
	return c;
}

/* mitosisd cannot check a token of the module: it opens nothing by one. */
static void no_tokens(void)
{
	const struct wire_token request = { .handler_id = 9 };
	struct machine m = machine_start(2);
	struct wire_connection c;
	struct mitosis *device;
	uint32_t size;

	machine_enter(&m);
	device = open_user();
	machine_leave();
	CHECK_EQ(mitosis_prepare(device, 9), 0);
	CHECK_EQ(machine_connect(m.port, &c), 0);
	CHECK_EQ(wire_send(&c, WIRE_OPEN_BY_TOKEN, &request, sizeof(request)), 0);
	CHECK_EQ(wire_receive_answer(&c, &size), -EOPNOTSUPP);
	machine_open_snapshot(&c, 9);
	wire_close(&c);
	mitosis_close(device);
	machine_stop(&m);
}

/* One page of sevens. */
static void get_page(struct wire_connection *c, const struct wire_pages *page)
{
	unsigned char got[4096];
	uint32_t size;

	CHECK_EQ(wire_send(c, WIRE_PAGES, page, sizeof(*page)), 0);
	CHECK_EQ(wire_receive_answer(c, &size), 0);
	CHECK_EQ(size, sizeof(got));
	CHECK_EQ(wire_receive(c, got, sizeof(got)), 0);
	CHECK(got[0] == 7 && got[4095] == 7);
}

/* A machine that asks for much and reads nothing keeps no other one waiting. */
static void slow_reader(void)
{
	struct machine m = machine_start(2);
	unsigned char *set = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct wire_pages much = { .address = (uintptr_t)set, .length = 4 << 20 };
	const struct wire_pages little = { (uintptr_t)set, 4096 };
	struct mitosis *device;
	struct wire_connection slow, other;
	struct timespec begin, end;
	int fds, i;
	pid_t shadow;

	memset(set, 7, SIZE);
	machine_enter(&m);
	device = open_user();
	machine_leave();
	CHECK_EQ(mitosis_prepare(device, 9), 0);
	shadow = find_snapshot(device, 9).shadow_pid;
	other = open_snapshot(&m);
	/* Its answer shows that the shadow has taken the connection. */
	get_page(&other, &little);
	fds = fd_count(shadow);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	slow = open_snapshot(&m);
	for (i = 0; i < 16; i++)
		CHECK_EQ(wire_send(&slow, WIRE_PAGES, &much, sizeof(much)), 0);
	/* Each has MITOSIS_DEADLINE_MS, 1 s. */
	for (i = 0; i < 100; i++)
		get_page(&other, &little);
	/* It loses its place after MITOSIS_DEADLINE_MS; not the other one. */
	CHECK_SOON(fd_count(shadow) <= fds, 20000);
	clock_gettime(CLOCK_MONOTONIC, &end);
	CHECK(end.tv_sec - begin.tv_sec < MITOSIS_DEADLINE_MS_DEFAULT / 1000);
	get_page(&other, &little);
	wire_close(&slow);
	wire_close(&other);
	munmap(set, SIZE);
	mitosis_close(device);
	machine_stop(&m);
}

int main(void)
{
	enum fault fault;

	setenv("MITOSIS_DEADLINE_MS", "1000", 1);
	use_key("first");
	bad_addresses();
	sessions();
	sessions_of_the_program();
	keys();
	protections();
	without_a_key();
	hostile_machines();
	silent_crowd();
	no_tokens();
	slow_reader();
	need_userfaultfd();
	prepared_again();
	for (fault = 0; fault < FAULTS; fault++) {
		printf("%s\n", fault_names[fault]);
		resume_with_fault(fault);
	}
	return 0;
}

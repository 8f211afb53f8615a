// SPDX-License-Identifier: Apache-2.0
/*
 * MITOSIS_VERIFY=on: a machine between that serves other bytes than the snapshot's own machine has is found before a
 * child reads them, and nothing is read that cannot be compared; without it, they are read.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/user/sha256.h"
#include "tests/cases.h"
#include "tests/harness.h"
#include "tests/replica_child.h"

#define ID	1
#define BETWEEN 102
#define CHUNK	(64 << 10)
/* In which a machine must answer: to the children's machine, where this one may be stopped. */
#define DEADLINE_MS "1000"
#define ZEROS                                                                       \
	256 /* around each byte that be_child() compares; what else is changed would crash it */

/* In front of a machine. Sessions are not sealed: what it changes shows nowhere else. */
struct front {
	pid_t pid; /* of its group, too */
	char address[64];
	volatile bool *lies;
};

static struct front hostile, /* of the machine between */
	honest;		     /* of the snapshot's own, if it is there */

static struct machine between;

static bool is_alone(const char *bytes, ssize_t size, ssize_t at)
{
	ssize_t i;

	if (!bytes[at] || at < ZEROS || at + ZEROS >= size)
		return false;
	for (i = 1; i <= ZEROS; i++)
		if (bytes[at - i] || bytes[at + i])
			return false;
	return true;
}

static void change(char *bytes, ssize_t size)
{
	ssize_t i;

	for (i = 0; i < size; i++)
		if (is_alone(bytes, size, i))
			bytes[i] ^= 1;
}

static bool pass_on(int from, int to, bool changes)
{
	static char bytes[CHUNK];
	ssize_t n = recv(from, bytes, sizeof(bytes), 0);

	if (n <= 0)
		return false;
	if (changes)
		change(bytes, n);
	return send(to, bytes, n, MSG_NOSIGNAL) == n;
}

static int dial(uint16_t port)
{
	const struct sockaddr_in there = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&there, sizeof(there)) ? -1 : fd;
}

static void __attribute__((noreturn))
relay(const struct front *front, int client, uint16_t port)
{
	int server = dial(port);
	struct pollfd p[2] = { { .fd = client, .events = POLLIN },
			       { .fd = server, .events = POLLIN } };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (server >= 0 && poll(p, 2, -1) > 0)
		if ((p[0].revents && !pass_on(client, server, false)) ||
		    (p[1].revents && !pass_on(server, client, *front->lies)))
			break;
	_exit(0);
}

static void front_start(struct front *front, const char *scheme, uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);
	int fd, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(!bind(listener, (struct sockaddr *)&address, length));
	CHECK(!listen(listener, 8));
	CHECK(!getsockname(listener, (struct sockaddr *)&address, &length));
	snprintf(front->address, sizeof(front->address), "%s://127.0.0.1:%u", scheme,
		 ntohs(address.sin_port));
	front->lies = mmap(NULL, 1, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(front->lies != MAP_FAILED);
	fflush(stdout);
	front->pid = fork();
	CHECK(front->pid >= 0);
	if (front->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		signal(SIGCHLD, SIG_IGN);
		while ((fd = accept(listener, NULL, NULL)) >= 0) {
			if (fork() == 0)
				relay(front, fd, port);
			close(fd);
		}
		_exit(1);
	}
	close(listener);
}

/* The children's machine is one of its own for each case, whose mitosisd has its setting. */
static void be_machine_of(int number)
{
	char text[200];

	snprintf(text, sizeof(text), "%s-%d", getenv("MITOSIS_RUNTIME_DIR"), number);
	setenv("MITOSIS_RUNTIME_DIR", text, 1);
	snprintf(text, sizeof(text), "%d", 200 + number);
	setenv("MITOSIS_MACHINE_ID", text, 1);
}

/*
 * This machine is connected to the snapshot's, where `itself`, and then to the hostile one. `child` gets one of the
 * machine between, whose replica serves; else that has none.
 */
static struct mitosis *begin(char content, const char *verify, bool itself,
			     struct held *child)
{
	struct mitosis *there = prepare(ID, content);

	between = machine_start(BETWEEN);
	machine_enter(&between);
	mitosis_close(open_here());
	if (child) {
		*child = hold(ID);
		CHECK_SOON(!fills(), PATIENCE_MS);
	}
	machine_leave();
	front_start(&hostile, "replica", between.port);
	be_machine_of(content);
	setenv("MITOSIS_VERIFY", verify, 1);
	if (honest.pid) {
		setenv("MITOSIS_DEADLINE_MS", DEADLINE_MS, 1);
		connects_to = honest.address;
	}
	if (itself)
		mitosis_close(open_here());
	connects_to = hostile.address;
	return there;
}

static void finish(struct mitosis *there)
{
	*hostile.lies = false;
	drop(there, ID);
	kill_and_reap(hostile.pid);
	machine_enter(&between);
	CHECK_SOON(!pager(), PATIENCE_MS);
	machine_leave();
	machine_stop(&between);
}

/* A pager's last line. */
static void check_all_verified(const char *trace)
{
	unsigned long come = 0, verified = 0;
	char line[512];
	FILE *f = fopen(trace, "re");

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, ": ends pages_by_tcp=");

		if (at)
			sscanf(at,
			       ": ends pages_by_tcp=%lu pages_by_rdma=0 fallbacks=0 "
			       "pages_verified=%lu",
			       &come, &verified);
	}
	fclose(f);
	CHECK(come >= PAGES);
	CHECK_EQ(verified, come);
}

static void faithful(void)
{
	struct mitosis *there;
	char trace[256];

	setenv("MITOSIS_TRACE", "1", 1);
	there = begin(10, "on", true, NULL);
	snprintf(trace, sizeof(trace), "%s/mitosis.trace",
		 getenv("MITOSIS_RUNTIME_DIR"));
	CHECK(read_all(ID) >= PAGES);
	finish(there);
	check_all_verified(trace);
}

/* Each page of the machine between is asked for: nothing that its replica has done is seen in them. */
static void faithful_replica(void)
{
	struct mitosis *there;
	struct held above, child;

	setenv("MITOSIS_REPLICA_FILL", "all", 1);
	there = begin(70, "on", true, &above);
	child = hold(ID);
	CHECK_SOON(!fills(), PATIENCE_MS);
	CHECK(read_all(ID) < PAGES / 4);
	release(&child);
	machine_enter(&between);
	release(&above);
	machine_leave();
	finish(there);
}

static void lie(void)
{
	*hostile.lies = true;
}

static void stop_origin(void)
{
	CHECK(!kill(-honest.pid, SIGSTOP));
}

static void lose_origin(void)
{
	kill_and_reap(honest.pid);
}

/*
 * What a child of this mode reads when that has happened after the first child, which has brought the
 * descriptor.
 */
static void read_after(void (*happening)(void), enum mitosis_resume_mode mode,
		       char content, bool noticed)
{
	struct mitosis *there;
	struct running first, next;
	struct report w;
	bool reported;

	setenv("MITOSIS_REPLICA_FILL", "off", 1);
	there = begin(content, noticed ? "on" : "off", true, NULL);
	first = start_in(ID, mode);
	tell(&first, 'p');
	happening();
	next = start_in(ID, mode);
	CHECK(write(next.order, "e", 1) == 1 || errno == EPIPE);
	reported = report_within(next.report, &w, PATIENCE_MS);
	CHECK(noticed ? !reported : reported && !w.is_right);
	end_of(&next);
	kill(first.proxy, SIGKILL);
	end_of(&first);
	finish(there);
}

static void lies_on_demand(void)
{
	read_after(lie, MITOSIS_RESUME_LAZY, 20, true);
}

static void lies_to_replica(void)
{
	read_after(lie, MITOSIS_RESUME_REPLICA, 40, true);
}

static void lies_unnoticed(void)
{
	read_after(lie, MITOSIS_RESUME_LAZY, 50, false);
}

/* The machine between serves, and nobody can say whether it is right. */
static void origin_gone(void)
{
	front_start(&honest, "tcp", machine.port);
	read_after(lose_origin, MITOSIS_RESUME_LAZY, 80, true);
}

/* It is waited for until the deadline. */
static void origin_stopped(void)
{
	front_start(&honest, "tcp", machine.port);
	read_after(stop_origin, MITOSIS_RESUME_LAZY, 90, true);
	kill_and_reap(honest.pid);
}

static void alone(void)
{
	struct mitosis *there = begin(30, "on", false, NULL), *here = open_here();

	CHECK_EQ(mitosis_resume_remote(here, MACHINE, ID), -ENOTCONN);
	check_error_has("connect first");
	mitosis_close(here);
	finish(there);
}

static int ask(struct wire_connection *c, uint64_t address, uint64_t length,
	       uint32_t *size)
{
	const struct wire_pages request = { .address = address, .length = length };

	CHECK_EQ(wire_send(c, WIRE_DIGESTS, &request, sizeof(request)), 0);
	return wire_receive_answer(c, size);
}

/* What a snapshot's machine answers, and refuses without ending the session. */
static void answers(void)
{
	const uint64_t at = (uintptr_t)memory;
	uint8_t got[WIRE_DIGESTS_MAX][WIRE_DIGEST_SIZE], digest[SHA256_SIZE];
	struct mitosis *there = prepare(ID, 60);
	unsigned char page[PAGE] = { 60 + 1 };
	struct wire_connection c;
	struct sha256 h;
	uint32_t size;

	CHECK_EQ(machine_connect(machine.port, &c), 0);
	machine_open_snapshot(&c, ID);
	CHECK_EQ(ask(&c, at, 0, &size), -EINVAL);
	CHECK_EQ(ask(&c, at, (WIRE_DIGESTS_MAX + 1) * PAGE, &size), -EINVAL);
	CHECK_EQ(ask(&c, at + 1, PAGE, &size), -EINVAL);
	CHECK_EQ(ask(&c, at, PAGE - 1, &size), -EINVAL);
	CHECK_EQ(ask(&c, 0, PAGE, &size), -EFAULT);
	CHECK_EQ(ask(&c, at, WIRE_DIGESTS_MAX * PAGE, &size), 0);
	CHECK_EQ(size, sizeof(got));
	CHECK_EQ(wire_receive(&c, got, sizeof(got)), 0);
	sha256_init(&h);
	sha256_update(&h, page, sizeof(page));
	sha256_final(&h, digest);
	CHECK(!memcmp(got[1], digest, WIRE_DIGEST_SIZE));
	CHECK(memcmp(got[0], digest, WIRE_DIGEST_SIZE));
	wire_close(&c);
	drop(there, ID);
}

static void bad_setting(void)
{
	struct mitosis *device;

	setenv("MITOSIS_VERIFY", "yes", 1);
	setenv("MITOSIS_RUNTIME_DIR", between.dir, 1);
	CHECK(mitosis_open(MITOSIS_BACKEND_USER, &device) < 0);
	check_error_has("MITOSIS_VERIFY must be off or on, got 'yes'");
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "faithful", faithful },
		{ "faithful replica", faithful_replica },
		{ "lies on demand", lies_on_demand },
		{ "lies to a replica", lies_to_replica },
		{ "lies unnoticed", lies_unnoticed },
		{ "origin gone", origin_gone },
		{ "origin stopped", origin_stopped },
		{ "alone", alone },
		{ "answers", answers },
		{ "bad setting", bad_setting },
	};
	int failed;

	need_userfaultfd();
	use_key("verify");
	setenv("MITOSIS_PROTECTION", "handshake", 1);
	replica_children_begin();
	/* A runtime directory of no daemon. */
	snprintf(between.dir, sizeof(between.dir), "%s-none",
		 getenv("MITOSIS_RUNTIME_DIR"));
	failed = run_cases(cases, sizeof(cases) / sizeof(cases[0]), 60000,
			   argc > 1 ? argv[1] : NULL);
	machine_stop(&machine);
	return failed;
}

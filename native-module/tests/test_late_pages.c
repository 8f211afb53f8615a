// SPDX-License-Identifier: Apache-2.0
/*
 * A page that another machine delivers late, over one connection: only those wait who need it. Its deadline
 * ends the child that waits, and no other child of the snapshot; the end of its pager, what a child has forked.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/wire.h"
#include "tests/late_child.h"
#include "tests/machine.h"

#define LATE_PAGES  6 /* in turn: more than a pager has beside its cache */
#define PATIENCE_MS 15000
/* Of the short deadline, ms: a child that waits for the page ends by it. Others have a quarter to connect anew. */
#define DEADLINE "4000"

/* Shared with what is between the machines. */
static volatile struct control {
	uint64_t late; /* address; 0: nothing is held back */
	uint32_t held; /* connections so far */
} * control;

/* A connection through it: after a request for the page, no answer begins while that is held back. */
struct passage {
	int client, server;
	bool held;
	uint64_t left; /* bytes of the answer that is being passed on */
	size_t filled;
	struct {
		struct wire_header header;
		uint8_t body[256];
	} message;
};

static bool asks_for_it(const struct passage *p)
{
	struct wire_pages pages;

	memcpy(&pages, p->message.body, sizeof(pages));
	return p->message.header.type == WIRE_PAGES &&
	       control->late >= pages.address &&
	       control->late < pages.address + pages.length;
}

/* Passes a request on when it is whole. */
static void pass_request(struct passage *p)
{
	size_t want = sizeof(struct wire_header);
	ssize_t n;

	if (p->filled >= want)
		want += p->message.header.length;
	n = recv(p->client, (char *)&p->message + p->filled, want - p->filled, 0);
	if (n <= 0 || want > sizeof(p->message))
		_exit(0);
	p->filled += n;
	if (p->filled < sizeof(struct wire_header) ||
	    p->filled < sizeof(struct wire_header) + p->message.header.length)
		return;
	if (asks_for_it(p)) {
		p->held = true;
		__atomic_add_fetch(&control->held, 1, __ATOMIC_SEQ_CST);
	}
	if (send(p->server, &p->message, p->filled, MSG_NOSIGNAL) < 0)
		_exit(0);
	p->filled = 0;
}

static void pass_answer(struct passage *p)
{
	static char bytes[64 << 10];
	struct wire_header header;
	bool begins = !p->left;
	size_t want = begins			? sizeof(header)
		      : p->left < sizeof(bytes) ? p->left
						: sizeof(bytes);
	ssize_t n = recv(p->server, bytes, want, begins ? MSG_WAITALL : 0), at = 0;
	ssize_t sent;

	if (n <= 0)
		_exit(0);
	memcpy(&header, bytes, sizeof(header));
	p->left = begins ? header.length : p->left - n;
	for (; at < n; at += sent) {
		sent = send(p->client, bytes + at, n - at, MSG_NOSIGNAL);
		if (sent < 0)
			_exit(0);
	}
}

static void __attribute__((noreturn)) pass(int client, uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct passage p = { .client = client };
	int one = 1;

	/* Headers and bodies are sent one by one. */
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	p.server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(p.server, (struct sockaddr *)&to, sizeof(to)))
		_exit(1);
	for (;;) {
		struct pollfd polls[2];
		bool holds;

		p.held = p.held && control->late;
		holds = p.held && !p.left;
		polls[0] = (struct pollfd){ .fd = p.client, .events = POLLIN };
		polls[1] = (struct pollfd){ .fd = holds ? -1 : p.server,
					    .events = POLLIN };
		poll(polls, 2, holds ? 1 : -1);
		if (polls[0].revents)
			pass_request(&p);
		if (polls[1].revents && (!p.held || !control->late || p.left))
			pass_answer(&p);
	}
}

/* Starts what passes connections on to the machine. Returns it, and its address. */
static pid_t stand_between(const struct machine *machine, char address[64])
{
	struct sockaddr_in own = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(own);
	int client, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	CHECK(!bind(listener, (struct sockaddr *)&own, length));
	CHECK(!listen(listener, 16));
	CHECK(!getsockname(listener, (struct sockaddr *)&own, &length));
	snprintf(address, 64, "tcp://127.0.0.1:%u", ntohs(own.sin_port));
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGCHLD, SIG_IGN);
		while ((client = accept(listener, NULL, NULL)) >= 0) {
			if (fork() == 0)
				pass(client, machine->port);
			close(client);
		}
		_exit(1);
	}
	close(listener);
	return pid;
}

/* A child with a thread that waits for the page. */
static struct child start_at_late_page(int output)
{
	const uint32_t held = control->held;
	struct child c;

	control->late = (uintptr_t)memory + LATE * PAGE;
	c = start(output);
	have_done(&c, 'l');
	CHECK_SOON(control->held > held, PATIENCE_MS);
	return c;
}

static void others_go_on(void)
{
	struct child waiting = start_at_late_page(-1), other;

	have_done(&waiting, 'o');
	other = start(-1);
	have_done(&other, 'o');
	have_done(&waiting, 'm');
	control->late = 0;
	have_done(&waiting, 'j');
	/* It is there for all, by the connection that was late or by another one. */
	have_done(&other, 'l');
	have_done(&other, 'j');
	have_done(&other, 'm');
	tell(&waiting, 'e');
	tell(&other, 'e');
	CHECK_EQ(end(&waiting), 0);
	CHECK_EQ(end(&other), 0);
}

/* The same of children whose pages come from a machine between, which waits for the page itself. */
static void machine_between(void)
{
	const char *direct = remote_address;
	struct machine between = machine_start(atoi(REMOTE_ID) + 1);
	struct mitosis *there;
	char address[80];

	machine_enter(&between);
	there = open_user();
	CHECK_EQ(mitosis_connect(there, atoi(REMOTE_ID), direct), 0);
	mitosis_close(there);
	machine_leave();
	snprintf(address, sizeof(address), "replica%s",
		 between.address + strlen("tcp"));
	remote_address = address;
	others_go_on();
	remote_address = direct;
	machine_stop(&between);
}

/* The same of children that a replica forks, of a snapshot of which nothing is here yet. */
static void replica(const struct machine *machine)
{
	struct mitosis *device;

	machine_enter(machine);
	device = prepare(2, obey);
	machine_leave();
	snapshot = "2";
	resume_mode = "replica";
	others_go_on();
	snapshot = "1";
	resume_mode = "lazy";
	mitosis_close(device);
}

static void hold_back(size_t page)
{
	control->late = (uintptr_t)memory + page * PAGE;
}

/* What has come late is in the pager's cache: a later child gets it from there. */
static void cached(const struct machine *machine)
{
	struct child first, other, second;
	struct mitosis *device;
	uint32_t held;
	char number;

	machine_enter(machine);
	device = prepare(3, obey);
	machine_leave();
	snapshot = "3";
	resume_mode = "cached";
	/* It is recorded: later ones get what it has touched before they ask. */
	first = start(-1);
	tell(&first, 'e');
	CHECK_EQ(end(&first), 0);
	first = start(-1);
	other = start(-1);
	for (number = 0; number < LATE_PAGES; number++) {
		held = control->held;
		hold_back(late_page(number));
		tell_number(&first, number);
		CHECK_SOON(control->held > held, PATIENCE_MS);
		/* Nothing is served before the request is set aside. */
		tell_number(&other, LATE_PAGES + number);
		has_read(&other);
		control->late = 0;
		has_read(&first);
	}
	second = start(-1);
	held = control->held;
	for (number = 0; number < LATE_PAGES; number++) {
		hold_back(late_page(number));
		tell_number(&second, number);
		has_read(&second);
	}
	CHECK_EQ(control->held, held);
	control->late = 0;
	tell(&first, 'e');
	tell(&other, 'e');
	tell(&second, 'e');
	CHECK_EQ(end(&first), 0);
	CHECK_EQ(end(&other), 0);
	CHECK_EQ(end(&second), 0);
	snapshot = "1";
	resume_mode = "lazy";
	mitosis_close(device);
}

/* By children of a machine with a short deadline. */
static void deadline_passes(void)
{
	struct child waiting, other;
	struct machine here;
	char message[512];
	int output[2], status;
	ssize_t n;

	setenv("MITOSIS_DEADLINE_MS", DEADLINE, 1);
	here = machine_start(1);
	unsetenv("MITOSIS_DEADLINE_MS");
	machine_enter(&here);
	CHECK(!pipe2(output, O_CLOEXEC));
	waiting = start_at_late_page(output[1]);
	other = start(-1);
	have_done(&other, 'o');
	status = end(&waiting);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(output[1]);
	n = read(output[0], message, sizeof(message) - 1);
	message[n > 0 ? n : 0] = '\0';
	close(output[0]);
	CHECK(strstr(message, "machine " REMOTE_ID " at "));
	CHECK(strstr(message, remote_address));
	CHECK(strstr(message, "that this child waits for: the deadline has passed"));
	have_done(&other, 'm');
	tell(&other, 'e');
	CHECK_EQ(end(&other), 0);
	control->late = 0;
	machine_leave();
	machine_stop(&here);
}

/* What a child has forked waits for the page, and ends when the pager has ended. */
static void pager_ends(void)
{
	const uint32_t held = control->held;
	struct pollfd p = { 0 };
	struct child c;
	pid_t pager;

	control->late = (uintptr_t)memory + LATE * PAGE;
	c = start(-1);
	have_done(&c, 'f');
	CHECK_SOON(control->held > held, PATIENCE_MS);
	pager = find_process("mitosis-pager", daemon_pid());
	CHECK(pager && !kill(pager, SIGKILL));
	p.fd = c.replies;
	CHECK_EQ(poll(&p, 1, PATIENCE_MS), 1);
	CHECK_EQ(p.revents, POLLHUP);
	control->late = 0;
	CHECK_EQ(end(&c), SIGKILL);
}

int main(void)
{
	struct machine machine;
	struct mitosis *device;
	char address[64];
	pid_t between;

	/* What is between reads the messages. */
	setenv("MITOSIS_PROTECTION", "handshake", 1);
	set_up("late");
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(control != MAP_FAILED);
	machine = machine_start(atoi(REMOTE_ID));
	between = stand_between(&machine, address);
	machine_enter(&machine);
	device = prepare(1, obey);
	machine_leave();
	remote_address = address;
	others_go_on();
	replica(&machine);
	cached(&machine);
	machine_between();
	pager_ends();
	deadline_passes();
	kill(between, SIGKILL);
	CHECK(waitpid(between, NULL, 0) == between);
	mitosis_close(device);
	machine_stop(&machine);
	return 0;
}

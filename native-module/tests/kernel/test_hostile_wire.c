// SPDX-License-Identifier: Apache-2.0
/*
 * Hostile input over TCP: random bytes for the module's server, connections that
 * send nothing, and streams between real machines in which a byte is changed, or
 * which are cut off or stall. The resume call fails with the errno of the cause; a
 * child that already runs may fail. The module must go on serving, and the kernel's
 * log must stay clean.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "proto/wire.h"
#include "tests/harness.h"

#define ID	    73
#define PAGES	    256
#define NOISES	    150
#define SILENT	    600 /* more than the module has places */
#define MANGLED	    60
#define AT_ONCE	    5
#define CHILD_MS    8000
#define DEADLINE_MS 400 /* of children that must time out */
#define PATIENT_MS  15000

static uint16_t module_port(void)
{
	const char *address = getenv("MITOSIS_TEST_MODULE_ADDRESS");

	if (!address)
		skip("needs MITOSIS_TEST_MODULE_ADDRESS, where the module listens");
	return atoi(strrchr(address, ':') + 1);
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static int dial(uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void connect_to(struct mitosis *device, uint16_t port)
{
	char address[64];

	snprintf(address, sizeof(address), "tcp://127.0.0.1:%u", port);
	CHECK_EQ(mitosis_connect(device, module_parameter("machine_id"), address),
		 0);
}

static void send_random_bytes(void)
{
	int i, silent[SILENT], answered = 0;
	struct mitosis *device = open_kernel();

	for (i = 0; i < NOISES; i++) {
		unsigned char bytes[512];
		struct wire_header *header = (void *)bytes;
		size_t j, size = pseudo_random() % sizeof(bytes) + 1;
		int fd = dial(module_port());

		CHECK(fd >= 0);
		for (j = 0; j < sizeof(bytes); j++)
			bytes[j] = pseudo_random();
		if (i % 3) {
			/* A header that looks valid. */
			header->magic = WIRE_MAGIC;
			header->version = i % 2 ? WIRE_VERSION : header->version;
			header->type = pseudo_random() % 12;
			if (i % 5)
				header->length %= 256;
		}
		send(fd, bytes, size, MSG_NOSIGNAL);
		close(fd);
	}
	/* Silent connections must not hold their places against one that has the key. */
	for (i = 0; i < SILENT; i++)
		silent[i] = dial(module_port());
	for (i = 0; i < 4 && !answered; i++) {
		char address[64];

		snprintf(address, sizeof(address), "tcp://127.0.0.1:%u",
			 module_port());
		answered = !mitosis_connect(device, module_parameter("machine_id"),
					    address) &&
			   !mitosis_nil_rpc(device, module_parameter("machine_id"));
		if (!answered)
			sleep_ms(250);
	}
	CHECK(answered);
	for (i = 0; i < SILENT; i++)
		if (silent[i] >= 0)
			close(silent[i]);
	mitosis_close(device);
}

/* The change to one connection, at an offset of one direction. */
struct mangling {
	int client, server;
	bool of_answers;
	enum { CHANGE, CUT, STALL, KINDS } kind;
	size_t offset;
	unsigned char flip; /* CHANGE: these bits */
};

static void *mangle(void *argument)
{
	struct mangling m = *(struct mangling *)argument;
	size_t seen[2] = { 0, 0 };
	bool done = false;

	free(argument);
	for (;;) {
		struct pollfd fds[2] = { { .fd = m.client, .events = POLLIN },
					 { .fd = m.server, .events = POLLIN } };
		int i;

		if (poll(fds, 2, 10000) <= 0)
			break;
		for (i = 0; i < 2; i++) {
			int to = i ? m.client : m.server;
			bool here = i == m.of_answers && !done;
			char bytes[8192];
			ssize_t n;

			if (!fds[i].revents)
				continue;
			n = recv(fds[i].fd, bytes, sizeof(bytes), 0);
			if (n <= 0)
				goto out;
			if (here && m.offset < seen[i] + n) {
				done = true;
				if (m.kind == CHANGE) {
					bytes[m.offset - seen[i]] ^= m.flip;
				} else {
					send(to, bytes, m.offset - seen[i],
					     MSG_NOSIGNAL);
					sleep_ms(m.kind == STALL ? 3 * DEADLINE_MS
								 : 0);
					goto out;
				}
			}
			seen[i] += n;
			if (send(to, bytes, n, MSG_NOSIGNAL) != n)
				goto out;
		}
	}
out:
	close(m.client);
	close(m.server);
	return NULL;
}

static int listener;
static const struct mangling *volatile chosen; /* NULL: a random one */
static volatile size_t largest_offset = 64;

static struct mangling random_mangling(void)
{
	return (struct mangling){
		.of_answers = pseudo_random() % 2,
		.kind = pseudo_random() % KINDS,
		.offset = pseudo_random() % largest_offset,
		.flip = pseudo_random() % 255 + 1,
	};
}

static void *proxy(void *unused)
{
	for (;;) {
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		struct mangling *m = malloc(sizeof(*m));
		pthread_t thread;

		if (client < 0 || !m) {
			free(m);
			return unused;
		}
		*m = chosen ? *chosen : random_mangling();
		m->client = client;
		m->server = dial(module_port());
		CHECK(!pthread_create(&thread, NULL, mangle, m));
		pthread_detach(thread);
	}
}

static pid_t start_parent(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	CHECK(!pipe2(ready, O_CLOEXEC));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		struct mitosis *device = open_kernel();
		volatile char *memory =
			mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int i, sum = 0;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (i = 0; i < PAGES; i++)
			memory[i * 4096] = i;
		CHECK_EQ(mitosis_prepare(device, ID), 0);
		if (!mitosis_nil(device)) {
			CHECK_EQ(write(ready[1], "r", 1), 1);
			for (;;)
				pause();
		}
		for (i = 0; i < PAGES; i++)
			sum += memory[i * 4096] == (char)i;
		_exit(sum == PAGES ? 0 : 1);
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* A process that becomes a child, or exits with the errno of the resume call. */
static pid_t start_child_by(uint16_t port, unsigned int deadline_ms)
{
	struct mitosis_options options = { .prefetch_pages = 4,
					   .deadline_ms = deadline_ms };
	struct mitosis_remote_req request = { module_parameter("machine_id"), ID };
	struct mitosis_connect_req there = { .machine_id = request.machine_id };
	char address[64];
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);

		snprintf(address, sizeof(address), "tcp://127.0.0.1:%u", port);
		there.gid = address;
		if (!ioctl(fd, MITOSIS_IOC_SET_OPTIONS, &options) &&
		    !ioctl(fd, MITOSIS_CONNECT, &there))
			ioctl(fd, MITOSIS_RESUME_REMOTE, &request);
		_exit(errno);
	}
	return pid;
}

/*
 * Each kind of invalid message has its errno: the module's client checks changed
 * answers, and its server refuses changed requests.
 */
static void check_errnos(uint16_t port)
{
	enum {
		/* Offsets in each header. */
		VERSION = offsetof(struct wire_header, version),
		TYPE = offsetof(struct wire_header, type),
		STATUS = offsetof(struct wire_header, status),
		LENGTH = offsetof(struct wire_header, length),
		HEADER = sizeof(struct wire_header),
		/* Offsets of requests and answers in the stream. */
		PROOF = HEADER + sizeof(struct wire_hello),
		OPEN = PROOF + HEADER + sizeof(struct wire_proof),
		PROVEN = HEADER + sizeof(struct wire_challenge),
		OPENED = PROVEN + HEADER,
	};
	static const struct {
		const char *what;
		struct mangling done;
		int err;
	} cases[] = {
#define OF(from_server, action, at, bits)                                           \
	{ .of_answers = from_server, .kind = action, .offset = at, .flip = bits }
		{ "hello's magic", OF(0, CHANGE, 0, 1), EPROTO },
		{ "hello's version", OF(0, CHANGE, VERSION, 1), EPROTONOSUPPORT },
		{ "hello's type", OF(0, CHANGE, TYPE, 1), EPROTO },
		{ "hello's status", OF(0, CHANGE, STATUS, 1), EPROTO },
		{ "hello's length", OF(0, CHANGE, LENGTH, 1), EMSGSIZE },
		{ "proof's length", OF(0, CHANGE, PROOF + LENGTH, 1), EMSGSIZE },
		{ "proof", OF(0, CHANGE, PROOF + HEADER, 1), EACCES },
		{ "open's version", OF(0, CHANGE, OPEN + VERSION, 1),
		  EPROTONOSUPPORT },
		{ "open's type", OF(0, CHANGE, OPEN + TYPE, 3), EPROTO },
		{ "open's length", OF(0, CHANGE, OPEN + LENGTH, 1), EMSGSIZE },
		{ "open's handler", OF(0, CHANGE, OPEN + HEADER, 1), ENOENT },
		{ "challenge's magic", OF(1, CHANGE, 0, 1), EPROTO },
		{ "challenge's version", OF(1, CHANGE, VERSION, 1),
		  EPROTONOSUPPORT },
		{ "challenge's type", OF(1, CHANGE, TYPE, 1), EPROTO },
		{ "challenge's length", OF(1, CHANGE, LENGTH, 1), EMSGSIZE },
		{ "challenge's mac", OF(1, CHANGE, PROVEN - 1, 1), EACCES },
		{ "challenge's end", OF(1, CUT, PROVEN - 1, 0), ECONNRESET },
		{ "a positive status", OF(1, CHANGE, PROVEN + STATUS, 1), EPROTO },
		{ "an unexpected body", OF(1, CHANGE, PROVEN + LENGTH, 1),
		  EMSGSIZE },
		{ "a huge descriptor", OF(1, CHANGE, OPENED + LENGTH + 3, 0x80),
		  EMSGSIZE },
		{ "an invalid descriptor", OF(1, CHANGE, OPENED + HEADER, 1),
		  EBADMSG },
		{ "a descriptor's end", OF(1, CUT, OPENED + 200, 0), ECONNRESET },
		{ "half a descriptor", OF(1, STALL, OPENED + 200, 0), ETIMEDOUT },
#undef OF
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool stalls = cases[i].done.kind == STALL;
		int status;

		chosen = &cases[i].done;
		status = status_within(start_child_by(port, stalls ? DEADLINE_MS
								   : PATIENT_MS),
				       30000);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != cases[i].err) {
			printf("%s: got status %#x, must be errno %d\n",
			       cases[i].what, status, cases[i].err);
			exit(1);
		}
	}
	chosen = NULL;
}

/* Whether a child exits with 0. It is killed in time: with wrong bytes it may hang. */
static bool succeeds(pid_t child, uint64_t until_ns)
{
	int status = -1;

	while (waitpid(child, &status, WNOHANG) != child) {
		if (now_ns() > until_ns)
			kill(child, SIGKILL);
		sleep_ms(1);
	}
	return status == 0;
}

static void mangled_streams(void)
{
	struct sockaddr_in address = loopback(0);
	socklen_t length = sizeof(address);
	pid_t parent = start_parent();
	int i, succeeded = 0;
	pthread_t thread;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(listener >= 0 &&
	      !bind(listener, (struct sockaddr *)&address, sizeof(address)) &&
	      !listen(listener, 64) &&
	      !getsockname(listener, (struct sockaddr *)&address, &length));
	CHECK(!pthread_create(&thread, NULL, proxy, NULL));
	check_errnos(ntohs(address.sin_port));
	for (i = 0; i < MANGLED; i += AT_ONCE) {
		uint64_t until = now_ns() + CHILD_MS * 1000000ull;
		pid_t children[AT_ONCE];
		int j;

		/* From the handshake only to handshake, descriptor and pages. */
		largest_offset = 64ul << i / AT_ONCE % 12;
		for (j = 0; j < AT_ONCE; j++)
			children[j] =
				start_child_by(ntohs(address.sin_port), DEADLINE_MS);
		for (j = 0; j < AT_ONCE; j++)
			succeeded += succeeds(children[j], until);
	}
	printf("%d of %d children succeeded\n", succeeded, MANGLED);
	shutdown(listener, SHUT_RDWR);
	CHECK(!pthread_join(thread, NULL));
	close(listener);

	/* A child over an unchanged connection must succeed. */
	i = status_within(start_child_by(module_port(), PATIENT_MS), 30000);
	CHECK_EQ(i, 0);
	kill(parent, SIGKILL);
	status_within(parent, 10000);
}

int main(void)
{
	struct mitosis *device = open_kernel();

	connect_to(device, module_port());
	CHECK_EQ(mitosis_nil_rpc(device, module_parameter("machine_id")), 0);
	send_random_bytes();
	mangled_streams();
	connect_to(device, module_port());
	CHECK_EQ(mitosis_nil_rpc(device, module_parameter("machine_id")), 0);
	mitosis_close(device);
	return 0;
}

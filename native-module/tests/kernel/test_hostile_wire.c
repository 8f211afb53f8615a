// SPDX-License-Identifier: Apache-2.0
/*
 * Hostile input over TCP: random bytes for the module's server, connections that
 * send nothing, and streams between real machines in which a byte is changed, or
 * which are cut off or stall, or whose records are repeated, dropped or exchanged. The
 * resume call fails with the errno of the cause; a child that already runs may fail. The
 * module must go on serving, and the kernel's log must stay clean.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
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
#include "proto/user/record.h"
#include "tests/harness.h"
#include "tests/kernel/mangler.h"

#define ID	    73
#define PAGES	    256
#define NOISES	    150
#define SILENT	    600 /* more than the module has places */
#define MANGLED	    60
#define AT_ONCE	    5
#define CHILD_MS    8000
#define DEADLINE_MS (MANGLER_STALL_MS / 3) /* of children that must time out */
#define PATIENT_MS  15000
/* An exit status. */
#define NEW_CONNECTION 3
#define VMAS	       160 /* pairs: the descriptor does not fit into one record */

static void connect_to(struct mitosis *device)
{
	char address[64];

	snprintf(address, sizeof(address), "tcp://127.0.0.1:%u", module_port());
	CHECK_EQ(mitosis_connect(device, module_parameter("machine_id"), address),
		 0);
}

/* Whether the module's sessions are sealed. */
static bool sealed(void)
{
	char text[16] = "";
	FILE *f = fopen("/sys/module/mitosis/parameters/protection", "r");

	CHECK(f && fscanf(f, "%15s", text) == 1);
	fclose(f);
	return !strcmp(text, "sealed");
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
		char *many = mmap(NULL, 2 * VMAS * 4096, PROT_READ,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int i, sum = 0;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		CHECK(many != MAP_FAILED);
		for (i = 0; i < VMAS; i++)
			CHECK(!mprotect(many + 2 * i * 4096, 4096, PROT_NONE));
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
static pid_t start_child_from(int namespace, unsigned int deadline_ms)
{
	struct mitosis_options options = { .prefetch_pages = 4,
					   .deadline_ms = deadline_ms };
	struct mitosis_remote_req request = { module_parameter("machine_id"), ID };
	struct mitosis_connect_req connect = { .machine_id = request.machine_id };
	char address[64];
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		int fd = open(MITOSIS_DEVICE_PATH, O_RDWR | O_CLOEXEC);

		snprintf(address, sizeof(address), "tcp://127.0.0.1:%u",
			 module_port());
		connect.gid = address;
		if (!setns(namespace, CLONE_NEWNET) &&
		    !ioctl(fd, MITOSIS_IOC_SET_OPTIONS, &options) &&
		    !ioctl(fd, MITOSIS_CONNECT, &connect))
			ioctl(fd, MITOSIS_RESUME_REMOTE, &request);
		_exit(errno);
	}
	return pid;
}

struct case_of_errno {
	const char *what;
	struct mangling done;
	int err;
};

enum {
	/* Offsets in each header. */
	VERSION = offsetof(struct wire_header, version),
	TYPE = offsetof(struct wire_header, type),
	STATUS = offsetof(struct wire_header, status),
	LENGTH = offsetof(struct wire_header, length),
	HEADER = sizeof(struct wire_header),
	PROTECTION = HEADER + offsetof(struct wire_hello, protection),
	/* Offsets of requests and answers in the stream. */
	PROOF = HEADER + sizeof(struct wire_hello),
	OPEN = PROOF + HEADER + sizeof(struct wire_proof),
	PROVEN = HEADER + sizeof(struct wire_challenge),
	OPENED = PROVEN + HEADER,
	RIGHTS_FLAGS = OPENED + HEADER + offsetof(struct wire_rights, has.flags),
	DESCRIBED = OPENED + HEADER + sizeof(struct wire_rights),
	/* Offsets in each record. */
	SIZE = offsetof(struct wire_record, size),
	NUMBER = offsetof(struct wire_record, number),
	TEXT = sizeof(struct wire_record),
	/* The length of the first request. */
	OPEN_SIZE = HEADER + sizeof(struct wire_open),
};

#define OF(from_server, action, at, bits)                                           \
	{                                                                           \
		.of_answers = from_server, .kind = action, .offset = at,            \
		.flip = bits                                                        \
	}

static const struct case_of_errno of_handshake[] = {
	{ "hello's magic", OF(0, CHANGE, 0, 1), EPROTO },
	{ "hello's version", OF(0, CHANGE, VERSION, 1), EPROTONOSUPPORT },
	{ "hello's type", OF(0, CHANGE, TYPE, 1), EPROTO },
	{ "hello's status", OF(0, CHANGE, STATUS, 1), EPROTO },
	{ "hello's length", OF(0, CHANGE, LENGTH, 1), EMSGSIZE },
	{ "hello's protection", OF(0, CHANGE, PROTECTION, 3), EACCES },
	{ "hello's nonce", OF(0, CHANGE, PROOF - 1, 1), EACCES },
	{ "proof's length", OF(0, CHANGE, PROOF + LENGTH, 1), EMSGSIZE },
	{ "proof", OF(0, CHANGE, PROOF + HEADER, 1), EACCES },
	{ "challenge's magic", OF(1, CHANGE, 0, 1), EPROTO },
	{ "challenge's version", OF(1, CHANGE, VERSION, 1), EPROTONOSUPPORT },
	{ "challenge's type", OF(1, CHANGE, TYPE, 1), EPROTO },
	{ "challenge's length", OF(1, CHANGE, LENGTH, 1), EMSGSIZE },
	{ "challenge's protection", OF(1, CHANGE, PROTECTION, 3), EPROTOTYPE },
	{ "challenge's mac", OF(1, CHANGE, PROVEN - 1, 1), EACCES },
	{ "challenge's end", OF(1, CUT, PROVEN - 1, 0), ECONNRESET },
	{ "a positive status", OF(1, CHANGE, PROVEN + STATUS, 1), EPROTO },
	{ "an unexpected body", OF(1, CHANGE, PROVEN + LENGTH, 1), EMSGSIZE },
	{ "a descriptor's end", OF(1, CUT, OPENED + 200, 0), ECONNRESET },
	{ "half a descriptor", OF(1, STALL, OPENED + 200, 0), ETIMEDOUT },
};

static const struct case_of_errno of_plain_messages[] = {
	{ "open's version", OF(0, CHANGE, OPEN + VERSION, 1), EPROTONOSUPPORT },
	{ "open's type", OF(0, CHANGE, OPEN + TYPE, 3), EPROTO },
	{ "open's length", OF(0, CHANGE, OPEN + LENGTH, 1), EMSGSIZE },
	{ "open's handler", OF(0, CHANGE, OPEN + HEADER, 1), ENOENT },
	{ "a huge descriptor", OF(1, CHANGE, DESCRIBED + LENGTH + 3, 0x80),
	  EMSGSIZE },
	{ "an invalid descriptor", OF(1, CHANGE, DESCRIBED + HEADER, 1), EBADMSG },
	{ "rights' length", OF(1, CHANGE, OPENED + LENGTH, 1), EMSGSIZE },
	{ "rights' type", OF(1, CHANGE, OPENED + TYPE, 1), EPROTO },
	{ "unknown rights", OF(1, CHANGE, RIGHTS_FLAGS, RIGHTS_KNOWN), EBADMSG },
};

/* The module's server tells its client why it ends the session. */
static const struct case_of_errno of_records[] = {
	{ "a request's magic", OF(0, CHANGE, OPEN, 1), EPROTO },
	{ "a long request", OF(0, CHANGE, OPEN + SIZE + 1, 1), EMSGSIZE },
	{ "a request's number", OF(0, CHANGE, OPEN + NUMBER, 1), EILSEQ },
	{ "a request's text", OF(0, CHANGE, OPEN + TEXT, 1), EBADMSG },
	{ "a request's tag", OF(0, CHANGE, OPEN + TEXT + OPEN_SIZE, 1), EBADMSG },
	{ "an answer's magic", OF(1, CHANGE, OPENED, 1), EPROTO },
	{ "a huge answer", OF(1, CHANGE, OPENED + SIZE + 3, 0x80), EMSGSIZE },
	{ "an answer's number", OF(1, CHANGE, OPENED + NUMBER, 1), EILSEQ },
	{ "an answer's status", OF(1, CHANGE, OPENED + TEXT + STATUS, 1), EBADMSG },
	{ "an answer's text", OF(1, CHANGE, OPENED + TEXT + 5000, 1), EBADMSG },
	{ "a second record", OF(1, CHANGE, OPENED + RECORD_MAX + TEXT + 500, 1),
	  EBADMSG },
	{ "an answer twice", OF(1, REPEAT, OPENED, 0), EALREADY },
	{ "an answer too few", OF(1, DROP, OPENED, 0), EILSEQ },
	{ "answers exchanged", OF(1, EXCHANGE, OPENED, 0), EILSEQ },
	{ "an answer's end", OF(1, CUT, OPENED + RECORD_MAX, 0), ECONNRESET },
	{ "half an answer", OF(1, STALL, OPENED + RECORD_MAX, 0), ETIMEDOUT },
};

/*
 * Each kind of invalid message has its errno: the module's client checks changed
 * answers, and its server refuses changed requests.
 */
static void check_errnos(const struct case_of_errno *cases, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		bool stalls = cases[i].done.kind == STALL;
		int status;

		mangler_choose(&cases[i].done);
		status = status_within(start_child_from(there, stalls ? DEADLINE_MS
								      : PATIENT_MS),
				       30000);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != cases[i].err) {
			printf("%s: got status %#x, must be errno %d\n",
			       cases[i].what, status, cases[i].err);
			exit(1);
		}
	}
	mangler_choose(NULL);
}

/*
 * A repeated request is answered once, and refused with the next one; where the refusal
 * has closed the connection before that, the next one is sent on a new connection.
 */
static void repeated_request(void)
{
	static const struct mangling twice = OF(0, REPEAT, OPEN, 0);
	int before = mangler_connections(), err;
	pid_t pid;

	mangler_choose(&twice);
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		int machine = module_parameter("machine_id");
		struct mitosis *device = open_kernel();

		CHECK(!setns(there, CLONE_NEWNET));
		connect_to(device);
		CHECK_EQ(mitosis_nil_rpc(device, machine), 0);
		err = mitosis_nil_rpc(device, machine);
		CHECK(!err || err == -EALREADY);
		exit(err ? 0 : NEW_CONNECTION);
	}
	CHECK_EQ(status_within(pid, 30000),
		 mangler_connections() == before + 1 ? 0 : NEW_CONNECTION << 8);
	mangler_choose(NULL);
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
	pid_t parent = start_parent();
	int i, succeeded = 0;

	mangler_start();
	check_errnos(of_handshake, sizeof(of_handshake) / sizeof(*of_handshake));
	if (sealed()) {
		check_errnos(of_records, sizeof(of_records) / sizeof(*of_records));
		repeated_request();
	} else {
		check_errnos(of_plain_messages,
			     sizeof(of_plain_messages) / sizeof(*of_plain_messages));
	}
	for (i = 0; i < MANGLED; i += AT_ONCE) {
		uint64_t until = now_ns() + CHILD_MS * 1000000ull;
		pid_t children[AT_ONCE];
		int j;

		/* From the handshake only to handshake, descriptor and pages. */
		mangler_set_largest_offset(64ul << i / AT_ONCE % 12);
		for (j = 0; j < AT_ONCE; j++)
			children[j] = start_child_from(there, DEADLINE_MS);
		for (j = 0; j < AT_ONCE; j++)
			succeeded += succeeds(children[j], until);
	}
	printf("%d of %d children succeeded\n", succeeded, MANGLED);
	mangler_stop();

	/* A child over an unchanged connection must succeed. */
	i = status_within(start_child_from(here, PATIENT_MS), 30000);
	CHECK_EQ(i, 0);
	kill(parent, SIGKILL);
	status_within(parent, 10000);
}

int main(void)
{
	struct mitosis *device = open_kernel();

	connect_to(device);
	CHECK_EQ(mitosis_nil_rpc(device, module_parameter("machine_id")), 0);
	send_random_bytes();
	mangled_streams();
	connect_to(device);
	CHECK_EQ(mitosis_nil_rpc(device, module_parameter("machine_id")), 0);
	mitosis_close(device);
	return 0;
}

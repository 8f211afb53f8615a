// SPDX-License-Identifier: Apache-2.0
/*
 * Sealed sessions, with a machine in the middle that repeats, moves, drops, changes
 * and cuts records: each ends the session with an errno of its own, at the client,
 * at mitosisd and at a shadow; nothing that passes can be read in the middle.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/user/auth_config.h"
#include "proto/user/connection.h"
#include "tests/harness.h"
#include "tests/relay.h"

#define SIZE	   (8ul << 20)
#define HANDLER_ID 9

static const struct {
	const char *name;
	int answers; /* of two requests, that still are right */
	int err;
	const char *message;
} told[] = {
	[RELAY_FAITHFUL] = { "faithful", 2, 0, "" },
	[RELAY_REPLAY] = { "replay", 1, -EALREADY, "a second time" },
	[RELAY_REORDER] = { "reorder", 0, -EILSEQ, "in another order" },
	[RELAY_DROP] = { "drop", 0, -EILSEQ, "in another order" },
	[RELAY_FLIP] = { "flip", 0, -EBADMSG, "was changed" },
	[RELAY_CUT] = { "cut", 0, -ECONNRESET, "closed the connection" },
};

static struct wire_connection connect_to(const struct relay *r)
{
	struct wire_connection c;

	CHECK_EQ(machine_connect(r->machine.port, &c), 0);
	return c;
}

/* A connection that the shadow has, with its descriptor read. */
static struct wire_connection open_snapshot(const struct relay *r)
{
	struct wire_connection c = connect_to(r);

	machine_open_snapshot(&c, HANDLER_ID);
	return c;
}

/* Two requests at once, then the answers until one is wrong. */
static void disturbed(struct relay *r, struct wire_connection *c,
		      enum relay_fault fault, bool to_client,
		      const struct wire_pages *pages)
{
	enum wire_type type = pages ? WIRE_PAGES : WIRE_NIL;
	size_t size = pages ? sizeof(*pages) : 0;
	int answers = 0, err = 0;
	uint32_t length;
	char page[4096];

	relay_arm(r, fault, to_client);
	CHECK_EQ(wire_send(c, type, pages, size), 0);
	/* The connection may have gone. */
	if (wire_send(c, type, pages, size))
		CHECK(fault != RELAY_FAITHFUL);
	while (!err && answers < 2) {
		err = wire_receive_answer(c, &length);
		if (!err && pages) {
			CHECK_EQ(length, sizeof(page));
			err = wire_receive(c, page, length);
		}
		if (!err && pages)
			CHECK(page[0] == 7 && page[4095] == 7);
		answers += !err;
	}
	if (err != told[fault].err || answers != told[fault].answers) {
		printf("%s to the %s, %s: %d after %d answers\n", told[fault].name,
		       to_client ? "client" : "server", pages ? "pages" : "nil RPC",
		       err, answers);
		exit(1);
	}
	/* Nothing of a record that was refused is given out later. */
	if (err && to_client)
		CHECK_EQ(wire_receive(c, page, 1), err);
	wire_close(c);
}

static void every_fault(struct relay *r, const struct wire_pages *pages)
{
	enum relay_fault fault;
	struct wire_connection c;
	int to_client;

	for (fault = RELAY_FAITHFUL; fault <= RELAY_CUT; fault++) {
		for (to_client = 0; to_client < 2; to_client++) {
			c = pages ? open_snapshot(r) : connect_to(r);
			disturbed(r, &c, fault, to_client, pages);
		}
	}
}

/* An answer that comes after its deadline is not taken for that to a later request. */
static void late_answer(void)
{
	const struct wire_header late = wire_header(WIRE_ANSWER, 0, 8);
	const struct timeval t = { .tv_usec = 50000 };
	struct wire_connection c = { 0 };
	uint32_t length;
	int ends[2];

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	CHECK(!setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	c.fd = ends[0];
	CHECK_EQ(wire_send(&c, WIRE_NIL, NULL, 0), 0);
	CHECK_EQ(wire_receive_answer(&c, &length), -ETIMEDOUT);
	CHECK(write(ends[1], &late, sizeof(late)) == sizeof(late));
	CHECK_EQ(wire_send(&c, WIRE_NIL, NULL, 0), -ETIMEDOUT);
	CHECK_EQ(wire_receive_answer(&c, &length), -ETIMEDOUT);
	wire_close(&c);
	close(ends[1]);
}

/* The session of the library: mitosis_nil_rpc(). */
static void the_library_says_why(struct relay *r)
{
	struct mitosis *device = open_user();

	CHECK_EQ(mitosis_connect(device, 2, r->machine.address), 0);
	CHECK_EQ(mitosis_nil_rpc(device, 2), 0);
	relay_arm(r, RELAY_FLIP, true);
	CHECK_EQ(mitosis_nil_rpc(device, 2), -EBADMSG);
	check_error_has("a record was changed on its way");
	/* A new connection has new secrets. */
	CHECK_EQ(mitosis_nil_rpc(device, 2), 0);
	relay_arm(r, RELAY_REPLAY, true);
	CHECK_EQ(mitosis_nil_rpc(device, 2), 0);
	CHECK_EQ(mitosis_nil_rpc(device, 2), -EALREADY);
	check_error_has("replay");
	mitosis_close(device);
}

/* Addresses that are not the same for both ends. */
static void translated_addresses(struct relay *r)
{
	struct mitosis *device = open_user();

	r->control->translates = true;
	CHECK_EQ(mitosis_connect(device, 2, r->machine.address), -EACCES);
	check_error_has("NAT");
	r->control->translates = false;
	CHECK_EQ(mitosis_connect(device, 2, r->machine.address), 0);
	mitosis_close(device);
}

/* How often the first bytes of a page are seen on their way. */
static uint32_t seen_of(struct relay *r, const struct wire_pages *pages)
{
	struct wire_connection c = open_snapshot(r);
	char page[4096];
	uint32_t length;
	size_t i;

	for (i = 0; i < sizeof(r->control->wanted); i++)
		r->control->wanted[i] = ((const char *)pages->address)[i];
	CHECK_EQ(wire_send(&c, WIRE_PAGES, pages, sizeof(*pages)), 0);
	CHECK_EQ(wire_receive_answer(&c, &length), 0);
	CHECK_EQ(wire_receive(&c, page, sizeof(page)), 0);
	CHECK(!memcmp(page, (const char *)pages->address, sizeof(page)));
	wire_close(&c);
	r->control->wanted[0] = 0;
	return r->control->seen;
}

/* A child that has half of its pages when the relay begins to lie. */
static void child_with_fault(struct relay *r, enum relay_fault fault, int half[2],
			     int go[2])
{
	struct mitosis *local;
	int output[2], status;
	char byte, text[1024];
	ssize_t n, filled = 0;
	pid_t child;

	CHECK(!pipe(output));
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		const struct mitosis_resume_options options = {
			.mode = MITOSIS_RESUME_LAZY,
			.prefetch_pages = 16,
		};

		dup2(output[1], STDERR_FILENO);
		close(output[0]);
		local = open_user();
		CHECK_EQ(mitosis_set_resume_options(local, &options), 0);
		CHECK_EQ(mitosis_connect(local, 2, r->machine.address), 0);
		mitosis_resume_remote(local, 2, HANDLER_ID);
		printf("%s\n", mitosis_error());
		exit(1);
	}
	close(output[1]);
	CHECK(read(half[0], &byte, 1) == 1);
	/* A full record, of a whole window: another one follows it. */
	r->control->least = RECORD_MAX;
	relay_arm(r, fault, true);
	CHECK(write(go[1], "g", 1) == 1);
	status = status_within(child, 20000);
	while (filled < (ssize_t)sizeof(text) - 1 &&
	       (n = read(output[0], text + filled, sizeof(text) - 1 - filled)) > 0)
		filled += n;
	text[filled] = '\0';
	if (status != (fault ? SIGKILL : 42 << 8) ||
	    !strstr(text, told[fault].message)) {
		printf("child, %s: status %#x, it was told: %s\n", told[fault].name,
		       status, text);
		exit(1);
	}
	close(output[0]);
}

static void children(struct relay *r)
{
	static const enum relay_fault faults[] = {
		RELAY_FAITHFUL, RELAY_REPLAY, RELAY_REORDER, RELAY_FLIP, RELAY_CUT,
	};
	unsigned char *set = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mitosis *device;
	int half[2], go[2];
	char byte;
	size_t i;

	CHECK(!pipe(half) && !pipe(go));
	for (i = 0; i < SIZE; i++)
		set[i] = i * 7 >> 4;
	machine_enter(&r->machine);
	device = open_user();
	machine_leave();
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	if (mitosis_nil(device) == -EBADF) {
		for (i = 0; i < SIZE; i += 4096) {
			if (set[i] != (unsigned char)(i * 7 >> 4))
				_exit(3);
			if (i == SIZE / 2 && (write(half[1], "h", 1) != 1 ||
					      read(go[0], &byte, 1) != 1))
				_exit(4);
		}
		_exit(42);
	}
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		child_with_fault(r, faults[i], half, go);
	mitosis_close(device);
	munmap(set, SIZE);
}

int main(void)
{
	static unsigned char page[4096] __attribute__((aligned(4096)));
	const struct wire_pages pages = { (uintptr_t)page, sizeof(page) };
	struct mitosis *device;
	struct relay r;

	late_answer();
	if (!aes_gcm_available())
		skip("a CPU with AES and PCLMULQDQ");
	setenv("MITOSIS_DEADLINE_MS", "2000", 1);
	use_key("sealed");
	memset(page, 7, sizeof(page));

	setenv("MITOSIS_PROTECTION", "handshake", 1);
	r = relay_start(2);
	machine_enter(&r.machine);
	device = open_user();
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	machine_leave();
	CHECK(seen_of(&r, &pages) > 0);
	mitosis_close(device);
	relay_stop(&r);

	setenv("MITOSIS_PROTECTION", "sealed", 1);
	r = relay_start(2);
	machine_enter(&r.machine);
	device = open_user();
	CHECK_EQ(mitosis_prepare(device, HANDLER_ID), 0);
	machine_leave();
	CHECK_EQ(seen_of(&r, &pages), 0);
	every_fault(&r, NULL);
	every_fault(&r, &pages);
	the_library_says_why(&r);
	translated_addresses(&r);
	mitosis_close(device);
	need_userfaultfd();
	children(&r);
	relay_stop(&r);
	return 0;
}

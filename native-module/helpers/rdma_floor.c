// SPDX-License-Identifier: Apache-2.0
/*
 * mitosis-rdma-floor: what an RDMA device of this machine takes for a request and an
 * answer between two processes (SEND and RECV, as pages come), and for a one-sided READ,
 * without anything of a remote fork beside it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "helpers/command_line.h"
#include "local/address.h"

static const char usage[] =
	"usage: mitosis-rdma-floor HOST | --serve HOST | --connect HOST PORT\n"
	"\n"
	"Connects two processes through the RDMA device of this machine that has "
	"the\n"
	"address HOST; or one here, which prints its PORT and stays until "
	"standard input\n"
	"ends (--serve), and one of another machine (--connect). Takes commands "
	"from\n"
	"standard input, one a line, each answered by a line: send BYTES, until "
	"an answer\n"
	"of that size to a request has come; read BYTES, until a one-sided READ "
	"has; quit.\n"
	"BYTES are 1 to 1048576. Who connects may read 1 MiB that holds a "
	"pattern.\n"
	"\n"
	"  --version  print the release and exit\n";

static void __attribute__((noreturn)) refuse(const char *step, int err)
{
	printf("error errno=%d message=%s: %s\n", err < 0 ? -err : err, step,
	       strerror(err < 0 ? -err : err));
	fflush(stdout);
	_exit(1);
}

#ifndef MITOSIS_RDMA
static void __attribute__((noreturn)) serve_here(const struct local_address *address)
{
	(void)address;
	refuse("built without libibverbs-dev and librdmacm-dev", ENODEV);
}

static void __attribute__((noreturn))
run(const struct local_address *address, uint16_t port)
{
	(void)port;
	serve_here(address);
}
#else
#include "daemon/rdma_libraries.h"

#define BYTES_MAX     (1u << 20)
#define REQUEST_SIZE  64u /* that of a request for pages is 40 */
#define REQUEST_AT    BYTES_MAX
#define MEMORY_SIZE   (BYTES_MAX + 4096)
#define EVENT_MS      5000
#define COMPLETION_MS 10000
#define SENT	      (1ull << 32) /* of wr_id */
#define READ_DONE     (1ull << 33)

/* What a server lets its client read. */
struct offer {
	uint64_t address;
	uint32_t rkey, unused;
};

struct end {
	struct rdma_libraries libraries;
	struct rdma_event_channel *events;
	struct rdma_cm_id *id;
	struct rdma_queues queues;
};

static const struct rdma_conn_param param = {
	.responder_resources = 1,
	.initiator_depth = 1,
	.retry_count = 6,
	.rnr_retry_count = 6,
};

static char byte_of(size_t i)
{
	return (char)(i * 7 + (i >> 12));
}

static void open_end(struct end *e)
{
	char problem[256];

	*e = (struct end){ 0 };
	if (rdma_libraries_load(&e->libraries, problem, sizeof(problem)))
		refuse(problem, ENODEV);
	e->events = e->libraries.create_event_channel();
	if (!e->events)
		refuse("the connection manager", errno);
	if (e->libraries.create_id(e->events, &e->id, NULL, RDMA_PS_TCP))
		refuse("a connection", errno);
}

/*
 * Waits for ever with timeout_ms < 0. The id of the event, of the wanted kind; with its offer,
 * if one is wanted.
 */
static struct rdma_cm_id *expect_within(struct end *e, enum rdma_cm_event_type type,
					int timeout_ms, struct offer *offer)
{
	struct pollfd p = { .fd = e->events->fd, .events = POLLIN };
	struct rdma_cm_event *event;
	struct rdma_cm_id *id;

	if (poll(&p, 1, timeout_ms) <= 0)
		refuse("the connection manager", ETIMEDOUT);
	if (e->libraries.get_cm_event(e->events, &event))
		refuse("the connection manager", errno);
	if (event->event != type)
		refuse(e->libraries.event_str(event->event), ECONNREFUSED);
	id = event->id;
	if (offer) {
		if (event->param.conn.private_data_len < sizeof(*offer))
			refuse("the other end is of another release", EPROTO);
		memcpy(offer, event->param.conn.private_data, sizeof(*offer));
	}
	e->libraries.ack_cm_event(event);
	return id;
}

static struct rdma_cm_id *expect(struct end *e, enum rdma_cm_event_type type)
{
	return expect_within(e, type, EVENT_MS, NULL);
}

static void make_queues(struct end *e)
{
	const struct rdma_queue_sizes sizes = { MEMORY_SIZE, 2, 4 };
	int err = rdma_queues_create(&e->libraries, e->id, &sizes, &e->queues);

	if (err)
		refuse("the device's queues (ulimit -l?)", err);
}

static void to_socket(const struct local_address *a, uint16_t port,
		      struct sockaddr_storage *where)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)where;
	struct sockaddr_in *in = (struct sockaddr_in *)where;

	memset(where, 0, sizeof(*where));
	if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)a->ip)) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->ip + 12, sizeof(in->sin_addr));
		return;
	}
	local_address_to_socket(a, in6);
	in6->sin6_port = htons(port);
}

/* Waits for the completion of `number`, skipping those of SENDs unless it is one. */
static uint32_t await_completion(struct end *e, uint64_t number, bool for_ever)
{
	uint64_t end_ns = now_ns() + COMPLETION_MS * 1000000ull;
	struct ibv_wc wc;
	int n;

	for (;;) {
		n = ibv_poll_cq(e->queues.cq, 1, &wc);
		if (n < 0)
			refuse("the completion queue", EIO);
		if (n == 0) {
			sched_yield();
			if (!for_ever && now_ns() > end_ns)
				refuse("a completion", ETIMEDOUT);
			continue;
		}
		if (wc.status != IBV_WC_SUCCESS)
			refuse(e->libraries.wc_status_str(wc.status), EIO);
		if (wc.wr_id == number)
			return wc.byte_len;
	}
}

static void post(const char *what, int err)
{
	if (err)
		refuse(what, err);
}

static void expect_request(struct end *e)
{
	post("a receive",
	     rdma_post_receive(e->id, &e->queues, REQUEST_AT, REQUEST_SIZE, 0));
}

/* Ends with the process that has forked it. Writes its port to `told`. */
static void __attribute__((noreturn))
serve(const struct local_address *address, int told)
{
	struct rdma_conn_param accepted = param;
	struct sockaddr_storage where;
	struct offer offer = { 0 };
	struct ibv_mr *readable;
	struct end e;
	uint16_t port;
	uint32_t size;
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	open_end(&e);
	to_socket(address, 0, &where);
	if (e.libraries.bind_addr(e.id, (struct sockaddr *)&where) ||
	    e.libraries.listen(e.id, 1))
		refuse("no RDMA device has the address", errno);
	port = ntohs(e.libraries.get_src_port(e.id));
	if (write(told, &port, sizeof(port)) != sizeof(port))
		_exit(1);
	e.id = expect_within(&e, RDMA_CM_EVENT_CONNECT_REQUEST, -1, NULL);
	make_queues(&e);
	for (i = 0; i < BYTES_MAX; i++)
		e.queues.memory[i] = byte_of(i);
	readable =
		e.libraries.reg_mr(e.queues.pd, e.queues.memory, BYTES_MAX,
				   IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ);
	if (!readable)
		refuse("memory to read (ulimit -l?)", errno);
	expect_request(&e);
	offer.address = (uintptr_t)e.queues.memory;
	offer.rkey = readable->rkey;
	accepted.private_data = &offer;
	accepted.private_data_len = sizeof(offer);
	if (e.libraries.accept(e.id, &accepted))
		refuse("accepting", errno);
	expect(&e, RDMA_CM_EVENT_ESTABLISHED);
	for (;;) {
		await_completion(&e, 0, true);
		memcpy(&size, e.queues.memory + REQUEST_AT, sizeof(size));
		if (size > BYTES_MAX)
			_exit(1);
		expect_request(&e);
		post("an answer", rdma_post_send(e.id, &e.queues, 0, size, SENT));
	}
}

/* Starts it; each end opens the device for itself: memory of it is not inherited. */
static pid_t start_server(const struct local_address *address, uint16_t *port)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		refuse("a pipe", errno);
	pid = fork();
	if (pid < 0)
		refuse("a process", errno);
	if (pid == 0) {
		close(ends[0]);
		serve(address, ends[1]);
	}
	close(ends[1]);
	if (read(ends[0], port, sizeof(*port)) != sizeof(*port))
		_exit(1); /* it has said why */
	close(ends[0]);
	return pid;
}

static uint64_t timed_send(struct end *e, uint32_t size)
{
	uint64_t start;

	memcpy(e->queues.memory + REQUEST_AT, &size, sizeof(size));
	start = now_ns();
	post("a receive", rdma_post_receive(e->id, &e->queues, 0, size, 0));
	post("a request",
	     rdma_post_send(e->id, &e->queues, REQUEST_AT, REQUEST_SIZE, SENT));
	if (await_completion(e, 0, false) != size)
		refuse("an answer of another size", EMSGSIZE);
	return now_ns() - start;
}

static uint64_t timed_read(struct end *e, const struct offer *offer, uint32_t size)
{
	struct ibv_sge part = {
		.addr = (uintptr_t)e->queues.memory,
		.length = size,
		.lkey = e->queues.mr->lkey,
	};
	struct ibv_send_wr request = {
		.wr_id = READ_DONE,
		.sg_list = &part,
		.num_sge = 1,
		.opcode = IBV_WR_RDMA_READ,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.rdma = { .remote_addr = offer->address, .rkey = offer->rkey },
	};
	struct ibv_send_wr *bad;
	uint64_t start = now_ns();

	post("a READ", ibv_post_send(e->id->qp, &request, &bad));
	await_completion(e, READ_DONE, false);
	return now_ns() - start;
}

static void carry_out(struct end *e, const struct offer *offer, char *line)
{
	char what[5] = "", rest;
	uint32_t size = 0, i;
	uint64_t ns;

	if (sscanf(line, "%4s %u%c", what, &size, &rest) != 3 || rest != '\n' ||
	    !size || size > BYTES_MAX ||
	    (strcmp(what, "send") && strcmp(what, "read"))) {
		line[strcspn(line, "\n")] = '\0';
		printf("error errno=%d message='%s' is no command\n", EINVAL, line);
		return;
	}
	memset(e->queues.memory, 0xff, size);
	ns = *what == 's' ? timed_send(e, size) : timed_read(e, offer, size);
	for (i = 0; i < size; i++)
		if (e->queues.memory[i] != byte_of(i))
			refuse("a byte that was not sent", EBADMSG);
	printf("ok ns=%lu\n", (unsigned long)ns);
}

/* Ends with its input. */
static void __attribute__((noreturn)) serve_here(const struct local_address *address)
{
	uint16_t port;
	pid_t pid = start_server(address, &port);
	char rest[64];

	printf("ok port=%u\n", port);
	fflush(stdout);
	while (read(STDIN_FILENO, rest, sizeof(rest)) > 0)
		;
	kill(pid, SIGKILL);
	_exit(0);
}

/* With port 0, against a server of its own. */
static void __attribute__((noreturn))
run(const struct local_address *address, uint16_t port)
{
	struct sockaddr_storage where;
	struct offer offer;
	char line[64];
	struct end e;
	pid_t pid = port ? 0 : start_server(address, &port);

	open_end(&e);
	to_socket(address, port, &where);
	if (e.libraries.resolve_addr(e.id, NULL, (struct sockaddr *)&where,
				     EVENT_MS))
		refuse("no RDMA device reaches the address", errno);
	expect(&e, RDMA_CM_EVENT_ADDR_RESOLVED);
	if (e.libraries.resolve_route(e.id, EVENT_MS))
		refuse("no route", errno);
	expect(&e, RDMA_CM_EVENT_ROUTE_RESOLVED);
	make_queues(&e);
	if (e.libraries.connect(e.id, (struct rdma_conn_param *)&param))
		refuse("connecting", errno);
	expect_within(&e, RDMA_CM_EVENT_ESTABLISHED, EVENT_MS, &offer);
	printf("ok device=%s\n", e.id->verbs->device->name);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && strcmp(line, "quit\n")) {
		carry_out(&e, &offer, line);
		fflush(stdout);
	}
	if (pid)
		kill(pid, SIGKILL);
	_exit(0);
}
#endif

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "serve", required_argument, NULL, 's' },
		{ "connect", required_argument, NULL, 'c' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *host = NULL, *port = NULL;
	bool serves = false, connects = false;
	int option;
	struct local_address address;
	char text[128];

	while ((option = next_option(argc, argv, names)) != -1) {
		if (option != 's' && option != 'c')
			answer_and_exit(option, usage);
		if (host)
			refuse_command("choose one of --serve and --connect");
		serves = option == 's';
		connects = option == 'c';
		host = optarg;
	}
	if (!host && optind < argc)
		host = argv[optind++];
	if (connects && optind < argc)
		port = argv[optind++];
	if (!host || (connects && !port))
		refuse_command("%s is missing", host ? "PORT" : "HOST");
	refuse_arguments(argc, argv);
	snprintf(text, sizeof(text), "rdma://%s", host);
	if (local_address_parse(text, &address))
		die(2, "'%s' is not an address", host);
	if (serves)
		serve_here(&address);
	run(&address, connects ? parse_number(port, "PORT", 1, UINT16_MAX) : 0);
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/page_server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "local/protocol.h"
#include "paging/pager.h"
#include "paging/raw_syscall.h"
#include "paging/run_on.h"
#include "proto/wire.h"
#include "uapi/mitosis.h"

/* Clients, and address spaces of children, that one server serves at a time. */
#define CLIENTS_MAX	256
#define SPACES_MAX	1024
/* How often processes are looked after whose stream has closed, in ms. */
#define LEFT_CHECK_MS	200
/* How long a client may leave its answer unread, in ms. */
#define CLIENT_DEADLINE_MS	2000
/* Pages that a child gets before it asks, 4 MiB; and how long they are learnt, in ms. */
#define FIRST_PAGES_MAX	1024
#define LESSON_MAX_MS	200
/* So many of them at once: what is needed next is not to wait for what comes last. */
#define FIRST_PAGES_STEP	64
#define READ_CHUNK	(16u << 10)
#define PASSED_MAX	SHADOW_CLONE_FILES_MAX	/* that come with one message */
/* CPUs that children of one snapshot are started on, child after child, at once. */
#define CPU_SERVERS_MAX	64

enum client_kind {
	CLIENT_READER,		/* has asked for no pages yet */
	CLIENT_CHILD,		/* with its userfaultfd, and what it has forked */
	CLIENT_CLONE,		/* waits for a child that the source has forked */
	CLIENT_MACHINE,		/* a pager of another machine */
};

struct client {
	int stream;		/* CLIENT_CHILD: its lifeline. -1: free, unless `left` */
	bool left;		/* a child without lifeline whose address spaces live on */
	enum client_kind kind;
	int complaints;		/* CLIENT_CHILD: its standard error, or -1 */
	int pidfd;		/* CLIENT_CLONE: of the child; else -1 */
	bool stays;		/* starts child after child */
};

/*
 * A process that serves the same snapshot on another CPU. Children that wait for
 * a server on a CPU of their own, or for one that has to serve others, start
 * several times slower.
 */
struct cpu_server {
	int channel;		/* to it, as the daemon's is to this server */
	int pidfd;
	int cpu;		/* -1: free */
};

struct served_space {
	struct address_space memory;	/* uffd -1: free */
	uint32_t client;	/* index of the child that it is or comes from */
	uint32_t pushed;	/* how many of the first pages it has got */
};

struct page_server {
	struct page_source *source;
	uint64_t page_size;
	struct address_map map;		/* of a child that has changed nothing */
	int channel;			/* to mitosisd; -1: closed, see linger() */
	bool failed;
	/*
	 * What children need first: in the order in which it was touched but, when
	 * learnt, ascending within each step. A copy if the source is far.
	 */
	struct lesson lesson;
	enum { LESSON_NOT_BEGUN, LESSON_ON, LESSON_OVER } lesson_state;
	uint64_t lesson_end_ms;
	uint64_t first_pages[FIRST_PAGES_MAX];
	char *first_copies;
	uint32_t client_count, space_count, cpu_server_count;	/* filled up to here */
	int cpu;		/* of the clients that stay; -1: there have been none */
	struct cpu_server cpu_servers[CPU_SERVERS_MAX];
	struct client clients[CLIENTS_MAX];
	struct served_space spaces[SPACES_MAX];
	struct pollfd polls[2 + 2 * CLIENTS_MAX + 2 * CPU_SERVERS_MAX + SPACES_MAX];
};

void page_server_set_deadline(int fd, int deadline_ms)
{
	struct timeval t = {
		.tv_sec = deadline_ms / 1000,
		.tv_usec = deadline_ms % 1000 * 1000,
	};

	raw_syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	raw_syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
}

static void close_fd(int fd)
{
	if (fd >= 0)
		raw_syscall(SYS_close, fd);
}

/* False when the client does not take it in time, or `data` cannot be read. */
static bool send_all(int fd, const void *data, size_t size, int flags)
{
	const char *p = data;

	while (size) {
		long n = raw_syscall(SYS_sendto, fd, p, size,
				     flags | MSG_NOSIGNAL, 0, 0);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		size -= n;
	}
	return true;
}

static bool answer(int fd, int status, uint32_t length)
{
	struct shadow_answer a = { .status = status, .length = length };

	return send_all(fd, &a, sizeof(a), length ? MSG_MORE : 0);
}

static bool covers(const struct page_source *source, uint64_t address,
		   uint64_t length)
{
	uint64_t end = address + length;
	const struct descriptor_vma *vmas = descriptor_vmas(source->descriptor);
	uint32_t i;

	if (end < address)
		return false;
	for (i = 0; i < source->descriptor->vma_count && address < end; i++) {
		if (vmas[i].end <= address || vmas[i].kind == VMA_KERNEL)
			continue;
		if (vmas[i].start > address)
			return false;
		address = vmas[i].end;
	}
	return address >= end;
}

static bool answer_read(struct page_source *source, int fd, uint64_t address,
			uint64_t length)
{
	char chunk[READ_CHUNK];
	uint64_t done;

	if (length > SHADOW_READ_MAX)
		return answer(fd, -EINVAL, 0);
	if (!covers(source, address, length))
		return answer(fd, -EFAULT, 0);
	if (!answer(fd, 0, length))
		return false;
	for (done = 0; done < length; done += sizeof(chunk)) {
		size_t n = length - done < sizeof(chunk) ? length - done :
							   sizeof(chunk);

		/* Too late for a status: the short stream tells the reader. */
		if (source->read(source, address + done, chunk, n) ||
		    !send_all(fd, chunk, n, 0))
			return false;
	}
	return true;
}

/* Puts this process on the child's CPU: a wake-up from another costs 30 us. */
static void follow(int cpu)
{
	if (cpu >= 0)
		run_on(cpu);
}

static void free_space(struct served_space *space)
{
	address_space_destroy(&space->memory);
	space->memory.uffd = -1;
}

/* NULL if there is no room. It gets no page unasked for. */
static struct served_space *add_space(struct page_server *server, uint32_t client,
			       const struct address_space *memory)
{
	struct served_space *space;
	uint32_t i;

	for (i = 0; i < server->space_count; i++) {
		space = &server->spaces[i];
		if (space->memory.uffd >= 0 && !address_space_is_alive(&space->memory))
			free_space(space);
		if (space->memory.uffd < 0)
			break;
	}
	if (i == SPACES_MAX)
		return NULL;
	if (i == server->space_count)
		server->space_count++;
	server->spaces[i] = (struct served_space){
		.memory = *memory,
		.client = client,
		.pushed = UINT32_MAX,
	};
	return &server->spaces[i];
}

static uint64_t now_ms(void)
{
	struct timespec t;

	raw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

static void begin_lesson(struct page_server *server, struct address_space *memory)
{
	server->lesson_state = LESSON_ON;
	server->lesson_end_ms = now_ms() + LESSON_MAX_MS;
	server->source->learning = true;
	memory->lesson = &server->lesson;
}

static void sort(uint64_t *numbers, uint32_t count)
{
	uint32_t i, at;

	for (i = 1; i < count; i++) {
		uint64_t number = numbers[i];

		for (at = i; at && numbers[at - 1] > number; at--)
			numbers[at] = numbers[at - 1];
		numbers[at] = number;
	}
}

/* A copy of the first pages of a source that is far; as many as can be had. */
static void copy_first_pages(struct page_server *server)
{
	struct lesson *l = &server->lesson;
	long p = raw_syscall(SYS_mmap, 0, FIRST_PAGES_MAX * server->page_size,
			     PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	uint32_t i = 0;

	if (p >= 0 || p <= -4096) {
		server->first_copies = (char *)p;
		while (i < l->count &&
		       !server->source->read(server->source, l->pages[i],
					     server->first_copies +
						     i * server->page_size,
					     server->page_size))
			i++;
	}
	l->count = i;
}

/* Who was learnt from gets windows as others do. */
static void end_lesson(struct page_server *server)
{
	struct page_source *source = server->source;
	uint32_t i;

	for (i = 0; i < server->space_count; i++)
		server->spaces[i].memory.lesson = NULL;
	/* One that touched nothing has taught nothing. */
	server->lesson_state = server->lesson.count ? LESSON_OVER : LESSON_NOT_BEGUN;
	for (i = 0; i < server->lesson.count; i += FIRST_PAGES_STEP)
		sort(server->lesson.pages + i,
		     server->lesson.count - i < FIRST_PAGES_STEP ?
			     server->lesson.count - i : FIRST_PAGES_STEP);
	if (source->far && server->lesson.count)
		copy_first_pages(server);
	source->learning = false;
	if (source->forget)
		source->forget(source);
}

/* When the child has ended, or touched enough. */
static bool lesson_goes_on(const struct page_server *server)
{
	uint32_t i;

	for (i = 0; i < server->space_count; i++)
		if (server->spaces[i].memory.uffd >= 0 &&
		    server->spaces[i].memory.lesson)
			return server->lesson.count < server->lesson.capacity;
	return false;
}

/*
 * A fault costs a round trip to this process: what the first child of the
 * snapshot touched first, its next ones get before they need it, step by step.
 */
static void push_first_pages(struct page_server *server, struct served_space *space)
{
	const struct lesson *l = &server->lesson;
	const struct address_space *memory = &space->memory;
	uint64_t size = server->page_size;
	uint32_t i = space->pushed;
	uint32_t end = l->count - i < FIRST_PAGES_STEP ? l->count :
							 i + FIRST_PAGES_STEP;

	space->pushed = end;
	while (i < end) {
		uint64_t address = l->pages[i];
		const struct segment *s = address_map_find(&memory->map, address);
		const void *bytes = server->source->far ?
					    server->first_copies + i * size :
					    (const void *)address;
		uint64_t length = 0;

		/* Not where the child has put something else in the meantime. */
		if (!s || s->source != s->start) {
			i++;
			continue;
		}
		/* Neighbours at once, as far as they lie in one VMA. */
		do {
			length += size;
			i++;
		} while (i < end && l->pages[i] == address + length &&
			 address + length < s->end);
		if (!address_space_push(memory, address, bytes, length)) {
			space->pushed = l->count;
			return;
		}
	}
}

static bool serve_pages(struct page_server *server, uint32_t index,
			const struct shadow_request *r, int uffd, int lifeline,
			int complaints)
{
	struct client *client = &server->clients[index];
	int stream = client->stream;
	bool taken = true;
	struct address_space memory = {
		.uffd = uffd,
		.window = r->window,
		.page_size = server->page_size,
		.source = server->source,
	};
	struct served_space *space;
	int err;

	if (uffd < 0 || lifeline < 0 || client->kind != CLIENT_READER ||
	    !r->window || r->window > MITOSIS_PREFETCH_PAGES_MAX ||
	    r->window & (r->window - 1)) {
		close_fd(uffd);
		close_fd(lifeline);
		close_fd(complaints);
		return answer(stream, -EINVAL, 0);
	}
	client->kind = CLIENT_CHILD;
	client->stream = lifeline;
	client->complaints = complaints;
	if (server->lesson_state == LESSON_ON && now_ms() >= server->lesson_end_ms)
		end_lesson(server);
	/* A window of one page asks for nothing but what is touched. */
	if (r->window > 1 && !(r->flags & SHADOW_PAGE_EAGER) &&
	    server->lesson_state == LESSON_NOT_BEGUN)
		begin_lesson(server, &memory);
	err = address_map_copy(&server->map, &memory.map);
	space = err ? NULL : add_space(server, index, &memory);
	if (!space) {
		address_space_destroy(&memory);
		close_fd(stream);
		return false;
	}
	follow(r->cpu);
	if (r->flags & SHADOW_PAGE_CACHED)
		server->source->caching = true;
	if (r->window > 1 && server->lesson_state == LESSON_OVER) {
		space->pushed = 0;
		push_first_pages(server, space);
	}
	if (r->flags & SHADOW_PAGE_EAGER)
		taken = answer(stream, address_space_copy_all(&memory), 0);
	close_fd(stream);
	return taken;
}

/* Receives a message and the descriptors that come with it (-1: none). */
static long receive(int fd, void *message, size_t size, int flags,
		    int passed[PASSED_MAX])
{
	struct iovec iov = { .iov_base = message, .iov_len = size };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(PASSED_MAX * sizeof(int))];
	} control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c;
	long n = raw_syscall(SYS_recvmsg, fd, &msg, flags | MSG_CMSG_CLOEXEC);
	uint32_t i, count = 0;

	c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (i = 0; i < PASSED_MAX; i++)
		passed[i] = i < count ? ((int *)CMSG_DATA(c))[i] : -1;
	return n;
}

/* Sends a message with a descriptor. False when nobody takes it. */
static bool send_with(int channel, enum local_type type, int cpu, int fd)
{
	const struct local_message message = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = type,
		.cpu = cpu,
	};
	struct iovec iov = {
		.iov_base = (void *)&message,
		.iov_len = sizeof(message),
	};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	*(int *)CMSG_DATA(&control.header) = fd;
	return raw_syscall(SYS_sendmsg, channel, &msg, MSG_NOSIGNAL) ==
	       sizeof(message);
}

static void close_passed(const int passed[PASSED_MAX], uint32_t first)
{
	uint32_t i;

	for (i = first; i < PASSED_MAX; i++)
		close_fd(passed[i]);
}

/* False when the client is to be let go. */
static bool serve_clone(struct page_server *server, uint32_t index,
			const struct shadow_request *r,
			const int passed[PASSED_MAX])
{
	struct client *client = &server->clients[index];
	struct page_source *source = server->source;
	struct clone_request request = {
		.namespaces = r->namespaces,
		.cpu = r->cpu,
	};
	uint32_t i;
	int pidfd;

	if (client->kind != CLIENT_READER || r->length > sizeof(request.numbers) ||
	    r->length % sizeof(request.numbers[0]))
		return answer(client->stream, -EINVAL, 0);
	request.count = r->length / sizeof(request.numbers[0]);
	if (r->length &&
	    raw_syscall(SYS_recvfrom, client->stream, request.numbers, r->length,
			MSG_WAITALL, 0, 0) != (long)r->length)
		return false;
	for (i = 0; i < request.count; i++) {
		request.passed[i] = passed[i];
		if (passed[i] < 0 || request.numbers[i] < SHADOW_CLONE_ROOT)
			return answer(client->stream, -EINVAL, 0);
	}
	pidfd = source->clone ? source->clone(source, &request) : -ENOSYS;
	if (pidfd < 0)
		return answer(client->stream, pidfd, 0);
	client->kind = CLIENT_CLONE;
	client->pidfd = pidfd;
	return true;
}

/* The child has ended: tell who waits for it, and may ask for another one. */
static void end_clone(struct client *client)
{
	siginfo_t info;
	int32_t status;

	raw_syscall(SYS_waitid, P_PIDFD, client->pidfd, &info, WEXITED | __WALL, 0);
	status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8 :
					      info.si_status & 0x7f;
	close_fd(client->pidfd);
	client->pidfd = -1;
	client->kind = CLIENT_READER;
	if (answer(client->stream, 0, sizeof(status)))
		send_all(client->stream, &status, sizeof(status), 0);
}

static struct client *add_client(struct page_server *server, int stream,
				 bool machine);
static void linger(struct page_server *server);

/* A further client, brought by one that is known, without the daemon. */
static void serve_join(struct page_server *server,
		       const struct shadow_request *r, int stream)
{
	struct page_source *source = server->source;
	int err = 0;

	if (stream < 0)
		return;
	if (r->flags & SHADOW_JOIN_ASK) {
		err = server->channel < 0 ? -ENOENT :
		      source->admit	  ? source->admit(source) :
					    0;
		/* First: who is refused attaches anew, and not to this server. */
		if (err && server->channel >= 0)
			linger(server);
		answer(stream, err, 0);
	}
	if (err)
		close_fd(stream);
	else
		add_client(server, stream, false);
}

/* False when the client is to be let go. */
static bool serve_request(struct page_server *server, uint32_t index)
{
	const struct descriptor_header *d = server->source->descriptor;
	int stream = server->clients[index].stream;
	struct shadow_request r;
	int passed[PASSED_MAX];
	long n = receive(stream, &r, sizeof(r), MSG_WAITALL, passed);
	bool valid = n == sizeof(r) && r.magic == LOCAL_MAGIC &&
		     r.version == LOCAL_VERSION;

	if (valid && r.type == SHADOW_PAGE) {
		close_passed(passed, 3);
		return serve_pages(server, index, &r, passed[0], passed[1],
				   passed[2]);
	}
	if (valid && r.type == SHADOW_JOIN) {
		close_passed(passed, 1);
		serve_join(server, &r, passed[0]);
		return true;
	}
	if (valid && r.type == SHADOW_CLONE)
		valid = serve_clone(server, index, &r, passed);
	close_passed(passed, 0);
	if (!valid || r.type == SHADOW_CLONE)
		return valid;
	switch (r.type) {
	case SHADOW_DESCRIPTOR:
		return answer(stream, 0, d->total_size) &&
		       send_all(stream, d, d->total_size, 0);
	case SHADOW_READ:
		return answer_read(server->source, stream, r.address, r.length);
	default:
		return answer(stream, -ENOSYS, 0);
	}
}

static bool answer_machine(int fd, int status, uint32_t length)
{
	struct wire_header h = {
		.magic = WIRE_MAGIC,
		.version = WIRE_VERSION,
		.type = WIRE_ANSWER,
		.status = status,
		.length = length,
	};

	return send_all(fd, &h, sizeof(h), length ? MSG_MORE : 0);
}

static const char zero_page[4096];

/*
 * Straight from the snapshot's memory. What nobody can read, behind the end of
 * a file, goes as zeros: the parent could not have read it either.
 */
static bool send_pages(struct page_server *server, int fd, uint64_t address,
		       uint64_t length)
{
	bool one_page = false;

	while (length) {
		uint64_t rest = server->page_size - address % server->page_size;
		uint64_t n = one_page ? rest : length;
		const void *bytes;
		long sent;

		if (server->source->fetch(server->source, address, &n, &bytes))
			return false;
		sent = raw_syscall(SYS_sendto, fd, bytes, n,
				   MSG_NOSIGNAL | (n < length ? MSG_MORE : 0), 0, 0);
		if (sent == -EINTR)
			continue;
		if (sent == -EFAULT && n > rest) {
			/* It may have been a later page, with nothing sent before it. */
			one_page = true;
			continue;
		}
		one_page = false;
		if (sent == -EFAULT) {
			sent = rest;
			if (!send_all(fd, zero_page, sent,
				      rest < length ? MSG_MORE : 0))
				return false;
		}
		if (sent <= 0)
			return false;
		address += sent;
		length -= sent;
	}
	return true;
}

/* False when the other machine is to be let go. */
static bool serve_machine(struct page_server *server, int fd)
{
	struct {
		struct wire_header header;
		struct wire_pages pages;
	} request;
	long n = raw_syscall(SYS_recvfrom, fd, &request, sizeof(request),
			     MSG_WAITALL, 0, 0);
	const struct wire_pages *p = &request.pages;

	if (n != sizeof(request) || request.header.magic != WIRE_MAGIC ||
	    request.header.version != WIRE_VERSION ||
	    request.header.type != WIRE_PAGES ||
	    request.header.length != sizeof(request.pages))
		return false;
	/* No pages: is the snapshot still to be had? */
	if (!p->length)
		return answer_machine(fd, server->channel < 0 ? -ENOENT : 0, 0);
	if (p->address % server->page_size || p->length % server->page_size ||
	    p->length > WIRE_PAGES_MAX)
		return answer_machine(fd, -EINVAL, 0);
	if (!covers(server->source, p->address, p->length))
		return answer_machine(fd, -EFAULT, 0);
	return answer_machine(fd, 0, p->length) &&
	       send_pages(server, fd, p->address, p->length);
}

/*
 * A child dies with its lifeline; what it has forked does not, nor does one that
 * has closed its end. The daemon sees to it that they never read zeros:
 * daemon/orphan.h.
 */
static void entrust(struct page_server *server, int uffd, int cpu)
{
	send_with(server->channel, LOCAL_KEEP, cpu, uffd);
}

/* Frees what nobody lives in any more. True if something of the client's is left. */
static bool sweep(struct page_server *server, uint32_t index)
{
	bool left = false;
	uint32_t i;

	for (i = 0; i < server->space_count; i++) {
		struct served_space *space = &server->spaces[i];

		if (space->memory.uffd < 0 || space->client != index)
			continue;
		if (address_space_is_alive(&space->memory))
			left = true;
		else
			free_space(space);
	}
	return left;
}

static void entrust_all(struct page_server *server, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < server->space_count; i++)
		if (server->spaces[i].memory.uffd >= 0 &&
		    server->spaces[i].client == index)
			entrust(server, server->spaces[i].memory.uffd, -1);
}

/*
 * A lifeline closes with the last process that has it open, or when a program
 * closes all files it does not know; then its pages have to come all the same.
 */
static void remove_client(struct page_server *server, uint32_t index)
{
	struct client *client = &server->clients[index];
	bool just_closed = client->stream >= 0;

	close_fd(client->stream);
	client->stream = -1;
	if (client->pidfd >= 0) {
		/* Who stands for the child has gone: so does the child. */
		raw_syscall(SYS_pidfd_send_signal, client->pidfd, SIGKILL, 0, 0);
		end_clone(client);
	}
	client->left = sweep(server, index);
	if (client->left && just_closed)
		entrust_all(server, index);
	if (client->left)
		return;
	close_fd(client->complaints);
	client->complaints = -1;
}

static bool has_left(const struct page_server *server)
{
	uint32_t i;

	for (i = 0; i < server->client_count; i++)
		if (server->clients[i].left)
			return true;
	return false;
}

static void check_left(struct page_server *server)
{
	uint32_t i;

	for (i = 0; i < server->client_count; i++)
		if (server->clients[i].left)
			remove_client(server, i);
}

/* NULL without room, or when it has gone already. */
static struct client *add_client(struct page_server *server, int stream,
				 bool machine)
{
	const struct descriptor_header *d = server->source->descriptor;
	uint32_t i;

	for (i = 0; i < server->client_count; i++)
		if (server->clients[i].stream < 0 && !server->clients[i].left)
			break;
	if (i == CLIENTS_MAX) {
		raw_syscall(SYS_close, stream);
		return NULL;
	}
	if (i == server->client_count)
		server->client_count++;
	page_server_set_deadline(stream, CLIENT_DEADLINE_MS);
	server->clients[i] = (struct client){
		.stream = stream,
		.kind = machine ? CLIENT_MACHINE : CLIENT_READER,
		.complaints = -1,
		.pidfd = -1,
	};
	/* The daemon has read the machine's WIRE_OPEN; this is its answer. */
	if (machine && !(answer_machine(stream, 0, d->total_size) &&
			 send_all(stream, d, d->total_size, 0))) {
		remove_client(server, i);
		return NULL;
	}
	return &server->clients[i];
}

static void serve_space(struct page_server *server, uint32_t index)
{
	struct served_space *space = &server->spaces[index];
	struct address_space forked;

	if (space->pushed < server->lesson.count)
		push_first_pages(server, space);
	for (;;) {
		switch (address_space_serve(&space->memory, &forked)) {
		case SPACE_SERVED:
			return;
		case SPACE_FORKED:
			/* Without room it would never be served. */
			if (!add_space(server, space->client, &forked))
				server->failed = true;
			if (server->failed)
				return;
			entrust(server, forked.uffd, -1);
			continue;
		case SPACE_GONE:
			free_space(space);
			return;
		case SPACE_FAILED:
			server->failed = true;
			return;
		}
	}
}

static bool has_cpu_servers(const struct page_server *server)
{
	uint32_t i;

	for (i = 0; i < server->cpu_server_count; i++)
		if (server->cpu_servers[i].cpu >= 0)
			return true;
	return false;
}

static bool has_staying_clients(const struct page_server *server)
{
	uint32_t i;

	for (i = 0; i < server->client_count; i++)
		if (server->clients[i].stream >= 0 && server->clients[i].stays)
			return true;
	return false;
}

/* It has ended. */
static void remove_cpu_server(struct cpu_server *cpu_server)
{
	siginfo_t info;

	raw_syscall(SYS_waitid, P_PIDFD, cpu_server->pidfd, &info, WEXITED | __WALL, 0);
	close_fd(cpu_server->pidfd);
	close_fd(cpu_server->channel);
	*cpu_server = (struct cpu_server){ .channel = -1, .pidfd = -1, .cpu = -1 };
}

/* The daemon sees to it that no child waits for one that stands still. */
static void introduce(struct page_server *server, int pidfd, int cpu)
{
	send_with(server->channel, LOCAL_CPU_SERVER, cpu, pidfd);
}

static struct cpu_server *add_cpu_server(struct page_server *server, int cpu)
{
	struct page_source *source = server->source;
	struct cpu_server *cpu_server = server->cpu_servers;
	int channel[2];
	int pidfd;

	while (cpu_server < server->cpu_servers + server->cpu_server_count && cpu_server->cpu >= 0)
		cpu_server++;
	if (cpu_server == server->cpu_servers + CPU_SERVERS_MAX ||
	    raw_syscall(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			channel))
		return NULL;
	pidfd = source->fork_cpu_server(source, channel[1]);
	close_fd(channel[1]);
	if (pidfd < 0) {
		close_fd(channel[0]);
		return NULL;
	}
	page_server_set_deadline(channel[0], CLIENT_DEADLINE_MS);
	introduce(server, pidfd, cpu);
	*cpu_server = (struct cpu_server){ channel[0], pidfd, cpu };
	if (cpu_server == server->cpu_servers + server->cpu_server_count)
		server->cpu_server_count++;
	return cpu_server;
}

/* Who serves a client that starts children on a CPU; NULL: this server. */
static struct cpu_server *cpu_server_on(struct page_server *server, int cpu)
{
	uint32_t i;

	if (!server->source->fork_cpu_server) {
		follow(cpu);
		return NULL;
	}
	if (!has_staying_clients(server)) {
		server->cpu = cpu;
		follow(cpu);
	}
	if (server->cpu == cpu)
		return NULL;
	for (i = 0; i < server->cpu_server_count; i++)
		if (server->cpu_servers[i].cpu == cpu)
			return &server->cpu_servers[i];
	return add_cpu_server(server, cpu);
}

/* Hands a stream over. False if nobody takes it. */
static bool hand_over(struct cpu_server *cpu_server, int stream, int cpu)
{
	return send_with(cpu_server->channel, LOCAL_SERVE, cpu, stream);
}

static void add_staying_client(struct page_server *server, int stream, int cpu)
{
	struct cpu_server *cpu_server = cpu_server_on(server, cpu);
	struct client *client;

	if (cpu_server && hand_over(cpu_server, stream, cpu)) {
		close_fd(stream);
		return;
	}
	client = add_client(server, stream, false);
	if (client)
		client->stays = true;
}

/* Passes the daemon what a per-CPU server's children have forked. */
static void serve_cpu_server(struct page_server *server, struct cpu_server *cpu_server)
{
	struct local_message m;
	int passed[PASSED_MAX];
	long n = receive(cpu_server->channel, &m, sizeof(m), MSG_DONTWAIT, passed);

	if (n == -EINTR || n == -EAGAIN)
		return;
	if (n == sizeof(m) && m.type == LOCAL_KEEP && passed[0] >= 0)
		entrust(server, passed[0], cpu_server->cpu);
	close_passed(passed, 0);
	if (n <= 0) {
		close_fd(cpu_server->channel);
		cpu_server->channel = -1;
	}
}

static bool has_clients(const struct page_server *server, bool readers_too)
{
	uint32_t i;

	for (i = 0; i < server->client_count; i++)
		if (server->clients[i].left ||
		    (server->clients[i].stream >= 0 &&
		     (readers_too || server->clients[i].kind != CLIENT_READER)))
			return true;
	return false;
}

/*
 * The snapshot has been dropped, or the daemon has gone: nobody new can come.
 * Children that still need pages get them.
 */
static void linger(struct page_server *server)
{
	struct local_message m = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = LOCAL_LINGER,
	};
	uint32_t i;

	for (i = 0; i < server->cpu_server_count; i++)
		if (server->cpu_servers[i].channel >= 0)
			raw_syscall(SYS_shutdown, server->cpu_servers[i].channel,
				    SHUT_WR);
	if (has_clients(server, false) || has_cpu_servers(server))
		raw_syscall(SYS_sendto, server->channel, &m, sizeof(m),
			    MSG_NOSIGNAL, 0, 0);
	raw_syscall(SYS_close, server->channel);
	server->channel = -1;
}

static void serve_channel(struct page_server *server)
{
	struct local_message m;
	int passed[PASSED_MAX];
	long n = receive(server->channel, &m, sizeof(m), 0, passed);

	if (n == -EINTR || n == -EAGAIN)
		return;
	close_passed(passed, 1);
	if (n == sizeof(m) && m.magic == LOCAL_MAGIC &&
	    m.version == LOCAL_VERSION && m.type == LOCAL_SERVE &&
	    passed[0] >= 0 &&
	    !(server->source->admit && server->source->admit(server->source))) {
		if (m.cpu >= 0)
			add_staying_client(server, passed[0], m.cpu);
		else
			add_client(server, passed[0], m.flags & LOCAL_MACHINE);
		return;
	}
	/* In this order: who is sent away by the close asks the daemon again. */
	linger(server);
	close_fd(passed[0]);
}

/* A negative descriptor is passed over by poll(). */
static uint32_t fill_polls(struct page_server *server, int watched)
{
	struct pollfd *p = server->polls;
	uint32_t i;

	*p++ = (struct pollfd){ .fd = server->channel, .events = POLLIN };
	/* Its answers are for whoever asked; here it counts whether it is there. */
	*p++ = (struct pollfd){ .fd = watched, .events = POLLRDHUP };
	for (i = 0; i < server->client_count; i++)
		*p++ = (struct pollfd){ .fd = server->clients[i].stream,
					.events = POLLIN };
	for (i = 0; i < server->client_count; i++)
		*p++ = (struct pollfd){ .fd = server->clients[i].stream < 0 ?
						      -1 : server->clients[i].pidfd,
					.events = POLLIN };
	for (i = 0; i < server->cpu_server_count; i++)
		*p++ = (struct pollfd){ .fd = server->cpu_servers[i].channel,
					.events = POLLIN };
	for (i = 0; i < server->cpu_server_count; i++)
		*p++ = (struct pollfd){ .fd = server->cpu_servers[i].pidfd,
					.events = POLLIN };
	for (i = 0; i < server->space_count; i++)
		*p++ = (struct pollfd){ .fd = server->spaces[i].memory.uffd,
					.events = POLLIN };
	return p - server->polls;
}

static void serve_client(struct page_server *server, uint32_t i, short events)
{
	const struct client *c = &server->clients[i];
	bool stays = events & POLLIN &&
		     (c->kind == CLIENT_MACHINE ? serve_machine(server, c->stream) :
						  serve_request(server, i));

	if (!stays)
		remove_client(server, i);
}

/* Children die with their lifelines; say why where they would have written. */
static void complain(struct page_server *server)
{
	const char *words = server->source->failure;
	size_t size = 0;
	uint32_t i;

	if (!words)
		return;
	while (words[size])
		size++;
	for (i = 0; i < server->client_count; i++)
		if (server->clients[i].complaints >= 0)
			raw_syscall(SYS_write, server->clients[i].complaints,
				    words, size);
}

/*
 * The source has failed. Closing the lifelines kills the children; what they
 * have forked, or who has closed its end, ends when it reads a missing page.
 */
static void abandon_children(struct page_server *server)
{
	uint32_t i;

	complain(server);
	server->failed = false;
	server->source->failure = NULL;
	if (server->channel >= 0)
		raw_syscall(SYS_close, server->channel);
	server->channel = -1;
	for (i = 0; i < server->space_count; i++)
		server->spaces[i].memory.lost = true;
	for (i = 0; i < server->client_count; i++)
		if (server->clients[i].stream >= 0)
			remove_client(server, i);
}

/* Idle, but for readers who may bring children: as long as these may come. */
static bool may_go_on(struct page_server *server)
{
	struct page_source *source = server->source;

	return has_clients(server, true) && server->channel >= 0 &&
	       source->admit && !source->admit(source);
}

void page_server_run(struct page_server *server, int watched, int idle_ms)
{
	for (;;) {
		uint32_t clients = server->client_count;
		uint32_t spaces = server->space_count;
		uint32_t cpu_servers = server->cpu_server_count;
		uint32_t count = fill_polls(server, watched);
		struct pollfd *client_polls = server->polls + 2;
		struct pollfd *clone_polls = client_polls + clients;
		struct pollfd *cpu_server_polls = clone_polls + clients;
		struct pollfd *end_polls = cpu_server_polls + cpu_servers;
		struct pollfd *space_polls = end_polls + cpu_servers;
		bool left = has_left(server);
		int timeout = left			     ? LEFT_CHECK_MS :
			      has_clients(server, false) ||
					      has_cpu_servers(server) ? -1 :
							   idle_ms;
		long n = raw_syscall(SYS_poll, server->polls, count, timeout);
		uint32_t i;

		if (n == -EINTR)
			continue;
		if (n < 0 || (n == 0 && !left && !may_go_on(server)))
			return;
		for (i = 0; i < spaces; i++)
			if (space_polls[i].revents &&
			    server->spaces[i].memory.uffd >= 0)
				serve_space(server, i);
		if (server->lesson_state == LESSON_ON && !lesson_goes_on(server))
			end_lesson(server);
		if (server->polls[1].revents)
			server->failed = true;
		if (server->failed) {
			abandon_children(server);
			watched = -1;
			if (!has_left(server))
				return;
			continue;
		}
		for (i = 0; i < clients; i++)
			if (clone_polls[i].revents)
				end_clone(&server->clients[i]);
		for (i = 0; i < clients; i++)
			if (client_polls[i].revents)
				serve_client(server, i, client_polls[i].revents);
		for (i = 0; i < cpu_servers; i++)
			if (cpu_server_polls[i].revents)
				serve_cpu_server(server, &server->cpu_servers[i]);
		for (i = 0; i < cpu_servers; i++)
			if (end_polls[i].revents)
				remove_cpu_server(&server->cpu_servers[i]);
		if (server->polls[0].revents)
			serve_channel(server);
		if (left)
			check_left(server);
		if (server->channel < 0 && !has_clients(server, false) &&
		    !has_cpu_servers(server))
			return;
	}
}

struct page_server *page_server_create(struct page_source *source, int channel,
				       uint64_t page_size)
{
	long p = raw_syscall(SYS_mmap, 0, sizeof(struct page_server),
			     PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct page_server *server = (struct page_server *)p;

	if (p < 0 && p > -4096)
		return NULL;
	server->source = source;
	server->channel = channel;
	server->page_size = page_size;
	server->cpu = -1;
	server->lesson.pages = server->first_pages;
	server->lesson.capacity = FIRST_PAGES_MAX;
	return address_map_create(&server->map, source->descriptor) ? NULL : server;
}

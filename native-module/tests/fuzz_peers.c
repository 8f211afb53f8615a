// SPDX-License-Identifier: Apache-2.0
/*
 * A part of the libFuzzer target (fuzz_parsers.c): what processes of this machine
 * tell mitosisd. The bytes are steps of up to four of them, each a byte that says
 * who does what, and the packet.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>

/* This process is behind every peer, and may not be ended for it. */
#undef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal SYS_getpid
/* fuzz_parsers.c has one of its own for other machines. */
#define snapshot_hand_over snapshot_hand_over_local
#include "daemon/snapshots.c"

#include "daemon/greeting.h"
#include "daemon/session.h"

#define ENDS	     5	  /* the last is a pager's */
#define STEP_END     0x03 /* which of them */
#define STEP_FILE    0x04 /* a file comes along */
#define STEP_SHORT   0x08 /* the packet is all the rest */
#define STEP_CLOSE   0x10 /* it closes its end: no packet */
#define STEP_PAGER   0x20 /* it is the pager, not whom STEP_END says */
#define STEP_MACHINE 0x40 /* another machine asks for a snapshot: no packet */
#define STEP_LATER   0x80 /* ahead of it, a deadline passes */

/* The other ends of the peers' channels; -1: none. */
static int ends[ENDS];
extern int64_t fuzz_clock_ms;

/* What peers call of the rest of the daemon. Machine 1 is connected. */

int session_add(struct daemon *daemon, uint32_t machine_id,
		const struct local_address *address, int fd)
{
	(void)daemon, (void)machine_id, (void)address;
	close(fd);
	return 0;
}

int session_address(const struct daemon *daemon, uint32_t machine_id,
		    struct local_address *address)
{
	(void)daemon;
	*address = (struct local_address){ .port = 1 };
	return machine_id == 1 ? 0 : -ENOTCONN;
}

int session_start_pager(struct daemon *daemon, uint32_t machine_id,
			uint32_t handler_id, int *channel, int *pidfd)
{
	int pair[2];

	(void)daemon, (void)machine_id, (void)handler_id;
	if (ends[ENDS - 1] >= 0)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair))
		abort();
	*channel = pair[0];
	*pidfd = -1;
	ends[ENDS - 1] = pair[1];
	return 0;
}

bool orphan_keep(struct daemon *daemon, int uffd, int server)
{
	(void)daemon;
	if (server < 0)
		abort(); /* without a server it would get a bus error per fault */
	close(uffd);
	return true;
}

bool watchdog_is_forked_by(int pidfd, pid_t parent)
{
	(void)pidfd, (void)parent;
	return true;
}

void watchdog_watch(struct daemon *daemon, int pidfd, const struct server_name *name)
{
	(void)daemon, (void)pidfd, (void)name;
}

int watchdog_cpu_server(const struct daemon *daemon,
			const struct registry_place *place, int cpu)
{
	(void)daemon, (void)place, (void)cpu;
	return -1;
}

/* As the event loop does, with every peer. */
static void all_ready(struct daemon *daemon)
{
	struct peer *p;

	for (p = daemon->peers; p; p = p->next)
		if (p->fd >= 0)
			p->source.ready(daemon, &p->source);
}

static void turn(struct daemon *daemon)
{
	struct local_message m;
	int i, fd;

	all_ready(daemon);
	peers_expire(daemon);
	snapshots_expire(daemon);
	peers_sweep(daemon);
	for (i = 0; i < ENDS; i++)
		while (ends[i] >= 0 && !channel_receive(ends[i], &m, &fd))
			if (fd >= 0)
				close(fd);
}

static void close_end(int i)
{
	if (ends[i] >= 0)
		close(ends[i]);
	ends[i] = -1;
}

static int open_end(struct daemon *daemon, int i)
{
	int channel[2];

	if (ends[i] >= 0 || i == ENDS - 1)
		return ends[i];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, channel))
		abort();
	ends[i] = channel[1];
	greeting_accept(daemon, channel[0]);
	return ends[i];
}

static void send_packet(int end, const void *bytes, size_t size, bool file)
{
	struct iovec iov = { (void *)bytes, size };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd = STDERR_FILENO;

	if (file) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		__builtin_memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	/* One that the daemon has let go hears of it here. */
	sendmsg(end, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Snapshots 1 and, pinned, 2 of device 1, whose shadows have not registered. */
static void make_snapshots(struct registry *registry)
{
	uint32_t id;

	for (id = 1; id <= 2; id++) {
		int slot = registry_claim(
			registry, id, id == 2 ? MITOSIS_SNAPSHOT_PINNED : 0, 1, id);

		if (slot < 0 ||
		    !registry_publish(registry, slot,
				      registry_generation(registry, slot), 0))
			abort();
	}
}

/* To the snapshot's shadow, if one has registered. */
static void pass_machine(struct daemon *daemon, uint32_t handler_id)
{
	struct peer *shadow;

	if (!find_shadow(daemon, handler_id, &shadow))
		snapshot_hand_over_local(daemon, handler_id, shadow->shadow.number,
					 STDERR_FILENO, NULL);
}

void fuzz_peers(const uint8_t *bytes, size_t size);

void fuzz_peers(const uint8_t *bytes, size_t size)
{
	struct daemon daemon = { .loop.epoll = -1 };
	int i;

	daemon.registry_fd = registry_create(&daemon.registry);
	if (daemon.registry_fd < 0)
		abort();
	make_snapshots(daemon.registry);
	for (i = 0; i < ENDS; i++)
		ends[i] = -1;
	while (size) {
		uint8_t step = *bytes++;
		size_t length = sizeof(struct local_message);

		size--;
		i = step & STEP_PAGER ? ENDS - 1 : step & STEP_END;
		if (step & STEP_LATER)
			fuzz_clock_ms += CHANNEL_DEADLINE_MS;
		if (step & STEP_MACHINE) {
			pass_machine(&daemon, step & STEP_END);
		} else if (step & STEP_CLOSE) {
			close_end(i);
		} else {
			if (step & STEP_SHORT || length > size)
				length = size;
			if (open_end(&daemon, i) >= 0)
				send_packet(ends[i], bytes, length,
					    step & STEP_FILE);
			bytes += length;
			size -= length;
		}
		turn(&daemon);
	}
	for (i = 0; i < ENDS; i++)
		close_end(i);
	turn(&daemon);
	fuzz_clock_ms += 2 * CHANNEL_DEADLINE_MS;
	turn(&daemon);
	/* A peer that has closed is not kept. */
	if (daemon.peers || daemon.peer_count)
		abort();
	registry_unmap(daemon.registry);
	close(daemon.registry_fd);
}

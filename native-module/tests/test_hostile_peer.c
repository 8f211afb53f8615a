// SPDX-License-Identifier: Apache-2.0
/*
 * Invalid input over the daemon's socket, and over a stream to a shadow, ends
 * that connection at the most.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "local/channel.h"
#include "local/runtime_dir.h"
#include "lib/daemon_link.h"
#include "tests/harness.h"

#define ROUNDS	    20000
#define PATIENCE_MS 10000

static void random_bytes(void *buffer, size_t size)
{
	unsigned char *p = buffer;

	while (size--)
		*p++ = pseudo_random();
}

/* Valid headers with random contents, and plain noise, of any length. */
static void daemon_survives(struct mitosis *device)
{
	pid_t daemon = daemon_pid();
	int fd = dial_daemon(getenv("MITOSIS_RUNTIME_DIR")), i;

	for (i = 0; i < ROUNDS; i++) {
		char packet[256];
		struct local_message *m = (void *)packet;
		size_t size = pseudo_random() % sizeof(packet) + 1;

		random_bytes(packet, sizeof(packet));
		if (pseudo_random() % 4) {
			size = sizeof(*m);
			m->magic = LOCAL_MAGIC;
			m->version = LOCAL_VERSION;
			m->type = pseudo_random() % 9;
			/* Random packets may drop other snapshots, but not this one. */
			if (m->handler_id == 73)
				m->handler_id++;
			m->slot = pseudo_random() % 2 ? m->slot % 2048 : m->slot;
			m->generation %= 3;
		}
		if (send(fd, packet, size, MSG_NOSIGNAL) < 0 || i % 5 == 0) {
			close(fd);
			fd = dial_daemon(getenv("MITOSIS_RUNTIME_DIR"));
		}
	}
	close(fd);
	CHECK_EQ(daemon_pid(), daemon);
	CHECK_EQ(mitosis_nil(device), 0);
	CHECK_EQ(mitosis_unprepare(device, 74), -ENOENT);
}

static int attach(struct daemon_link *link, uint32_t handler_id)
{
	int stream;

	CHECK_EQ(daemon_link_attach(link, handler_id, ATTACH_ONCE, 0, &stream, NULL,
				    NULL),
		 0);
	return stream;
}

static void shadow_survives(struct mitosis *device)
{
	struct daemon_link link;
	unsigned char expected = 0x5a, byte = 0;
	int i;

	CHECK_EQ(daemon_link_open(&link), 0);
	for (i = 0; i < ROUNDS / 20; i++) {
		struct shadow_request request;
		int stream = attach(&link, 73);

		random_bytes(&request, sizeof(request));
		if (pseudo_random() % 4) {
			request.magic = LOCAL_MAGIC;
			request.version = LOCAL_VERSION;
			request.type = pseudo_random() % 4;
			request.length %= 4 << 20;
		}
		CHECK(send(stream, &request,
			   pseudo_random() % 3
				   ? sizeof(request)
				   : pseudo_random() % sizeof(request) + 1,
			   MSG_NOSIGNAL) > 0);
		close(stream);
	}
	daemon_link_close(&link);
	CHECK(alive(find_snapshot(device, 73).shadow_pid));
	CHECK_EQ(mitosis_read(device, 73, (uintptr_t)&expected, &byte, 1), 0);
}

/* A device that asks and never reads must not keep others waiting. */
static void slow_reader(struct mitosis *device)
{
	struct daemon_link link;
	static char large[1 << 20];
	struct shadow_request request = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = SHADOW_READ,
		.address = (uintptr_t)large,
		.length = 8,
	};
	char byte;
	int stream, i;

	memset(large, 1, sizeof(large));
	CHECK_EQ(mitosis_unprepare(device, 73), 0);
	CHECK_EQ(mitosis_prepare(device, 73), 0);
	CHECK_EQ(daemon_link_open(&link), 0);
	stream = attach(&link, 73);
	request.address = (uintptr_t)large;
	request.length = sizeof(large);
	for (i = 0; i < 4; i++)
		CHECK(send(stream, &request, sizeof(request), MSG_NOSIGNAL) > 0);
	CHECK_EQ(mitosis_read(device, 73, (uintptr_t)large, &byte, 1), 0);
	CHECK_EQ(byte, 1);
	close(stream);
	daemon_link_close(&link);
}

static int receive(int channel, struct local_message *message)
{
	struct pollfd p = { .fd = channel, .events = POLLIN };
	int fd, err;

	CHECK_EQ(poll(&p, 1, PATIENCE_MS), 1);
	err = channel_receive(channel, message, &fd);
	if (!err && fd >= 0)
		close(fd);
	return err;
}

/* This process registers as a shadow. Returns its channel. */
static int be_shadow(struct daemon_link *link, uint32_t handler_id)
{
	struct local_message m = channel_message(LOCAL_REGISTER);
	struct reserved_channel channel;
	int slot;

	CHECK_EQ(daemon_link_open(link), 0);
	CHECK_EQ(daemon_link_reserve(link, &channel), 0);
	slot = registry_claim(link->registry, handler_id, 0, link->device,
			      channel.number);
	CHECK(slot >= 0);
	m.slot = slot;
	m.generation = registry_generation(link->registry, slot);
	CHECK(registry_publish(link->registry, slot, m.generation, 0));
	CHECK_EQ(channel_send(channel.fd, &m, -1), 0);
	CHECK_EQ(receive(channel.fd, &m), 0);
	CHECK(m.type == LOCAL_ANSWER && !m.status);
	return channel.fd;
}

/*
 * A shadow whose "userfaultfd" is a pipe, which the daemon would read when the shadow has ended,
 * until the pipe is closed.
 */
static void false_userfaultfd(struct mitosis *device)
{
	struct local_message m = channel_message(LOCAL_KEEP);
	struct daemon_link link;
	int channel = be_shadow(&link, 75), ends[2];

	CHECK(!pipe(ends));
	m.cpu = -1;
	CHECK_EQ(channel_send(channel, &m, ends[0]), 0);
	CHECK_EQ(receive(channel, &m), 0);
	CHECK_EQ(m.type, LOCAL_REFUSED);
	close(channel);
	close(ends[0]);
	close(ends[1]);
	daemon_link_close(&link);
	CHECK_EQ(mitosis_nil(device), 0);
}

/* One whose userfaultfd's reads wait, which the daemon has kept when the shadow has ended. */
static void waiting_userfaultfd(struct mitosis *device)
{
	struct local_message m = channel_message(LOCAL_KEEP);
	struct uffdio_api api = { .api = UFFD_API };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC), i;
	pid_t shadow;

	CHECK(uffd >= 0);
	CHECK(!ioctl(uffd, UFFDIO_API, &api));
	shadow = fork();
	if (shadow == 0) {
		struct daemon_link link;

		m.cpu = -1;
		_exit(channel_send(be_shadow(&link, 76), &m, uffd) ? 1 : 0);
	}
	CHECK_EQ(status_within(shadow, PATIENCE_MS), 0);
	/* Longer than it takes to find the end of a shadow, and to look at what it has left. */
	for (i = 0; i < 10; i++) {
		CHECK_EQ(mitosis_nil(device), 0);
		CHECK_EQ(mitosis_unprepare(device, 74), -ENOENT);
		sleep_ms(20);
	}
	close(uffd);
}

int main(void)
{
	struct mitosis *device = open_user();

	CHECK_EQ(mitosis_prepare(device, 73), 0);
	daemon_survives(device);
	shadow_survives(device);
	slow_reader(device);
	false_userfaultfd(device);
	need_userfaultfd();
	waiting_userfaultfd(device);
	mitosis_close(device);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Messages with more descriptors than expected, with a pidfd that was not asked for, or
 * to a process without room for one: nothing stays open, and others are served.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/daemon_link.h"
#include "local/channel.h"
#include "local/passed_fds.h"
#include "local/runtime_dir.h"
#include "paging/raw_message.h"
#include "tests/harness.h"

#define ID	    73
#define PATIENCE_MS 10000
#define KERNEL_MAX  253 /* descriptors in one message */
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

static const int counts[] = { 2, 3, 15, 16, 17, 63, 64, 65, KERNEL_MAX };

/* Sends a message with `count` descriptors of one file. */
static void send_with(int socket, const void *message, size_t size, int count)
{
	static char control[CMSG_SPACE(KERNEL_MAX * sizeof(int))]
		__attribute__((aligned(8)));
	struct iovec part = { (void *)message, size };
	struct msghdr msg = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};
	struct cmsghdr *c = (struct cmsghdr *)control;
	int i;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	for (i = 0; i < count; i++)
		((int *)CMSG_DATA(c))[i] = 0;
	CHECK_EQ(sendmsg(socket, &msg, MSG_NOSIGNAL), (ssize_t)size);
}

static void received_here(void)
{
	struct local_message m = channel_message(LOCAL_ANSWER), got;
	int ends[2], passed[PASSED_FDS_MAX], fd, before;
	size_t i;

	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	before = fd_count(getpid());
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		send_with(ends[0], &m, sizeof(m), counts[i]);
		CHECK_EQ(channel_receive(ends[1], &got, &fd), -EPROTO);
		CHECK_EQ(fd, -1);
		CHECK_EQ(fd_count(getpid()), before);
		send_with(ends[0], &m, sizeof(m), counts[i]);
		CHECK_EQ(raw_receive(ends[1], &got, sizeof(got), 0, passed),
			 counts[i] <= (int)PASSED_FDS_MAX ? (int)sizeof(m)
							  : -EPROTO);
		raw_close_passed(passed, 0);
		CHECK_EQ(fd_count(getpid()), before);
	}
	send_with(ends[0], &m, sizeof(m), 1);
	CHECK_EQ(channel_receive(ends[1], &got, &fd), 0);
	CHECK(fd > 2);
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

/* With room for `files` more. */
static void received_without_room(int files)
{
	struct local_message m = channel_message(LOCAL_ANSWER), got;
	int ends[2], passed[PASSED_FDS_MAX], fd, before;
	struct rlimit limit, less;

	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	before = fd_count(getpid());
	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	less = limit;
	fd = dup(0);
	less.rlim_cur = fd + files;
	close(fd);
	CHECK(!setrlimit(RLIMIT_NOFILE, &less));
	if (!files) {
		send_with(ends[0], &m, sizeof(m), 1);
		CHECK_EQ(channel_receive(ends[1], &got, &fd), 0);
		CHECK_EQ(fd, -EMFILE);
		CHECK_EQ(got.type, LOCAL_ANSWER);
	}
	send_with(ends[0], &m, sizeof(m), 3);
	CHECK_EQ(raw_receive(ends[1], &got, sizeof(got), 0, passed), -EMFILE);
	CHECK_EQ(passed[0], -1);
	CHECK_EQ(got.type, LOCAL_ANSWER);
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	CHECK_EQ(fd_count(getpid()), before);
	close(ends[0]);
	close(ends[1]);
}

static void sent_to_daemon(void)
{
	struct local_message hello = channel_message(LOCAL_HELLO), m;
	struct local_message connect = channel_message(LOCAL_CONNECT);
	int before = fd_count(daemon_pid()), registry;
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		int fd = dial_daemon(getenv("MITOSIS_RUNTIME_DIR"));

		send_with(fd, &hello, sizeof(hello), counts[i]);
		CHECK_SOON(!channel_is_open(fd) || recv(fd, &m, sizeof(m), 0) > 0,
			   PATIENCE_MS);
		CHECK_SOON(fd_count(daemon_pid()) <= before, PATIENCE_MS);
		close(fd);
		fd = dial_daemon(getenv("MITOSIS_RUNTIME_DIR"));
		CHECK_EQ(channel_send(fd, &hello, -1), 0);
		CHECK_EQ(channel_receive(fd, &m, &registry), 0);
		close(registry);
		send_with(fd, &connect, sizeof(connect), counts[i]);
		CHECK_SOON(!channel_is_open(fd), PATIENCE_MS);
		CHECK_SOON(fd_count(daemon_pid()) <= before, PATIENCE_MS);
		close(fd);
	}
}

/* Returns a stream to the shadow. */
static int attach(struct daemon_link *link)
{
	int stream;

	CHECK_EQ(daemon_link_attach(link, ID, ATTACH_ONCE, 0, &stream, NULL, NULL),
		 0);
	return stream;
}

static const struct shadow_request read_request = {
	.magic = LOCAL_MAGIC,
	.version = LOCAL_VERSION,
	.type = SHADOW_READ,
};

static void sent_to_shadow(struct daemon_link *link, pid_t shadow)
{
	int before = fd_count(shadow);
	struct shadow_answer answer;
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		int stream = attach(link);

		send_with(stream, &read_request, sizeof(read_request), counts[i]);
		recv(stream, &answer, sizeof(answer), MSG_WAITALL);
		close(stream);
		CHECK_SOON(fd_count(shadow) <= before, PATIENCE_MS);
	}
}

/* Of a socket that its sender passes, the sender can set options. */
static void pidfd_of_sender(struct daemon_link *link, pid_t shadow)
{
	const struct shadow_request join = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = SHADOW_JOIN,
	};
	int stream = attach(link), before = fd_count(shadow), ends[2], on = 1, i;
	struct iovec part = { (void *)&join, sizeof(join) };
	struct shadow_answer answer;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	if (setsockopt(ends[1], SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on))) {
		puts("pidfd_of_sender left out: needs Linux 6.5");
		close(ends[0]);
		close(ends[1]);
		close(stream);
		return;
	}
	CHECK_EQ(channel_send_fds(stream, &part, 1, &ends[1], 1),
		 (ssize_t)sizeof(join));
	close(ends[1]);
	for (i = 0; i < 20; i++)
		if (send(ends[0], &read_request, sizeof(read_request),
			 MSG_NOSIGNAL) < 0 ||
		    recv(ends[0], &answer, sizeof(answer), MSG_WAITALL) <= 0)
			break;
	/* The joined stream at most. */
	CHECK_SOON(fd_count(shadow) <= before + 1, PATIENCE_MS);
	close(ends[0]);
	close(stream);
}

int main(void)
{
	struct mitosis *device = open_user();
	struct daemon_link link;
	pid_t self = getpid(), shadow;
	char byte;

	received_here();
	received_without_room(0);
	received_without_room(1);
	received_without_room(2);
	CHECK_EQ(mitosis_prepare(device, ID), 0);
	if (getpid() != self)
		_exit(0);
	shadow = find_snapshot(device, ID).shadow_pid;
	/* From then on neither of them opens anything more by itself. */
	CHECK_EQ(mitosis_read(device, ID, (uintptr_t)counts, &byte, 1), 0);
	sent_to_daemon();
	CHECK_EQ(daemon_link_open(&link), 0);
	sent_to_shadow(&link, shadow);
	pidfd_of_sender(&link, shadow);
	daemon_link_close(&link);
	CHECK_EQ(mitosis_read(device, ID, (uintptr_t)counts, &byte, 1), 0);
	CHECK_EQ(byte, 2);
	mitosis_close(device);
	return 0;
}

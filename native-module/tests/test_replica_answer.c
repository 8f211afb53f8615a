// SPDX-License-Identifier: Apache-2.0
/*
 * The pager's end of a replica when the pager has no descriptor left: a child is forked only
 * if its pidfd can be received, as nobody else could end it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "paging/raw_message.h"
#include "paging/replica.h"
#include "tests/harness.h"

#define CLIENT	    5
#define DEADLINE_MS 60000

static struct replica replica = { .runs = true };
static int its_end; /* of the control socket */
static const struct clone_request request = { .cpu = -1 };

static struct rlimit limit;

/* Leaves room for `count` further descriptors. */
static void leave_room(int count)
{
	struct rlimit less = limit;
	int fd = dup(0);

	CHECK(fd >= 0);
	close(fd);
	less.rlim_cur = fd + count;
	CHECK(!setrlimit(RLIMIT_NOFILE, &less));
}

static void take_request(void)
{
	struct replica_request r;

	CHECK_EQ(recv(its_end, &r, sizeof(r), MSG_DONTWAIT), sizeof(r.request));
	CHECK_EQ(r.request.type, SHADOW_CLONE);
}

/* As the replica answers: with a child of this process. */
static pid_t answer_with_child(void)
{
	const struct shadow_answer answer = { 0 };
	pid_t child = fork();
	int pidfd;

	CHECK(child >= 0);
	if (!child) {
		pause();
		_exit(1);
	}
	pidfd = syscall(SYS_pidfd_open, child, 0);
	CHECK(pidfd >= 0);
	CHECK_EQ(raw_send_fds(its_end, &answer, sizeof(answer), &pidfd, 1),
		 sizeof(answer));
	close(pidfd);
	return child;
}

static void without_room(void)
{
	int before = fd_count(getpid());
	char byte;

	leave_room(0);
	CHECK_EQ(replica_ask(&replica, CLIENT, &request, DEADLINE_MS), -EMFILE);
	CHECK(!replica.busy);
	CHECK_EQ(recv(its_end, &byte, 1, MSG_DONTWAIT), -1);
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	CHECK_EQ(fd_count(getpid()), before);
}

static void without_room_later(void)
{
	int before = fd_count(getpid()), pidfd;
	pid_t child;

	CHECK_EQ(replica_ask(&replica, CLIENT, &request, DEADLINE_MS), 0);
	take_request();
	child = answer_with_child();
	leave_room(0);
	pidfd = replica_answer(&replica);
	CHECK(pidfd >= 0);
	CHECK(!replica.busy);
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	CHECK_EQ(fd_count(getpid()), before + 1);
	CHECK_EQ(syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0), 0);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	close(pidfd);
}

/* A refusal, the end of the replica, and one that comes while a request is under way. */
static void nothing_stays_open(void)
{
	const struct shadow_answer refusal = { .status = -EAGAIN };
	int before = fd_count(getpid());

	CHECK_EQ(replica_ask(&replica, CLIENT, &request, DEADLINE_MS), 0);
	CHECK_EQ(send(its_end, &refusal, sizeof(refusal), 0), sizeof(refusal));
	CHECK_EQ(replica_answer(&replica), -EAGAIN);
	CHECK_EQ(fd_count(getpid()), before);
	CHECK_EQ(replica_ask(&replica, CLIENT, &request, DEADLINE_MS), 0);
	close(its_end);
	CHECK_EQ(replica_answer(&replica), -ECONNRESET);
	CHECK_EQ(replica_answer(&replica), -ECONNRESET);
	CHECK_EQ(fd_count(getpid()), before - 1);
}

int main(void)
{
	int ends[2];

	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	replica.control = ends[0];
	its_end = ends[1];
	without_room();
	without_room_later();
	nothing_stays_open();
	return 0;
}

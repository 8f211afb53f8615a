// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/replica.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "paging/raw_message.h"

static uint64_t clock_ms(void)
{
	struct timespec t;

	raw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/* Children of a replica that has ended have it, too: it is as old as this process. */
static long open_lifeline(struct replica *replica)
{
	long err;

	if (replica->has_lifeline)
		return 0;
	err = raw_syscall(SYS_pipe2, replica->lifeline, O_CLOEXEC);
	replica->has_lifeline = !err;
	return err;
}

int replica_start(struct replica *replica, struct page_source *source)
{
	int control[2], stream[2];
	int pidfd;
	long err = open_lifeline(replica);

	if (!err)
		err = raw_syscall(SYS_socketpair, AF_UNIX,
				  SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control);
	if (err)
		return err;
	err = raw_syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			  stream);
	if (err) {
		raw_close(control[0]);
		raw_close(control[1]);
		return err;
	}
	pidfd = source->start_replica(source, (int[]){ stream[1], control[1],
						       replica->lifeline[0] });
	raw_close(stream[1]);
	raw_close(control[1]);
	if (pidfd < 0) {
		raw_close(stream[0]);
		raw_close(control[0]);
		return pidfd;
	}
	replica->runs = true;
	replica->control = control[0];
	replica->pidfd = pidfd;
	return stream[0];
}

int replica_ask(struct replica *replica, uint32_t client,
		const struct clone_request *request, int answer_ms)
{
	struct replica_request packet = {
		.request = {
			.magic = LOCAL_MAGIC,
			.version = LOCAL_VERSION,
			.type = SHADOW_CLONE,
			.length = request->count * sizeof(packet.numbers[0]),
			.cpu = request->cpu,
			.cpus = request->cpus,
			.address = request->number,
			.window = request->machine_id,
			.namespaces = request->namespaces,
			.flags = request->flags,
		},
	};
	long size = sizeof(packet.request) + packet.request.length;
	uint32_t i;
	long n, spare;

	for (i = 0; i < request->count; i++)
		packet.numbers[i] = request->numbers[i];
	/* A child whose pidfd does not arrive would run without anyone to end it. */
	spare = raw_syscall(SYS_fcntl, replica->control, F_DUPFD_CLOEXEC, 0);
	if (spare < 0)
		return spare;
	n = raw_send_many_fds(replica->control, &packet, size, request->passed,
			      request->count);
	if (n != size) {
		raw_close(spare);
		return n < 0 ? n : -EIO;
	}
	replica->spare = spare;
	replica->busy = true;
	replica->asked_by = client;
	replica->deadline_ms = clock_ms() + answer_ms;
	return 0;
}

/* No request is under way any more. */
static void forget_request(struct replica *replica)
{
	if (replica->busy)
		raw_close(replica->spare);
	replica->busy = false;
}

int replica_answer(struct replica *replica)
{
	int passed[PASSED_FDS_MAX];
	struct replica_answer *a = &replica->answer;
	siginfo_t info;
	long n;

	forget_request(replica);
	n = raw_receive(replica->control, a, sizeof(*a), 0, passed);
	/* It has ended without reading the request; its refusal comes behind that error. */
	if (n == -ECONNRESET)
		n = raw_receive(replica->control, a, sizeof(*a), 0, passed);
	raw_close_passed(passed, 1);
	if (n < (long)sizeof(a->answer) ||
	    n != (long)(sizeof(a->answer) + a->answer.length) ||
	    a->answer.status > 0 || (!a->answer.status && passed[0] < 0)) {
		a->answer.length = 0;
		raw_close(passed[0]);
		return n == -EMFILE ? n : -ECONNRESET;
	}
	if (a->answer.status) {
		raw_close(passed[0]);
		return a->answer.status;
	}
	a->answer.length = 0;
	/* The replica runs another machine's code: it names no process but its children. */
	if (raw_syscall(SYS_waitid, P_PIDFD, passed[0], &info,
			WEXITED | WNOHANG | WNOWAIT | __WALL, 0)) {
		raw_close(passed[0]);
		return -ECONNRESET;
	}
	return passed[0];
}

int replica_timeout(const struct replica *replica)
{
	uint64_t now;

	if (!replica->runs || !replica->busy)
		return -1;
	now = clock_ms();
	return replica->deadline_ms > now ? (int)(replica->deadline_ms - now) : 0;
}

void replica_end(struct replica *replica)
{
	siginfo_t info;

	if (!replica->runs)
		return;
	raw_syscall(SYS_pidfd_send_signal, replica->pidfd, SIGKILL, 0, 0);
	raw_syscall(SYS_waitid, P_PIDFD, replica->pidfd, &info, WEXITED | __WALL, 0);
	raw_close(replica->pidfd);
	raw_close(replica->control);
	forget_request(replica);
	replica->runs = false;
	replica->client = replica->asked_by = REPLICA_NO_CLIENT;
}

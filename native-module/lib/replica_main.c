// SPDX-License-Identifier: Apache-2.0
/* Runs in replicas: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/replica_main.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>

#include "lib/clone.h"
#include "lib/own_memory.h"
#include "lib/shadow_process.h"
#include "paging/raw_message.h"
#include "paging/run_on.h"

/* The pager has checked the request. */
static int fork_child(struct own_memory *own, const struct replica_request *r,
		      const int passed[PASSED_FDS_MAX])
{
	struct clone_request request = {
		.namespaces = r->request.namespaces,
		.flags = r->request.flags,
		.cpu = r->request.cpu,
		.cpus = r->request.cpus,
		.number = r->request.address,
		.machine_id = r->request.window,
		.count = r->request.length / sizeof(r->numbers[0]),
	};
	uint32_t i;

	for (i = 0; i < request.count; i++) {
		request.passed[i] = passed[i];
		request.numbers[i] = r->numbers[i];
	}
	if (request.cpu >= 0)
		run_on(request.cpu);
	return clone_child(&own->source, &request);
}

/* False when the pager has gone. */
static bool serve(struct own_memory *own, int control)
{
	struct shadow_answer answer = { 0 };
	int passed[PASSED_FDS_MAX], pidfd = -1;
	struct replica_request r;
	long n = raw_receive(control, &r, sizeof(r), 0, passed);

	if (n == -EINTR)
		return true;
	if (n == -EMFILE)
		answer.status = n;
	else if (n < (long)sizeof(r.request) ||
		 n != (long)(sizeof(r.request) + r.request.length))
		return false;
	else
		pidfd = fork_child(own, &r, passed);
	raw_close_passed(passed, 0);
	if (pidfd < 0) {
		if (!answer.status)
			answer.status = pidfd;
		n = raw_send_some(control, &answer, sizeof(answer), 0);
	} else {
		n = raw_send_fds(control, &answer, sizeof(answer), &pidfd, 1);
		/* No other process can end it. */
		if (n != sizeof(answer))
			raw_syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, 0, 0);
		raw_close(pidfd);
	}
	return n == sizeof(answer);
}

void replica_main(const struct replica_start *start)
{
	struct own_memory own = {
		.source = { .descriptor = start->descriptor },
		.is_replica = true,
		.told = start->told,
		.lifeline = start->lifeline,
	};

	if (start->magic != REPLICA_MAGIC || start->version != LOCAL_VERSION)
		shadow_process_exit();
	own.page_size = start->page_size;
	own_memory_raise_files(&own);
	own.self = raw_syscall(SYS_pidfd_open, raw_syscall(SYS_getpid), 0);
	raw_syscall(SYS_setsid);
	raw_syscall(SYS_prctl, PR_SET_NAME, "mitosis-replica", 0, 0, 0);
	while (serve(&own, start->control))
		;
	shadow_process_exit();
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/orphan.h"

#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "paging/pager.h"
#include "paging/uffd_poison.h"

#define ORPHANS_MAX 4096u
/* Interval of the checks whether an orphan still lives, in ms. */
#define CHECK_MS 500

struct orphan {
	struct event_source source; /* first: the server's pidfd, later the uffd */
	struct orphan *next;
	int uffd;
	int server_pidfd; /* -1: the server has gone */
	int64_t check_ms;
};

static bool lives(const struct orphan *orphan)
{
	const struct address_space space = {
		.uffd = orphan->uffd,
		.page_size = sysconf(_SC_PAGESIZE),
	};

	return address_space_is_alive(&space);
}

/* The page is lost: a process that touches it gets SIGBUS instead of zeros. */
static void refuse(const struct orphan *orphan, const struct uffd_msg *msg)
{
	uint64_t page = sysconf(_SC_PAGESIZE);
	uint64_t address = msg->arg.pagefault.address & ~(page - 1);

	if (!uffd_poison(orphan->uffd, address, page))
		return;
	/*
	 * Before Linux 6.6: kill by the thread's id, which is wrong if the process is
	 * in another PID namespace.
	 */
	if (msg->arg.pagefault.feat.ptid)
		kill(msg->arg.pagefault.feat.ptid, SIGKILL);
}

static void fault_ready(struct daemon *daemon, struct event_source *source)
{
	struct orphan *orphan = (struct orphan *)source;
	struct uffd_msg msg;

	while (orphan->uffd >= 0 &&
	       read(orphan->uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		if (msg.event == UFFD_EVENT_PAGEFAULT)
			refuse(orphan, &msg);
		else if (msg.event == UFFD_EVENT_FORK)
			orphan_keep(daemon, msg.arg.fork.ufd, -1);
	}
}

static void server_gone(struct daemon *daemon, struct event_source *source)
{
	struct orphan *orphan = (struct orphan *)source;

	loop_close(&daemon->loop, orphan->server_pidfd);
	orphan->server_pidfd = -1;
	orphan->source.ready = fault_ready;
	loop_watch(&daemon->loop, orphan->uffd, &orphan->source);
}

void orphan_keep(struct daemon *daemon, int uffd, int server_pidfd)
{
	struct orphan *orphan = daemon->orphan_count < ORPHANS_MAX
					? calloc(1, sizeof(*orphan))
					: NULL;

	if (!orphan) {
		close(uffd);
		if (server_pidfd >= 0)
			close(server_pidfd);
		return;
	}
	trace(&daemon->trace, TRACE_STEPS, "keeps an address space",
	      TRACE_NUMBER("kept", daemon->orphan_count));
	orphan->uffd = uffd;
	orphan->server_pidfd = server_pidfd;
	orphan->check_ms = monotonic_ms() + CHECK_MS;
	orphan->next = daemon->orphans;
	daemon->orphans = orphan;
	daemon->orphan_count++;
	if (server_pidfd >= 0) {
		orphan->source.ready = server_gone;
		loop_watch(&daemon->loop, server_pidfd, &orphan->source);
	} else {
		orphan->source.ready = fault_ready;
		loop_watch(&daemon->loop, uffd, &orphan->source);
	}
}

int orphan_expire(struct daemon *daemon)
{
	struct orphan **link = &daemon->orphans;
	int64_t now = monotonic_ms();

	while (*link) {
		struct orphan *orphan = *link;

		if (orphan->check_ms > now || lives(orphan)) {
			if (orphan->check_ms <= now)
				orphan->check_ms = now + CHECK_MS;
			link = &orphan->next;
			continue;
		}
		*link = orphan->next;
		daemon->orphan_count--;
		loop_close(&daemon->loop, orphan->uffd);
		if (orphan->server_pidfd >= 0)
			loop_close(&daemon->loop, orphan->server_pidfd);
		free(orphan);
	}
	return daemon->orphans ? CHECK_MS : -1;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/ward.h"

#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/pager.h"
#include "lib/uffd_poison.h"

#define WARDS_MAX	4096u
/* How often it is looked whether a ward still lives, in ms. */
#define LOOK_MS		500

struct ward {
	struct event_source source;	/* first: the server's pidfd, later the uffd */
	struct ward *next;
	int uffd;
	int server_pidfd;		/* -1: the server has gone */
	int64_t look_ms;
};

static bool lives(const struct ward *ward)
{
	const struct paged paged = {
		.uffd = ward->uffd,
		.page_size = sysconf(_SC_PAGESIZE),
	};

	return paged_is_alive(&paged);
}

/* No page any more: whoever needs one gets SIGBUS instead of zeros. */
static void refuse(const struct ward *ward, const struct uffd_msg *msg)
{
	uint64_t page = sysconf(_SC_PAGESIZE);
	uint64_t address = msg->arg.pagefault.address & ~(page - 1);

	if (!uffd_poison(ward->uffd, address, page))
		return;
	/* Before Linux 6.6: by the thread's id, right outside PID namespaces. */
	if (msg->arg.pagefault.feat.ptid)
		kill(msg->arg.pagefault.feat.ptid, SIGKILL);
}

static void fault_ready(struct daemon *daemon, struct event_source *source)
{
	struct ward *ward = (struct ward *)source;
	struct uffd_msg msg;

	(void)daemon;
	while (ward->uffd >= 0 &&
	       read(ward->uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		if (msg.event == UFFD_EVENT_PAGEFAULT)
			refuse(ward, &msg);
		else if (msg.event == UFFD_EVENT_FORK)
			ward_keep(daemon, msg.arg.fork.ufd, -1);
	}
}

static void server_gone(struct daemon *daemon, struct event_source *source)
{
	struct ward *ward = (struct ward *)source;

	loop_close(&daemon->loop, ward->server_pidfd);
	ward->server_pidfd = -1;
	ward->source.ready = fault_ready;
	loop_watch(&daemon->loop, ward->uffd, &ward->source);
}

void ward_keep(struct daemon *daemon, int uffd, int server_pidfd)
{
	struct ward *ward = daemon->ward_count < WARDS_MAX ?
				    calloc(1, sizeof(*ward)) : NULL;

	if (!ward) {
		close(uffd);
		if (server_pidfd >= 0)
			close(server_pidfd);
		return;
	}
	ward->uffd = uffd;
	ward->server_pidfd = server_pidfd;
	ward->look_ms = monotonic_ms() + LOOK_MS;
	ward->next = daemon->wards;
	daemon->wards = ward;
	daemon->ward_count++;
	if (server_pidfd >= 0) {
		ward->source.ready = server_gone;
		loop_watch(&daemon->loop, server_pidfd, &ward->source);
	} else {
		ward->source.ready = fault_ready;
		loop_watch(&daemon->loop, uffd, &ward->source);
	}
}

int ward_expire(struct daemon *daemon)
{
	struct ward **link = &daemon->wards;
	int64_t now = monotonic_ms();

	while (*link) {
		struct ward *ward = *link;

		if (ward->look_ms > now || lives(ward)) {
			if (ward->look_ms <= now)
				ward->look_ms = now + LOOK_MS;
			link = &ward->next;
			continue;
		}
		*link = ward->next;
		daemon->ward_count--;
		loop_close(&daemon->loop, ward->uffd);
		if (ward->server_pidfd >= 0)
			loop_close(&daemon->loop, ward->server_pidfd);
		free(ward);
	}
	return daemon->wards ? LOOK_MS : -1;
}

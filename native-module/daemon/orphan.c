// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/orphan.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/faulting_process.h"
#include "local/userfaultfd.h"
#include "paging/pager.h"
#include "paging/uffd_poison.h"
#include "paging/uffd_read.h"
#include "proto/descriptor.h"

#define ORPHANS_MAX 65536u
/* Interval of the checks whether an orphan still lives, in ms. */
#define CHECK_MS 500

struct orphan {
	struct event_source source; /* first: the server's pidfd, later the uffd */
	struct orphan *next;
	int uffd;
	int server_pidfd; /* -1: the server has gone */
	int64_t check_ms;
	bool paused; /* until check_ms: no descriptor for what a process has forked */
};

static bool lives(const struct orphan *orphan)
{
	const struct address_space space = {
		.uffd = orphan->uffd,
		.page_size = sysconf(_SC_PAGESIZE),
	};

	return address_space_is_alive(&space);
}

static uint64_t page_of(const struct uffd_msg *msg)
{
	return msg->arg.pagefault.address & ~((uint64_t)sysconf(_SC_PAGESIZE) - 1);
}

/* The waiting threads fault again, if they still need the page. */
static void wake(const struct orphan *orphan, uint64_t page)
{
	struct uffdio_range range = {
		.start = page,
		.len = sysconf(_SC_PAGESIZE),
	};

	ioctl(orphan->uffd, UFFDIO_WAKE, &range);
}

/*
 * The same of all waiting threads: of those whose faults the server has read, nothing else would hear again. What is
 * below vm.mmap_min_addr, which may be 0, has no pages, and may not be named.
 */
static void wake_all(const struct orphan *orphan)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	uint64_t start;
	int err = -1;

	for (start = page; err && start < USER_MEMORY_END; start *= 2) {
		struct uffdio_range range = {
			.start = start,
			.len = USER_MEMORY_END - start,
		};

		err = ioctl(orphan->uffd, UFFDIO_WAKE, &range);
	}
}

/* Before Linux 6.6, which cannot raise SIGBUS for a page. */
static void kill_faulting(const struct orphan *orphan, const struct uffd_msg *msg)
{
	uint32_t tid = msg->arg.pagefault.feat.ptid;
	int err = faulting_process_kill(orphan->uffd, page_of(msg),
					sysconf(_SC_PAGESIZE), tid);

	if (err == -ENOENT)
		wake(orphan, page_of(msg));
	else if (err)
		fprintf(stderr,
			"mitosisd: a process waits for a page that is lost, and "
			"mitosisd may not inspect it: kill it (thread %u of its "
			"PID namespace, forked by a child)\n",
			tid);
}

/*
 * The page is lost: a process that touches it gets SIGBUS instead of zeros. False if
 * an event has to be read first.
 */
static bool refuse(const struct orphan *orphan, const struct uffd_msg *msg)
{
	int err = uffd_poison(orphan->uffd, page_of(msg), sysconf(_SC_PAGESIZE));

	if (err == -EAGAIN)
		return false;
	if (err == -EINVAL || err == -ENOTTY)
		kill_faulting(orphan, msg);
	else if (err)
		wake(orphan, page_of(msg)); /* it has come, or was unmapped */
	return true;
}

static void fault_ready(struct daemon *daemon, struct event_source *source)
{
	struct orphan *orphan = (struct orphan *)source;
	uint64_t put_off[16];
	uint32_t count = 0;
	struct uffd_msg msg;
	int err = 0;

	/* Else it is ready for ever: who passed it on shares the file. */
	uffd_unblock(orphan->uffd);
	while (count < sizeof(put_off) / sizeof(put_off[0])) {
		err = uffd_read(orphan->uffd, &msg);
		if (err)
			break;
		if (msg.event == UFFD_EVENT_PAGEFAULT && !refuse(orphan, &msg))
			put_off[count++] = page_of(&msg);
		else if (msg.event == UFFD_EVENT_FORK &&
			 !orphan_keep(daemon, msg.arg.fork.ufd, -1))
			fprintf(stderr,
				"mitosisd: no room for an address space without a "
				"server: its processes wait for their pages\n");
	}
	/* The event stays, and what has forked waits. */
	if (err && err != -EAGAIN) {
		loop_forget(&daemon->loop, orphan->uffd);
		orphan->paused = true;
	}
	while (count)
		wake(orphan, put_off[--count]);
}

static void watch_faults(struct daemon *daemon, struct orphan *orphan)
{
	orphan->source.ready = fault_ready;
	orphan->paused = loop_watch(&daemon->loop, orphan->uffd, &orphan->source);
}

static void server_gone(struct daemon *daemon, struct event_source *source)
{
	struct orphan *orphan = (struct orphan *)source;

	loop_close(&daemon->loop, orphan->server_pidfd);
	orphan->server_pidfd = -1;
	watch_faults(daemon, orphan);
	wake_all(orphan);
}

bool orphan_keep(struct daemon *daemon, int uffd, int server)
{
	int server_pidfd = -1;
	struct orphan *orphan = NULL;

	/* Another file's reads wait, or bring events that the kernel never told. */
	if (!is_userfaultfd(uffd))
		return false;
	if (server >= 0)
		server_pidfd = fcntl(server, F_DUPFD_CLOEXEC, 0);
	/* Without its pidfd, the server would count as gone. */
	if (daemon->orphan_count < ORPHANS_MAX && (server < 0 || server_pidfd >= 0))
		orphan = calloc(1, sizeof(*orphan));
	if (!orphan) {
		if (server_pidfd >= 0)
			close(server_pidfd);
		return false;
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
		watch_faults(daemon, orphan);
	}
	return true;
}

int orphan_expire(struct daemon *daemon)
{
	struct orphan **link = &daemon->orphans;
	int64_t now = monotonic_ms();

	while (*link) {
		struct orphan *orphan = *link;

		if (orphan->check_ms > now || lives(orphan)) {
			if (orphan->check_ms <= now) {
				orphan->check_ms = now + CHECK_MS;
				if (orphan->paused)
					watch_faults(daemon, orphan);
			}
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

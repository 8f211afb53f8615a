// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/memory_server.h"

#include <errno.h>
#include <linux/sched.h>

#include "lib/shadow_arena.h"
#include "lib/shadow_process.h"
#include "paging/page_server.h"
#include "paging/raw_syscall.h"
#include "paging/trace.h"

/* Arguments of cpu_server_main(), in memory that the process gets a copy of. */
struct cpu_server_arguments {
	struct own_memory own;
	int channel;
	char stack[SHADOW_STACK_SIZE] __attribute__((aligned(64)));
};

static void __attribute__((noreturn)) run(struct own_memory *own, int channel)
{
	struct page_server *server =
		page_server_create(&own->source, channel, own->page_size);

	if (server && !own_memory_open(own))
		page_server_run(server, -1, -1);
	shadow_process_exit();
}

/*
 * Closes the shadow's clients first: a client ends when the last copy of its
 * stream is closed.
 */
static void __attribute__((noreturn)) cpu_server_main(struct cpu_server_arguments *a)
{
	struct trace *trace = &a->own.source.trace;
	long channel = raw_syscall(SYS_dup2, a->channel, 0);

	if (channel < 0)
		shadow_process_exit();
	if (trace->level)
		trace->fd = raw_syscall(SYS_dup2, trace->fd, 1);
	shadow_process_close_from(trace->level ? 2 : 1);
	trace->role = "per-CPU server";
	a->own.source.fork_cpu_server = NULL;
	/* Its memory and its threads are the shadow's. */
	a->own.late.state = NULL;
	run(&a->own, channel);
}

int memory_server_fork(struct page_source *source, int channel)
{
	struct cpu_server_arguments *a = shadow_process_map(sizeof(*a));
	int pidfd = -1;
	long pid;

	if (!a)
		return -ENOMEM;
	a->own = *(const struct own_memory *)source;
	a->channel = channel;
	pid = shadow_process_fork(a->stack + sizeof(a->stack),
				  (void (*)(void *))cpu_server_main, a, CLONE_PIDFD,
				  &pidfd, NULL);
	raw_syscall(SYS_munmap, a, sizeof(*a));
	return pid < 0 ? pid : pidfd;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/shadow.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clone.h"
#include "lib/describe.h"
#include "lib/memory_server.h"
#include "lib/own_memory.h"
#include "lib/shadow_process.h"
#include "local/protocol.h"
#include "paging/raw_message.h"
#include "paging/raw_syscall.h"
#include "paging/trace.h"

/* How long the daemon may take to answer a registration, in ms. */
#define DAEMON_DEADLINE_MS 2000

int shadow_arena_create(struct shadow_arena **arena)
{
	size_t size = sizeof(**arena);
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	if (mmap(p, offsetof(struct shadow_arena, stack), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
		munmap(p, size);
		return -ENOMEM;
	}
	/* The flag keeps the kernel from merging it with a neighbour. */
	madvise(p, size, MADV_DONTDUMP);
	*arena = p;
	(*arena)->page_size = sysconf(_SC_PAGESIZE);
	(*arena)->arena_size =
		(size + (*arena)->page_size - 1) & ~((*arena)->page_size - 1);
	return 0;
}

void shadow_arena_destroy(struct shadow_arena *arena)
{
	munmap(arena, arena->arena_size);
}

/*
 * Everything below runs in the shadow: no libc, no TLS, no globals.
 */

/* Returns the channel, or -1 if the daemon refuses this shadow. */
static int register_with_daemon(const struct shadow_arena *arena)
{
	struct local_message m = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = LOCAL_REGISTER,
		.slot = arena->slot,
		.generation = arena->generation,
	};
	long fd = raw_syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET, 0);
	long n;

	if (fd < 0)
		return -1;
	raw_set_deadline(fd, DAEMON_DEADLINE_MS);
	if (raw_syscall(SYS_connect, fd, &arena->daemon, sizeof(arena->daemon)))
		return -1;
	if (raw_syscall(SYS_sendto, fd, &m, sizeof(m), MSG_NOSIGNAL, 0, 0) !=
	    sizeof(m))
		return -1;
	n = raw_syscall(SYS_recvfrom, fd, &m, sizeof(m), 0, 0, 0);
	return n == sizeof(m) && m.magic == LOCAL_MAGIC &&
			       m.version == LOCAL_VERSION &&
			       m.type == LOCAL_ANSWER && !m.status
		       ? fd
		       : -1;
}

static void __attribute__((noreturn, used)) shadow_main(struct shadow_arena *arena)
{
	struct own_memory own = {
		.source = {
			.clone = clone_child,
			.fork_cpu_server = memory_server_fork,
		},
	};
	struct descriptor_header *descriptor;
	long channel;

	own_memory_init(&own, arena->page_size);
	shadow_process_close_from(0);
	own_memory_raise_files(&own);
	raw_syscall(SYS_setsid);
	raw_syscall(SYS_prctl, PR_GET_NAME, arena->name, 0, 0, 0);
	raw_syscall(SYS_prctl, PR_SET_NAME, "mitosis-shadow", 0, 0, 0);
	channel = register_with_daemon(arena);
	if (channel < 0 || describe_self(arena, &descriptor))
		shadow_process_exit();
	own.source.descriptor = descriptor;
	own.source.limits = arena->limits;
	own.source.answer_ms = arena->answer_ms;
	trace_open(&own.source.trace, arena->trace_level, arena->daemon.sun_path,
		   "shadow", arena->handler_id);
	trace(&own.source.trace, TRACE_STEPS, "has described itself",
	      TRACE_NUMBER("vmas", descriptor->vma_count),
	      TRACE_NUMBER("bytes", descriptor->total_size));
	own_memory_make_readable(descriptor);
	memory_server_run(&own, channel);
}

/*
 * clone() with no flags is fork() without a signal at the child's end. The
 * child runs on the arena's stack and leaves its parent's as it was.
 */
int shadow_fork(struct shadow_arena *arena)
{
	return shadow_process_fork(arena->stack + sizeof(arena->stack),
				   (void (*)(void *))shadow_main, arena, 0, NULL,
				   NULL);
}

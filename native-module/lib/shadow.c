// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/shadow.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clone.h"
#include "lib/cpu_features.h"
#include "lib/describe.h"
#include "lib/describe_files.h"
#include "lib/memory_server.h"
#include "lib/own_memory.h"
#include "lib/rseq.h"
#include "lib/shadow_process.h"
#include "local/protocol.h"
#include "paging/page_server.h"
#include "paging/raw_message.h"
#include "paging/raw_syscall.h"
#include "paging/trace.h"

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
	(*arena)->magic = SHADOW_ARENA_MAGIC;
	(*arena)->page_size = sysconf(_SC_PAGESIZE);
	memcpy((*arena)->cpu_features, cpu_features_own(),
	       sizeof((*arena)->cpu_features));
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

/* Returns 0 or -errno. */
static int register_with_daemon(const struct shadow_arena *arena, int channel)
{
	struct local_message m = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = LOCAL_REGISTER,
		.slot = arena->slot,
		.generation = arena->generation,
	};
	long n;

	n = raw_send_some(channel, &m, sizeof(m), 0);
	if (n < 0)
		return n == -EPIPE ? -ECONNRESET : n;
	n = raw_receive_some(channel, &m, sizeof(m), 0);
	if (n < 0)
		return n;
	if (n != sizeof(m) || m.magic != LOCAL_MAGIC || m.version != LOCAL_VERSION ||
	    m.type != LOCAL_ANSWER)
		return n ? -EPROTO : -ECONNRESET;
	return m.status;
}

/*
 * Closes all files but its channel, so that no reader waits for the end of a file because of
 * a shadow; before that it describes those of the parent, which waits. Returns the channel
 * or -errno; *unread is why the files are not described.
 */
static long take_files(struct shadow_arena *arena, struct described_files *files,
		       int *unread)
{
	long channel;

	*unread = arena->has_files ? describe_files(arena, files) : 0;
	/* The reserved channel is all that a shadow keeps of its parent's files. */
	channel = raw_syscall(SYS_dup2, arena->channel, 0);
	if (channel < 0)
		return channel;
	shadow_process_close_from(1);
	if (*unread)
		arena->awaited = SHADOW_READY; /* for the cause */
	else if (arena->has_files)
		shadow_process_tell(arena, SHADOW_HAS_FILES, 0);
	return channel;
}

/* Returns SHADOW_READY, or what is missing with -errno in *err. */
static enum shadow_outcome start(struct shadow_arena *arena, struct own_memory *own,
				 struct page_server **server, int *err)
{
	const void *word = &arena->generation;
	struct descriptor_header *descriptor;
	struct described_files files = { 0 };
	uint64_t read;
	long channel;
	int unread;

	own_memory_raise_files(own);
	if (arena->thread.rseq_address)
		rseq_unregister(&arena->thread);
	channel = take_files(arena, &files, &unread);
	*err = channel;
	if (channel < 0)
		return SHADOW_NO_CHANNEL;
	*err = -EMFILE;
	if (own->files.rlim_max < SHADOW_FILES_LEAST)
		return SHADOW_FEW_FILES;
	raw_syscall(SYS_setsid);
	raw_syscall(SYS_prctl, PR_GET_NAME, arena->name, 0, 0, 0);
	raw_syscall(SYS_prctl, PR_SET_NAME, "mitosis-shadow", 0, 0, 0);
	*err = register_with_daemon(arena, channel);
	if (*err)
		return SHADOW_NOT_REGISTERED;
	arena->outcome = SHADOW_REGISTERED;
	*err = own_memory_open(own);
	if (!*err)
		*err = own->source.read(&own->source, (uintptr_t)word, &read,
					sizeof(read));
	if (*err)
		return SHADOW_CANNOT_READ;
	*err = unread;
	if (*err)
		return SHADOW_FILES_UNREAD;
	*err = describe_self(arena, &files, &descriptor);
	if (*err)
		return SHADOW_NOT_DESCRIBED;
	described_files_free(&files);
	/* Raised above: see own_memory_raise_files(). */
	descriptor->state.limits[RLIMIT_NOFILE] =
		(struct descriptor_limit){ own->files.rlim_cur,
					   own->files.rlim_max };
	own->source.descriptor = descriptor;
	own->late.descriptor = descriptor;
	own->late.served = arena->served;
	own->source.limits = arena->limits;
	own->source.answer_ms = arena->answer_ms;
	trace_open(&own->source.trace, arena->trace_level, arena->daemon.sun_path,
		   "shadow", arena->handler_id);
	trace(&own->source.trace, TRACE_STEPS, "has described itself",
	      TRACE_NUMBER("vmas", descriptor->vma_count),
	      TRACE_NUMBER("files", descriptor->fd_count),
	      TRACE_NUMBER("bytes", descriptor->total_size));
	own_memory_make_readable(descriptor);
	*err = -ENOMEM;
	*server = page_server_create(&own->source, channel, own->page_size);
	return *server ? SHADOW_READY : SHADOW_NO_MEMORY;
}

static void __attribute__((noreturn, used)) shadow_main(struct shadow_arena *arena)
{
	struct own_memory own = {
		.source = {
			.clone = clone_child,
			.fork_cpu_server = memory_server_fork,
		},
	};
	struct page_server *server;
	enum shadow_outcome outcome;
	int err = 0;

	own_memory_init(&own, arena->page_size);
	outcome = start(arena, &own, &server, &err);
	shadow_process_tell(arena, outcome, err);
	if (outcome == SHADOW_READY)
		page_server_run(server, -1, -1);
	shadow_process_exit();
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

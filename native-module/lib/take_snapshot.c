// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/take_snapshot.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fresh_state.h"
#include "lib/high_memory.h"
#include "lib/own_files.h"
#include "lib/own_uffd.h"
#include "lib/resume_hooks.h"
#include "lib/rseq.h"
#include "lib/shadow.h"
#include "lib/shadow_start.h"
#include "lib/shared_memory.h"
#include "lib/thread_stop.h"
#include "local/clock.h"
#include "paging/raw_syscall.h"

/* Reads state that fork does not copy; the shadow adds the rest. */
static void describe_caller(struct descriptor_thread *t)
{
	void *robust_list = NULL;
	size_t robust_list_size = 0;
	int *tid_address = NULL;

	t->tid = gettid();
	/* Prepare is a call, which does not preserve them: thread_tell(). */
	t->rdi = t->rsi = t->rdx = t->r8 = t->r9 = t->r10 = 0;
	syscall(SYS_get_robust_list, 0, &robust_list, &robust_list_size);
	t->robust_list = (uintptr_t)robust_list;
	t->robust_list_size = robust_list_size;
	prctl(PR_GET_TID_ADDRESS, &tid_address);
	t->tid_address = (uintptr_t)tid_address;
	rseq_of_caller(&t->rseq_address, &t->rseq_size, &t->rseq_signature);
}

int snapshot_stop_threads(struct shadow_arena *arena)
{
	int err = 0;

	if (own_files_others(arena->own_file_count))
		err = own_uffd_check_threads();
	if (!err)
		err = thread_stop_all(arena->settings.stop_ms,
				      arena->settings.stop_signal, &arena->others);
	arena->process = getpid();
	arena->fresh |= arena->others.fresh;
	if (!err && arena->others.leader_ended)
		arena->descriptor_flags |= DESCRIPTOR_LEADER_ENDED;
	return err;
}

/*
 * The other threads stand still until the shadow is forked or, where it copies what the process
 * shares with it or describes its open files, until it has. In between, this thread takes no lock.
 */
static int fork_shadow(struct shadow_arena *arena, struct shadow_end *end)
{
	int others = own_files_others(arena->own_file_count);
	const uint64_t all = ~0ull;
	uint64_t before;
	int64_t started_ns;
	int pid;

	arena->has_files = others != 0;
	/* Without /proc/self the shadow cannot read its memory either. */
	if (others < 0)
		arena->awaited = SHADOW_READY;
	else if (others && arena->awaited < SHADOW_HAS_FILES)
		arena->awaited = SHADOW_HAS_FILES;
	/* No handler of the program may run in the shadow. */
	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));
	arena->thread.signal_mask = before & ~arena->others.held;
	started_ns = monotonic_ns();
	pid = shadow_fork(arena);
	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof(before));
	if (shadow_has_few_maps(started_ns))
		arena->awaited = SHADOW_READY;
	if (pid > 0 && arena->awaited)
		shadow_await(arena, pid, end);
	if (arena->others.threads)
		thread_stop_release();
	return pid;
}

int take_snapshot(struct shadow_arena *arena, int *maps,
		  const struct descriptor_thread *caller)
{
	const int seccomp = prctl(PR_GET_SECCOMP);
	struct shadow_end end;
	int err, pid;

	arena->thread = *caller;
	describe_caller(&arena->thread);
	resume_hooks_divert(&arena->thread);
	resume_hooks_set_snapshot(arena->handler_id, arena->generation);
	arena->descriptor_flags = 0;
	arena->process = 0;
	arena->fresh = seccomp > 0 ? 0 : fresh_state_of_caller();
	arena->others = (struct stopped_threads){ 0 };
	arena->outcome = SHADOW_STARTS;
	arena->refusal.cause = REFUSED_NOTHING;
	arena->awaited =
		arena->settings.file_digest || seccomp != 0 || shadow_is_uncertain()
			? SHADOW_READY
		: shared_memory_exists(maps, arena) ? SHADOW_COPIED
						    : 0;

	arena->own_file_count = own_files_list(arena->own_files); /* takes a lock */
	err = high_memory_check();
	if (!err)
		err = thread_stop_is_needed() ? snapshot_stop_threads(arena) : 0;
	if (err)
		return err;
	pid = fork_shadow(arena, &end);
	if (pid < 0)
		return fail(pid, "no shadow process can be made: %s",
			    why_no_process(pid));
	err = arena->awaited ? shadow_judge(arena, pid, &end) : 0;
	return err ? err : pid;
}

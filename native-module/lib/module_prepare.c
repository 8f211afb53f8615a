// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/module_prepare.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/describe.h"
#include "lib/describe_files.h"
#include "lib/error.h"
#include "lib/fresh_state.h"
#include "lib/mapped_file.h"
#include "lib/own_files.h"
#include "lib/restore_plan.h"
#include "lib/take_snapshot.h"
#include "lib/thread_stop.h"
#include "paging/raw_syscall.h"
#include "uapi/mitosis.h"

/* What the parent alone needs: in a child another thing may lie there. */
struct range {
	void *start;
	uint64_t size;
};

struct description {
	struct descriptor_header *header;
	struct described_files files;
	struct range left_out[4];
	uint32_t left_out_count;
	uint64_t size; /* of the mapping with the header; 0: it is in the arena */
};

/* MADV_DONTFORK keeps it out of the snapshot. */
static int create_arena(struct module_parent *parent)
{
	struct shadow_arena *arena;

	if (parent->arena)
		return 0;
	arena = mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED)
		return no_memory(-errno, "a description of this process");
	if (madvise(arena, sizeof(*arena), MADV_DONTFORK)) {
		munmap(arena, sizeof(*arena));
		return no_memory(-ENOMEM, "a description of this process");
	}
	arena->page_size = sysconf(_SC_PAGESIZE);
	arena->channel = -1;
	arena->boot = mapped_file_boot();
	parent->arena = arena;
	return 0;
}

void module_parent_destroy(struct module_parent *parent)
{
	if (parent->arena)
		munmap(parent->arena, sizeof(*parent->arena));
	parent->arena = NULL;
}

static void leave_out(struct description *d, const void *start, uint64_t size)
{
	if (start && size)
		d->left_out[d->left_out_count++] =
			(struct range){ (void *)start, size };
}

static void advise(const struct description *d, int advice)
{
	uint32_t i;

	for (i = 0; i < d->left_out_count; i++)
		raw_syscall(SYS_madvise, d->left_out[i].start, d->left_out[i].size,
			    advice);
}

/* With the other threads stopped: no libc that takes a lock. Returns 0 or -errno. */
static int describe(struct shadow_arena *arena, const struct restore_plan *own_plan,
		    struct description *d)
{
	int err = arena->has_files ? describe_files(arena, &d->files) : 0;

	if (!err)
		err = describe_beside_memory(arena, &d->files, &d->header, &d->size);
	leave_out(d, arena->others.threads, arena->others.mapping_size);
	leave_out(d, d->files.map, d->files.map_size);
	leave_out(d, d->header, d->size);
	if (own_plan)
		leave_out(d, (void *)own_plan->restorer,
			  own_plan->area_size ?: RESTORER_KEPT_SIZE);
	if (!err && !d->header)
		err = -ENOMEM;
	return err;
}

static void discard(struct description *d)
{
	described_files_free(&d->files);
	if (d->header && d->size)
		raw_syscall(SYS_munmap, d->header, d->size);
}

/* Whether this is a child, which has neither the device nor what was left out. */
static bool is_child(const struct module_parent *parent)
{
	return !*(struct shadow_arena *const volatile *)&parent->arena;
}

/* DESCRIPTOR_TOLD: in a child, *told is what it is told. */
static long call_module(int device, const struct mitosis_described *request,
			struct registry_child *told)
{
	register uint64_t rdi __asm__("rdi") = device;
	register uint64_t rsi __asm__("rsi") = MITOSIS_IOC_PREPARE_DESCRIBED;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result), "+r"(rdi), "+r"(rsi)
			 : "a"(SYS_ioctl), "d"(request)
			 : "rcx", "r11", "memory");
	*told = (struct registry_child){ rdi, rsi };
	return result;
}

/*
 * The signals of this process wait until the snapshot is taken: no handler runs, in the parent
 * or in a child, before the threads go on. *described is -errno of the description.
 */
static int prepare_described(struct module_parent *parent, int device,
			     struct mitosis_described *request,
			     struct registry_child *child, int *described)
{
	struct shadow_arena *arena = parent->arena;
	struct registry_child told;
	struct description d = { 0 };
	const uint64_t all = ~0ull;
	uint64_t before;
	long result = 0;

	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));
	before &= ~arena->others.held;
	*described = describe(arena, parent->own_plan, &d);
	if (!*described) {
		request->description = (uintptr_t)d.header;
		request->size = d.header->total_size;
		advise(&d, MADV_DONTFORK);
		result = call_module(device, request, &told);
		if (!result && is_child(parent)) {
			*child = told;
			raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, 0,
				    sizeof(before));
			return 0;
		}
		advise(&d, MADV_DOFORK);
	}
	if (arena->others.threads)
		thread_stop_release();
	discard(&d);
	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof(before));
	return result;
}

/* Without a description. */
static int prepare_bare(int device, const struct mitosis_described *request)
{
	return raw_syscall(SYS_ioctl, device,
			   request->flags ? MITOSIS_PREPARE_PINNED : MITOSIS_PREPARE,
			   request->handler_id);
}

static int describe_failed(const struct shadow_arena *arena, int err)
{
	if (arena->refusal.cause == REFUSED_SERVED)
		return fail(err,
			    "the memory at %llx is served by a userfaultfd of this "
			    "process, and children would read zeros; close it, or "
			    "unregister the memory",
			    (unsigned long long)arena->refusal.size);
	return fail(err, "what this process has open cannot be described: %s",
		    strerror(-err));
}

int module_prepare(struct module_parent *parent, int device, uint32_t handler_id,
		   uint32_t flags, const struct prepare_settings *settings,
		   bool tells, struct registry_child *child, int *refused)
{
	struct mitosis_described request = {
		.handler_id = handler_id,
		.flags = flags & MITOSIS_SNAPSHOT_PINNED,
	};
	struct own_file own[OWN_FILES_MAX];
	struct shadow_arena *arena;
	bool has_files, has_threads;
	int described, err;
	uint32_t own_count;

	*refused = 0;
	if (settings->file_digest)
		return fail(-EOPNOTSUPP,
			    "the kernel module records no digests of files; unset "
			    "MITOSIS_FILE_DIGEST, or prepare on the user backend");
	/* A filter might end the process for a call: and nothing becomes its child. */
	if (prctl(PR_GET_SECCOMP) > 0)
		return *refused = prepare_bare(device, &request);
	own_count = own_files_list(own);
	has_files = own_files_others(own_count);
	has_threads = thread_stop_is_needed();
	err = create_arena(parent);
	if (err)
		return err;
	arena = parent->arena;
	arena->descriptor_flags = DESCRIPTOR_TOLD;
	arena->process = 0;
	arena->refusal.cause = REFUSED_NOTHING;
	arena->fresh = fresh_signals_of_caller();
	arena->others = (struct stopped_threads){ 0 };
	arena->settings = *settings;
	arena->has_files = has_files;
	arena->own_file_count = own_count;
	memcpy(arena->own_files, own, sizeof(own));
	arena->thread = (struct descriptor_thread){ .tid = gettid() };
	if (has_threads)
		err = snapshot_stop_threads(arena);
	if (err)
		return err;
	*refused = prepare_described(parent, device, &request, child, &described);
	/* A module that takes no description: for a process that can do without. */
	if (*refused == -ENOTTY && !has_files && !has_threads && !parent->own_plan &&
	    !tells)
		*refused = prepare_bare(device, &request);
	return described ? describe_failed(arena, described) : *refused;
}

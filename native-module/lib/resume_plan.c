// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/resume_plan.h"

#include <cpuid.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/child_credentials.h"
#include "lib/child_files.h"
#include "lib/error.h"
#include "lib/fetch_descriptor.h"
#include "lib/kernel_vmas.h"
#include "lib/mapping_files.h"
#include "lib/memory_limits.h"
#include "lib/process_state.h"
#include "lib/restorer_area.h"
#include "lib/shared_objects.h"
#include "lib/signal_actions.h"
#include "lib/thread_state.h"
#include "local/clock.h"
#include "paging/trace.h"
#include "proto/cpu_features.h"
#include "uapi/mitosis.h"

/* State while a plan is made. */
struct resume {
	const char *what; /* for error messages */
	const struct resume_settings *settings;
	int opened; /* by the kernel module, or -1 */
	struct descriptor_header *descriptor;
	uint64_t descriptor_size;
	uint64_t descriptor_ns; /* when it was there */
	struct mapping_files files;
	uint64_t page_size;
};

static uint64_t round_up(uint64_t size, uint64_t unit)
{
	return (size + unit - 1) & ~(unit - 1);
}

/* Size of an xstate with these features on this CPU; 0: the CPU lacks one. */
static uint32_t xstate_size(uint64_t features)
{
	uint32_t eax, ebx, ecx, edx, size = XSTATE_SIZE_MIN;
	unsigned int i;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE))
		return 0;
	if (features & ~cpu_features_xcr0())
		return 0;
	for (i = 2; i < 8; i++)
		if (features & (1ull << i) &&
		    __get_cpuid_count(0xd, i, &eax, &ebx, &ecx, &edx) &&
		    eax + ebx > size)
			size = eax + ebx;
	return size;
}

static void plan_layout(const struct descriptor_layout *l,
			struct prctl_mm_map *layout)
{
	*layout = (struct prctl_mm_map){
		.start_code = l->start_code,
		.end_code = l->end_code,
		.start_data = l->start_data,
		.end_data = l->end_data,
		.start_brk = l->start_brk,
		.brk = l->brk,
		.start_stack = l->start_stack,
		.arg_start = l->arg_start,
		.arg_end = l->arg_end,
		.env_start = l->env_start,
		.env_end = l->env_end,
		.exe_fd = -1,
	};
}

/* Faults of several threads are of several places, of which each needs little. */
static uint32_t window_of(const struct mitosis_resume_options *options,
			  const struct restore_plan *plan)
{
	if (options->prefetch_pages)
		return options->prefetch_pages;
	return plan->has_threads ? MITOSIS_PREFETCH_PAGES_THREADS
				 : MITOSIS_PREFETCH_PAGES_DEFAULT;
}

static void plan_pages(const struct mitosis_resume_options *options,
		       struct restore_plan *plan)
{
	plan->eager = options->mode == MITOSIS_RESUME_EAGER;
	plan->page_request = (struct shadow_request){
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = SHADOW_PAGE,
		.flags = (plan->eager ? SHADOW_PAGE_EAGER : 0) |
			 (options->mode == MITOSIS_RESUME_CACHED ? SHADOW_PAGE_CACHED
								 : 0),
		.window = window_of(options, plan),
	};
}

/* Of system calls, which the restorer sets; NULL: none. */
static const struct sock_fprog *filter_of(const struct resume *r)
{
	return r->settings->confinement.confine &&
			       descriptor_has_threads(r->descriptor)
		       ? r->settings->thread_confinement.filter
		       : NULL;
}

/* Bytes from the start of the restorer area, and of what lies there. */
struct area {
	uint64_t filter_at, filter_size;
	uint64_t files_at, files_size;
	uint64_t open_at, open_size;
	uint64_t park_at, park_size;
	uint64_t size;
};

static struct area area_of(const struct resume *r, const struct restore_plan *draft)
{
	const struct sock_fprog *filter = filter_of(r);
	struct area a = {
		.filter_at = RESTORER_KEPT_SIZE + round_up(r->descriptor_size, 16),
		.filter_size = filter ? filter->len * sizeof(*filter->filter) : 0,
		.files_size = r->descriptor->vma_count * sizeof(*r->files.of_vma),
		.open_size = shared_objects_room(r->descriptor, r->files.count),
	};

	a.files_at = a.filter_at + a.filter_size;
	a.open_at = a.files_at + a.files_size;
	a.park_at = round_up(a.open_at + a.open_size, r->page_size);
	if (r->opened < 0)
		a.park_size = kernel_vmas_park_size(r->descriptor, draft);
	a.size = a.park_at + a.park_size;
	return a;
}

/* What this machine must have in common with the parent's, and this process's files. */
static int draft_plan(const struct resume *r, struct restore_plan *draft)
{
	int err = kernel_vmas_plan(r->descriptor, draft);

	if (err == -EPERM)
		return err;
	if (err)
		return fail(err,
			    "%s was made under another kernel: its vdso differs "
			    "from this machine's; run the same kernel on both",
			    r->what);
	if (r->descriptor->xstate_size &&
	    r->descriptor->xstate_size != xstate_size(r->descriptor->xfeatures))
		return fail(-EPROTO,
			    "the parent of %s has CPU registers that this machine's "
			    "CPU lacks, or saves in another layout; prepare it on a "
			    "CPU like this one",
			    r->what);
	return child_files_list(draft);
}

/* Maps the restorer area, with all in it but the plan. */
static int fill_area(const struct resume *r, const struct area *a, char **restorer)
{
	const struct sock_fprog *filter = filter_of(r);
	char *at;

	if (__stop_restorer - __start_restorer > (long)RESTORER_CODE_SIZE)
		return fail(-ENOSPC,
			    "the restorer of this build has %td bytes of code, and "
			    "there is room for %u; build it with -O2",
			    __stop_restorer - __start_restorer, RESTORER_CODE_SIZE);
	at = restorer_area_map(r->descriptor, a->size);
	if (!at && errno == EACCES)
		return fail(
			-EACCES,
			"this process may not make memory executable (PR_SET_MDWE, "
			"MemoryDenyWriteExecute of systemd), as what becomes a "
			"child of %s must; allow it, or use mode clone",
			r->what);
	if (!at)
		return fail(-ENOMEM,
			    "no room for %llu bytes beside the memory of %s",
			    (unsigned long long)a->size, r->what);
	memcpy(at, __start_restorer, __stop_restorer - __start_restorer);
	memcpy(at + RESTORER_KEPT_SIZE, r->descriptor, r->descriptor_size);
	if (filter)
		memcpy(at + a->filter_at, filter->filter, a->filter_size);
	memcpy(at + a->files_at, r->files.of_vma, a->files_size);
	memcpy(at + a->open_at, r->files.opened, a->open_size);
	*restorer = at;
	return 0;
}

/* Lays the restorer area out, and the plan in it. */
static int lay_out(const struct resume *r, struct restore_plan **made)
{
	const struct sock_fprog *filter = filter_of(r);
	struct restore_plan draft = { 0 };
	struct restore_plan *plan;
	struct area a;
	char *restorer = NULL;
	int err = draft_plan(r, &draft);

	if (err)
		return err;
	a = area_of(r, &draft);
	err = fill_area(r, &a, &restorer);
	if (err)
		return err;
	plan = (struct restore_plan *)(restorer + RESTORER_CODE_SIZE);
	*plan = draft;
	plan->magic = RESTORE_PLAN_MAGIC;
	plan->opened = r->opened;
	plan->maker_fds = -1;
	plan->restorer = (uintptr_t)restorer;
	plan->restorer_size = a.size;
	plan->descriptor = (void *)(restorer + RESTORER_KEPT_SIZE);
	plan->vmas = descriptor_vmas(plan->descriptor);
	/* What descriptor_string() adds to; the restorer cannot call it. */
	plan->strings = (const char *)(descriptor_fds(plan->descriptor) +
				       plan->descriptor->fd_count);
	plan->files = (void *)(restorer + a.files_at);
	plan->open_files = (void *)(restorer + a.open_at);
	plan->open_file_count = r->files.count;
	plan->signals = signal_actions_to_set(r->descriptor, r->settings->signals);
	plan->thread = *descriptor_thread(r->descriptor);
	plan->times.descriptor_ns = r->descriptor_ns;
	plan->has_threads = descriptor_has_threads(r->descriptor);
	plan->awaited_threads = descriptor_awaited_threads(r->descriptor);
	plan->filter = (void *)(restorer + a.filter_at);
	plan->filter_length = filter ? filter->len : 0;
	plan->park = a.park_size ? (uintptr_t)restorer + a.park_at : 0;
	restorer_area_plan_gaps(plan);
	plan_layout(&r->descriptor->layout, &plan->layout);
	plan_pages(&r->settings->options, plan);
	plan->confinement = r->settings->confinement;
	plan->thread_confinement = r->settings->thread_confinement;
	plan->files_policy = r->settings->files;
	plan->own = r->settings->own;
	memcpy(plan->host_name, r->settings->host_name, sizeof(plan->host_name));
	plan->paths = r->settings->paths;
	*made = plan;
	return 0;
}

static void close_files(const int32_t *files, uint32_t count)
{
	while (count--)
		if (files[count] >= 0)
			close(files[count]);
}

void resume_plan_trace(const struct restore_plan *plan, const char *step,
		       const char *what)
{
	struct trace trace;

	trace_open_by_environment(&trace, "child", 0);
	trace(&trace, TRACE_STEPS, step,
	      TRACE_NUMBER("vmas", plan->descriptor->vma_count),
	      TRACE_NUMBER("files", plan->open_file_count),
	      TRACE_NUMBER("window", plan->page_request.window),
	      TRACE_TEXT("of", what));
	trace_close(&trace);
}

/* Of a descriptor, which it frees; `parent` may be NULL. */
static int create_plan(struct resume *r, const struct parent_rights *parent,
		       struct restore_plan **plan)
{
	const struct resume_settings *settings = r->settings;
	const char *what = r->what;
	struct memory_need need = { 0 };
	int err;

	err = child_credentials_check(r->descriptor, parent, what);
	if (!err)
		memory_need_of(r->descriptor, r->descriptor_size, &need);
	if (!err && (r->descriptor->flags & DESCRIPTOR_THREADS_MISSING))
		err = fail(
			-EINVAL,
			"%s comes from a process with several threads, which was "
			"prepared by the bare ioctl; prepare it by libmitosis, or "
			"while it has only one thread",
			what);
	if (!err && (settings->own || *settings->host_name) &&
	    !descriptor_has_threads(r->descriptor))
		err = fail(
			-EINVAL,
			"%s has one thread: its children stay in their caller's "
			"namespaces; put the caller into others, by unshare(1) say",
			what);
	if (!err)
		err = memory_limits_check(&need, what);
	if (!err)
		err = mapping_files_open(&r->files, r->descriptor,
					 &settings->confinement, r->opened >= 0,
					 what);
	if (!err)
		err = lay_out(r, plan);
	if (!err) {
		(*plan)->need = need;
		process_state_plan(*plan);
		if (r->files.copied)
			(*plan)->lost |= RESTORE_LOST_SHARED_FILES;
		resume_plan_trace(*plan, "is ready to resume", what);
	} else {
		close_files(r->files.opened, r->files.count);
	}
	mapping_files_free(&r->files);
	free(r->descriptor);
	return err;
}

int resume_plan_create(int stream, const struct resume_settings *settings,
		       const struct parent_rights *parent, const char *what,
		       struct restore_plan **plan)
{
	struct resume r = {
		.what = what,
		.settings = settings,
		.opened = -1,
		.page_size = sysconf(_SC_PAGESIZE),
	};
	int err = fetch_descriptor(stream, what, &r.descriptor, &r.descriptor_size);

	*plan = NULL;
	r.descriptor_ns = monotonic_ns();
	return err ? err : create_plan(&r, parent, plan);
}

int resume_plan_create_opened(int opened, struct descriptor_header *descriptor,
			      uint64_t descriptor_ns,
			      const struct resume_settings *settings,
			      const char *what, struct restore_plan **plan)
{
	struct resume r = {
		.what = what,
		.settings = settings,
		.opened = opened,
		.descriptor = descriptor,
		.descriptor_size = descriptor->total_size,
		.descriptor_ns = descriptor_ns,
		.page_size = sysconf(_SC_PAGESIZE),
	};

	return create_plan(&r, NULL, plan);
}

void resume_plan_destroy(struct restore_plan *plan)
{
	close_files(plan->open_files, plan->open_file_count);
	munmap((void *)plan->restorer, plan->restorer_size);
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/resume.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/child_credentials.h"
#include "lib/child_files.h"
#include "lib/child_namespace.h"
#include "lib/confinement.h"
#include "lib/describe.h"
#include "lib/error.h"
#include "lib/fetch_descriptor.h"
#include "lib/kernel_vmas.h"
#include "lib/mapping_files.h"
#include "lib/memory_limits.h"
#include "lib/page_link.h"
#include "lib/process_state.h"
#include "lib/remake_files.h"
#include "lib/restore.h"
#include "lib/restorer_area.h"
#include "lib/rseq.h"
#include "lib/shared_objects.h"
#include "lib/signal_actions.h"
#include "lib/thread_state.h"
#include "local/channel.h"
#include "local/clock.h"
#include "paging/trace.h"
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

static int check_single_threaded(void)
{
	struct stat st;

	/* Changes nothing, and fails in a process with several threads. */
	if (!unshare(CLONE_THREAD))
		return 0;
	if (stat("/proc/self/task", &st))
		return fail(-errno, "/proc is needed to resume: %s",
			    strerror(errno));
	if (st.st_nlink > 3)
		return fail(-EINVAL,
			    "a process with %d threads cannot become a "
			    "child; resume from a process with one thread, such "
			    "as mitosis-child",
			    (int)st.st_nlink - 2);
	return 0;
}

/* Size of an xstate with these features on this CPU; 0: the CPU lacks one. */
static uint32_t xstate_size(uint64_t features)
{
	uint32_t eax, ebx, ecx, edx, size = XSTATE_SIZE_MIN;
	unsigned int i;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE))
		return 0;
	__asm__("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
	if (features & ~(((uint64_t)edx << 32) | eax))
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

/* Lays the restorer area out. Returns the plan in it, or NULL with a message. */
static struct restore_plan *lay_out(struct resume *r, int *err)
{
	uint64_t files_size = r->descriptor->vma_count * sizeof(*r->files.of_vma);
	uint64_t open_size = shared_objects_room(r->descriptor, r->files.count);
	uint64_t descriptor_at = RESTORER_KEPT_SIZE;
	uint64_t filter_at, files_at, open_at, park_at, room, size;
	const struct sock_fprog *filter = filter_of(r);
	struct restore_plan draft = { 0 };
	struct restore_plan *plan;
	char *restorer;

	*err = kernel_vmas_plan(r->descriptor, &draft);
	if (*err == -EPERM)
		return NULL;
	if (*err) {
		fail(*err,
		     "%s was made under another kernel: its vdso differs "
		     "from this machine's; run the same kernel on both",
		     r->what);
		return NULL;
	}
	if (r->descriptor->xstate_size &&
	    r->descriptor->xstate_size != xstate_size(r->descriptor->xfeatures)) {
		*err = fail(-EPROTO,
			    "the parent of %s has CPU registers that this machine's "
			    "CPU lacks, or saves in another layout; prepare it on a "
			    "CPU like this one",
			    r->what);
		return NULL;
	}
	*err = child_files_list(&draft);
	if (*err)
		return NULL;
	filter_at = descriptor_at + round_up(r->descriptor_size, 16);
	files_at = filter_at + (filter ? filter->len * sizeof(*filter->filter) : 0);
	open_at = files_at + files_size;
	park_at = round_up(open_at + open_size, r->page_size);
	room = r->opened < 0 ? kernel_vmas_park_size(r->descriptor, &draft) : 0;
	size = park_at + room;
	if (__stop_restorer - __start_restorer > (long)RESTORER_CODE_SIZE) {
		*err = fail(-ENOSPC,
			    "the restorer of this build has %td bytes of code, and "
			    "there is room for %u; build it with -O2",
			    __stop_restorer - __start_restorer, RESTORER_CODE_SIZE);
		return NULL;
	}
	restorer = restorer_area_map(r->descriptor, size);
	if (!restorer && errno == EACCES) {
		*err = fail(
			-EACCES,
			"this process may not make memory executable (PR_SET_MDWE, "
			"MemoryDenyWriteExecute of systemd), as what becomes a "
			"child of %s must; allow it, or use mode clone",
			r->what);
		return NULL;
	}
	if (!restorer) {
		*err = fail(-ENOMEM,
			    "no room for %llu bytes beside the memory of %s",
			    (unsigned long long)size, r->what);
		return NULL;
	}
	memcpy(restorer, __start_restorer, __stop_restorer - __start_restorer);
	memcpy(restorer + descriptor_at, r->descriptor, r->descriptor_size);
	if (filter)
		memcpy(restorer + filter_at, filter->filter,
		       filter->len * sizeof(*filter->filter));
	memcpy(restorer + files_at, r->files.of_vma, files_size);
	memcpy(restorer + open_at, r->files.opened, open_size);

	plan = (struct restore_plan *)(restorer + RESTORER_CODE_SIZE);
	*plan = draft;
	plan->magic = RESTORE_PLAN_MAGIC;
	plan->opened = r->opened;
	plan->maker_fds = -1;
	plan->restorer = (uintptr_t)restorer;
	plan->restorer_size = size;
	plan->descriptor = (void *)(restorer + descriptor_at);
	plan->vmas = descriptor_vmas(plan->descriptor);
	/* What descriptor_string() adds to; the restorer cannot call it. */
	plan->strings = (const char *)(descriptor_fds(plan->descriptor) +
				       plan->descriptor->fd_count);
	plan->files = (void *)(restorer + files_at);
	plan->open_files = (void *)(restorer + open_at);
	plan->open_file_count = r->files.count;
	plan->signals = signal_actions_to_set(r->descriptor, r->settings->signals);
	plan->thread = *descriptor_thread(r->descriptor);
	plan->times.descriptor_ns = r->descriptor_ns;
	plan->has_threads = descriptor_has_threads(r->descriptor);
	plan->awaited_threads = descriptor_awaited_threads(r->descriptor);
	plan->filter = (void *)(restorer + filter_at);
	plan->filter_length = filter ? filter->len : 0;
	plan->park = room ? (uintptr_t)restorer + park_at : 0;
	restorer_area_plan_gaps(plan);
	plan_layout(&r->descriptor->layout, &plan->layout);
	plan_pages(&r->settings->options, plan);
	plan->confinement = r->settings->confinement;
	plan->thread_confinement = r->settings->thread_confinement;
	plan->files_policy = r->settings->files;
	plan->own = r->settings->own;
	memcpy(plan->host_name, r->settings->host_name, sizeof(plan->host_name));
	plan->paths = r->settings->paths;
	return plan;
}

static void close_files(const int32_t *files, uint32_t count)
{
	while (count--)
		if (files[count] >= 0)
			close(files[count]);
}

/* The file is closed at once: what becomes a child must not keep it open. */
static void trace_step(const struct restore_plan *plan, const char *step,
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
		*plan = lay_out(r, &err);
	if (!err) {
		(*plan)->need = need;
		process_state_plan(*plan);
		if (r->files.copied)
			(*plan)->lost |= RESTORE_LOST_SHARED_FILES;
		trace_step(*plan, "is ready to resume", what);
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

void resume_plan_destroy(struct restore_plan *plan)
{
	close_files(plan->open_files, plan->open_file_count);
	munmap((void *)plan->restorer, plan->restorer_size);
}

/* Jumps to the restorer. The stack and code of the caller will be unmapped. */
static void __attribute__((noreturn)) leap(struct restore_plan *plan)
{
	char *restorer = (char *)plan->restorer;
	void *code = restorer + ((const char *)restore - __start_restorer);
	void *stack = restorer + RESTORER_KEPT_SIZE;

	__asm__ volatile("mov %[stack], %%rsp\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call *%[code]"
			 :
			 : [stack] "r"(stack), [code] "r"(code), "D"(plan)
			 : "memory");
	__builtin_unreachable();
}

/* What the kernel module needs nothing of. */
static int link_to_pages(struct restore_plan *plan, int stream, const char *what)
{
	/* The children of a replica make their shared objects themselves. */
	int err = plan->becomes_replica ? 0
					: shared_objects_create(plan, stream, what);

	if (err)
		return err;
	plan->uffd = page_link_open_uffd();
	return plan->uffd < 0 ? plan->uffd
			      : page_link_open_lifeline(plan->lifeline, what);
}

/* This process becomes the child. Returns only -errno, with a message. */
static int become_child(struct restore_plan *plan, int stream, const char *what)
{
	int err = check_single_threaded();
	struct remade_files files = { 0 };
	sigset_t all;

	plan->times.born_ns = monotonic_ns();
	plan->uffd = plan->lifeline[0] = plan->lifeline[1] = -1;
	/* Again: this process may have been forked by the one that made the plan. */
	if (!err)
		err = memory_limits_check(&plan->need, what);
	if (!err && plan->opened < 0)
		err = link_to_pages(plan, stream, what);
	/*
	 * No deadline: copying a large memory may take long. daemon/watchdog.c
	 * monitors the process that copies, and its end ends the wait.
	 */
	if (!err && plan->eager && plan->opened < 0)
		err = channel_set_deadline(stream, 0);
	if (!err && !plan->becomes_replica)
		err = remake_files_check(plan, what);
	/*
	 * Here: the userfaultfd needed CAP_SYS_PTRACE; the parent's priorities are given,
	 * and its files opened, with the child's rights.
	 */
	if (!err)
		err = child_credentials_limit(plan->descriptor, plan, what);
	if (!err)
		process_state_give(plan);
	if (!err)
		err = child_credentials_hide(plan->descriptor, what);
	if (!err && !plan->becomes_replica)
		err = remake_files(plan, &stream, what, &files);
	if (!err)
		err = confine(plan, what);
	if (err) {
		remade_files_discard(&files);
		close_files((int32_t[]){ plan->uffd, plan->lifeline[0],
					 plan->lifeline[1], stream },
			    4);
		shared_objects_close(plan);
		return err;
	}
	plan->confinement = (struct mitosis_confinement){ 0 };
	plan->thread_confinement = (struct mitosis_thread_confinement){ 0 };
	plan->paths = NULL;
	process_state_settle(plan);
	plan->stream = stream;
	plan->stderr_fd = fcntl(STDERR_FILENO, F_GETFD) < 0 ? -1 : STDERR_FILENO;
	plan->page_request.cpu = sched_getcpu();
	child_files_plan(plan, files.count ? files.floor : DESCRIPTOR_FD_FIRST);
	trace_step(plan, "leaves its memory for the snapshot's", what);
	remade_files_place(plan, &files);
	process_state_limit(plan);
	plan->times.files_ns = monotonic_ns();
	rseq_of_caller(&plan->own_rseq, &plan->own_rseq_size,
		       &plan->own_rseq_signature);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	leap(plan);
}

struct namespace_argument {
	struct restore_plan *plan;
	int stream;
	const char *what;
};

static int become_child_in_namespace(void *argument)
{
	const struct namespace_argument *a = argument;

	return become_child(a->plan, a->stream, a->what);
}

static void tell_number(struct restore_plan *plan, struct registry_child child)
{
	if (!descriptor_takes_told(plan->descriptor))
		return;
	plan->thread.rdi = child.number;
	plan->thread.rsi = child.machine_id;
}

/* A system call, which is how parents of the kernel module prepare, preserves the rest. */
static void tell(struct restore_plan *plan, struct registry_child child)
{
	if (plan->descriptor->xstate_size)
		tell_number(plan, child);
	else
		thread_tell(&plan->thread, child.number, child.machine_id,
			    &plan->times);
}

static int check_confined_threads(const struct child_surroundings *own)
{
	if (!own->confinement)
		return 0;
	if (!own->confinement->confine)
		return fail(-EOPNOTSUPP,
			    "%s has threads, and its caller does not say how such a "
			    "child is confined (mitosis_set_thread_confinement)",
			    own->what);
	/* As init it would mount /proc itself, without the right to do it. */
	if (own->process == 1)
		return fail(-EOPNOTSUPP,
			    "%s has threads and comes from the first process of a "
			    "PID namespace: no child of it can be confined; use a "
			    "lean container, or prepare a process with another id",
			    own->what);
	return 0;
}

int resume_run(struct restore_plan *plan, int stream, struct registry *registry,
	       const char *what)
{
	struct namespace_argument a = { plan, stream, what };
	const struct child_surroundings own = {
		.process = plan->descriptor->process,
		.own = plan->own,
		.host_name = plan->host_name,
		.monotonic_ns = plan->descriptor->monotonic_ns,
		.boottime_ns = plan->descriptor->boottime_ns,
		.confinement =
			plan->confinement.confine ? &plan->thread_confinement : NULL,
		.what = what,
	};
	int err;

	if (registry)
		tell(plan, registry_count_child(registry));
	if (!plan->has_threads)
		return become_child(plan, stream, what);
	err = check_confined_threads(&own);
	if (!err)
		err = child_namespace_run(&own, become_child_in_namespace, &a);
	close(stream);
	return err;
}

int resume_from(int stream, const struct resume_settings *settings,
		const struct parent_rights *parent, struct registry *registry,
		const char *what)
{
	struct restore_plan *plan;
	/* Checked before the descriptor is fetched, which may be large. */
	int err = check_single_threaded();

	if (!err)
		err = resume_plan_create(stream, settings, parent, what, &plan);
	if (err) {
		close(stream);
		return err;
	}
	err = resume_run(plan, stream, registry, what);
	resume_plan_destroy(plan);
	return err;
}

/* 0 of a module that does not count them; -ENOEXEC if it would refuse the child. */
static int count_by_module(int opened, const char *what,
			   struct registry_child *child)
{
	struct mitosis_told told = { 0 };

	if (ioctl(opened, MITOSIS_IOC_COUNT, &told)) {
		told = (struct mitosis_told){ 0 };
		if (errno == ENOEXEC)
			return fail(-ENOEXEC,
				    "a file that %s executes lies on a file system "
				    "that is mounted noexec since prepare; the "
				    "kernel's log names it",
				    what);
	}
	*child = (struct registry_child){ told.number, told.machine_id };
	return 0;
}

int resume_by_module(int opened, struct descriptor_header *descriptor,
		     const struct resume_settings *settings, const char *what)
{
	struct resume r = {
		.what = what,
		.settings = settings,
		.opened = child_files_lift(opened),
		.descriptor = descriptor,
		.descriptor_size = descriptor->total_size,
		.descriptor_ns = monotonic_ns(),
		.page_size = sysconf(_SC_PAGESIZE),
	};
	struct restore_plan *plan = NULL;
	struct registry_child child = { 0 };
	int err = check_single_threaded();

	if (!err)
		err = count_by_module(r.opened, what, &child);
	if (err)
		free(descriptor);
	else
		err = create_plan(&r, NULL, &plan);
	if (!err) {
		tell_number(plan, child);
		err = resume_run(plan, -1, NULL, what);
		resume_plan_destroy(plan);
	}
	close(r.opened);
	return err;
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/resume.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/child_credentials.h"
#include "lib/child_files.h"
#include "lib/child_namespace.h"
#include "lib/confinement.h"
#include "lib/error.h"
#include "lib/memory_limits.h"
#include "lib/page_link.h"
#include "lib/process_state.h"
#include "lib/remake_files.h"
#include "lib/restore.h"
#include "lib/rseq.h"
#include "lib/shared_objects.h"
#include "lib/thread_state.h"
#include "local/channel.h"
#include "local/clock.h"
#include "uapi/mitosis.h"

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

static void close_links(const struct restore_plan *plan, int stream)
{
	const int files[] = { plan->uffd, plan->lifeline[0], plan->lifeline[1],
			      stream };
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (files[i] >= 0)
			close(files[i]);
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
		close_links(plan, stream);
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
	resume_plan_trace(plan, "leaves its memory for the snapshot's", what);
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
	const uint64_t descriptor_ns = monotonic_ns();
	struct restore_plan *plan = NULL;
	struct registry_child child = { 0 };
	int err;

	opened = child_files_lift(opened);
	err = check_single_threaded();
	if (!err)
		err = count_by_module(opened, what, &child);
	if (err)
		free(descriptor);
	else
		err = resume_plan_create_opened(opened, descriptor, descriptor_ns,
						settings, what, &plan);
	if (!err) {
		tell_number(plan, child);
		err = resume_run(plan, -1, NULL, what);
		resume_plan_destroy(plan);
	}
	close(opened);
	return err;
}

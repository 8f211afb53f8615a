// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows and replicas: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/clone.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>

#include "lib/child_files.h"
#include "lib/clone_area.h"
#include "lib/clone_late_files.h"
#include "lib/clone_more_files.h"
#include "lib/fresh_state.h"
#include "lib/mapped_file.h"
#include "lib/own_memory.h"
#include "lib/parent_path.h"
#include "lib/restorer.h"
#include "lib/rseq.h"
#include "lib/shared_copies.h"
#include "lib/shadow_process.h"
#include "lib/thread_state.h"
#include "local/protocol.h"
#include "paging/raw_syscall.h"
#include "paging/run_on.h"

/* The child leaves its stack when it goes on with the parent's. */
#define CLONE_STACK_SIZE (16u << 10)

/* Arguments of clone_main(), in memory that the child gets a copy of, and keeps: lib/clone_area.h. */
struct clone_arguments {
	struct restore_plan plan; /* of its threads; first: what it lacks */
	struct clone_request request;
	const struct descriptor_header *descriptor;
	struct rlimit files;	 /* RLIMIT_NOFILE of the parent */
	int lifeline;		 /* of the replica; -1: a shadow's child has none */
	struct told_files *told; /* of the replica, or its own */
	bool born_in_cgroup;	 /* into which it was to be forked */
	char stack[CLONE_STACK_SIZE] __attribute__((aligned(64)));
};

/* Where a passed file is, or, once it is placed, its number in the child; below 0: none. */
static int place_of(const struct clone_request *r, uint32_t i, bool placed)
{
	return placed || r->numbers[i] < 0 ? shadow_clone_number(r->numbers[i])
					   : r->passed[i];
}

/*
 * Closes all files but these two, -1 is none, and those that get a number in the child, or have it
 * if they are placed.
 */
static void keep_numbered_files(const struct clone_request *r, int lifeline,
				int more, bool placed)
{
	int64_t from = 0;

	while (from <= INT32_MAX) {
		int64_t kept = lifeline >= from ? lifeline : INT64_C(1) << 32;
		uint32_t i;

		if (more >= from && more < kept)
			kept = more;
		for (i = 0; i < r->count; i++) {
			int place = place_of(r, i, placed);

			if (place >= from && place < kept)
				kept = place;
		}
		if (kept > from)
			raw_syscall(SYS_close_range, from, kept - 1, 0);
		from = kept + 1;
	}
}

/* Where other children have theirs, if the limit lets it; -1 is none. Leaves the other open. */
static int lift_lifeline(int lifeline)
{
	long lifted = -1;

	if (lifeline >= 0 && lifeline < (int)CHILD_FILES_LIFTED)
		lifted = raw_syscall(SYS_fcntl, lifeline, F_DUPFD_CLOEXEC,
				     CHILD_FILES_LIFTED);
	return lifted < 0 ? lifeline : (int)lifted;
}

/* The same, and closes it where it was. */
static void raise_lifeline(int lifeline)
{
	if (lift_lifeline(lifeline) != lifeline)
		raw_syscall(SYS_close, lifeline);
}

/* Whether one of them, or the lifeline, is where another is to be. */
static bool in_the_way(const struct clone_request *r, int lifeline)
{
	uint32_t i, k;

	for (i = 0; i < r->count; i++) {
		int number = shadow_clone_number(r->numbers[i]);

		for (k = 0; number >= 0 && k < r->count; k++)
			if (number == lifeline ||
			    (k != i && r->numbers[k] >= 0 && r->passed[k] == number))
				return true;
	}
	return false;
}

/* Moves an open file to any free number, unless there is none. */
static long step_aside_to(int *fd, int number, int how)
{
	long moved = raw_syscall(SYS_fcntl, number, how, 0);

	if (moved < 0)
		return moved;
	*fd = (int)moved;
	return 0;
}

/* The same for one that is at another's number. */
static long step_aside(int *fd, int number)
{
	return *fd == number ? step_aside_to(fd, number, F_DUPFD_CLOEXEC) : 0;
}

/*
 * Gives the passed files their numbers, and closes all others. One that is in the way of another
 * goes to any free number: none above all of them need exist, as the limit may be low.
 */
static long arrange_files(struct clone_request *r, int lifeline,
			  struct clone_more_files *more_files)
{
	int more = clone_more_files_socket(r);
	uint32_t i, k;
	long err;

	if (more >= 0 || in_the_way(r, lifeline))
		keep_numbered_files(r, lifeline, more, false);
	for (i = 0; i < r->count; i++) {
		int number = shadow_clone_number(r->numbers[i]);
		bool on_exec = r->numbers[i] & SHADOW_CLONE_ON_EXEC;

		if (number < 0)
			continue;
		err = step_aside(&lifeline, number);
		if (!err)
			err = step_aside(&more, number);
		if (err)
			return err;
		for (k = i + 1; k < r->count; k++) {
			if (r->numbers[k] < 0 || r->passed[k] != number)
				continue;
			err = step_aside_to(&r->passed[k], number, F_DUPFD);
			if (err)
				return err;
		}
		if (r->passed[i] == number) {
			raw_syscall(SYS_fcntl, number, F_SETFD,
				    on_exec ? FD_CLOEXEC : 0);
			continue;
		}
		err = raw_syscall(SYS_dup3, r->passed[i], number,
				  on_exec ? O_CLOEXEC : 0);
		if (err < 0)
			return err;
		/* What else is open is closed at once, unless further files come. */
		if (more >= 0)
			raw_syscall(SYS_close, r->passed[i]);
		r->passed[i] = number;
	}
	if (more >= 0) {
		err = clone_more_files_take(more_files, more, &lifeline);
		if (!err)
			raise_lifeline(lifeline);
		return err;
	}
	keep_numbered_files(r, lift_lifeline(lifeline), -1, true);
	return 0;
}

/* Whether a child may have files with these numbers. */
static bool numbers_fit(const struct clone_request *r)
{
	struct rlimit limit;
	uint32_t i;

	if (raw_syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit))
		return true;
	for (i = 0; i < r->count; i++)
		if (r->numbers[i] >= 0 &&
		    (uint64_t)shadow_clone_number(r->numbers[i]) >= limit.rlim_cur)
			return false;
	return true;
}

/*
 * Opens the replica's lifeline anew: the kernel is to end this process, too, when the
 * pager ends, whose missing pages would read as zeros. Returns it, or -errno.
 */
static int open_lifeline(int of_replica)
{
	static const char directory[] = "/proc/self/fd/";
	char path[sizeof(directory) + 10], byte;
	char *end = path + sizeof(path) - 1;
	long fd, err;
	size_t i;

	*end = '\0';
	for (; of_replica; of_replica /= 10)
		*--end = '0' + of_replica % 10;
	for (i = sizeof(directory) - 1; i--;)
		*--end = directory[i];
	fd = raw_open(end, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return fd;
	err = raw_syscall(SYS_fcntl, fd, F_SETOWN, raw_syscall(SYS_getpid));
	if (!err)
		err = raw_syscall(SYS_fcntl, fd, F_SETSIG, SIGKILL);
	if (!err)
		err = raw_syscall(SYS_fcntl, fd, F_SETFL, O_ASYNC | O_NONBLOCK);
	/* It may have ended before. */
	if (!err && raw_syscall(SYS_read, fd, &byte, 1) != -EAGAIN)
		err = -EPIPE;
	return err ? err : fd;
}

/* Calls `enter` for every file that was passed for this purpose. */
static long enter_each(const struct clone_request *r, int32_t purpose,
		       long (*enter)(const struct clone_request *r, int fd))
{
	long err = 0;
	uint32_t i;

	for (i = 0; i < r->count && !err; i++)
		if (r->numbers[i] == purpose)
			err = enter(r, r->passed[i]);
	return err;
}

/* All but the PID namespace, which the child was forked into: clone_child(). */
static long enter_namespaces(const struct clone_request *r, int fd)
{
	uint32_t namespaces = r->namespaces & ~CLONE_NEWPID;

	return namespaces ? raw_syscall(SYS_setns, fd, namespaces) : 0;
}

static long enter_cgroup(const struct clone_request *r, int fd)
{
	long written = raw_syscall(SYS_write, fd, "0", 1);

	(void)r;
	return written < 0 ? written : 0;
}

static long enter_root(const struct clone_request *r, int fd)
{
	long err = raw_syscall(SYS_fchdir, fd);

	(void)r;
	return err ? err : raw_syscall(SYS_chroot, ".");
}

/* Where the parent was, below the root that the child has now; without it, it stays there. */
static bool enter_working_directory(const struct descriptor_header *d)
{
	const struct descriptor_process *p = &d->state;

	return p->known & PROCESS_WORKING_DIRECTORY &&
	       parent_path_enter(descriptor_string(d, p->working_directory));
}

/* The first file that was passed for this purpose, or -1. */
static int passed_for(const struct clone_request *r, int32_t purpose)
{
	uint32_t i;

	for (i = 0; i < r->count; i++)
		if (r->numbers[i] == purpose)
			return r->passed[i];
	return -1;
}

/* The child: says on its caller's standard error what could not be done, if that was passed, and ends. */
static void require(const struct clone_arguments *o, const char *deed, long err)
{
	struct failure failure = { .in_clone = true, .deed = deed, .error = err };
	int to = passed_for(&o->request, STDERR_FILENO);

	if (!err)
		return;
	/* What the shadow has there is not the caller's. */
	if (to < 0)
		raw_syscall(SYS_close, STDERR_FILENO);
	else if (to != STDERR_FILENO)
		raw_syscall(SYS_dup3, to, STDERR_FILENO, 0);
	restorer_give_up(&failure);
}

static void enter_container(struct clone_arguments *o)
{
	const struct clone_request *r = &o->request;

	require(o, "enter its namespaces",
		enter_each(r, SHADOW_CLONE_NAMESPACES, enter_namespaces));
	if (!o->born_in_cgroup)
		require(o, "enter its control group",
			enter_each(r, SHADOW_CLONE_CGROUP, enter_cgroup));
	require(o, "enter its root directory",
		enter_each(r, SHADOW_CLONE_ROOT, enter_root));
	if ((passed_for(r, SHADOW_CLONE_ROOT) >= 0 || r->namespaces & CLONE_NEWNS) &&
	    !enter_working_directory(o->descriptor))
		o->plan.lost |= PROCESS_WORKING_DIRECTORY;
	if (passed_for(r, SHADOW_CLONE_ROOT) >= 0 &&
	    !mapped_files_leave_foreign(o->descriptor, passed_for(r, STDERR_FILENO)))
		require(o,
			"copy mappings of files that are not below its root "
			"directory",
			-ENOMEM);
}

/* Undoes what the shadow changed in the memory and the thread of the parent. */
static void undo_shadow(const struct descriptor_header *d)
{
	const struct descriptor_thread *t = descriptor_thread(d);

	raw_syscall(SYS_prctl, PR_SET_NAME, d->name, 0, 0, 0);
	own_memory_restore_protection(d);
	if (t->robust_list)
		raw_syscall(SYS_set_robust_list, t->robust_list,
			    t->robust_list_size);
}

/*
 * Refused only by a filter of system calls that has kept the shadow from unregistering, too: it is
 * inherited then.
 */
static void register_rseq(const struct descriptor_thread *t)
{
	if (t->rseq_address)
		rseq_register(t);
}

/* The shadow is a fork of the thread that prepared; that may become another one now. */
static void __attribute__((noreturn)) go_on_with_threads(struct clone_arguments *o)
{
	const struct descriptor_header *d = o->descriptor;
	struct restore_plan *plan = &o->plan;

	plan->descriptor = d;
	plan->has_threads = true;
	plan->awaited_threads = descriptor_awaited_threads(d);
	restorer_go_on_with_threads(plan);
}

/* The child. It goes on as if prepare had just returned 0. */
static void __attribute__((noreturn, used)) clone_main(struct clone_arguments *o)
{
	struct clone_more_files more = { 0 };
	int lifeline = o->lifeline;

	/* It ends with the shadow or the pager, which reports its exit status. */
	raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (lifeline >= 0)
		lifeline = open_lifeline(lifeline);
	if (o->lifeline >= 0)
		require(o, "watch its replica", lifeline < 0 ? lifeline : 0);
	enter_container(o);
	require(o, "make its shared memory", shared_copies_share(o->descriptor));
	require(o, "place its open files",
		arrange_files(&o->request, lifeline, &more));
	require(o, "open files of its own /proc or fill its epolls",
		clone_late_files(&o->request, &more, o->descriptor, o->told));
	clone_more_files_forget(&more);
	raw_syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &o->files, 0);
	undo_shadow(o->descriptor);
	if (o->request.cpus)
		run_on_first(o->request.cpus);
	else
		run_on(o->request.cpu);
	if (descriptor_has_threads(o->descriptor))
		go_on_with_threads(o);
	register_rseq(&o->plan.thread);
	thread_go_on(&o->plan.thread);
}

/* Makes later clones start in the PID namespace of a process. */
static long enter_pid_ns(int pidfd)
{
	return raw_syscall(SYS_setns, pidfd, CLONE_NEWPID);
}

/* The pidfd of the process whose PID namespace a clone joins, or -1. */
static int pid_ns_fd(const struct clone_request *r)
{
	return r->namespaces & CLONE_NEWPID ? passed_for(r, SHADOW_CLONE_NAMESPACES)
					    : -1;
}

/* The parent's open files that no caller can give back: it has not asked for them yet. */
static bool lacks_files(const struct descriptor_header *d,
			const struct clone_request *r)
{
	return d->fd_count && !(r->flags & SHADOW_CLONE_WITH_FILES);
}

/* With this process id, unless it is 0. Returns the child's or -errno. */
static long fork_clone(struct clone_arguments *o, uint64_t flags, int32_t id,
		       int *pidfd)
{
	char *stack_end = o->stack + sizeof(o->stack);
	void *tid = (void *)descriptor_thread(o->descriptor)->tid_address;
	int directory = passed_for(&o->request, SHADOW_CLONE_INTO);
	struct clone_args args = {
		.flags = flags,
		.pidfd = (uintptr_t)pidfd,
		.child_tid = (uintptr_t)tid,
		.set_tid = id ? (uintptr_t)&id : 0,
		.set_tid_size = id ? 1 : 0,
	};

	if (directory >= 0) {
		struct clone_args there = args;
		long pid;

		there.flags |= CLONE_INTO_CGROUP;
		there.cgroup = directory;
		o->born_in_cgroup = true;
		pid = shadow_process_fork_by(stack_end, (void (*)(void *))clone_main,
					     o, &there);
		/* A group's limit of processes holds: to enter it later would pass that by. */
		if (pid >= 0 || pid == -EAGAIN || pid == -ENOMEM)
			return pid;
		o->born_in_cgroup = false;
	}
	/* clone3(2) only where it is needed: filters of system calls may not know it. */
	return id ? shadow_process_fork_by(stack_end, (void (*)(void *))clone_main,
					   o, &args)
		  : shadow_process_fork(stack_end, (void (*)(void *))clone_main, o,
					flags, pidfd, tid);
}

/* What a child finds out of itself: mitosis_resume_report(). */
static void mark(struct clone_arguments *o, uint64_t page_size)
{
	struct restore_plan *plan = &o->plan;

	plan->magic = RESTORE_PLAN_MAGIC;
	plan->restorer = (uintptr_t)o;
	plan->restorer_size =
		RESTORER_KEPT_SIZE; /* there is nothing else to unmap */
	plan->area_size = (sizeof(*o) + page_size - 1) & ~(page_size - 1);
	plan->uffd = -1;
	plan->lost = fresh_state_lost_by_clones(o->descriptor);
}

int clone_child(struct page_source *source, const struct clone_request *request)
{
	const struct own_memory *own = (struct own_memory *)source;
	const struct descriptor_thread *t = descriptor_thread(source->descriptor);
	uint64_t flags = CLONE_PIDFD;
	int pid_ns = pid_ns_fd(request);
	struct clone_arguments *o;
	int pidfd = -1;
	long pid = 0;

	/* Its threads need their ids: the caller makes a namespace, and asks again. */
	if (descriptor_has_threads(source->descriptor) && pid_ns < 0)
		return -EDEADLK;
	if (lacks_files(source->descriptor, request))
		return -ENOTEMPTY;
	if (!numbers_fit(request))
		return -ERANGE;
	o = clone_area_map(sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->request = *request;
	o->descriptor = source->descriptor;
	o->files = own->files;
	o->plan.thread = *t;
	thread_tell(&o->plan.thread, request->number, request->machine_id, NULL);
	o->lifeline = own->is_replica ? own->lifeline : -1;
	o->told = own->told ? own->told : &o->plan.told;
	mark(o, own->page_size);
	if (own->is_replica)
		flags |= CLONE_PARENT;
	if (t->tid_address)
		flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
	if (pid_ns >= 0)
		pid = enter_pid_ns(pid_ns);
	if (!pid)
		pid = fork_clone(o, flags,
				 descriptor_has_threads(source->descriptor)
					 ? (int32_t)source->descriptor->process
					 : 0,
				 &pidfd);
	if (pid_ns >= 0)
		enter_pid_ns(own->self);
	raw_syscall(SYS_munmap, o, sizeof(*o));
	return pid < 0 ? pid : pidfd;
}

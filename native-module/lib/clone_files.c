// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/clone_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/child_credentials.h"
#include "lib/error.h"
#include "lib/fetch_descriptor.h"
#include "lib/remake_files.h"

/* The result of a call, from the process that makes the files. */
struct report {
	int32_t error; /* 0, or -errno */
	char message[512];
};

int clone_files_need(struct clone_files *files, int stream, const char *what)
{
	uint64_t size;

	files->needed = true;
	if (files->descriptor || files->parent.flags & RIGHTS_SECCOMP)
		return 0;
	return fetch_descriptor(stream, what, &files->descriptor, &size);
}

void clone_files_free(struct clone_files *files)
{
	free(files->descriptor);
	files->descriptor = NULL;
}

/* All but the PID namespace, which no path or socket depends on, and the control groups. */
static int enter_container(const struct clone_call *call)
{
	const struct passed_fds *passed = &call->passed;
	uint32_t namespaces = call->namespaces & ~CLONE_NEWPID, i;
	int err = 0;

	for (i = 0; i < passed->count && !err; i++)
		if (passed->numbers[i] == SHADOW_CLONE_NAMESPACES && namespaces &&
		    setns(passed->fds[i], (int)namespaces))
			err = -errno;
	for (i = 0; i < passed->count && !err; i++)
		if (passed->numbers[i] == SHADOW_CLONE_ROOT &&
		    (fchdir(passed->fds[i]) || chroot(".")))
			err = -errno;
	return err ? fail(err,
			  "the container of a child of %s cannot be entered: %s",
			  call->what, strerror(-err))
		   : 0;
}

static int compare(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return x < y ? -1 : x > y;
}

/* The numbers that stay the caller's. */
static void keep_passed(struct restore_plan *plan, const struct clone_call *call)
{
	const struct passed_fds *passed = &call->passed;
	uint32_t i;

	for (i = 0; i < passed->count && plan->kept_file_count < CHILD_FILES_MAX;
	     i++)
		if (passed->numbers[i] >= 0) {
			fcntl(passed->fds[i], F_SETFD, 0);
			plan->kept_files[plan->kept_file_count++] = passed->fds[i];
		}
	qsort(plan->kept_files, plan->kept_file_count, sizeof(plan->kept_files[0]),
	      compare);
}

/* What has no number in the child, out of the way of those that have. */
static int lift_others(const struct remade_files *made, struct clone_call *call,
		       int *report)
{
	int err = remade_files_lift(made, report);
	uint32_t i;

	for (i = 0; i < call->passed.count && !err; i++)
		if (call->passed.numbers[i] < 0)
			err = remade_files_lift(made, &call->passed.fds[i]);
	return err;
}

static int pass_made(const struct remade_files *made, struct clone_call *call)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < made->count && !err; i++) {
		const struct descriptor_fd *fd = &made->fds[i];
		int flags = fcntl((int)fd->number, F_GETFD);

		if (!made->placed[i] || flags < 0)
			continue;
		err = clone_call_pass(
			call, (int)fd->number,
			(int32_t)fd->number | SHADOW_CLONE_OF_PARENT |
				(flags & FD_CLOEXEC ? SHADOW_CLONE_ON_EXEC : 0));
	}
	return err;
}

/* The parent's numbers may be all that the caller's limit has. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int make_and_send(const struct clone_files *files, struct clone_call *call,
			 int *report)
{
	struct restore_plan *plan = calloc(1, sizeof(*plan));
	struct remade_files made;
	int err;

	if (!plan)
		return fail(-ENOMEM, "there is no memory for a child of %s",
			    call->what);
	plan->descriptor = files->descriptor;
	plan->uffd = plan->opened = plan->lifeline[0] = plan->lifeline[1] = -1;
	plan->files_policy = files->policy;
	plan->maker_fds = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	keep_passed(plan, call);
	err = plan->maker_fds < 0
		      ? fail(-errno, "/proc cannot be read: %s", strerror(errno))
		      : enter_container(call);
	if (!err)
		err = child_credentials_check(files->descriptor, &files->parent,
					      call->what);
	if (!err)
		err = remake_files_check(plan, call->what);
	if (!err)
		err = child_credentials_limit(files->descriptor, plan, call->what);
	if (!err)
		err = remake_files(plan, &call->stream, call->what, &made);
	if (!err)
		err = lift_others(&made, call, report);
	if (err)
		return err;
	remade_files_place(plan, &made);
	raise_limit();
	err = pass_made(&made, call);
	return err ? err : clone_call_send(call, SHADOW_CLONE_WITH_FILES);
}

static void __attribute__((noreturn))
be_maker(const struct clone_files *files, const struct clone_call *given, int to)
{
	struct clone_call call = *given;
	struct report report = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	report.error = make_and_send(files, &call, &to);
	if (report.error && report.error != -ESTALE)
		snprintf(report.message, sizeof(report.message), "%s",
			 mitosis_error());
	if (write(to, &report, sizeof(report)) < 0)
		_exit(1);
	_exit(0);
}

static int await_report(int from, const char *what)
{
	struct report report;
	ssize_t size;

	do
		size = read(from, &report, sizeof(report));
	while (size < 0 && errno == EINTR);
	/* It has told why on its standard error. */
	if (size != sizeof(report))
		return fail(-EIO, "the open files of a child of %s cannot be placed",
			    what);
	report.message[sizeof(report.message) - 1] = '\0';
	return report.error && report.error != -ESTALE
		       ? fail(report.error, "%s", report.message)
		       : report.error;
}

int clone_files_send(const struct clone_files *files, const struct clone_call *call)
{
	int ends[2], err;
	pid_t maker;

	if (!files->descriptor)
		return clone_call_send(call,
				       files->needed ? SHADOW_CLONE_WITH_FILES : 0);
	if (pipe2(ends, O_CLOEXEC))
		return fail(-errno, "no child of %s can be made: %s", call->what,
			    strerror(errno));
	maker = fork();
	if (maker == 0) {
		close(ends[0]);
		be_maker(files, call, ends[1]);
	}
	err = maker < 0 ? fail(-errno, "no child of %s can be made: %s", call->what,
			       strerror(errno))
			: 0;
	close(ends[1]);
	if (!err)
		err = await_report(ends[0], call->what);
	close(ends[0]);
	while (maker > 0 && waitpid(maker, NULL, 0) < 0 && errno == EINTR)
		;
	return err;
}

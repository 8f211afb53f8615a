// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/remake_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/child_files.h"
#include "lib/confinement.h"
#include "lib/epoll_items.h"
#include "lib/error.h"
#include "lib/remake_file_kinds.h"
#include "lib/told_files.h"
#include "paging/trace.h"

/* Numbers above the floor: the library's own, and one for each end that is made. */
#define NUMBERS_BESIDE 64u
/* The highest limit of open files that systems set by default. */
#define CLOSED_ONE_BY_ONE 65536u

/* The first number that neither the parent used nor programs expect to be theirs. */
static uint32_t first_free_number(const struct descriptor_header *d)
{
	/* They ascend. */
	uint32_t next =
		d->fd_count ? descriptor_fds(d)[d->fd_count - 1].number + 1 : 0;

	return next > CHILD_FILES_LIFTED ? next : CHILD_FILES_LIFTED;
}

static bool is_kept(const struct restore_plan *plan, uint32_t number)
{
	uint32_t i;

	for (i = 0; i < plan->kept_file_count; i++)
		if ((uint32_t)plan->kept_files[i] == number)
			return child_file_survives(number);
	return false;
}

static int raise_limit(const struct restore_plan *plan, struct remade_files *files)
{
	struct rlimit raised = files->limit;

	raised.rlim_cur = raised.rlim_max;
	if (raised.rlim_max <
	    files->floor + files->count + plan->open_file_count + NUMBERS_BESIDE)
		return fail(
			-EMFILE,
			"%s has an open file with number %u, and the hard limit of "
			"open files of this process is %llu; raise ulimit -Hn",
			files->what, files->floor - 1,
			(unsigned long long)raised.rlim_max);
	setrlimit(RLIMIT_NOFILE, &raised);
	return 0;
}

int remade_files_lift(const struct remade_files *files, int32_t *fd)
{
	int high;

	if (*fd < 0 || (uint32_t)*fd >= files->floor)
		return 0;
	high = fcntl(*fd, F_DUPFD_CLOEXEC, files->floor);
	if (high < 0)
		return fail(
			-errno,
			"the open files of %s need numbers that this process has "
			"not left: %s",
			files->what, strerror(errno));
	close(*fd);
	*fd = high;
	return 0;
}

/* What differs from the parent's, for who traces it. */
static void trace_differences(const struct remade_files *files)
{
	struct trace trace;
	uint32_t i;

	trace_open_by_environment(&trace, "child", 0);
	for (i = 0; trace.level && i < files->count; i++) {
		const struct descriptor_fd *fd = &files->fds[i];
		const char *what = !files->placed[i]
					   ? "keeps its caller's open file"
					   : told_text(told_difference(fd));

		if (what)
			trace(&trace, TRACE_STEPS, what,
			      TRACE_NUMBER("number", fd->number),
			      TRACE_TEXT("path", descriptor_string(files->descriptor,
								   fd->path)));
	}
	trace_close(&trace);
}

/* A clone's memory is as fork leaves it, which no userfaultfd of the parent serves. */
static bool is_left_out(const struct remade_files *files,
			const struct descriptor_fd *fd)
{
	return files->maker_fds >= 0 && fd->kind == FD_REFUSED &&
	       !strcmp(descriptor_string(files->descriptor, fd->path),
		       "anon_inode:[userfaultfd]");
}

/* Which are placed, and which are only made because others share with them. */
static void choose(const struct restore_plan *plan, struct remade_files *files,
		   bool *needed)
{
	uint32_t i;

	for (i = 0; i < files->count; i++) {
		const struct descriptor_fd *fd = &files->fds[i];

		files->at[i] = -1;
		needed[i] = files->placed[i] =
			!is_kept(plan, fd->number) && !is_left_out(files, fd);
		if (needed[i] && fd->shares != DESCRIPTOR_FD_OWN)
			needed[fd->shares] = true;
	}
}

/* The plan's files that VMAs are mapped from, too: this process has a plan of its own. */
static int lift_mapped_files(const struct restore_plan *plan,
			     const struct remade_files *files)
{
	int32_t *open_files = (int32_t *)plan->open_files;
	int32_t *of_vmas = (int32_t *)plan->files;
	uint32_t i, v;
	int err = 0;

	for (i = 0; i < plan->open_file_count && !err; i++) {
		int32_t before = open_files[i];

		err = remade_files_lift(files, &open_files[i]);
		for (v = 0;
		     before != open_files[i] && v < plan->descriptor->vma_count; v++)
			if (of_vmas[v] == before)
				of_vmas[v] = open_files[i];
	}
	return err;
}

static int make_each(struct remade_files *files, const bool *needed)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < files->count && !err; i++) {
		const struct descriptor_fd *fd = &files->fds[i];
		bool shared = fd->shares != DESCRIPTOR_FD_OWN;

		if (!needed[i])
			continue;
		if (!shared && files->at[i] < 0) {
			files->at[i] = remake_file(files, i);
			/* A standard file that the caller has closed stays closed. */
			if (files->at[i] < 0 &&
			    !(fd->kind == FD_STANDARD && files->at[i] == -EBADF))
				err = files->at[i];
		}
		if (!err && !shared)
			err = remade_files_lift(files, &files->at[i]);
	}
	return err;
}

static struct remade_files files_of(const struct restore_plan *plan,
				    const char *what)
{
	return (struct remade_files){
		.descriptor = plan->descriptor,
		.fds = descriptor_fds(plan->descriptor),
		.count = plan->descriptor->fd_count,
		.floor = first_free_number(plan->descriptor),
		.policy = plan->files_policy,
		.own = plan->own,
		.paths = plan->paths,
		.confined = plan->confinement.confine,
		.maker_fds = plan->maker_fds,
		.what = what,
	};
}

int remake_files_check(const struct restore_plan *plan, const char *what)
{
	struct remade_files files = files_of(plan, what);
	int err = 0;
	uint32_t i;

	for (i = 0; i < files.count && !err; i++) {
		const struct descriptor_fd *fd = &files.fds[i];

		if (is_kept(plan, fd->number) || is_left_out(&files, fd))
			continue;
		if (fd->shares != DESCRIPTOR_FD_OWN)
			fd = &files.fds[fd->shares];
		err = remake_file_check(&files, fd);
	}
	return err;
}

int remake_files(struct restore_plan *plan, int *stream, const char *what,
		 struct remade_files *files)
{
	struct file_user user;
	bool *needed;
	uint32_t i;
	int err;

	*files = files_of(plan, what);
	if (!files->count)
		return 0;
	files->at = malloc(files->count * sizeof(*files->at));
	files->placed = malloc(2 * files->count);
	if (!files->at || !files->placed) {
		free(files->at);
		free(files->placed);
		files->count = 0;
		return fail(-ENOMEM, "there is no memory for a child of %s", what);
	}
	getrlimit(RLIMIT_NOFILE, &files->limit);
	needed = files->placed + files->count;
	choose(plan, files, needed);
	/* A table that another process shares stays as it is. */
	err = syscall(SYS_close_range, ~0u, ~0u, CLOSE_RANGE_UNSHARE) &&
			      unshare(CLONE_FILES)
		      ? fail(-errno, "the table of open files is shared: %s",
			     strerror(errno))
		      : raise_limit(plan, files);
	if (!err)
		err = remade_files_lift(files, &plan->opened);
	if (!err)
		err = remade_files_lift(files, &plan->uffd);
	if (!err)
		err = remade_files_lift(files, &plan->lifeline[0]);
	if (!err)
		err = remade_files_lift(files, &plan->lifeline[1]);
	if (!err)
		err = remade_files_lift(files, stream);
	if (!err)
		err = lift_mapped_files(plan, files);
	if (!err) {
		err = file_user_become(&user, &plan->confinement);
		if (err)
			fail(err,
			     "the open files of %s cannot be made again with the "
			     "rights of user %u: %s",
			     what, plan->confinement.user, strerror(-err));
		else
			err = make_each(files, needed);
		file_user_return(&user);
	}
	if (err) {
		remade_files_discard(files);
		return err;
	}
	for (i = 0; i < files->count; i++)
		if (files->placed[i])
			told_files_add(&plan->told, files->fds, i);
	trace_differences(files);
	return 0;
}

void remade_files_discard(struct remade_files *files)
{
	uint32_t i;

	if (!files->count)
		return;
	for (i = 0; i < files->count; i++)
		if (files->at[i] >= 0)
			close(files->at[i]);
	setrlimit(RLIMIT_NOFILE, &files->limit);
	free(files->at);
	free(files->placed);
	files->count = 0;
}

static void __attribute__((noreturn))
give_up(const struct remade_files *files, const struct descriptor_fd *fd, int err)
{
	dprintf(STDERR_FILENO, "mitosis: open file %u of %s cannot be placed: %s\n",
		fd->number, files->what, strerror(-err));
	_exit(RESTORE_FAILED_STATUS);
}

static void close_numbers(uint32_t first, uint32_t last)
{
	if (first > last || !syscall(SYS_close_range, first, last, 0))
		return;
	/* Before Linux 5.9, or a seccomp filter that does not know the call. */
	for (; first <= last && first < CLOSED_ONE_BY_ONE; first++)
		close((int)first);
}

static void place_each(struct remade_files *files)
{
	uint32_t i;

	for (i = 0; i < files->count; i++) {
		const struct descriptor_fd *fd = &files->fds[i];
		int at = fd->shares == DESCRIPTOR_FD_OWN ? files->at[i]
							 : files->at[fd->shares];
		bool on_exec = fd->flags & DESCRIPTOR_FD_CLOSE_ON_EXEC;

		if (files->placed[i] && at >= 0 &&
		    dup3(at, (int)fd->number, on_exec ? O_CLOEXEC : 0) < 0)
			give_up(files, fd, -errno);
	}
}

/* Closes what is below the floor and neither placed nor kept: both ascend. */
static void close_others(const struct restore_plan *plan,
			 const struct remade_files *files)
{
	uint32_t next = DESCRIPTOR_FD_FIRST, i = 0, k = 0;

	while (next < files->floor) {
		uint32_t keep = files->floor;

		while (i < files->count &&
		       (files->fds[i].number < next || !files->placed[i]))
			i++;
		while (k < plan->kept_file_count &&
		       ((uint32_t)plan->kept_files[k] < next ||
			!child_file_survives(plan->kept_files[k])))
			k++;
		if (i < files->count)
			keep = files->fds[i].number;
		if (k < plan->kept_file_count &&
		    (uint32_t)plan->kept_files[k] < keep)
			keep = plan->kept_files[k];
		if (keep > next)
			close_numbers(next, keep - 1);
		next = keep + 1;
	}
}

void remade_files_place(struct restore_plan *plan, struct remade_files *files)
{
	uint32_t i;

	if (!files->count)
		return;
	/* Before the numbers of the caller are taken: their flags tell which are kept. */
	close_others(plan, files);
	place_each(files);
	for (i = 0; i < files->count; i++) {
		const struct descriptor_fd *fd = &files->fds[i];
		int err = fd->kind == FD_EPOLL && fd->shares == DESCRIPTOR_FD_OWN &&
					  files->placed[i] && files->maker_fds < 0
				  ? epoll_items_add(files->descriptor, fd)
				  : 0;

		if (err)
			give_up(files, fd, err);
	}
	setrlimit(RLIMIT_NOFILE, &files->limit);
}

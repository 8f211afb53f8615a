// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/proxy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/child_namespace.h"
#include "lib/error.h"
#include "lib/stream.h"
#include "local/channel.h"

/* The highest descriptor number that a clone can have. */
#define NUMBER_MAX 4095

/* The descriptors that a SHADOW_CLONE passes. */
struct passed_fds {
	uint32_t count;
	int fds[SHADOW_CLONE_FILES_MAX];
	int32_t numbers[SHADOW_CLONE_FILES_MAX]; /* or SHADOW_CLONE_* */
};

/* False if there is no room. An fd below 0 is none. */
static bool add_fd(struct passed_fds *passed, int fd, int32_t number)
{
	if (fd < 0)
		return true;
	if (passed->count == SHADOW_CLONE_FILES_MAX)
		return false;
	passed->fds[passed->count] = fd;
	passed->numbers[passed->count++] = number;
	return true;
}

/* Adds the files that exec would keep. Returns 0 or -errno. */
static int add_own_fds(struct passed_fds *passed, int stream)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || fd == dirfd(d) || fd == stream ||
		    fd > NUMBER_MAX || fcntl(fd, F_GETFD) & FD_CLOEXEC)
			continue;
		if (!add_fd(passed, fd, fd)) {
			closedir(d);
			return -E2BIG;
		}
	}
	closedir(d);
	return 0;
}

/* The only CPU that this process, and so its child, may run on; -1: several. */
static int only_cpu(void)
{
	cpu_set_t set;

	return !sched_getaffinity(0, sizeof(set), &set) && CPU_COUNT(&set) == 1
		       ? sched_getcpu()
		       : -1;
}

static int send_request(int stream, const struct passed_fds *passed,
			struct registry_child child, uint32_t namespaces)
{
	struct shadow_request request = {
		.magic = LOCAL_MAGIC,
		.version = LOCAL_VERSION,
		.type = SHADOW_CLONE,
		.address = child.number,
		.window = child.machine_id,
		.length = passed->count * sizeof(passed->numbers[0]),
		.cpu = only_cpu(),
		.namespaces = namespaces,
	};
	struct iovec parts[2] = {
		{ &request, sizeof(request) },
		{ (void *)passed->numbers, request.length },
	};
	ssize_t size = sizeof(request) + request.length;

	return channel_send_fds(stream, parts, 2, passed->fds, passed->count) == size
		       ? 0
		       : -ESTALE;
}

/* Why there is no child: another program's text may be in it. Returns the status. */
static int receive_message(int stream, const struct shadow_answer *answer,
			   char message[SHADOW_CLONE_MESSAGE_MAX + 1])
{
	uint32_t i;

	if (answer->length > SHADOW_CLONE_MESSAGE_MAX ||
	    stream_receive(stream, message, answer->length))
		return answer->status;
	message[answer->length] = '\0';
	for (i = 0; i < answer->length; i++)
		if (message[i] < ' ' || message[i] > '~')
			message[i] = '?';
	return answer->status;
}

/*
 * Waits for the child's end, without a deadline. Returns 0 with its wait
 * status, or -errno: -EINTR a signal arrived first; -ESTALE the shadow has ended
 * without taking the request, -ECONNRESET after it.
 */
static int receive_status(int stream, int *status,
			  char message[SHADOW_CLONE_MESSAGE_MAX + 1])
{
	struct {
		struct shadow_answer answer;
		int32_t status;
	} r;
	ssize_t n = recv(stream, &r.answer, sizeof(r.answer), MSG_WAITALL);

	if (n < 0 && errno == EINTR)
		return -EINTR;
	if (n < 0 && errno == ECONNRESET)
		return -ESTALE;
	if (n != sizeof(r.answer))
		return -ECONNRESET;
	if (r.answer.status < 0)
		return receive_message(stream, &r.answer, message);
	if (r.answer.status || r.answer.length != sizeof(r.status))
		return -EPROTO;
	n = stream_receive(stream, &r.status, sizeof(r.status));
	*status = r.status;
	return n;
}

static int highest_number(const struct passed_fds *passed)
{
	int highest = -1;
	uint32_t i;

	for (i = 0; i < passed->count; i++)
		if (passed->numbers[i] > highest)
			highest = passed->numbers[i];
	return highest;
}

/* Sets the message of `err`: the one that came with it, if there is one. */
static int refuse(int err, const struct passed_fds *passed, const char *what,
		  const char *message)
{
	if (*message)
		return fail(err, "%s", message);
	if (err == -E2BIG)
		return fail(err,
			    "a clone gets at most %u open files; close "
			    "some, or set close-on-exec",
			    SHADOW_CLONE_FILES_MAX);
	if (err == -EDEADLK)
		return fail(-EINVAL,
			    "%s has several threads, so that its children need a "
			    "PID namespace to be forked into",
			    what);
	if (err == -EOPNOTSUPP)
		return fail(
			err,
			"%s is of a JVM, which reads its classes from files that "
			"it keeps open; children in modes clone and replica do "
			"not have them: choose lazy, eager or cached",
			what);
	if (err == -ERANGE)
		return fail(-EMFILE,
			    "open file %d of this process has a number that the "
			    "limit of open files of %s does not let its children "
			    "have (ulimit -Hn of the parent); close it, or set "
			    "close-on-exec",
			    highest_number(passed), what);
	if (err == -EINTR)
		return fail(err,
			    "a signal came before the end of a child of %s, "
			    "which has been ended",
			    what);
	if (err == -ECONNRESET)
		return fail(err,
			    "the shadow of %s has ended, and its child with it; "
			    "if mitosisd had to end it, its log (mitosisd.log) "
			    "says why",
			    what);
	return fail(err, "the shadow of %s does not fork a child: %s", what,
		    strerror(-err));
}

/* Has the shadow fork the child, and ends as that does. Returns only -errno. */
static int stand_for_clone(int stream, const struct passed_fds *passed,
			   struct registry_child child, uint32_t namespaces,
			   char message[SHADOW_CLONE_MESSAGE_MAX + 1])
{
	int status;
	int err = send_request(stream, passed, child, namespaces);

	while (!err) {
		err = receive_status(stream, &status, message);
		if (!err)
			end_alike(status);
		if (err == -EINTR)
			err = 0;
	}
	return err;
}

int resume_by_clone(int stream, struct registry *registry, const char *what)
{
	int err = resume_by_replica(stream, registry, what);

	return err == -ESTALE ? refuse(-ECONNRESET, NULL, what, "") : err;
}

int resume_by_replica(int stream, struct registry *registry, const char *what)
{
	struct registry_child child = registry_count_child(registry);
	char message[SHADOW_CLONE_MESSAGE_MAX + 1] = "";
	struct passed_fds passed = { 0 };
	int err = add_own_fds(&passed, stream);
	int init;

	if (!err)
		err = channel_set_deadline(stream, 0);
	if (!err)
		err = stand_for_clone(stream, &passed, child, 0, message);
	if (err == -EDEADLK) {
		init = child_namespace_open(what);
		if (init < 0) {
			close(stream);
			return init;
		}
		err = add_fd(&passed, init, SHADOW_CLONE_NAMESPACES) ? 0 : -E2BIG;
		if (!err)
			err = stand_for_clone(stream, &passed, child,
					      CLONE_NEWPID | CLONE_NEWNS, message);
		close(init);
	}
	close(stream);
	return refuse(err, &passed, what, message);
}

int run_clone(int stream, struct registry *registry,
	      const struct mitosis_spawn *child, const char *what, int *status)
{
	char message[SHADOW_CLONE_MESSAGE_MAX + 1] = "";
	struct passed_fds passed = { 0 };
	bool fits = add_fd(&passed, child->pidfd, SHADOW_CLONE_NAMESPACES) &&
		    add_fd(&passed, child->root, SHADOW_CLONE_ROOT);
	uint32_t i;
	int err;

	for (i = 0; i < child->cgroup_count; i++)
		fits = fits &&
		       add_fd(&passed, child->cgroups[i], SHADOW_CLONE_CGROUP);
	for (i = 0; i < child->file_count; i++)
		fits = fits && add_fd(&passed, child->files[i], child->files[i]);
	err = fits ? send_request(stream, &passed, registry_count_child(registry),
				  child->namespaces)
		   : -E2BIG;
	if (!err)
		err = receive_status(stream, status, message);
	return err ? refuse(err, &passed, what, message) : 0;
}

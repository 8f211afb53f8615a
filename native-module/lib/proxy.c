// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/proxy.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/child_namespace.h"
#include "lib/error.h"
#include "lib/stream.h"
#include "local/channel.h"
#include "local/interrupted.h"

/* For why there is no child. */
#define MESSAGE_SIZE 512
_Static_assert(MESSAGE_SIZE > SHADOW_CLONE_MESSAGE_MAX, "any message fits");

static void keep_message(char message[MESSAGE_SIZE])
{
	snprintf(message, MESSAGE_SIZE, "%s", mitosis_error());
}

/* Why there is no child: another program's text may be in it. Returns the status. */
static int receive_message(int stream, const struct shadow_answer *answer,
			   char message[MESSAGE_SIZE])
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
 * Waits for the child's end, at most `timeout_ms`, or -1. Returns 0 with its wait
 * status, or -errno: -ETIME; -ESTALE the shadow has ended without taking the
 * request, -ECONNRESET after it.
 */
static int receive_status(int stream, int timeout_ms, int *status,
			  char message[MESSAGE_SIZE])
{
	struct pollfd ended = { .fd = stream, .events = POLLIN };
	struct {
		struct shadow_answer answer;
		int32_t status;
	} r;
	ssize_t n;

	if (timeout_ms >= 0 && !poll_within(&ended, 1, timeout_ms))
		return -ETIME;
	do {
		n = recv(stream, &r.answer, sizeof(r.answer), MSG_WAITALL);
	} while (n < 0 && errno == EINTR);
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

/* Sets the message of `err`: the one that came with it, if there is one. */
static int refuse(int err, const struct clone_call *call, const char *message)
{
	const char *what = call->what;

	if (*message)
		return fail(err, "%s", message);
	if (err == -EDEADLK)
		return fail(-EINVAL,
			    "%s has several threads, so that its children need a "
			    "PID namespace to be forked into",
			    what);
	if (err == -ERANGE)
		return fail(-EMFILE,
			    "open file %d of this process has a number that the "
			    "limit of open files of %s does not let its children "
			    "have (ulimit -Hn of the parent); close it, or set "
			    "close-on-exec",
			    clone_call_highest(call), what);
	if (err == -ETIME)
		return fail(err,
			    "a child of %s did not end within its deadline, and "
			    "has been ended",
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

/* Sends the call. Returns 0 or -errno, for which refuse() takes `message`. */
static int send_call(const struct clone_call *call, const struct clone_files *files,
		     char message[MESSAGE_SIZE])
{
	int err = clone_files_send(files, call);

	if (err && err != -ESTALE)
		keep_message(message);
	return err;
}

/* Has the shadow fork the child, and ends as that does. Returns only -errno. */
static int stand_for_clone(const struct clone_call *call,
			   const struct clone_files *files,
			   char message[MESSAGE_SIZE])
{
	int status;
	int err = send_call(call, files, message);

	if (!err)
		err = receive_status(call->stream, -1, &status, message);
	if (!err)
		end_alike(status);
	return err;
}

/* Returns 0 or -errno. */
static int pass(struct clone_call *call, int fd, int32_t number,
		char message[MESSAGE_SIZE])
{
	int err = clone_call_pass(call, fd, number);

	if (err)
		keep_message(message);
	return err;
}

/* After -EDEADLK. Returns 0 or -errno. */
static int bring_namespace(struct clone_call *call, int *init,
			   char message[MESSAGE_SIZE])
{
	*init = child_namespace_open(call->what);
	if (*init < 0) {
		keep_message(message);
		return *init;
	}
	call->namespaces = CLONE_NEWPID | CLONE_NEWNS;
	return pass(call, *init, SHADOW_CLONE_NAMESPACES, message);
}

/* After -ENOTEMPTY. Returns 0 or -errno. */
static int bring_files(const struct clone_call *call, struct clone_files *files,
		       char message[MESSAGE_SIZE])
{
	int err = clone_files_need(files, call->stream, call->what);

	if (err)
		keep_message(message);
	return err;
}

int resume_by_clone(int stream, struct registry *registry, struct clone_files *files,
		    const char *what)
{
	const struct clone_call call = { .what = what };
	int err = resume_by_replica(stream, registry, files, what);

	return err == -ESTALE ? refuse(-ECONNRESET, &call, "") : err;
}

int resume_by_replica(int stream, struct registry *registry,
		      struct clone_files *files, const char *what)
{
	struct clone_call call = {
		.stream = stream,
		.what = what,
		.child = registry_count_child(registry),
	};
	char message[MESSAGE_SIZE] = "";
	int err = clone_call_pass_own(&call);
	int init = -1;

	if (err)
		keep_message(message);
	else
		err = channel_set_deadline(stream, 0);
	while (!err) {
		err = stand_for_clone(&call, files, message);
		if (err == -EDEADLK && init < 0)
			err = bring_namespace(&call, &init, message);
		else if (err == -ENOTEMPTY && !files->needed)
			err = bring_files(&call, files, message);
	}
	if (init >= 0)
		close(init);
	close(stream);
	err = refuse(err, &call, message);
	clone_call_free(&call);
	return err;
}

/* Returns 0 with the child's wait status, or -errno. */
static int call_and_wait(struct clone_call *call, struct registry *registry,
			 const struct mitosis_spawn *child,
			 struct clone_files *files, char message[MESSAGE_SIZE],
			 int *status)
{
	int timeout_ms = child->deadline_ms ? (int)child->deadline_ms : -1;
	int err;

	call->child = registry_count_child(registry);
	do {
		err = send_call(call, files, message);
		if (!err)
			err = receive_status(call->stream, timeout_ms, status,
					     message);
		if (!err)
			return 0;
		if (err == -ENOTEMPTY && !files->needed)
			err = bring_files(call, files, message);
	} while (!err);
	return err;
}

int run_clone(int stream, struct registry *registry,
	      const struct mitosis_spawn *child, struct clone_files *files,
	      const char *what, int *status)
{
	struct clone_call call = {
		.stream = stream,
		.what = what,
		.namespaces = child->namespaces,
	};
	char message[MESSAGE_SIZE] = "";
	int err = pass(&call, child->pidfd, SHADOW_CLONE_NAMESPACES, message);
	uint32_t i;

	if (!err)
		err = pass(&call, child->root, SHADOW_CLONE_ROOT, message);
	for (i = 0; i < child->cgroup_count && !err; i++)
		err = pass(&call, child->cgroups[i],
			   i && child->flags & MITOSIS_SPAWN_INTO_CGROUP
				   ? SHADOW_CLONE_INTO
				   : SHADOW_CLONE_CGROUP,
			   message);
	for (i = 0; i < child->file_count && !err; i++)
		err = pass(&call, child->files[i], child->files[i], message);
	if (!err)
		err = call_and_wait(&call, registry, child, files, message, status);
	if (err)
		err = refuse(err, &call, message);
	clone_call_free(&call);
	return err;
}

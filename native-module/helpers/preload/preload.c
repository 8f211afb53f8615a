// SPDX-License-Identifier: Apache-2.0
/*
 * libmitosis-preload.so: lets a program that knows nothing of libmitosis be prepared from
 * outside. LD_PRELOAD loads it; a thread of its own waits at the socket that
 * MITOSIS_PRELOAD_SOCKET names for what mitosis-prepare asks, and calls the library.
 *
 * A thread, because a signal handler of the program's could not: prepare takes locks and
 * memory. It ends in children, which nothing asks.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "helpers/clock.h"
#include "helpers/preload/control_socket.h"
#include "helpers/preload/kept_memory.h"
#include "helpers/preload/request.h"
#include "lib/error.h"
#include "lib/own_files.h"
#include "libmitosis.h"
#include "local/interrupted.h"

#define STACK_SIZE	   (512u << 10)
#define REQUEST_DEADLINE_S 5
/* The library's own memory of that kind is less. */
#define KEPT_MEMORY_MAX (1u << 20)
/* Between two tries to listen, or to accept. */
#define PAUSE_US 100000

/* Wiped on fork: what this process forks, and its children, listen nowhere. */
static struct control {
	struct sockaddr_un address;
	int listener;
	uint64_t inode; /* of the listener; 0: none */
	struct mitosis *device;
} * control;

static void __attribute__((format(printf, 1, 2))) complain(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(STDERR_FILENO, "libmitosis-preload: %s: %s\n",
		program_invocation_short_name, text);
}

/* The program may close files that it has not opened, and then have others there. */
static bool listens(const struct control *c)
{
	struct stat st;

	return c->inode && !fstat(c->listener, &st) && S_ISSOCK(st.st_mode) &&
	       st.st_ino == c->inode;
}

static int start_listening(struct control *c)
{
	struct stat st;
	int fd = control_socket_listen(&c->address);

	if (fd < 0)
		return fd;
	if (fstat(fd, &st)) {
		close(fd);
		return -EBADF;
	}
	c->listener = fd;
	c->inode = st.st_ino;
	own_files_note(fd);
	return 0;
}

/* Of MITOSIS_PRELOAD_BACKEND; or -EINVAL with a message. */
static int backend_asked_for(void)
{
	const char *name = secure_getenv("MITOSIS_PRELOAD_BACKEND");

	if (!name || !*name || !strcmp(name, "user"))
		return MITOSIS_BACKEND_USER;
	if (!strcmp(name, "kernel"))
		return MITOSIS_BACKEND_KERNEL;
	return fail(-EINVAL,
		    "MITOSIS_PRELOAD_BACKEND must be user or kernel, got '%s'",
		    name);
}

static int open_device(struct control *c)
{
	int backend = c->device ? 0 : backend_asked_for();

	if (backend < 0 || c->device)
		return backend;
	return mitosis_open(backend, &c->device);
}

static int call(struct control *c, const struct preload_request *request)
{
	const struct mitosis_prepare_options options = {
		.size = sizeof(options),
		.stop_ms = request->stop_ms,
		.stop_signal = request->stop_signal,
		.left_out_count = request->left_out_count,
		.left_out = request->left_out,
	};
	int err = mitosis_set_prepare_options(c->device, &options);

	if (err)
		return err;
	switch (request->command) {
	case PRELOAD_PREPARE:
		return mitosis_prepare(c->device, request->handler_id);
	case PRELOAD_PREPARE_PINNED:
		return mitosis_prepare_pinned(c->device, request->handler_id);
	case PRELOAD_UNPREPARE:
		return mitosis_unprepare(c->device, request->handler_id);
	default:
		return -EINVAL;
	}
}

/*
 * A program that keeps much of its memory from what it forks does not know that it is prepared: its
 * children would crash.
 */
static bool keeps_memory(struct preload_answer *answer)
{
	uint64_t bytes = kept_memory();

	if (bytes < KEPT_MEMORY_MAX)
		return false;
	answer->error = -EOPNOTSUPP;
	snprintf(answer->message, sizeof(answer->message),
		 "%llu MiB of this program's memory are kept from forked processes "
		 "(MADV_DONTFORK), as V8 keeps its heap: its children would lack "
		 "them",
		 (unsigned long long)(bytes >> 20));
	return true;
}

/* Returns false in a child. */
static bool carry_out(struct control *c, const struct preload_request *request,
		      struct preload_answer *answer)
{
	struct mitosis *device;
	int tries = 2, err;
	uint64_t started_ns;

	if (request->command != PRELOAD_UNPREPARE && keeps_memory(answer))
		return true;
	do {
		err = open_device(c);
		if (err)
			break;
		device = c->device;
		started_ns = now_ns();
		err = call(c, request);
		answer->took_ns = now_ns() - started_ns;
		if (!err && mitosis_nil(device) == -EBADF) {
			mitosis_close(device);
			return false;
		}
		/* mitosisd has ended, and with it the snapshot. */
		if (err == -ECONNRESET) {
			mitosis_close(device);
			c->device = NULL;
		}
	} while (err == -ECONNRESET && --tries);
	answer->error = err;
	if (err)
		snprintf(answer->message, sizeof(answer->message), "%s",
			 mitosis_error());
	return true;
}

/* Returns false in a child, which has no such connection. */
static bool serve(struct control *c, int connection)
{
	const struct timeval deadline = { .tv_sec = REQUEST_DEADLINE_S };
	struct preload_request request;
	struct preload_answer answer = {
		.magic = PRELOAD_MAGIC,
		.process = getpid(),
	};

	setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
	if (!control_socket_may_ask(connection) ||
	    socket_receive(connection, &request, sizeof(request), 0) !=
		    sizeof(request) ||
	    request.magic != PRELOAD_MAGIC)
		return true;
	if (!carry_out(c, &request, &answer))
		return false;
	send(connection, &answer, sizeof(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
	return true;
}

static void *wait_for_requests(void *argument)
{
	struct control *c = argument;

	for (;;) {
		int connection;

		if (!listens(c) && start_listening(c)) {
			usleep(PAUSE_US);
			continue;
		}
		connection = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
		if (connection < 0) {
			if (errno != EINTR)
				usleep(PAUSE_US);
			continue;
		}
		own_files_note(connection);
		if (!serve(c, connection))
			return NULL;
		own_files_forget(connection);
		close(connection);
	}
}

static int start_thread(void)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int err;

	/* The program's handlers run in its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	err = pthread_create(&thread, &attributes, wait_for_requests, control);
	if (!err)
		pthread_setname_np(thread, "mitosis-preload");
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

/* What fork(2) must not pass on; the control, which has the number, is wiped by then. */
static int forked_listener = -1;

static void before_fork(void)
{
	forked_listener = listens(control) ? control->listener : -1;
}

/* Else it would keep the socket open behind its parent's end, without a thread. */
static void in_forked(void)
{
	if (forked_listener >= 0)
		close(forked_listener);
	forked_listener = -1;
}

static bool is_asked_for(const char *path)
{
	const char *program = secure_getenv("MITOSIS_PRELOAD_PROGRAM");

	if (program && *program && strcmp(program, program_invocation_short_name))
		return false;
	/* mitosisd, which the program starts, and the helper programs. */
	return path && *path && strncmp(program_invocation_short_name, "mitosis", 7);
}

static void __attribute__((constructor)) start(void)
{
	const char *path = secure_getenv("MITOSIS_PRELOAD_SOCKET");
	size_t page = sysconf(_SC_PAGESIZE);
	int err;

	if (!is_asked_for(path))
		return;
	control = mmap(NULL, page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (control == MAP_FAILED || madvise(control, page, MADV_WIPEONFORK)) {
		control = NULL;
		complain("there is no memory to wait for mitosis-prepare");
		return;
	}
	err = control_socket_address(path, &control->address);
	if (err) {
		complain(
			"MITOSIS_PRELOAD_SOCKET must be an absolute path of at most "
			"%zu characters, got '%s'",
			sizeof(control->address.sun_path) - 1, path);
		return;
	}
	err = start_listening(control);
	if (err == -EADDRINUSE)
		return; /* the program that started this one listens there */
	if (!err)
		err = start_thread();
	if (err) {
		complain("this program cannot be prepared: no socket at %s: %s",
			 path, strerror(-err));
		return;
	}
	pthread_atfork(before_fork, NULL, in_forked);
}

static void __attribute__((destructor)) stop(void)
{
	if (control && control->inode)
		unlink(control->address.sun_path);
}

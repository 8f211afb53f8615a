// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/daemon_link.h"

#include <link.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/own_files.h"
#include "local/channel.h"
#include "local/clock.h"
#include "local/interrupted.h"
#include "local/runtime_dir.h"
#include "proto/user/connection.h"

#define DAEMON_NAME "mitosisd"

extern char **environ;

/* Of the loaded files: writes to `path` which of them holds this code. Not dladdr(): once.h. */
static int holds_this_code(struct dl_phdr_info *info, size_t size, void *path)
{
	const uintptr_t code = (uintptr_t)holds_this_code;
	int i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type != PT_LOAD ||
		    code - info->dlpi_addr - part->p_vaddr >= part->p_memsz)
			continue;
		snprintf(path, PATH_MAX, "%s", info->dlpi_name);
		return 1;
	}
	return 0;
}

/* $MITOSIS_DAEMON, else beside the file that holds this code. */
static int daemon_path(char path[PATH_MAX])
{
	const char *asked = secure_getenv("MITOSIS_DAEMON");
	char file[PATH_MAX] = "";
	char *slash;

	if (asked && *asked) {
		snprintf(path, PATH_MAX, "%s", asked);
	} else {
		dl_iterate_phdr(holds_this_code, file);
		slash = strrchr(file, '/');
		snprintf(path, PATH_MAX, "%.*s/" DAEMON_NAME,
			 slash ? (int)(slash - file) : 1, slash ? file : ".");
	}
	if (access(path, F_OK))
		return fail(-errno,
			    "%s is not there; set MITOSIS_DAEMON to the "
			    "mitosisd of this release",
			    path);
	if (access(path, X_OK))
		return fail(-EACCES,
			    "%s cannot be executed; is its file system "
			    "mounted noexec? Set MITOSIS_DAEMON to a "
			    "copy that can",
			    path);
	return 0;
}

/* Reads what a starting daemon says until it closes its output. */
static int read_message(int fd, char *message, size_t size, int64_t deadline_ms)
{
	size_t done = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline_ms - now_ms();
		ssize_t n;

		if (left <= 0)
			return -ETIMEDOUT;
		n = poll(&p, 1, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ETIMEDOUT;
		n = read(fd, message + done, size - 1 - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || done + n == size - 1) {
			done += n > 0 ? n : 0;
			break;
		}
		done += n;
	}
	message[done] = '\0';
	message[strcspn(message, "\n")] = '\0';
	return 0;
}

/*
 * A setuid program passes nothing on that its caller has set. What it may use itself is
 * read by secure_getenv(). What this program has preloaded is for itself. To be freed;
 * NULL: there is no memory.
 */
static char **environment(void)
{
	static char *const secure[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	char *const *all = getauxval(AT_SECURE) ? secure : environ;
	size_t count = 0, kept = 0, i;
	char **variables;

	while (all[count])
		count++;
	variables = malloc((count + 1) * sizeof(*variables));
	if (!variables)
		return NULL;
	for (i = 0; i < count; i++)
		if (strncmp(all[i], "LD_PRELOAD=", strlen("LD_PRELOAD=")))
			variables[kept++] = all[i];
	variables[kept] = NULL;
	return variables;
}

static int spawn(const char *path, const char *dir, int out, pid_t *pid)
{
	char *argv[] = { (char *)path, "--runtime-dir", (char *)dir, NULL };
	char **variables = environment();
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int err;

	if (!variables)
		return -ENOMEM;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr,
				 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, out, 2);
	err = posix_spawn(pid, path, &actions, &attr, argv, variables);
	free(variables);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return -err;
}

static int start_failed(const char *path, int exit_status, const char *message)
{
	int err = exit_status > RUNTIME_EXIT_ERRNO ? RUNTIME_EXIT_ERRNO - exit_status
						   : -EIO;
	const char *next = "";

	if (err == -ENOSPC || err == -EDQUOT)
		next = "; make room, or set MITOSIS_RUNTIME_DIR to a directory of "
		       "another file system";
	else if (err == -EAGAIN)
		next = "; raise pids.max of its control group, or ulimit -u";
	return fail(err, "%s failed to start: %s%s", path, message, next);
}

/* The daemon's first process ends as soon as its second one listens. */
static int start_daemon(const char *dir, int64_t deadline_ms)
{
	char path[PATH_MAX];
	char message[256] = "";
	int pipe_fds[2];
	int status = 0;
	pid_t pid;
	int err = daemon_path(path);

	if (err)
		return err;
	if (pipe2(pipe_fds, O_CLOEXEC))
		return fail(-errno, "a pipe cannot be made: %s", strerror(errno));
	err = spawn(path, dir, pipe_fds[1], &pid);
	close(pipe_fds[1]);
	if (err) {
		close(pipe_fds[0]);
		return fail(err, "%s cannot be started: %s", path,
			    why_no_process(err));
	}
	err = read_message(pipe_fds[0], message, sizeof(message), deadline_ms);
	close(pipe_fds[0]);
	if (err) {
		kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		return fail(err, "%s did not start within %d s", path,
			    CHANNEL_DEADLINE_MS / 1000);
	}
	/* ECHILD: the program ignores SIGCHLD or reaps all children itself. */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return start_failed(path, WIFEXITED(status) ? WEXITSTATUS(status) : 0,
			    *message ? message : "it printed no message");
}

/* Returns a connected channel or -errno, without a message. */
static int dial(const struct sockaddr_un *address)
{
	int channel = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int err;

	if (channel < 0)
		return -errno;
	err = channel_set_deadline(channel, CHANNEL_DEADLINE_MS);
	if (!err)
		err = socket_connect(channel, (const struct sockaddr *)address,
				     sizeof(*address));
	if (err) {
		close(channel);
		return err;
	}
	return channel;
}

static int hello(struct daemon_link *link)
{
	struct local_message m = channel_message(LOCAL_HELLO);
	int fd;
	int err = channel_send(link->channel, &m, -1);

	if (!err)
		err = channel_receive(link->channel, &m, &fd);
	if (err)
		return err;
	if (m.type != LOCAL_ANSWER)
		err = -EPROTO;
	else if (m.status)
		err = m.status < 0 ? m.status : -EPROTO;
	else if (fd < 0)
		err = fd == -EMFILE ? fd : -EPROTO;
	else
		err = registry_map(fd, &link->registry);
	if (fd >= 0)
		close(fd);
	link->device = m.device;
	return err;
}

static int dir_error(int err, const char *dir)
{
	const char *why = strerror(-err);

	if (err == -ENAMETOOLONG)
		why = "its path is too long for the name of a socket";
	else if (err == -EINVAL)
		why = "its path does not start with /";
	else if (err == -EPERM)
		why = "it belongs to another user";
	else if (err == -EACCES)
		why = "others can write to it, or you cannot";
	return fail(err,
		    "the runtime directory %s cannot be used: %s; set "
		    "MITOSIS_RUNTIME_DIR to a directory of your own",
		    dir, why);
}

int daemon_link_open(struct daemon_link *link)
{
	int64_t deadline_ms = now_ms() + CHANNEL_DEADLINE_MS;
	char dir[RUNTIME_PATH_MAX];
	int err = runtime_dir_path(dir);

	if (!err)
		err = runtime_dir_ensure(dir);
	if (err)
		return dir_error(err, dir);
	runtime_dir_address(dir, &link->address);
	/* An idle daemon may end while we connect: then start another. */
	while (now_ms() < deadline_ms) {
		link->channel = dial(&link->address);
		if (link->channel == -ENOENT || link->channel == -ECONNREFUSED) {
			err = start_daemon(dir, deadline_ms);
			if (err)
				return err;
			continue;
		}
		if (link->channel < 0)
			return fail(link->channel,
				    "mitosisd at %s cannot be "
				    "reached: %s",
				    link->address.sun_path,
				    strerror(-link->channel));
		err = hello(link);
		if (!err) {
			own_files_note(link->channel);
			return 0;
		}
		close(link->channel);
		if (err == -EPROTO)
			return fail(err,
				    "the mitosisd at %s is of another "
				    "release; end it, or set "
				    "MITOSIS_RUNTIME_DIR to another directory",
				    link->address.sun_path);
		if (err == -EAGAIN)
			return fail(-ETIMEDOUT,
				    "the mitosisd at %s does not answer "
				    "within %d s; end the process whose id is "
				    "in " RUNTIME_PID " beside it",
				    link->address.sun_path,
				    CHANNEL_DEADLINE_MS / 1000);
		if (err != -ECONNRESET)
			return fail(err, "mitosisd at %s does not answer: %s",
				    link->address.sun_path, strerror(-err));
	}
	return fail(-ETIMEDOUT,
		    "mitosisd at %s did not answer within %d s; see " RUNTIME_LOG
		    " beside it",
		    link->address.sun_path, CHANNEL_DEADLINE_MS / 1000);
}

int daemon_link_gone(void)
{
	return fail(-ECONNRESET, "mitosisd has ended and every snapshot with it; "
				 "close this device, open a new one and prepare "
				 "again");
}

int daemon_link_call(struct daemon_link *link, struct local_message *message,
		     int *fd)
{
	return daemon_link_call_with(link, message, -1, fd);
}

int daemon_link_call_with(struct daemon_link *link, struct local_message *message,
			  int sent, int *fd)
{
	int received = -1;
	int err = channel_send(link->channel, message, sent);

	if (!err)
		err = channel_receive(link->channel, message, &received);
	if (!err && message->type != LOCAL_ANSWER)
		err = -EPROTO;
	if (!err) {
		err = message->status <= 0 ? message->status : -EPROTO;
		if (err)
			fail(err, "mitosisd refuses: %s", strerror(-err));
		if (fd && !err)
			*fd = received;
		else if (received >= 0)
			close(received);
		return err;
	}
	if (received >= 0)
		close(received);
	/* A late answer must not be taken for that of the next request. */
	shutdown(link->channel, SHUT_RDWR);
	if (err == -ECONNRESET)
		return daemon_link_gone();
	if (err == -EAGAIN)
		return fail(-ETIMEDOUT,
			    "mitosisd did not answer within %d s; "
			    "close this device and open a new one",
			    CHANNEL_DEADLINE_MS / 1000);
	return fail(err, "mitosisd cannot be asked: %s", strerror(-err));
}

int daemon_link_reserve(struct daemon_link *link, struct reserved_channel *channel)
{
	struct local_message m = channel_message(LOCAL_RESERVE);
	int fd = -1;
	int err;

	channel->fd = dial(&link->address);
	err = channel->fd < 0 ? channel->fd : 0;
	m.device = link->device;
	if (!err)
		err = channel_send(channel->fd, &m, -1);
	if (!err)
		err = channel_receive(channel->fd, &m, &fd);
	if (!err && (fd != -1 || m.type != LOCAL_ANSWER || m.status))
		err = -EPROTO;
	if (!err) {
		channel->number = m.slot;
		own_files_note(channel->fd);
		return 0;
	}
	if (fd >= 0)
		close(fd);
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
	if (err == -ECONNREFUSED || err == -ECONNRESET ||
	    !channel_is_open(link->channel))
		return daemon_link_gone();
	return fail(err,
		    "this process cannot open a channel to mitosisd at %s for its "
		    "shadow: %s; after a change of root, user or seccomp filter, "
		    "open the device and prepare once before it",
		    link->address.sun_path, strerror(-err));
}

int daemon_link_close(struct daemon_link *link)
{
	struct local_message m = channel_message(LOCAL_BYE);
	/* A forked child may hold the channel open, so closing it is not enough. */
	int err = daemon_link_call(link, &m, NULL);

	own_files_forget(link->channel);
	close(link->channel);
	registry_unmap(link->registry);
	return err ? err : (int)m.flags;
}

int daemon_link_unknown(uint32_t handler_id)
{
	return fail(-ENOENT,
		    "there is no snapshot with handler id %u on this "
		    "machine",
		    handler_id);
}

/* Repeats the request while the server has no room for the stream. */
static int attach(struct daemon_link *link, const struct local_message *request,
		  int *stream, struct registry_place *place,
		  struct parent_rights *parent)
{
	int64_t deadline_ms = now_ms() + CHANNEL_DEADLINE_MS;
	struct local_message answer;
	int err;

	for (;;) {
		answer = *request;
		err = daemon_link_call(link, &answer, stream);
		if (err != -EAGAIN || now_ms() >= deadline_ms)
			break;
		usleep(100);
	}
	if (err)
		return err;
	if (*stream == -EMFILE)
		return fail(-EMFILE, "this process has no descriptor for the stream "
				     "to the snapshot; raise ulimit -n");
	if (*stream < 0)
		return fail(-EPROTO, "mitosisd sent no stream to the snapshot");
	if (place)
		*place = (struct registry_place){ answer.slot, answer.generation };
	if (parent)
		*parent = answer.parent;
	return channel_set_deadline(*stream, CHANNEL_DEADLINE_MS);
}

static int elsewhere(uint32_t handler_id)
{
	return fail(-EXDEV,
		    "the process that forks the children of snapshot %u has other "
		    "namespaces, or another root directory, than this process",
		    handler_id);
}

int daemon_link_attach(struct daemon_link *link, uint32_t handler_id, int cpu,
		       uint32_t flags, int *stream, struct registry_place *place,
		       struct parent_rights *parent)
{
	struct local_message m = channel_message(LOCAL_ATTACH);
	int err;

	m.flags = flags;
	m.handler_id = handler_id;
	m.cpu = cpu;
	err = attach(link, &m, stream, place, parent);
	if (err == -ENOENT)
		return daemon_link_unknown(handler_id);
	if (err == -EXDEV)
		return elsewhere(handler_id);
	if (err == -EPERM)
		return fail(err,
			    "snapshot %u may be read and resumed only with the ids "
			    "of its parent, in the same user namespace, and with at "
			    "least its capabilities, from PID namespaces that "
			    "mitosisd sees; resume as that user",
			    handler_id);
	if (err == -EAGAIN || err == -ETIMEDOUT)
		return fail(-ETIMEDOUT,
			    "the shadow of snapshot %u does not answer "
			    "within %d s",
			    handler_id, CHANNEL_DEADLINE_MS / 1000);
	return err;
}

/* The message for what an attach to another machine returned. */
static int refused_remotely(int err, uint32_t machine_id, uint32_t handler_id)
{
	switch (err) {
	case -ENOENT:
		return fail(err,
			    "there is no snapshot with handler id %u on machine "
			    "%u",
			    handler_id, machine_id);
	case -ENOTCONN:
		return fail(err,
			    "there is no session to machine %u, or it has ended; "
			    "connect first, and where its address is "
			    "replica://, from the machine there, too",
			    machine_id);
	case -EXDEV:
		return elsewhere(handler_id);
	case -EPERM:
		return fail(
			err,
			"this machine's mitosisd forks children of snapshot %u of "
			"machine %u only for processes with its own ids, in the "
			"same user namespace, and with at least its capabilities; "
			"resume as that user, or in mode lazy, eager or cached",
			handler_id, machine_id);
	case -ESRCH:
		return fail(err,
			    "the mitosisd of machine %u does not see the parent of "
			    "snapshot %u, which is outside of its PID namespace; "
			    "start mitosisd there in the outer one",
			    machine_id, handler_id);
	case -EBUSY:
		return fail(err,
			    "machine %u has as many connections as its mitosis "
			    "module's parameters connections and "
			    "connections_per_machine allow",
			    machine_id);
	case -EBADE:
		return fail(err,
			    "MITOSIS_VERIFY=on: the descriptor of snapshot %u that "
			    "came for machine %u is not what that machine has",
			    handler_id, machine_id);
	case -EBADMSG:
		return fail(err,
			    "the descriptor of snapshot %u of machine %u is not "
			    "valid here, or was changed on its way",
			    handler_id, machine_id);
	case -EACCES:
		return fail(err,
			    "machine %u refuses the key of this machine's "
			    "mitosisd",
			    machine_id);
	case -EPROTOTYPE:
		return fail(
			err,
			"machine %u and this machine's mitosisd protect sessions "
			"in two ways, which mitosisd.log names; give both the "
			"same MITOSIS_PROTECTION",
			machine_id);
	case -EDQUOT:
		return fail(err, "mitosisd has as many pagers as MITOSIS_PAGERS "
				 "permits; wait until children of other snapshots "
				 "have ended, or restart it with more");
	case -EUSERS:
		return fail(-EAGAIN, "mitosisd cannot start a pager: %s",
			    why_no_process(-EAGAIN));
	case -EAGAIN:
	case -ETIMEDOUT:
		return fail(-ETIMEDOUT,
			    "machine %u did not open snapshot %u in time",
			    machine_id, handler_id);
	default:
		return fail(err, "snapshot %u of machine %u cannot be opened: %s",
			    handler_id, machine_id, wire_problem(err));
	}
}

int daemon_link_attach_remote(struct daemon_link *link, uint32_t machine_id,
			      uint32_t handler_id, int cpu, uint32_t flags,
			      int *stream)
{
	struct local_message m = channel_message(LOCAL_ATTACH);
	int err;

	m.flags = LOCAL_REMOTE | flags;
	m.machine_id = machine_id;
	m.handler_id = handler_id;
	m.cpu = cpu;
	err = attach(link, &m, stream, NULL, NULL);
	return err ? refused_remotely(err, machine_id, handler_id) : 0;
}

bool daemon_link_calls_again(int *calls)
{
	return ++*calls < get_nprocs_conf() + 2;
}

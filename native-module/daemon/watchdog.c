// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/watchdog.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "local/protocol.h"
#include "local/runtime_dir.h"
#include "proto/user/connection.h"

#define WATCHED_MAX 8192u
/*
 * Checks within the deadline. It counts checks, not elapsed time: if this daemon
 * does not run (suspend, job control), no server is killed for it.
 */
#define CHECKS 10

struct watched {
	struct event_source source; /* first: the end of the process */
	struct watched *next;
	struct server_name name;
	int pidfd;
	pid_t pid;
	int stopped_checks; /* consecutive checks that found it so */
};

static int check_ms(void)
{
	int ms = wire_deadline_ms() / CHECKS;

	return ms ? ms : 1;
}

/*
 * Returns 0 or less if it is no pidfd, or if the process has ended or is in a PID
 * namespace that is not visible from here.
 */
static pid_t pid_of(int pidfd)
{
	char path[64], line[128];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Pid: %d", &pid) == 1)
			break;
	if (f)
		fclose(f);
	return pid;
}

#define STAT_SIZE 256

/* What /proc has of it, from behind its name on, which may hold anything; NULL: it has gone. */
static const char *read_stat(pid_t pid, char text[STAT_SIZE])
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, STAT_SIZE - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return strrchr(text, ')');
}

/* True if a signal has stopped it (T). A process under a debugger (t) is exempt. */
static bool is_stopped(pid_t pid)
{
	char text[STAT_SIZE];
	const char *stat = read_stat(pid, text);

	return stat && !strncmp(stat, ") T", 3);
}

bool watchdog_is_forked_by(int pidfd, pid_t parent)
{
	char text[STAT_SIZE];
	pid_t pid = pid_of(pidfd);
	const char *stat = pid > 0 ? read_stat(pid, text) : NULL;
	int its_parent;

	/* It still has its number if it has one now. */
	return parent > 0 && stat && sscanf(stat, ") %*c %d", &its_parent) == 1 &&
	       its_parent == parent && pid_of(pidfd) == pid;
}

/* True if an entry of /proc/PID/fd is the trace file, or a shadow's for pages that are late. */
static bool is_no_client(int fds, const char *entry)
{
	char target[4096];
	ssize_t n = readlinkat(fds, entry, target, sizeof(target) - 1);

	target[n > 0 ? n : 0] = '\0';
	return strstr(target, "/" RUNTIME_TRACE) ||
	       !strcmp(target, "anon_inode:[eventfd]");
}

/*
 * True if a client may be waiting. A pager counts as needed always, since it can be
 * replaced. A shadow cannot be replaced: it holds the snapshot.
 */
static bool is_needed(const struct watched *w)
{
	char path[64];
	unsigned int files = 0;
	struct dirent *entry;
	DIR *d;

	if (w->name.kind == SERVER_PAGER)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/fd", w->pid);
	d = opendir(path);
	if (!d)
		return true;
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.' &&
		    !is_no_client(dirfd(d), entry->d_name))
			files++;
	closedir(d);
	return files > SHADOW_OWN_FILES;
}

static void kill_server(const struct watched *w)
{
	static const char *const kinds[] = { "shadow", "per-CPU server", "pager" };
	const struct server_name *n = &w->name;
	char machine[32] = "";

	if (syscall(SYS_pidfd_send_signal, w->pidfd, SIGKILL, NULL, 0))
		return;
	if (n->kind == SERVER_PAGER)
		snprintf(machine, sizeof(machine), " of machine %u", n->machine_id);
	fprintf(stderr,
		"mitosisd: the %s of handler id %u%s, process %d, was stopped for "
		"about %d ms while it was needed; it was killed, and its children "
		"with it\n",
		kinds[n->kind], n->handler_id, machine, w->pid, CHECKS * check_ms());
}

static void process_ended(struct daemon *daemon, struct event_source *source)
{
	struct watched *w = (struct watched *)source;
	struct watched **link = &daemon->watched;

	while (*link != w)
		link = &(*link)->next;
	*link = w->next;
	daemon->watched_count--;
	loop_close(&daemon->loop, w->pidfd);
	free(w);
}

void watchdog_watch(struct daemon *daemon, int pidfd, const struct server_name *name)
{
	pid_t pid = pidfd < 0 ? 0 : pid_of(pidfd);
	struct watched *w = NULL;

	if (pid > 0 && daemon->watched_count < WATCHED_MAX)
		w = calloc(1, sizeof(*w));
	if (!w)
		return;
	*w = (struct watched){
		.source = { process_ended },
		.name = *name,
		.pid = pid,
		.pidfd = fcntl(pidfd, F_DUPFD_CLOEXEC, 0),
	};
	if (w->pidfd < 0 || loop_watch(&daemon->loop, w->pidfd, &w->source)) {
		if (w->pidfd >= 0)
			close(w->pidfd);
		free(w);
		return;
	}
	if (!daemon->watched)
		daemon->watchdog_check_ms = monotonic_ms() + check_ms();
	w->next = daemon->watched;
	daemon->watched = w;
	daemon->watched_count++;
}

int watchdog_cpu_server(const struct daemon *daemon,
			const struct registry_place *place, int cpu)
{
	const struct watched *w;

	for (w = daemon->watched; w; w = w->next)
		if (w->name.kind == SERVER_CPU && w->name.cpu == cpu &&
		    registry_same_place(&w->name.place, place))
			return w->pidfd;
	return -1;
}

int watchdog_expire(struct daemon *daemon)
{
	int64_t now = monotonic_ms();
	struct watched *w;

	if (!daemon->watched)
		return -1;
	if (daemon->watchdog_check_ms > now)
		return daemon->watchdog_check_ms - now;
	daemon->watchdog_check_ms = now + check_ms();
	for (w = daemon->watched; w; w = w->next) {
		w->stopped_checks = is_stopped(w->pid) ? w->stopped_checks + 1 : 0;
		if (w->stopped_checks >= CHECKS && is_needed(w))
			kill_server(w);
	}
	return check_ms();
}

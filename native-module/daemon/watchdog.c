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
#include "proto/user/connection.h"

#define WATCHED_MAX	8192u
/*
 * Looks within the deadline. It is these that are counted, not the time: while
 * this daemon does not run (a suspended machine, job control), nobody is late.
 */
#define LOOKS		10

struct watched {
	struct event_source source;	/* first: the end of the process */
	struct watched *next;
	struct server_name name;
	int pidfd;
	pid_t pid;
	int stopped_looks;		/* how many of the last ones, without a gap */
};

static int look_ms(void)
{
	int ms = wire_deadline_ms() / LOOKS;

	return ms ? ms : 1;
}

/* 0 or less: it is no pidfd, or the process has ended or is out of sight. */
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

/* By a signal. Whoever is in a debugger's hands ('t') is that one's concern. */
static bool is_stopped(pid_t pid)
{
	char path[64], text[256];
	const char *name_end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	name_end = strrchr(text, ')');
	return name_end && !strncmp(name_end, ") T", 3);
}

/*
 * Whether anybody can be waiting. A pager is needed to be able to answer in any
 * case, and can be replaced. A shadow cannot: it is the snapshot.
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
		files += entry->d_name[0] != '.';
	closedir(d);
	return files > SHADOW_OWN_FILES;
}

static void end(const struct watched *w)
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
		"about %d ms while it was needed; it is ended, and its children with "
		"it\n",
		kinds[n->kind], n->handler_id, machine, w->pid, LOOKS * look_ms());
}

static void ended(struct daemon *daemon, struct event_source *source)
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

void watchdog_watch(struct daemon *daemon, int pidfd,
		    const struct server_name *name)
{
	pid_t pid = pidfd < 0 ? 0 : pid_of(pidfd);
	struct watched *w = NULL;

	if (pid > 0 && daemon->watched_count < WATCHED_MAX)
		w = calloc(1, sizeof(*w));
	if (!w)
		return;
	*w = (struct watched){
		.source = { ended },
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
		daemon->watchdog_look_ms = monotonic_ms() + look_ms();
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
	if (daemon->watchdog_look_ms > now)
		return daemon->watchdog_look_ms - now;
	daemon->watchdog_look_ms = now + look_ms();
	for (w = daemon->watched; w; w = w->next) {
		w->stopped_looks = is_stopped(w->pid) ? w->stopped_looks + 1 : 0;
		if (w->stopped_looks >= LOOKS && is_needed(w))
			end(w);
	}
	return look_ms();
}

// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/faulting_process.h"

#include <dirent.h>
#include <errno.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Threads with equal numbers are at most one in each PID namespace. */
#define CANDIDATES_MAX 64

struct candidate {
	int pid, pidfd;
};

struct candidates {
	uint32_t count;
	struct candidate all[CANDIDATES_MAX];
};

/* What smaps says of the VMA at an address. */
enum registration {
	NOT_REGISTERED,
	MISSING_ONLY,
	WITH_WRITE_PROTECT,
};

static enum registration registration_of(int pid, uint64_t address)
{
	enum registration found = NOT_REGISTERED;
	bool inside = false;
	char path[64], line[4096 + 128];
	FILE *smaps;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	smaps = fopen(path, "re");
	while (smaps && fgets(line, sizeof(line), smaps)) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
			if (start > address)
				break;
			inside = address < end;
		} else if (inside && !strncmp(line, "VmFlags:", 8)) {
			if (strstr(line, " um"))
				found = strstr(line, " uw") ? WITH_WRITE_PROTECT
							    : MISSING_ONLY;
			break;
		}
	}
	if (smaps)
		fclose(smaps);
	return found;
}

/* The thread's number in its own PID namespace; 0 if it has gone. */
static uint32_t own_number(int pid, const char *thread)
{
	char path[64 + 256], line[256];
	uint32_t number = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/status", pid, thread);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status)) {
		if (strncmp(line, "NSpid:", 6))
			continue;
		/* The innermost namespace comes last. */
		number = strtoul(strrchr(line, '\t') + 1, NULL, 10);
		break;
	}
	if (status)
		fclose(status);
	return number;
}

static bool has_thread(int pid, uint32_t tid)
{
	bool found = false;
	struct dirent *entry;
	char path[64];
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	threads = opendir(path);
	while (!found && threads && (entry = readdir(threads)))
		found = entry->d_name[0] != '.' &&
			own_number(pid, entry->d_name) == tid;
	if (threads)
		closedir(threads);
	return found;
}

/* The pidfd is opened first: what is read afterwards is that process's, or it ended. */
static void consider(struct candidates *list, int pid, uint64_t address,
		     uint32_t tid)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return;
	if (list->count < CANDIDATES_MAX && has_thread(pid, tid) &&
	    registration_of(pid, address) == MISSING_ONLY)
		list->all[list->count++] = (struct candidate){ pid, pidfd };
	else
		close(pidfd);
}

static void find(struct candidates *list, uint64_t address, uint32_t tid)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	while (processes && (entry = readdir(processes))) {
		int pid = atoi(entry->d_name);

		if (pid > 0 && pid != getpid())
			consider(list, pid, address, tid);
	}
	if (processes)
		closedir(processes);
}

/* Write-protects nothing, but the kernel shows it in the VMA's flags. */
static int leave_mark(int uffd, uint64_t address, uint64_t page_size)
{
	struct uffdio_register r = {
		.range = { .start = address, .len = page_size },
		.mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
	};

	if (!ioctl(uffd, UFFDIO_REGISTER, &r))
		return 0;
	return errno == EINVAL ? -ENOENT : -errno; /* EINVAL: no VMA there */
}

int faulting_process_kill(int uffd, uint64_t address, uint64_t page_size,
			  uint32_t tid)
{
	struct candidates list = { 0 };
	int result = -ESRCH;
	int err;
	uint32_t i;

	if (!tid)
		return -ESRCH;
	find(&list, address, tid);
	err = leave_mark(uffd, address, page_size);
	for (i = 0; i < list.count; i++) {
		struct candidate *c = &list.all[i];

		if (!err && registration_of(c->pid, address) == WITH_WRITE_PROTECT &&
		    !syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0))
			result = 0;
		close(c->pidfd);
	}
	return err ? err : result;
}

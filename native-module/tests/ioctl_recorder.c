// SPDX-License-Identifier: Apache-2.0
/*
 * Stands in for the kernel module in tests of what programs ask it: preloaded
 * into a process, it takes the ioctl() calls on the file that the environment
 * variable IOCTL_RECORDER_DEVICE names, appends one line per call to the file
 * IOCTL_RECORDER_LOG and answers as include/uapi/mitosis.h says, for one
 * process with one snapshot per file and one session. Lines are
 *	COMMAND value=ARGUMENT			an argument by value, decimal
 *	COMMAND bytes=HEX			what the argument points to
 *	COMMAND bytes=HEX gid=HEX		a connect request: its first 8 bytes and
 *						40 bytes at its gid
 * with COMMAND in hexadecimal. It shows what a caller asks, not that the module
 * works.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uapi/mitosis.h"

#define MAX_SNAPSHOTS 16

struct held {
	struct mitosis_snapshot snapshot;
	int fd; /* the file that prepared it */
};

static struct held held[MAX_SNAPSHOTS];
static unsigned int n_held;
static int session = -1; /* the machine connected to */

static void hex(char **end, const char *name, const void *bytes, size_t n)
{
	*end += sprintf(*end, " %s=", name);
	for (size_t i = 0; i < n; i++)
		*end += sprintf(*end, "%02x", ((const unsigned char *)bytes)[i]);
}

static void record(unsigned long command, uintptr_t argument)
{
	const char *path = getenv("IOCTL_RECORDER_LOG");
	const void *p = (const void *)argument;
	char line[512];
	char *end = line + sprintf(line, "%#lx", command);
	int log;

	switch (command) {
	case MITOSIS_CONNECT:
		hex(&end, "bytes", p, offsetof(struct mitosis_connect_req, gid));
		hex(&end, "gid", ((const struct mitosis_connect_req *)p)->gid,
		    MITOSIS_GID_LENGTH + 1);
		break;
	case MITOSIS_RESUME_REMOTE:
	case MITOSIS_NIL_RPC:
		hex(&end, "bytes", p, sizeof(struct mitosis_remote_req));
		break;
	case MITOSIS_IOC_UNPREPARE:
		hex(&end, "bytes", p, sizeof(__u32));
		break;
	case MITOSIS_IOC_NEXT:
		hex(&end, "bytes", p, sizeof(struct mitosis_snapshot));
		break;
	default:
		end += sprintf(end, " value=%lu", (unsigned long)argument);
	}
	*end++ = '\n';
	log = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)
		   : -1;
	if (log < 0 || write(log, line, end - line) != end - line) {
		perror("ioctl_recorder: the log cannot be written");
		abort();
	}
	close(log);
}

static struct held *find(uint32_t handler_id)
{
	for (unsigned int i = 0; i < n_held; i++)
		if (held[i].snapshot.handler_id == handler_id)
			return &held[i];
	return NULL;
}

static int prepare(int fd, uintptr_t handler_id, uint32_t flags)
{
	if (handler_id > UINT32_MAX)
		return -EINVAL;
	for (unsigned int i = 0; i < n_held; i++)
		if (held[i].fd == fd)
			return -EBUSY;
	if (find(handler_id))
		return -EEXIST;
	if (n_held == MAX_SNAPSHOTS)
		return -ENOMEM;
	held[n_held++] = (struct held){
		.snapshot = {
			.handler_id = handler_id,
			.flags = flags,
			.owner_pid = getpid(),
			.prepared_at_ns = 1500000000ull,
		},
		.fd = fd,
	};
	return 0;
}

static int unprepare(uint32_t handler_id)
{
	struct held *h = find(handler_id);

	if (!h)
		return -ENOENT;
	*h = held[--n_held];
	return 0;
}

static int next(struct mitosis_snapshot *from)
{
	const struct mitosis_snapshot *best = NULL;

	for (unsigned int i = 0; i < n_held; i++) {
		const struct mitosis_snapshot *s = &held[i].snapshot;

		if (s->handler_id >= from->handler_id &&
		    (!best || s->handler_id < best->handler_id))
			best = s;
	}
	if (!best)
		return -ENOENT;
	*from = *best;
	return 0;
}

static int answer(int fd, unsigned long command, uintptr_t argument)
{
	const struct mitosis_remote_req *remote = (const void *)argument;

	switch (command) {
	case MITOSIS_NIL:
		return 0;
	case MITOSIS_CONNECT:
		/* A module without mitosis_rdma. */
		if (!strncmp(((const struct mitosis_connect_req *)argument)->gid,
			     "rdma://", 7))
			return -ENODEV;
		session = ((const struct mitosis_connect_req *)argument)->machine_id;
		return 0;
	case MITOSIS_PREPARE:
		return prepare(fd, argument, 0);
	case MITOSIS_PREPARE_PINNED:
		return prepare(fd, argument, MITOSIS_SNAPSHOT_PINNED);
	case MITOSIS_RESUME_LOCAL:
		return find(argument) ? -EINVAL : -ENOENT;
	case MITOSIS_RESUME_REMOTE:
		return (int)remote->machine_id == session ? -EINVAL : -ENOTCONN;
	case MITOSIS_NIL_RPC:
		return (int)remote->machine_id == session ? 0 : -ENOTCONN;
	case MITOSIS_IOC_UNPREPARE:
		return unprepare(*(const __u32 *)argument);
	case MITOSIS_IOC_NEXT:
		return next((struct mitosis_snapshot *)argument);
	default:
		return -ENOTTY;
	}
}

static int is_device(int fd)
{
	const char *device = getenv("IOCTL_RECORDER_DEVICE");
	char link[64];
	char path[PATH_MAX];
	ssize_t n;

	if (!device)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return 0;
	path[n] = '\0';
	return !strcmp(path, device);
}

#define EXPORT __attribute__((visibility("default")))

EXPORT int ioctl(int fd, unsigned long command, ...)
{
	uintptr_t argument;
	va_list args;
	int result;

	va_start(args, command);
	argument = va_arg(args, uintptr_t);
	va_end(args);
	if (!is_device(fd))
		return syscall(SYS_ioctl, fd, command, argument);
	record(command, argument);
	result = answer(fd, command, argument);
	if (result < 0) {
		errno = -result;
		return -1;
	}
	return result;
}

/* A snapshot that is not pinned goes with its file. */
EXPORT int close(int fd)
{
	if (is_device(fd)) {
		for (unsigned int i = n_held; i-- > 0;) {
			if (held[i].fd != fd)
				continue;
			held[i].fd = -1;
			if (!(held[i].snapshot.flags & MITOSIS_SNAPSHOT_PINNED))
				unprepare(held[i].snapshot.handler_id);
		}
	}
	return syscall(SYS_close, fd);
}

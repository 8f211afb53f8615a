// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/page_link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/child_files.h"
#include "lib/error.h"
#include "libmitosis.h"

/* Returns a userfaultfd with the events that a child needs, or -errno. */
static int try_uffd(void)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP |
			    UFFD_FEATURE_EVENT_REMOVE | UFFD_FEATURE_EVENT_UNMAP |
			    UFFD_FEATURE_THREAD_ID,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	int err;

	/* vm.unprivileged_userfaultfd permits all events but that of fork(2). */
	if (fd >= 0 && !ioctl(fd, UFFDIO_API, &api))
		return fd;
	err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* The value of a line of /proc/self/status as a number; 0 if there is none. */
static uint64_t own_status(const char *name, int base)
{
	FILE *file = fopen("/proc/self/status", "re");
	size_t length = strlen(name);
	uint64_t value = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length) && line[length] == ':')
			value = strtoull(line + length + 1, NULL, base);
	if (file)
		fclose(file);
	return value;
}

static bool is_filtered(void)
{
	return own_status("Seccomp", 10) == SECCOMP_MODE_FILTER;
}

static bool may_trace(void)
{
	return own_status("CapEff", 16) >> CAP_SYS_PTRACE & 1;
}

/* What a refusal with `err` comes from: one of the words of mitosis_userfaultfd(). */
static const char *refusal(int err)
{
	if ((err == -EPERM || err == -ENOSYS || err == -EACCES) && is_filtered())
		return "filtered";
	if (err == -EPERM)
		return may_trace() ? "confined" : "refused";
	return "missing";
}

const char *mitosis_userfaultfd(void)
{
	int fd = try_uffd();

	if (fd < 0)
		return refusal(fd);
	close(fd);
	return "allowed";
}

int page_link_open_uffd(void)
{
	int fd = try_uffd();
	const char *why;

	if (fd >= 0)
		return child_files_lift(fd);
	why = refusal(fd);
	if (!strcmp(why, "filtered"))
		return fail(
			fd,
			"a filter of system calls (seccomp) refuses userfaultfd, as "
			"that of a container does; start the container with "
			"--cap-add SYS_PTRACE --security-opt seccomp=unconfined, or "
			"resume with mode clone");
	if (!strcmp(why, "confined"))
		return fail(
			fd,
			"userfaultfd and its events need CAP_SYS_PTRACE outside of "
			"user namespaces; or resume with mode clone");
	if (!strcmp(why, "refused"))
		return fail(fd, "userfaultfd and its events need root or "
				"CAP_SYS_PTRACE; or resume with mode clone");
	return fail(fd, "this kernel has no userfaultfd, or not its events: %s",
		    strerror(-fd));
}

int page_link_open_lifeline(int ends[2], const char *what)
{
	if (pipe2(ends, O_CLOEXEC)) {
		ends[0] = ends[1] = -1;
	} else {
		ends[0] = child_files_lift(ends[0]);
		if (!fcntl(ends[0], F_SETOWN, getpid()) &&
		    !fcntl(ends[0], F_SETSIG, SIGKILL))
			return 0;
	}
	return fail(-errno, "no lifeline pipe can be made for %s: %s", what,
		    strerror(errno));
}

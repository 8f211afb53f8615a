// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/page_link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/child_files.h"
#include "lib/error.h"

int page_link_open_uffd(void)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP |
			    UFFD_FEATURE_EVENT_REMOVE | UFFD_FEATURE_EVENT_UNMAP |
			    UFFD_FEATURE_THREAD_ID,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	int err = 0;

	/* vm.unprivileged_userfaultfd permits all events but that of fork(2). */
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		err = -errno;
	if (err && fd >= 0)
		close(fd);
	if (err == -EPERM)
		return fail(err, "userfaultfd and its events need root or "
				 "CAP_SYS_PTRACE; or resume with mode clone");
	if (err)
		return fail(err,
			    "this kernel has no userfaultfd, or not its events: %s",
			    strerror(-err));
	return child_files_lift(fd);
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

// SPDX-License-Identifier: Apache-2.0
#include "lib/remade_files.h"

#include "lib/error.h"

static const char *const kind_names[FD_KINDS + 1] = {
	[FD_REFUSED] = "not carried",
	[FD_STANDARD] = "copy of a standard file",
	[FD_FILE] = "file",
	[FD_DIRECTORY] = "directory",
	[FD_DEVICE] = "device",
	[FD_FIFO] = "FIFO",
	[FD_MEMORY] = "memfd or deleted file",
	[FD_PIPE] = "pipe",
	[FD_EVENT] = "eventfd",
	[FD_EPOLL] = "epoll",
	[FD_TIMER] = "timerfd",
	[FD_SIGNAL] = "signalfd",
	[FD_INOTIFY] = "inotify",
	[FD_SOCKET_PAIR] = "socket pair",
	[FD_SOCKET] = "socket",
};

int remake_failed(const struct remade_files *files, const struct descriptor_fd *fd,
		  int err, const char *reason)
{
	return fail(err, "open file %u of %s (%s, %s) cannot be made again: %s",
		    fd->number, files->what, kind_names[fd->kind],
		    descriptor_string(files->descriptor, fd->path), reason);
}

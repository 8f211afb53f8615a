// SPDX-License-Identifier: Apache-2.0
#include "lib/told_files.h"

#include <stddef.h>

enum told_difference told_difference(const struct descriptor_fd *fd)
{
	if (fd->flags & DESCRIPTOR_FD_LOCKED)
		return TOLD_LOCK;
	if (fd->kind == FD_INOTIFY)
		return TOLD_WATCHES;
	if (fd->kind == FD_SOCKET && fd->values[3] & FD_SOCKET_CONNECTED)
		return TOLD_PEER;
	return TOLD_NOTHING;
}

const char *told_text(enum told_difference difference)
{
	static const char *const texts[TOLD_DIFFERENCES] = {
		[TOLD_LOCK] = "has no lock of its parent on a file",
		[TOLD_WATCHES] = "has an inotify without watches",
		[TOLD_PEER] = "has a socket whose peer has gone",
	};

	return difference < TOLD_DIFFERENCES ? texts[difference] : NULL;
}

void told_files_add(struct told_files *told, const struct descriptor_fd *fds,
		    uint32_t i)
{
	/* What shares with another has its state. */
	const struct descriptor_fd *fd =
		fds[i].shares == DESCRIPTOR_FD_OWN ? &fds[i] : &fds[fds[i].shares];
	enum told_difference difference = told_difference(fd);

	if (difference == TOLD_NOTHING)
		return;
	if (told->count < TOLD_FILES_MAX) {
		told->files[told->count].number = fds[i].number;
		told->files[told->count].difference = difference;
	}
	told->count++;
}

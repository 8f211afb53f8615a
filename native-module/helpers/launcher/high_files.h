/* SPDX-License-Identifier: Apache-2.0 */
/* The container's open files are numbered from FILES_FLOOR on, to be closed at once. */
#ifndef HELPERS_LAUNCHER_HIGH_FILES_H
#define HELPERS_LAUNCHER_HIGH_FILES_H

#include <fcntl.h>
#include <unistd.h>

#define FILES_FLOOR 600

/* Moves an open file to FILES_FLOOR or above, where the limit permits it. */
static inline int move_up(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, FILES_FLOOR);

	if (high < 0)
		return fd;
	close(fd);
	return high;
}

#endif /* HELPERS_LAUNCHER_HIGH_FILES_H */

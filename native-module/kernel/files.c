// SPDX-License-Identifier: GPL-2.0
#include "files.h"

#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

bool mitosis_files_are_own(void)
{
	return atomic_read(&current->files->count) == 1;
}

/* The lowest number from `first` on; UINT_MAX if there is none. */
static unsigned int next_close_on_exec(unsigned int first)
{
	struct files_struct *files = current->files;
	const struct fdtable *table;
	unsigned int fd;

	spin_lock(&files->file_lock);
	table = files_fdtable(files);
	for (fd = first; fd < table->max_fds; fd++) {
		fd = find_next_bit(table->close_on_exec, table->max_fds, fd);
		/* The bit of a number that is not open says nothing. */
		if (fd < table->max_fds && test_bit(fd, table->open_fds))
			break;
	}
	if (fd >= table->max_fds)
		fd = UINT_MAX;
	spin_unlock(&files->file_lock);
	return fd;
}

void mitosis_files_close_on_exec(void)
{
	unsigned int fd = next_close_on_exec(0);

	while (fd != UINT_MAX) {
		close_fd(fd);
		fd = next_close_on_exec(fd + 1);
	}
}

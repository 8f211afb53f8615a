// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/described_files.h"

#include <stddef.h>

#include "paging/raw_syscall.h"

void described_file_refuse(struct descriptor_fd *fd, enum descriptor_fd_refusal why)
{
	fd->kind = FD_REFUSED;
	fd->values[0] = why;
	fd->data_size = 0;
}

char *described_files_room(struct described_files *files, struct descriptor_fd *fd,
			   uint64_t size)
{
	if (size > DESCRIPTOR_FD_DATA_MAX ||
	    size > DESCRIPTOR_DATA_MAX - files->data_size) {
		described_file_refuse(fd, FD_REFUSAL_LARGE);
		return NULL;
	}
	fd->data = files->data_size;
	fd->data_size = size;
	files->data_size += size;
	return files->data + fd->data;
}

void described_files_free(struct described_files *files)
{
	if (files->map)
		raw_syscall(SYS_munmap, files->map, files->map_size);
	files->map = NULL;
}

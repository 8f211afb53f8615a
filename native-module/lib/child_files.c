// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/child_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"

int child_files_lift(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, CHILD_FILES_LIFTED);

	if (high < 0)
		return fd;
	close(fd);
	return high;
}

bool child_file_survives(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && !(flags & FD_CLOEXEC);
}

static int compare_numbers(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

int child_files_list(struct restore_plan *plan)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *entry;
	uint32_t count = 0;

	if (!d)
		return fail(-errno, "/proc is needed to resume: %s",
			    strerror(errno));
	while ((entry = readdir(d))) {
		int fd = atoi(entry->d_name);

		if (fd <= STDERR_FILENO || fd == dirfd(d) ||
		    !child_file_survives(fd))
			continue;
		if (count == CHILD_FILES_MAX) {
			closedir(d);
			return fail(-E2BIG,
				    "a child gets at most %u open files; close "
				    "some, or set close-on-exec",
				    CHILD_FILES_MAX);
		}
		plan->kept_files[count++] = fd;
	}
	closedir(d);
	qsort(plan->kept_files, count, sizeof(plan->kept_files[0]), compare_numbers);
	plan->kept_file_count = count;
	return 0;
}

void child_files_plan(struct restore_plan *plan, uint32_t first)
{
	int32_t kept[CHILD_FILES_MAX + 2];
	uint32_t count = 0, ranges = 0, next = first, i;

	for (i = 0; i < plan->kept_file_count; i++)
		if (child_file_survives(plan->kept_files[i]))
			kept[count++] = plan->kept_files[i];
	if (plan->opened < 0) {
		kept[count++] = plan->uffd;
		kept[count++] = plan->lifeline[0];
	}
	qsort(kept, count, sizeof(kept[0]), compare_numbers);
	for (i = 0; i < count; i++) {
		uint32_t fd = kept[i];

		if (fd < next)
			continue;
		if (fd > next)
			plan->closed_files[ranges++] =
				(struct file_range){ next, fd - 1 };
		next = fd + 1;
	}
	plan->closed_files[ranges++] = (struct file_range){ next, UINT32_MAX };
	plan->closed_file_range_count = ranges;
}
